"""One editor for each kind of setting; they know the table's row and nothing of the program."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PyQt6.QtCore import QLocale, QSignalBlocker, Qt, pyqtSignal
from PyQt6.QtGui import QValidator
from PyQt6.QtWidgets import (
    QAbstractSpinBox,
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QWidget,
)

from aeviz.app.click_slider import ClickSlider
from aeviz.core.numbers import grouped
from aeviz.core.setting import SettingError, Spec

_FILE = "file…"
WIDTH = 114  # px of an editor: the longest number fits


class NumberEditor(QDoubleSpinBox):
    """A number; the arrow keys and the wheel step it, on a logarithmic scale by a factor.

    What cannot be read is told and put back.
    """

    edited = pyqtSignal(object)
    refused = pyqtSignal(str)

    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        super().__init__()
        self.setLocale(QLocale.c())
        self.setDecimals(10 if isinstance(spec.default, float) else 0)
        self.setRange(spec.low or 0.0, spec.high or 0.0)
        self.setSingleStep(spec.step or 1.0)
        self.setKeyboardTracking(False)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.NoButtons)
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.setFixedWidth(WIDTH)
        self.valueChanged.connect(lambda value: self.edited.emit(type(spec.default)(value)))

    def show_value(self, value: float) -> None:
        """Show a value without saying that it was edited, and without a word in what is being typed."""
        if value != self.value():
            with QSignalBlocker(self):
                self.setValue(value)

    def textFromValue(self, value: float) -> str:
        """Write as few digits as tell the value: what was not typed must read back as the same."""
        return self._spec.text(type(self._spec.default)(value))

    def fixup(self, text: str | None) -> str:
        """Say why what was typed is not taken; the value before it comes back."""
        try:
            self._spec.parsed(text or "")
        except SettingError as error:
            self.refused.emit(str(error))
        return text or ""

    def validate(self, text: str | None, position: int) -> tuple[QValidator.State, str, int]:
        """Let everything be typed; what is no number is refused when the editing ends."""
        try:
            self._spec.parsed(text or "")
        except SettingError:
            return QValidator.State.Intermediate, text or "", position
        return QValidator.State.Acceptable, text or "", position

    def valueFromText(self, text: str | None) -> float:
        """Read with the table's own rules."""
        return float(self._spec.parsed(text or ""))

    def stepBy(self, steps: int) -> None:
        """Step by a difference or, on a logarithmic scale, by a factor."""
        step = self._spec.step or 1.0
        if self._spec.scale == "linear":
            super().stepBy(steps)
            return
        value = self.value() * step**steps
        if isinstance(self._spec.default, int):
            value = (
                max(round(value), round(self.value()) + 1)
                if steps > 0
                else min(round(value), self.value() - 1)
            )
        self.setValue(float(f"{value:.3g}") if isinstance(self._spec.default, float) else value)

    def wheelEvent(self, event: Any) -> None:
        """Scroll the panel, not the number, unless it has the focus."""
        super().wheelEvent(event) if self.hasFocus() else event.ignore()


class SliderEditor(ClickSlider):
    """A number on a slider of its whole range."""

    edited = pyqtSignal(object)

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self._low, self._span = spec.low or 0.0, (spec.high or 0.0) - (spec.low or 0.0)
        self._step = spec.step or 1.0
        self.setRange(0, round(self._span / self._step * 2))  # halves of a step
        self.setSingleStep(2)
        self.setPageStep(10)
        self.valueChanged.connect(self._tell)

    def show_value(self, value: float) -> None:
        """Show a value without saying that it was edited."""
        with QSignalBlocker(self):
            self.setValue(round((value - self._low) / self._step * 2))

    def _tell(self, position: int) -> None:
        self.edited.emit(round(self._low + position * self._step / 2, 10))


class ChoiceEditor(QComboBox):
    """One of some names."""

    edited = pyqtSignal(object)

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self.addItems(spec.choices)
        self.setFixedWidth(WIDTH)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.currentTextChanged.connect(self.edited.emit)

    def show_value(self, value: str) -> None:
        """Show a value without saying that it was edited."""
        with QSignalBlocker(self):
            self.setCurrentText(value)

    def wheelEvent(self, event: Any) -> None:
        """Scroll the panel, not the choice."""
        event.ignore()


class FileChoiceEditor(ChoiceEditor):
    """One of some names, or a file, which stands there by its own name."""

    file_wanted = pyqtSignal()

    def __init__(self, spec: Spec) -> None:
        super().__init__(spec)
        self.currentTextChanged.disconnect()
        self.addItem(_FILE)
        self._value = spec.default
        self.activated.connect(self._chosen)

    def show_value(self, value: str) -> None:
        """Show a value without saying that it was edited."""
        self._value = value
        file = self.findText(_FILE) + 1  # an item of its own, below, while a file is the value
        if self.count() > file:
            self.removeItem(file)
        if self.findText(value) < 0:
            self.addItem(Path(value).name)
            self.setCurrentIndex(file)
        else:
            self.setCurrentIndex(self.findText(value))

    def _chosen(self, index: int) -> None:
        file = self.findText(_FILE)
        text, shown = self.itemText(index), self._value
        self.show_value(shown)  # until it is taken
        if index == file:
            self.file_wanted.emit()
        elif index < file:
            self.edited.emit(text)


class DrawnEditor(QPushButton):
    """Points drawn by hand: how many, and a press to draw."""

    edited = pyqtSignal(object)
    draw_wanted = pyqtSignal()

    def __init__(self, _spec: Spec) -> None:
        super().__init__()
        self.setFixedWidth(WIDTH)
        self.clicked.connect(self.draw_wanted)

    def show_value(self, value: tuple[float, ...]) -> None:
        """Show how many points there are."""
        self.setText(f"{grouped(len(value) // 2)} · draw" if value else "Draw…")


class SwitchEditor(QCheckBox):
    """On or off."""

    edited = pyqtSignal(object)

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self.toggled.connect(self.edited.emit)

    def show_value(self, value: bool) -> None:
        """Show a value without saying that it was edited."""
        with QSignalBlocker(self):
            self.setChecked(value)


class TextEditor(QLineEdit):
    """A text, or several numbers as text; what cannot be read is told and put back."""

    edited = pyqtSignal(object)
    refused = pyqtSignal(str)

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self._spec = spec
        self._value: Any = spec.default
        self.setAcceptDrops(False)  # a file that is dropped is to be opened, not typed
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.setFixedWidth(WIDTH if spec.whole else 150)
        if spec.length and spec.length[0] == 0 and not spec.default:
            self.setPlaceholderText("automatic")
        if spec.is_text:
            self.setPlaceholderText("none")
            self.setAlignment(Qt.AlignmentFlag.AlignLeft)
        self.editingFinished.connect(self._finish)

    def show_value(self, value: Any) -> None:
        """Show a value without saying that it was edited."""
        self._value = value
        self.setText(self._spec.text(value))

    def _finish(self) -> None:
        try:
            value = self._spec.parsed(self.text())
        except SettingError as error:
            self.show_value(self._value)
            self.refused.emit(str(error))
            return
        if value != self._value:
            self.edited.emit(value)
        self.show_value(self._value)


class Segments(QWidget):
    """One of a few names, all in sight."""

    edited = pyqtSignal(object)

    def __init__(self, spec: Spec, titles: dict[str, str]) -> None:
        super().__init__()
        self.setObjectName("segments")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName(spec.label)
        self.setToolTip(spec.help)
        row = QHBoxLayout(self)
        row.setContentsMargins(3, 3, 3, 3)
        row.setSpacing(2)
        self._group = QButtonGroup(self)
        self._buttons: dict[str, QPushButton] = {}
        for value, title in titles.items():
            button = QPushButton(title)
            button.setCheckable(True)
            button.setAccessibleName(f"{spec.label}: {title}")
            button.setToolTip(spec.help)
            button.clicked.connect(lambda _, value=value: self.edited.emit(value))
            self._group.addButton(button)
            self._buttons[value] = button
            row.addWidget(button)

    def show_value(self, value: str) -> None:
        """Show a value without saying that it was edited."""
        self._buttons[value].setChecked(True)


Editor = NumberEditor | SliderEditor | ChoiceEditor | SwitchEditor | TextEditor | DrawnEditor | Segments


def editor_for(spec: Spec) -> Editor:
    """Make the editor that suits a setting's kind."""
    if spec.files:
        return FileChoiceEditor(spec)
    if spec.choices:
        return ChoiceEditor(spec)
    if spec.name == "drawn":
        return DrawnEditor(spec)
    if isinstance(spec.default, bool):
        return SwitchEditor(spec)
    if isinstance(spec.default, tuple) or spec.is_text:
        return TextEditor(spec)
    return NumberEditor(spec)
