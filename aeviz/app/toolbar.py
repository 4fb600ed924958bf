"""The bar over the field: presets, what is drawn, and the way out to files."""

from __future__ import annotations

from PyQt6.QtCore import QSize, Qt, pyqtSignal
from PyQt6.QtGui import QAction, QActionGroup, QResizeEvent
from PyQt6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QMenu, QPushButton, QToolButton, QWidget

from aeviz.app.editors import Segments
from aeviz.app.store import Store
from aeviz.core.layers import LAYERS
from aeviz.core.settings import SPECS, Settings

_COMPARE = {"off": "One", "split": "Split", "wipe": "Wipe"}
_SHOWN = (
    "midline", "exact_midline", "geometric_midline", "", "show_data", "show_noisy", "show_reconstruction",
    "decoder", "votes", "code_plot", "code_histogram", "error_curve", "", "arrows", "flow",
)  # fmt: skip
"""What the menu offers: settings that are on or off, and choices; nothing between two is a line."""


class Toolbar(QWidget):
    """The settings that are changed most, and nothing that is not also elsewhere."""

    export_wanted = pyqtSignal()
    help_wanted = pyqtSignal()
    gallery_wanted = pyqtSignal()

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store
        self.setObjectName("toolbar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 6, 16, 6)
        row.setSpacing(12)
        brand = QLabel("aeviz")
        brand.setProperty("role", "brand")
        row.addWidget(brand)
        self.lessons = QPushButton("Lessons")
        self.lessons.setToolTip("All presets, each with what it teaches (Ctrl+L)")
        self.lessons.clicked.connect(self.gallery_wanted)
        row.addWidget(self.lessons)
        self.layer = LayerChoice("layer", store)
        self.compare = Segments(SPECS["compare"], _COMPARE)
        self.compare.edited.connect(lambda value: store.set(compare=value))
        self.beside = LayerChoice("beside", store)
        self.show_menu = QToolButton()
        self.show_menu.setText("Show")
        self.show_menu.setProperty("role", "menu")
        self.show_menu.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.show_menu.setToolTip("Midlines, points, arrows, particles")
        self.show_menu.setMenu(self._menu_of_shown())
        for widget in (self.layer, self.compare, self.beside, self.show_menu):
            row.addWidget(widget)
        row.addStretch(1)
        export = QPushButton("Export…")
        export.setProperty("role", "accent")
        export.setToolTip("Write the figure to a file (Ctrl+E)")
        export.clicked.connect(self.export_wanted)
        row.addWidget(export)
        ask = QPushButton("?")
        ask.setAccessibleName("Help")
        ask.setToolTip("What am I seeing? (F1)")
        ask.clicked.connect(self.help_wanted)
        row.addWidget(ask)
        self._spare = (brand, self.compare, self.lessons)
        self._wide = self.sizeHint().width()
        store.changed.connect(lambda _, new: self._show(new))
        self._show(store.settings)

    def minimumSizeHint(self) -> QSize:
        """As narrow as the window wants: what does not fit is hidden, and is in panel and menus too."""
        return QSize(300, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show as much as fits."""
        super().resizeEvent(event)
        excess = self._wide - self.width()
        for widget in self._spare:
            widget.setVisible(excess <= 0)
            excess -= widget.sizeHint().width() + self.layout().spacing() if excess > 0 else 0

    def _menu_of_shown(self) -> QMenu:
        menu = QMenu(self)
        self._actions: dict[tuple[str, object], QAction] = {}
        for name in _SHOWN:
            if not name:
                menu.addSeparator()
            elif SPECS[name].choices:
                inner = QMenu(SPECS[name].label, menu)
                menu.addMenu(inner)
                one_of = QActionGroup(inner)
                for choice in SPECS[name].choices:
                    one_of.addAction(self._add(inner, name, choice, choice.capitalize()))
            else:
                self._add(menu, name, True, SPECS[name].title)
        return menu

    def _add(self, menu: QMenu, name: str, value: object, title: str) -> QAction:
        action = QAction(title, menu)
        menu.addAction(action)
        action.setCheckable(True)
        action.setToolTip(SPECS[name].help)
        action.triggered.connect(
            lambda on: self._store.set(**{name: value if isinstance(value, str) else bool(on)})
        )
        self._actions[name, value] = action
        return action

    def _show(self, settings: Settings) -> None:
        self.layer.show_value(settings.layer)
        self.compare.show_value(settings.compare)
        self.beside.show_value(settings.beside)
        self.beside.setVisible(settings.compare != "off")
        for (name, value), action in self._actions.items():
            action.setChecked(getattr(settings, name) == value)


class LayerChoice(QComboBox):
    """One of the layers, by title."""

    def __init__(self, name: str, store: Store) -> None:
        super().__init__()
        self.setAccessibleName(SPECS[name].label)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # after a choice, Space is for play and pause again
        for value, layer in LAYERS.items():
            self.addItem(layer.title, value)
            self.setItemData(self.count() - 1, layer.help, Qt.ItemDataRole.ToolTipRole)
        self.activated.connect(lambda _: store.set(**{name: self.currentData()}))

    def show_value(self, value: str) -> None:
        """Show a layer without saying that it was chosen."""
        self.setCurrentIndex(self.findData(value))
        self.setToolTip(LAYERS[value].help)
