"""The network: its layers as bars, which show how wide they are, and the code among them."""

from __future__ import annotations

from itertools import pairwise

from PyQt6.QtCore import QLineF, QRectF, Qt
from PyQt6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from aeviz.app.plot import CENTRE, Plot, ink
from aeviz.core.settings import DEFAULTS, Settings
from aeviz.figure.theme import font

_TOP, _NUMBERS, _TEXT = 15.0, 15.0, 16.0  # px above the bars; of the numbers and the sentence below
_LEAST, _UNIT = 7.0, 7.0  # px: height of a bar without units, and what one adds to it at most
_BAR, _PITCH = 12.0, 60.0  # px: width of a bar, and most from one to the next
_APART = 4.0  # px between two numbers


def bars(widths: tuple[int, ...], rect: QRectF) -> list[QRectF]:
    """A bar for each layer, in the middle of a rectangle, whose height grows with the width."""
    pitch = min(_PITCH, (rect.width() - _BAR) / (len(widths) - 1))
    first = rect.center().x() - 0.5 * pitch * (len(widths) - 1)
    unit, across = min(_UNIT, (rect.height() - _LEAST) / max(widths)), min(_BAR, 0.6 * pitch)
    found = []
    for k, width in enumerate(widths):
        bar = QRectF(0.0, 0.0, across, _LEAST + unit * width)
        bar.moveCenter(rect.center())
        bar.moveLeft(first + k * pitch - 0.5 * across)
        found.append(bar)
    return found


def numbers(settings: Settings, places: list[QRectF], row: QRectF) -> dict[int, QRectF]:
    """Where the layers' widths are written below their bars, by layer; those that fit, the code's first."""
    metrics, code = QFontMetricsF(font(10)), len(settings.hidden) + 1
    order = sorted(
        range(len(places)), key=lambda k: (k != code, k not in (0, len(places) - 1), abs(k - code))
    )
    found: dict[int, QRectF] = {}
    for k in order:
        across = metrics.horizontalAdvance(str(settings.widths[k])) + _APART
        text = QRectF(places[k].center().x() - 0.5 * across, row.top(), across, row.height())
        if not any(text.intersects(other) for other in found.values()):
            found[k] = text
    return found


def kind(settings: Settings) -> str:
    """How wide the code is beside the input."""
    if settings.code == 2:
        return "as wide as the input"
    return "over-complete" if settings.code > 2 else "under-complete"


def described(settings: Settings) -> str:
    """The network in words."""
    widths, code = settings.widths, len(settings.hidden) + 1
    names = [f"hidden layer of {width}" for width in widths]
    names[0], names[-1], names[code] = "2 inputs", "2 outputs", f"code of {settings.code}"
    if settings.regulariser == "variational":
        names[code] += ", drawn from its mean μ and deviation σ"
    tied = "; tied weights: the decoder’s are the encoder’s, transposed" if settings.tied else ""
    return f"{', '.join(names)}; {kind(settings)}{tied}"


class NetworkDrawing(Plot):
    """The layers from the input to the reconstruction, and what the code's width means."""

    def __init__(self) -> None:
        super().__init__(
            96, "Network",
            "The layers from the noisy point ŷ over the code h to the reconstruction ỹ: the higher a bar, "
            "the more units its layer has.",
        )  # fmt: skip
        self._settings = DEFAULTS
        self.show_network(self._settings)

    def show_network(self, settings: Settings) -> None:
        """Show the network that these settings describe, drawn anew only where it is another."""
        description = described(settings)
        if description != self.accessibleDescription():
            self._settings = settings
            self.redraw(description)

    def draw(self, painter: QPainter) -> None:
        """Draw lines between neighbours, the bars, their widths, and the sentence."""
        settings, theme, code = self._settings, self.theme, len(self._settings.hidden) + 1
        rect = QRectF(self.rect()).adjusted(8.0, _TOP, -8.0, -_NUMBERS - _TEXT - 3.0)
        places = bars(settings.widths, rect)
        lines = QColor(theme.muted)
        lines.setAlpha(110)
        painter.setPen(QPen(lines, 1.0))
        for left, right in pairwise(places):
            for start in (left.topRight(), left.bottomRight()):
                for end in (right.topLeft(), right.bottomLeft()):
                    painter.drawLine(QLineF(start, end))
        painter.setPen(Qt.PenStyle.NoPen)
        for k, bar in enumerate(places):
            painter.setBrush(ink(theme.noisy if k == code else theme.reconstruction, theme))
            painter.drawRoundedRect(bar, 2.0, 2.0)
        painter.setPen(QColor(theme.muted))
        arrow, tied = ("↔", ", tied") if settings.tied else ("→", "")
        sentence = f"n = 2 {arrow} d = {settings.code}: {kind(settings)}{tied}"
        painter.drawText(QRectF(0.0, self.height() - _TEXT, self.width(), _TEXT), CENTRE, sentence)
        painter.setFont(font(10))
        row = QRectF(0.0, rect.bottom() + 2.0, self.width(), _NUMBERS)
        for k, text in numbers(settings, places, row).items():
            painter.setPen(QColor(theme.text if k == code else theme.muted))
            painter.drawText(text, CENTRE, str(settings.widths[k]))
        if settings.regulariser == "variational":
            above = QRectF(places[code].center().x() - 20.0, 0.0, 40.0, _TOP)
            painter.drawText(above, CENTRE, "μ, σ")
