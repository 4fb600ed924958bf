"""What the picture shows, in plain sentences made from the present numbers."""

from __future__ import annotations

import math
import tomllib
from functools import cache

import numpy as np

from aeviz.core.clean_data import CleanData
from aeviz.core.corruption import DISCRETE
from aeviz.core.layers import LAYERS
from aeviz.core.metrics import Quality
from aeviz.core.midline import Midline
from aeviz.core.resources import RESOURCES
from aeviz.core.settings import Settings

MERGED = 1.25  # half gaps in σ below which even the best denoiser mixes up the arms
# How far noise carries a point, in σ; farther hardly ever.
REACH = {"gaussian": 3.5, "uniform": 2.45, "rare": 35.0}  # the others do not carry points about
# Part of the midline where the gap is narrower than the one that is told: a curve may cross itself.
NARROW = 0.1
BEADS = 1.4  # reaches of the noise below which each point is by itself, as a part of the points' spacing
_NOISELESS = (
    "σ is 0: nothing is corrupted, and there is no exact reference. This is a plain autoencoder, which may "
    "simply copy its input; give it some noise, and it has to learn where the data lie."
)


def explanation(settings: Settings, quality: Quality, midline: Midline | None, data: CleanData) -> list[str]:
    """Two to five sentences about what is on the screen.

    Parameters
    ----------
    settings : Settings
        Those of the shown epoch, drawn as at present.
    quality : Quality
        How good the network of that epoch is.
    midline : Midline or None
        The geometric one, which tells how far apart the arms are.
    """
    told = [LAYERS[name].help for name in settings.layers]
    if len(told) == 2:
        told = [f"{side}: {text}" for side, text in zip(("Left", "Right"), told, strict=True)]
    if settings.noise <= 0.0:
        return [*told, _NOISELESS + _about_copying(quality)]
    about = (
        _about_discrete(settings, data)
        if settings.noise_kind in DISCRETE
        else _about_arms(settings, midline, data)
    )
    told += [about, _about_code(settings), _about_quality(settings, quality)]
    return [sentence for sentence in told if sentence]


def _about_copying(quality: Quality) -> str:
    if quality.identityness is None:
        return ""
    return f" Away from the data it copies {100.0 * quality.identityness:.0f} % of what it is given."


def _about_code(settings: Settings) -> str:
    if min(settings.widths[1:-1]) > 1:
        return ""
    return (
        "Somewhere the network is one unit wide, so all reconstructions lie on one curve: it cannot copy the "
        "plane, and puts every place on the curve that it has chosen."
    )


def _about_discrete(settings: Settings, data: CleanData) -> str:
    what = "becomes 0" if settings.noise_kind == "masking" else "is flipped"
    told = f"Each coordinate {what} with probability {settings.noise:g}, so noisy points lie in a few places."
    if data.is_binary and settings.target == "nearest":
        return f"{told} Each has a nearest clean point, and that is the best answer."
    if data.is_binary:
        return (
            f"{told} The best answer to each is what the bits most likely were: their posterior probability."
        )
    return f"{told} Which clean point one came from is hardly ever in doubt, so there is no exact reference."


def _about_arms(settings: Settings, midline: Midline | None, data: CleanData) -> str:
    if not data.curve:
        return f"σ is {settings.noise:g}; these points lie on no curve, so no gap between arms is known."
    spacing = data.spacing
    sigma = f"σ is {settings.noise:g}"
    half = (
        float(np.quantile(midline.half_gap, NARROW, method="lower"))
        if midline is not None and len(midline.half_gap)
        else math.inf
    )
    if spacing > 2.0 * half or len(data.points) == 1:
        some = "one point is" if len(data.points) == 1 else f"{len(data.points)} points are"
        return f"{sigma}, and {some} too few to make a curve."
    if settings.noise * REACH[settings.noise_kind] < BEADS * spacing:
        return (
            f"{sigma} and neighbouring points lie {spacing:.2g} apart, farther than noise carries them: each "
            "is by itself, and what is ambiguous lies between neighbours."
        )
    if not math.isfinite(half):
        return f"{sigma}: no two parts of the curve claim the same place from two sides."
    ratio = half / settings.noise
    known = f"{sigma}, half the gap between the arms {half:.2g}, which is {ratio:.1f} σ"
    if ratio > REACH[settings.noise_kind]:
        return f"{known}: noise does not carry points so far, so what the network does there is a guess."
    if settings.target == "nearest":
        return (
            f"{known}: at the middle the nearest point jumps from one arm to the other. The exact answer has "
            "a bright cliff there; the network is continuous, and crosses it in a seam that narrows as it "
            "trains."
        )
    if ratio < MERGED:
        return (
            f"{known}: noise carries many points past the middle. Even the best denoiser mixes up the arms."
        )
    return (
        f"{known}: noise carries points from both arms to the middle, where nothing tells whose they are. "
        "The best answer there is the mean of both, the place itself: arrows vanish, as on the data."
    )


def _about_quality(settings: Settings, quality: Quality) -> str:
    parts = []
    if quality.excess_risk is not None and settings.cost == "squared":
        parts.append(f"the network's loss is {percent(quality.excess_risk)} above the best possible")
    elif quality.excess_risk is not None:
        parts.append(
            f"the network is off the best answers by {percent(quality.excess_risk)} of their variance"
        )
    elif quality.bayes_floor == 0.0 and not quality.sketch:
        parts.append("the best possible loss is 0, so the loss itself is the distance to the optimum")
    if quality.midline_iou is not None:
        parts.append(f"its midline overlaps the exact one by {100.0 * quality.midline_iou:.0f} %")
    if quality.ridge_distance is not None:
        exact = quality.exact_ridge_distance
        beside = "" if exact is None else f" (the exact one {exact:.2g})"
        parts.append(f"its ridge runs {quality.ridge_distance:.2g} from the geometric midline{beside}")
    text = "; ".join(parts)
    return text[:1].upper() + text[1:] + "." if text else ""


def loss_text(loss: float, regulariser: float, digits: str) -> str:
    """A loss, and what it is made of where there is a regulariser; `digits` is a format of numbers."""
    parts = f" = C {loss - regulariser:{digits}} + λR {regulariser:{digits}}" if regulariser else ""
    return f"{loss:{digits}}{parts}"


def percent(risk: float) -> str:
    """An excess risk as a text of few digits."""
    if risk >= 10.0:
        return f"{risk:,.0f} times"
    return f"{100.0 * risk:.0f} %" if risk >= 0.1 else f"{100.0 * risk:.2g} %"


@cache
def formulas() -> dict[str, dict[str, str]]:
    """For each layer its ``formula``, as simple HTML, and its ``source``."""
    return tomllib.loads((RESOURCES / "help" / "formulas.toml").read_text(encoding="utf-8"))
