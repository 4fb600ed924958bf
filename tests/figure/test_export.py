"""PNG, SVG and PDF are the same picture, and each is a good file of its kind."""

from __future__ import annotations

import dataclasses
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from PyQt6.QtCore import QByteArray, QPointF, QRectF
from PyQt6.QtGui import QColor, QImage, QPainter
from PyQt6.QtSvg import QSvgRenderer

from aeviz.core.clean_data import clean_data
from aeviz.core.layers import LAYERS
from aeviz.core.presets import preset
from aeviz.core.setting import SettingError
from aeviz.core.settings import SIZE, SPLIT_SIZE, Settings
from aeviz.figure.composition import Beside
from aeviz.figure.export import Page, as_on_screen, figure_of, picture_bytes
from aeviz.figure.figure import FieldFigure
from aeviz.figure.theme import DARK

FULL = Settings(points=40, arrows="both", show_noisy=True, show_reconstruction=True)
# Mean absolute difference of all channels, of 255. The heat map and the surroundings are the same pixel by
# pixel; edges are antialiased by other rules, and other programs set text in fonts of their own. Where a
# layer is missing it is 0.5 to 1.3 more, where the picture is 1 px off 1.7 to 10 more.
SAME_QT, OTHER_PROGRAM = 0.7, 1.2  # 0.1 of it: in vector files, cells reach under the next ones
MANY_SHAFTS = {SAME_QT: 2.0, OTHER_PROGRAM: 5.0}  # 1,360 arrows are mostly edges
MUCH_TEXT = 0.4  # more, where a second layer has its own title, scale and edges, or lines and a label
LONG_NUMBERS = 0.2  # more, on axes in the user's own units: Qt's SVG has another font
WIPE_LINE = 9  # px on each side: in vector files it stands 2 px beside
OWN = (np.array([300.0, 0.02]), np.array([-4_000.0, 7.0]))  # scale and offset of the user's units
DECODED = tuple(np.array([[x, y] for y in (-1.0, 1.5)]) for x in (-1.7, -0.6, 0.9))
MIDLINE = (np.array([[-1.5, -0.5], [0.2, 1.3], [1.1, 0.4]]),)
BARE = FULL.replace(arrows="none")
COMPARED = BARE.replace(layer="exact-energy", beside="ambiguity", exact_midline=True, geometric_midline=True)
RUNS = COMPARED.replace(beside="exact-energy")  # of both
LOOKS = {
    "lecture-2021": preset("lecture-2021"), "everything": FULL, "no arrows": BARE,
    "split": COMPARED.replace(compare="split"), "wipe": COMPARED.replace(compare="wipe", wipe=0.3),
    "two runs": RUNS.replace(compare="split"), "two runs, wipe": RUNS.replace(compare="wipe", wipe=0.3),
    "own units": BARE.replace(decoder=True, show_noisy=False, midline=False),
}  # fmt: skip


@pytest.fixture(params=LOOKS)
def figure(request, qapp, best):
    settings = LOOKS[request.param]
    data, field, beside = clean_data(settings), best(settings), None
    if request.param == "own units":
        data = dataclasses.replace(data, scale=OWN[0], offset=OWN[1])
        field = dataclasses.replace(field, decoded=DECODED)
    if settings.beside == settings.layer:
        beside = Beside(best(settings.replace(noise=0.5)), MIDLINE, "Run 2 · epoch 1", "Run 1 · epoch 7")
    figure = figure_of(field, settings, data, MIDLINE, beside)
    if request.param == "own units":
        figure.show_look((-0.6, 0.4), "look here")
    figure.setProperty("settings", settings)
    figure.setProperty("own", request.param == "own units")
    return figure


def size_of(figure: FieldFigure) -> tuple[int, int]:
    """Pixels of a figure that no window has given a size."""
    return SPLIT_SIZE if figure.property("settings").compare == "split" else SIZE


def assert_alike(image: QImage, figure: FieldFigure, least: float) -> None:
    settings = figure.property("settings")
    if settings.arrows != "none":
        least = MANY_SHAFTS[least]
    if settings.compare != "off" or settings.decoder:
        least += MUCH_TEXT
    least += LONG_NUMBERS * figure.property("own")
    apart = apart_by(image, QImage.fromData(picture_bytes(figure, ".png"), "PNG"))
    if settings.compare == "wipe":
        box = figure.box.geometry()
        line = round(box.x() + settings.wipe * box.width())
        apart = np.delete(apart, slice(line - WIPE_LINE, line + WIPE_LINE), axis=1)
    assert apart.mean() < least


def pixels(image: QImage) -> np.ndarray:
    """Channels of an image, (H, W, 3)."""
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    bits = image.constBits()
    bits.setsize(image.sizeInBytes())
    return np.frombuffer(bits, np.uint8).reshape(image.height(), image.width(), 4)[..., :3].astype(int)


def apart_by(one: QImage, other: QImage) -> np.ndarray:
    """How far the channels of two images are apart, (H, W, 3)."""
    assert one.size() == other.size()
    return np.abs(pixels(one) - pixels(other))


@pytest.mark.parametrize("scale", [1.0, 2.0, 4.0])
def test_a_png_has_the_size_that_was_asked_for(scale, qapp, best):
    figure = figure_of(best(FULL), FULL, clean_data(FULL))
    image = QImage.fromData(picture_bytes(figure, ".png", as_on_screen(figure, scale)), "PNG")
    assert (image.width(), image.height()) == (SIZE[0] * scale, SIZE[1] * scale)
    assert image.dotsPerMeterX() * 0.0254 == pytest.approx(96 * scale, abs=0.1)  # as large on paper
    once = QImage.fromData(picture_bytes(figure, ".png"), "PNG")
    assert apart_by(image.scaled(once.size()), once).mean() < 8.0  # the same picture: edges alone differ
    assert not image.hasAlphaChannel()


def test_a_figure_of_odd_size_is_painted_to_its_edges(qapp, best):
    figure = figure_of(best(FULL), FULL.replace(theme="light"), clean_data(FULL))
    figure.resize(533.0, 471.0)
    image = QImage.fromData(picture_bytes(figure, ".png", as_on_screen(figure, 2.0)), "PNG")
    assert (image.width(), image.height()) == (1_066, 942)
    assert image.pixelColor(1_065, 941).name() == "#ffffff"


def test_arrows_of_a_small_figure_are_finer_and_cover_little_of_it(qapp, best):
    settings = FULL.replace(
        layer="none", arrow_length="scaled", midline=False, show_data=False, show_noisy=False,
        show_reconstruction=False, legend=False, colour_bar=False, theme="light",
    )  # fmt: skip
    covered = []
    for width, height in ((900.0, 770.0), (300.0, 256.0)):
        figure = figure_of(best(settings), settings, clean_data(settings))
        figure.resize(width, height)
        image = QImage.fromData(picture_bytes(figure, ".png", as_on_screen(figure, 2_700.0 / width)), "PNG")
        x, y, wide, high = (round(2_700.0 / width * each) for each in figure.box.geometry().getRect())
        covered.append(1.0 - pixels(image)[y : y + high, x : x + wide].mean() / 255.0)
    assert 0.01 < covered[1] < 2.2 * covered[0], covered  # three times as much, were they as bold


def test_an_image_that_there_is_no_memory_for_is_refused(qapp, best, monkeypatch):
    class NoRoom(QImage):
        def isNull(self) -> bool:
            return True

    monkeypatch.setattr("aeviz.figure.export.QImage", NoRoom)
    figure = figure_of(best(FULL), FULL, clean_data(FULL))
    with pytest.raises(SettingError, match="no memory is left for 1,000 × 800 pixels: take a smaller --size"):
        picture_bytes(figure, ".png", Page((1000, 800)))


def test_an_svg_is_small_and_plain(figure):
    content = picture_bytes(figure, ".svg")
    assert len(content) < 1_000_000
    root = ET.fromstring(content)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert [float(each) for each in root.get("viewBox").split()] == [0, 0, *size_of(figure)]

    def walk(node: ET.Element, stroke: str) -> None:
        stroke = node.get("stroke", stroke)
        if node.get("vector-effect") == "non-scaling-stroke":
            assert stroke == "none", "librsvg draws such strokes as wide as the page"
        for child in node:
            walk(child, stroke)

    walk(root, "none")
    families = {node.get("font-family") for node in root.iter("{http://www.w3.org/2000/svg}text")}
    assert families == {"Inter, Helvetica, Arial, sans-serif"}


def test_a_title_has_the_same_font_in_every_file(qapp, best):
    settings = Settings(title="σ < 1")
    content = picture_bytes(figure_of(best(settings), settings, clean_data(settings)), ".svg")
    texts = [*ET.fromstring(content).iter("{http://www.w3.org/2000/svg}text")]
    assert {node.get("font-family") for node in texts} == {"Inter, Helvetica, Arial, sans-serif"}
    assert {"400", "600"} == {node.get("font-weight") for node in texts}, "of which Inter has both"


def test_the_texts_of_an_svg_are_texts(figure):
    root = ET.fromstring(picture_bytes(figure, ".svg"))
    texts = ["".join(node.itertext()).strip() for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"data y", "y"} & {*texts}
    assert re.search(r"−\d", "".join(texts)), "no minus sign, but a hyphen"
    solid = {text.replace("\u200a", "") for text in texts}  # thin spaces set symbols apart
    assert {LAYERS[name].symbol for name in figure.property("settings").layers} <= solid


def rasterised(content: bytes, size: tuple[int, int]) -> QImage:
    image = QImage(*size, QImage.Format.Format_RGB32)
    image.fill(0)
    painter = QPainter(image)
    QSvgRenderer(QByteArray(content)).render(painter, QRectF(image.rect()))
    painter.end()
    return image


@pytest.mark.parametrize(
    "figure", [name for name in LOOKS if "wipe" not in name], indirect=True
)  # Qt clips none
def test_svg_and_png_are_the_same_picture(figure):
    assert_alike(rasterised(picture_bytes(figure, ".svg"), size_of(figure)), figure, SAME_QT)


@pytest.mark.skipif(not shutil.which("rsvg-convert"), reason="needs librsvg's rsvg-convert")
def test_another_program_sees_the_same_svg(figure):
    width, height = size_of(figure)
    convert = ["rsvg-convert", "--width", str(width), "--height", str(height)]
    done = subprocess.run(convert, input=picture_bytes(figure, ".svg"), capture_output=True, check=True)
    assert_alike(QImage.fromData(done.stdout, "PNG"), figure, OTHER_PROGRAM)


def test_a_pdf_is_one_page_of_the_figures_size_with_text(figure):
    content = picture_bytes(figure, ".pdf")
    assert content.startswith(b"%PDF-1.")
    assert content.rstrip().endswith(b"%%EOF")
    width, height = size_of(figure)
    boxes = re.findall(rb"/MediaBox\s*\[\s*([\d.\s]+?)\s*\]", content)
    assert [[float(each) for each in box.split()] for box in boxes] == [
        [0, 0, width * 72 / 96, height * 72 / 96]
    ]
    assert re.search(rb"/BaseFont\s*/\S*Inter", content), "text is set in the bundled font"
    assert len(content) < 1_000_000


@pytest.mark.skipif(not shutil.which("pdftoppm"), reason="needs poppler's pdftoppm")
def test_pdf_and_png_are_the_same_picture(figure, tmp_path):
    (tmp_path / "a.pdf").write_bytes(picture_bytes(figure, ".pdf"))
    subprocess.run(["pdftoppm", "-r", "96", "-png", "a.pdf", "a"], cwd=tmp_path, check=True)
    (page,) = tmp_path.glob("*.png")
    assert_alike(QImage(str(page)), figure, OTHER_PROGRAM)


# The decoder's reach, the user's units, and the place to look at


@pytest.mark.parametrize("figure", ["own units"], indirect=True)
def test_decoder_units_and_label_are_in_the_png(figure):
    image = QImage.fromData(picture_bytes(figure, ".png"), "PNG")
    seen, wanted = pixels(image), np.array(QColor(DARK.decoder).getRgb()[2::-1])  # blue comes first
    for line in DECODED:
        for part in (0.2, 0.4, 0.9):
            point = figure.box.mapToScene(
                figure.box.mapFromView(QPointF(*(line[0] + part * np.ptp(line, 0))))
            )
            x, y = int(point.x()), int(point.y())
            off = np.abs(seen[y, x - 1 : x + 2] - wanted).max(axis=1)
            assert off.min() < 80, "no line"  # of 1.5 px, which no pixel may have for itself alone
    rect = figure.box.geometry().toRect()
    left, below = ((0, rect.top(), rect.left() - 5, rect.height()),
                   (rect.left(), rect.bottom() + 6, rect.width(), 20))  # fmt: skip
    for x, y, wide, high in (left, below):
        assert len({image.pixelColor(x + i, y + j).name() for i in range(wide) for j in range(high)}) > 5


@pytest.mark.parametrize("figure", ["own units"], indirect=True)
def test_decoder_units_and_label_are_in_the_svg(figure):
    content = picture_bytes(figure, ".svg").decode()
    root = ET.fromstring(content)
    texts = {"".join(node.itertext()).strip() for node in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"−4000", "7.00", "look here", "decoder: Dec(h) over the codes of the data"} <= texts
    assert f'stroke="{DARK.decoder}"' in content
    plain = figure_of(best_field := figure._field, figure._settings.replace(decoder=False), figure._data)
    assert best_field.decoded
    assert f'stroke="{DARK.decoder}"' not in picture_bytes(plain, ".svg").decode()


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_a_picture_made_again_is_the_same_file(suffix, qapp, best):
    one, other = (picture_bytes(figure_of(best(FULL), FULL, clean_data(FULL)), suffix) for _ in range(2))
    assert one == other
