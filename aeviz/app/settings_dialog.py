"""A dialog with settings of its own, and a preview of what they make."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from PyQt6.QtCore import QRect, QSize, Qt, QTimer
from PyQt6.QtGui import QColor, QImage, QPainter, QPaintEvent, QResizeEvent
from PyQt6.QtWidgets import (
    QButtonGroup,
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLayout,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from aeviz.app.controls import AROUND, INSET, Row, show_what_matters
from aeviz.app.editors import NumberEditor, TextEditor
from aeviz.app.store import Store
from aeviz.core.setting import SettingError
from aeviz.core.settings import SPECS, Settings
from aeviz.figure.export import Page, image_of
from aeviz.figure.figure import FieldFigure

Pages = Mapping[str, Callable[[], Mapping[str, Any]]]
EXPORT = "Export…"
_SETTLE = 40  # ms without a change until the preview is painted anew
_SIDE = 330  # px of the column of settings


class SettingsDialog(QDialog):
    """Settings that leave the window's alone, beside a preview; subclasses say what is made of them.

    Parameters
    ----------
    settings : Settings
        To begin with.
    shown : mapping of str to names
        Which settings stand under which heading.
    pages : mapping of str to callable
        Buttons of usual pages, by their titles, and what returns a page's settings.
    actions : mapping of str to callable
        Buttons and what they do; the last one, `EXPORT`, is the one to press.
    """

    def __init__(
        self, parent: QWidget, title: str, settings: Settings, *, shown: Mapping[str, Sequence[str]],
        pages: Pages, actions: Mapping[str, Callable[[], object]],
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self.setWindowTitle(title)
        self.store = Store(settings)
        self._rows = dict[str, Row]()
        self.preview, self._facts, self._note = Preview(), QLabel(), QLabel()
        self._lay_out(shown, pages, actions)
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(_SETTLE)
        self._settle.timeout.connect(self.show_preview)
        self.store.changed.connect(self._follow)
        self.store.refused.connect(self._note.setText)
        self._show_values(tuple(self._rows))
        self.show_preview()

    @property
    def settings(self) -> Settings:
        """As they stand in the dialog."""
        return self.store.settings

    def row(self, name: str) -> Row:
        """The row of a setting."""
        return self._rows[name]

    def figure(self) -> tuple[FieldFigure, Page]:
        """What is made of the present settings, for the preview.

        Raises
        ------
        SettingError
            Where there is no room for the field.
        """
        raise NotImplementedError

    def facts(self, page: Page) -> str:
        """A line below the preview."""
        raise NotImplementedError

    def _lay_out(
        self, shown: Mapping[str, Sequence[str]], pages: Pages, actions: Mapping[str, Callable[[], object]]
    ) -> None:
        self._facts.setProperty("role", "muted")
        self._note.setProperty("role", "past")
        self._note.setWordWrap(True)
        side = QWidget()
        side.setObjectName("panel")
        column = QVBoxLayout(side)
        column.setContentsMargins(4, 2, 12, 8)
        column.setSpacing(0)
        column.addWidget(self._page_buttons(pages))
        for heading, names in shown.items():
            label = QLabel(heading.upper())
            label.setProperty("role", "heading")
            label.setContentsMargins(INSET, 18, 0, 2 + AROUND)
            column.addWidget(label)
            for name in names:
                column.addWidget(self._row(name))
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidget(side)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFixedWidth(_SIDE)
        left = QVBoxLayout()
        left.addWidget(self.preview, 1)
        left.addWidget(self._facts)
        top = QHBoxLayout()
        top.addLayout(left, 1)
        top.addWidget(scroll)
        whole = QVBoxLayout(self)
        whole.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)  # rows come and go
        whole.setContentsMargins(18, 16, 10, 14)
        whole.setSpacing(10)
        whole.addLayout(top, 1)
        whole.addLayout(self._buttons(actions))
        room = self.parentWidget().size() if self.parentWidget() else QSize(1200, 800)
        self.resize(max(820, min(1180, room.width() - 60)), max(520, min(800, room.height() - 40)))

    def _page_buttons(self, usual: Pages) -> QWidget:
        """Buttons of the usual pages."""
        pages = QWidget()
        grid = QGridLayout(pages)
        grid.setContentsMargins(INSET, 0, INSET, 0)
        grid.setSpacing(6)
        self.pages = QButtonGroup(self)
        for index, (title, page) in enumerate(usual.items()):
            button = QPushButton(title)
            button.setToolTip("Takes the size, resolution and font size that suit it.")
            button.setAutoDefault(False)
            button.clicked.connect(lambda _, page=page: self.store.set(**page()))
            self.pages.addButton(button)
            grid.addWidget(button, index // 2, index % 2)
        return pages

    def _row(self, name: str) -> Row:
        spec = SPECS[name]
        row = self._rows[name] = Row(spec)
        row.editor.edited.connect(lambda value: self._set(name, value))
        row.reset.clicked.connect(lambda: self._set(name, spec.default))
        if isinstance(row.editor, NumberEditor | TextEditor):
            row.editor.refused.connect(self._note.setText)
        return row

    def _buttons(self, actions: Mapping[str, Callable[[], object]]) -> QHBoxLayout:
        line = QHBoxLayout()
        line.addWidget(self._note, 1)
        close = QPushButton("Close")
        close.clicked.connect(self.close)
        close.setAutoDefault(False)
        line.addWidget(close)
        self.buttons: dict[str, QPushButton] = {}
        for title, do in actions.items():
            button = self.buttons[title.replace("&", "")] = QPushButton(title)
            button.clicked.connect(lambda _, do=do: do())
            line.addWidget(button)
        button.setProperty("role", "accent")
        button.setDefault(True)
        return line

    def note(self, text: str) -> None:
        """Say what became of a file."""
        self._note.setText(text)

    def _set(self, name: str, value: Any) -> None:
        self._note.clear()
        if not self.store.set(**{name: value}):
            self._rows[name].show_value(getattr(self.settings, name))

    def _follow(self, old: Settings, new: Settings) -> None:
        self._show_values(tuple(name for name in old.changed(new) if name in self._rows))
        self._settle.start()

    def _show_values(self, names: tuple[str, ...]) -> None:
        for name in names:
            self._rows[name].show_value(getattr(self.settings, name))
        show_what_matters(self._rows, self.settings)

    def show_preview(self) -> None:
        """Paint the figure as large as there is room for it."""
        try:
            figure, page = self.figure()
        except SettingError as error:
            self._note.setText(f"{error}.")
            self.preview.show_figure(None, None)
            self.buttons[EXPORT].setEnabled(False)
            return
        self.buttons[EXPORT].setEnabled(True)
        self.preview.show_figure(figure, page)
        self._facts.setText(self.facts(page))


class Preview(QWidget):
    """Shows a figure as large as there is room, painted as it will be in the file."""

    def __init__(self) -> None:
        super().__init__()
        self.figure: FieldFigure | None = None
        self._page: Page | None = None
        self._image = QImage()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(300, 240)
        self.setAccessibleName("Preview of the figure")

    def show_figure(self, figure: FieldFigure | None, page: Page | None) -> None:
        """Show a figure on its page, or none."""
        self.figure, self._page = figure, page
        self._paint_image()
        self.update()

    def resizeEvent(self, _event: QResizeEvent | None) -> None:
        """Paint it anew, in the size that there is now."""
        self._paint_image()

    def _paint_image(self) -> None:
        self._image = QImage()
        if self.figure is None or self._page is None:
            return
        ratio = self.devicePixelRatioF()
        room = self.size() * ratio
        size = QSize(*self._page.pixels).scaled(room, Qt.AspectRatioMode.KeepAspectRatio)
        if size.isEmpty():
            return
        self._image = image_of(self.figure, Page((size.width(), size.height())))
        self._image.setDevicePixelRatio(ratio)

    def paintEvent(self, _event: QPaintEvent | None) -> None:
        """Lay the picture in the middle, with a hairline round it."""
        if self._image.isNull():
            return
        painter = QPainter(self)
        size = self._image.deviceIndependentSize().toSize()
        rect = QRect((self.width() - size.width()) // 2, (self.height() - size.height()) // 2,
                     size.width(), size.height())  # fmt: skip
        painter.drawImage(rect.topLeft(), self._image)
        painter.setPen(QColor(128, 128, 128, 110))
        painter.drawRect(rect.adjusted(0, 0, -1, -1))
