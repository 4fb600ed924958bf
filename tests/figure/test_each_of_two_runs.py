"""What is of one of two runs alone, what is of both, and what the legend says of each."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, QPointF, Qt
from PyQt6.QtTest import QTest

from aeviz.core.clean_data import clean_data
from aeviz.core.marks import Marks
from aeviz.core.settings import Settings
from aeviz.figure.panel import MOST_POINTS
from aeviz.figure.scale import MOST_ARROWS
from aeviz.figure.theme import DARK
from aeviz.figure.view import FieldView

BARE = Settings(
    grid=(8, 6), extent=(-3.5, 3.5, -2.5, 2.5), arrows="none", layer="none", midline=False, show_data=False,
)  # fmt: skip
NAMES = "Run 1 · epoch 400", "Run 2 · epoch 137"
PATH = np.array([[-3.0, -2.0], [1.5, 1.0], [2.5, -1.5]])
THIN = 80  # of 255 that a channel of a thin line may be off


# What is of one run


def test_each_half_has_its_own_points_and_midlines(field, paint, other_run):
    settings = BARE.replace(show_data=True, midline=True, geometric_midline=True, grid=(80, 60))
    x, y = np.meshgrid(np.linspace(-3.5, 3.5, 80), np.linspace(-2.5, 2.5, 60))
    lines = np.array([[-3.0, -2.0], [3.0, -2.0]]), np.array([[-3.0, 2.2], [3.0, 2.2]])
    shown = [
        field(settings, ambiguity=3.0 - (x - middle) ** 2 - y**2, data=np.array([[middle, 0.2]]))
        for middle in (-2.0, 1.5)
    ]
    picture = paint(settings, shown[0], None, lines[:1], beside=other_run(shown[1], lines[1:]))
    for panel, mine in itertools.product((0, 1), (0, 1)):
        middle = (-2.0, 1.5)[mine]
        for colour, place in (
            (DARK.data, (middle, 0.2)), (DARK.midline, (middle, 1.0)),
            (DARK.geometric, (0.7, lines[mine][0, 1])),
        ):  # fmt: skip
            assert picture.shows(colour, *place, panel=panel, within=40) == (panel == mine), (colour, panel)


def test_points_that_are_shown_at_once_are_the_first_runs(field, other_run, paint):
    settings = BARE.replace(show_data=True)
    second = field(settings, data=np.array([[-1.5, -0.5]]))
    figure = paint(settings, field(settings), beside=other_run(second)).figure
    figure.show_points(np.array([[2.5, 1.5]]), np.empty((0, 2)))
    seen = [panel._data._points.tolist() for panel in figure.panels]
    assert seen == [[[2.5, 1.5]], [[-1.5, -0.5]]]


@pytest.mark.parametrize("compare", ["off", "split"])
def test_marks_are_in_the_first_half_and_the_cross_is_in_both(compare, field, paint, other_run):
    settings = BARE.replace(compare=compare)
    picture = paint(settings, field(settings), Marks(path=PATH), beside=other_run(field(settings)))
    figure = picture.figure
    figure.show_look((-2.0, 1.0), "here")
    figure.show_lit((2.0, 2.0))
    figure.show_cross((0.4, -1.2))
    marked = type(picture)(figure)
    ring = 8.0 * 8.0 / figure.box.rect().width()  # 8 px in data units
    for panel, marks in ((0, True), (1, False)):
        for start, end in itertools.pairwise(PATH):
            assert marked.shows(DARK.probe, *(0.4 * start + 0.6 * end), panel=panel) == marks
        assert marked.shows(DARK.vote, 2.0 + ring, 2.0, panel, within=THIN) == marks
        assert marked.shows(DARK.exact, 0.4 + 0.75 * ring, -1.2, panel, within=THIN), "there is no cross"
    assert "here" in marked.texts()
    assert [box.probe for box in figure.boxes] == [(-3.0, -2.0), None]
    figure.set_field(field(settings))
    figure.set_settings(settings.replace(compare="off"))
    alone = type(picture)(figure)
    assert not alone.shows(DARK.exact, 0.4 + 0.75 * ring, -1.2, within=THIN), "the cross has stayed"


@pytest.fixture
def view(qtbot, field, other_run) -> FieldView:
    view = FieldView(BARE, clean_data(BARE))
    qtbot.addWidget(view)
    view.resize(900, 600)
    with qtbot.waitExposed(view):
        view.show()
    view.figure.set_field(field(BARE), Marks(path=PATH), beside=other_run(field(BARE)))
    return view


def at(view: FieldView, place, panel: int) -> QPoint:
    """Where a place of the plane is in the widget."""
    box = view.figure.panels[panel].box
    return view.mapFromScene(box.mapToScene(box.mapFromView(QPointF(*place))))


@pytest.mark.parametrize("panel", [0, 1])
def test_over_either_half_the_cursor_is_at_the_same_place(panel, view, qtbot):
    pixel = 8.0 / view.figure.box.rect().width()
    with qtbot.waitSignal(view.hovered) as hovered:
        QTest.mouseMove(view.viewport(), at(view, (0.7, -0.4), panel))
    assert hovered.args[0] == pytest.approx((0.7, -0.4), abs=pixel)
    for each in view.figure.panels:
        assert each._marks._cross == hovered.args[0]


@pytest.mark.parametrize("panel", [0, 1])
def test_a_double_click_on_either_half_leaves_the_probe_where_it_was(panel, view, field, other_run):
    said: list[object] = []
    view.probed.connect(said.append)

    def follow(place) -> None:
        path = None if place is None else np.array([place])
        view.figure.set_field(field(BARE), Marks(path=path), beside=other_run(field(BARE)))

    view.probed.connect(follow)
    QTest.mouseDClick(view.windowHandle(), Qt.MouseButton.LeftButton, pos=at(view, (0.7, -0.4), panel))
    pixel = 8.0 / view.figure.box.rect().width()
    assert said[0] == pytest.approx((0.7, -0.4), abs=pixel)
    assert said[-1] == tuple(PATH[0])


# The legend


def test_the_legend_explains_the_arrows_as_of_one_run(best, paint, other_run):
    settings = Settings(points=40, grid=(20, 17), layer="difference")
    one, other = best(settings), best(settings.replace(noise=0.4))
    alone, both = (
        {entry.text.split(", ", 1)[1] for entry in picture.figure._legend._entries if entry.sign == "arrow"}
        for picture in (paint(settings, one), paint(settings, one, beside=other_run(other)))
    )
    assert alone == both == {"from the exact reconstruction to the learned, × 4"}
    assert MOST_ARROWS < 200 * 150
    many = settings.replace(grid=(200, 150))
    picture = paint(many, best(many), beside=other_run(best(many)))
    (key,) = [entry.text for entry in picture.figure._legend._entries if entry.sign == "arrow"]
    assert key.endswith("(1 in 9 arrows shown)")


@pytest.mark.parametrize(
    ("strides", "note"),
    [((1, 1), ""), ((3, 3), " (1 in 3 shown)"), ((1, 3), f" ({NAMES[1]}: 1 in 3 shown)"),
     ((2, 3), f" ({NAMES[0]}: 1 in 2 shown, {NAMES[1]}: 1 in 3 shown)")],
)  # fmt: skip
def test_the_legend_says_of_which_run_points_are_thinned(strides, note, field, paint, other_run):
    settings = BARE.replace(show_data=True)
    one, other = (field(settings, data=np.zeros((every * MOST_POINTS, 2))) for every in strides)
    assert f"data y{note}" in paint(settings, one, beside=other_run(other)).texts()


@pytest.mark.parametrize("known", [(), (0,), (1,), (0, 1)])
def test_the_legend_says_of_which_run_the_layer_is_missing(known, field, exact, paint, other_run):
    settings = BARE.replace(layer="exact", exact_midline=True)
    one, other = (field(settings, exact=exact(settings) if run in known else None) for run in range(2))
    picture = paint(settings, one, beside=other_run(other))
    working, said = "working it out …", []
    if not known:
        said = [f"exact midline: {working}", working]
    elif known != (0, 1):
        missing = f"{NAMES[0 if known == (1,) else 1]}: {working}"
        said = [f"exact midline: a* > 2 ({missing})", missing]
    assert [text for text in picture.texts() if working in text] == said
    assert picture.figure.panels[0].bar.isVisible() == bool(known)


@pytest.mark.parametrize("run", [0, 1])
def test_either_runs_sketch_is_called_one(run, field, exact, paint, other_run):
    settings = BARE.replace(layer="exact")
    one, other = (field(settings, exact=exact(settings, sketch=run == each)) for each in range(2))
    picture = paint(settings, one, beside=other_run(other))
    assert f"{NAMES[run]}: exact field: a sketch, working it out …" in picture.texts()
    assert picture.figure.is_sketch


@pytest.mark.parametrize(
    ("data", "lines", "said"),
    [("spiral", (), "geometric midline"),
     ("corners", (), "geometric midline: none, these points lie on no curve"),
     ("corners", (PATH,), f"geometric midline ({NAMES[0]}: none, these points lie on no curve)")],
)  # fmt: skip
def test_the_legend_says_which_run_has_no_geometric_midline(data, lines, said, field, paint, other_run):
    settings = BARE.replace(geometric_midline=True, data=data)
    assert said in paint(settings, field(settings), beside=other_run(field(settings), lines)).texts()
