"""The epoch slider: what it marks, where it is clicked, and the keys that move through the epochs."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QPushButton

from aeviz.app import lineage as lineage_module
from aeviz.app import timeline
from aeviz.app.epoch_marks import EpochMark, marks_of
from aeviz.app.lineage import shared
from aeviz.core import changes as changes_module
from aeviz.core.changes import Change
from aeviz.core.clean_data import clean_data
from aeviz.core.history import History
from aeviz.core.settings import Settings
from aeviz.core.timeline import Keyframe

QUICK = Settings(points=40, hidden=(8,), code=8, batch=40, epochs=100, grid=(12, 10))
PACED = QUICK.replace(epochs=2_000)
NONE, SHIFT, CTRL = (
    Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier,
)  # fmt: skip


class Story:
    """A history that is told change by change."""

    def __init__(self, settings: Settings = QUICK) -> None:
        self.history, self.settings, self.now = History(), settings, 0.0
        self.history.begin(settings, clean_data(settings))
        self.history.keep(Keyframe(0, settings, {"loss": np.array(np.nan)}))

    def train(self, epochs: int) -> None:
        start = self.history.current.epoch
        self.history.tell(start, np.full((epochs, 2), 0.5, dtype=np.float32))

    def change(self, after: float = 10.0, lag: int = 1, name: str = "", **changes) -> None:
        """Change settings so many seconds after the last time; they take effect `lag` epochs later."""
        old, self.settings, self.now = self.settings, self.settings.replace(**changes), self.now + after
        branch = self.history.current
        self.history.change(Change(old, self.settings, branch.number, branch.epoch, self.now, name=name))
        self.train(lag)
        self.history.note(branch.epoch, self.settings)

    @property
    def marks(self) -> list[tuple[int, str]]:
        return [(mark.epoch, mark.title) for mark in marks_of(self.history)]


# What is marked


def test_a_change_is_marked_where_it_took_effect():
    story = Story()
    assert story.marks == []
    story.train(136)
    story.change(noise=0.4)
    assert story.marks == [(137, "Noise 0.25 → 0.40")]
    (mark,) = marks_of(story.history)
    assert mark.tip == "epoch 137: Noise 0.25 → 0.40"
    assert mark.short == "σ 0.25 → 0.40"
    drawn = EpochMark(137, "changed", old=mark.old, new=mark.new.replace(theme="light", midline=False))
    assert drawn.short == mark.short, "how it is drawn is not what is marked"


def test_a_drag_is_one_mark_and_what_comes_later_another():
    story = Story()
    story.train(10)
    for noise in (0.3, 0.35, 0.4):
        story.change(after=0.1, noise=noise)
    story.train(10)
    story.change(noise=0.5)
    story.change(after=0.1, learning_rate=0.01)
    assert story.marks == [
        (11, "Noise 0.25 → 0.40"), (24, "Noise 0.4 → 0.5"), (25, "Learning rate 0.03 → 0.01"),
    ]  # fmt: skip


def test_what_changes_no_training_is_not_marked():
    story = Story()
    story.train(10)
    story.change(epochs=3_000)
    story.change(noise=0.4, theme="light")
    story.change(noise=0.5)
    story.change(after=0.1, noise=0.4)  # of the same drag: and back
    assert story.marks == [(12, "Noise 0.25 → 0.40")]


def test_where_a_branch_left_its_parent_is_marked_with_what_differs():
    story = Story()
    story.train(50)
    story.change(noise=0.3)
    story.train(50)
    story.change(noise=0.4)
    story.settings = story.settings.replace(noise=0.6)
    story.history.fork(80, story.settings)
    story.history.note(80, story.settings)
    assert story.marks == [(51, "Noise 0.25 → 0.30"), (80, "Left Run 1: Noise 0.3 → 0.6")]
    story.train(20)
    story.history.fork(90, story.settings)
    assert [title for _, title in story.marks[1:]] == ["Left Run 1: Noise 0.3 → 0.6", "Left Run 2"]
    assert marks_of(story.history)[1].short == "Left Run 1"
    story.history.remove(2)
    assert story.marks[-1] == (90, "Left a forgotten run")


def test_where_a_lesson_began_is_marked(desk, monkeypatch):
    monkeypatch.setattr(lineage_module, "_TOGETHER", 60.0)
    desk.window.lessons.open("too-little-noise")
    (mark,) = marks_of(desk.run.history)
    assert (mark.epoch, mark.title) == (0, f"Lesson: {desk.window.lessons.current.title}")
    desk.until(lambda: desk.window.timeline.names.texts == [mark.title])
    desk.run.reset()
    assert mark.title in {each.title for each in marks_of(desk.run.history)}, "it was begun again at once"


def test_how_much_branches_have_in_common():
    story = Story()
    first = story.history.current
    story.train(100)
    second = story.history.fork(60, story.settings)
    story.train(100)
    third = story.history.fork(40, story.settings)
    fourth = story.history.begin(QUICK.replace(seed=1), first.data)
    branches = [first, second, third, fourth]
    found = [[shared(story.history, one, other) for other in branches] for one in branches]
    assert found == [[100, 60, 40, 0], [60, 160, 40, 0], [40, 40, 40, 0], [0, 0, 0, 0]]
    story.history.remove(1)
    assert shared(story.history, second, third) == 40


# The slider


def test_a_dragged_noise_is_one_mark_with_its_name_under_it(desk, drag, monkeypatch):
    monkeypatch.setattr(changes_module, "MERGED", 60.0)  # seconds: this hand is slower where others work
    desk.begin(PACED, speed=120.0)
    desk.until(lambda: desk.run.epoch > 20)
    noise, slider = desk.window.controls.editor("noise"), desk.window.timeline.slider
    before = desk.run.epoch
    drag(noise, 80, seen=desk.settle)
    desk.until(lambda: len(desk.run.branch.timeline.changes) > 2)
    desk.until(lambda: slider.marks and slider.marks[-1].new.noise == desk.store.settings.noise > 0.35)
    (mark,) = slider.marks
    assert before <= mark.epoch == desk.run.branch.timeline.changes[0][0]
    assert mark.tip in slider.tip_at(slider.x_of(mark.epoch))
    assert desk.window.timeline.names.texts == [mark.short]
    assert slider.tip_at(slider.width() - 20).startswith("Drag back")
    desk.run.drive(playing=False)
    place = QPoint(slider.x_of(mark.epoch) + 4, 5)
    QTest.mouseClick(desk.window.timeline.names, Qt.MouseButton.LeftButton, pos=place)
    assert desk.run.looking_at == mark.epoch


def test_the_least_loss_is_marked(desk):
    desk.begin()
    desk.finish()
    desk.settle()
    slider, best = desk.window.timeline.slider, int(np.argmin(desk.run.losses[:, 0])) + 1
    told = slider.tip_at(slider.x_of(best))
    assert told == f"epoch {best}: least loss {desk.run.losses[best - 1, 0]:.3g}"
    assert slider.grab().toImage() != _without(slider)


def _without(slider):
    best = slider._best
    slider.show_best(None)
    image = slider.grab().toImage()
    slider.show_best(best)
    return image


def test_names_stand_beside_each_other_or_not_at_all(desk):
    names, slider = desk.window.timeline.names, desk.window.timeline.slider
    story = Story(PACED)
    for noise in np.arange(0.26, 0.56, 0.01):
        story.train(60)
        story.change(noise=round(float(noise), 2))
    slider.follow(0, 2_000)
    slider.show_marks(marks_of(story.history))
    places = sorted((place.left(), place.right()) for place, _, _ in names._names())
    assert 3 < len(places) < 30
    assert places[-1][1] <= names.width()
    assert all(left[1] < right[0] for left, right in itertools.pairwise(places))
    assert names.texts[-1] == "σ 0.55 → 0.56"
    desk.window._down.setSizes([700, 122])
    assert not names.isVisible()
    desk.window._down.setSizes([700, 170])
    assert names.isVisible()


def test_marks_are_made_when_they_change_and_not_with_every_frame(desk, monkeypatch):
    made: list[int] = []
    monkeypatch.setattr(timeline, "marks_of", lambda history: made.append(1) or marks_of(history))
    monkeypatch.setattr(timeline, "CURVE_EVERY", 0.0)
    desk.begin(PACED, speed=120.0)
    desk.until(lambda: desk.run.epoch > 10)
    made.clear()
    desk.settle(10)
    assert not made
    desk.store.set(noise=0.4)
    desk.until(lambda: desk.window.timeline.slider.marks)
    assert 0 < len(made) < 3


def test_a_click_beside_the_handle_goes_there(desk):
    desk.begin()
    desk.finish()
    slider = desk.window.timeline.slider
    desk.settle()
    for epoch in (20, 70, 45):
        place = QPoint(slider.x_of(epoch), slider.height() // 2)
        QTest.mouseClick(slider, Qt.MouseButton.LeftButton, pos=place)
        assert desk.run.looking_at == epoch
        desk.until(lambda epoch=epoch: desk.frames[-1].epoch == epoch)
        assert slider.value() == epoch


# Keys


@pytest.mark.parametrize("focus", ["field", "epochs"])
def test_arrow_keys_step_through_the_epochs(focus, desk):
    desk.begin(QUICK.replace(epochs=300))
    desk.finish()
    slider = desk.window.timeline.slider
    widget = slider if focus == "epochs" else None
    if widget:
        widget.setFocus()
    for key, modifier, epoch in (
        (Qt.Key.Key_Right, NONE, None), (Qt.Key.Key_Left, NONE, 299), (Qt.Key.Key_Left, NONE, 298),
        (Qt.Key.Key_Left, SHIFT, 198), (Qt.Key.Key_Right, NONE, 199), (Qt.Key.Key_Left, SHIFT, 99),
        (Qt.Key.Key_Left, SHIFT, 0), (Qt.Key.Key_Left, NONE, 0), (Qt.Key.Key_Right, SHIFT, 100),
        (Qt.Key.Key_Right, SHIFT, 200), (Qt.Key.Key_Right, SHIFT, None),
    ):  # fmt: skip
        desk.press(key, widget, modifier)
        assert desk.run.looking_at == epoch
        assert slider.value() == (300 if epoch is None else epoch)
    desk.settle()
    assert desk.frames[-1].epoch == 300


def test_a_key_that_is_held_steps_from_what_is_asked_for_not_from_what_is_there(desk):
    desk.begin()
    desk.finish()
    for _ in range(30):  # faster than frames come
        desk.press(Qt.Key.Key_Left)
    assert desk.run.looking_at == 70
    desk.until(lambda: desk.frames[-1].epoch == 70)


def test_control_and_arrows_go_from_mark_to_mark(desk):
    desk.begin()
    desk.finish()
    desk.store.set(noise=0.4, epochs=200)
    desk.until(lambda: desk.run.epoch == 200)
    slider = desk.window.timeline.slider
    desk.until(lambda: slider.marks and desk.run.phase == "finished")
    desk.settle()
    best = int(np.argmin(desk.run.losses[:, 0])) + 1
    assert best < 100 == slider.marks[0].epoch  # with more noise the loss is greater
    for key, epoch in (
        (Qt.Key.Key_Left, 100), (Qt.Key.Key_Left, best), (Qt.Key.Key_Left, 0), (Qt.Key.Key_Left, 0),
        (Qt.Key.Key_Right, best), (Qt.Key.Key_Right, 100), (Qt.Key.Key_Right, None),
    ):  # fmt: skip
        desk.press(key, modifier=CTRL)
        assert desk.run.looking_at == epoch


@pytest.mark.parametrize("modifier", [NONE, SHIFT, CTRL], ids=["plain", "shift", "control"])
def test_what_needs_the_arrow_keys_keeps_them(modifier, desk):
    desk.begin()
    desk.finish()
    window = desk.window
    controls = window.controls
    segment = window.toolbar.compare.findChildren(QPushButton)[0]
    window.resize(1_600, 820)
    for widget in (
        controls.editor("noise"), controls.editor("points"), controls.editor("hidden"),
        controls.editor("noise_kind"), window.timeline.speed, window.timeline.readout.target, segment,
    ):  # fmt: skip
        widget.setFocus()
        desk.until(widget.hasFocus)
        desk.press(Qt.Key.Key_Left, widget, modifier)
        assert desk.run.looking_at is None
    assert desk.store.settings.noise != QUICK.noise, "the noise slider did not move"
    controls.editor("hidden").end(False)
    for widget in (window.timeline.play, window.view):
        widget.setFocus()
        desk.press(Qt.Key.Key_Left, widget, modifier)
        assert desk.run.looking_at is not None
        desk.run.look_at(None)


# The readout


def test_what_is_shown_for_the_time_being_is_said(desk):
    desk.begin(QUICK.replace(epochs=1_500))
    desk.finish()
    desk.run.look_at(1_234)
    panel = desk.window.timeline
    panel.show_run(desk.run, 1_200)
    assert desk.says(panel, "≈ 1\u2009200")
    assert desk.says(panel, "1\u2009234")
    assert panel.slider.value() == 1_234
    desk.until(lambda: desk.frames[-1].epoch == 1_234)
    assert not desk.says(panel, "≈")


def test_a_run_that_returns_says_so(desk):
    desk.begin()
    desk.finish()
    desk.run.phase = "returning"
    desk.window.timeline.show_run(desk.run, 100)
    assert desk.says(desk.window.timeline, "returning")
