"""The chart of a sweep: what is gathered, and what is painted."""

from __future__ import annotations

import re

import numpy as np
import pytest
from PyQt6.QtCore import QSizeF
from PyQt6.QtGui import QImage

from aeviz.core.setting import SettingError
from aeviz.core.settings import Settings
from aeviz.figure.chart import chart_of
from aeviz.figure.curves import Curve, Curves
from aeviz.figure.qt import offscreen_application
from aeviz.figure.theme import theme_of
from aeviz.sweep.grid import Axis, Sweep
from aeviz.sweep.summary import check_plot, curves_of
from aeviz.sweep.table import Row, row_of
from aeviz.sweep.task import Outcome

NOISE, RATE = Axis("noise", (0.3, 0.1)), Axis("learning_rate", (0.001, 0.01, 0.1))
HIDDEN, SEED = Axis("hidden", ((64,), (8, 8), ())), Axis("seed", (0, 1, 2))


@pytest.fixture(scope="module", autouse=True)
def application() -> object:
    return offscreen_application()


def rows_of(sweep: Sweep) -> tuple[list[Row], np.ndarray]:
    """A row for each run with a number of its own, and these numbers as an array, an axis for each axis."""
    values = np.random.default_rng(0).uniform(0.2, 0.8, [len(axis.values) for axis in sweep.axes])
    cells = map(sweep.cells, sweep.runs)
    found = zip(cells, values.ravel().tolist(), strict=True)
    return [row_of(each, Outcome({"midline_iou": value})) for each, value in found], values


def test_mean_and_spread_over_the_seeds_are_numpys() -> None:
    sweep = Sweep(Settings(), (NOISE, HIDDEN, SEED))
    rows, values = rows_of(sweep)
    over, by = check_plot(sweep, "midline_iou", None, None)
    curves = curves_of(reversed(rows), "midline_iou", over, by)
    assert [curve.label for curve in curves.curves] == [
        f"hidden widths {text}" for text in ("64", "8,8", "none")
    ]
    assert (curves.across, curves.up) == ("Noise σ (data units)", "Midline agreement (IoU)")
    assert (curves.is_log, curves.categories, curves.missing) == (False, (), 0)
    for k, curve in enumerate(curves.curves):
        assert curve.x.tolist() == [0.1, 0.3]  # in order, however they were typed
        of_seeds = values[::-1, k]
        # The same three numbers are added in another order.
        assert np.abs(curve.mean - of_seeds.mean(axis=1)).max() < 1e-15
        assert np.array_equal(np.stack(curve.spread), [of_seeds.min(axis=1), of_seeds.max(axis=1)])


def test_lists_and_names_are_categories_and_a_logarithmic_setting_has_such_an_axis() -> None:
    sweep = Sweep(Settings(), (RATE, HIDDEN, SEED))
    rows, values = rows_of(sweep)
    across = curves_of(rows, "midline_iou", *check_plot(sweep, "midline_iou", "hidden", "learning-rate"))
    assert across.categories == ("64", "8,8", "none") and not across.is_log and across.in_order
    assert np.abs(across.curves[2].mean - values[2].mean(axis=1)).max() < 1e-15
    rates = curves_of(rows, "midline_iou", *check_plot(sweep, "midline_iou", "learning_rate", None))
    assert rates.is_log and not rates.categories
    assert rates.curves[0].x.tolist() == [0.001, 0.01, 0.1]


def test_runs_without_a_value_are_left_out_and_told() -> None:
    sweep = Sweep(Settings(), (NOISE, SEED))
    rows, values = rows_of(sweep)
    rows[0]["midline_iou"] = rows[3]["midline_iou"] = rows[4]["midline_iou"] = rows[5]["midline_iou"] = None
    (curve,) = (curves := curves_of(rows, "midline_iou", NOISE, ())).curves
    assert curve.x.tolist() == [0.3] and abs(curve.mean[0] - values[0, 1:].mean()) < 1e-15
    assert "mean over 2 seeds" in curves.caption and curves.caption.endswith("4 runs without a value")


def painted(curves: Curves, suffix: str = ".svg", **changes: object) -> bytes:
    from aeviz.sweep.figures import chart_bytes

    return chart_bytes(curves, Settings(**changes), suffix)


def texts(svg: bytes) -> dict[str, tuple[float, float]]:
    """The texts of an SVG file and where they stand."""
    found = re.findall(r'x="([-\d.]+)" y="([-\d.]+)"[^>]*>([^<]*)</text>', svg.decode())
    return {text: (float(x), float(y)) for x, y, text in found}


CURVES = Curves(
    (
        Curve("a", np.array([0.01, 0.1, 1.0]), tuple(np.tile([0.5, 0.75], (3, 1)))),
        Curve("b", np.array([0.01, 1.0]), (np.array([0.25]), np.array([1.0]))),
    ),
    "Across", "Up", is_log=True,
)  # fmt: skip


def test_axes_name_what_they_are_and_the_places_that_occur() -> None:
    found = texts(painted(CURVES, title="A title"))
    assert {"Across", "Up", "a", "b", "A title", CURVES.caption, "0.01", "0.1", "1"} <= set(found)
    middles = [found[text][0] for text in ("0.01", "0.1", "1")]
    widths = np.diff(middles)
    assert (
        abs(widths[0] - widths[1]) < 12.0
    )  # decades are equally wide, to the difference of the texts' widths
    without = texts(painted(CURVES, legend=False))
    assert "a" not in without and "Up" in without


@pytest.mark.parametrize("theme", ["dark", "light", "lecture"])
def test_every_line_has_its_colour_in_every_theme(theme: str) -> None:
    from aeviz.figure.chart import chart_of
    from aeviz.figure.theme import theme_of

    many = Curves(tuple(Curve(str(k), np.array([0.0, 1.0]), (np.array([k]),) * 2) for k in range(9)), "", "")
    for curves in (CURVES, many):
        chart = chart_of(curves, theme_of(theme), QSizeF(600.0, 400.0))
        assert len(set(chart.colours)) == len(curves.curves)
        image = QImage.fromData(painted(curves, ".png", theme=theme))
        assert (image.width(), image.height()) == (1800, 1120)
        rows = range(0, image.height(), 4)
        shown = {image.pixelColor(x, y).name() for x in range(image.width()) for y in rows}
        assert {*chart.colours, theme_of(theme).figure} <= shown


def test_charts_have_the_size_that_is_asked_for() -> None:
    image = QImage.fromData(painted(CURVES, ".png", size=(10.0, 5.0), size_unit="in", resolution=72.0))
    assert (image.width(), image.height()) == (720, 360)
    assert painted(CURVES, ".pdf").startswith(b"%PDF")


@pytest.mark.parametrize(
    "values",
    [
        [[0.5]], [[0.0, 0.0], [0.0, 0.0]], [[1e-9, 1.0], [1e-3, 1e6]], [[-3.0, -1.0], [2.0, 5.0]],
        [[7e9], [7e9]],
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("categories", [(), ("one", "two")], ids=["numbers", "categories"])
def test_any_values_can_be_charted(values: list[list[float]], categories: tuple[str, ...]) -> None:
    curve = Curve("", np.arange(float(len(values))), tuple(np.array(each) for each in values))
    found = texts(painted(Curves((curve,), "x", "y", categories=categories)))
    numbers = [text for text in found if re.fullmatch(r"−?[\d.]+(e[+−]?\d+)?( ×10\S+)?", text)]
    assert len(numbers) >= 2


def test_a_row_of_before_that_lacks_a_setting_had_its_default() -> None:
    sweep = Sweep(Settings(), (Axis("theme", ("dark", "light")),))
    rows, values = rows_of(sweep)
    del rows[0]["theme"]
    curves = curves_of(rows, "midline_iou", *check_plot(sweep, "midline_iou", None, None))
    assert curves.curves[0].mean.tolist() == values.tolist()


def test_a_chart_without_room_is_refused() -> None:
    curves = Curves((Curve("", np.array([1.0]), (np.array([1.0]),)),), "across", "up")
    with pytest.raises(SettingError, match="no room"):
        chart_of(curves, theme_of("dark"), QSizeF(150.0, 75.0))
