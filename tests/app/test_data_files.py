"""Files of points: by menu, by the panel, dropped on the window; good ones, bad ones, and several at once."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtCore import QMimeData, QPointF, Qt, QUrl
from PyQt6.QtGui import QDragEnterEvent, QDropEvent
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication, QFileDialog, QLabel, QLineEdit, QWidget

from aeviz.app import data_files
from aeviz.core.data_file import read_points
from aeviz.core.settings import Settings
from aeviz.figure.theme import DARK

QUICK = Settings(points=40, hidden=(8,), code=8, batch=40, epochs=100, grid=(12, 10))
# Without heat map, arrows and outline, a point's pixel has the point's colour.
PLAIN = QUICK.replace(layer="none", arrows="none", midline=False)
NO_POPUPS = pytest.mark.qt_log_ignore("plugin does not support", extend=True)  # the offscreen platform's
ANGLE = np.linspace(0.0, 6.0, 30)
RING = np.stack((np.cos(ANGLE), 0.7 * np.sin(ANGLE)), axis=1)


@pytest.fixture
def save(tmp_path: Path):
    """Write a file of points."""

    def save(name: str, points: np.ndarray, *more: str) -> str:
        lines = [f"{x!r},{y!r}" for x, y in points.tolist()]
        lines[3:3] = more
        (tmp_path / name).write_text("\n".join(("x,y", *lines)) + "\n", encoding="utf-8")
        return str(tmp_path / name)

    return save


@pytest.fixture
def choose(monkeypatch: pytest.MonkeyPatch):
    """Answer the file dialog, and remember what it was asked."""
    asked: list[tuple[str, Path, str]] = []

    def choose(name: str) -> list[tuple[str, Path, str]]:
        def answer(parent: QWidget, title: str, start: str, filters: str) -> tuple[str, str]:
            asked.append((title, Path(start), filters))
            return name, ""

        monkeypatch.setattr(QFileDialog, "getOpenFileName", answer)
        return asked

    return choose


class Gate:
    """Reads files as the program does, but one of them only when it is let through."""

    def __init__(self, held: str) -> None:
        self.held, self.began, self.open = held, threading.Event(), threading.Event()
        self.done = threading.Event()

    def __call__(self, name: str, *, skip_bad: bool):
        if name == self.held:
            self.began.set()
            assert self.open.wait(30.0)
            self.done.set()
        return read_points(name, skip_bad=skip_bad)


def readers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "aeviz-data"]


def assert_is_the_data(desk, name: str, points: np.ndarray) -> None:
    """Whether these points are trained on and drawn, and the data of a run of their own."""
    desk.until(lambda: desk.store.settings.data == name)
    np.testing.assert_array_equal(desk.run.data.points, points)
    desk.frames.clear(), desk.fields.clear()
    desk.run.refresh()  # at rest the one frame may have come already
    desk.until(lambda: desk.fields and np.array_equal(desk.fields[-1].data, points))
    shown = desk.in_view(points)
    assert len(shown) == len(points), "some are out of view"
    assert {*desk.colours(shown[::3])} == {DARK.data}


# Opened


@pytest.mark.parametrize("way", ["key", "menu", "panel", "python"])
@NO_POPUPS
def test_a_file_becomes_the_data_whichever_way_it_is_opened(way, desk, save, choose):
    name = save("ring.csv", RING)
    desk.begin(PLAIN.replace(extent=(-9.0, 9.0, -7.0, 7.0)), playing=False)
    run, asked = desk.run._run, choose(name)
    match way:
        case "key":
            desk.press(Qt.Key.Key_O, modifier=Qt.KeyboardModifier.ControlModifier)
        case "menu":
            (menu,) = [each.menu() for each in desk.window.menuBar().actions() if each.text() == "&File"]
            next(each for each in menu.actions() if each.text() == "&Open…").trigger()
        case "panel":
            editor = desk.window.controls.editor("data")
            desk.choose(editor, editor.findText("file…"))
        case "python":
            desk.window.files.open(name)
    assert desk.message == "Reading ring.csv …"
    assert_is_the_data(desk, name, RING)
    assert desk.run._run == run + 1
    assert desk.message == "ring.csv: 30 points"
    assert desk.window.controls.editor("data").currentText() == "ring.csv"
    assert desk.store.settings.extent == (), "the view does not fit the data"
    if way != "python":
        ((title, _, filters),) = asked
        assert title == "Open"
        assert all(f"*{suffix}" in filters for suffix in (".csv", ".tsv", ".txt", ".npy"))
        assert desk.window.memory.folder == Path(name).parent
    desk.run.drive(playing=True)
    desk.finish()
    assert np.isfinite(desk.run.losses).all()


@NO_POPUPS
def test_a_cancelled_dialog_changes_nothing(desk, choose):
    before, folder, run = desk.store.settings, desk.window.memory.folder, desk.run._run
    asked = choose("")
    desk.press(Qt.Key.Key_O, modifier=Qt.KeyboardModifier.ControlModifier)
    editor = desk.window.controls.editor("data")
    desk.choose(editor, editor.findText("file…"))
    assert len(asked) == 2
    assert asked[0][1] == folder, "it does not begin in the last folder"
    assert not readers()
    desk.settle()
    assert (desk.store.settings, desk.run._run, desk.message) == (before, run, "")
    assert editor.currentText() == "spiral"


# What is wrong with it


def test_bad_rows_are_told_and_left_out_when_that_is_wanted(desk, save):
    name = save("ring.csv", RING, "1.5,", "nothing,2")
    before, run = desk.store.settings, desk.run._run
    desk.window.files.open(name)
    desk.until(desk.window.notice.isVisible)
    notice = desk.window.notice
    assert notice.text.text().startswith(f"{name}: 2 rows cannot be used (lines 5 and 6;")
    assert notice.button.isVisible()
    assert notice.button.text() == "Leave them out"
    assert (desk.store.settings, desk.run._run) == (before, run), "it is the data already"
    assert desk.message == ""
    desk.begin(PLAIN, playing=False)  # which hides the notice
    notice.show()
    QTest.mouseClick(notice.button, Qt.MouseButton.LeftButton)
    assert_is_the_data(desk, name, RING)
    assert desk.store.settings.bad_rows == "skip"
    assert notice.isVisible()
    assert notice.text.text() == f"{name}: 2 rows were skipped (lines 5 and 6)."
    assert not notice.button.isVisible()


def test_once_bad_rows_are_left_out_those_of_the_next_file_are_too(desk, save):
    one, other = save("one.csv", RING, "1.5,"), save("other.csv", 0.5 * RING, "x,y,z")
    desk.begin(PLAIN.replace(bad_rows="skip"), playing=False)
    for name, points in ((one, RING), (other, 0.5 * RING)):
        desk.window.files.open(name)
        assert_is_the_data(desk, name, points)
        assert desk.window.notice.text.text() == f"{name}: 1 row was skipped (line 5)."


BROKEN = {
    "gone.csv": None, "empty.csv": "", "three.csv": "1,2,3\n4,5,6\n", "words.txt": "one two\nthree four\n",
    "noise.npy": "no such thing", "picture.jpg": "1,2\n3,4\n",
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_file_of_points_is_told_in_one_line_and_the_run_goes_on(name, desk, tmp_path):
    if BROKEN[name] is not None:
        (tmp_path / name).write_text(BROKEN[name], encoding="utf-8")
    desk.begin(QUICK.replace(epochs=1_000_000))
    before, run = desk.store.settings, desk.run._run
    desk.window.files.open(str(tmp_path / name))
    desk.until(desk.window.notice.isVisible)
    text = desk.window.notice.text.text()
    assert text.startswith(f"{tmp_path / name}: ")
    assert text.endswith(".")
    assert "\n" not in text
    if name != "words.txt":  # whose rows could be left out, though none is left then
        assert not desk.window.notice.button.isVisible()
    assert desk.message == ""
    epoch = desk.run.epoch
    desk.until(lambda: desk.run.epoch > epoch + 10)
    assert (desk.store.settings, desk.run._run) == (before, run)


def test_where_no_row_can_be_used_leaving_them_out_says_so_again(desk, tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("1 one\n2 two\n", encoding="utf-8")
    desk.window.files.open(str(path))
    desk.until(desk.window.notice.isVisible)
    assert "no row can be used" in desk.window.notice.text.text()
    if desk.window.notice.button.isVisible():
        desk.window.notice.button.click()
        desk.until(desk.window.notice.isVisible)
        assert "no row can be used" in desk.window.notice.text.text()
    assert desk.store.settings == QUICK


# Several at once


def test_of_two_files_the_later_one_wins_however_long_the_first_takes(desk, save, monkeypatch):
    slow, quick = save("slow.csv", RING), save("quick.csv", 0.5 * RING)
    gate = Gate(slow)
    monkeypatch.setattr(data_files, "read_points", gate)
    desk.begin(PLAIN, playing=False)
    desk.window.files.open(slow)
    assert gate.began.wait(30.0)
    assert desk.message == "Reading slow.csv …"
    desk.window.files.open(quick)
    assert_is_the_data(desk, quick, 0.5 * RING)
    run, (reader,) = desk.run._run, readers()
    gate.open.set()
    reader.join(30.0)
    desk.settle()
    assert (desk.store.settings.data, desk.run._run) == (quick, run)
    assert desk.message == "quick.csv: 30 points"
    assert not desk.window.notice.isVisible()


def test_while_a_file_is_read_the_window_lives(desk, save, monkeypatch):
    name = save("slow.csv", RING)
    gate = Gate(name)
    monkeypatch.setattr(data_files, "read_points", gate)
    desk.begin(QUICK.replace(epochs=1_000_000))
    desk.window.files.open(name)
    assert gate.began.wait(30.0)
    epoch, count = desk.run.epoch, len(desk.frames)
    desk.until(lambda: desk.run.epoch > epoch + 10 and len(desk.frames) > count + 3)
    desk.store.set(noise=0.4)
    desk.until(lambda: desk.frames[-1].settings.noise == 0.4)
    assert desk.store.settings.data == "spiral"
    gate.open.set()
    desk.until(lambda: desk.store.settings.data == name)
    assert desk.store.settings.noise == 0.4


def test_other_data_that_were_chosen_since_win_over_a_file_that_is_still_read(desk, save, monkeypatch):
    name = save("slow.csv", RING)
    gate = Gate(name)
    monkeypatch.setattr(data_files, "read_points", gate)
    desk.window.files.open(name)
    assert gate.began.wait(30.0)
    desk.store.set(data="circle")
    (reader,) = readers()
    gate.open.set()
    reader.join(30.0)
    desk.settle()
    assert desk.store.settings.data == "circle"


# In the user's own units


LARGE = RING * (800.0, 2.0) + (5_000.0, -300.0)


def numbers(desk) -> list[float]:
    """Those that are written in the figure."""
    found = []
    for text in desk.texts:
        try:
            found.append(float(text.replace("−", "-")))
        except ValueError:
            continue
    return found


def test_data_of_another_size_can_be_standardised_and_the_axes_keep_their_units(desk, save):
    name = save("large.csv", LARGE)
    desk.begin(PLAIN, playing=False)
    desk.window.files.open(name)
    assert_is_the_data(desk, name, LARGE)
    notice = desk.window.notice
    assert notice.isVisible()
    assert notice.text.text().startswith("These points spread over 1.6e+03, and noise goes from 0 to 1")
    assert notice.button.text() == "Standardise"
    assert any(4_200 <= number <= 5_800 for number in numbers(desk))
    QTest.mouseClick(notice.button, Qt.MouseButton.LeftButton)
    assert desk.store.settings.standardise
    assert not notice.isVisible()
    small = (LARGE - LARGE.mean(axis=0)) / LARGE.std(axis=0)
    np.testing.assert_allclose(desk.run.data.points, small, rtol=0, atol=1e-12)
    desk.until(lambda: desk.fields and np.array_equal(desk.fields[-1].data, desk.run.data.points))
    assert {*desk.colours(desk.run.data.points[::3])} == {DARK.data}
    across = [number for number in numbers(desk) if 3_000 <= number <= 7_000]
    up = [number for number in numbers(desk) if -310 <= number <= -290]
    assert len(across) >= 3
    assert len(up) >= 3, "the axes do not show the file's own units"
    desk.hover(desk.run.data.points[7])
    desk.until(lambda: desk.frames[-1].marks.cursor is not None)
    (value,) = [
        label.text() for label in desk.window.inspector.findChildren(QLabel)
        if label.accessibleName() == "noisy ŷ"
    ]  # fmt: skip
    x, y = (float(each) for each in value.strip("()").replace("−", "-").split(", "))
    scale = desk.run.data.scale
    assert (x, y) == pytest.approx(LARGE[7], abs=float(2.5 * desk.pixel * scale.max()))


@pytest.mark.parametrize(("size", "asks"), [(0.15, True), (0.3, False), (45.0, False), (60.0, True)])
def test_only_data_for_which_noise_is_too_large_or_small_are_asked_about(size, asks, desk, save):
    points = size * (RING - RING.min(axis=0)) / np.ptp(RING, axis=0).max()
    name = save("ring.csv", points)
    desk.window.files.open(name)
    desk.until(lambda: desk.store.settings.data == name)
    assert desk.window.notice.isVisible() == asks


def test_a_single_point_is_a_file_as_well(desk, save):
    name = save("one.csv", RING[:1])
    desk.begin(QUICK)
    desk.window.files.open(name)
    desk.until(lambda: desk.store.settings.data == name)
    assert not desk.window.notice.isVisible()
    desk.frames.clear()
    desk.until(lambda: desk.frames and desk.frames[-1].epoch > 5)


def test_another_file_is_not_standardised_because_the_last_one_was(desk, save):
    one, other = save("one.csv", LARGE), save("other.csv", RING)
    desk.store.set(data=one, standardise=True)
    desk.window.files.open(other)
    desk.until(lambda: desk.store.settings.data == other)
    assert not desk.store.settings.standardise
    np.testing.assert_array_equal(desk.run.data.points, RING)


# Dropped


def drop(target: QWidget, mime: QMimeData) -> bool:
    """Drag something over a widget and let it go there; whether it is taken."""
    middle, copy = target.rect().center(), Qt.DropAction.CopyAction
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(middle, copy, mime, buttons, keys)
    QApplication.sendEvent(target, enter)
    if not enter.isAccepted():
        return False
    event = QDropEvent(QPointF(middle), copy, mime, buttons, keys)
    QApplication.sendEvent(target, event)
    return event.isAccepted()


def of_urls(*urls: QUrl) -> QMimeData:
    """What a file manager gives: addresses, and the same as text."""
    mime = QMimeData()
    mime.setUrls(urls)
    mime.setText("\n".join(url.toString() for url in urls))
    return mime


@pytest.mark.parametrize("where", ["field", "window", "inspector", "timeline", "label"])
def test_a_file_is_dropped_anywhere_on_the_window(where, desk, save):
    name = save("ring.csv", RING)
    window = desk.window
    target = {
        "field": window.view.viewport(), "window": window, "inspector": window.inspector.viewport(),
        "timeline": window.timeline, "label": window.controls.findChild(QLabel),
    }[where]  # fmt: skip
    assert drop(target, of_urls(QUrl.fromLocalFile(name)))
    desk.until(lambda: desk.store.settings.data == name)
    np.testing.assert_array_equal(desk.run.data.points, RING)


@pytest.mark.parametrize("editor", ["seed", "data", "hidden"])
def test_a_file_that_is_dropped_on_a_field_of_the_panel_is_opened_too(editor, desk, save):
    name = save("ring.csv", RING)
    field, hidden = desk.window.controls.editor(editor), desk.window.controls.editor("hidden")
    taken = drop(field.findChild(QLineEdit) or field, of_urls(QUrl.fromLocalFile(name)))
    text = hidden.text()
    hidden.show_value(QUICK.hidden)
    assert (taken, text) == (True, "8")
    desk.until(lambda: desk.store.settings.data == name)


def test_what_is_no_file_is_not_taken(desk):
    text = QMimeData()
    text.setText("1,2\n3,4")
    for mime in (text, QMimeData(), of_urls(QUrl("https://example.org/points.csv"))):
        assert not drop(desk.window.view.viewport(), mime)
    assert not readers()
    assert desk.store.settings == QUICK
    assert desk.message == ""


def test_of_several_files_one_is_opened(desk, save):
    one, other = save("one.csv", RING), save("other.csv", 0.5 * RING)
    drop(desk.window.view.viewport(), of_urls(QUrl.fromLocalFile(one), QUrl.fromLocalFile(other)))
    desk.until(lambda: desk.store.settings.data == one)


def test_a_file_among_other_addresses_is_opened(desk, save):
    name = save("one.csv", RING)
    drop(desk.window.view.viewport(), of_urls(QUrl("https://example.org/a.csv"), QUrl.fromLocalFile(name)))
    desk.until(lambda: desk.store.settings.data == name or desk.window.notice.isVisible())
    assert desk.store.settings.data == name


# The same file again


def test_a_file_that_was_written_anew_is_read_anew_when_it_is_opened_again(desk, save):
    name = save("ring.csv", RING)
    desk.window.files.open(name)
    desk.until(lambda: desk.message == "ring.csv: 30 points")
    save("ring.csv", 0.5 * RING[:20])
    run = desk.run._run
    desk.window.files.open(name)
    desk.until(lambda: desk.message == "ring.csv: 20 points")
    assert_is_the_data(desk, name, 0.5 * RING[:20])
    assert desk.run._run == run + 1


def test_a_run_begins_again_with_the_points_of_a_file_that_is_gone(desk, save):
    name = save("ring.csv", RING)
    desk.window.files.open(name)
    desk.until(lambda: desk.store.settings.data == name)
    Path(name).unlink()
    run = desk.run._run
    desk.press(Qt.Key.Key_R)
    assert desk.run._run == run + 1
    assert_is_the_data(desk, name, RING)


def test_what_needs_the_file_anew_is_refused_in_one_line_when_it_is_gone(desk, save):
    name = save("ring.csv", RING)
    desk.window.files.open(name)
    desk.until(lambda: desk.store.settings.data == name)
    Path(name).unlink()
    before, run = desk.store.settings, desk.run._run
    editor = desk.window.controls.editor("jitter")
    editor.setFocus()
    QTest.keyClick(editor, Qt.Key.Key_Up)
    assert name in desk.message
    assert "\n" not in desk.message
    assert (desk.store.settings, desk.run._run) == (before, run)
    assert editor.value() == 0.0


def test_a_file_from_the_command_line_is_remarked_on_when_the_window_starts(new_window, save, qtbot):
    name = save("large.csv", LARGE)
    window = new_window(Settings(data=name), start=False)
    assert not window.notice.isVisible()
    window.files.remark(window.run.data)
    assert window.notice.text.text().startswith("These points spread over")
    window.notice.button.click()
    assert window.store.settings.standardise
