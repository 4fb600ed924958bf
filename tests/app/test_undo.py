"""Undo and redo of every change of settings, by name; the list of changes shows the epochs."""

from __future__ import annotations

import time
from datetime import datetime

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest

from aeviz.app.change_list import ChangeList
from aeviz.core import changes as changes_module
from aeviz.core.changes import Change

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture(autouse=True)
def nothing_is_merged(monkeypatch):
    """Changes made by a test follow each other faster than those of a hand."""
    monkeypatch.setattr(changes_module, "MERGED", -1.0)


def titles(desk) -> list[str]:
    return [change.title for change in desk.run.history.changes]


def test_a_change_is_named_undone_and_redone_by_key(desk):
    desk.store.set(noise=0.4)
    undo, redo = desk.window.undo.undo_action, desk.window.undo.redo_action
    assert titles(desk)[-1] == "Noise 0.25 → 0.40"
    assert undo.text() == "&Undo: Noise 0.25 → 0.40"
    desk.press(Qt.Key.Key_Z, modifier=CONTROL)
    assert desk.store.settings.noise == 0.25
    assert redo.isEnabled() and redo.text() == "&Redo: Noise 0.25 → 0.40"
    desk.press(Qt.Key.Key_Z, modifier=CONTROL | SHIFT)
    assert desk.store.settings.noise == 0.4
    assert not redo.isEnabled()
    assert titles(desk)[-3:] == ["Noise 0.25 → 0.40", "Undo: Noise 0.25 → 0.40", "Redo: Noise 0.25 → 0.40"]


def test_a_drag_of_the_slider_is_one_change(desk, drag, monkeypatch):
    monkeypatch.setattr(changes_module, "MERGED", 60.0)
    desk.store.set(learning_rate=0.02)
    before = len(desk.run.history.changes)
    drag(desk.window.controls.editor("noise"), 80)
    assert len(desk.run.history.changes) == before + 1
    desk.window.undo.undo()
    assert desk.store.settings.noise == 0.25
    assert desk.store.settings.learning_rate == 0.02


def test_view_and_training_are_undone_in_the_order_in_which_they_were_changed(desk):
    begun = desk.store.settings
    desk.store.set(layer="ambiguity")
    desk.store.set(noise=0.5)
    desk.store.set(theme="light")
    for expected in ({"layer": "ambiguity", "noise": 0.5}, {"layer": "ambiguity"}, {}):
        desk.window.undo.undo()
        assert begun.changed(desk.store.settings) == expected


def test_an_undo_is_part_of_the_run_and_is_replayed_with_it(desk):
    desk.begin(desk.store.settings.replace(epochs=1_000_000), speed=300.0)
    desk.until(lambda: desk.run.epoch > 10)
    desk.store.set(noise=0.6)
    desk.until(lambda: desk.run.branch.timeline.changes)
    taken = desk.run.epoch
    desk.until(lambda: desk.run.epoch > taken + 5)
    desk.window.undo.undo()
    desk.until(lambda: len(desk.run.branch.timeline.changes) == 2)
    changes = desk.run.branch.timeline.changes
    assert [settings.noise for _, settings in changes] == [0.6, 0.25]
    epochs = [epoch for epoch, _ in changes]
    assert 10 < epochs[0] < epochs[1]
    desk.until(lambda: desk.run.epoch > epochs[1] + 5)
    desk.run.drive(playing=False)
    desk.until(lambda: desk.says(desk.window.timeline, "paused"))
    desk.settle()
    newest, replayed = desk.fields[-1], desk.run.epoch
    desk.run.step()  # what was the newest is a past epoch now
    desk.until(lambda: desk.run.epoch == replayed + 1)
    desk.run.look_at(replayed)
    desk.until(lambda: desk.frames[-1].epoch == replayed)
    assert desk.fields[-1].displacement.tobytes() == newest.displacement.tobytes()


def test_undoing_another_network_brings_the_old_run_back_as_it_was(desk, monkeypatch):
    monkeypatch.setattr("aeviz.core.history.PASSING", 0.0)
    desk.run.drive(playing=True)
    desk.finish()
    old, losses = desk.run.branch, desk.run.losses.tobytes()
    desk.store.set(seed=7)
    desk.until(lambda: desk.run.epoch > 5)
    new = desk.run.branch
    desk.window.undo.undo()
    assert desk.run.branch is old
    assert (desk.run.epoch, desk.store.settings.seed) == (old.epoch, 0)
    desk.until(lambda: desk.run.phase == "finished")
    desk.settle()
    assert desk.run.losses.tobytes() == losses
    assert desk.frames[-1].epoch == old.epoch
    desk.window.undo.redo()
    assert desk.run.branch is new


def test_what_was_changed_back_by_hand_can_still_be_undone(desk):
    desk.store.set(noise=0.5)
    desk.store.set(noise=0.25)
    desk.window.undo.undo()
    desk.store.set(layer="none")
    desk.window.undo.undo()
    assert desk.store.settings.noise == 0.5
    desk.window.undo.undo()
    assert desk.store.settings.noise == 0.25


def test_a_lesson_is_one_change_by_its_title(desk):
    begun = desk.store.settings
    desk.window.lessons.open("lecture-2020")
    assert titles(desk)[-1].startswith("Lesson: ")
    desk.window.undo.undo()
    assert desk.store.settings == begun


@pytest.mark.qt_log_ignore("propagateSizeHints", extend=True)  # the offscreen platform has no such thing
def test_the_list_of_changes_leads_to_their_epochs(desk):
    desk.begin(desk.store.settings.replace(epochs=1_000_000), speed=300.0)
    begun = desk.run.branch
    desk.until(lambda: desk.run.epoch > 20)
    desk.store.set(noise=0.6)
    desk.until(lambda: begun.timeline.changes)
    taken = desk.run.epoch
    desk.until(lambda: desk.run.epoch > taken + 10)
    desk.run.drive(playing=False)
    desk.until(lambda: desk.says(desk.window.timeline, "paused"))
    desk.press(Qt.Key.Key_H, modifier=CONTROL | SHIFT)
    dialog = desk.window.findChild(ChangeList)
    item = dialog.list.topLevelItem(0)
    assert item.text(0) == "Noise 0.25 → 0.60"
    epoch = int(item.text(2))
    assert 20 < epoch < desk.run.epoch
    place = dialog.list.visualItemRect(item).center()
    QTest.mouseClick(dialog.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert desk.run.looking_at == epoch
    desk.until(lambda: desk.frames[-1].epoch == epoch)
    desk.run.look_at(epoch + 5)
    desk.run.fork()  # the change is in its past, too
    QTest.mouseClick(dialog.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert desk.run.looking_at == epoch
    desk.run.look_at(epoch - 5)
    desk.run.fork()  # and here it is not
    QTest.mouseClick(dialog.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert desk.run.looking_at is None
    assert desk.message == f"That was in {begun.name}: go to that run first"


@pytest.mark.qt_log_ignore("propagateSizeHints", extend=True)  # the offscreen platform has no such thing
def test_the_list_of_changes_is_whole_however_long_their_names(desk):
    changes, settings, number = desk.run.history.changes, desk.store.settings, desk.run.branch.number
    long_ago = datetime(2025, 12, 24, 18, 30).timestamp()
    changes.add(Change(settings, settings.replace(noise=0.5), number, 1, long_ago))
    changes.add(Change(settings, settings, number, 1, time.time(), name="Lesson: " + 20 * "a word "))
    dialog = ChangeList(desk.window, desk.window.undo, desk.run, lambda text: None)
    dialog.show()
    desk.until(dialog.list.isVisible)
    assert dialog.list.horizontalScrollBar().maximum() == 0
    assert dialog.list.topLevelItem(0).text(3).count(":") == 2, "today"
    assert dialog.list.topLevelItem(1).text(3) == "2025-12-24 18:30"
    dialog.close()
