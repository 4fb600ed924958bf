"""What was left behind by windows that were cut off is offered again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QPixmap
from PyQt6.QtWidgets import QDialog, QDialogButtonBox, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from aeviz.app.keeper import PICTURE
from aeviz.core.journal import Left
from aeviz.core.numbers import grouped


class RecoveryDialog(QDialog):
    """Each run that was left behind, with its picture, epoch and time: to be taken up or forgotten."""

    def __init__(self, parent: QWidget, runs: Sequence[Left], take_up: Callable[[Left], object]) -> None:
        super().__init__(parent)
        self.setWindowTitle("Runs that were cut off")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._take_up = take_up
        self._left = len(runs)
        words = QLabel(
            "aeviz was ended before it could close. Nothing is lost: take a run up where it stood, or "
            "forget it. What you leave here is offered again next time."
        )
        words.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 16, 18, 14)
        column.setSpacing(12)
        column.addWidget(words)
        for run in runs:
            column.addWidget(self._row(run))
        column.addStretch(1)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.button(QDialogButtonBox.StandardButton.Close).setText("Later")
        buttons.rejected.connect(self.close)
        column.addWidget(buttons)
        self.setMinimumWidth(520)

    def _row(self, run: Left) -> QWidget:
        row = QWidget()
        picture = QLabel("no picture")
        picture.setProperty("role", "muted")
        picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        picture.setFixedSize(PICTURE[0] // 2, PICTURE[1] // 2)
        pixmap = QPixmap()
        if run.picture is not None and pixmap.loadFromData(run.picture, "PNG"):
            picture.setPixmap(pixmap.scaled(picture.size(), Qt.AspectRatioMode.KeepAspectRatioByExpanding,
                Qt.TransformationMode.SmoothTransformation))  # fmt: skip
        picture.setAccessibleName("Picture of its field")
        text = QLabel(f"<b>Epoch {grouped(run.epoch)}</b><br>{told_time(run.time)}")
        take, forget = QPushButton("Take up"), QPushButton("Forget")
        take.setProperty("role", "accent")
        take.clicked.connect(lambda: self._choose(run))
        forget.clicked.connect(lambda: self._forget(run, row))
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(14)
        line.addWidget(picture)
        line.addWidget(text, 1)
        line.addWidget(take)
        line.addWidget(forget)
        return row

    def _choose(self, run: Left) -> None:
        self.close()
        self._take_up(run)

    def _forget(self, run: Left, row: QWidget) -> None:
        run.forget()
        row.hide()
        self._left -= 1
        if not self._left:
            self.close()


def told_time(time: float) -> str:
    """A moment in words: "today at 14:05"."""
    then = datetime.fromtimestamp(time)
    is_today = then.date() == datetime.now().date()
    return f"today at {then:%H:%M}" if is_today else f"{then.day} {then:%B %Y} at {then:%H:%M}"
