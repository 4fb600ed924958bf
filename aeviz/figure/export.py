"""PNG, SVG and PDF, painted from a figure's own scene."""

from __future__ import annotations

import pyqtgraph as pg
from PyQt6.QtCore import QBuffer, QByteArray, QIODevice, QMarginsF, QRectF, QSize, QSizeF, Qt
from PyQt6.QtGui import QColor, QImage, QPageLayout, QPageSize, QPainter, QPdfWriter
from PyQt6.QtSvg import QSvgGenerator
from PyQt6.QtWidgets import QGraphicsScene

from aeviz.core.clean_data import CleanData
from aeviz.core.field import Field
from aeviz.core.settings import Settings
from aeviz.figure.composition import Beside, comparison
from aeviz.figure.figure import FieldFigure
from aeviz.figure.overlays import Lines

SIZE, SPLIT_SIZE = (900, 760), (1440, 720)  # px of a figure that no window has given a size
THUMBNAIL = (760, 640)  # px of a figure of which a thumbnail is made
SCALE = 2.0  # PNG pixels per scene pixel, where nothing else is asked for
_DPI = 96  # one scene pixel is one CSS pixel, so that pens and text keep their size in files


def figure_of(
    field: Field, settings: Settings, data: CleanData, midline: Lines = (), beside: Beside | None = None
) -> FieldFigure:
    """Make a figure that no window shows; `midline` are the geometric one's lines, `beside` another run."""
    figure = FieldFigure(settings, data)
    scene = QGraphicsScene(figure)
    scene.addItem(figure)
    figure.resize(*(SPLIT_SIZE if comparison(settings, beside) == "split" else SIZE))
    figure.set_field(field, None, midline, beside)
    return figure


def picture_bytes(figure: FieldFigure, suffix: str, scale: float = 1.0) -> bytes:
    """Paint the figure's scene; `scale` is PNG pixels per scene pixel."""
    if suffix == ".png":
        return png_bytes(image_of(figure, scale))
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    painter = QPainter()
    device = _svg_device(buffer, figure) if suffix == ".svg" else _pdf_device(buffer, figure)
    painter.begin(device)
    painter.setRenderHint(QPainter.RenderHint.LosslessImageRendering)
    _paint(figure, painter, QRectF(figure.rect()))
    painter.end()
    content = bytes(buffer.data().data())
    if suffix == ".pdf":
        return content
    # Who opens the file may not have the bundled font; these have nearly its widths.
    return content.replace(b'font-family="Inter"', b'font-family="Inter, Helvetica, Arial, sans-serif"')


def image_of(figure: FieldFigure, scale: float) -> QImage:
    """Paint the figure into an image of `scale` times its size."""
    size = figure.size() * scale
    image = QImage(round(size.width()), round(size.height()), QImage.Format.Format_RGB32)
    image.setDotsPerMeterX(round(scale * _DPI / 0.0254))
    image.setDotsPerMeterY(round(scale * _DPI / 0.0254))
    image.fill(QColor("black"))
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    _paint(figure, painter, QRectF(image.rect()))
    painter.end()
    return image


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
    image.save(buffer, "PNG")
    return bytes(content.data())


def _svg_device(buffer: QBuffer, figure: FieldFigure) -> QSvgGenerator:
    device = QSvgGenerator(QSvgGenerator.SvgVersion.Svg11)  # Tiny 1.2 has no clipping
    device.setOutputDevice(buffer)
    device.setResolution(_DPI)
    device.setSize(figure.size().toSize())
    device.setViewBox(QRectF(figure.rect()))
    device.setTitle("aeviz field")
    return device


def _pdf_device(buffer: QBuffer, figure: FieldFigure) -> QPdfWriter:
    device = QPdfWriter(buffer)
    device.setResolution(_DPI)
    points = figure.size() * 72.0 / _DPI
    page = QPageSize(
        QSizeF(points.width(), points.height()),
        QPageSize.Unit.Point,
        "",
        QPageSize.SizeMatchPolicy.ExactMatch,
    )
    device.setPageLayout(
        QPageLayout(page, QPageLayout.Orientation.Portrait, QMarginsF(), QPageLayout.Unit.Point)
    )
    device.setTitle("aeviz field")
    return device


def _paint(figure: FieldFigure, painter: QPainter, target: QRectF) -> None:
    scene = figure.scene()
    if isinstance(scene, pg.GraphicsScene):
        scene.prepareForPaint()
    scene.render(painter, target, figure.sceneBoundingRect(), Qt.AspectRatioMode.IgnoreAspectRatio)
