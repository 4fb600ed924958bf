"""The right panel: what is under the cursor, and what the picture shows in plain words."""

from __future__ import annotations

from functools import cache

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QGridLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from aeviz.core.resources import RESOURCES
from aeviz.core.settings import Settings
from aeviz.work.messages import Frame

_ROWS = {
    "place": "noisy ŷ",
    "reconstruction": "reconstruction ỹ",
    "magnitude": "moves by",
    "ambiguity": "ambiguity a",
}
_EMPTY = "—"


class Inspector(QScrollArea):
    """Numbers of one place, and a text about the whole."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("right")
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        content = QWidget()
        content.setObjectName("panel")
        column = QVBoxLayout(content)
        column.setContentsMargins(16, 14, 16, 16)
        column.setSpacing(10)
        column.addWidget(_heading("UNDER THE CURSOR"))
        grid = QGridLayout()
        grid.setVerticalSpacing(7)
        self._values: dict[str, QLabel] = {}
        for row, (name, title) in enumerate(_ROWS.items()):
            label, value = QLabel(title), QLabel(_EMPTY)
            label.setProperty("role", "muted")
            value.setAlignment(Qt.AlignmentFlag.AlignRight)
            value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            value.setAccessibleName(title)
            grid.addWidget(label, row, 0)
            grid.addWidget(value, row, 1)
            self._values[name] = value
        column.addLayout(grid)
        column.addSpacing(10)
        column.addWidget(_heading("WHAT AM I SEEING?"))
        self._text = QLabel()
        self._text.setProperty("role", "card")
        self._text.setWordWrap(True)
        self._text.setTextFormat(Qt.TextFormat.RichText)
        column.addWidget(self._text)
        column.addStretch(1)
        self.setWidget(content)

    def show_place(self, frame: Frame) -> None:
        """Show the cursor's values of a frame."""
        for name, text in place_texts(frame).items():
            self._values[name].setText(text)

    def explain(self, settings: Settings) -> None:
        """Say what the chosen layer shows."""
        page = settings.layer if settings.noise > 0.0 else "noiseless"
        text = _help(page).format(noise=f"{settings.noise:g}", threshold=f"{settings.threshold:g}")
        if text != self._text.text():
            self._text.setText(text)


@cache
def _help(page: str) -> str:
    return (RESOURCES / "help" / f"{page}.html").read_text(encoding="utf-8")


def place_texts(frame: Frame) -> dict[str, str]:
    """The values under the cursor as text, dashes where there are none."""
    if frame.place is None or frame.cursor is None:
        return dict.fromkeys(_ROWS, _EMPTY)
    (x, y), (dx, dy, ambiguity) = frame.place, frame.cursor
    return {
        "place": _pair(x, y),
        "reconstruction": _pair(x + dx, y + dy),
        "magnitude": f"{(dx * dx + dy * dy) ** 0.5:.3f}",
        "ambiguity": f"{ambiguity:.2f}".replace("-", "−"),
    }


def _pair(x: float, y: float) -> str:
    return f"({x:.3f}, {y:.3f})".replace("-", "−")


def _heading(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "heading")
    return label
