"""Layers and their comparison: by toolbar, key and left panel, which always agree; and the wipe line."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QPushButton

from aeviz.core.layers import LAYERS
from aeviz.core.settings import SPECS, Settings

QUICK = Settings(points=40, hidden=(8,), code=8, batch=40, epochs=100, grid=(12, 10))
NO_POPUPS = pytest.mark.qt_log_ignore("plugin does not support", extend=True)  # the offscreen platform's
NEXT = {"layer": Qt.Key.Key_M, "beside": Qt.Key.Key_B, "compare": Qt.Key.Key_V}
SEGMENTS = {"off": "One", "split": "Split", "wipe": "Wipe"}


def symbols(desk) -> list[str]:
    """What the colour bars that can be seen are of, in the figure itself."""
    return [panel.bar._title for panel in desk.figure.panels if panel.bar.isVisible()]


def assert_all_agree(desk) -> None:
    """Whether store, toolbar, left panel and figure show the same, once all of it is worked out."""
    desk.until(lambda: not any(panel.missing for panel in desk.figure.panels[: len(desk.figure.boxes)]))
    settings, toolbar, controls = desk.store.settings, desk.window.toolbar, desk.window.controls
    for name, box in (("layer", toolbar.layer), ("beside", toolbar.beside)):
        value = getattr(settings, name)
        assert (box.currentData(), box.currentText()) == (value, LAYERS[value].title)
        assert controls.editor(name).currentText() == value
        assert LAYERS[value].help in box.toolTip()
    pressed = [button.text() for button in toolbar.compare.findChildren(QPushButton) if button.isChecked()]
    assert pressed == [SEGMENTS[settings.compare]]
    assert controls.editor("compare").currentText() == settings.compare
    assert toolbar.beside.isHidden() == (settings.compare == "off")
    assert len(desk.figure.boxes) == (1 if settings.compare == "off" else 2)
    assert symbols(desk) == [LAYERS[name].symbol for name in settings.layers if name != "none"]


@NO_POPUPS
@pytest.mark.parametrize("name", ["layer", "beside"])
def test_every_layer_is_chosen_in_the_toolbar(name, desk):
    desk.store.set(compare="split")
    box = getattr(desk.window.toolbar, name)
    assert [box.itemData(index) for index in range(box.count())] == [*LAYERS]
    for value in (*LAYERS, "magnitude"):
        desk.choose(box, box.findData(value))
        assert getattr(desk.store.settings, name) == value
        assert_all_agree(desk)


@pytest.mark.parametrize("name", NEXT)
def test_keys_and_the_left_panel_walk_through_the_same_choices(name, desk):
    choices = itertools.cycle(SPECS[name].choices)
    while next(choices) != getattr(desk.store.settings, name):
        pass
    desk.store.set(**({"compare": "wipe"} if name == "beside" else {}))
    for value in itertools.islice(choices, len(SPECS[name].choices)):
        desk.press(NEXT[name])
        assert getattr(desk.store.settings, name) == value
        assert_all_agree(desk)
    editor = desk.window.controls.editor(name)
    editor.setCurrentIndex(0)
    for value in SPECS[name].choices[1:]:
        QTest.keyClick(editor, Qt.Key.Key_Down)
        assert getattr(desk.store.settings, name) == value
        assert_all_agree(desk)


def test_shift_m_walks_backwards(desk):
    names, seen = [*LAYERS], []
    for _ in names:
        desk.window.activateWindow()
        desk.until(desk.window.isActiveWindow)
        QTest.keyClick(desk.window.view, Qt.Key.Key_M, Qt.KeyboardModifier.ShiftModifier)
        seen.append(desk.store.settings.layer)
    start = names.index("magnitude")
    assert seen == [names[(start - step) % len(names)] for step in range(1, len(names) + 1)]


def test_the_segments_compare(desk):
    for value, title in (("split", "Split"), ("wipe", "Wipe"), ("off", "One")):
        buttons = desk.window.toolbar.compare.findChildren(QPushButton)
        (button,) = [button for button in buttons if button.text() == title]
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        assert desk.store.settings.compare == value
        assert_all_agree(desk)


@NO_POPUPS
def test_after_a_layer_was_chosen_with_the_mouse_space_still_plays(desk):
    box = desk.window.toolbar.layer
    QTest.mousePress(box, Qt.MouseButton.LeftButton)
    row = box.view().visualRect(box.model().index(3, 0)).center()
    QTest.mouseClick(box.view().viewport(), Qt.MouseButton.LeftButton, pos=row)
    box.hidePopup()
    desk.press(Qt.Key.Key_Space, desk.window.focusWidget())
    box.hidePopup()
    assert desk.run.playing


# What is worked out for them


def test_curl_and_basins_are_those_of_the_network_on_the_screen(desk):
    desk.begin()
    desk.finish()
    desk.store.set(layer="basins", compare="split", beside="curl", extent=(0.5, 0.55, 0.3, 0.34))
    desk.until(lambda: desk.fields[-1].basins is not None and desk.fields[-1].grid.cell[0] < 0.01)
    field = desk.fields[-1]
    assert field.basins.shape == field.grid.shape
    assert set(field.basins.ravel()) <= set(desk.run.data.positions)
    (dx, dy), moved = field.grid.cell, field.displacement
    right, up = moved[1:-1, 2:] - moved[1:-1, :-2], moved[2:, 1:-1] - moved[:-2, 1:-1]
    differences = right[..., 1] / (2 * dx) - up[..., 0] / (2 * dy)
    assert np.abs(differences).max() > 0.05
    np.testing.assert_allclose(field.curl[1:-1, 1:-1], differences, rtol=0, atol=1e-3)  # cells of 0.005


def test_no_frame_shows_basins_of_another_view(desk):
    desk.store.set(layer="basins")
    desk.until(lambda: desk.frames and desk.fields[-1].basins is not None)
    for factor in (0.5, 0.5, 3.0):
        desk.figure.box.scaleBy((factor, factor))
        desk.until(lambda: desk.fields[-1].grid == desk.figure.grid_in_view())
        assert desk.fields[-1].basins.shape == desk.fields[-1].grid.shape
    desk.store.set(layer="curl")
    desk.until(lambda: desk.fields[-1].basins is None)  # what nobody sees is not worked out


# The wipe line


def test_the_wipe_line_is_dragged_in_the_window(desk):
    desk.store.set(compare="wipe", beside="ambiguity")
    desk.settle()
    values: list[float] = []
    desk.store.changed.connect(note := lambda old, new: values.append(new.wipe))
    box, before = desk.figure.box.geometry(), desk.figure.box.viewRange()

    def on_line(part: float) -> QPoint:
        return QPoint(round(box.left() + part * box.width()), round(box.top() + 0.3 * box.height()))

    desk.drag(on_line(0.5), on_line(0.8))
    desk.store.changed.disconnect(note)
    assert desk.store.settings.wipe == pytest.approx(0.8, abs=1.0 / box.width() + 0.001)
    assert len(values) > 3, "it does not follow the mouse"
    assert values == sorted(values)
    slider, half_step = desk.window.controls.editor("wipe"), 0.5 * SPECS["wipe"].step
    assert half_step * slider.value() == pytest.approx(desk.store.settings.wipe, abs=0.51 * half_step)
    assert desk.figure.box.viewRange() == before
    desk.settle()
    assert desk.frames[-1].marks.path is None, "the drag was taken for a click"
    slider.setValue(round(0.25 / half_step))
    assert desk.figure._wipe._x == pytest.approx(box.left() + 0.25 * box.width(), abs=1.0)


def test_the_right_layer_is_left_and_right_of_the_line(desk):
    settings = QUICK.replace(
        compare="wipe", beside="none", arrows="none", midline=False, show_data=False, wipe=0.4,
        colour_max=0.01,  # all that is moved is yellow
    )  # fmt: skip
    desk.begin(settings)
    desk.finish()
    desk.settle()
    (x0, x1), (y0, y1) = desk.figure.box.viewRange()
    surroundings = desk.window.view.grab().toImage().pixelColor(3, 3).name()
    for part, wanted in ((0.1, False), (0.35, False), (0.45, True), (0.95, True)):
        seen = {desk.colour((x0 + part * (x1 - x0), y0 + up * (y1 - y0))) for up in (0.2, 0.31, 0.77)}
        assert (seen == {surroundings}) == wanted, part
