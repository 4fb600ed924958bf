"""The exact denoiser beside the network: it follows the noise, sets the floor, and is told in words."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor, QTextDocumentFragment
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QLabel

from aeviz.core.clean_data import clean_data
from aeviz.core.explanation import formulas
from aeviz.core.field import Field
from aeviz.core.layers import LAYERS
from aeviz.core.settings import Settings
from aeviz.core.truth import Denoiser
from aeviz.figure.theme import DARK

QUICK = Settings(points=40, hidden=(8,), code=8, batch=40, epochs=100, grid=(12, 10))
EXACT = QUICK.replace(layer="exact")
# Without heat map, arrows and points, what is drawn is outlines and particles.
PLAIN = QUICK.replace(layer="none", arrows="none", midline=False, show_data=False)
COPIES = re.compile(r"no exact reference   copies \d+ %")


def assert_exact(field, settings: Settings) -> None:
    """Whether a field's exact one is that of the exact denoiser of these settings."""
    data = clean_data(settings).points
    best = Denoiser(data, settings.noise, settings.noise_kind, settings.target).at(field.grid.points)
    shape = field.grid.shape
    np.testing.assert_allclose(
        field.exact.displacement, (best.mean - field.grid.points).reshape(*shape, 2), rtol=0, atol=1e-12
    )
    np.testing.assert_allclose(field.exact.log_density, best.log_density.reshape(shape), rtol=0, atol=1e-9)
    assert (field.exact.ambiguity is None) == (best.ambiguity is None)
    if best.ambiguity is not None:
        np.testing.assert_allclose(field.exact.ambiguity, best.ambiguity.reshape(shape), rtol=0, atol=1e-9)


def drag_to(desk, drag, position: int) -> None:
    drag(desk.window.controls.editor("noise"), position, seen=lambda: desk.settle(1))


# The arrays


@pytest.mark.parametrize("kind", ["gaussian", "uniform", "rare"])
def test_the_exact_field_follows_the_noise_slider_and_is_never_of_another_noise(kind, desk, drag):
    desk.begin(EXACT.replace(noise_kind=kind, epochs=1_000_000))
    desk.until(lambda: desk.fields and desk.fields[-1].exact is not None)
    drag_to(desk, drag, 130)
    desk.run.drive(playing=False)
    desk.until(lambda: desk.frames[-1].settings.noise == 0.65 and desk.fields[-1].exact is not None)
    pairs = zip(desk.frames, desk.fields, strict=True)
    known = [(frame, field) for frame, field in pairs if field.exact is not None]
    assert len({frame.settings.noise for frame, _ in known}) > 2
    for frame, field in known[:: max(1, len(known) // 40)] + known[-1:]:
        assert_exact(field, frame.settings)


def test_a_change_of_the_target_changes_the_exact_field(desk):
    desk.begin(EXACT, playing=False)
    for change in ({"target": "nearest"}, {"noise_kind": "rare"}, {"target": "original"}):
        desk.store.set(**change)
        settings = desk.store.settings
        desk.until(
            lambda settings=settings: (
                desk.frames
                and desk.frames[-1].settings.optimum == settings.optimum
                and desk.fields[-1].exact is not None
            )
        )
        assert_exact(desk.fields[-1], settings)


def test_the_exact_field_follows_the_view(desk):
    desk.begin(EXACT, playing=False)
    desk.figure.box.scaleBy((0.5, 0.5))
    desk.until(lambda: desk.fields and desk.fields[-1].grid == desk.figure.grid_in_view())
    desk.until(lambda: desk.fields[-1].exact is not None)
    assert_exact(desk.fields[-1], desk.store.settings)


def test_a_past_epoch_stands_beside_the_optimum_of_its_own_noise(desk):
    desk.begin(EXACT.replace(epochs=30))
    desk.finish()
    desk.store.set(noise=0.5, epochs=60)
    desk.finish()
    for epoch, noise in ((20, 0.25), (50, 0.5)):
        desk.run.look_at(epoch)
        desk.until(lambda epoch=epoch: desk.frames[-1].epoch == epoch and desk.fields[-1].exact is not None)
        assert_exact(desk.fields[-1], EXACT.replace(noise=noise))


def test_of_many_points_a_sketch_comes_first_and_the_whole_after_it(desk):
    settings = EXACT.replace(points=8_000, grid=(40, 34), epochs=1)
    desk.store.put(settings)

    def known() -> list[Field]:
        """Those on the new cells: the first question may be of the old ones, which are few."""
        return [field for field in desk.fields if field.exact is not None and field.grid.shape == (34, 40)]

    desk.until(lambda: known() and not known()[-1].exact.sketch)
    first = known()[0]
    assert first.exact.sketch
    assert_exact(known()[-1], settings)
    away = np.hypot(*(first.exact.displacement - known()[-1].exact.displacement).T)
    assert np.median(away) < 0.1, "the sketch is of something else"


# The floor


def test_the_bayes_floor_in_the_loss_curve_moves_with_the_noise_while_training_goes_on(desk, drag):
    desk.begin(QUICK.replace(epochs=1_000_000))
    curve = desk.window.timeline.curve
    desk.until(lambda: curve.floor is not None and not desk.run.quality.sketch)
    low = curve.floor
    drag_to(desk, drag, 120)
    desk.until(lambda: not desk.run.quality.sketch and curve.floor > 10.0**0.3 * low)
    text, place = curve.labels()["floor"]
    assert text == f"Bayes floor {curve.floor:.3g}"
    assert curve.frame.contains(place)
    drag_to(desk, drag, 20)
    desk.until(lambda: curve.floor < low)


# Midlines


def test_the_geometric_midline_is_drawn_between_the_arms(desk):
    desk.begin(PLAIN)
    desk.finish()
    angle = np.radians([60.0, 100.0, 140.0])  # where the second arm has a first one inside
    radius = 0.5 * (1.0 + angle / np.pi) + 0.5
    arms = radius[:, None] * np.stack((np.cos(angle), np.sin(angle)), axis=1)
    # It lies half a gap from either arm, along the normal, which is nearly the radius.
    tangent = np.stack((np.cos(angle), np.sin(angle)), axis=1) / (2.0 * np.pi)
    tangent += radius[:, None] * np.stack((-np.sin(angle), np.cos(angle)), axis=1)
    across = np.stack((-tangent[:, 1], tangent[:, 0]), axis=1) / np.hypot(*tangent.T)[:, None]

    wanted = np.array(QColor(DARK.geometric).getRgb())

    def crossings() -> list[list[float]]:
        """How far from the middle the line is met, going across."""
        steps = np.arange(-0.2, 0.2, 0.5 * desk.pixel)
        return [
            [step for step in steps
             if np.abs(wanted - QColor(desk.colour(place + step * normal)).getRgb()).max() < 80]  # it is thin
            for place, normal in zip(arms, across, strict=True)
        ]  # fmt: skip

    assert crossings() == [[], [], []]
    desk.press(Qt.Key.Key_G)
    desk.until(lambda: desk.run.midline is not None)
    desk.settle()
    found = crossings()
    assert all(found), "it is not drawn"
    assert [np.mean(each) for each in found] == pytest.approx([0.0, 0.0, 0.0], abs=0.03)


def test_the_exact_midline_is_asked_for_when_it_is_switched_on(desk):
    desk.begin(PLAIN.replace(grid=(40, 34)))
    desk.finish()
    assert desk.fields[-1].exact is None, "it is worked out though nobody looks"
    desk.press(Qt.Key.Key_E)
    desk.until(lambda: desk.fields[-1].exact is not None)
    desk.settle()
    ambiguity, grid = desk.fields[-1].exact.ambiguity, desk.fields[-1].grid
    row = int(np.argmin(np.abs(grid.y - 1.0)))
    crossed = np.flatnonzero((ambiguity[row, 1:-1] > 2.0) != (ambiguity[row, 2:] > 2.0)) + 1
    assert len(crossed) > 1
    for column in crossed:
        across = np.linspace(grid.x[column], grid.x[column + 1], 60)
        assert DARK.exact in {desk.colour((x, grid.y[row])) for x in across}


# In words


def card(desk) -> QLabel:
    """The label that explains the picture."""
    (label,) = [
        each for each in desk.window.inspector.findChildren(QLabel) if each.property("role") == "card"
    ]
    return label


def plain(html: str) -> str:
    return QTextDocumentFragment.fromHtml(html).toPlainText()


def explained(desk) -> str:
    return plain(card(desk).text())


def said_risk(desk) -> float:
    """The excess risk in the text, as a fraction."""
    found = re.search(r"network's loss is ([\d.,e+-]+) (%|times) above the best", explained(desk))
    return float(found[1].replace(",", "")) / (100.0 if found[2] == "%" else 1.0) if found else np.inf


def test_the_explanation_tells_the_noise_and_how_good_the_network_is(desk, drag):
    desk.begin()
    desk.finish()
    rounding = 0.06  # two digits
    desk.until(lambda: desk.run.quality.excess_risk and "σ is 0.25," in explained(desk))
    desk.until(lambda: said_risk(desk) == pytest.approx(desk.run.quality.excess_risk, rel=rounding))
    assert "half the gap between the arms 0.4" in explained(desk)
    overlap = re.search(r"overlaps the exact one by (\d+) %", explained(desk))
    assert overlap is None or int(overlap[1]) == pytest.approx(100 * desk.run.quality.midline_iou, abs=0.51)
    before = desk.run.quality.excess_risk
    drag_to(desk, drag, 130)
    desk.until(lambda: "σ is 0.65," in explained(desk))
    desk.until(
        lambda: (
            desk.run.quality.excess_risk not in (before, None)
            and said_risk(desk) == pytest.approx(desk.run.quality.excess_risk, rel=rounding)
        )
    )


@pytest.mark.parametrize("layer", LAYERS)
def test_the_explanation_begins_with_the_layer(layer, desk):
    desk.store.set(layer=layer)
    desk.until(lambda: explained(desk).startswith(LAYERS[layer].help))


def test_of_a_past_epoch_the_explanation_tells_that_epochs_noise(desk):
    desk.begin(QUICK.replace(epochs=30))
    desk.finish()
    desk.store.set(noise=0.5, epochs=60)
    desk.finish()
    desk.until(lambda: "σ is 0.5," in explained(desk))
    desk.run.look_at(20)
    desk.until(lambda: desk.frames[-1].epoch == 20)
    desk.until(lambda: "σ is 0.25," in explained(desk))


def test_the_formula_and_its_source_are_a_link_away(desk):
    desk.store.set(layer="curl")
    desk.until(lambda: explained(desk).startswith(LAYERS["curl"].help))
    label, closed = card(desk), explained(desk)
    formula, source = (plain(formulas()["curl"][part]) for part in ("formula", "source"))

    def follow() -> None:
        """Reach the link by keyboard and press it."""
        desk.window.view.setFocus()
        label.setFocus()
        QTest.keyClick(label, Qt.Key.Key_Tab)
        QTest.keyClick(label, Qt.Key.Key_Return)

    for _ in range(2):
        assert "Show the formula" in explained(desk)
        assert formula not in explained(desk)
        follow()
        assert "Hide the formula" in explained(desk)
        assert formula in explained(desk)
        assert source in explained(desk)
        follow()
        assert explained(desk) == closed


NOBODYS = {"excess"}  # what any textbook has needs no author


@pytest.mark.parametrize("layer", LAYERS)
def test_every_layer_has_a_formula_with_a_year(layer):
    assert {*formulas()[layer]} == {"formula", "source"}
    assert formulas()[layer]["formula"]
    source = formulas()[layer]["source"]
    assert re.search(r"\b(19|20)\d\d\b|lecture", source) or (source and layer in NOBODYS)


# Without noise


def test_without_noise_there_are_no_exact_numbers_and_it_is_said_why(desk):
    desk.begin(EXACT.replace(compare="split", beside="magnitude"))
    desk.finish()
    desk.until(lambda: desk.fields[-1].exact is not None)
    desk.hover((0.3, 1.2))
    desk.store.set(noise=0.0)
    desk.until(lambda: desk.frames[-1].settings.noise == 0.0)
    desk.until(lambda: desk.frames[-1].marks.cursor is not None)
    desk.settle()
    assert desk.fields[-1].exact is None
    assert desk.frames[-1].marks.cursor.exact is None
    numbers = {
        label.accessibleName(): label.text() for label in desk.window.inspector.findChildren(QLabel)
        if label.accessibleName()
    }  # fmt: skip
    assert {numbers[name] for name in ("exact r*", "off the exact", "density log p")} == {"—"}
    assert "exact" not in numbers["ambiguity a"]
    assert numbers["reconstruction ỹ"] != "—"
    assert desk.window.inspector.votes.accessibleDescription() == ""
    assert desk.figure.panels[0].missing == "no exact reference without noise"
    assert desk.figure.panels[1].missing == ""
    desk.until(lambda: "σ is 0: nothing is corrupted" in explained(desk))
    assert "above the best" not in explained(desk)
    desk.until(lambda: desk.window.timeline.curve.floor is None)
    desk.until(lambda: COPIES.fullmatch(desk.window.status.quality.text()))
    desk.store.set(noise=0.3)
    desk.until(lambda: desk.fields[-1].exact is not None)
    assert_exact(desk.fields[-1], EXACT.replace(noise=0.3))


# With masks and flips


@pytest.mark.parametrize("kind", ["masking", "flip"])
def test_with_masks_and_flips_there_is_no_exact_field_and_it_is_said_why(kind, desk):
    desk.begin(EXACT.replace(exact_midline=True))
    desk.finish()
    desk.until(lambda: desk.fields[-1].exact is not None)
    desk.store.set(noise_kind=kind)
    desk.hover((0.3, 1.2))
    desk.until(lambda: desk.frames[-1].settings.noise_kind == kind)
    desk.until(lambda: (cursor := desk.frames[-1].marks.cursor) is not None and cursor.exact is None)
    desk.settle()
    assert desk.fields[-1].exact is None
    assert {
        f"no exact field: {kind} sends points to a few places alone", f"exact midline: none with {kind}",
    } <= {*desk.texts}  # fmt: skip
    desk.until(lambda: desk.run.quality.bayes_floor is None and desk.run.quality.identityness is not None)
    assert COPIES.fullmatch(desk.window.status.quality.text())
    desk.until(lambda: desk.window.timeline.curve.floor is None)
    desk.until(lambda: "so there is no exact reference" in explained(desk))
    assert desk.window.inspector.votes.accessibleDescription() == ""


@pytest.mark.parametrize("kind", ["masking", "flip"])
def test_of_bits_the_best_possible_loss_is_known_though_no_field_is(kind, desk):
    desk.begin(EXACT.replace(data="xor", noise_kind=kind, cost="bce", output="sigmoid"))
    desk.finish()
    desk.until(lambda: desk.run.quality.excess_risk is not None)
    assert desk.fields[-1].exact is None
    assert f"no exact field: {kind} sends points to a few places alone" in desk.texts
    assert desk.run.quality.bayes_floor > 0.0
    assert desk.window.timeline.curve.floor == desk.run.quality.bayes_floor
    assert "floor" in desk.window.timeline.curve.labels()


# Without a curve


def test_points_that_lie_on_no_curve_have_no_geometric_midline_and_it_is_said(desk):
    desk.begin(QUICK.replace(data="corners", geometric_midline=True))
    desk.finish()
    desk.settle()
    assert "geometric midline: none, these points lie on no curve" in desk.texts
    desk.until(lambda: "these points lie on no curve" in explained(desk))
    desk.begin(QUICK.replace(geometric_midline=True))
    desk.finish()
    desk.settle()
    assert "geometric midline" in desk.texts


# Particles


@pytest.mark.parametrize("flow", ["drift", "walk-back"])
def test_particles_keep_moving_while_the_run_rests(flow, desk):
    desk.begin(PLAIN)
    desk.finish()
    desk.settle()
    desk.store.set(flow=flow, particles=50)
    desk.until(lambda: desk.fields[-1].streaks is not None)
    seen = len(desk.frames)
    desk.until(lambda: len(desk.frames) > seen + 10)  # nobody asks for them
    places = [field.streaks[:, 1] for field in desk.fields[-10:]]
    assert all((one != other).any() for one, other in itertools.pairwise(places))
    assert places[-1].shape == (50, 2)
    assert desk.run.epoch == 100
    shown = desk.in_view(places[-1])
    assert DARK.particle in {desk.colour(place) for place in shown[:20]}
    desk.store.set(flow="off")
    desk.until(lambda: desk.fields[-1].streaks is None)
    assert {desk.colour(place) for place in shown[np.abs(shown).min(axis=1) > 0.05][:20]} == {DARK.figure}


def test_without_particles_a_run_that_rests_asks_for_nothing(desk):
    desk.begin(PLAIN)
    desk.finish()
    desk.settle()
    desk.until(lambda: not desk.run._stale and desk.run._asked is None)
    number = desk.run._number
    for _ in range(5):
        with desk.expect(desk.run._timer.timeout):
            pass
    assert desk.run._number == number


def test_particles_that_walk_back_begin_at_the_probe(desk):
    desk.begin(PLAIN)
    desk.finish()
    desk.run.set_probe((1.2, 1.4))
    desk.store.set(flow="walk-back", particles=30)
    desk.until(lambda: desk.fields[-1].streaks is not None)
    away = next(field.streaks for field in desk.fields if field.streaks is not None)[:, 1] - (1.2, 1.4)
    assert np.hypot(*away.T).max() < 2.5, "some began elsewhere in the view"
    assert np.ptp(away, axis=0).min() > 0.01, "they do not spread"
