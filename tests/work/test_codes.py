"""What is told of the code and of the decoder to those who ask for it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from looked import BARE, CURVE, DECODER, HISTOGRAM, PLOT, Looked, code_of, curve_of
from scipy.spatial import KDTree
from talk import GRID, Talk, bits

from aeviz.core.clean_data import clean_data
from aeviz.core.code import MOST_CODES
from aeviz.core.manifolds import FloatArray
from aeviz.core.settings import Settings
from aeviz.work import messages as m

WIDTHS = [1, 2, 64]
KINDS = [
    *({"code": d} for d in WIDTHS),
    {"code": 1, "mirror": True},
    {"code": 2, "regulariser": "variational"},
    {"code": 64, "tied": True, "points": 700, "batch": 700},
    {"code": 2, "cost": "bce"},
    {"code": 5, "points": 1},
]
every_kind = pytest.mark.parametrize("change", KINDS, ids=str)


def along(codes: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Origin (d,), directions (k, d) and places (K, k): the axes, or the main directions by an SVD."""
    d = codes.shape[1]
    if d <= 2:
        return np.zeros(d), np.eye(d), codes
    origin = codes.mean(axis=0)
    _, _, directions = np.linalg.svd(codes - origin)
    return origin, directions[:2], (codes - origin) @ directions[:2].T


# The code plot and the histogram


@every_kind
def test_the_code_plot_shows_the_datas_codes_along_their_main_directions(change: dict[str, object]) -> None:
    look = Looked(PLOT.replace(**change))
    found, codes = code_of(look.judged(PLOT)), look.codes()
    points, width = codes.shape
    assert found.width == width == change["code"]
    assert len(found.points) == min(points, MOST_CODES)
    np.testing.assert_allclose(found.positions, found.points / max(1, points - 1), rtol=0, atol=1e-12)
    seen = codes[found.points]
    _, _, best = along(seen)
    assert found.places.shape == (len(seen), min(width, 2))
    if points > 1:  # in the one direction or in the other
        turned = np.sign((best * found.places).sum(axis=0))
        # Float32 weights, whose products here and there may be summed in another order.
        assert np.abs(found.places - turned * best).max() < 1e-6 * np.abs(codes).max()
    if width <= 2:
        assert found.shares is None
    elif points > 1:
        shares = np.square(best).sum(axis=0) / np.square(seen - seen.mean(axis=0)).sum()
        assert found.shares is not None
        assert np.abs(found.shares - shares).max() < 1e-6


@every_kind
def test_the_histogram_counts_every_unit_of_every_code(change: dict[str, object]) -> None:
    look = Looked(PLOT.replace(**change))
    found, codes = code_of(look.judged(HISTOGRAM)), look.codes()
    seen = codes[found.points]
    assert found.counts.sum() == seen.size
    assert found.edges[0] <= seen.min() + 1e-6 and found.edges[-1] >= seen.max() - 1e-6
    share = (np.abs(seen) <= 0.05 * np.abs(seen).max()).mean()
    assert abs(found.quiet - share) <= 1.0 / seen.size  # one that lies on the edge, by rounding


@pytest.mark.parametrize(
    ("view", "code", "curve"),
    [
        (BARE, False, False), (PLOT, True, False), (HISTOGRAM, True, False), (CURVE, False, True),
        (DECODER, True, False), (PLOT.replace(error_curve=True), True, True),
    ],
    ids=["nothing", "code plot", "histogram", "error curve", "decoder", "both"],
)  # fmt: skip
def test_what_is_not_asked_for_is_not_worked_out(view: Settings, code: bool, curve: bool) -> None:
    look = Looked(PLOT)
    first, whole = look.judged(view), look.whole(view)
    assert (first.code is not None) == (whole.code is not None) == code
    assert first.over_noise is None  # it comes later
    assert (whole.over_noise is not None) == curve
    assert look.sight._exact.noise_task.is_for(None) != curve
    assert whole.quality == look.judged(BARE).quality


def test_over_the_processes_too(talk: Talk) -> None:
    talk.build(BARE)
    talk.train_to_end()
    views = {"nothing": BARE, "code": PLOT, "curve": CURVE}
    told: dict[str, list[m.Judged]] = {}
    for name, view in views.items():
        talk.ask(view, measure=True)
        told[name] = [talk.wait_for(m.Judged)]
        while told[name][-1].quality.sketch or (name == "curve" and told[name][-1].over_noise is None):
            told[name].append(talk.wait_for(m.Judged))
    assert [each.code is not None for each in (told[name][-1] for name in views)] == [False, True, False]
    assert all(each.over_noise is None for name in ("nothing", "code") for each in told[name])
    assert all(each.code is None for name in ("nothing", "curve") for each in told[name])
    best = Looked(BARE)
    code, curve = told["code"][-1].code, told["curve"][-1].over_noise
    assert code is not None and curve is not None
    assert np.abs(code.places - code_of(best.judged(PLOT)).places).max() < 1e-5 * np.abs(code.places).max()
    assert np.abs(curve.learned - curve_of(best.whole(CURVE)).learned).max() < 1e-5


@pytest.mark.parametrize("width", WIDTHS)
def test_of_a_past_epoch_its_own_codes_are_shown(width: int) -> None:
    settings = PLOT.replace(code=width)
    past, then = Looked(settings, epoch=9), Looked(settings.replace(epochs=9))
    now = Looked(settings)
    found, best = code_of(past.judged(PLOT)), code_of(then.judged(PLOT))
    assert bits(found) == bits(best)
    assert not np.array_equal(found.places, code_of(now.judged(PLOT)).places)


def test_directions_do_not_flip_from_one_epoch_to_the_next() -> None:
    look = Looked(PLOT.replace(code=64))
    before = None
    for epoch in (None, *range(59, 40, -1)):
        look.epoch = epoch
        places = code_of(look.judged(PLOT)).places
        if before is not None:
            assert ((places * before).sum(axis=0) > 0.5 * np.square(before).sum(axis=0)).all()
        before = places


# The decoder's reach


@every_kind
def test_the_decoders_reach_is_what_it_makes_of_the_codes_between_those_of_the_data(
    change: dict[str, object],
) -> None:
    look = Looked(PLOT.replace(**change))
    lines, codes = look.decoded(DECODER), look.codes()
    seen = codes[code_of(look.judged(PLOT)).points]
    origin, directions, places = along(seen)
    low, high = places.min(axis=0), places.max(axis=0)
    if len(directions) == 1:  # one curve from the least code to the greatest, through all between
        (line,) = lines
        best = look.decode(np.linspace(low, high, len(line)))
        assert np.abs(line - best).max() < 1e-5
        ends = look.decode(seen[[seen[:, 0].argmin(), seen[:, 0].argmax()]])
        assert np.abs(line[[0, -1]] - ends).max() < 1e-5
        assert len(line) > 100
        return
    # A grid of lines in both directions; seen along a direction that is turned, it is the same grid.
    assert {len(line) for line in lines} == {41} and len(lines) == 18
    fine, steps = np.linspace(0.0, 1.0, 41), np.linspace(0.0, 1.0, 9)
    across = np.stack(np.meshgrid(fine, steps), axis=-1).reshape(-1, 2)
    lattice = low + (high - low) * np.concatenate((across, across[:, ::-1]))
    best = look.decode(origin + lattice @ directions)
    found = np.concatenate(lines)
    reach = max(1.0, np.abs(best).max())
    if len(seen) == 1:  # whose directions mean nothing: all codes are one
        assert np.abs(found - best[0]).max() < 1e-5 * reach
        return
    assert KDTree(best).query(found)[0].max() < 1e-4 * reach
    assert KDTree(found).query(best)[0].max() < 1e-4 * reach


def test_the_decoders_reach_is_told_where_it_is_drawn_and_of_the_epoch_that_is_shown() -> None:
    settings = PLOT.replace(code=1)
    look, then = Looked(settings), Looked(settings.replace(epochs=5))
    for view in (BARE, PLOT, CURVE, HISTOGRAM):
        assert look.decoded(view) == ()
    (now,), codes = look.decoded(DECODER), look.codes()
    look.epoch = 5
    (past,) = look.decoded(DECODER)
    # That epoch's decoder, but until its codes are measured over those that were measured last.
    assert np.abs(past - then.decode(np.linspace(codes.min(0), codes.max(0), len(past)))).max() < 1e-5
    assert np.abs(past - now).max() > 1e-3
    look.judged(DECODER)
    assert bits(look.decoded(DECODER)) == bits(then.decoded(DECODER))


# Under the cursor


@pytest.mark.parametrize("width", WIDTHS)
def test_under_the_cursor_the_code_lies_where_the_code_plot_shows_it(width: int) -> None:
    look, data = Looked(PLOT.replace(code=width)), clean_data(PLOT).points
    before = look.frame(PLOT, cursor=(0.3, -0.4)).marks.cursor
    assert before is not None and before.code.shape == (0,)  # no directions have been told yet
    plot = code_of(look.judged(PLOT))
    for index in (0, 11, 29):  # on a clean point, it lies on that point's code
        cursor = look.frame(PLOT, cursor=(float(data[index, 0]), float(data[index, 1]))).marks.cursor
        assert cursor is not None and cursor.code.shape == (min(width, 2),)
        assert np.abs(cursor.code - plot.places[index]).max() < 1e-5 * np.abs(plot.places).max()
    hidden = look.frame(BARE, cursor=(0.3, -0.4)).marks.cursor
    assert hidden is not None and hidden.code.shape == (0,)


def test_a_network_that_has_exploded_may_be_looked_at() -> None:
    look = Looked(PLOT)
    state = look.state()
    view = PLOT.replace(code_histogram=True, error_curve=True, decoder=True)
    look.whole(view)
    for wild in (1e30, np.inf, np.nan):
        average = torch.from_numpy(state.average * np.float32(wild)).numpy()
        exploded = m.State(**{name: getattr(state, name) for name in state.__slots__} | {"average": average})
        judged = look.sight.judged(m.Ask(1, view), exploded)
        *_, frame = look.sight.answers(m.Ask(1, view, grid=GRID, cursor=(0.3, -0.4)), exploded)
        assert judged.code is not None and np.isfinite(judged.code.places).all()
        assert isinstance(frame, m.Frame) and frame.field is not None
        assert all(np.isfinite(line).all() for line in frame.field.decoded)
