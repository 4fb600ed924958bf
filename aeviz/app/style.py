"""The window's one style sheet and its icons, made from theme tokens."""

from __future__ import annotations

from functools import cache
from string import Template
from typing import Any, cast

from PyQt6.QtCore import QByteArray, QSize, Qt
from PyQt6.QtGui import QIcon, QImage, QPainter, QPixmap
from PyQt6.QtSvg import QSvgRenderer
from PyQt6.QtWidgets import QProxyStyle, QSlider, QStyle

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


class _SliderStyle(QProxyStyle):
    """For sliders alone: each of the many questions that a widget has for its style would come to Python."""

    def styleHint(self, hint: QStyle.StyleHint, *rest: Any) -> int:
        """Qt's own answer, but for the click beside a slider's handle."""
        if hint == QStyle.StyleHint.SH_Slider_AbsoluteSetButtons:
            return cast(int, Qt.MouseButton.LeftButton.value)
        return super().styleHint(hint, *rest)


def go_where_clicked(slider: QSlider) -> None:
    """Let the handle of a slider go to where it is clicked, instead of a page in that direction."""
    style = _SliderStyle(STYLE)
    style.setParent(slider)  # a widget does not own its style
    slider.setStyle(style)


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
