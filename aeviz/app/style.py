"""The window's one style sheet and its icons, made from theme tokens."""

from __future__ import annotations

from functools import cache
from string import Template

from PyQt6.QtCore import QByteArray, QSize
from PyQt6.QtGui import QIcon, QImage, QPainter, QPixmap
from PyQt6.QtSvg import QSvgRenderer

from aeviz.core.resources import RESOURCES
from aeviz.figure.theme import DISPLAY, TEXT, Theme

_ICONS = RESOURCES / "icons"


def style_sheet(theme: Theme) -> str:
    """Return the style sheet of a theme."""
    tokens = {name: getattr(theme, name) for name in theme.__slots__}
    tone = "dark" if theme.text < "#8" else "light"
    template = Template((RESOURCES / "window.qss").read_text(encoding="utf-8"))
    return template.substitute(tokens, family=TEXT, display=DISPLAY, icons=_ICONS.as_posix(), tone=tone)


STYLE = "Fusion"
"""Qt's style on which the style sheet is based."""


@cache
def icon(name: str, colour: str) -> QIcon:
    """Return an icon of ``resources/icons`` in one colour, sharp on every screen."""
    content = (_ICONS / f"{name}.svg").read_text(encoding="utf-8").replace("currentColor", colour)
    renderer = QSvgRenderer(QByteArray(content.encode()))
    result = QIcon()
    for size in (24, 48, 96, 192):
        image = QImage(QSize(size, size), QImage.Format.Format_ARGB32_Premultiplied)
        image.fill(0)
        painter = QPainter(image)
        renderer.render(painter)
        painter.end()
        result.addPixmap(QPixmap.fromImage(image))
    return result
