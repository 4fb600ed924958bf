"""The bottom panel: transport, the loss curve, and the epoch slider under it."""

from __future__ import annotations

import math
import time

from PyQt6.QtCore import QSignalBlocker, QSize, Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from aeviz.app.editors import NumberEditor
from aeviz.app.live_run import LiveRun
from aeviz.app.loss_curve import AXIS, HANDLE, LossCurve
from aeviz.app.store import Store
from aeviz.app.style import icon
from aeviz.core.settings import SPECS
from aeviz.figure.theme import DISPLAY, Theme

CURVE_EVERY = 0.05  # seconds: the curve need not move with every frame of the field
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

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.setObjectName("timeline")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._playing = False
        self._live_epoch = 0
        self._curve_drawn = 0.0
        self.curve = LossCurve()
        self.slider = EpochSlider()
        self.slider.sliderMoved.connect(self._moved)
        self.slider.actionTriggered.connect(lambda _: self._moved(self.slider.sliderPosition()))
        middle = QVBoxLayout()
        middle.setSpacing(0)
        middle.addWidget(self.curve, 1)
        under = QHBoxLayout()
        under.setContentsMargins(AXIS - HANDLE, 0, 0, 0)  # the handle stands under its epoch in the curve
        under.addWidget(self.slider)
        middle.addLayout(under)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 8, 16, 8)
        row.setSpacing(18)
        row.addLayout(self._transport())
        row.addLayout(middle, 1)
        row.addLayout(self._readout(store))

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

    def _readout(self, store: Store) -> QVBoxLayout:
        self._epoch = QLabel()
        self._epoch.setStyleSheet(f'font-family: "{DISPLAY}"; font-size: 30px; font-weight: 300;')
        self._epoch.setMinimumWidth(120)
        self._state = QLabel()
        self.target = NumberEditor(SPECS["epochs"])
        self.target.setAccessibleName("Last epoch of the run")
        self.target.setToolTip(SPECS["epochs"].help)
        self.target.edited.connect(lambda value: store.set(epochs=value))
        self.target.refused.connect(store.refused)
        self.live = QPushButton("Back to live")
        self.live.setProperty("role", "link")
        self.live.setToolTip("Show the newest epoch again (L)")
        self.live.clicked.connect(lambda: self.epoch_wanted.emit(None))
        heading = QLabel("Epoch")
        heading.setProperty("role", "muted")
        of = QLabel("of")
        of.setProperty("role", "muted")
        target = QHBoxLayout()
        target.addWidget(of)
        target.addWidget(self.target)
        target.addStretch(1)
        state = QHBoxLayout()
        state.addWidget(self._state)
        state.addWidget(self.live)
        state.addStretch(1)
        column = QVBoxLayout()
        column.setSpacing(2)
        for part in (heading, self._epoch):
            column.addWidget(part)
        column.addLayout(target)
        column.addLayout(state)
        return column

    def paint_with(self, theme: Theme) -> None:
        """Take a theme's colours."""
        self._theme = theme
        self.curve.paint_with(theme)
        for button, name in ((self.step, "step"), (self.reset, "reset"), (self.seed, "dice")):
            button.setIcon(icon(name, theme.text))
        self._show_play()

    def show_speed(self, speed: float) -> None:
        """Show the speed that is in force."""
        with QSignalBlocker(self.speed):
            self.speed.setCurrentIndex(SPEEDS.index(speed) if speed in SPEEDS else len(SPEEDS) - 1)

    def show_run(self, run: LiveRun, shown: int) -> None:
        """Show how far the run is, and which epoch is on the screen."""
        self._live_epoch = run.epoch
        past = run.looking_at is not None
        last = run.settings.epochs
        self.slider.follow(shown, max(last, run.epoch))
        self.target.show_value(last)
        now = time.perf_counter()
        if now - self._curve_drawn > CURVE_EVERY or run.phase != "training":
            self._curve_drawn = now
            self.curve.show_losses(run.losses, last, shown)
        self._epoch.setText(f"{shown:,}".replace(",", "\u2009"))
        self.live.setVisible(past)
        if run.lost:
            role, text = "past", "● stopped"
        elif not run.ready_to_train:
            role, text = "muted", "● starting"
        elif past:
            role, text = "past", "● past"
        elif run.phase == "finished":
            role, text = "muted", "● finished"
        else:
            role, text = ("live", "● live") if run.playing else ("muted", "● paused")
        if self._state.text() != text:
            self._state.setText(text)
            self._state.setProperty("role", role)
            self._state.style().polish(self._state)
        playing = run.playing and run.phase != "finished"
        if playing != self._playing:
            self._playing = playing
            self._show_play()

    def _show_play(self) -> None:
        self.play.setIcon(icon("pause" if self._playing else "play", self._theme.on_accent))
        self.play.setAccessibleName("Pause" if self._playing else "Play")

    def _moved(self, epoch: int) -> None:
        self.epoch_wanted.emit(None if epoch >= self._live_epoch else epoch)


class EpochSlider(QSlider):
    """The run from its first to its last epoch; follows unless it is held."""

    def __init__(self) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setObjectName("epochs")
        self.setAccessibleName("Epoch")
        self.setToolTip("Drag back to see a past epoch; at the right end it is live again (arrow keys step)")
        self.setPageStep(100)

    def follow(self, epoch: int, last: int) -> None:
        """Stand at an epoch, without saying that it was moved."""
        if self.isSliderDown():
            return
        with QSignalBlocker(self):
            self.setRange(0, last)
            self.setValue(epoch)


def _button(role: str, tip: str) -> QPushButton:
    button = QPushButton()
    button.setProperty("role", role)
    button.setToolTip(tip)
    button.setAccessibleName(tip)
    button.setIconSize(QSize(22, 22) if role == "play" else QSize(18, 18))
    return button
