"""The small plots of the panels: codes, their spread, the error over the noise, and the network's drawing."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from PyQt6.QtCore import QEvent, QPoint, QRectF
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication

from aeviz.app.code_histogram import CodeHistogram
from aeviz.app.code_histogram import bars as histogram_bars
from aeviz.app.code_plot import CodePlot, to_pixels
from aeviz.app.network_drawing import NetworkDrawing, bars, numbers
from aeviz.app.noise_curve import NoiseCurvePlot, apart, heights
from aeviz.app.plot import short
from aeviz.core.code import CodeView, Directions, some_points
from aeviz.core.metrics import NoiseCurve
from aeviz.core.settings import Settings
from aeviz.figure.theme import DARK, LECTURE, LIGHT

NOISES = np.linspace(0.0, 0.6, 13)
CURVE = NoiseCurve(NOISES, 2.0 * NOISES**2, 1.2 * NOISES**2, 0.01 + 1.3 * NOISES**2)
ALONE = NoiseCurve(NOISES, 2.0 * NOISES**2, None, 2.0 * NOISES**2)
PANEL = 218  # px that a panel of 250 leaves
DEEP = Settings(hidden=(1024,) * 4, code=1024, tied=True)
NETWORKS = {
    "2 inputs, code of 1, 2 outputs; under-complete": Settings(hidden=(), code=1),
    "2 inputs, code of 2, 2 outputs; as wide as the input": Settings(hidden=(), code=2),
    "2 inputs, hidden layer of 64, code of 64, 2 outputs; over-complete": Settings(),
    "2 inputs, hidden layer of 8, code of 1, hidden layer of 8, 2 outputs; under-complete": Settings(
        hidden=(8,), code=1, mirror=True
    ),
    "2 inputs, hidden layer of 8, code of 3, drawn from its mean μ and deviation σ, hidden layer of 8, "
    "2 outputs; over-complete; tied weights: the decoder’s are the encoder’s, transposed": Settings(
        hidden=(8,), code=3, tied=True, regulariser="variational"
    ),
}


def view_of(codes: np.ndarray, count: int | None = None) -> CodeView:
    """That of codes (K, d), of K of `count` clean points."""
    points = np.arange(len(codes)) if count is None else some_points(count)
    positions = points / max(1, points[-1])
    return CodeView.of(points, positions, codes, Directions.of(codes))


LINE = view_of(np.linspace(-0.9, 0.8, 9)[:, None] ** 3)
SCATTER = view_of(np.stack((np.cos(np.arange(9)), 3.0 * np.sin(np.arange(9))), axis=1))
SPHERE = view_of(np.random.default_rng(0).normal(size=(300, 64)), 1_000)


@pytest.fixture
def put(qtbot):
    """Show a plot in a window of its own."""

    def put(plot, width: int = PANEL):
        qtbot.addWidget(plot)
        plot.resize(width, plot.sizeHint().height())
        plot.show()
        return plot

    return put


@pytest.fixture
def code_plot(put):
    return put(CodePlot())


def marks_of(plot: CodePlot, view: CodeView) -> np.ndarray:
    """Where the marks of a view must be, by hand: in the middle of the frame, as large as fits."""
    frame, k = plot.frame, view.places.shape[1]
    plane = view.places if k == 2 else np.column_stack((view.positions, view.places))
    low, high = (plane.min(axis=0), plane.max(axis=0)) if k == 2 else (
        np.array([0.0, view.places.min()]), np.array([1.0, view.places.max()])
    )  # fmt: skip
    scale = np.array([frame.width(), frame.height()]) / (high - low)
    scale = np.full(2, scale.min()) if k == 2 else scale
    centre = np.array([frame.center().x(), frame.center().y()])
    return centre + (plane - 0.5 * (low + high)) * scale * (1.0, -1.0)


def hover(widget, place) -> None:
    QTest.mouseMove(widget.windowHandle(), QPoint(*np.round(place).astype(int).tolist()))


def leave(widget) -> None:
    QApplication.sendEvent(widget, QEvent(QEvent.Type.Leave))


def picture(widget):
    return widget.grab().toImage()


# Codes


def test_places_fill_the_rectangle_or_keep_their_shape():
    low, high, rect = np.array([-1.0, 10.0]), np.array([1.0, 14.0]), QRectF(100.0, 50.0, 200.0, 80.0)
    places = np.array([[-1.0, 10.0], [1.0, 14.0], [0.0, 12.0], [0.5, 11.0]])
    filled = [[100.0, 130.0], [300.0, 50.0], [200.0, 90.0], [250.0, 110.0]]
    np.testing.assert_allclose(to_pixels(places, low, high, rect, equal=False), filled, rtol=0, atol=1e-9)
    equal = [[180.0, 130.0], [220.0, 50.0], [200.0, 90.0], [210.0, 110.0]]  # 20 px a unit
    np.testing.assert_allclose(to_pixels(places, low, high, rect, equal=True), equal, rtol=0, atol=1e-9)


@pytest.mark.parametrize("equal", [False, True])
def test_what_does_not_vary_lies_in_the_middle(equal):
    rect, one = QRectF(0.0, 0.0, 200.0, 80.0), np.array([0.3, 7.0])
    np.testing.assert_allclose(to_pixels(one, one, one, rect, equal), [100.0, 40.0], rtol=0, atol=1e-9)
    flat = to_pixels(
        np.array([[0.0, 7.0], [1.0, 7.0]]), np.array([0.0, 7.0]), np.array([1.0, 7.0]), rect, equal
    )
    np.testing.assert_allclose(flat, [[0.0, 40.0], [200.0, 40.0]], rtol=0, atol=1e-9)


@pytest.mark.parametrize("view", [LINE, SCATTER], ids=["line", "scatter"])
def test_the_mark_under_the_mouse_is_told(view, code_plot):
    told: list[int | None] = []
    code_plot.hovered.connect(told.append)
    code_plot.show_code(view)
    marks = marks_of(code_plot, view)
    for mark in marks:
        hover(code_plot, mark)
    assert told == list(range(len(marks)))
    hover(code_plot, marks[-1] + (1.0, 1.0))
    assert len(told) == len(marks), "the same mark was told twice"
    leave(code_plot)
    assert told[-1] is None


def test_no_mark_is_told_away_from_all_of_them(code_plot):
    told: list[int | None] = []
    code_plot.hovered.connect(told.append)
    code_plot.show_code(SCATTER)
    first = marks_of(code_plot, SCATTER)[0]
    away = code_plot.frame.center()
    assert np.hypot(*(marks_of(code_plot, SCATTER) - (away.x(), away.y())).T).min() > 14.0
    hover(code_plot, first)
    hover(code_plot, (away.x(), away.y()))
    assert told == [0, None]


def test_a_mark_that_is_gone_is_no_longer_told(code_plot):
    told: list[int | None] = []
    code_plot.show_code(LINE)
    hover(code_plot, marks_of(code_plot, LINE)[-1])
    code_plot.hovered.connect(told.append)
    code_plot.show_code(view_of(np.linspace(0.0, 1.0, 9)[:, None]))
    assert told == []
    code_plot.show_code(view_of(np.linspace(0.0, 1.0, 4)[:, None]))
    assert told == [None]


def test_the_clean_point_is_told_where_only_some_have_marks(code_plot):
    told: list[int | None] = []
    code_plot.hovered.connect(told.append)
    view = view_of(np.linspace(0.0, 1.0, 300)[:, None], 1_000)
    code_plot.show_code(view)
    hover(code_plot, marks_of(code_plot, view)[150])
    assert told[0] in view.points
    assert told[0] == pytest.approx(view.points[150], abs=5)  # pixels are whole


def test_a_point_without_a_mark_is_ringed_at_the_nearest(code_plot):
    code_plot.show_code(SPHERE)
    bare = picture(code_plot)
    ringed = []
    for index in (int(SPHERE.points[70]), int(SPHERE.points[70]) + 1, int(SPHERE.points[200])):
        code_plot.show_point(index)
        ringed.append(picture(code_plot))
    assert ringed[0] == ringed[1]
    assert ringed[0] != ringed[2]
    code_plot.show_point(None)
    assert picture(code_plot) == bare


@pytest.mark.parametrize("view", [LINE, SCATTER], ids=["line", "scatter"])
def test_the_cursor_is_drawn_where_its_code_is_known(view, code_plot):
    code_plot.show_code(view)
    bare, k = picture(code_plot), view.places.shape[1]
    for unknown in (None, np.empty(0), np.full(k, np.nan), np.zeros(3 - k)):
        code_plot.show_cursor(unknown)
        assert picture(code_plot) == bare
    for place in (view.places[3], np.full(k, 1e30)):  # the second one is outside
        code_plot.show_cursor(place)
        assert picture(code_plot) != bare


@pytest.mark.parametrize(
    ("codes", "text"),
    [
        (np.array([[-0.9], [0.8]]), "d = 1, h from −0.9 to 0.8 along the data"),
        (np.array([[0.5]]), "d = 1, h from 0.5 to 0.5 along the data"),
        (np.array([[0.4301], [0.4308]]), "d = 1, h from 0.43 to 0.431 along the data"),
        (np.zeros((5, 2)), "d = 2, h₁ from 0 to 0, h₂ from 0 to 0 along the data"),
        (np.array([[1.6e308], [1.7e308]]), "d = 1, h from 1.6e308 to 1.7e308 along the data"),
        (np.full((9, 5), 0.3), "d = 5, 1st direction 0 % of the variance, 2nd 0 %"),
        (np.array([[0.0, 0.0, 0.0], [4.0, 0.0, 0.0], [2.0, 1.0, 1.0], [2.0, -1.0, -1.0]]),
         "d = 3, 1st direction 67 % of the variance, 2nd 33 %"),
    ],
)  # fmt: skip
def test_codes_are_told_and_drawn_whatever_they_are(codes, text, code_plot):
    code_plot.show_code(view_of(codes))
    assert code_plot.accessibleDescription() == text
    picture(code_plot)


# Their spread


def test_bars_are_as_high_as_the_roots_and_few_values_are_seen():
    found = histogram_bars(np.array([0, 1, 25, 100, 10_000]), QRectF(10.0, 20.0, 100.0, 50.0))
    assert [bar.height() for bar in found] == [0.0, 1.5, 2.5, 5.0, 50.0]
    assert [bar.left() for bar in found] == [10.0, 30.0, 50.0, 70.0, 90.0]
    assert all(bar.bottom() == 70.0 for bar in found)


def test_the_histogram_says_how_much_is_near_zero(put):
    plot = put(CodeHistogram())
    codes = np.zeros((10, 10))
    codes.flat[:17] = np.linspace(-0.9, 2.0, 17)
    plot.show_code(view_of(codes))
    assert plot.accessibleDescription() == "d = 10, values from −0.9 to 2, 84 % near 0"  # 0.00625 is as well
    assert picture(plot)
    plot.show_code(None)
    assert plot.accessibleDescription() == ""


# The error over the noise


def test_labels_are_moved_apart_as_little_as_possible():
    assert apart([50.0, 10.0, 90.0], 12.0, 0.0, 100.0) == [50.0, 10.0, 90.0]
    assert apart([50.0, 50.0], 12.0, 0.0, 100.0) == [44.0, 56.0]
    assert apart([50.0, 48.0, 90.0], 12.0, 0.0, 100.0) == [55.0, 43.0, 90.0]
    assert apart([99.0, 100.0, 100.0], 12.0, 0.0, 100.0) == [76.0, 88.0, 100.0]
    assert apart([1.0], 12.0, 6.0, 100.0) == [6.0]


def test_labels_never_overlap_nor_leave_the_plot():
    random = np.random.default_rng(0)
    for _ in range(200):
        wanted = random.uniform(-20.0, 120.0, random.integers(1, 5)).round().tolist()
        places = apart(wanted, 13.0, 6.0, 100.0)
        assert all(b - a >= 13.0 - 1e-9 for a, b in itertools.pairwise(sorted(places)))
        assert min(places) >= 6.0 - 1e-9 and max(places) <= 100.0 + 1e-9
        for (a, at), (b, bt) in itertools.combinations(zip(wanted, places, strict=True), 2):
            assert a == b or (a < b) == (at < bt), "two labels have changed places"


@pytest.mark.parametrize("worst", [1e-9, 3.0, 1e9, np.inf, np.nan])
def test_a_bad_network_neither_breaks_the_scale_nor_hides_the_others(worst):
    learned = CURVE.learned.copy()
    learned[4] = worst
    found, top = heights(NoiseCurve(NOISES, CURVE.untouched, CURVE.best, learned))
    np.testing.assert_allclose(found["untouched"], np.sqrt(2.0) * NOISES, rtol=0, atol=1e-12)
    assert all(np.isfinite(values).all() for values in found.values())
    assert found["untouched"].max() >= 0.5 * top


def test_a_noise_that_does_nothing_has_a_scale():
    nothing = np.zeros(13)
    found, top = heights(NoiseCurve(NOISES, nothing, nothing, nothing))
    assert top > 0.0
    assert all((values == 0.0).all() for values in found.values())


@pytest.mark.parametrize("width", [PANEL, 400])
@pytest.mark.parametrize("curve", [CURVE, ALONE], ids=["beside the best", "alone"])
def test_the_names_of_the_lines_stand_apart_within_the_plot(curve, width, put):
    plot = put(NoiseCurvePlot(), width)
    plot.show_curve(curve, 0.3, 0.35)
    for place in (None, (40, 60), (150, 60)):
        if place is not None:
            hover(plot, place)
        rects = [rect for _, rect in plot.names().values()]
        assert len(rects) == (3 if curve.best is not None else 2)
        assert not any(a.intersects(b) for a, b in itertools.combinations(rects, 2))
        assert all(QRectF(plot.rect()).contains(rect) for rect in rects)
        for text, rect in plot.names().values():
            assert max(map(plot.fontMetrics().horizontalAdvance, text.split())) * 11 / 13 <= rect.width()
        picture(plot)


def test_hover_reads_the_noise_and_its_errors(put):
    plot = put(NoiseCurvePlot(), 300)
    plot.show_curve(CURVE, 0.3, 0.3)
    assert [text for text, _ in plot.names().values()] == ["untouched", "learned", "best"]
    bare = picture(plot)
    hover(plot, (299, 60))
    assert {name: text for name, (text, _) in plot.names().items()} == {
        "untouched": "untouched\n0.72", "learned": "learned\n0.478", "best": "best\n0.432",
    }  # fmt: skip
    assert picture(plot) != bare
    leave(plot)
    assert picture(plot) == bare


def test_the_errors_at_the_noises_of_training_and_test_are_told(put):
    plot = put(NoiseCurvePlot())
    plot.show_curve(CURVE, 0.3, 0.3)
    assert plot.accessibleDescription() == "trained at σ 0.30: untouched 0.18, learned 0.127, best 0.108"
    plot.show_curve(ALONE, 0.3, 0.6)
    assert plot.accessibleDescription() == (
        "trained at σ 0.30: untouched 0.18, learned 0.18; tested at σ 0.60: untouched 0.72, learned 0.72"
    )
    hover(plot, (100, 60))
    plot.show_curve(None, 0.3, 0.6)
    assert plot.accessibleDescription() == ""
    assert plot.names() == {}
    hover(plot, (101, 60))
    picture(plot)


# The network


@pytest.mark.parametrize("settings", [*NETWORKS.values(), DEEP, DEEP.replace(code=1)])
@pytest.mark.parametrize("width", [PANEL, 400])
def test_bars_and_their_numbers_stand_apart_within_the_drawing(settings, width):
    rect, row = QRectF(8.0, 15.0, width - 16.0, 46.0), QRectF(0.0, 63.0, width, 15.0)
    found = bars(settings.widths, rect)
    assert len(found) == len(settings.widths)
    assert all(rect.adjusted(-0.1, -0.1, 0.1, 0.1).contains(bar) for bar in found)
    assert all(b.left() - a.right() >= 4.0 for a, b in itertools.pairwise(found))
    texts = numbers(settings, found, row)
    assert {0, len(settings.hidden) + 1, len(found) - 1} <= texts.keys()
    assert not any(a.intersects(b) for a, b in itertools.combinations(texts.values(), 2))
    assert all(QRectF(0.0, 0.0, width, 96.0).contains(text) for text in texts.values())


def test_a_bar_grows_linearly_with_its_width_from_a_least_height():
    height = {n: bars((2, n, 64, 2), QRectF(0.0, 0.0, 200.0, 71.0))[1].height() for n in (1, 2, 8, 64)}
    assert height == pytest.approx({1: 8.0, 2: 9.0, 8: 15.0, 64: 71.0})
    small = [bar.height() for bar in bars((2, 1, 2), QRectF(0.0, 0.0, 200.0, 71.0))]
    assert small == [21.0, 14.0, 21.0], "a small network is drawn larger than life"


@pytest.mark.parametrize("text", NETWORKS)
def test_a_network_is_told_in_words(text, put):
    drawing = put(NetworkDrawing())
    drawing.show_network(NETWORKS[text])
    assert drawing.accessibleDescription() == text


# All of them


@pytest.mark.parametrize("theme", [DARK, LIGHT, LECTURE], ids=["dark", "light", "lecture"])
@pytest.mark.parametrize("width", [30, PANEL, 400])
def test_every_plot_is_painted_without_a_warning_from_qt(theme, width, put):
    code, histogram, curve, network = CodePlot(), CodeHistogram(), NoiseCurvePlot(), NetworkDrawing()
    for plot in (code, histogram, curve, network):
        put(plot, width)
        plot.paint_with(theme)
        empty = picture(plot)
        assert empty != picture_of_nothing(empty)
    for view in (LINE, SCATTER, SPHERE, None):
        code.show_code(view), histogram.show_code(view)
        picture(code), picture(histogram)
    for each in (CURVE, ALONE, None):
        curve.show_curve(each, 0.0, 0.6)
        picture(curve)
    for settings in (*NETWORKS.values(), DEEP):
        network.show_network(settings)
        picture(network)


def picture_of_nothing(like):
    """A picture of the same size in the colour of its corner."""
    nothing = like.copy()
    nothing.fill(like.pixelColor(0, 0))
    return nothing


def test_numbers_are_short():
    values = (0.0, -0.0, -0.987, 0.1234, 12_345.0, 1e-7, np.nan, np.inf)
    assert [short(value) for value in values] == ["0", "0", "−0.99", "0.12", "1.2e4", "1e−7", "—", "—"]
