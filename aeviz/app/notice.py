"""A line over the field that says what is going on, with a way to go on."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QEvent, QObject, Qt
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget


class Notice(QWidget):
    """One message at the top of another widget; a later one replaces it."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("notice")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._over: QWidget | None = None
        self._action: Callable[[], object] | None = None
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.button = QPushButton()
        self.button.setProperty("role", "accent")
        self.button.clicked.connect(self._act)
        close = QPushButton("×")
        close.setProperty("role", "reset")
        close.setAccessibleName("Dismiss")
        close.setToolTip("Dismiss")
        close.clicked.connect(self.hide)
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 9, 10, 9)
        row.setSpacing(12)
        row.addWidget(self.text, 1)
        row.addWidget(self.button)
        row.addWidget(close)
        self.hide()

    def stand_over(self, widget: QWidget) -> None:
        """Show messages at the top of this widget."""
        self._over = widget
        self.setParent(widget)
        widget.installEventFilter(self)

    def say(self, text: str, button: str = "", action: Callable[[], object] | None = None) -> None:
        """Show a message, with a button if there is something to do about it."""
        self._action = action
        self.text.setText(text)
        self.button.setText(button)
        self.button.setVisible(action is not None)
        self._place()
        self.show()
        self.raise_()

    def mention(self, text: str) -> None:
        """Show a message, unless one is there with something to do about it."""
        if self.isHidden() or self._action is None:
            self.say(text)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Stay at the top when the widget below changes its size."""
        if event is not None and event.type() == QEvent.Type.Resize:
            self._place()
        return super().eventFilter(watched, event)

    def _place(self) -> None:
        width = min(620, self._over.width() - 32)
        layout = self.layout()
        layout.activate()
        self.resize(
            width,
            layout.totalHeightForWidth(width) if layout.hasHeightForWidth() else self.sizeHint().height(),
        )
        self.move((self._over.width() - width) // 2, 12)

    def _act(self) -> None:
        self.hide()
        if self._action is not None:
            self._action()
