"""What the window tells of the network besides its field: the loss in parts, codes, errors over the noise."""

from __future__ import annotations

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QLabel

import aeviz
from aeviz.core.settings import Settings
from aeviz.figure.theme import DARK

QUICK = Settings(points=40, hidden=(8,), code=8, batch=40, epochs=100, grid=(12, 10))
# Without heat map, arrows and outline, what is drawn is points and marks.
PLAIN = QUICK.replace(layer="none", arrows="none", midline=False, votes=False)
PARTED = QUICK.replace(regulariser="l2", strength=0.5)
LIT = 8.0  # px, radius of the ring round a clean point


# The loss in parts


def test_loss_and_regulariser_are_those_of_a_run_without_a_window(desk, in_kept_processes):
    desk.begin(PARTED)
    desk.finish()
    with aeviz.train(PARTED) as run:
        losses, regularisers = run.loss, run.regulariser
    np.testing.assert_array_equal(desk.run.losses[:, 0].astype(float), losses)
    np.testing.assert_array_equal(desk.run.losses[:, 1].astype(float), regularisers)
    assert regularisers.min() > 0.0
    assert (regularisers < losses).all()


def test_the_status_bar_tells_cost_and_regulariser_apart(desk):
    desk.begin(PARTED)
    desk.finish()
    desk.settle()
    loss, regulariser = (float(each) for each in desk.run.losses[-1])
    text = f"epoch 100   loss {loss:.4f} = C {loss - regulariser:.4f} + λR {regulariser:.4f}"
    assert desk.says(desk.window.statusBar(), text)
    desk.run.look_at(10)
    desk.until(lambda: desk.frames[-1].epoch == 10)
    loss, regulariser = (float(each) for each in desk.run.losses[9])
    text = f"epoch 10   loss {loss:.4f} = C {loss - regulariser:.4f} + λR {regulariser:.4f}"
    assert desk.says(desk.window.statusBar(), text)
    desk.begin(QUICK)
    desk.finish()
    desk.settle()
    assert desk.says(desk.window.statusBar(), f"epoch 100   loss {desk.run.losses[-1, 0]:.4f}")
    assert not desk.says(desk.window.statusBar(), "λR")


def test_the_cost_is_drawn_beside_the_loss_where_there_is_a_regulariser(desk):
    curve = desk.window.timeline.curve
    desk.begin(PARTED)
    desk.finish()
    desk.settle()
    costs = -np.diff(desk.run.losses.astype(float)).ravel()
    found = curve.drawn_cost.losses
    assert len(found) == 100
    assert found[-1] == pytest.approx(costs[-9:].mean(), rel=1e-5)  # smoothed over nine epochs
    low, high = curve.shown_range[1]
    assert low < np.log10(costs.min())
    assert np.log10(desk.run.losses[:, 0].max()) < high
    desk.begin(QUICK)
    desk.finish()
    desk.settle()
    assert not len(curve.drawn_cost.losses)


def test_the_curve_reads_loss_and_both_parts_under_the_mouse(desk):
    curve = desk.window.timeline.curve
    desk.begin(PARTED)
    desk.finish()
    desk.settle()
    place = curve.position_of(50, 10.0 ** (curve.shown_range[1][0] + 0.1)).toPoint()
    QTest.mouseMove(curve, QPoint(2, 2))
    QTest.mouseMove(curve, place)
    (text,) = [label.text() for label in curve.findChildren(QLabel) if label.isVisible()]
    epoch = int(text.split("·")[0].removeprefix("epoch"))
    assert epoch == pytest.approx(50, abs=1)
    loss, regulariser = (float(each) for each in desk.run.losses[epoch - 1])
    assert text.endswith(f"loss {loss:.5g} = C {loss - regulariser:.5g} + λR {regulariser:.5g}")
    desk.begin(QUICK)
    desk.finish()
    desk.settle()
    QTest.mouseMove(curve, QPoint(2, 2))
    QTest.mouseMove(curve, place)
    (text,) = [label.text() for label in curve.findChildren(QLabel) if label.isVisible()]
    assert "loss" in text
    assert "λR" not in text


# The code


def marks(desk) -> dict[int, QPoint]:
    """Where in the code plot the clean points' marks are told, by index."""
    plot, found = desk.window.inspector.code, {}
    told: list[int | None] = []
    plot.hovered.connect(note := told.append)
    for y in range(2, plot.height(), 5):
        for x in range(2, plot.width(), 5):
            QTest.mouseMove(plot, QPoint(x, y))
            if told and told[-1] is not None:
                found.setdefault(told[-1], QPoint(x, y))
    plot.hovered.disconnect(note)
    return found


def seen(desk, settings: Settings):
    """Begin a run at rest whose codes are plotted, and return the plot when all is told and laid out."""
    desk.begin(settings, playing=False)
    plot = desk.window.inspector.code
    desk.until(lambda: desk.run.code is not None and not desk.run.quality.sketch)
    desk.until(lambda: not desk.window._explaining.isActive())
    desk.window.inspector.ensureWidgetVisible(plot)
    desk.until(lambda: plot.visibleRegion().boundingRect().height() == plot.height())
    return plot


@pytest.mark.parametrize("code", [1, 2, 8])
def test_a_code_under_the_mouse_lights_its_clean_point_on_the_field(code, desk):
    plot = seen(desk, PLAIN.replace(code=code))
    found = marks(desk)
    assert len(found) > 8, "most cannot be pointed at"
    told: list[int | None] = []
    plot.hovered.connect(note := told.append)
    for place in [*found.values()][:: len(found) // 4]:
        QTest.mouseMove(plot, QPoint(1, plot.height() - 1))
        QTest.mouseMove(plot, place)
        point = desk.run.data.points[told[-1]]
        assert desk.ringed(point, LIT, DARK.vote)
        QTest.mouseMove(plot, QPoint(1, plot.height() - 1))
        assert told[-1] is None
        assert not desk.ringed(point, LIT, DARK.vote)
    QTest.mouseMove(plot, place)
    plot.hovered.disconnect(note)
    assert desk.ringed(point, LIT, DARK.vote)
    desk.hover(None)
    assert not desk.ringed(point, LIT, DARK.vote), "it is still lit when the mouse is gone"


@pytest.mark.parametrize("code", [2, 8])
def test_the_code_of_the_place_under_the_cursor_is_shown_in_the_plot(code, desk):
    plot = seen(desk, PLAIN.replace(code=code))
    found = marks(desk)
    desk.hover(None)
    plain = plot.grab().toImage()
    for index in (3, 25):
        desk.hover(desk.run.data.points[index])
        near = pytest.approx(desk.run.data.points[index], abs=2 * desk.pixel)
        desk.until(
            lambda near=near: (
                desk.frames
                and (cursor := desk.frames[-1].marks.cursor)
                and cursor.place == near
                and len(cursor.code)
            )
        )
        image = plot.grab().toImage()
        changed = np.array([
            (x, y) for x in range(image.width()) for y in range(image.height())
            if image.pixel(x, y) != plain.pixel(x, y)
        ])  # fmt: skip
        assert len(changed), "it is not shown"
        middle = changed.mean(axis=0)
        told = min(found, key=lambda k: np.hypot(*(middle - (found[k].x(), found[k].y()))))
        away = np.hypot(*(desk.run.data.points[told] - desk.run.data.points[index]))
        assert away < 0.6, "it is shown at the codes of other places"
    desk.hover(None)
    desk.until(lambda: plot.grab().toImage() == plain)


def test_another_run_has_other_codes_and_what_was_lit_is_dark(desk):
    plot = seen(desk, PLAIN)
    index, place = next(iter(marks(desk).items()))
    QTest.mouseMove(plot, QPoint(1, plot.height() - 1))
    QTest.mouseMove(plot, place)
    old = desk.run.data.points[index]
    assert desk.ringed(old, LIT, DARK.vote)
    desk.store.set(data="line")
    assert desk.run.code is None
    assert not desk.ringed(old, LIT, DARK.vote)
    desk.until(lambda: desk.run.code is not None)
    assert plot.accessibleDescription().startswith("d = 8")


def test_codes_are_those_of_the_epoch_that_is_shown(desk):
    desk.begin(QUICK)
    desk.finish()
    desk.until(lambda: desk.run.code is not None and desk.run.quality.excess_risk is not None)
    desk.settle()
    trained = desk.run.code.places.copy()
    desk.run.look_at(0)
    desk.until(lambda: not np.array_equal(desk.run.code.places, trained))
    desk.run.look_at(None)
    desk.until(lambda: np.array_equal(desk.run.code.places, trained))


# What is measured only where it is shown


def sections(desk) -> dict[str, object]:
    panel = desk.window.inspector
    return {
        "votes": panel.votes, "code_plot": panel.code, "code_histogram": panel.histogram,
        "error_curve": panel.over_noise,
    }  # fmt: skip


@pytest.mark.parametrize("name", ["votes", "code_plot", "code_histogram", "error_curve"])
def test_a_plot_is_there_where_it_is_wanted(name, desk):
    for on in (True, False, True):
        desk.store.set(**{name: on})
        plot = sections(desk)[name]
        assert plot.isVisible() == on
        heading = plot.parent().findChild(QLabel)
        assert heading.isVisible() == on
        others = {other: part.isVisible() for other, part in sections(desk).items() if other != name}
        assert others == {other: getattr(desk.store.settings, other) for other in others}


def test_codes_are_worked_out_where_one_of_their_plots_is_shown(desk):
    judged: list[bool] = []
    desk.run.judged.connect(note := lambda: judged.append(desk.run.code is not None))
    desk.begin(QUICK.replace(code_histogram=True), playing=False)
    for shown, wanted in (
        ({"code_plot": False, "code_histogram": False}, False), ({"code_histogram": True}, True),
        ({"code_plot": True, "code_histogram": False}, True), ({"code_plot": False}, False),
        ({"code_plot": True}, True),
    ):  # fmt: skip
        judged.clear()
        desk.store.set(**shown)  # at rest
        desk.until(lambda wanted=wanted: judged and judged[-1] == wanted)  # one may be under way
    desk.run.judged.disconnect(note)
    assert "d = 8" in desk.window.inspector.histogram.accessibleDescription()


def test_a_run_that_begins_again_at_rest_is_measured_again(desk):
    desk.begin(QUICK.replace(seed=3), playing=False)
    desk.until(lambda: desk.run.code is not None and not desk.run.quality.sketch)
    desk.run.reset()
    assert desk.run.code is None
    desk.settle(5)
    assert desk.run.code is not None
    assert desk.run.quality.bayes_floor is not None


def test_the_error_over_the_noise_is_measured_where_it_is_shown(desk):
    plot = desk.window.inspector.over_noise
    desk.begin(QUICK)
    desk.finish()
    desk.until(lambda: desk.run.quality.excess_risk is not None)
    assert desk.run.over_noise is None
    desk.store.set(error_curve=True)
    desk.until(lambda: desk.run.over_noise is not None)
    curve = desk.run.over_noise
    assert curve.noises[0] == 0.0
    assert curve.untouched[0] == curve.best[0] == 0.0
    assert (np.diff(curve.untouched) > 0.0).all()
    assert curve.learned[-1] < curve.untouched[-1], "the network makes nothing better"
    assert plot.accessibleDescription().startswith("trained at σ 0.25: untouched")
    desk.store.set(test_noise=2.0)
    desk.until(lambda: "tested at σ 0.50" in plot.accessibleDescription())
    desk.until(lambda: desk.run.over_noise is not None and desk.run.over_noise.noises[-1] > curve.noises[-1])
    desk.store.set(error_curve=False)
    desk.until(lambda: desk.run.over_noise is None)
    assert not plot.isVisible()


def test_while_the_run_trains_the_curve_follows(desk):
    desk.begin(QUICK.replace(error_curve=True, epochs=1_000_000), speed=120.0)
    desk.until(lambda: desk.run.over_noise is not None)
    first = desk.run.over_noise.learned
    desk.until(lambda: desk.run.over_noise is not None and desk.run.over_noise.learned is not first)
    assert np.isfinite(desk.run.over_noise.learned).all()


# The decoder's reach


def test_the_decoders_reach_is_drawn_where_it_is_wanted(desk, in_kept_processes):
    desk.begin(PLAIN.replace(code=1, show_data=False))
    desk.finish()
    assert desk.fields[-1].decoded == (), "it is worked out though nobody looks"
    desk.press(Qt.Key.Key_O)
    desk.until(lambda: desk.fields[-1].decoded)
    (line,) = desk.fields[-1].decoded
    shown = desk.in_view(line)
    assert DARK.decoder in {*desk.colours(shown[::4])}
    assert "decoder: Dec(h) over the codes of the data" in desk.texts
    with aeviz.train(desk.store.settings) as run:
        (same,) = run.field().decoded
    np.testing.assert_array_equal(line, same)
    desk.store.set(code=8)
    desk.until(lambda: len(desk.fields[-1].decoded) > 1)
    desk.press(Qt.Key.Key_O)
    desk.until(lambda: desk.fields[-1].decoded == ())
