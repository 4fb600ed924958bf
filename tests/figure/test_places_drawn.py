"""Marks of single places: votes, the posterior's ellipse, a probe's path, a cloud; midlines; particles."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PyQt6.QtGui import QColor

from aeviz.core.marks import ExactPlace, Marks, Place
from aeviz.core.settings import Settings
from aeviz.core.truth import Denoiser
from aeviz.figure.marks import PROBE, ellipse
from aeviz.figure.theme import DARK

BARE = Settings(
    grid=(8, 6), extent=(-3.5, 3.5, -2.5, 2.5), arrows="none", layer="none", midline=False, show_data=False,
)  # fmt: skip
THIN = 80  # of 255 that a channel of a line of 1.4 px may be off, which no pixel has for itself alone
FAR = np.array([[-40.0, 0.0]])  # clean points out of view, where a vote is not seen


def of(reconstruction=(0.0, 0.0), covariance=((0.0, 0.0), (0.0, 0.0)), voters=(0,), votes=(1.0,)):
    """What the exact denoiser knows of a place."""
    return ExactPlace(
        reconstruction, np.array(covariance), -1.0, 1.0, np.array(voters), np.array(votes), np.ones(1)
    )


def inked(picture, x: float, y: float) -> bool:
    """Whether something is drawn at a place of the plane, or a pixel beside."""
    around = itertools.product((-1, 0, 1), repeat=2)
    return any(picture.colour(x, y, *each) != DARK.figure for each in around)


# The ellipse


@given(
    st.tuples(st.floats(-5.0, 5.0), st.floats(-5.0, 5.0)), st.floats(0.0, np.pi),
    st.tuples(st.floats(-3.0, 1.0), st.floats(-3.0, 1.0)),
)  # fmt: skip
def test_the_ellipse_is_one_standard_deviation_round_the_mean(mean, angle, powers):
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    deviations = 10.0 ** np.array(powers)
    covariance = turn @ np.diag(deviations**2) @ turn.T
    away = ellipse(of(mean, covariance)) - mean
    form = np.einsum("ki,ij,kj->k", away, np.linalg.inv(covariance), away)
    # The inverse magnifies rounding by the condition; adding the mean loses what is small beside it.
    rounding = 1e-14 * ((deviations.max() / deviations.min()) ** 2 + 10.0 / deviations.min())
    np.testing.assert_allclose(form, 1.0, rtol=0, atol=rounding)
    values, vectors = np.linalg.eigh(covariance)
    for value, vector in zip(values, vectors.T, strict=True):  # its axes are the matrix's
        assert (away @ vector).max() == pytest.approx(np.sqrt(value), rel=2e-3, abs=1e-7)  # of 61 corners
    np.testing.assert_allclose(away[0], away[-1], rtol=0, atol=1e-12)


def test_halfway_between_two_points_the_ellipse_reaches_from_one_to_the_other():
    points = np.array([[-1.0, 0.5], [1.0, -0.5]])
    exact = ExactPlace.of(Denoiser(points, 0.6), (0.0, 0.0))
    assert exact is not None
    away = ellipse(exact)
    for point in points:
        assert np.hypot(*(away - point).T).min() < 1e-9
    assert np.abs(away @ np.array([0.5, 1.0])).max() < 1e-9, "it is wide where nothing is uncertain"


def test_a_covariance_that_rounding_made_negative_is_no_error():
    assert np.isfinite(ellipse(of((1.0, 2.0), ((1.0, 0.0), (0.0, -1e-17))))).all()


# Under the cursor


def test_the_cursor_shows_the_ellipse_and_both_arrows(field, paint):
    exact = of((1.5, 1.0), ((1.0, 0.0), (0.0, 0.25)))
    place = Place((-3.0, -2.0), (-2.0, 2.0), 1.0, exact)
    picture = paint(BARE, field(BARE, data=FAR), Marks(place))
    for x, y in ellipse(exact)[::5]:
        assert picture.shows(DARK.exact, x, y, within=THIN)
    for part in (0.2, 0.5, 0.8):
        start = np.array(place.place)
        assert picture.shows(DARK.exact, *(start + part * (np.array(exact.reconstruction) - start)))
        assert picture.shows(DARK.probe, *(start + part * (np.array(place.reconstruction) - start)))
    plain = paint(BARE, field(BARE), Marks(Place((-3.0, -2.0), (-2.0, 2.0), 1.0, None)))
    assert plain.shows(DARK.probe, -2.5, 0.03)
    assert not any(plain.shows(DARK.exact, x, y, within=THIN) for x, y in ellipse(exact))


def test_the_stronger_a_vote_the_larger_its_disc(field, paint):
    data = np.array([[-3.0, 1.0], [-1.5, 1.0], [0.4, 1.0], [1.5, 1.0], [3.0, 1.0]])
    votes = [0.03, 0.11, 0.26, 0.6]
    place = Place((-3.5, -2.5), (-3.5, -2.5), 1.0, of((-3.5, -2.5), voters=[0, 1, 2, 4], votes=votes))
    picture = paint(BARE, field(BARE, data=data), Marks(place))

    def area(x: float, y: float) -> int:
        around = itertools.product(range(-14, 15), repeat=2)
        return sum(picture.colour(x, y, *each) != DARK.figure for each in around)

    areas = [area(*point) for point in data]
    assert areas[3] == 0, "a point has a disc that has no vote"
    voted = areas[:3] + areas[4:]
    assert np.diff(voted).min() > 10
    assert voted[0] > 8, "the weakest of them cannot be seen"
    disc, vote = QColor(picture.colour(*data[4])), QColor(DARK.vote)
    assert disc.hue() == pytest.approx(vote.hue(), abs=3)


# A probe and a cloud


PATH = np.array([[-3.0, -2.0], [1.5, 1.0], [2.5, -1.5], [2.5, -2.0]])


def test_a_path_leads_from_the_probe_through_all_its_steps(field, paint):
    picture = paint(BARE, field(BARE), Marks(path=PATH))
    for start, end in itertools.pairwise(PATH):
        for part in (0.25, 0.5, 0.75):
            assert picture.shows(DARK.probe, *(start + part * (end - start)))
    for right, down in ((PROBE, 0), (-PROBE, 0), (0, PROBE), (0, -PROBE)):
        around = itertools.product((right - 1, right, right + 1), (down - 1, down, down + 1))
        assert DARK.probe in {picture.colour(*PATH[0], *each) for each in around}, "the ring is open"
    assert not inked(picture, 0.7, 2.0)
    assert picture.figure.box.probe == (-3.0, -2.0)


@pytest.mark.parametrize("last", [np.nan, np.inf])
def test_a_path_into_nowhere_is_drawn_as_far_as_it_goes(last, field, paint):
    broken = np.concatenate((PATH[:2], [[last, last]]))
    picture = paint(BARE, field(BARE), Marks(path=broken))
    assert picture.shows(DARK.probe, *(0.5 * (PATH[0] + PATH[1])))
    empty = paint(BARE, field(BARE), Marks(path=broken[2:]))
    assert not inked(empty, *PATH[0])


def test_a_cloud_shows_where_each_of_its_points_goes(field, paint):
    noisy = np.array([[-3.0, -2.0], [-2.0, 2.0], [0.5, 0.5]])
    moved = noisy + np.array([[1.2, 0.4], [1.1, -0.7], [2.3, 1.5]])
    picture = paint(BARE, field(BARE), Marks(cloud=noisy, cloud_reconstruction=moved))
    for start, end in zip(noisy, moved, strict=True):
        assert picture.colour(*start) == DARK.noisy
        assert picture.colour(*end) == DARK.reconstruction
        assert inked(picture, *(0.5 * (start + end)))
        assert not inked(picture, *(end + 0.3 * (end - start)))


def test_marks_go_when_they_are_taken_away(field, paint):
    clean = paint(BARE, field(BARE))
    everything = Marks(Place((0.5, 0.5), (1.5, 1.0), 1.0, of()), PATH, PATH, PATH[::-1])
    picture = paint(BARE, field(BARE, data=FAR), everything)
    assert picture.image != clean.image
    picture.figure.set_field(field(BARE))
    assert type(picture)(picture.figure).image == clean.image
    assert picture.figure.box.probe is None


@pytest.mark.parametrize("compare", ["split", "wipe"])
def test_marks_are_in_both_layers(compare, field, paint):
    settings = BARE.replace(compare=compare, beside="none")
    picture = paint(settings, field(settings), Marks(path=PATH))
    for panel, (start, end) in itertools.product((0, 1), itertools.pairwise(PATH)):
        place = 0.4 * start + 0.6 * end
        assert picture.shows(DARK.probe, *place, panel=panel)
    assert all(box.probe == (-3.0, -2.0) for box in picture.figure.boxes)


# The cross


@pytest.mark.parametrize(("compare", "crosses"), [("off", 0), ("wipe", 0), ("split", 2)])
def test_a_cross_says_in_both_halves_where_the_cursor_is(compare, crosses, field, paint):
    settings = BARE.replace(compare=compare, beside="none")
    picture = paint(settings, field(settings))
    picture.figure.show_cross((-1.4, 1.2))
    crossed = type(picture)(picture.figure)

    def arms(panel: int) -> list[bool]:
        x, y = -1.4, 1.2
        pixel = 7.0 / crossed.figure.panels[panel].box.rect().width()  # in data units
        return [
            crossed.shows(DARK.exact, x + right * pixel, y + up * pixel, panel, within=THIN)
            for right, up in ((6, 0), (-6, 0), (0, 6), (0, -6))
        ]

    seen = [arms(panel) for panel in range(len(picture.figure.boxes))]
    assert sum(map(all, seen)) == sum(map(any, seen)) == crosses
    if crosses:
        assert crossed.colour(-1.4, 1.2) == DARK.figure, "it hides what it points at"
    picture.figure.show_cross(None)
    assert type(picture)(picture.figure).image == picture.image


# Midlines and particles


MIDLINES = {
    "midline": "learned midline: a > 2.5",
    "exact_midline": "exact midline: a* > 2.5",
    "geometric_midline": "geometric midline",
}


def test_three_midlines_are_drawn_apart_each_at_its_place(field, exact, paint):
    settings = BARE.replace(threshold=2.5, grid=(80, 60), **dict.fromkeys(MIDLINES, True))
    x, y = np.meshgrid(np.linspace(-3.5, 3.5, 80), np.linspace(-2.5, 2.5, 60))
    line = np.array([[-3.0, -2.2], [0.7, 2.2], [3.0, -2.0]])
    shown = field(
        settings, ambiguity=2.5 + 1.0 - (x - 2.0) ** 2 - (y - 1.0) ** 2,  # a circle, r = 1
        exact=exact(settings, ambiguity=2.5 + 0.36 - (x + 2.0) ** 2 - (y - 1.0) ** 2),  # r = 0.6
    )  # fmt: skip

    def seen(settings: Settings) -> list[bool]:
        picture = paint(settings, shown, Marks(), (line,))
        angles = np.arange(0.05, 6.2, 0.5)
        round_ = np.stack((np.cos(angles), np.sin(angles)), axis=1)
        along = [*(line[0] + part * (line[1] - line[0]) for part in (0.1, 0.4, 0.85))]
        along += [line[1] + part * (line[2] - line[1]) for part in (0.7, 0.95)]
        places = {
            DARK.midline: np.array([2.0, 1.0]) + round_, DARK.exact: np.array([-2.0, 1.0]) + 0.6 * round_,
            DARK.geometric: along,
        }  # fmt: skip
        found = [{picture.shows(colour, *place) for place in some} for colour, some in places.items()]
        assert all(len(each) == 1 for each in found), found
        texts = picture.texts()
        assert [text in texts for text in MIDLINES.values()] == [each == {True} for each in found]
        return [True in each for each in found]

    assert seen(settings) == [True, True, True]
    for index, name in enumerate(MIDLINES):
        expected = [True, True, True]
        expected[index] = False
        assert seen(settings.replace(**{name: False})) == expected


def test_particles_are_drawn_with_their_streaks(field, paint):
    streaks = np.array([[[-3.0, -2.0], [-2.0, -1.0]], [[1.0, 2.0], [1.6, 1.3]]])
    settings = BARE.replace(flow="drift")
    picture = paint(settings, field(settings, streaks=streaks))
    for tail, place in streaks:
        assert picture.shows(DARK.particle, *place, within=THIN)
        assert inked(picture, *(0.5 * (tail + place)))
        assert not picture.shows(DARK.particle, *(0.5 * (tail + place)), within=THIN), "it is as bright"
        assert not inked(picture, *(place + 0.5 * (place - tail)))
    still = paint(settings, field(settings, streaks=streaks[:, [1, 1]]))
    for tail, place in streaks:
        assert still.shows(DARK.particle, *place, within=THIN)
        assert not inked(still, *(0.5 * (tail + place)))
    off = paint(BARE, field(BARE, streaks=streaks))  # asked for before they were switched off
    assert not any(inked(off, *place) for _, place in streaks)
