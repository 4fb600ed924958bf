"""A window that is killed leaves its run, and the next one offers it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PyQt6.QtWidgets import QLabel, QPushButton

from aeviz.app import keeper as keeper_module
from aeviz.app import live_run
from aeviz.app.notice import Notice
from aeviz.app.recent import RecentMenu
from aeviz.app.recovery import RecoveryDialog
from aeviz.core import journal as journal_module
from aeviz.core.files import FileError
from aeviz.core.left_runs import left_behind, users_runs

pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="kills processes"),
    pytest.mark.qt_log_ignore("propagateSizeHints", extend=True),  # the offscreen platform has no such thing
]

PROGRAM = """if True:
    import sys
    from aeviz.app.notice import Notice
    from aeviz.app.window import Window
    import aeviz.app.keeper as keeper
    import aeviz.core.journal as journal
    from aeviz.cli import main

    keeper.LOOK_EVERY, journal.INTERVAL = 200, 0.1

    def show(window, frame, *rest, show=Window._show_frame):
        show(window, frame, *rest)
        if frame.epoch >= 100 and not hasattr(window, "told"):
            window.told = True
            window.keeper._journal.flush()
            print(window.run.epoch, window.run.losses[:100].tobytes().hex(), flush=True)

    Window._show_frame = show
    sys.exit(main(["--points", "40", "--hidden", "8", "--code", "8", "--epochs", "500", "--noise", "0.3"]))
"""


@pytest.fixture
def state(tmp_path, monkeypatch) -> Path:
    """A state folder of its own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path


_killed: list[tuple[int, bytes, Path]] = []


@pytest.fixture
def killed(state, start, tmp_path_factory):
    """A program was killed in its first second of training: what it said; its journal is found."""
    if not _killed:
        folder = tmp_path_factory.mktemp("killed")
        program = start("-c", PROGRAM, env=os.environ | {"XDG_STATE_HOME": str(folder)})
        epoch, losses = program.line().split()
        os.kill(program.process.pid, signal.SIGKILL)
        program.process.wait(10)
        _killed.append((int(epoch), bytes.fromhex(losses), folder))
    epoch, losses, folder = _killed[0]
    shutil.copytree(folder, state, dirs_exist_ok=True)
    return epoch, losses


@pytest.fixture
def no_processes(monkeypatch):
    """A window gets no trainer and no observer, where nothing is to be trained."""
    nothing = dict.fromkeys(("stop", "listen_anew"), lambda: None)
    nobody = SimpleNamespace(send=lambda message: None, pids={}, silence=0.0, **nothing)
    monkeypatch.setattr(live_run, "Client", lambda receive: nobody)


def says(dialog: RecoveryDialog) -> str:
    return " ".join(label.text() for label in dialog.findChildren(QLabel))


@pytest.fixture
def saved(state, new_window, desk_at, tmp_path):
    """A window whose run is finished and saved, and the file."""
    desk, path = desk_at(new_window()), tmp_path / "saved.aeviz"
    desk.run.drive(speed=float("inf"))
    desk.finish()
    desk.window.keeper.write(path)
    desk.until(lambda: desk.message == f"Saved {path}")
    return desk, path


def recent(window) -> list:
    """What is in File > Open recent now."""
    menu = window.findChild(RecentMenu)
    menu.aboutToShow.emit()
    return [action for action in menu.actions() if not action.isSeparator()]


def press(dialog: RecoveryDialog, text: str) -> None:
    next(button for button in dialog.findChildren(QPushButton) if button.text() == text).click()


def test_the_next_window_offers_the_run_and_takes_it_up(killed, new_window, desk_at):
    epoch, losses = killed
    window = new_window()
    desk = desk_at(window)
    dialog = window.findChild(RecoveryDialog)
    assert dialog is not None and dialog.isVisible()
    assert re.search(r" at \d\d:\d\d", says(dialog))
    press(dialog, "Take up")
    desk.until(lambda: desk.run.epoch >= epoch)
    assert desk.store.settings.noise == 0.3
    assert desk.run.losses[:100].tobytes() == losses
    desk.until(lambda: desk.frames and desk.frames[-1].epoch == desk.run.epoch)
    assert not desk.run.playing
    desk.until(lambda: not window.keeper.left())
    window.close()
    assert not window.keeper.left() and window.keeper.closed[0].epoch >= epoch, "it is this window's now"


def test_what_is_forgotten_is_not_offered_again(killed, new_window, no_processes):
    dialog = new_window(start=True).findChild(RecoveryDialog)
    press(dialog, "Forget")
    assert not dialog.isVisible()
    assert new_window().findChild(RecoveryDialog) is None


def test_what_is_left_is_offered_again(killed, new_window, no_processes):
    press(new_window().findChild(RecoveryDialog), "Later")
    assert new_window().findChild(RecoveryDialog).isVisible()


def test_another_window_that_lives_is_no_crash(state, start, new_window, no_processes):
    program = start("-c", PROGRAM, env=os.environ | {"XDG_STATE_HOME": str(state)})
    program.line()
    assert new_window().findChild(RecoveryDialog) is None


def test_a_window_that_was_closed_is_no_crash_but_its_run_is_there(state, new_window, desk_at):
    first = new_window()
    desk = desk_at(first)
    desk.run.drive(speed=float("inf"))
    desk.finish()
    losses = desk.run.losses.tobytes()
    first.close()
    second = new_window()
    assert second.findChild(RecoveryDialog) is None
    (action,) = recent(second)
    assert re.fullmatch(r"The run of .* at \d\d:\d\d, epoch 100", action.text())
    action.trigger()
    desk = desk_at(second)
    desk.until(lambda: second.run.losses.tobytes() == losses)
    desk.until(lambda: not recent(second)[0].isEnabled())  # it is this window's now
    second.close()
    assert not second.keeper.left() and [left.epoch for left in second.keeper.closed] == [100]


def test_a_run_that_makes_room_for_another_is_not_lost(saved):
    desk, path = saved
    window = desk.window
    desk.begin(desk.store.settings.replace(noise=0.6))
    desk.finish()
    losses = desk.run.losses.tobytes()
    window.keeper.open(path)
    desk.until(lambda: desk.run.losses.tobytes() != losses)
    desk.until(lambda: len(recent(window)) == 2)
    assert recent(window)[1].text() == "saved.aeviz"
    with desk.expect(window.keeper.opened):
        window.keeper.open(path)  # what was only looked at takes no place
    (action,) = [each for each in recent(window) if "epoch 100" in each.text()]
    action.trigger()
    desk.until(lambda: desk.run.losses.tobytes() == losses)
    assert desk.store.settings.noise == 0.6
    desk.until(lambda: len(recent(window)) == 1)
    with desk.expect(window.keeper.opened):
        window.keeper.open(path)  # at once, though nothing was changed in it here: it is in no file
    desk.until(lambda: len(recent(window)) == 2)


def test_a_run_that_could_not_be_saved_is_not_lost_where_another_is_opened(saved, tmp_path, monkeypatch):
    desk, path = saved
    window = desk.window
    desk.begin()
    desk.finish()
    gate = threading.Event()

    def full(*_):
        assert gate.wait(30.0)
        raise FileError("the disk is full")

    monkeypatch.setattr(keeper_module, "write_whole", full)
    window.keeper.write(tmp_path / "other.aeviz")
    with desk.expect(window.keeper.opened):
        window.keeper.open(path)
    gate.set()
    desk.until(lambda: len(recent(window)) == 2)
    assert "epoch 100" in recent(window)[0].text()


def test_a_window_with_nothing_new_leaves_nothing(saved):
    desk, _ = saved
    window = desk.window
    desk.store.set(layer="ambiguity")  # it is drawn otherwise, and the same run
    window.close()
    assert not window.keeper.left() and not window.keeper.closed


def test_a_full_state_folder_is_told_once_and_training_goes_on(state, new_window, desk_at, monkeypatch):
    told: list[str] = []
    monkeypatch.setattr(journal_module, "INTERVAL", 0.01)
    (state / "aeviz").write_text("no folder")  # the simplest disk that takes nothing
    monkeypatch.setattr(
        Notice,
        "say",
        lambda notice, text, *rest, say=Notice.say: told.append(text) or say(notice, text, *rest),
    )
    desk = desk_at(new_window())
    desk.finish()
    desk.until(lambda: told)
    desk.settle()
    assert len(told) == 1
    assert str(state / "aeviz") in told[0]
    assert desk.window.notice.isVisible()


@pytest.fixture
def full(state, new_window, desk_at, monkeypatch):
    """A window whose run is finished, on a disk that took nothing of it and has room again."""
    monkeypatch.setattr(journal_module, "INTERVAL", 0.01)
    monkeypatch.setattr(keeper_module, "LOOK_EVERY", 10)
    monkeypatch.setattr(keeper_module, "TRY_EVERY", 10**9)
    (state / "aeviz").write_text("no folder")
    desk = desk_at(new_window())
    desk.run.drive(speed=float("inf"))
    desk.finish()
    desk.until(lambda: "is lost in a crash" in desk.window.notice.text.text())
    (state / "aeviz").unlink()
    return desk


def test_where_a_disk_has_room_again_a_crash_loses_nothing_any_more(full, tmp_path_factory, monkeypatch):
    monkeypatch.setattr(keeper_module, "TRY_EVERY", 2)
    full.until(lambda: "brought back after a crash again" in full.window.notice.text.text())
    crashed = tmp_path_factory.mktemp("crashed") / "runs"
    shutil.copytree(users_runs(), crashed)  # of a process that has no lock
    (left,) = left_behind(crashed)
    assert not left.closed
    np.testing.assert_array_equal(left.read().current.losses, full.run.losses)


@pytest.mark.parametrize("how", ["closed", "another is opened"])
def test_a_run_that_ends_once_the_disk_has_room_again_is_left_whole(how, full, tmp_path):
    keeper, losses = full.window.keeper, full.run.losses.copy()
    keeper.write(tmp_path / "earlier.aeviz")
    full.until(lambda: full.message.startswith("Saved"))
    full.store.set(noise=0.6)  # which is in no file
    if how == "closed":
        full.window.close()
    else:
        with full.expect(keeper.opened):
            keeper.open(tmp_path / "earlier.aeviz")
        assert keeper._journal.flush()
    assert not keeper.left(), "it was no crash"
    (left,) = keeper.closed
    history = left.read()
    np.testing.assert_array_equal(history.current.losses, losses)
    assert [*history.changes][-1].new.noise == 0.6
