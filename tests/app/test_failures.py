"""The worker is killed, hangs, fails, or the training diverges; a slot raises. The window lives."""

from __future__ import annotations

import dataclasses
import math
import os
import re
import select
import signal
import sys
import threading

import numpy as np
import pytest
from processes import workers
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication, QLabel, QPushButton

from aeviz.app import live_run
from aeviz.app.dialogs import ReportDialog
from aeviz.core.settings import Settings
from aeviz.work import messages as m

QUICK = Settings(points=40, hidden=(8,), code=8, batch=40, epochs=100, grid=(12, 10))
LONGER = QUICK.replace(epochs=600)


@pytest.fixture(autouse=True)
def nothing_outlives(shared_window, others):
    """The shared window's worker may be another one after a test; there is no second one."""
    yield
    assert workers() - others == set(shared_window.run.pids.values())
    names = [each.name for each in threading.enumerate() if each.name.startswith("aeviz")]
    assert sorted(names) == ["aeviz-journal", "aeviz-read", "aeviz-write"]


@pytest.fixture(autouse=True)
def still_alive(desk):
    """After whatever a test did, the window trains again."""
    yield
    if desk.run.lost:
        desk.window.notice.button.click()
    desk.begin()
    desk.finish()


def kill_at(desk, epoch: int) -> int:
    """Let a paced run come so far, and kill the worker; returns the epoch that was seen last."""
    desk.begin(LONGER, speed=120.0)
    desk.until(lambda: desk.run.epoch > epoch)
    seen = desk.run.epoch
    os.kill(desk.run.pids["trainer"], signal.SIGKILL)
    desk.until(desk.window.notice.isVisible)
    return seen


def offered_epoch(desk) -> int:
    return int(
        re.fullmatch(r"Go on from epoch ([\d\u2009]+)", desk.window.notice.button.text())[1].replace(
            "\u2009", ""
        )
    )


def test_a_killed_worker_is_told_and_the_run_goes_on_as_if_nothing_had_been(desk):
    desk.begin(LONGER)
    desk.finish()
    undisturbed, last = desk.run.losses.copy(), desk.fields[-1]
    seen = kill_at(desk, 60)
    text = desk.window.notice.text.text()
    assert "was ended by signal 9" in text
    assert "The window lives" in text
    epoch = offered_epoch(desk)
    assert epoch == desk.run.epoch >= seen
    assert any("stopped" in label.text() for label in desk.window.timeline.findChildren(QLabel))
    desk.store.set(layer="ambiguity")  # the window can be used
    desk.store.set(layer="magnitude")
    assert desk.run.losses[:epoch].tobytes() == undisturbed[:epoch].tobytes()
    QTest.mouseClick(desk.window.notice.button, Qt.MouseButton.LeftButton)
    assert not desk.window.notice.isVisible()
    desk.until(lambda: desk.run.epoch > epoch)
    desk.run.drive(speed=math.inf)
    desk.finish()
    assert desk.run.losses.tobytes() == undisturbed.tobytes()
    assert desk.fields[-1].displacement.tobytes() == last.displacement.tobytes()
    desk.run.look_at(13)  # from before the death
    desk.until(lambda: desk.frames[-1].epoch == 13)


def test_without_a_worker_the_window_can_be_used_and_takes_the_run_up_once(desk, others, tmp_path):
    kill_at(desk, 20)
    epoch = offered_epoch(desk)
    desk.store.set(noise=0.6)
    desk.window.statusBar().clearMessage()
    desk.window.exports.write_data(tmp_path / "a.npz")
    desk.until(lambda: str(tmp_path / "a.npz") in desk.window.statusBar().currentMessage())
    assert not (tmp_path / "a.npz").exists()
    desk.press(Qt.Key.Key_Space)  # another way to go on
    desk.window.notice.button.click()  # which may still be there
    desk.until(lambda: desk.run.epoch > epoch)
    assert desk.frames[-1].settings.noise == 0.6
    assert not desk.window.notice.isVisible()
    assert len(workers() - others) == 2, "a process is left behind"


@pytest.mark.parametrize("which", ["trainer", "observer"])
def test_whichever_process_is_killed_the_run_is_taken_up_where_it_was(desk, which):
    desk.begin(LONGER, speed=120.0)
    desk.until(lambda: desk.run.epoch > 40)
    os.kill(desk.run.pids[which], signal.SIGKILL)
    desk.until(desk.window.notice.isVisible)
    epoch = offered_epoch(desk)
    assert epoch > 20
    desk.window.notice.button.click()
    desk.until(lambda: desk.run.epoch > epoch)


def test_a_device_that_is_not_there_is_told_and_the_processor_taken(desk, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")  # of the processes that come
    kill_at(desk, 5)
    desk.window.notice.button.click()
    desk.until(lambda: desk.run.ready_to_train)
    desk.store.set(device="cuda")
    desk.until(desk.window.notice.isVisible)
    text = desk.window.notice.text.text()
    assert text.startswith("--device cannot be 'cuda': ")
    assert text.endswith("use --device cpu.")
    assert desk.store.settings.device == "cpu"
    desk.frames.clear()
    desk.run.drive(playing=True)
    desk.until(lambda: desk.frames and desk.frames[-1].epoch > 3)


def test_a_keyframe_that_came_before_its_losses_is_trained_again(desk):
    """The trainer tells of it at once, the losses come with the next frame: a kill may come between."""
    desk.run.drive(playing=True)
    desk.finish()
    branch = desk.run.branch
    last = [*branch.timeline][-1]
    desk.run.history.keep(dataclasses.replace(last, epoch=121))  # which is due
    assert branch.runs_ahead
    desk.run.go_to(branch.number)
    assert not branch.runs_ahead
    assert [frame.epoch for frame in branch.timeline][-1] == last.epoch


def test_a_reset_without_a_worker_begins_anew(desk):
    kill_at(desk, 20)
    desk.press(Qt.Key.Key_R)
    assert len(desk.run.losses) == 0
    desk.window.notice.button.click()
    desk.run.drive(speed=math.inf)
    desk.finish()
    assert len(desk.run.losses) == 600


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="opens the process by its id")
def test_a_hanging_worker_is_told_and_replaced(desk, monkeypatch):
    desk.begin(LONGER, speed=120.0)
    desk.until(lambda: desk.run.epoch > 20)
    pid = desk.run.pids["trainer"]
    handle = os.pidfd_open(pid)
    os.kill(pid, signal.SIGSTOP)
    monkeypatch.setattr(live_run, "PATIENCE", 1.5)  # one sign of life may be missed
    for step in range(1_000):  # the slider is dragged meanwhile: that must not wait for the worker
        desk.store.set(noise=step / 1_000)
    desk.until(desk.window.notice.isVisible)
    monkeypatch.undo()
    assert "no sign of life for 1.5 seconds" in desk.window.notice.text.text()
    assert select.select([handle], [], [], 0.0)[0], "it still hangs"
    os.close(handle)
    epoch = offered_epoch(desk)
    desk.window.notice.button.click()
    desk.until(lambda: desk.run.epoch > epoch)
    assert desk.frames[-1].settings.noise == 0.999


def test_divergence_is_told_with_advice_and_the_advice_helps(desk):
    desk.begin(QUICK.replace(optimiser="sgd"))
    desk.finish()
    desk.store.set(learning_rate=1.0, epochs=300)
    desk.until(desk.window.notice.isVisible)
    text = desk.window.notice.text.text()
    assert "lower the learning rate (it is 1)" in text
    (stopped,) = re.findall(r"Training stopped at epoch ([\d,]+):", text)
    assert not desk.window.notice.button.isVisible(), "there is nothing that one click mends"
    desk.settle()  # a frame from before the stop may still have been under way
    assert int(stopped) == desk.run.epoch <= 110
    assert (desk.run.phase, desk.frames[-1].epoch) == ("paused", desk.run.epoch)
    assert np.isfinite(desk.fields[-1].displacement).all()
    assert np.isfinite(desk.run.losses).all()
    assert desk.window.timeline.play.accessibleName() == "Play"
    desk.store.set(learning_rate=0.01)
    desk.press(Qt.Key.Key_Space)
    desk.finish()
    assert np.isfinite(desk.run.losses).all()
    assert len(desk.run.losses) == 300


@pytest.mark.qt_log_ignore("propagateSizeHints", extend=True)  # the offscreen platform has no such thing
def test_an_error_in_the_worker_is_reported_and_another_run_can_begin(desk):
    desk.begin(QUICK.replace(epochs=1_000_000))
    desk.until(lambda: desk.run.epoch > 20)
    desk.run._client.send(m.Ask(0, QUICK, grid="no grid"))
    desk.until(lambda: desk.window.reporter.dialog and desk.window.reporter.dialog.isVisible())
    dialog = desk.window.reporter.dialog
    assert "AttributeError" in dialog.report
    assert "observer.py" in dialog.report
    dialog.close()
    assert not desk.run.playing
    desk.frames.clear()
    desk.run.refresh()  # it asks for nothing by itself: that might fail again
    desk.until(lambda: desk.frames and desk.run.phase == "paused")  # as the trainer says
    stands = desk.run.epoch
    desk.settle()
    assert desk.run.epoch == stands
    desk.press(Qt.Key.Key_R)
    desk.press(Qt.Key.Key_Space)
    desk.frames.clear()
    desk.until(lambda: desk.frames and desk.frames[-1].epoch > 20)


@pytest.mark.qt_log_ignore("propagateSizeHints", extend=True)  # the offscreen platform has no such thing
def test_an_error_while_a_question_is_open_costs_no_loss(desk):
    desk.begin(LONGER)
    desk.finish()
    undisturbed = desk.run.losses.copy()
    desk.begin(LONGER, speed=120.0)
    desk.run.branch._losses[:] = 1.0  # what was there before would look right
    desk.until(lambda: desk.run.epoch > 20)
    desk.until(lambda: desk.run._asked is not None)
    desk.run._handle(desk.run._client, m.Failed("made to fail", over=False, run=desk.run._run))
    desk.window.reporter.dialog.close()
    desk.run.drive(playing=True, speed=math.inf)
    desk.finish()
    assert desk.run.losses.tobytes() == undisturbed.tobytes()


@pytest.mark.qt_log_ignore("propagateSizeHints", extend=True)  # the offscreen platform has no such thing
def test_after_an_error_that_ends_the_run_play_takes_it_up_again(desk):
    desk.begin(LONGER)
    desk.finish()
    undisturbed = desk.run.losses.copy()
    desk.begin(LONGER, speed=120.0)
    desk.until(lambda: desk.run.epoch > 20)
    desk.run._handle(desk.run._client, m.Failed("made to fail", over=True, run=desk.run._run))
    desk.window.reporter.dialog.close()
    assert not desk.run.playing
    desk.window.activateWindow()
    desk.until(desk.window.isActiveWindow)
    epoch = desk.run.epoch
    desk.press(Qt.Key.Key_S)  # one epoch
    desk.until(lambda: desk.run.epoch == epoch + 1)
    desk.run.drive(speed=math.inf)
    desk.press(Qt.Key.Key_Space)
    desk.finish()
    assert desk.run.losses.tobytes() == undisturbed.tobytes()


def test_a_way_to_go_on_is_not_replaced_by_what_offers_none(desk, tmp_path):
    notice = desk.window.notice
    kill_at(desk, 20)
    text = notice.text.text()
    desk.window.exports.write_data(tmp_path / "a.npz")
    desk.until(lambda: str(tmp_path / "a.npz") in desk.message)
    assert notice.text.text() == text and notice.button.isVisible()
    notice.button.click()
    notice.mention("It is done.")
    assert notice.isVisible() and notice.text.text() == "It is done."


def test_a_window_that_was_stopped_itself_does_not_blame_its_processes(desk):
    desk.begin(LONGER, speed=120.0)
    desk.until(lambda: desk.run.epoch > 20)
    client = desk.run._client
    for peer in client._peers:  # as if all of it had been stopped for an hour
        peer.heard -= 3_600.0
    desk.run._ticked -= 3_600.0
    desk.run._tick()
    assert desk.run._client is client and not desk.window.notice.isVisible()
    for peer in client._peers:
        peer.heard -= 3_600.0
    desk.run._tick()
    assert desk.run.lost, "this silence is theirs"


@pytest.mark.qt_log_ignore("propagateSizeHints", extend=True)  # the offscreen platform has no such thing
def test_after_an_error_the_window_says_that_it_rests(desk):
    desk.begin(LONGER, speed=120.0)
    desk.until(lambda: desk.run.epoch > 20)
    desk.run._handle(desk.run._client, m.Failed("made to fail", over=False, run=desk.run._run))
    desk.window.reporter.dialog.close()
    desk.until(lambda: desk.says(desk.window.timeline, "paused"))
    assert desk.window.timeline.play.accessibleName() == "Play"


@pytest.mark.qt_log_ignore("propagateSizeHints", extend=True)  # the offscreen platform has no such thing
def test_an_error_in_a_slot_is_a_report_that_can_be_copied(desk, monkeypatch):
    monkeypatch.setattr(sys, "excepthook", desk.window.reporter)

    def slot(*_: object) -> None:
        raise ZeroDivisionError("made to fail")

    desk.store.changed.connect(slot)
    try:
        desk.store.set(threshold=3.0)
        desk.store.set(threshold=4.0)
    finally:
        desk.store.changed.disconnect(slot)
    (dialog,) = [each for each in desk.window.findChildren(ReportDialog) if each.isVisible()]
    assert dialog.report.count("ZeroDivisionError: made to fail") == 1, "the same report twice"
    assert "in slot" in dialog.report
    assert "aeviz " in dialog.report
    assert "PyQt " in dialog.report
    copy = next(button for button in dialog.findChildren(QPushButton) if button.text() == "Copy report")
    QTest.mouseClick(copy, Qt.MouseButton.LeftButton)
    assert QApplication.clipboard().text() == dialog.report
    QApplication.clipboard().clear()
    dialog.close()
    assert desk.store.settings.threshold == 4.0
    desk.settle()
