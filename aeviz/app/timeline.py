"""The bottom panel: transport, the loss curve, and the epoch slider under it."""

from __future__ import annotations

import math
import time

from PyQt6.QtCore import QSignalBlocker, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from aeviz.app.epoch_marks import marks_of
from aeviz.app.epoch_slider import EpochSlider, MarkNames
from aeviz.app.lineage import shared
from aeviz.app.live_run import LiveRun
from aeviz.app.loss_curve import AXIS, HANDLE, LossCurve, OtherCurve
from aeviz.app.readout import Readout
from aeviz.app.store import Store
from aeviz.app.style import icon
from aeviz.figure.theme import Theme

CURVE_EVERY = 0.05  # seconds: the curve need not move with every frame of the field
BEST_EVERY = 0.5  # seconds: to find the least of a million losses takes a millisecond
_PLAYBACK = 28  # px: width of that button
_TALL = 138  # px: a lower panel has no room for the marks' names
SPEEDS = (1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 500.0, math.inf)


class TimelinePanel(QWidget):
    """Drives the run and looks back into it; it says what is wanted and never does it itself."""

    play_wanted = pyqtSignal(bool)
    step_wanted = pyqtSignal()
    reset_wanted = pyqtSignal()
    seed_wanted = pyqtSignal()
    speed_wanted = pyqtSignal(float)
    epoch_wanted = pyqtSignal(object)
    """A past epoch, or None for the newest."""
    playback_wanted = pyqtSignal()
    held = pyqtSignal(bool)
    """The epoch slider is in the hand, or let go."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.setObjectName("timeline")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._playing = self._playing_back = False
        self._live_epoch = 0
        self._curve_drawn = self._best_found = 0.0  # when
        self._best_of: object = None  # what was looked at when it was found, or they were made
        self._marks_of: object = None
        self._others_of: object = None
        self.curve = LossCurve()
        self.slider = EpochSlider()
        self.slider.actionTriggered.connect(lambda _: self._moved(self.slider.sliderPosition()))
        self.slider.sliderPressed.connect(lambda: self.held.emit(True))
        self.slider.sliderReleased.connect(lambda: self.held.emit(False))
        self.names = MarkNames(self.slider)
        self.names.wanted.connect(self._moved)
        self.playback = _button("playback", "Play back the past (Shift+Space)")
        self.playback.clicked.connect(self.playback_wanted)
        self.readout = Readout(store)
        self.readout.live_wanted.connect(lambda: self.epoch_wanted.emit(None))
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 8, 16, 6)
        row.setSpacing(18)
        row.addLayout(self._transport())
        row.addLayout(self._course(), 1)
        row.addWidget(self.readout)

    def _course(self) -> QVBoxLayout:
        under = QHBoxLayout()
        under.setSpacing(0)
        under.addWidget(self.playback)
        under.addSpacing(AXIS - HANDLE - _PLAYBACK)  # the handle stands under its epoch in the curve
        under.addWidget(self.slider, 1)
        names = QHBoxLayout()
        names.setContentsMargins(AXIS - HANDLE, 0, 0, 0)
        names.addWidget(self.names)
        middle = QVBoxLayout()
        middle.setSpacing(0)
        middle.addWidget(self.curve, 1)
        middle.addLayout(under)
        middle.addLayout(names)
        return middle

    def _transport(self) -> QGridLayout:
        self.play = _button("play", "Play or pause (Space)")
        self.step = _button("round", "Train one epoch (S)")
        self.reset = _button("round", "Begin again with the same seed (R)")
        self.seed = _button("round", "Begin again with a new seed (N)")
        self.play.clicked.connect(lambda: self.play_wanted.emit(not self._playing))
        self.step.clicked.connect(self.step_wanted)
        self.reset.clicked.connect(self.reset_wanted)
        self.seed.clicked.connect(self.seed_wanted)
        self.speed = QComboBox()
        self.speed.setAccessibleName("Speed")
        self.speed.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.speed.setToolTip("Epochs per second (U: unlimited and back)")
        for speed in SPEEDS:
            self.speed.addItem(f"{speed:g} epochs/s" if math.isfinite(speed) else "unlimited", speed)
        self.speed.currentIndexChanged.connect(lambda _: self.speed_wanted.emit(self.speed.currentData()))
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.addWidget(self.play, 0, 0, 2, 1)
        for column, button in enumerate((self.step, self.reset, self.seed), 1):
            grid.addWidget(button, 0, column)
        grid.addWidget(self.speed, 1, 1, 1, 3)
        return grid

    def paint_with(self, theme: Theme) -> None:
        """Take a theme's colours."""
        self._theme = theme
        for part in (self.curve, self.slider, self.names):
            part.paint_with(theme)
        for button, name in ((self.step, "step"), (self.reset, "reset"), (self.seed, "dice")):
            button.setIcon(icon(name, theme.text))
        self._show_play()

    def show_speed(self, speed: float) -> None:
        """Show the speed that is in force."""
        with QSignalBlocker(self.speed):
            self.speed.setCurrentIndex(SPEEDS.index(speed) if speed in SPEEDS else len(SPEEDS) - 1)

    def follow(self, run: LiveRun, shown: int) -> None:
        """Let the slider stand at the epoch that is looked at, else at the one on the screen."""
        self.slider.follow(shown if run.looking_at is None else run.looking_at, _last(run))

    def show_run(self, run: LiveRun, shown: int) -> None:
        """Show how far the run is, and which epoch is on the screen."""
        self._live_epoch = run.epoch
        self.follow(run, shown)
        now = time.perf_counter()
        if now - self._curve_drawn > CURVE_EVERY or run.phase != "training":
            self._curve_drawn = now
            self._show_course(run, shown, now)
        self.readout.show_run(run, shown, playing_back=self._playing_back)
        playing = run.playing and run.phase != "finished"
        if playing != self._playing:
            self._playing = playing
            self._show_play()

    def show_playback(self, playing: bool) -> None:
        """Show whether the past is played back."""
        self._playing_back = playing
        self._show_play()

    def _show_course(self, run: LiveRun, shown: int, now: float) -> None:
        """Draw the curve anew, and what stands round it only where it is another."""
        branch, history = run.branch, run.history
        others = [each for each in history if each is not branch]
        known = [(each, each.name, each.epoch) for each in others]
        if (branch, run.beside, known) != self._others_of:
            self._others_of = branch, run.beside, known
            parted, beside = [shared(history, branch, each) for each in others], run.branch_beside
            self.curve.show_others([
                OtherCurve(each.name, since, each.losses[:, 0], each is beside)
                for each, since in zip(others, parted, strict=True)
            ])  # fmt: skip
        changes, live = history.changes, branch.timeline.changes
        made = branch, known, len(changes), changes.to_undo, changes.to_redo, len(live), live[-1:]
        if made != self._marks_of:
            self._marks_of = made
            self.slider.show_marks(marks_of(history))
        due = now - self._best_found > BEST_EVERY or run.phase != "training"
        if (branch, branch.epoch) != self._best_of and due:
            self._best_of, self._best_found = (branch, branch.epoch), now
            best = branch.best
            self.slider.show_best(None if best is None else (best, float(branch.losses[best - 1, 0])))
        self.curve.show_losses(run.losses, _last(run), shown if run.looking_at is None else run.looking_at)

    def _show_play(self) -> None:
        self.play.setIcon(icon("pause" if self._playing else "play", self._theme.on_accent))
        self.play.setAccessibleName("Pause" if self._playing else "Play")
        self.playback.setIcon(icon("hold" if self._playing_back else "replay", self._theme.text))
        self.playback.setAccessibleName("Pause the playback" if self._playing_back else "Play back the past")

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave the marks' names out where there is no room."""
        super().resizeEvent(event)
        self.names.setVisible(self.height() >= _TALL)

    def _moved(self, epoch: int) -> None:
        self.epoch_wanted.emit(None if epoch >= self._live_epoch else epoch)


def _last(run: LiveRun) -> int:
    """Where slider and curve end."""
    beside = run.branch_beside
    return max(run.settings.epochs, run.epoch, 0 if beside is None else beside.epoch)


def _button(role: str, tip: str) -> QPushButton:
    button = QPushButton()
    button.setProperty("role", role)
    button.setToolTip(tip)
    button.setAccessibleName(tip)
    button.setIconSize(QSize(22, 22) if role == "play" else QSize(18, 18))
    return button
