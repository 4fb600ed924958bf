"""Settings of the run and of the look, by toolbar, key and panel; and the room they have."""

from __future__ import annotations

import importlib.metadata
import itertools

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QAction
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import (
    QAbstractScrollArea,
    QCheckBox,
    QComboBox,
    QDialog,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QStyle,
    QStyleOptionComboBox,
    QTextBrowser,
    QToolButton,
    QWidget,
)

from aeviz.core.clean_data import clean_data
from aeviz.core.field import Grid
from aeviz.core.layers import LAYERS
from aeviz.core.settings import FILE_GROUPS, SPECS, Settings
from aeviz.figure.theme import DARK, LIGHT, theme_of

QUICK = Settings(points=40, hidden=(8,), code=8, batch=40, epochs=100, grid=(12, 10))


def test_a_rebuild_starts_a_run_and_a_view_setting_does_not(desk):
    desk.begin()
    desk.finish()
    run = desk.frames[-1].run
    desk.store.set(
        layer="ambiguity", compare="wipe", arrows="both", show_noisy=True, threshold=3.0, grid=(14, 11)
    )
    desk.until(lambda: desk.fields[-1].grid.shape == (11, 14))
    assert desk.frames[-1].run == run
    assert desk.run.epoch == 100
    desk.store.set(activation="relu")
    desk.until(lambda: desk.frames[-1].run > run)
    desk.finish()


def test_zoom_asks_for_what_is_in_view(desk):
    desk.figure.box.scaleBy((0.5, 0.5))
    desk.until(lambda: desk.frames and desk.fields[-1].grid == desk.figure.grid_in_view())
    cell, home = desk.fields[-1].grid.cell, Grid.home(QUICK, clean_data(QUICK)).cell
    assert cell == pytest.approx((0.5 * home[0], 0.5 * home[1]))
    desk.press(Qt.Key.Key_H)
    desk.until(lambda: desk.fields[-1].grid == Grid.home(QUICK, clean_data(QUICK)))


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


@pytest.mark.parametrize(
    ("key", "looks"),
    [
        (Qt.Key.Key_M, len(LAYERS)), (Qt.Key.Key_B, len(LAYERS)), (Qt.Key.Key_V, 3), (Qt.Key.Key_F, 3),
        (Qt.Key.Key_A, 4), (Qt.Key.Key_T, 4), (Qt.Key.Key_I, 2), (Qt.Key.Key_E, 2), (Qt.Key.Key_G, 2),
        (Qt.Key.Key_O, 2),
    ],
)  # fmt: skip
def test_keys_walk_through_the_looks_and_come_back(key, looks, desk):
    seen = [desk.store.settings]
    while len(seen) == 1 or seen[-1] != seen[0]:
        desk.press(key)
        assert desk.store.settings not in seen[1:]
        seen.append(desk.store.settings)
    assert len(seen) - 1 == looks


def action(desk, name: str, value: object = True) -> QAction:
    """What the Show menu offers for a setting."""
    menus = [desk.window.toolbar.show_menu.menu()]
    if SPECS[name].choices:
        menus = [each.menu() for each in menus[0].actions() if each.text() == SPECS[name].label]
    (menu,) = menus
    title = f"{SPECS[name].label} {SPECS[name].symbol}".strip() if value is True else str(value).capitalize()
    (found,) = [each for each in menu.actions() if each.text() == title]
    return found


SWITCHES = [
    spec.name for spec in SPECS.values()
    if spec.applies == "view" and isinstance(spec.default, bool)
    and spec.name not in ("loop", "pause_past") and spec.group not in FILE_GROUPS
]  # fmt: skip


@pytest.mark.parametrize("name", SWITCHES)
def test_the_show_menu_and_the_panel_show_the_same(name, desk):
    item, editor = action(desk, name), desk.window.controls.editor(name)
    before = getattr(desk.store.settings, name)
    assert item.isChecked() == editor.isChecked() == before
    item.trigger()
    assert getattr(desk.store.settings, name) == editor.isChecked() == item.isChecked() != before
    editor.click()
    assert getattr(desk.store.settings, name) == item.isChecked() == before


@pytest.mark.parametrize("name", ["arrows", "flow"])
def test_a_choice_of_the_show_menu_is_one_of_all(name, desk):
    for value in SPECS[name].choices[::-1]:
        action(desk, name, value).trigger()
        assert getattr(desk.store.settings, name) == value
        assert desk.window.controls.editor(name).currentText() == value
        assert [each for each in SPECS[name].choices if action(desk, name, each).isChecked()] == [value]
    desk.window.controls.editor(name).setCurrentText(SPECS[name].choices[1])
    assert action(desk, name, SPECS[name].choices[1]).isChecked()
    assert not action(desk, name, SPECS[name].choices[0]).isChecked()


@pytest.mark.parametrize("name", ["arrows", "flow"])
def test_what_is_chosen_already_stays_checked_when_it_is_chosen_again(name, desk):
    value = getattr(desk.store.settings, name)
    action(desk, name, value).trigger()
    assert getattr(desk.store.settings, name) == value
    assert action(desk, name, value).isChecked()


def test_after_a_click_on_a_button_space_still_plays(desk):
    button = next(
        button for button in desk.window.toolbar.findChildren(QPushButton) if button.text() == "Split"
    )
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert desk.store.settings.compare == "split"
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
    QTest.keyClicks(editor, "srnuhmaildo ")
    assert editor.text().endswith("srnuhmaildo ")
    assert desk.store.settings == QUICK
    assert not desk.run.playing
    assert not desk.window.pencil.is_down
    editor.show_value(QUICK.hidden)


# Space


def least_width(part):
    """What a part needs to show its text whole: a list of choices that of the one that is chosen."""
    if not isinstance(part, QComboBox):
        return part.minimumSizeHint().width()
    option = QStyleOptionComboBox()
    part.initStyleOption(option)
    box, field = QStyle.ComplexControl.CC_ComboBox, QStyle.SubControl.SC_ComboBoxEditField
    around = part.width() - part.style().subControlRect(box, option, field, part).width()
    return around + part.fontMetrics().horizontalAdvance(part.currentText())


@pytest.mark.parametrize("compare", ["off", "split"])
@pytest.mark.parametrize(("width", "height"), [(760, 520), (1_000, 600), (1_440, 900)])
def test_everything_is_inside_the_window(width, height, compare, desk):
    longest = max(LAYERS, key=lambda name: len(LAYERS[name].title))
    desk.begin(QUICK.replace(compare=compare, layer=longest, beside=longest))
    desk.finish()
    desk.window.resize(width, height)
    desk.settle()
    desk.until(lambda: "copies" in desk.window.status.quality.text())  # it is as long as it gets
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
        if isinstance(part, QPushButton | QCheckBox | QComboBox | QLabel | QToolButton):
            assert part.width() >= least_width(part), f"{part} {part.accessibleName()} is cut off"
    together = [desk.window.toolbar, desk.window.view, desk.window.timeline, desk.window.controls]
    for one, other in itertools.combinations(together, 2):
        rects = [
            part.rect().translated(part.mapTo(desk.window, part.rect().topLeft())) for part in (one, other)
        ]
        assert not rects[0].intersects(rects[1]), (one, other)
    for box in desk.figure.boxes:
        assert desk.window.view.rect().toRectF().contains(box.geometry())
        assert box.geometry().height() > 0.15 * height


@pytest.mark.parametrize("width", [760, 1_000, 1_440])
def test_the_status_bar_is_whole_when_it_has_most_to_say(width, desk):
    desk.begin(QUICK.replace(regulariser="l2", strength=0.1))
    desk.finish()
    desk.window.resize(width, 600)
    desk.until(lambda: "copies" in desk.window.status.quality.text())
    desk.settle()
    for part in desk.window.status.findChildren(QLabel):
        if part.isVisible():
            assert part.width() >= least_width(part), part.text()


def test_everything_that_can_be_used_has_a_name(desk):
    for part in desk.window.findChildren(QWidget):
        if part.focusPolicy() & Qt.FocusPolicy.TabFocus and part.isVisible():
            named = part.accessibleName() or getattr(part, "text", str)()
            area = part if isinstance(part, QAbstractScrollArea) else part.parent()  # or the inside of one
            assert named or isinstance(area, QAbstractScrollArea), f"{part} has no name for a screen reader"


@pytest.mark.qt_log_ignore("propagateSizeHints", extend=True)  # the offscreen platform has no such thing
def test_help_and_about_open_and_close(desk):
    desk.press(Qt.Key.Key_F1)
    (help_,) = [each for each in desk.window.findChildren(QDialog) if each.isVisible()]
    text = help_.findChild(QTextBrowser).toPlainText()
    for key in ("Space", "Ctrl+E", "F1", "Shift+M", "Esc", "Ctrl+O", "Ctrl+L", "Shift+PgDown", "D"):
        assert key in text
    help_.close()
    about = next(each for each in desk.window.findChildren(QAction) if each.text() == "&About aeviz")
    about.trigger()
    page = next(page for page in desk.window.findChildren(QPlainTextEdit) if page.isVisible())
    assert f"torch {importlib.metadata.version('torch')}" in page.toPlainText()
    page.window().close()
