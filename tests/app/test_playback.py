"""The past played back: at which speed, from where to where, and what training does meanwhile."""

from __future__ import annotations

import math

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QAction
from PyQt6.QtTest import QTest

from aeviz.app.playback import WHOLE
from aeviz.core.settings import SPECS, Settings

QUICK = Settings(points=40, hidden=(8,), code=8, batch=40, epochs=100, grid=(12, 10))
ENDLESS = QUICK.replace(epochs=1_000_000)
SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass when the test says so."""
    now = [0.0]
    monkeypatch.setattr("aeviz.app.playback.perf_counter", lambda: now[0])

    def pass_by(seconds: float) -> None:
        now[0] += seconds

    return pass_by


@pytest.fixture
def played(desk):
    """A desk at a run that is finished, of 100 epochs."""
    desk.begin()
    desk.finish()
    desk.run.drive(speed=30.0)
    yield desk
    desk.window.playback.pause()


def press(desk) -> None:
    desk.press(Qt.Key.Key_Space, modifier=SHIFT)


def test_it_plays_from_the_beginning_to_the_end_and_is_live_then(played, clock):
    desk, panel = played, played.window.timeline
    press(desk)
    assert desk.run.looking_at == 0
    assert panel.playback.accessibleName() == "Pause the playback"
    for seconds, epoch in ((1.0, 30), (0.5, 45), (1.0 / 30.0, 46), (1.7, 97)):
        clock(seconds + 1e-6)
        desk.until(lambda epoch=epoch: desk.run.looking_at == epoch)
        desk.until(lambda epoch=epoch: desk.frames[-1].epoch == epoch)
        assert desk.says(panel, "replay")
    clock(0.2)
    desk.until(lambda: not desk.window.playback.playing)
    assert desk.run.looking_at is None
    desk.until(lambda: desk.frames[-1].epoch == 100)
    assert not desk.says(panel, "replay")
    assert panel.playback.accessibleName() == "Play back the past"


def test_it_plays_from_the_epoch_that_is_looked_at_and_pauses(played, clock):
    desk = played
    desk.run.look_at(40)
    QTest.mouseClick(desk.window.timeline.playback, Qt.MouseButton.LeftButton)
    clock(1.0 + 1e-6)
    desk.until(lambda: desk.run.looking_at == 70)
    QTest.mouseClick(desk.window.timeline.playback, Qt.MouseButton.LeftButton)
    assert not desk.window.playback.playing
    clock(5.0)
    desk.settle()
    assert desk.run.looking_at == desk.frames[-1].epoch == 70


def test_at_unlimited_speed_the_whole_run_takes_some_seconds(played, clock):
    desk = played
    desk.run.drive(speed=math.inf)
    press(desk)
    clock(0.5 * WHOLE + 1e-6)
    desk.until(lambda: desk.run.looking_at == 50)
    clock(0.5 * WHOLE + 1e-6)
    desk.until(lambda: desk.run.looking_at is None)


def test_it_begins_again_where_a_loop_is_wanted(played, clock):
    desk = played
    desk.store.set(loop=True)
    desk.run.look_at(90)
    press(desk)
    clock(1.0)
    desk.until(lambda: desk.run.looking_at == 0)
    clock(1.0 + 1e-6)
    desk.until(lambda: desk.run.looking_at == 30)
    desk.store.set(loop=False)
    clock(10.0)
    desk.until(lambda: desk.run.looking_at is None)


def test_training_goes_on_undisturbed_and_is_never_outrun(desk, clock):
    desk.begin(ENDLESS, speed=500.0)
    desk.until(lambda: desk.run.epoch > 50)
    desk.run.look_at(10)
    press(desk)
    clock(0.02 + 1e-6)
    desk.until(lambda: desk.run.looking_at == 20)
    epoch = desk.run.epoch
    desk.until(lambda: desk.run.epoch > epoch + 50)
    assert (desk.run.phase, desk.run.looking_at) == ("training", 20)
    clock(1e6)
    desk.until(lambda: not desk.window.playback.playing)
    assert desk.run.looking_at is None
    assert desk.says(desk.window.timeline, "live")


def test_training_rests_meanwhile_where_that_is_wanted(desk, clock):
    desk.begin(ENDLESS.replace(pause_past=True), speed=500.0)
    desk.until(lambda: desk.run.epoch > 50)
    press(desk)
    desk.until(lambda: desk.run.phase == "paused")
    epoch = desk.run.epoch
    clock(0.02 + 1e-6)
    desk.until(lambda: desk.run.looking_at == 10)
    assert desk.run.epoch == epoch
    clock(1e6)
    desk.until(lambda: desk.run.epoch > epoch + 10)
    desk.store.set(pause_past=False)


@pytest.mark.parametrize("how", ["live", "key", "mark", "branch"])
def test_who_goes_elsewhere_has_paused_it(how, played, clock):
    desk = played
    desk.run.look_at(40)
    press(desk)
    if how == "live":
        desk.press(Qt.Key.Key_L)
        wanted = None
    elif how == "key":
        desk.press(Qt.Key.Key_Left)
        wanted = 39
    elif how == "mark":
        desk.press(Qt.Key.Key_Left, modifier=SHIFT)
        wanted = 0
    else:
        desk.press(Qt.Key.Key_R)
        wanted = None
    assert not desk.window.playback.playing
    clock(1.0)
    desk.settle()
    assert desk.run.looking_at == wanted


def test_it_stands_still_in_the_hand_and_goes_on_from_where_it_is_let_go(played, clock, drag):
    desk, slider = played, played.window.timeline.slider
    desk.run.look_at(80)
    press(desk)
    drag(slider, 20, release=False)
    held = desk.run.looking_at
    assert held == pytest.approx(20, abs=1)
    clock(1.0)
    desk.settle()
    assert desk.run.looking_at == held
    drag(slider, 20)
    assert desk.window.playback.playing
    here = desk.run.looking_at
    clock(1.0 + 1e-6)
    desk.until(lambda: desk.run.looking_at == here + 30)


@pytest.mark.parametrize("name", ["loop", "pause_past"])
def test_the_menu_of_the_past_and_the_panel_show_the_same(name, desk):
    (entry,) = [each for each in desk.window.findChildren(QAction) if each.text() == SPECS[name].label]
    editor = desk.window.controls.editor(name)
    for is_on in (True, False):
        entry.trigger()
        assert getattr(desk.store.settings, name) == editor.isChecked() == entry.isChecked() == is_on
        desk.store.set(**{name: not is_on})
        assert entry.isChecked() != is_on
        entry.trigger()


def test_there_is_nothing_to_play_before_the_first_epoch(desk):
    press(desk)
    assert not desk.window.playback.playing
    assert desk.run.looking_at is None


def test_its_key_is_not_that_of_training(desk, clock):
    desk.begin()
    desk.finish()
    desk.run.drive(playing=False)
    desk.window.timeline.playback.setFocus()
    press(desk)
    assert (desk.window.playback.playing, desk.run.playing) == (True, False)
    desk.press(Qt.Key.Key_Space, desk.window.timeline.playback)  # the button has the focus
    assert (desk.window.playback.playing, desk.run.playing) == (False, False)
