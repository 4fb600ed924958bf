"""Every kind of data that can be chosen is trained on and drawn; what cannot be chosen is refused."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from aeviz.core.clean_data import clean_data
from aeviz.core.field import Grid
from aeviz.core.settings import SPECS, Settings
from aeviz.figure.theme import DARK

QUICK = Settings(points=40, hidden=(8,), code=8, batch=40, epochs=30, grid=(12, 10))
# Without heat map, arrows, outline and what is under the cursor, a point's pixel has the point's colour.
PLAIN = QUICK.replace(layer="none", arrows="none", midline=False, votes=False)
DRAWN = (-1.2, 0.4, 0.3, 0.7, 0.9, -0.5, 1.1, -1.1)
NO_POPUPS = pytest.mark.qt_log_ignore("plugin does not support", extend=True)  # the offscreen platform's


def choose(desk, name: str) -> None:
    editor = desk.window.controls.editor("data")
    desk.choose(editor, editor.findText(name))


BINARY = {"cost": "bce", "output": "sigmoid"}


@NO_POPUPS
@pytest.mark.parametrize(
    ("name", "change"),
    [
        *itertools.product(SPECS["data"].choices, ({}, BINARY)),
        *((name, {"standardise": True}) for name in ("moons", "xor", "drawn")),
    ],
    ids=str,
)
def test_it_trains_and_is_drawn(name, change, desk):
    other = "drawn" if name == "spiral" else "spiral"
    desk.begin(PLAIN.replace(data=other, drawn=DRAWN, **change), playing=False)
    choose(desk, name)
    settings = desk.store.settings
    assert settings.data == desk.window.controls.editor("data").currentText() == name
    wanted = clean_data(settings)
    np.testing.assert_array_equal(desk.run.data.points, wanted.points)
    desk.frames.clear(), desk.fields.clear()
    desk.run.drive(playing=True)
    desk.finish()
    assert desk.fields[-1].grid == Grid.home(settings, wanted) == desk.figure.grid_in_view()
    np.testing.assert_array_equal(desk.fields[-1].data, wanted.points)
    assert len(desk.run.losses) == 30
    assert np.isfinite(desk.run.losses).all()
    assert np.isfinite(desk.fields[-1].displacement).all()
    (x0, x1), (y0, y1) = desk.figure.box.viewRange()
    inside = (wanted.points > (x0, y0)) & (wanted.points < (x1, y1))
    assert inside.all(), "some are out of view"
    assert {*desk.colours(wanted.points[::5])} == {DARK.data}


def test_from_whichever_data_the_view_goes_to_those_that_are_chosen(new_window):
    window = new_window(QUICK.replace(drawn=DRAWN), start=False)
    lost = []
    for one, other in itertools.permutations(SPECS["data"].choices, 2):
        for name in (one, other):
            window.store.set(data=name)
        if window.view.figure.grid_in_view() != Grid.home(window.store.settings, window.run.data):
            lost.append((one, other))
        window.view.figure.home()
    assert lost == []


@NO_POPUPS
def test_where_nothing_is_drawn_yet_the_pencil_is_taken(desk):
    desk.begin(playing=False)
    before, run, editor = desk.store.settings, desk.run._run, desk.window.controls.editor("data")
    choose(desk, "drawn")
    assert desk.window.pencil.is_down
    assert desk.window.notice.text.text().startswith("Drawing:")
    assert editor.currentText() == "spiral"
    assert (desk.store.settings, desk.run._run) == (before, run)
    row = desk.window.controls.editor("drawn").parent()
    assert not row.isVisible()
    choose(desk, "moons")
    assert desk.run._run == run + 1


@NO_POPUPS
def test_where_the_pencil_is_taken_already_it_stays(desk):
    desk.window.pencil.put(True)
    choose(desk, "drawn")
    assert desk.window.pencil.is_down


def test_all_rows_of_the_panel_are_of_the_data_that_are_shown(desk):
    """What comes and goes with the data does so in the window, too."""
    rows = {name: desk.window.controls.editor(name).parent() for name in ("turns", "points", "drawn")}
    for data, wanted in (
        ("spiral", {"turns", "points"}), ("circle", {"points"}), ("xor", set()), ("drawn", {"drawn"}),
    ):  # fmt: skip
        desk.store.set(data=data, drawn=DRAWN)
        assert {name for name, row in rows.items() if row.isVisible()} == wanted
