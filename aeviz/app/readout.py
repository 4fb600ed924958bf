"""Which epoch of which branch is on the screen, whether it is live, and the ways on from it."""

from __future__ import annotations

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from aeviz.app.branch_button import BranchButton
from aeviz.app.editors import NumberEditor
from aeviz.app.live_run import LiveRun
from aeviz.app.store import Store
from aeviz.core.numbers import grouped
from aeviz.core.settings import SPECS
from aeviz.figure.theme import DISPLAY

_WIDTH = 224  # px: nothing moves when a word comes or goes


class Readout(QWidget):
    """The numbers at the right of the timeline."""

    live_wanted = pyqtSignal()
    fork_wanted = pyqtSignal()

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.setFixedWidth(_WIDTH)
        self.branches = BranchButton()
        self._heading, self._epoch, self._state = QLabel("Epoch"), QLabel(), QLabel()
        self._heading.setProperty("role", "muted")
        self._epoch.setStyleSheet(f'font-family: "{DISPLAY}"; font-size: 30px; font-weight: 300;')
        self.target = NumberEditor(SPECS["epochs"])
        self.target.setAccessibleName("Last epoch of the run")
        self.target.setToolTip(SPECS["epochs"].help)
        self.target.edited.connect(lambda value: store.set(epochs=value))
        self.target.refused.connect(store.refused)
        self.fork = _link(
            "Continue from here",
            "Go on from this epoch with the present settings (K); what came after it stays, as another run",
        )
        self.live = _link("Back to live", "Show the newest epoch again (L)")
        self.fork.clicked.connect(self.fork_wanted)
        self.live.clicked.connect(self.live_wanted)
        of = QLabel("of")
        of.setProperty("role", "muted")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(_row(self._heading, None, self.branches))
        column.addWidget(self._epoch)
        column.addLayout(_row(of, self.target, None, self._state))
        column.addLayout(_row(self.fork, None, self.live))

    def show_run(self, run: LiveRun, shown: int, *, playing_back: bool) -> None:
        """Show how far the run is, and which epoch is on the screen.

        What is `shown` is, for a moment, not yet the past epoch that is looked at.
        """
        past = run.looking_at is not None
        self.branches.show_run(run)
        self.target.show_value(run.settings.epochs)
        self._epoch.setText(grouped(shown if run.looking_at is None else run.looking_at))
        near = f"Epoch   ≈ {grouped(shown)}" if past and shown != run.looking_at else "Epoch"
        if self._heading.text() != near:
            self._heading.setText(near)
        self.live.setVisible(past)
        self.fork.setVisible(past)
        role, text = _state_of(run, playing_back)
        if self._state.text() != text:
            self._state.setText(text)
            self._state.setProperty("role", role)
            self._state.style().polish(self._state)


def _state_of(run: LiveRun, playing_back: bool) -> tuple[str, str]:
    """Colour and words."""
    if run.lost:
        return "past", "● stopped"
    if not run.ready_to_train:
        return "muted", "● starting"
    if run.looking_at is not None:
        return "past", "● replay" if playing_back else "● past"
    if run.phase in ("returning", "finished"):
        return "muted", f"● {run.phase}"
    return ("live", "● live") if run.playing else ("muted", "● paused")


def _link(text: str, tip: str) -> QPushButton:
    link = QPushButton(text)
    link.setProperty("role", "link")
    link.setToolTip(tip)
    policy = link.sizePolicy()
    policy.setRetainSizeWhenHidden(True)
    link.setSizePolicy(policy)
    return link


def _row(*parts: QWidget | None) -> QHBoxLayout:
    """Widgets in a row; None takes up what is left."""
    row = QHBoxLayout()
    row.setSpacing(6)
    for part in parts:
        if part is None:
            row.addStretch(1)
        else:
            row.addWidget(part)
    return row
