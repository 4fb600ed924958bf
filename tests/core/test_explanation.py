"""The sentences beside the picture say the numbers that are true of it."""

from __future__ import annotations

import dataclasses
import re
from functools import cache
from html.parser import HTMLParser

import numpy as np
import pytest
from fields import ADDED, midline_of

from aeviz.core.clean_data import CleanData, clean_data
from aeviz.core.corruption import DISCRETE, draw
from aeviz.core.explanation import BEADS, MERGED, REACH, explanation, formulas, percent
from aeviz.core.layers import LAYERS
from aeviz.core.metrics import Quality
from aeviz.core.midline import Midline
from aeviz.core.settings import SPECS, Settings

GOOD = Quality(
    bayes_floor=0.05, excess_risk=0.034, midline_iou=0.876, ridge_distance=0.0421, exact_ridge_distance=0.0352
)  # fmt: skip
SPIRAL = clean_data(Settings())
CORNERS = clean_data(Settings(data="corners"))


@pytest.fixture(scope="module")
def midline() -> Midline:
    return midline_of(Settings())


@cache
def of_shape(data: str) -> Midline:
    return Midline() if data == "drawn" else midline_of(Settings(data=data))


def numbers(sentence: str) -> list[float]:
    return [float(text) for text in re.findall(r"\d+(?:\.\d+)?", sentence)]


def half_gap(half: float) -> Midline:
    return Midline(half_gap=np.array([2.0 * half, half]))


def about_arms(settings: Settings, midline: Midline | None, data: CleanData = SPIRAL) -> str:
    return explanation(settings, Quality(), midline, data)[1]


def spaced(apart: float) -> CleanData:
    """The spiral, but that its neighbours are said to lie so far apart."""
    return dataclasses.replace(SPIRAL, spacing=apart)


@pytest.mark.parametrize("cost", ["squared", "bce"])
@pytest.mark.parametrize("target", ["original", "nearest"])
def test_two_to_four_sentences_begin_with_what_the_layer_is(target: str, cost: str, midline: Midline) -> None:
    for name, layer in LAYERS.items():
        for noise in (0.0, 0.02, 0.04, 0.25, 1.0):
            for compare in ("off", "split", "wipe"):
                for quality in (Quality(), GOOD):
                    settings = Settings(
                        layer=name, noise=noise, target=target, cost=cost, compare=compare, beside="curl"
                    )  # fmt: skip
                    told = explanation(settings, quality, midline, SPIRAL)
                    if compare == "off":
                        assert told[0] == layer.help
                    else:
                        assert told[:2] == [f"Left: {layer.help}", f"Right: {LAYERS['curl'].help}"]
                    assert 2 <= len(told) <= 4
                    for sentence in told:
                        assert sentence == sentence.strip()
                        assert sentence[-1] == "."
                        assert sentence[0].isupper() or sentence[0] == "σ"
                        assert "nan" not in sentence
                        assert "None" not in sentence


@pytest.mark.parametrize("kind", SPECS["noise_kind"].choices)
@pytest.mark.parametrize("data", SPECS["data"].choices)
def test_two_or_three_sentences_tell_of_any_data_under_any_noise(data: str, kind: str) -> None:
    drawn = (0.0, 0.5, 1.0, 2.0) if data == "drawn" else ()
    midline = of_shape(data)  # however few points lie on it
    for points in (1, 2, 151):
        settings = Settings(data=data, drawn=drawn, points=points, noise_kind=kind)
        for noise in (0.0, 0.01, 0.3, 1.0):
            for quality, more in ((Quality(), 0), (GOOD, noise > 0.0)):
                told = explanation(settings.replace(noise=noise), quality, midline, clean_data(settings))
                assert len(told) == 2 + more
                for sentence in told:
                    assert sentence == sentence.strip()
                    assert sentence[-1] == "."
                    assert not any(word in sentence for word in ("nan", "None", "inf ", "inf,"))


@pytest.mark.parametrize("data", [CORNERS, CleanData(np.eye(2)), CleanData(np.zeros((3, 2)))])
@pytest.mark.parametrize("kind", ADDED)
def test_points_on_no_curve_have_no_arms(kind: str, data: CleanData) -> None:
    sentence = about_arms(Settings(noise=0.3, noise_kind=kind), Midline(), data)
    assert "these points lie on no curve" in sentence
    assert numbers(sentence) == [0.3]


@pytest.mark.parametrize(("kind", "what"), [("masking", "becomes 0"), ("flip", "is flipped")])
def test_masking_and_flips_are_told_by_their_probability(kind: str, what: str, midline: Midline) -> None:
    for p in (0.05, 0.25, 1.0):
        settings = Settings(noise=p, noise_kind=kind)
        of_bits, of_others = about_arms(settings, None, CORNERS), about_arms(settings, midline)
        assert f"Each coordinate {what} with probability {p:g}, " in of_bits
        assert of_bits.split(".")[:-2] == of_others.split(".")[:-2]  # which begin alike
        assert "posterior probability" in of_bits
        assert "exact reference" not in of_bits
        assert "no exact reference" in of_others
        for sentence in (of_bits, of_others):
            assert "arms" not in sentence
            assert "σ" not in sentence  # which is no standard deviation here
    assert set(DISCRETE) == {"masking", "flip"}


@pytest.mark.parametrize("noise", [0.04, 0.1, 0.25, 0.35, 1.0])
def test_the_arms_are_told_in_numbers(noise: float, midline: Midline) -> None:
    sigma, half, ratio, *_ = numbers(about_arms(Settings(noise=noise), midline))
    # Arms are 1 apart along a radius, and a little less straight across.
    nearest = np.sort(midline.half_gap)[(len(midline.half_gap) - 1) // 10]
    assert sigma == noise
    assert abs(half - nearest) <= 0.005  # two digits
    assert abs(half - 0.49) < 0.01
    assert abs(ratio - nearest / noise) <= 0.05 + 1e-9  # one digit after the point


@pytest.mark.parametrize("kind", ADDED)
def test_more_noise_is_told_in_other_words(kind: str) -> None:
    def words(ratio: float) -> str:
        return about_arms(Settings(noise=0.1, noise_kind=kind), half_gap(0.1 * ratio))

    reach = REACH[kind]
    assert MERGED < 2.0 < reach
    for edge, above, below in (
        (reach, "is a guess", "from both arms"),
        (MERGED, "from both arms", "mixes up"),
    ):
        assert above in words(edge * 1.001)
        assert below in words(edge * 0.999)
        assert below not in words(edge * 1.001)


@pytest.mark.parametrize("kind", ADDED)
def test_noise_carries_hardly_a_point_beyond_its_reach(kind: str) -> None:
    length = np.hypot(*draw(np.random.default_rng(0), kind, 100_000).T)
    beyond, nearer = ((length > part * REACH[kind]).mean() for part in (1.0, 0.8))
    # e^(−3.5²/2) = 0.2 % of Gaussian noise, of the rare kind a twentieth of that, of uniform none: √6 < 2.45.
    assert beyond < 0.003
    assert (beyond == 0.0) == (kind == "uniform")
    assert nearer > 5 * beyond  # not much farther than it has to be


def test_arms_are_told_by_the_reach_of_their_noise(midline: Midline) -> None:
    """Half the gap is 4.9σ: farther than Gaussian noise carries a point, but not the rare one."""
    told = {kind: about_arms(Settings(noise=0.1, noise_kind=kind), midline) for kind in ADDED}
    assert "is a guess" in told["gaussian"]
    assert "is a guess" in told["uniform"]
    assert "from both arms" in told["rare"]


@pytest.mark.parametrize("target", ["original", "nearest"])
def test_points_far_apart_are_told_as_beads(target: str, midline: Midline) -> None:
    few = Settings(points=20, noise=0.1, target=target)
    data = clean_data(few)
    sentence = about_arms(few, midline, data)
    assert "each is by itself" in sentence
    assert "arms" not in sentence
    sigma, told = numbers(sentence)
    assert sigma == 0.1
    assert abs(told - data.spacing) <= 0.05 * data.spacing  # two digits
    for factor, beads in ((0.999, True), (1.001, False)):
        data = spaced(factor * 0.3 * REACH["gaussian"] / BEADS)
        known = about_arms(Settings(noise=0.3, target=target), midline, data)
        assert ("each is by itself" in known) != beads
    # Noise of 0.4 of the spacing carries hardly a Gaussian point as far as its neighbour.
    assert np.exp(-0.5 / (BEADS / REACH["gaussian"]) ** 2) < 0.05


def test_too_few_points_make_no_arms(midline: Midline) -> None:
    for points in (1, 4):
        settings = Settings(points=points, noise=1.0)
        assert "too few" in about_arms(settings, midline, clean_data(settings))


@pytest.mark.parametrize("none", [None, Midline()])
def test_without_a_midline_no_two_arms_are_told_of(none: Midline | None) -> None:
    for target in ("original", "nearest"):
        sentence = about_arms(Settings(noise=0.4, target=target), none)
        assert numbers(sentence) == [0.4]
        assert "no two parts" in sentence
        assert "arms" not in sentence


@pytest.mark.parametrize("name", LAYERS)
def test_the_middle_is_a_mean_or_a_cliff(name: str, midline: Midline) -> None:
    mean = about_arms(Settings(layer=name), midline)
    cliff = about_arms(Settings(layer=name, target="nearest"), midline)
    assert "mean of both" in mean
    assert "arrows vanish" in mean
    assert "cliff" not in mean
    assert "bright cliff" in cliff
    assert "a seam that narrows" in cliff
    assert "mean of both" not in cliff
    # Where noise does not come there is no cliff to be learned, and however much comes, it stays one.
    assert "is a guess" in about_arms(Settings(noise=0.1, target="nearest"), midline)
    assert "bright cliff" in about_arms(Settings(noise=1.0, target="nearest"), midline)


def test_a_plain_autoencoder_is_told_as_one(midline: Midline) -> None:
    told = explanation(Settings(noise=0.0), GOOD, midline, SPIRAL)
    assert told[0] == LAYERS["magnitude"].help
    assert len(told) == 2
    assert "plain autoencoder" in told[1]
    assert "copies" not in told[1]  # how much is not known
    for share, percentage in ((0.0, "0 %"), (0.423, "42 %"), (1.0, "100 %")):
        known = explanation(Settings(noise=0.0), Quality(identityness=share), midline, SPIRAL)
        assert known[1] == f"{told[1]} Away from the data it copies {percentage} of what it is given."
    with_noise = explanation(Settings(), Quality(identityness=0.5), midline, SPIRAL)
    assert not any("copies" in sentence for sentence in with_noise)


@pytest.mark.parametrize(
    ("hidden", "code", "narrow"),
    [((64,), 64, False), ((64,), 2, False), ((), 2, False), ((64,), 1, True), ((), 1, True), ((1,), 64, True),
     ((64, 1), 8, True)],
)  # fmt: skip
def test_a_network_that_is_one_unit_wide_is_told_to_make_a_curve(
    hidden: tuple[int, ...], code: int, narrow: bool, midline: Midline
) -> None:
    for mirror in (False, True):
        settings = Settings(hidden=hidden, code=code, mirror=mirror)
        told = explanation(settings, GOOD, midline, SPIRAL)
        assert len(told) == 3 + narrow
        assert sum("one unit wide" in sentence for sentence in told) == narrow


def about_quality(quality: Quality, midline: Midline, **changes: object) -> str:
    told = explanation(Settings().replace(**changes), quality, midline, SPIRAL)
    return told[2] if len(told) > 2 else ""


def test_the_quality_is_told_in_numbers(midline: Midline) -> None:
    said = about_quality(GOOD, midline, layer="ambiguity")
    assert said.startswith("The network's loss is 3.4 % above the best possible;")
    assert "overlaps the exact one by 88 %" in said
    assert "runs 0.042 from the geometric midline (the exact one 0.035)" in said
    alone = Quality(ridge_distance=0.0421)
    assert about_quality(alone, midline) == "Its ridge runs 0.042 from the geometric midline."
    assert about_quality(Quality(excess_risk=0.5), midline) == (
        "The network's loss is 50 % above the best possible."
    )
    assert about_quality(Quality(midline_iou=1.0), midline).startswith("Its midline overlaps")
    assert about_quality(Quality(), midline) == ""  # nothing is known, so nothing is told


def test_of_a_cross_entropy_the_loss_is_not_told_in_parts_of_a_variance(midline: Midline) -> None:
    said = about_quality(GOOD, midline, cost="bce")
    assert said.startswith("The network is off the best answers by 3.4 % of their variance;")
    assert "loss" not in said


def test_the_best_loss_is_0_where_the_floor_is_known_to_be(midline: Midline) -> None:
    for target in ("original", "nearest"):  # the floor decides: a single clean point has one of 0, too
        assert "best possible loss is 0" in about_quality(Quality(0.0), midline, target=target)
        for other in (Quality(), Quality(0.0, sketch=True), Quality(0.01), Quality(0.0, 0.5)):
            assert "loss is 0" not in about_quality(other, midline, target=target)


@pytest.mark.parametrize(
    ("risk", "text"),
    [(0.0, "0 %"), (0.001, "0.1 %"), (0.0123, "1.2 %"), (0.5, "50 %"), (1.0, "100 %"), (9.99, "999 %"),
     (10.0, "10 times"), (12_345.6, "12,346 times")],
)  # fmt: skip
def test_an_excess_risk_has_few_digits(risk: float, text: str) -> None:
    assert percent(risk) == text


# Formulas


class Tags(HTMLParser):
    """What is open, to see that all is closed again."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_every_layer_has_a_formula_and_says_where_it_is_from() -> None:
    assert set(formulas()) == set(LAYERS)
    for name, entry in formulas().items():
        assert set(entry) == {"formula", "source"}
        tags = Tags()
        tags.feed(entry["formula"])
        tags.close()
        assert tags.open == []
        assert tags.text.strip()
        # A year, or the lecture's notes; or why it is so, of the one that takes but one line.
        assert re.search(r"\b(19|20)\d\d\b|lecture", entry["source"]) or name == "excess"
        assert len(entry["source"]) > 20
