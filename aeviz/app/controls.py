"""The left panel: a control for every setting, made from the settings table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from PyQt6.QtCore import Qt, QTimer, pyqtSignal
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QScrollArea, QToolButton, QVBoxLayout, QWidget

from aeviz.app.editors import (
    DrawnEditor,
    Editor,
    FileChoiceEditor,
    NumberEditor,
    SliderEditor,
    TextEditor,
    editor_for,
)
from aeviz.app.network_drawing import NetworkDrawing
from aeviz.app.store import Store
from aeviz.core.manifolds import CURVES
from aeviz.core.setting import Spec
from aeviz.core.settings import FILE_GROUPS, GROUPS, SPECS, TABLE, Settings
from aeviz.figure.theme import Theme

_ORDER = ("Noise", *(group for group in GROUPS if group not in ("Noise", *FILE_GROUPS)))  # noise comes first
_CLOSED = ("View",)
_LARGE = "noise"  # is what one comes to change
_SLIDERS = (_LARGE, "threshold", "wipe")
_MATTERS: dict[str, Callable[[Settings], bool]] = {
    "drawn": lambda s: s.data == "drawn",
    "bad_rows": lambda s: s.is_from_file,
    "standardise": lambda s: not s.in_unit_square,
    "points": lambda s: s.data in CURVES,
    "turns": lambda s: s.data in ("spiral", "two-spirals"),
    "mirror": lambda s: bool(s.hidden) and not s.tied,
    "strength": lambda s: s.regulariser != "none",
    "beside": lambda s: s.compare != "off",
    "wipe": lambda s: s.compare == "wipe",
    "particles": lambda s: s.flow != "off",
    "film_noise": lambda s: s.film == "noise",
    "film_steps": lambda s: s.film == "noise",
    "easing": lambda s: s.film == "training",
}
"""When a setting does something; else its row is not there."""
INSET, AROUND = 6, 3  # px between a row's content and the border that marks it, beside and above
_TAGS = {"live": "LIVE", "rebuild": "REBUILDS", "view": ""}
_UNITS = ("s", "1/s", "dpi", "pt", "MB")  # which stand in a row, for a bare number could be another
_EFFECT = {
    "live": "Takes effect from the next epoch on.",
    "rebuild": "Changing it starts a new run.",
    "view": "Changes the drawing only.",
}


def show_what_matters(rows: Mapping[str, QWidget], settings: Settings) -> None:
    """Show those rows of settings that do something now."""
    for name in rows.keys() & _MATTERS.keys():
        rows[name].setVisible(_MATTERS[name](settings))


class Controls(QScrollArea):
    """All settings in collapsible groups."""

    file_wanted = pyqtSignal()
    draw_wanted = pyqtSignal()

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store
        self._rows: dict[str, Row] = {}
        self._groups: dict[str, Group] = {}
        self.setObjectName("left")
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        content = QWidget()
        content.setObjectName("panel")
        column = QVBoxLayout(content)
        column.setContentsMargins(16 - INSET, 12, 14 - INSET, 16)
        column.setSpacing(10)
        self.network = NetworkDrawing()
        self._marked: str | None = None
        self._revealing = QTimer(self)
        self._revealing.setSingleShot(True)
        self._revealing.timeout.connect(self._reveal)
        for name in _ORDER:
            self._groups[name] = self._group(name)
            column.addWidget(self._groups[name])
        self._groups["Network"].body.insertWidget(0, self.network)
        column.addStretch(1)
        self.setWidget(content)
        store.changed.connect(self._follow)
        self._show(store.settings, tuple(SPECS))

    def editor(self, name: str) -> Editor:
        """The editor of a setting."""
        return self._rows[name].editor

    def paint_with(self, theme: Theme) -> None:
        """Take a theme's colours."""
        self.network.paint_with(theme)

    def mark(self, name: str | None) -> None:
        """Highlight the control that is to be tried next, or none."""
        for row, marked in ((self._marked, False), (name, True)):
            if row is not None:
                self._rows[row].mark(marked)
        self._marked = name
        if name is not None:
            self._groups[SPECS[name].group].open()
            self._revealing.start(0)  # once the rows that it shows have their places

    def _reveal(self) -> None:
        if self._marked is not None:
            self.ensureWidgetVisible(self._rows[self._marked])

    def _group(self, name: str) -> Group:
        specs = [spec for spec in TABLE if spec.group == name]
        kinds = {spec.applies for spec in specs}
        group = Group(name, _TAGS[specs[0].applies] if len(kinds) == 1 else "", name not in _CLOSED)
        for spec in specs:
            row: Row = SliderRow(spec) if spec.name in _SLIDERS else Row(spec, tagged=len(kinds) > 1)
            row.editor.edited.connect(lambda value, name=spec.name: self._set(name, value))
            row.reset.clicked.connect(lambda _, spec=spec: self._set(spec.name, spec.default))
            for editor in (row.editor, getattr(row, "number", None)):
                if isinstance(editor, NumberEditor | TextEditor):
                    editor.refused.connect(self._store.refused)
                elif isinstance(editor, FileChoiceEditor):
                    editor.file_wanted.connect(self.file_wanted)
                elif isinstance(editor, DrawnEditor):
                    editor.draw_wanted.connect(self.draw_wanted)
            self._rows[spec.name] = row
            group.body.addWidget(row)
        return group

    def _set(self, name: str, value: Any) -> None:
        if name == "data" and value == "drawn" and not self._store.settings.drawn:
            self._rows[name].show_value(self._store.settings.data)
            self.draw_wanted.emit()
            return
        if not self._store.set(**{name: value}):
            self._rows[name].show_value(getattr(self._store.settings, name))

    def _follow(self, old: Settings, new: Settings) -> None:
        self._show(new, tuple(old.changed(new)))

    def _show(self, settings: Settings, names: tuple[str, ...]) -> None:
        for name in self._rows.keys() & names:
            self._rows[name].show_value(getattr(settings, name))
        show_what_matters(self._rows, settings)
        self.network.show_network(settings)
        if self._marked in names:
            self.mark(None)  # it has been tried


class Group(QWidget):
    """A heading that opens and closes what stands under it."""

    def __init__(self, name: str, tag: str, is_open: bool) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        self._heading = QToolButton()
        self._heading.setText(name.upper())
        self._heading.setProperty("role", "group")
        self._heading.setCheckable(True)
        self._heading.setChecked(is_open)
        self._heading.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._heading.setAccessibleName(f"{name} settings")
        self._heading.toggled.connect(self._open)
        head = QHBoxLayout()
        head.addWidget(self._heading)
        head.addStretch(1)
        label = QLabel(tag)
        label.setProperty("role", "tag")
        head.addWidget(label)
        column.addLayout(head)
        self._content = QWidget()
        self.body = QVBoxLayout(self._content)
        self.body.setContentsMargins(0, 0, 0, 6)
        self.body.setSpacing(0)
        column.addWidget(self._content)
        self._open(is_open)

    def open(self) -> None:
        """Show what stands under the heading."""
        self._heading.setChecked(True)

    def _open(self, is_open: bool) -> None:
        self._heading.setArrowType(Qt.ArrowType.DownArrow if is_open else Qt.ArrowType.RightArrow)
        self._content.setVisible(is_open)


class Row(QWidget):
    """A setting's label, its editor, and a button that puts the default back."""

    def __init__(self, spec: Spec, tagged: bool = False) -> None:
        super().__init__()
        self._spec = spec
        self.setObjectName("row")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.editor = self._make_editor()
        self.reset = QPushButton("↺")
        self.reset.setProperty("role", "reset")
        self.reset.setAccessibleName(f"Reset {spec.label} to {spec.text(spec.default)}")
        self.reset.setToolTip(f"Back to {spec.text(spec.default)}")
        policy = self.reset.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.reset.setSizePolicy(policy)
        title = spec.title
        bare = f" ({spec.unit})" if spec.unit in _UNITS else ""
        self.label = QLabel(title + bare + (" ↻" if tagged and spec.applies == "rebuild" else ""))
        self.label.setBuddy(self.editor)
        unit = f" Unit: {spec.unit}." if spec.unit else ""
        what = f"{spec.help} {_EFFECT[spec.applies]}{unit}"
        for widget in (self, self.editor):
            widget.setToolTip(f"<b>{title}</b><br>{what}<br>Range: {spec.range}.")
        self.editor.setAccessibleName(title)
        self.editor.setAccessibleDescription(what)
        self._lay_out()

    def _make_editor(self) -> Editor:
        return editor_for(self._spec)

    def _lay_out(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(INSET, AROUND, INSET, AROUND)
        row.setSpacing(4)
        row.addWidget(self.label, 1)
        row.addWidget(self.reset)
        row.addWidget(self.editor)

    def mark(self, on: bool) -> None:
        """Stand out, or not."""
        self.setProperty("marked", on)
        self.style().polish(self)

    def show_value(self, value: Any) -> None:
        """Show a value."""
        self.editor.show_value(value)
        self.reset.setVisible(value != self._spec.default and not isinstance(self.editor, DrawnEditor))


class SliderRow(Row):
    """A setting that is dragged: its value over a slider, of one setting in large figures."""

    @property
    def _is_large(self) -> bool:
        return self._spec.name == _LARGE

    def _make_editor(self) -> Editor:
        self.number = NumberEditor(self._spec)
        if self._is_large:
            self.number.setProperty("role", "large")
            self.number.setFixedWidth(130)
        self.number.setAccessibleName(f"{self._spec.label} as a number")
        slider = SliderEditor(self._spec)
        self.number.edited.connect(slider.edited)
        return slider

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(INSET, AROUND, INSET, AROUND)
        column.setSpacing(2)
        head = QHBoxLayout()
        beside = Qt.AlignmentFlag.AlignBottom if self._is_large else Qt.AlignmentFlag.AlignVCenter
        head.addWidget(self.label, 1, beside)
        head.addWidget(self.reset, 0, beside)
        head.addWidget(self.number)
        column.addLayout(head)
        column.addWidget(self.editor)

    def show_value(self, value: Any) -> None:
        """Show a value."""
        super().show_value(value)
        self.number.show_value(value)
