"""Save, open, drop: a run comes back from its file as it was, and a broken file changes nothing."""

from __future__ import annotations

import errno
import os
import threading
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PyQt6.QtGui import QDragEnterEvent, QDropEvent
from PyQt6.QtWidgets import QApplication, QFileDialog

from aeviz.app import keeper as keeper_module
from aeviz.core import settings_pool
from aeviz.core.run_file import read_run
from aeviz.work import messages as m


@pytest.fixture
def saved(desk, tmp_path):
    """A run with a change in its middle, saved at a past epoch."""
    desk.begin(desk.store.settings.replace(epochs=60), speed=300.0)
    desk.until(lambda: desk.run.epoch > 20)
    desk.store.set(noise=0.5, layer="ambiguity")
    desk.finish()
    desk.run.look_at(13)
    desk.until(lambda: desk.frames[-1].epoch == 13)
    path = tmp_path / "lecture.aeviz"
    desk.window.keeper.write(path)
    desk.until(lambda: desk.message == f"Saved {path}")
    return path


def test_a_run_comes_back_from_its_file_as_it_was(desk, saved):
    run = desk.run
    arrows, losses, changes = desk.fields[-1].displacement, run.losses.tobytes(), run.branch.timeline.changes
    settings = desk.store.settings
    desk.begin(settings.replace(seed=5, noise=0.1, layer="magnitude"))
    desk.window.keeper.open(saved)
    desk.until(lambda: run.looking_at == 13 and desk.frames and desk.frames[-1].epoch == 13)
    assert desk.store.settings == settings
    assert (run.losses.tobytes(), run.branch.timeline.changes) == (losses, changes)
    assert desk.fields[-1].displacement.tobytes() == arrows.tobytes()
    assert desk.window.windowTitle() == "lecture.aeviz – aeviz"
    assert not run.playing


def test_an_opened_run_goes_on_as_it_would_have(desk, saved):
    desk.run.look_at(None)
    desk.store.set(epochs=90)
    desk.run.drive(playing=True)
    desk.finish()
    losses = desk.run.losses.tobytes()
    desk.window.keeper.open(saved)
    desk.until(lambda: desk.run.epoch == 60)
    desk.run.look_at(None)
    desk.store.set(epochs=90)
    desk.run.drive(playing=True)
    desk.finish()
    assert desk.run.losses.tobytes() == losses


def test_save_asks_for_a_name_once(desk, tmp_path, monkeypatch):
    asked: list[str] = []

    def choose(*arguments):
        asked.append(arguments[2])
        return str(tmp_path / "mine"), ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", choose)
    desk.window.keeper.path = None
    for _ in range(2):
        desk.press(Qt.Key.Key_S, modifier=Qt.KeyboardModifier.ControlModifier)
        desk.until(lambda: desk.message == f"Saved {tmp_path / 'mine.aeviz'}")
        desk.window.statusBar().clearMessage()
    assert len(asked) == 1
    assert read_run(tmp_path / "mine.aeviz").view == desk.store.settings
    assert desk.window.memory.recent[0] == str(tmp_path / "mine.aeviz")


def test_a_file_that_was_dropped_is_opened(desk, saved, qtbot):
    desk.begin()
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(saved))])
    what = Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(desk.window, QDragEnterEvent(QPoint(50, 50), *what))
    QApplication.sendEvent(desk.window, QDropEvent(QPointF(50.0, 50.0), *what))
    desk.until(lambda: desk.run.looking_at == 13)


def test_a_broken_file_is_told_in_one_line_and_the_run_goes_on(desk, saved, tmp_path):
    desk.begin(speed=60.0)
    branch, settings = desk.run.branch, desk.store.settings
    broken = tmp_path / "broken.aeviz"
    broken.write_bytes(saved.read_bytes()[:-100])
    desk.window.keeper.open(broken)
    desk.until(desk.window.notice.isVisible)
    text = desk.window.notice.text.text()
    assert text.startswith(str(broken)) or str(broken) in text
    assert "\n" not in text
    assert (desk.run.branch, desk.store.settings) == (branch, settings)
    desk.finish()


@pytest.mark.parametrize("call", [(os, "open"), (os, "fsync"), (Path, "replace")], ids=lambda call: call[1])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EACCES])
def test_a_save_that_fails_leaves_the_old_file(desk, saved, breaks, monkeypatch, call, number):
    before = saved.read_bytes()
    desk.window.notice.hide()
    breaks(*call, OSError(number, os.strerror(number)))
    desk.window.keeper.write(saved)
    desk.until(desk.window.notice.isVisible)
    monkeypatch.undo()
    assert os.strerror(number) in desk.window.notice.text.text()
    assert saved.read_bytes() == before
    assert [path.name for path in saved.parent.iterdir() if path.name.startswith(".")] == []


def test_no_memory_for_a_file_is_told_in_one_line(desk, saved, monkeypatch):
    before = saved.read_bytes()
    desk.window.notice.hide()

    def no_memory(*_):
        raise MemoryError("Unable to allocate 2.00 TiB")

    with monkeypatch.context() as patch:
        patch.setattr("aeviz.app.keeper.run_bytes", no_memory)
        desk.window.keeper.write(saved)
        desk.until(desk.window.notice.isVisible)
    assert desk.window.notice.text.text() == f"cannot write {saved}: there is not enough memory."
    assert saved.read_bytes() == before
    desk.window.notice.hide()
    with monkeypatch.context() as patch:
        patch.setattr("aeviz.app.keeper.opened", no_memory)
        desk.window.keeper.open(saved)
        desk.until(desk.window.notice.isVisible)
    assert desk.window.notice.text.text() == f"cannot open {saved}: there is not enough memory."


def test_while_a_run_is_written_it_goes_on(desk, saved):
    """What is written is the run as it was when it was asked for."""
    desk.run.look_at(None)
    desk.store.set(epochs=100_000)
    desk.run.drive(playing=True)
    for _ in range(5):
        epoch = desk.run.epoch
        desk.window.statusBar().clearMessage()
        desk.window.keeper.write(saved)
        desk.until(lambda: desk.message == f"Saved {saved}")
        branch = read_run(saved).history.current
        assert branch.epoch == epoch
        np.testing.assert_array_equal(branch.losses, desk.run.losses[:epoch])
        desk.until(lambda epoch=epoch: desk.run.epoch > epoch)


@pytest.fixture
def held(monkeypatch):
    """Lets files be written, or read, only when it is said."""
    gates = {"write_whole": threading.Event(), "opened": threading.Event()}

    def wait(name, do, *args):
        assert gates[name].wait(30.0)
        return do(*args)

    for name in gates:
        monkeypatch.setattr(keeper_module, name, partial(wait, name, getattr(keeper_module, name)))
    yield gates
    for gate in gates.values():
        gate.set()


def test_a_file_that_is_written_late_is_not_the_name_of_another_run(desk, saved, tmp_path, held):
    keeper, late = desk.window.keeper, tmp_path / "late.aeviz"
    keeper.write(late)
    with desk.expect(keeper.opened):
        held["opened"].set()
        keeper.open(saved)
    assert keeper.path == saved
    held["write_whole"].set()
    desk.until(lambda: desk.message == f"Saved {late}")
    assert keeper.path == saved and desk.window.windowTitle() == "lecture.aeviz – aeviz"
    assert desk.window.memory.recent[0] == str(late)


def test_of_two_names_the_later_one_is_the_runs(desk, tmp_path, held):
    keeper = desk.window.keeper
    paths = [tmp_path / "one.aeviz", tmp_path / "two.aeviz"]
    for path in paths:
        keeper.write(path)
    keeper._note_written(keeper._naming, paths[1], "")  # it was quicker
    held["write_whole"].set()
    desk.until(lambda: str(paths[0]) in desk.window.memory.recent)
    assert keeper.path == paths[1]


def test_what_is_chosen_while_a_run_is_read_wins(desk, saved, held):
    desk.begin()
    desk.window.keeper.open(saved)
    desk.store.set(points=30)
    branch = desk.run.branch
    assert desk.message == "lecture.aeviz was not opened: something else was chosen meanwhile"
    with desk.expect(desk.window.keeper._read):
        held["opened"].set()
    desk.settle()
    assert desk.run.branch is branch and desk.store.settings.points == 30


def test_saving_leaves_the_lesson_open_and_opening_does_not(desk, saved, tmp_path):
    desk.window.lessons.open("midline")
    desk.window.keeper.write(tmp_path / "lesson.aeviz")
    desk.until(lambda: desk.message.startswith("Saved "))
    assert desk.window.lessons.current is not None
    desk.window.keeper.open(saved)
    desk.until(lambda: desk.window.windowTitle() == "lecture.aeviz – aeviz")
    assert desk.window.lessons.current is None


def test_a_run_that_cannot_be_packed_is_told(desk, saved, tmp_path, monkeypatch):
    monkeypatch.setattr(settings_pool, "MOST", 1)
    desk.store.set(noise=0.33)
    desk.run.history.note(desk.run.epoch, desk.store.settings)
    before = saved.read_bytes()
    desk.window.keeper.write(saved)
    desk.until(desk.window.notice.isVisible)
    text = desk.window.notice.text.text()
    assert text == f"cannot write {saved}: it has too many changes of settings to be written."
    assert saved.read_bytes() == before


def test_a_run_that_is_opened_is_built_at_rest(desk, saved):
    desk.begin(desk.store.settings.replace(epochs=100_000))
    desk.until(lambda: desk.run.epoch > 20)
    sent = []
    client, send = desk.run._client, desk.run._client.send
    client.send = lambda message: (sent.append(message), send(message))
    try:
        desk.window.keeper.open(saved)
        desk.until(lambda: any(isinstance(each, m.Build) for each in sent))
    finally:
        del client.send
    told = [each for each in sent if isinstance(each, m.Build | m.Drive)]
    assert isinstance(told[0], m.Drive) and not told[0].playing
