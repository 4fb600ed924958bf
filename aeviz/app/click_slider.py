"""A slider that goes to where it is clicked, instead of a page in that direction."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QMouseEvent
from PyQt6.QtWidgets import QSlider


class ClickSlider(QSlider):
    """A horizontal slider whose handle comes to where the left button is pressed, and is dragged from there.

    Qt does that for the middle button. A style could say so for the left one, but of a style in Python
    every widget asks many questions, which takes half of the time that a new theme needs.
    """

    def __init__(self) -> None:
        super().__init__(Qt.Orientation.Horizontal)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take the left button for the middle one."""
        if not event.button() == Qt.MouseButton.LeftButton == event.buttons():
            super().mousePressEvent(event)
            return
        place, on_screen, middle = event.position(), event.globalPosition(), Qt.MouseButton.MiddleButton
        with_middle = QMouseEvent(event.type(), place, on_screen, middle, middle, event.modifiers())
        super().mousePressEvent(with_middle)
        event.setAccepted(with_middle.isAccepted())
