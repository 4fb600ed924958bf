"""The right panel: what is under the cursor, who votes for it, and what the picture shows in plain words."""

from __future__ import annotations

import numpy as np
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QGridLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from aeviz.app.code_histogram import CodeHistogram
from aeviz.app.code_plot import CodePlot
from aeviz.app.lesson_card import LessonCard
from aeviz.app.noise_curve import NoiseCurvePlot
from aeviz.app.votes import VotesPlot
from aeviz.core.clean_data import CleanData
from aeviz.core.code import CodeView
from aeviz.core.explanation import explanation, formulas
from aeviz.core.marks import Place, Point
from aeviz.core.metrics import NoiseCurve, Quality
from aeviz.core.midline import Midline
from aeviz.core.settings import Settings
from aeviz.figure.axes import number_text
from aeviz.figure.theme import Theme

_ROWS = {
    "place": "noisy ŷ",
    "reconstruction": "reconstruction ỹ",
    "exact": "exact r*",
    "magnitude": "moves by",
    "off": "off the exact",
    "ambiguity": "ambiguity a",
    "density": "density log p",
}
_EMPTY = "—"


class Inspector(QScrollArea):
    """Numbers of one place, and a text about the whole."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("right")
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        content = QWidget()
        content.setObjectName("panel")
        column = QVBoxLayout(content)
        column.setContentsMargins(16, 14, 16, 16)
        column.setSpacing(10)
        self.lesson = LessonCard()
        column.addWidget(self.lesson)
        self.votes, self.code = VotesPlot(), CodePlot()
        self.histogram, self.over_noise = CodeHistogram(), NoiseCurvePlot()
        cursor = QWidget()
        cursor.setLayout(self._make_rows())
        self._sections = {
            "code_plot": _Section("CODE h OF THE DATA", self.code),
            "code_histogram": _Section("HOW OFTEN h TAKES WHICH VALUE", self.histogram),
            "error_curve": _Section("ERROR OVER NOISE", self.over_noise),
            "": _Section("UNDER THE CURSOR", cursor),
            "votes": _Section("VOTES FOR THIS PLACE", self.votes),
        }  # by the settings that ask for them
        for section in self._sections.values():
            column.addWidget(section)
        column.addSpacing(2)
        column.addWidget(_heading("WHAT AM I SEEING?"))
        self._text = QLabel()
        self._text.setProperty("role", "card")
        self._text.setWordWrap(True)
        self._text.setTextFormat(Qt.TextFormat.RichText)
        self._text.setTextInteractionFlags(
            Qt.TextInteractionFlag.LinksAccessibleByMouse | Qt.TextInteractionFlag.LinksAccessibleByKeyboard
        )
        self._text.linkActivated.connect(lambda _: self._toggle_formula())
        column.addWidget(self._text)
        column.addStretch(1)
        self.setWidget(content)
        self._formula_open = False
        self._explained: tuple[Settings, Quality, Midline | None, CleanData] | None = None
        self._link_colour = "blue"

    def _make_rows(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(4)
        self._values: dict[str, QLabel] = {}
        for row, (name, title) in enumerate(_ROWS.items()):
            label, value = QLabel(title), QLabel(_EMPTY)
            label.setProperty("role", "muted")
            value.setAlignment(Qt.AlignmentFlag.AlignRight)
            value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            value.setAccessibleName(title)
            grid.addWidget(label, row, 0)
            grid.addWidget(value, row, 1)
            self._values[name] = value
        return grid

    def paint_with(self, theme: Theme) -> None:
        """Take a theme's colours."""
        self._link_colour = theme.accent
        for part in (self.lesson, self.votes, self.code, self.histogram, self.over_noise):
            part.paint_with(theme)
        self._write()

    def show_place(self, place: Place | None, data: CleanData) -> None:
        """Show what is known of a place."""
        for name, text in place_texts(place, data).items():
            self._values[name].setText(text)
        profile = place.exact.profile if place and place.exact else None
        self.votes.show_votes(profile, closed=data.closed, breaks=data.breaks)
        self.code.show_cursor(place.code if place and len(place.code) else None)

    def show_sections(self, settings: Settings) -> None:
        """Show the plots that these settings ask for."""
        for name, section in self._sections.items():
            section.setVisible(not name or getattr(settings, name))

    def show_measured(self, code: CodeView | None, over_noise: NoiseCurve | None, trained: Settings) -> None:
        """Show what was measured of the shown epoch, which was trained with these settings."""
        self.code.show_code(code)
        self.histogram.show_code(code)
        self.over_noise.show_curve(over_noise, trained.noise, trained.tested.noise)

    def explain(self, settings: Settings, quality: Quality, midline: Midline | None, data: CleanData) -> None:
        """Say what the picture shows; see `explanation`."""
        self._explained = settings, quality, midline, data
        self._write()

    def _toggle_formula(self) -> None:
        self._formula_open = not self._formula_open
        self._write()

    def _write(self) -> None:
        if self._explained is None:
            return
        paragraphs = explanation(*self._explained)
        more = "Hide the formula" if self._formula_open else "Show the formula"
        if self._formula_open:
            for name in self._explained[0].layers:
                entry = formulas()[name]
                paragraphs += [entry["formula"], f"<i>{entry['source']}</i>"]
        paragraphs.append(f'<a href="#" style="color:{self._link_colour}; text-decoration:none">{more}</a>')
        text = "".join(f'<p style="margin-top:0; margin-bottom:8px">{each}</p>' for each in paragraphs)
        if text != self._text.text():
            self._text.setText(text)


def place_texts(place: Place | None, data: CleanData) -> dict[str, str]:
    """What is known of a place as text, dashes where nothing is; places in the user's units."""

    def pair(point: Point) -> str:
        x, y = (number_text(float(value), 3) for value in data.offset + data.scale * np.array(point))
        return f"({x}, {y})"

    texts = dict.fromkeys(_ROWS, _EMPTY)
    if place is None:
        return texts
    texts |= {
        "place": pair(place.place),
        "reconstruction": pair(place.reconstruction),
        "magnitude": f"{place.magnitude:.3f}",
        "ambiguity": _number(place.ambiguity, 2),
    }
    if place.exact is not None:
        texts |= {
            "exact": pair(place.exact.reconstruction),
            "off": f"{np.hypot(*np.subtract(place.reconstruction, place.exact.reconstruction)):.3f}",
            "density": _number(place.exact.log_density, 2),
        }
        if place.exact.ambiguity is not None:
            texts["ambiguity"] += f" · exact {_number(place.exact.ambiguity, 2)}"
    return texts


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".replace("-", "−")


def _heading(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "heading")
    return label


class _Section(QWidget):
    """A plot under its heading."""

    def __init__(self, title: str, plot: QWidget) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 4)
        column.setSpacing(8)
        column.addWidget(_heading(title))
        column.addWidget(plot)
