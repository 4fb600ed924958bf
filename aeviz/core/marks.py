"""What is known of single places: under the cursor, along a probe's path, in a cloud of noise."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from aeviz.core.clean_data import CleanData
from aeviz.core.corruption import cloud_noisy
from aeviz.core.manifolds import FloatArray
from aeviz.core.settings import Settings
from aeviz.core.truth import Denoiser

if TYPE_CHECKING:
    from scipy.spatial import KDTree  # takes 0.2 s to import

MOST_VOTERS, BINS = 400, 300  # the strongest voters are told, and the whole vote in so many parts
LEAST_VOTE = 1e-3  # of the strongest: weaker votes would not be seen
LEAST_RISE = 0.02  # of the strongest part of the curve: weaker parts lie between two that claim a place
LEAST_SHARE = 0.01  # of a part of the data that is named
CLOUD = 200  # noisy points round a place
RESTS, MOST_STEPS = 1e-3, 200  # a path ends where a step is shorter than this part of the data's size
BASIN_STEPS = 30  # after which a place has long reached the curve, and crept on little along it

Reconstruct = Callable[[FloatArray], FloatArray]
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class ExactPlace:
    """What the exact denoiser knows of a place.

    Attributes
    ----------
    reconstruction : (x, y)
        r*(x).
    covariance : (2, 2) array
        Cov*(x).
    log_density : float
    ambiguity : float or None
    voters, votes : (K,) arrays
        Indices of the clean points that claim the place most, in order, and their posterior weights.
    profile : (B,) array
        The sum of the weights in each of B equally long parts of the curve, at most 300: together 1.
    """

    reconstruction: Point
    covariance: FloatArray
    log_density: float
    ambiguity: float | None
    voters: NDArray[np.int64]
    votes: FloatArray
    profile: FloatArray

    @classmethod
    def of(cls, denoiser: Denoiser, place: Point) -> ExactPlace | None:
        """That of a place, or None where no clean point can have been moved there."""
        found, weights = denoiser.place(np.array([place]))
        if not np.isfinite(found.log_density).all():
            return None
        strongest = np.flatnonzero(weights >= LEAST_VOTE * weights.max())
        if len(strongest) > MOST_VOTERS:
            strongest = np.sort(np.argpartition(weights, -MOST_VOTERS)[-MOST_VOTERS:])
        return cls(
            (float(found.mean[0, 0]), float(found.mean[0, 1])), found.covariance[0],
            float(found.log_density[0]), None if found.ambiguity is None else float(found.ambiguity[0]),
            strongest, weights[strongest],
            _in_parts(weights),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """One place, (x, y) in data units, and what is known of it.

    Attributes
    ----------
    reconstruction : (x, y)
        r(x), in data units.
    ambiguity : float
        a(x), without unit.
    exact : ExactPlace or None
        None where there is no exact reference, or no noise reaches.
    code : (k,) array
        Where its code h lies along the one or two directions of the code plot.
    """

    place: Point
    reconstruction: Point
    ambiguity: float
    exact: ExactPlace | None
    code: FloatArray = field(default_factory=lambda: np.empty(0))

    @property
    def magnitude(self) -> float:
        """‖r(x) − x‖, in data units."""
        return float(np.hypot(*np.subtract(self.reconstruction, self.place)))


@dataclass(frozen=True, slots=True)
class Marks:
    """What is drawn over the field at the user's wish.

    Attributes
    ----------
    cursor : Place or None
    path : (K, 2) array or None
        x, r(x), r(r(x)) … from the probe until it rests.
    cloud, cloud_reconstruction : (200, 2) arrays or None
        Noisy points round a place and where they go.
    """

    cursor: Place | None = None
    path: FloatArray | None = None
    cloud: FloatArray | None = None
    cloud_reconstruction: FloatArray | None = None

    @classmethod
    def of(
        cls, cursor: Place | None, probe: Point | None, cloud: Point | None, settings: Settings,
        data: CleanData, reconstruct: Reconstruct, size: float,
    ) -> Marks:  # fmt: skip
        """Work out path and cloud; `size` is the data's."""
        noisy = None if cloud is None else cloud_noisy(settings, data, cloud, CLOUD)
        return cls(
            cursor, None if probe is None else path_from(probe, reconstruct, RESTS * size), noisy,
            None if noisy is None else reconstruct(noisy),
        )  # fmt: skip


NO_MARKS = Marks()


def path_from(place: Point, reconstruct: Reconstruct, rest: float) -> FloatArray:
    """x, r(x), r(r(x)) …, (K, 2), until a step is shorter than `rest`, or 200 steps."""
    path = [np.array([place])]
    for _ in range(MOST_STEPS):
        path.append(reconstruct(path[-1]))
        if not np.hypot(*(path[-1] - path[-2])[0]) > rest:  # written so that NaN ends it
            break
    return np.concatenate(path)


def basins(places: FloatArray, reconstruct: Reconstruct, tree: KDTree, positions: FloatArray) -> FloatArray:
    """Where along the curve each place comes to rest, (M,): the position of the clean point it ends at.

    Parameters
    ----------
    places : (M, 2) array
    tree : KDTree
        Of the clean points.
    positions : (N,) array
        Where along the curve they lie.
    """
    for _ in range(BASIN_STEPS):
        places = reconstruct(places)
    known = np.isfinite(places).all(axis=1)
    found = np.full(len(places), np.nan)
    found[known] = positions[tree.query(places[known])[1]]
    return found


def _in_parts(weights: FloatArray) -> FloatArray:
    """Sums over at most 300 equally long parts, of equally many points but for a few."""
    parts = len(weights) // math.ceil(len(weights) / BINS)
    return np.add.reduceat(weights, np.linspace(0, len(weights), parts, endpoint=False, dtype=np.intp))


def lumps(
    profile: FloatArray, closed: bool = False, breaks: Sequence[float] = ()
) -> list[tuple[float, float]]:
    """The parts of the data that claim a place, the strongest first.

    Parameters
    ----------
    profile : (B,) array
        Of an `ExactPlace`.
    closed : bool
        Whether the last part lies beside the first one.
    breaks : sequence of float
        Where along the data, from 0 to 1, neighbours lie on different pieces of the curve.

    Returns
    -------
    list of (where, share)
        For each run of parts with a vote, its middle as a fraction of the curve, and its share of all votes.
    """
    parts, voting = len(profile), np.flatnonzero(profile >= LEAST_RISE * profile.max())
    apart = 1 + parts // 50
    cuts = [*np.flatnonzero(np.diff(voting) > apart) + 1]
    cuts += [np.searchsorted(voting, round(parts * at)) for at in breaks]
    runs = np.split(voting, sorted({*cuts} - {0, len(voting)}))
    if closed and len(runs) > 1 and voting[0] + parts - voting[-1] <= apart:
        runs = [np.concatenate((runs[-1] - parts, runs[0])), *runs[1:-1]]
    shares = [float(profile[run].sum()) for run in runs]
    middles = [
        float(profile[run] @ (run + 0.5)) / share / parts % 1.0
        for run, share in zip(runs, shares, strict=True)
    ]
    found = zip(middles, shares, strict=True)
    return sorted((each for each in found if each[1] >= LEAST_SHARE), key=lambda each: -each[1])
