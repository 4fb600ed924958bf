"""PNG, SVG and PDF, painted from a figure's own scene."""

from __future__ import annotations

from dataclasses import dataclass

import pyqtgraph as pg
from PyQt6.QtCore import QBuffer, QByteArray, QIODevice, QMarginsF, QRectF, QSize, QSizeF, Qt
from PyQt6.QtGui import QColor, QImage, QPageLayout, QPageSize, QPainter, QPdfWriter
from PyQt6.QtSvg import QSvgGenerator
from PyQt6.QtWidgets import QGraphicsScene, QGraphicsWidget

from aeviz.core.clean_data import CleanData
from aeviz.core.field import Field
from aeviz.core.marks import Marks
from aeviz.core.recipe import Recipe
from aeviz.core.recipe_files import png_with, svg_with, xmp
from aeviz.core.setting import SettingError
from aeviz.core.settings import CSS_DPI, Settings
from aeviz.figure.composition import Beside, comparison
from aeviz.figure.figure import FieldFigure
from aeviz.figure.overlays import Lines

THUMBNAIL = (760, 640)  # px of a figure of which a thumbnail is made
_PNG = 75  # packed in 60 % of the time of Qt’s own choice, and 4 % larger
_USUAL_FONT = 9.0  # pt of the legend where a scene pixel is one of the screen's
_TITLE = "aeviz field"


@dataclass(frozen=True)
class Page:
    """What a figure is painted on.

    Attributes
    ----------
    pixels : (width, height)
        Of a PNG file.
    resolution : float
        Of those per inch.
    zoom : float
        How many of the screen's pixels, 96 per inch, one of the scene takes: the larger, the larger are
        text, points and lines.
    """

    pixels: tuple[int, int]
    resolution: float = CSS_DPI
    zoom: float = 1.0

    @classmethod
    def of(cls, settings: Settings, beside: Beside | None = None) -> Page:
        """The page that these settings ask for; two runs side by side have a wider one."""
        pixels = settings.replace(compare=comparison(settings, beside)).figure_pixels
        width, height = (max(1, round(each)) for each in pixels)
        return cls((width, height), settings.resolution, settings.font_size / _USUAL_FONT)

    @property
    def scale(self) -> float:
        """PNG pixels per scene pixel."""
        return self.zoom * self.resolution / CSS_DPI

    @property
    def scene(self) -> QSizeF:
        """Size of the scene, in its own pixels."""
        width, height = self.pixels
        return QSizeF(width / self.scale, height / self.scale)

    @property
    def css(self) -> QSizeF:
        """Size of an SVG or PDF file's page, in pixels of which 96 are an inch."""
        return self.scene * self.zoom


def figure_of(
    field: Field, settings: Settings, data: CleanData, midline: Lines = (), beside: Beside | None = None,
    marks: Marks | None = None,
) -> FieldFigure:  # fmt: skip
    """Make a figure that no window shows; `midline` are the geometric one's lines, `beside` another run.

    Raises
    ------
    SettingError
        Where there is no room for the field.
    """
    figure = FieldFigure(settings, data)
    alone_in_a_scene(figure)
    figure.resize(Page.of(settings, beside).scene)
    figure.set_field(field, marks, midline, beside)
    if not figure.fits:
        raise SettingError(
            "the figure has no room for the field: take a larger --size, a smaller --font-size, or leave "
            "out legend, axes or colour bar"
        )
    return figure


def alone_in_a_scene(figure: QGraphicsWidget) -> None:
    """Put a figure that no window shows into a scene, which goes when the figure is not used any more.

    As a child of the figure, which is its own, neither would ever go: each of the two would keep the other.
    """
    scene = QGraphicsScene()
    scene.addItem(figure)
    figure.kept_scene = scene  # type: ignore[attr-defined]


def picture_bytes(
    figure: QGraphicsWidget, suffix: str, page: Page | None = None, recipe: Recipe | None = None
) -> bytes:
    """Paint a figure into a file of this kind, with its recipe; of the figure's own size without a page."""
    page = page or as_on_screen(figure)
    if suffix == ".png":
        content = png_bytes(image_of(figure, page))
        return content if recipe is None else png_with(content, recipe)
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    painter = QPainter()
    device = _svg_device(buffer, page) if suffix == ".svg" else _pdf_device(buffer, page, recipe)
    painter.begin(device)
    painter.setRenderHint(QPainter.RenderHint.LosslessImageRendering)
    _paint(figure, painter, QRectF(0.0, 0.0, page.css.width(), page.css.height()))
    painter.end()
    content = bytes(buffer.data().data())
    if suffix == ".pdf":
        return content
    # Who opens the file may not have the bundled font; these have nearly its widths.
    content = content.replace(b'font-family="Inter"', b'font-family="Inter, Helvetica, Arial, sans-serif"')
    return content if recipe is None else svg_with(content, recipe)


def image_of(figure: QGraphicsWidget, page: Page | None = None) -> QImage:
    """Paint a figure into an image, of the figure's own size without a page.

    Raises
    ------
    SettingError
        Where there is no memory for it.
    """
    page = page or as_on_screen(figure)
    image = QImage(*page.pixels, QImage.Format.Format_RGB32)
    if image.isNull():
        width, height = page.pixels
        raise SettingError(f"no memory is left for {width:,} × {height:,} pixels: take a smaller --size")
    image.setDotsPerMeterX(round(page.resolution / 0.0254))
    image.setDotsPerMeterY(round(page.resolution / 0.0254))
    image.fill(QColor("black"))
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    _paint(figure, painter, QRectF(image.rect()))
    painter.end()
    return image


def as_on_screen(figure: QGraphicsWidget, scale: float = 1.0) -> Page:
    """A page of `scale` times the size that a figure has."""
    size = figure.size() * scale
    return Page((round(size.width()), round(size.height())), scale * CSS_DPI)


def thumbnail(figure: FieldFigure, size: QSize) -> QImage:
    """Paint the field alone, without axes and legend, into a small image; what is too much is cut off."""
    image = QImage(size, QImage.Format.Format_RGB32)
    field = figure.box.sceneBoundingRect()
    scale = max(size.width() / field.width(), size.height() / field.height())
    source = QRectF(0.0, 0.0, size.width() / scale, size.height() / scale)
    source.moveCenter(field.center())
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    figure.scene().render(painter, QRectF(image.rect()), source, Qt.AspectRatioMode.IgnoreAspectRatio)
    painter.end()
    return image


def png_bytes(image: QImage) -> bytes:
    """The image as a PNG file; needs no GUI thread."""
    content = QByteArray()
    buffer = QBuffer(content)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG", _PNG)
    return bytes(content.data())


def _svg_device(buffer: QBuffer, page: Page) -> QSvgGenerator:
    device = QSvgGenerator(QSvgGenerator.SvgVersion.Svg11)  # Tiny 1.2 has no clipping
    device.setOutputDevice(buffer)
    device.setResolution(round(CSS_DPI))
    device.setSize(page.css.toSize())
    device.setViewBox(QRectF(0.0, 0.0, page.css.width(), page.css.height()))
    device.setTitle(_TITLE)
    return device


def _pdf_device(buffer: QBuffer, page: Page, recipe: Recipe | None) -> QPdfWriter:
    device = QPdfWriter(buffer)
    device.setResolution(round(CSS_DPI))
    points = page.css * 72.0 / CSS_DPI
    size = QPageSize(points, QPageSize.Unit.Point, "", QPageSize.SizeMatchPolicy.ExactMatch)
    device.setPageLayout(
        QPageLayout(size, QPageLayout.Orientation.Portrait, QMarginsF(), QPageLayout.Unit.Point)
    )
    device.setTitle(_TITLE)
    if recipe is not None:
        device.setDocumentXmpMetadata(QByteArray(xmp(recipe, _TITLE)))
    return device


def _paint(figure: QGraphicsWidget, painter: QPainter, target: QRectF) -> None:
    scene = figure.scene()
    if isinstance(scene, pg.GraphicsScene):
        scene.prepareForPaint()
    scene.render(painter, target, figure.sceneBoundingRect(), Qt.AspectRatioMode.IgnoreAspectRatio)
