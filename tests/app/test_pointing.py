"""A place of the plane under the mouse: its exact numbers, who votes for it; probes and clouds."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import QLabel

from aeviz.core.clean_data import clean_data
from aeviz.core.corruption import cloud_noisy
from aeviz.core.marks import CLOUD
from aeviz.core.settings import Settings
from aeviz.core.truth import Denoiser
from aeviz.figure.marks import PROBE
from aeviz.figure.theme import DARK

QUICK = Settings(points=40, hidden=(8,), code=8, batch=40, epochs=100, grid=(12, 10))
# Without heat map, arrows, outline and points, what is drawn is the marks.
PLAIN = QUICK.replace(layer="none", arrows="none", midline=False, show_data=False)
BETWEEN_ARMS = (0.21, 1.24)  # the inner arm passes below, a seventh along the spiral, the outer one above
RIGHT = Qt.MouseButton.RightButton


def told(desk) -> dict[str, str]:
    """The numbers in the right panel, by their titles."""
    labels = desk.window.inspector.findChildren(QLabel)
    return {label.accessibleName(): label.text() for label in labels if label.accessibleName()}


def pair(place) -> str:
    return "({:.3f}, {:.3f})".format(*place).replace("-", "−")


def hover(desk, place):
    """Move the mouse there, and wait for the frame that tells of it."""
    desk.hover(place)
    near = pytest.approx(place, abs=2 * desk.pixel)
    desk.until(lambda: desk.frames and (here := desk.frames[-1].marks.cursor) and here.place == near)
    return desk.frames[-1].marks.cursor


# Numbers


def test_the_place_under_the_cursor_is_told_exactly(desk):
    desk.begin()
    desk.finish()
    field, column, row = desk.fields[-1], 7, 4
    cursor = hover(desk, (field.grid.x[column], field.grid.y[row]))
    moved = np.subtract(cursor.reconstruction, cursor.place)
    np.testing.assert_allclose(moved, field.displacement[row, column], atol=0.1)  # two pixels away at most
    texts = [pair(cursor.place), pair(cursor.reconstruction), f"{np.hypot(*moved):.3f}"]
    assert [told(desk)[title] for title in ("noisy ŷ", "reconstruction ỹ", "moves by")] == texts
    for text in texts:
        assert desk.says(desk.window.inspector, text)
        assert not desk.says(desk.window.statusBar(), text), "it is told twice"


def test_where_there_is_no_room_for_the_right_panel_the_status_bar_tells_the_place(desk):
    desk.window.resize(900, 600)
    desk.settle()
    cursor = hover(desk, BETWEEN_ARMS)
    assert not desk.window.inspector.isVisible()
    for text in (
        f"ŷ {pair(cursor.place)}", f"ỹ {pair(cursor.reconstruction)}", f"moves by {cursor.magnitude:.3f}",
        f"a {cursor.ambiguity:.2f}",
    ):  # fmt: skip
        assert desk.says(desk.window.statusBar(), text.replace("-", "−"))
    desk.hover(None)
    desk.until(lambda: not desk.says(desk.window.statusBar(), "ŷ"))


@pytest.mark.parametrize(
    "change",
    [
        {}, {"noise": 0.6}, {"noise_kind": "uniform", "noise": 0.5}, {"noise_kind": "rare"},
        {"target": "nearest"},
    ],
    ids=lambda change: "-".join(map(str, change.values())) or "default",
)  # fmt: skip
def test_the_exact_numbers_are_those_of_the_exact_denoiser(change, desk):
    desk.begin(QUICK.replace(**change))
    desk.finish()
    cursor = hover(desk, BETWEEN_ARMS)
    settings, data = desk.frames[-1].settings, clean_data(QUICK)
    assert change.items() <= settings.to_json().items()
    x = np.array([cursor.place])
    best = Denoiser(data.points, settings.noise, settings.noise_kind, settings.target).at(x)
    exact = cursor.exact
    np.testing.assert_allclose(exact.reconstruction, best.mean[0], rtol=0, atol=1e-12)
    np.testing.assert_allclose(exact.covariance, best.covariance[0], rtol=0, atol=1e-12)
    assert exact.log_density == pytest.approx(best.log_density[0], abs=1e-12)
    off = np.hypot(*np.subtract(cursor.reconstruction, best.mean[0]))
    assert {
        "exact r*": pair(best.mean[0]), "off the exact": f"{off:.3f}",
        "density log p": f"{best.log_density[0]:.2f}".replace("-", "−"),
    }.items() <= told(desk).items()  # fmt: skip
    if best.ambiguity is None:
        assert exact.ambiguity is None
        assert "exact" not in told(desk)["ambiguity a"]
    else:
        assert f" · exact {best.ambiguity[0]:.2f}".replace("-", "−") in told(desk)["ambiguity a"]


def test_where_no_clean_point_can_have_come_from_there_are_no_exact_numbers(desk):
    desk.begin(QUICK.replace(noise_kind="uniform", noise=0.1))
    cursor = hover(desk, BETWEEN_ARMS)
    assert cursor.exact is None
    numbers = told(desk)
    assert {numbers[name] for name in ("exact r*", "off the exact", "density log p")} == {"—"}
    assert numbers["reconstruction ỹ"] == pair(cursor.reconstruction)
    assert desk.window.inspector.votes.accessibleDescription() == ""


def test_when_the_mouse_leaves_the_numbers_go(desk):
    hover(desk, BETWEEN_ARMS)
    desk.hover(None)
    desk.until(lambda: desk.frames[-1].marks.cursor is None)
    assert {*told(desk).values()} == {"—"}


# Votes


def shares(desk) -> list[tuple[int, float]]:
    """What the plot of the votes says of itself: per cent, and where along the data, from 0 to 1."""
    text = desk.window.inspector.votes.accessibleDescription()
    return [(int(part), float(where)) for part, where in re.findall(r"(\d+) % at ([\d.]+)", text)]


def test_the_votes_are_told_arm_by_arm(desk):
    desk.begin(QUICK.replace(points=80))
    cursor = hover(desk, BETWEEN_ARMS)
    data, along = desk.run.data.points, desk.run.data.positions
    weights = np.exp(-np.square(np.subtract(cursor.place, data)).sum(axis=1) / (2 * 0.25**2))
    weights /= weights.sum()
    inner, outer = weights[along < 0.48].sum(), weights[along > 0.48].sum()
    assert min(inner, outer) > 0.2, "there is nothing to be decided at this place"
    found = sorted(shares(desk), key=lambda share: share[1])
    assert [percent for percent, _ in found] == pytest.approx([100 * inner, 100 * outer], abs=1.5)
    for (_, where), arm in zip(found, (along < 0.48, along > 0.48), strict=True):
        heaviest = along[arm][weights[arm].argmax()]
        assert where == pytest.approx(heaviest, abs=0.07)


def test_the_plot_stands_where_the_voters_are(desk):
    desk.begin(QUICK.replace(points=80))
    plot = desk.window.inspector.votes

    def columns() -> np.ndarray:
        """Fractions of the width at which there is something yellow."""
        image = plot.grab().toImage()
        wide, high = image.width(), image.height()
        yellow = [
            any(abs(QColor(image.pixel(x, y)).hue() - QColor(DARK.vote).hue()) < 6
                and QColor(image.pixel(x, y)).saturation() > 100 for y in range(20, high - 18))
            for x in range(wide)
        ]  # fmt: skip
        return np.flatnonzero(yellow) / wide

    assert not len(columns())
    for index in (8, 60):
        hover(desk, desk.run.data.points[index])
        (_, where), *_ = shares(desk)
        assert where == pytest.approx(index / 79, abs=0.03)
        assert columns().mean() == pytest.approx(where, abs=0.05)
        assert np.ptp(columns()) < 0.4, "another part of the curve seems to vote as well"


def test_votes_can_be_switched_off(desk):
    desk.begin(PLAIN.replace(votes=False))
    hover(desk, BETWEEN_ARMS)
    desk.settle()
    voters = desk.in_view(desk.run.data.points[desk.frames[-1].marks.cursor.exact.voters])
    drawn = voters[np.abs(voters).min(axis=1) > 0.05]  # away from the lines through the origin
    assert {desk.colour(point) for point in drawn} == {DARK.figure}


def test_voters_glow_in_the_field(desk):
    desk.begin(PLAIN)
    exact = hover(desk, BETWEEN_ARMS).exact
    strongest = desk.run.data.points[exact.voters[exact.votes.argmax()]]
    assert QColor(desk.colour(strongest)).hue() == pytest.approx(QColor(DARK.vote).hue(), abs=4)


# A probe


def test_a_click_drops_a_probe_whose_path_starts_there(desk):
    desk.begin(PLAIN)
    desk.finish()
    before = desk.figure.box.viewRange()
    desk.click(BETWEEN_ARMS)
    desk.hover(None)
    desk.until(lambda: desk.frames[-1].marks.path is not None)
    path = desk.frames[-1].marks.path
    assert path[0] == pytest.approx(BETWEEN_ARMS, abs=2 * desk.pixel)
    assert len(path) > 2
    ring = {desk.colour(path[0] + np.multiply(side, (PROBE + part) * desk.pixel))
            for side in ((1, 0), (-1, 0), (0, 1), (0, -1)) for part in (-0.7, 0.0, 0.7)}  # fmt: skip
    assert DARK.probe in ring
    assert desk.figure.box.viewRange() == before


def test_each_step_of_the_path_is_a_reconstruction_of_the_step_before(desk):
    desk.begin()
    desk.finish()
    field, column, row = desk.fields[-1], 5, 6
    place = field.grid.x[column], field.grid.y[row]
    desk.run.set_probe(place)
    desk.until(lambda: desk.frames[-1].marks.path is not None)
    path = desk.frames[-1].marks.path
    np.testing.assert_allclose(path[1] - path[0], field.displacement[row, column], rtol=0, atol=1e-6)
    for step, after in itertools.pairwise(path[1:5]):
        desk.run.set_probe(tuple(step))
        desk.until(lambda step=step: tuple(desk.frames[-1].marks.path[0]) == tuple(step))
        np.testing.assert_allclose(desk.frames[-1].marks.path[1], after, rtol=0, atol=1e-6)
    assert np.hypot(*(path[-1] - path[-2])) < 0.01, "it does not come to rest"


def test_the_path_follows_the_network_while_it_learns(desk):
    desk.begin(QUICK.replace(epochs=400), playing=False)
    desk.run.set_probe(BETWEEN_ARMS)
    desk.until(lambda: desk.frames and desk.frames[-1].marks.path is not None)
    first = desk.frames[-1].marks.path
    desk.run.drive(playing=True)
    desk.finish()
    last = desk.frames[-1].marks.path
    assert tuple(last[0]) == tuple(first[0]) == BETWEEN_ARMS
    assert np.hypot(*(last[1] - first[1])) > 0.05
    desk.run.look_at(0)
    desk.until(lambda: desk.frames[-1].epoch == 0)
    np.testing.assert_array_equal(desk.frames[-1].marks.path, first)


def test_the_probe_is_dragged_and_the_view_stays(desk):
    desk.begin()
    desk.click((0.5, 0.5))
    desk.until(lambda: desk.frames and desk.frames[-1].marks.path is not None)
    before = desk.figure.box.viewRange()
    desk.drag(desk.at((0.5, 0.5)), desk.at((-0.9, 0.9)))
    desk.until(lambda: desk.frames[-1].marks.path[0] == pytest.approx((-0.9, 0.9), abs=2 * desk.pixel))
    assert desk.figure.box.viewRange() == before


def test_a_drag_elsewhere_pans_and_leaves_the_probe_at_its_place(desk):
    desk.begin()
    desk.click((0.5, 0.5))
    desk.until(lambda: desk.frames and desk.frames[-1].marks.path is not None)
    probe, (before, _) = desk.run.probe, desk.figure.box.viewRange()
    desk.drag(desk.at((-0.9, 0.9)), desk.at((-0.9, 0.9)) + QPoint(60, 30))
    assert before[0] - desk.figure.box.viewRange()[0][0] == pytest.approx(60 * desk.pixel, abs=2 * desk.pixel)
    desk.settle()
    assert tuple(desk.frames[-1].marks.path[0]) == desk.run.probe == probe


# A cloud


def test_a_right_click_drops_a_cloud_of_the_noise(desk):
    desk.begin(QUICK.replace(noise=0.4))
    desk.finish()
    desk.click(BETWEEN_ARMS, RIGHT)
    desk.until(lambda: desk.frames[-1].marks.cloud is not None)
    place, marks = desk.run.cloud, desk.frames[-1].marks
    assert place == pytest.approx(BETWEEN_ARMS, abs=2 * desk.pixel)
    np.testing.assert_array_equal(marks.cloud, cloud_noisy(desk.store.settings, desk.run.data, place, CLOUD))
    assert marks.cloud.std(axis=0) == pytest.approx([0.4, 0.4], abs=0.08)  # four standard errors of 200
    desk.run.set_probe(tuple(marks.cloud[17]))
    desk.until(lambda: desk.frames[-1].marks.path is not None)
    np.testing.assert_allclose(
        desk.frames[-1].marks.path[1], marks.cloud_reconstruction[17], rtol=0, atol=1e-6
    )
    desk.store.set(noise=0.8)  # each point moves along its ray
    desk.until(lambda: desk.frames[-1].settings.noise == 0.8)
    np.testing.assert_allclose(
        desk.frames[-1].marks.cloud - place, 2.0 * (marks.cloud - place), rtol=0, atol=1e-12
    )


# Keys


@pytest.mark.parametrize(("key", "what"), [(Qt.Key.Key_P, "probe"), (Qt.Key.Key_C, "cloud")])
def test_keys_drop_them_where_the_cursor_is_or_in_the_middle(key, what, desk):
    desk.begin(playing=False)
    (x0, x1), (y0, y1) = desk.figure.box.viewRange()
    desk.press(key)
    assert getattr(desk.run, what) == pytest.approx((0.5 * (x0 + x1), 0.5 * (y0 + y1)))
    hover(desk, BETWEEN_ARMS)
    count = len(desk.frames)
    desk.press(key)
    assert getattr(desk.run, what) == pytest.approx(BETWEEN_ARMS, abs=2 * desk.pixel)
    marked = {"probe": "path"}.get(what, what)
    desk.until(lambda: any(getattr(each.marks, marked) is not None for each in desk.frames[count:]))


def test_escape_takes_probe_and_cloud_away(desk):
    desk.begin(PLAIN)
    desk.finish()
    desk.click((0.5, 0.5))
    desk.click(BETWEEN_ARMS, RIGHT)
    desk.hover(None)
    desk.until(lambda: desk.frames[-1].marks.cloud is not None and desk.frames[-1].marks.path is not None)
    end = desk.frames[-1].marks.cloud_reconstruction
    drawn = desk.in_view(end)[:20]
    assert DARK.reconstruction in {desk.colour(place) for place in drawn}
    desk.press(Qt.Key.Key_Escape)
    assert (desk.run.probe, desk.run.cloud) == (None, None)
    desk.until(lambda: desk.frames[-1].marks.cloud is None and desk.frames[-1].marks.path is None)
    away = drawn[np.abs(drawn).min(axis=1) > 3 * desk.pixel]  # from the lines through the origin
    assert {desk.colour(place) for place in away} == {DARK.figure}


def test_a_double_click_goes_home_and_leaves_no_probe(desk):
    desk.figure.box.scaleBy((0.4, 0.4))
    (x0, x1), (y0, y1) = desk.figure.box.viewRange()
    desk.double_click((0.5 * (x0 + x1), 0.5 * (y0 + y1)))
    desk.settle()
    assert desk.figure.grid_in_view() == desk.fields[-1].grid
    (a0, a1), _ = desk.figure.box.viewRange()
    assert a1 - a0 == pytest.approx(2.5 * (x1 - x0), rel=0.01)
    assert desk.run.probe is None
    assert desk.frames[-1].marks.path is None


def test_a_double_click_puts_back_the_probe_that_was_there(desk):
    desk.begin(playing=False)
    desk.run.set_probe((0.5, 0.5))
    desk.until(lambda: desk.frames and desk.frames[-1].marks.path is not None)
    desk.double_click((-0.9, 0.9))
    desk.settle()
    assert desk.run.probe == tuple(desk.frames[-1].marks.path[0]) == (0.5, 0.5)
