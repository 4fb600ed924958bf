"""How good a reconstruction is: distance to the exact denoiser, agreement of the midlines."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aeviz.core.corruption import probe_noisy
from aeviz.core.field import Grid
from aeviz.core.manifolds import FloatArray
from aeviz.core.settings import Settings
from aeviz.core.truth import exact_ambiguity, posterior

NEAR_DATA = 3.0  # the midlines are compared within this many σ of the data


@dataclass(frozen=True, slots=True)
class Metrics:
    """Numbers of a run at one epoch; None where there is no exact reference.

    Attributes
    ----------
    loss : float
        Mean loss of the last epoch, a regulariser included; of squared cost in data units squared.
    bayes_floor : float or None
        No network's cost can go below it; for squared cost E tr Cov*(ŷ).
    excess_risk : float or None
        E ‖r(ŷ) − r*(ŷ)‖² / E tr Cov*(ŷ) on the probe set; 0 is perfect.
    midline_iou : float or None
        Intersection over union of learned and exact ambiguous region within 3σ of the data.
    """

    epoch: int
    loss: float
    bayes_floor: float | None
    excess_risk: float | None
    midline_iou: float | None
    train_seconds: float
    steps_per_second: float

    def to_json(self) -> dict[str, Any]:
        """The numbers by name."""
        return asdict(self)


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
    def of(cls, settings: Settings, data: FloatArray) -> Probe | None:
        """The probe set of these settings, or None where there is no exact reference."""
        if settings.noise <= 0.0:
            return None
        noisy = probe_noisy(settings, data)
        truth = posterior(noisy, data, settings.noise)
        variance = floor = float(truth.variance.mean())
        if settings.cost == "bce":
            from scipy.special import entr  # takes a while to import, like the tree below

            floor = float((entr(truth.mean) + entr(1.0 - truth.mean)).sum(axis=1).mean())
        return cls(noisy, truth.mean, variance, floor)

    def excess_risk(self, reconstruction: FloatArray) -> float | None:
        """Mean ‖r − r*‖² over the variance; None where that is 0 (one single clean point)."""
        if self.variance <= 0.0:
            return None
        return float(np.square(reconstruction - self.exact).sum(axis=1).mean() / self.variance)


@dataclass(frozen=True, slots=True)
class Quality:
    """How near a network is to the best possible; None where there is no exact reference.

    Attributes
    ----------
    bayes_floor, excess_risk, midline_iou : float or None
        As in `Metrics`.
    """

    bayes_floor: float | None = None
    excess_risk: float | None = None
    midline_iou: float | None = None


@dataclass(frozen=True)
class Reference:
    """What networks on the same data, under the same noise, are measured against.

    Attributes
    ----------
    probe : Probe
    grid : Grid
        That of the first view.
    ambiguity : (H, W) array
        a* on that grid.
    near : (H, W) array of bool
        Where midlines are compared.
    """

    probe: Probe
    grid: Grid
    ambiguity: FloatArray
    near: NDArray[np.bool_]

    @classmethod
    def of(cls, settings: Settings, data: FloatArray) -> Reference | None:
        """The reference of these settings, or None where there is no exact one."""
        from scipy.spatial import KDTree  # takes 0.2 s to import, and the window never measures

        probe = Probe.of(settings, data)
        if probe is None:
            return None
        grid = Grid.home(settings)
        exact = exact_ambiguity(posterior(grid.points, data, settings.noise), settings.noise)
        distance, _ = KDTree(data).query(grid.points)
        near = distance <= NEAR_DATA * settings.noise
        return cls(probe, grid, exact.reshape(grid.shape), near.reshape(grid.shape))

    def quality(self, at_probe: FloatArray, ambiguity: FloatArray, threshold: float) -> Quality:
        """Measure a network by its reconstructions of the probe set and its ambiguity on the grid."""
        return Quality(
            self.probe.bayes_floor, self.probe.excess_risk(at_probe), self.midline_iou(ambiguity, threshold)
        )

    def midline_iou(self, ambiguity: FloatArray, threshold: float) -> float | None:
        """Agreement of the learned and the exact ambiguous region within 3σ of the data.

        Returns
        -------
        float or None
            Intersection over union in 0…1; None where neither has a region.
        """
        learned, best = (ambiguity > threshold) & self.near, (self.ambiguity > threshold) & self.near
        union = np.count_nonzero(learned | best)
        return float(np.count_nonzero(learned & best) / union) if union else None
