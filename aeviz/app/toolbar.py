"""The bar over the field: presets, what is drawn, and the way out to files."""

from __future__ import annotations

from PyQt6.QtCore import QSize, Qt, pyqtSignal
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLabel, QPushButton, QWidget

from aeviz.app.editors import Segments
from aeviz.app.store import Store
from aeviz.core.presets import load_preset, preset_names
from aeviz.core.settings import SPECS, Settings

_SEGMENTS = {
    "layer": {"magnitude": "Field", "ambiguity": "Ambiguity", "none": "Plain"},
    "arrows": {"grid": "Grid", "samples": "Samples", "both": "Both", "none": "None"},
}
_SWITCHES = {"midline": "Midline", "show_noisy": "Noisy ŷ", "show_reconstruction": "Reconstructions ỹ"}


class Toolbar(QWidget):
    """The settings that are changed most, and nothing that is not also elsewhere."""

    export_wanted = pyqtSignal()
    help_wanted = pyqtSignal()

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
        row.addWidget(self._presets())
        self._segments = {name: Segments(SPECS[name], titles) for name, titles in _SEGMENTS.items()}
        self._switches = {name: QCheckBox(title) for name, title in _SWITCHES.items()}
        for name, segments in self._segments.items():
            segments.edited.connect(lambda value, name=name: store.set(**{name: value}))
            row.addWidget(segments)
        for name, switch in self._switches.items():
            switch.setToolTip(SPECS[name].help)
            switch.toggled.connect(lambda value, name=name: store.set(**{name: value}))
            row.addWidget(switch)
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
        self._spare = (brand, *self._switches.values(), self._segments["arrows"])
        self._wide = self.sizeHint().width()
        store.changed.connect(lambda _, new: self._show(new))
        self._show(store.settings)

    def minimumSizeHint(self) -> QSize:
        """As narrow as the window wants: what does not fit is hidden, and is in the left panel too."""
        return QSize(300, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show as much as fits."""
        super().resizeEvent(event)
        excess = self._wide - self.width()
        for widget in self._spare:
            widget.setVisible(excess <= 0)
            excess -= widget.sizeHint().width() + self.layout().spacing() if excess > 0 else 0

    def _presets(self) -> QComboBox:
        box = QComboBox()
        box.setAccessibleName("Presets")
        box.setToolTip("Take all settings from a preset")
        box.addItem("Presets", None)
        for name in preset_names():
            box.addItem(load_preset(name).title, name)
        box.activated.connect(lambda _: self._take(box))
        return box

    def _take(self, box: QComboBox) -> None:
        name = box.currentData()
        if name is not None:
            self._store.put(load_preset(name).settings)
        box.setCurrentIndex(0)

    def _show(self, settings: Settings) -> None:
        for name, segments in self._segments.items():
            segments.show_value(getattr(settings, name))
        for name, switch in self._switches.items():
            switch.setChecked(getattr(settings, name))
