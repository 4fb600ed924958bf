"""Play, pause, step, reset, speed and the target."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest

from aeviz.core.corruption import shown_noisy
from aeviz.core.settings import Settings
from aeviz.figure.theme import DARK

QUICK = Settings(points=40, hidden=(8,), code=8, batch=40, epochs=100, grid=(12, 10))
ENDLESS = QUICK.replace(epochs=1_000_000)
# Without heat map, arrows and outline, a point's pixel has the point's colour.
POINTS = ENDLESS.replace(layer="none", arrows="none", midline=False, show_data=False, show_noisy=True)


def test_space_plays_and_pauses(desk):
    desk.begin(ENDLESS)
    desk.until(lambda: desk.run.epoch > 10)
    desk.press(Qt.Key.Key_Space)
    desk.until(lambda: desk.run.phase == "paused")
    desk.settle()
    assert desk.says(desk.window.timeline, "paused")
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
    assert not np.array_equal(desk.run.data.points, data.points)
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
    target = desk.window.timeline.readout.target
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
    assert desk.says(desk.window.timeline, "finished")
    assert desk.run.epoch == 100
    if again == "key":
        desk.press(Qt.Key.Key_Space)
    elif again == "button":
        QTest.mouseClick(desk.window.timeline.play, Qt.MouseButton.LeftButton)
    else:
        target = desk.window.timeline.readout.target
        target.setFocus()
        target.selectAll()
        QTest.keyClicks(target, "200")
        QTest.keyClick(target, Qt.Key.Key_Return)
    assert desk.store.settings.epochs == 200
    desk.finish()
    assert len(desk.run.losses) == 200
    assert np.isfinite(desk.run.losses).all()
