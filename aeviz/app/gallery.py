"""The gallery of lessons: a card each, whose picture comes alive under the cursor."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, QSize, Qt, pyqtSignal
from PyQt6.QtGui import (
    QColor,
    QEnterEvent,
    QFocusEvent,
    QFont,
    QImage,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QPixmap,
)
from PyQt6.QtWidgets import (
    QAbstractButton,
    QDialog,
    QGraphicsScene,
    QGridLayout,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from aeviz.app.live_run import LiveRun
from aeviz.core.field import Field
from aeviz.core.presets import FOLDER, Preset, load_preset, preset_names
from aeviz.core.settings import Settings
from aeviz.figure.export import THUMBNAIL, thumbnail
from aeviz.figure.figure import FieldFigure
from aeviz.figure.theme import Theme, font, theme_of
from aeviz.work.messages import Frame

COLUMNS = 4  # where the window is wide enough
_BESIDE = 50  # px of margins and scroll bar
_WIDTH, _PICTURE, _TEXT, _GAP = 226, 186, 58, 14  # px
_SPEED = 400.0  # epochs per second of a picture that is alive


class Gallery(QDialog):
    """All lessons; the one under the cursor, or with the focus, trains while it is looked at."""

    chosen = pyqtSignal(str)
    """The name of a preset."""

    def __init__(self, parent: QWidget, theme: str) -> None:
        super().__init__(parent)
        self.setWindowTitle("Lessons")
        self._theme = theme
        self._run: LiveRun | None = None
        self._figure: FieldFigure | None = None
        self._scene = QGraphicsScene(self)
        self._live: Card | None = None
        names = enumerate(preset_names(), 1)
        self.cards = {name: Card(load_preset(name), number, theme_of(theme)) for number, name in names}
        content = QWidget()
        content.setObjectName("panel")
        grid = QGridLayout(content)
        grid.setContentsMargins(18, 6, 18, 18)
        grid.setSpacing(_GAP)
        columns = max(1, min(COLUMNS, (parent.width() - _BESIDE + _GAP) // (_WIDTH + _GAP)))
        for index, (name, card) in enumerate(self.cards.items()):
            grid.addWidget(card, index // columns, index % columns)
            card.clicked.connect(lambda _, name=name: self._choose(name))
            card.looked_at.connect(self._enliven)
        grid.setRowStretch(grid.rowCount(), 1)
        grid.setColumnStretch(columns, 1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(content)
        self._scroll = scroll
        head = QLabel("Every autoencoder of the lecture: point at one to see it learn, click to open it.")
        head.setProperty("role", "muted")
        head.setContentsMargins(18, 14, 18, 4)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(head)
        column.addWidget(scroll, 1)
        self.resize(columns * (_WIDTH + _GAP) - _GAP + _BESIDE, min(760, parent.height() - 20))

    def _choose(self, name: str) -> None:
        self.chosen.emit(name)
        self.accept()

    def _enliven(self, card: Card) -> None:
        """Train this card's network instead of the last one's."""
        if card is self._live:
            return
        if self._live is not None:
            self._live.show_still()
        self._live = card
        self._scroll.ensureWidgetVisible(card)
        settings = shown_small(card.preset.settings_in(self._theme))
        if self._run is None:
            self._run = LiveRun(settings)
            self._run.speed = _SPEED
            self._run.framed.connect(self._show)
            self._run.start()
        else:
            self._run.settings, self._run.playing = settings, True
            self._run.reset()
            self._run.start()  # where the last one's processes have died
        if self._figure is not None:
            self._scene.removeItem(self._figure)
        self._figure = FieldFigure(settings, self._run.data)
        self._figure.resize(*THUMBNAIL)
        self._scene.addItem(self._figure)

    def _show(self, frame: Frame, field: Field) -> None:
        if self._live is not None and self._figure is not None:
            self._figure.set_field(field, frame.marks)
            self._live.show_picture(thumbnail(self._figure, self._live.picture_size))

    def done(self, result: int) -> None:
        """End the network that is alive."""
        self._live = None
        if self._run is not None:
            self._run.stop()
            self._run = None
        super().done(result)


class Card(QAbstractButton):
    """One lesson: its picture, number and title, and what it teaches."""

    looked_at = pyqtSignal(object)

    def __init__(self, preset: Preset, number: int, theme: Theme) -> None:
        super().__init__()
        self.preset, self._theme = preset, theme
        self._number = number
        self._still = QPixmap(str(FOLDER / f"{preset.name}.png"))
        self._picture = self._still
        self.setObjectName("card")
        self.setFixedSize(_WIDTH, _PICTURE + _TEXT)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(f"Lesson {number}: {preset.title}")
        self.setAccessibleDescription(preset.lesson)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    @property
    def picture_size(self) -> QSize:
        """In the screen's own pixels."""
        return QSize(_WIDTH, _PICTURE) * self.devicePixelRatioF()

    def show_picture(self, image: QImage) -> None:
        """Show a picture that is alive."""
        self._picture = QPixmap.fromImage(image)
        self.update()

    def show_still(self) -> None:
        """Show the picture from the resources again."""
        self._picture = self._still
        self.update()

    def enterEvent(self, event: QEnterEvent) -> None:
        """Come alive."""
        super().enterEvent(event)
        self.looked_at.emit(self)
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        """Lose the frame."""
        super().leaveEvent(event)
        self.update()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Come alive by keyboard too."""
        super().focusInEvent(event)
        if event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason):
            self.looked_at.emit(self)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw picture, title and lesson."""
        painter, theme = QPainter(self), self._theme
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        outline = QPainterPath()
        outline.addRoundedRect(0.5, 0.5, self.width() - 1.0, self.height() - 1.0, 9.0, 9.0)
        painter.fillPath(outline, QColor(theme.raised))
        painter.save()
        painter.setClipPath(outline)
        painter.drawPixmap(0, 0, _WIDTH, _PICTURE, self._picture)
        painter.restore()
        left, wide = 11, self.width() - 22
        painter.setPen(QColor(theme.text))
        painter.setFont(font(13, weight=QFont.Weight.DemiBold))
        painter.drawText(left, _PICTURE + 8, wide, 18, Qt.AlignmentFlag.AlignLeft, self._title(painter, wide))
        painter.setPen(QColor(theme.muted))
        painter.setFont(font(11))
        flags = Qt.AlignmentFlag.AlignLeft | Qt.TextFlag.TextWordWrap
        painter.drawText(left, _PICTURE + 26, wide, _TEXT - 28, flags, self.preset.lesson)
        if self.underMouse() or self.hasFocus():
            painter.strokePath(outline, QPen(QColor(theme.look), 2.0))

    def _title(self, painter: QPainter, wide: int) -> str:
        text = f"{self._number} · {self.preset.title}"
        return painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, wide)


def shown_small(settings: Settings) -> Settings:
    """A preset's settings as they are drawn on a card: one layer, no panels."""
    return settings.replace(
        compare="off", code_plot=False, code_histogram=False, error_curve=False, votes=False
    )
