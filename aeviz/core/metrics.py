"""How good a reconstruction is: distance to the exact denoiser, agreement of the midlines."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from aeviz.core.corruption import PROBES, probe_noisy
from aeviz.core.field import Grid
from aeviz.core.manifolds import FloatArray
from aeviz.core.midline import Midline
from aeviz.core.settings import Settings
from aeviz.core.truth import Denoiser, Steps

if TYPE_CHECKING:
    from scipy.spatial import KDTree  # takes 0.2 s to import, and the window never measures

FLOOR_PROBES, FLOOR_WEIGHTS = 65_536, 10_000_000  # the floor's draws, and what they may take: 0.1 s
NEAR_DATA = 3.0  # the midlines are compared within this many σ of the data


@dataclass(frozen=True, slots=True)
class Quality:
    """How near a network is to the best possible; None where there is no exact reference.

    Attributes
    ----------
    bayes_floor : float or None
        No network's cost can go below it; for squared cost E tr Cov*(ŷ), in data units squared.
    excess_risk : float or None
        E ‖r(ŷ) − r*(ŷ)‖² / E tr Cov*(ŷ) on the probe set; 0 is perfect. None where the floor is 0.
    midline_iou : float or None
        Intersection over union of learned and exact ambiguous region within 3σ of the data.
    ridge_distance : float or None
        Mean distance of the learned ambiguity's ridge from the geometric midline, in data units.
    exact_ridge_distance : float or None
        The same of the exact ambiguity's ridge: where points lie more sparsely on one arm, it is not 0.
    sketch : bool
        Whether the floor is a first answer, from some of the probes, and the rest is being worked out.
    """

    bayes_floor: float | None = None
    excess_risk: float | None = None
    midline_iou: float | None = None
    ridge_distance: float | None = None
    exact_ridge_distance: float | None = None
    sketch: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics(Quality):
    """Numbers of a run at one epoch.

    Attributes
    ----------
    loss : float
        Mean loss of the last epoch, a regulariser included; of squared cost in data units squared.
    """

    epoch: int
    loss: float
    train_seconds: float
    steps_per_second: float

    def to_json(self) -> dict[str, Any]:
        """The numbers by name."""
        return {name: value for name, value in asdict(self).items() if name != "sketch"}


@dataclass(frozen=True, slots=True)
class Probe:
    """The probe set with what the exact denoiser makes of it.

    Attributes
    ----------
    noisy, exact : (4096, 2) arrays
    variance : float
        E tr Cov*(ŷ), in data units squared.
    bayes_floor : float
        The least cost: the variance, or for a cross-entropy the entropy of the exact reconstruction.
    """

    noisy: FloatArray
    exact: FloatArray
    variance: float
    bayes_floor: float

    @classmethod
    def solving(
        cls, settings: Settings, data: FloatArray, denoiser: Denoiser, most: int = PROBES
    ) -> Steps[Probe]:
        """Work out the probe set of these settings, or a small one of `most`, step by step.

        By chance, the floor is off by 0.7 % from 4,096 draws; so it is taken from more where that is cheap.
        """
        more = most if most < PROBES else max(PROBES, min(FLOOR_PROBES, FLOOR_WEIGHTS // len(data)))
        noisy = probe_noisy(settings, data, more)
        truth = yield from denoiser.solving(noisy)
        variance = floor = float(truth.variance.mean())
        if settings.cost == "bce":
            from scipy.special import entr  # takes a while to import

            floor = float((entr(truth.mean) + entr(1.0 - truth.mean)).sum(axis=1).mean())
        return cls(noisy[:most], truth.mean[:most], variance, floor)

    def excess_risk(self, reconstruction: FloatArray) -> float | None:
        """Mean ‖r − r*‖² over the variance; None where that is 0 (one single clean point)."""
        if self.variance <= 0.0:
            return None
        return float(np.square(reconstruction - self.exact).sum(axis=1).mean() / self.variance)


@dataclass(frozen=True)
class Reference:
    """What networks on the same data, under the same noise, are measured against.

    Attributes
    ----------
    probe : Probe
    grid : Grid
        That of the first view.
    ambiguity : (H, W) array or None
        a* on that grid.
    near : (H, W) array of bool
        Where midlines are compared.
    midline : Midline
        The geometric one, at its places within 3σ of the data.
    across_midline : (P·17,) array or None
        a* where the midline's ridge is searched.
    """

    probe: Probe
    grid: Grid
    ambiguity: FloatArray | None
    near: NDArray[np.bool_]
    midline: Midline
    across_midline: FloatArray | None

    @classmethod
    def solving(
        cls, settings: Settings, data: FloatArray, denoiser: Denoiser, midline: Midline, tree: KDTree
    ) -> Steps[Reference]:
        """Work out the reference of these settings, step by step; `tree` holds the data."""
        grid = Grid.home(settings)
        midline = midline.where(midline.half_gap <= NEAR_DATA * settings.noise)
        exact = yield from denoiser.solving(grid.points)
        across = yield from denoiser.solving(midline.searched)
        probe = yield from Probe.solving(settings, data, denoiser)
        distance, _ = tree.query(grid.points)
        near = distance <= NEAR_DATA * settings.noise
        return cls(
            probe, grid, None if exact.ambiguity is None else exact.ambiguity.reshape(grid.shape),
            near.reshape(grid.shape), midline, across.ambiguity,
        )  # fmt: skip

    def quality(
        self, at_probe: FloatArray, ambiguity: FloatArray, across_midline: FloatArray, threshold: float
    ) -> Quality:
        """Measure a network.

        Parameters
        ----------
        at_probe : (4096, 2) array
            Its reconstructions of the probe set.
        ambiguity, across_midline : (H, W) and (P·17,) arrays
            Its ambiguity on the grid, and where the midline's ridge is searched.
        threshold : float
            τ, above which a place is ambiguous.
        """
        best = self.across_midline
        return Quality(
            self.probe.bayes_floor, self.probe.excess_risk(at_probe), self.midline_iou(ambiguity, threshold),
            self.midline.ridge_distance(across_midline, threshold),
            None if best is None else self.midline.ridge_distance(best, threshold),
        )  # fmt: skip

    def midline_iou(self, ambiguity: FloatArray, threshold: float) -> float | None:
        """Agreement of the learned and the exact ambiguous region within 3σ of the data.

        Returns
        -------
        float or None
            Intersection over union in 0…1; None where neither has a region.
        """
        if self.ambiguity is None:
            return None
        learned, best = (ambiguity > threshold) & self.near, (self.ambiguity > threshold) & self.near
        union = np.count_nonzero(learned | best)
        return float(np.count_nonzero(learned & best) / union) if union else None
