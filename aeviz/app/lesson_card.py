"""The open lesson's words, with the way to the next."""

from __future__ import annotations

from html import escape

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from aeviz.core.presets import Preset, preset_names
from aeviz.core.settings import SPECS
from aeviz.figure.theme import Theme


class LessonCard(QWidget):
    """Title, paragraph, what to look at and what to try next; hidden where no lesson is open."""

    step_wanted = pyqtSignal(int)
    gallery_wanted = pyqtSignal()
    close_wanted = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("lesson")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._preset: Preset | None = None
        self._theme: Theme | None = None
        self._number = QLabel()
        self._number.setProperty("role", "heading")
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.text.setTextFormat(Qt.TextFormat.RichText)
        close = QPushButton("×")
        close.setProperty("role", "reset")
        close.setAccessibleName("Close the lesson")
        close.setToolTip("Close the lesson; the settings stay")
        close.clicked.connect(self.close_wanted)
        head = QHBoxLayout()
        head.addWidget(self._number, 1)
        head.addWidget(close)
        feet = QHBoxLayout()
        for title, tip, do in (
            ("‹ Back", "The lesson before (Shift+PageUp)", lambda: self.step_wanted.emit(-1)),
            ("Next ›", "The next lesson (Shift+PageDown)", lambda: self.step_wanted.emit(1)),
            ("All lessons", "Open the gallery (Ctrl+L)", self.gallery_wanted.emit),
        ):
            button = QPushButton(title)
            button.setProperty("role", "link")
            button.setToolTip(tip)
            button.clicked.connect(lambda _, do=do: do())
            feet.addWidget(button)
        feet.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 10, 10, 10)
        column.setSpacing(6)
        column.addLayout(head)
        column.addWidget(self.text)
        column.addLayout(feet)
        self.hide()

    def paint_with(self, theme: Theme) -> None:
        """Take a theme's colours."""
        self._theme = theme
        self._write()

    def show_lesson(self, preset: Preset | None) -> None:
        """Show a lesson, or nothing."""
        self._preset = preset
        self._write()
        self.setVisible(preset is not None)

    def _write(self) -> None:
        preset, theme = self._preset, self._theme
        if preset is None or theme is None:
            return
        names = preset_names()
        self._number.setText(f"LESSON {names.index(preset.name) + 1} OF {len(names)}")
        parts = [f"<b>{escape(preset.title)}</b>", escape(preset.text)]
        if preset.look:
            parts.append(f'<span style="color:{theme.warning}">◯</span> Look: {escape(preset.look)}.')
        if preset.try_next:
            title = escape(SPECS[preset.try_next].title)
            parts.append(f"Try next: <b>{title}</b>, marked in the panel at the left.")
        self.text.setText("".join(f'<p style="margin-top:0; margin-bottom:7px">{part}</p>' for part in parts))
