"""What a person does with the window, and what they see then."""

from __future__ import annotations

import itertools
import math
import os
import select

import numpy as np
import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import (
    QAbstractScrollArea,
    QApplication,
    QCheckBox,
    QComboBox,
    QLabel,
    QPushButton,
    QWidget,
)

import aeviz
from aeviz.core.corruption import shown_noisy
from aeviz.core.field import Grid
from aeviz.core.manifolds import clean_data
from aeviz.core.metrics import Quality
from aeviz.core.presets import preset
from aeviz.core.settings import Settings
from aeviz.figure.theme import DARK, LIGHT, theme_of

QUICK = Settings(points=40, hidden=(8,), code=8, batch=40, epochs=100, grid=(12, 10))
ENDLESS = QUICK.replace(epochs=1_000_000)
# Without heat map, arrows and outline, a point's pixel has the point's colour.
POINTS = ENDLESS.replace(layer="none", arrows="none", midline=False, show_data=False, show_noisy=True)


def says(widget: QWidget, text: str) -> bool:
    """Whether a visible label in a widget says something."""
    return any(text in label.text() and label.isVisible() for label in widget.findChildren(QLabel))


# From nothing to a trained field


def test_it_opens_with_the_points_and_trains_by_itself(new_window, desk_at):
    window = new_window(Settings(theme="dark"))
    desk = desk_at(window)
    for point in desk.in_view(clean_data(Settings()))[::10]:
        assert desk.colour(point) == DARK.data, "the data is not there at once"
    assert "starting" in window.statusBar().findChild(QLabel).text()
    assert says(window.timeline, "starting")
    desk.until(lambda: len(desk.frames) > 5 and desk.frames[-1].epoch > 150)
    assert says(window.timeline, "live")
    assert not says(window.timeline, "starting")
    first, last = desk.fields[0], desk.fields[-1]
    assert first.grid == last.grid == Grid.home(Settings())
    assert np.abs(last.displacement - first.displacement).max() > 0.1
    losses = window.run.losses
    assert losses[-20:].mean() < 0.7 * losses[:5].mean()
    assert [*np.diff([frame.epoch for frame in desk.frames])] == sorted(
        np.diff([frame.epoch for frame in desk.frames]), key=lambda gap: gap < 0
    ), "an epoch came back"

    worker = os.pidfd_open(window.run.pids["trainer"])
    window.close()
    try:
        assert select.select([worker], [], [], 2.0)[0], "the worker outlives the window"
    finally:
        os.close(worker)
    count = len(desk.frames)
    window.run.step()
    window.run.reset()
    window.run.drive(playing=True)
    window.run.refresh()
    QApplication.processEvents()
    assert len(desk.frames) == count


def test_how_good_the_network_is_is_said_as_a_run_without_a_window_says_it(desk):
    settings = QUICK.replace(threshold=1.5)
    desk.begin(settings)
    desk.finish()
    with aeviz.train(settings) as run:
        best = run.metrics()
    status, curve = desk.window.status, desk.window.timeline.curve
    desk.until(lambda: desk.run.quality.excess_risk == best.excess_risk)
    assert desk.run.quality == Quality(best.bayes_floor, best.excess_risk, best.midline_iou)
    assert f"above the optimum {100 * best.excess_risk:.1f} %" in status.quality.text()
    assert f"midline agreement {best.midline_iou:.2f}" in status.quality.text()
    assert curve._floor_line.isVisible()
    assert 10.0 ** curve._floor_line.value() == pytest.approx(best.bayes_floor, rel=1e-9)
    assert curve.getPlotItem().getViewBox().viewRange()[1][0] < curve._floor_line.value()  # in view
    desk.store.set(noise=0.4)  # at rest: the floor moves with σ at once
    desk.until(lambda: desk.run.quality.bayes_floor > 1.5 * best.bayes_floor)
    assert 10.0 ** curve._floor_line.value() == pytest.approx(desk.run.quality.bayes_floor, rel=1e-9)
    desk.store.set(noise=0.0)  # no exact reference, and no number that would be wrong
    desk.until(lambda: desk.run.quality == Quality())
    assert status.quality.text() == ""
    assert not curve._floor_line.isVisible()


def test_the_status_bar_says_how_it_goes(desk):
    desk.begin()
    desk.finish()
    desk.settle()
    text = " ".join(label.text() for label in desk.window.statusBar().findChildren(QLabel))
    assert f"epoch 100   loss {desk.run.losses[-1]:.4f}" in text
    assert "steps/s" in text
    assert "frames/s" in text
    assert "seed 0" in text


def test_the_place_under_the_cursor_is_told_exactly(desk):
    desk.begin()
    desk.finish()
    box = desk.figure.box
    column, row = 7, 4
    place = desk.fields[-1].grid.x[column], desk.fields[-1].grid.y[row]
    from PyQt6.QtCore import QPointF

    pixel = desk.window.view.mapFromScene(box.mapToScene(box.mapFromView(QPointF(*place))))
    QTest.mouseMove(desk.window.view.viewport(), pixel)
    desk.until(lambda: desk.frames[-1].place is not None)
    x, y = desk.frames[-1].place
    assert (x, y) == pytest.approx(place, abs=0.02)  # a pixel
    move = desk.frames[-1].cursor
    np.testing.assert_allclose(move[:2], desk.fields[-1].displacement[row, column], atol=0.1)
    for text in (
        f"({x:.3f}, {y:.3f})",
        f"({x + move[0]:.3f}, {y + move[1]:.3f})",
        f"{math.hypot(*move[:2]):.3f}",
    ):
        text = text.replace("-", "−")
        assert says(desk.window.inspector, text)
        assert says(desk.window.statusBar(), text)


# Noise


def test_the_noise_slider_acts_while_it_is_dragged(desk, drag):
    desk.begin(POINTS)
    desk.until(lambda: desk.run.epoch > 20)
    slider, run = desk.window.controls.editor("noise"), desk.frames[-1].run
    values = []

    def at_once() -> None:
        values.append(desk.store.settings.noise)
        noisy = desk.in_view(shown_noisy(desk.store.settings, desk.run.data))
        assert {desk.colour(point) for point in noisy[:6]} == {DARK.noisy}

    drag(slider, 130, seen=at_once, release=False)
    assert len({*values}) == 5
    assert values[-1] == 0.65
    epoch = desk.run.epoch
    desk.until(lambda: desk.frames[-1].settings.noise == 0.65 and desk.run.epoch > epoch)
    np.testing.assert_array_equal(desk.fields[-1].noisy, shown_noisy(desk.store.settings, desk.run.data))
    QTest.mouseRelease(slider, Qt.MouseButton.LeftButton)
    desk.settle()
    assert {frame.run for frame in desk.frames} == {run}, "the run was started again"
    assert desk.store.settings.noise == 0.65
    assert len(desk.run.losses) == desk.run.epoch


def test_the_noise_slider_obeys_keys(desk):
    slider = desk.window.controls.editor("noise")
    QTest.keyClick(slider, Qt.Key.Key_Right)
    assert desk.store.settings.noise == 0.26
    QTest.keyClick(slider, Qt.Key.Key_Home)
    assert desk.store.settings.noise == 0.0
    QTest.keyClick(slider, Qt.Key.Key_End)
    assert desk.store.settings.noise == 1.0


# Time


def test_looking_back_shows_the_past_while_training_goes_on(desk, drag):
    settings = ENDLESS.replace(epochs=2_000)
    desk.begin(settings, speed=120.0)
    slider = desk.window.timeline.slider
    desk.until(lambda: desk.run.epoch > 60)
    live = {frame.epoch: field for frame, field in zip(desk.frames, desk.fields, strict=True)}
    drag(slider, 30, release=False)
    asked = slider.value()
    assert asked == pytest.approx(30, abs=8)  # epochs a pixel
    desk.until(lambda: desk.frames[-1].epoch == asked)
    epoch = desk.run.epoch
    desk.until(lambda: desk.run.epoch > epoch + 20)
    assert slider.value() == asked, "the slider moved in the hand"
    assert {frame.epoch for frame in desk.frames[-3:]} == {asked}
    assert says(desk.window.timeline, "past")
    assert says(desk.window.statusBar(), f"epoch {asked}   loss {desk.run.losses[asked - 1]:.4f}")
    past = live[min(live, key=lambda epoch: abs(epoch - asked))]
    desk.run.look_at(past.epoch)
    desk.until(lambda: desk.frames[-1].epoch == past.epoch)
    assert desk.fields[-1].displacement.tobytes() == past.displacement.tobytes()

    drag(slider, slider.maximum())
    assert desk.run.looking_at is None
    desk.until(lambda: desk.frames[-1].epoch == desk.run.epoch > epoch)
    assert says(desk.window.timeline, "live")
    desk.settle()
    assert slider.value() == desk.frames[-1].epoch, "it does not follow again"


def test_the_way_back_to_live(desk):
    desk.begin()
    desk.finish()
    for back in (
        lambda: desk.press(Qt.Key.Key_L),
        lambda: QTest.mouseClick(desk.window.timeline.live, Qt.MouseButton.LeftButton),
        lambda: QTest.keyClick(desk.window.timeline.slider, Qt.Key.Key_End),
    ):
        QTest.keyClick(desk.window.timeline.slider, Qt.Key.Key_Home)
        desk.until(lambda: desk.frames[-1].epoch == 0)
        assert desk.window.timeline.live.isVisible()
        back()
        desk.until(lambda: desk.frames[-1].epoch == 100)
        assert not desk.window.timeline.live.isVisible()


def test_past_noisy_points_are_those_of_their_epoch(desk):
    desk.begin(POINTS.replace(epochs=30))
    desk.finish()
    desk.store.set(noise=0.5, epochs=60)
    desk.finish()
    for epoch, noise in ((20, 0.25), (50, 0.5)):
        desk.run.look_at(epoch)
        desk.until(lambda epoch=epoch: desk.frames[-1].epoch == epoch)
        noisy = desk.in_view(shown_noisy(POINTS.replace(noise=noise), desk.run.data))
        assert {desk.colour(point) for point in noisy[:6]} == {DARK.noisy}
    desk.run.look_at(20)
    desk.until(lambda: desk.frames[-1].epoch == 20)
    desk.store.set(noise=0.9)  # acts on the training, not on the past
    desk.settle()
    assert desk.frames[-1].settings.noise == 0.25
    noisy = desk.in_view(shown_noisy(POINTS, desk.run.data))
    assert {desk.colour(point) for point in noisy[:6]} == {DARK.noisy}


# Transport


def test_space_plays_and_pauses(desk):
    desk.begin(ENDLESS)
    desk.until(lambda: desk.run.epoch > 10)
    desk.press(Qt.Key.Key_Space)
    desk.until(lambda: desk.run.phase == "paused")
    desk.settle()
    assert says(desk.window.timeline, "paused")
    assert desk.window.timeline.play.accessibleName() == "Play"
    epoch = desk.run.epoch
    desk.settle()
    assert desk.run.epoch == epoch
    desk.press(Qt.Key.Key_Space)
    desk.until(lambda: desk.run.epoch > epoch)
    assert desk.window.timeline.play.accessibleName() == "Pause"


@pytest.mark.parametrize("button", [False, True], ids=["key", "button"])
def test_a_step_is_one_epoch(button, desk):
    for epoch in (1, 2, 3):
        if button:
            QTest.mouseClick(desk.window.timeline.step, Qt.MouseButton.LeftButton)
        else:
            desk.press(Qt.Key.Key_S)
        desk.until(lambda epoch=epoch: desk.frames and desk.frames[-1].epoch >= epoch)
        desk.settle()
        assert (desk.run.epoch, desk.run.phase) == (epoch, "paused")


def test_reset_repeats_the_run(desk):
    desk.begin()
    desk.finish()
    before, first = desk.run.losses.copy(), desk.fields[-1]
    run = desk.frames[-1].run
    desk.press(Qt.Key.Key_R)
    desk.until(lambda: desk.frames[-1].run > run)
    desk.finish()
    assert before.tobytes() == desk.run.losses.tobytes()
    assert first.displacement.tobytes() == desk.fields[-1].displacement.tobytes()


def test_a_new_seed_begins_another_run(desk, monkeypatch):
    monkeypatch.setattr("random.randrange", lambda stop: 42)
    desk.begin(POINTS.replace(jitter=0.1, epochs=100))
    desk.finish()
    before, data = desk.run.losses.copy(), desk.run.data
    desk.press(Qt.Key.Key_N)
    assert desk.store.settings.seed == 42
    assert not np.array_equal(desk.run.data, data)
    assert len(desk.run.losses) == 0
    noisy = desk.in_view(shown_noisy(desk.store.settings, desk.run.data))
    assert {desk.colour(point) for point in noisy[:6]} == {DARK.noisy}, "the old points are still shown"
    desk.finish()
    assert not np.array_equal(desk.run.losses, before)


def test_unlimited_speed_and_back(desk):
    box = desk.window.timeline.speed
    desk.begin(speed=30.0, playing=False)
    assert box.currentText() == "30 epochs/s"
    desk.press(Qt.Key.Key_U)
    assert (desk.run.speed, box.currentText()) == (math.inf, "unlimited")
    desk.press(Qt.Key.Key_U)
    assert (desk.run.speed, box.currentText()) == (30.0, "30 epochs/s")
    box.setCurrentIndex(box.findText("5 epochs/s"))
    assert desk.run.speed == 5.0


def test_the_target_can_be_typed_while_training_goes_on(desk):
    desk.begin(ENDLESS)
    target = desk.window.timeline.target
    target.setFocus()
    target.selectAll()
    for key in "3000":
        QTest.keyClicks(target, key)
        desk.settle()
    assert target.text() == "3000", "the frames write into what is typed"
    QTest.keyClick(target, Qt.Key.Key_Return)
    assert desk.store.settings.epochs == 3_000
    target.selectAll()
    QTest.keyClicks(target, "many")
    QTest.keyClick(target, Qt.Key.Key_Return)
    assert target.text() == "3000"
    assert "--epochs cannot be 'many'" in desk.window.statusBar().currentMessage()


@pytest.mark.parametrize("again", ["key", "button", "target"])
def test_at_the_target_it_is_finished_and_can_be_sent_further(again, desk):
    desk.begin()
    desk.finish()
    desk.settle()
    assert says(desk.window.timeline, "finished")
    assert desk.run.epoch == 100
    if again == "key":
        desk.press(Qt.Key.Key_Space)
    elif again == "button":
        QTest.mouseClick(desk.window.timeline.play, Qt.MouseButton.LeftButton)
    else:
        target = desk.window.timeline.target
        target.setFocus()
        target.selectAll()
        QTest.keyClicks(target, "200")
        QTest.keyClick(target, Qt.Key.Key_Return)
    assert desk.store.settings.epochs == 200
    desk.finish()
    assert len(desk.run.losses) == 200
    assert np.isfinite(desk.run.losses).all()


# Settings


def test_a_rebuild_starts_a_run_and_a_view_setting_does_not(desk):
    desk.begin()
    desk.finish()
    run = desk.frames[-1].run
    desk.store.set(layer="ambiguity", arrows="both", show_noisy=True, threshold=3.0, grid=(14, 11))
    desk.until(lambda: desk.fields[-1].grid.shape == (11, 14))
    assert desk.frames[-1].run == run
    assert desk.run.epoch == 100
    desk.store.set(activation="relu")
    desk.until(lambda: desk.frames[-1].run > run)
    desk.finish()


def test_a_preset_sets_everything(desk):
    box = next(
        box for box in desk.window.toolbar.findChildren(QComboBox) if box.accessibleName() == "Presets"
    )
    index = box.findData("lecture-2021")
    assert index > 0
    box.setCurrentIndex(index)
    box.activated.emit(index)  # what a click emits
    assert desk.store.settings == preset("lecture-2021")
    assert box.currentIndex() == 0
    desk.until(lambda: desk.fields and desk.fields[-1].grid == Grid.home(preset("lecture-2021")))


def test_zoom_asks_for_what_is_in_view(desk):
    desk.figure.box.scaleBy((0.5, 0.5))
    desk.until(lambda: desk.frames and desk.fields[-1].grid == desk.figure.grid_in_view())
    cell, home = desk.fields[-1].grid.cell, Grid.home(QUICK).cell
    assert cell == pytest.approx((0.5 * home[0], 0.5 * home[1]))
    desk.press(Qt.Key.Key_H)
    desk.until(lambda: desk.fields[-1].grid == Grid.home(QUICK))


def test_themes_reach_window_and_figure(desk):
    for name in ("light", "lecture", "system", "dark"):
        desk.store.set(theme=name)
        theme = theme_of(name)
        image = desk.window.grab().toImage()
        # The panel's own corner and the figure's, which no control covers.
        assert image.pixelColor(image.width() // 2, image.height() - 3).name() in (theme.panel, theme.window)
        corner = desk.window.view.mapTo(desk.window, desk.window.view.rect().bottomLeft())
        assert image.pixelColor(corner.x() + 3, corner.y() - 3).name() == theme.figure


def test_the_theme_follows_the_desktop_when_asked(desk, qapp, monkeypatch):
    hints = qapp.styleHints()
    desk.store.set(theme="system")
    for scheme, theme in ((Qt.ColorScheme.Light, LIGHT), (Qt.ColorScheme.Dark, DARK)):
        monkeypatch.setattr(
            "aeviz.figure.theme.QGuiApplication.styleHints", lambda scheme=scheme: Hints(scheme)
        )
        hints.colorSchemeChanged.emit(scheme)
        desk.settle(1)
        corner = desk.window.view.grab().toImage().pixelColor(3, 3).name()
        assert corner == theme.figure


class Hints:
    """A desktop of one colour scheme."""

    def __init__(self, scheme: Qt.ColorScheme) -> None:
        self._scheme = scheme

    def colorScheme(self) -> Qt.ColorScheme:
        return self._scheme


@pytest.mark.parametrize("key", [Qt.Key.Key_M, Qt.Key.Key_A, Qt.Key.Key_T, Qt.Key.Key_I])
def test_keys_walk_through_the_looks_and_come_back(key, desk):
    seen = [desk.store.settings]
    while len(seen) == 1 or seen[-1] != seen[0]:
        desk.press(key)
        assert desk.store.settings not in seen[1:]
        seen.append(desk.store.settings)
    assert 2 <= len(seen) - 1 <= 4


def test_toolbar_and_panel_show_the_same(desk):
    toolbar, controls = desk.window.toolbar, desk.window.controls
    switch = next(box for box in toolbar.findChildren(QCheckBox) if "Noisy" in box.text())
    switch.click()
    assert desk.store.settings.show_noisy
    assert controls.editor("show_noisy").isChecked()
    controls.editor("show_noisy").click()
    assert not switch.isChecked()
    button = next(button for button in toolbar.findChildren(QPushButton) if button.text() == "Ambiguity")
    button.click()
    assert desk.store.settings.layer == controls.editor("layer").currentText() == "ambiguity"


def test_after_a_click_on_a_button_space_still_plays(desk):
    button = next(
        button for button in desk.window.toolbar.findChildren(QPushButton) if button.text() == "Samples"
    )
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert desk.store.settings.arrows == "samples"
    desk.press(Qt.Key.Key_Space, desk.window.focusWidget())
    assert desk.run.playing


def test_space_presses_what_has_the_focus_if_that_can_be_pressed(desk):
    box = desk.window.controls.editor("mirror")
    box.setFocus()
    before = box.isChecked()
    desk.press(Qt.Key.Key_Space, box)
    assert box.isChecked() != before, "a check box cannot be reached by keyboard"


def test_letters_typed_into_a_field_are_no_shortcuts(desk):
    editor = desk.window.controls.editor("hidden")
    editor.setFocus()
    QTest.keyClicks(editor, "srnuhmail ")
    assert editor.text().endswith("srnuhmail ")
    assert desk.store.settings == QUICK
    assert not desk.run.playing
    editor.show_value(QUICK.hidden)


# Space


@pytest.mark.parametrize(("width", "height"), [(760, 520), (1_000, 600), (1_440, 900)])
def test_everything_is_inside_the_window(width, height, desk):
    desk.window.resize(width, height)
    desk.settle()
    assert (desk.window.width(), desk.window.height()) == (width, height)
    inside = desk.window.rect()
    scrolled = [area.viewport() for area in desk.window.findChildren(QAbstractScrollArea)]
    parts = [
        part for part in desk.window.findChildren(QWidget)
        if part.isVisible() and part.window() is desk.window
        and not any(area.isAncestorOf(part) for area in scrolled)
    ]  # fmt: skip
    assert len(parts) > 25
    for part in parts:
        place = part.rect().translated(part.mapTo(desk.window, part.rect().topLeft()))
        assert inside.contains(place), f"{part} {part.accessibleName()} is outside: {place}"
        smallest = part.minimumSizeHint()
        if isinstance(part, QPushButton | QCheckBox | QComboBox | QLabel):
            assert part.width() >= smallest.width(), f"{part} {part.accessibleName()} is cut off"
    together = [desk.window.toolbar, desk.window.view, desk.window.timeline, desk.window.controls]
    for one, other in itertools.combinations(together, 2):
        rects = [
            part.rect().translated(part.mapTo(desk.window, part.rect().topLeft())) for part in (one, other)
        ]
        assert not rects[0].intersects(rects[1]), (one, other)
    field = desk.figure.box.geometry()
    assert desk.window.view.rect().toRectF().contains(field)
    assert field.height() > 0.25 * height


def test_everything_that_can_be_used_has_a_name(desk):
    for part in desk.window.findChildren(QWidget):
        if part.focusPolicy() & Qt.FocusPolicy.TabFocus and part.isVisible():
            named = part.accessibleName() or getattr(part, "text", str)()
            area = part if isinstance(part, QAbstractScrollArea) else part.parent()  # or the inside of one
            assert named or isinstance(area, QAbstractScrollArea), f"{part} has no name for a screen reader"


@pytest.mark.qt_log_ignore("propagateSizeHints", extend=True)  # the offscreen platform has no such thing
def test_help_and_about_open_and_close(desk):
    from PyQt6.QtWidgets import QDialog, QPlainTextEdit, QTextBrowser

    desk.press(Qt.Key.Key_F1)
    (help_,) = desk.window.findChildren(QDialog)
    text = help_.findChild(QTextBrowser).toPlainText()
    for key in ("Space", "Ctrl+E", "F1"):
        assert key in text
    help_.close()
    about = next(action for action in desk.window.findChildren(type(desk.window.menuBar().actions()[0]))
                 if action.text() == "&About aeviz")  # fmt: skip
    about.trigger()
    page = next(page for page in desk.window.findChildren(QPlainTextEdit) if page.isVisible())
    import importlib.metadata

    assert f"torch {importlib.metadata.version('torch')}" in page.toPlainText()
    page.window().close()
