"""Colours and fonts: the tokens that figure and window are painted with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QFont, QFontDatabase, QGuiApplication

from aeviz.core.resources import RESOURCES

TEXT = "Inter"
DISPLAY = "Inter Display"


@dataclass(frozen=True, slots=True)
class Theme:
    """Colour tokens. `window` to `text` are the window's; the rest are the figure's."""

    window: str  # behind everything
    panel: str  # side panels
    raised: str  # buttons, fields
    chosen: str  # the chosen one of several buttons
    line: str  # hairlines between panels
    text: str
    muted: str  # labels, axes
    accent: str  # the one thing to press
    on_accent: str
    live: str  # "it is running", the Bayes floor
    warning: str
    figure: str  # surroundings of the field
    origin: str  # lines through the origin
    data_rim: str = "#06121c"
    arrow: str = "#000000"
    data: str = "#a9d3ec"  # y
    noisy: str = "#ff9f40"  # ŷ
    reconstruction: str = "#5fa8ff"  # ỹ
    midline: str = "#ff5c8a"  # where the network is ambiguous
    probe: str = "#ff5c8a"  # the network's answer at a place, and the path from it
    exact: str = "#ffffff"  # the exact denoiser's
    geometric: str = "#7fe3ff"
    vote: str = "#ffd24d"
    decoder: str = "#b6f36b"  # what the decoder makes of codes
    look: str = "#ffd24d"  # "look here"
    particle: str = "#ffffff"


DARK = Theme(
    window="#0b0e13", panel="#12161c", raised="#1e2530", chosen="#37414f", line="#232a35",
    text="#e8ecf2", muted="#97a1b0", accent="#4170e8", on_accent="#ffffff", live="#4fc39a", warning="#ffb454",
    figure="#0f1216", origin="#8a8f98",
)  # fmt: skip
LIGHT = Theme(
    window="#e9ecf1", panel="#f7f8fa", raised="#e4e8ef", chosen="#ffffff", line="#d3d8e0",
    text="#161b22", muted="#5a6473", accent="#2f5fd8", on_accent="#ffffff", live="#0b7a53", warning="#9a5b00",
    figure="#ffffff", origin="#8a8f98",
)  # fmt: skip
LECTURE = Theme(
    window="#000000", panel="#0a0a0a", raised="#1f1f1f", chosen="#3d3d3d", line="#2b2b2b",
    text="#f2f2f2", muted="#a0a0a0", accent="#4170e8", on_accent="#ffffff", live="#4fc39a", warning="#ffb454",
    figure="#000000", origin="#808080", data_rim="#000000",
)  # fmt: skip


def theme_of(name: str) -> Theme:
    """Return the theme of a setting's value; "system" follows the desktop's colour scheme."""
    if name == "system":
        hints = QGuiApplication.styleHints()
        light = hints is not None and hints.colorScheme() == Qt.ColorScheme.Light
        return LIGHT if light else DARK
    return {"dark": DARK, "light": LIGHT, "lecture": LECTURE}[name]


@cache
def load_fonts() -> None:
    """Make the bundled fonts known to Qt: figures then look the same on every machine."""
    for path in sorted((RESOURCES / "fonts").glob("*.otf")):
        QFontDatabase.addApplicationFont(str(path))


def font(pixels: int, *, weight: QFont.Weight = QFont.Weight.Normal, family: str = TEXT) -> QFont:
    """A bundled font, with figures of equal width so that nothing jumps when a number changes."""
    load_fonts()
    result = QFont(family)
    result.setPixelSize(pixels)
    result.setWeight(weight)
    result.setFeature(QFont.Tag("tnum"), 1)
    return result


@cache
def lookup_table(name: str) -> NDArray[np.uint32]:
    """256 colours of a colour map as 0xffRRGGBB, (256,)."""
    table = pg.colormap.get(name).getLookupTable(nPts=256).astype(np.uint32)
    packed: NDArray[np.uint32] = 0xFF000000 | table[:, 0] << 16 | table[:, 1] << 8 | table[:, 2]
    return packed
