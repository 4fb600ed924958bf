"""How good a reconstruction is: distance to the exact denoiser, agreement of the midlines."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from aeviz.core.corruption import probe_noisy
from aeviz.core.field import Field
from aeviz.core.manifolds import FloatArray
from aeviz.core.settings import Settings
from aeviz.core.truth import posterior

NEAR_DATA = 3.0  # the midlines are compared within this many σ of the data


@dataclass(frozen=True, slots=True)
class Metrics:
    """Numbers of a run at one epoch; None where there is no exact reference.

    Attributes
    ----------
    loss : float
        Mean cost of the last epoch, in data units squared.
    bayes_floor : float or None
        E tr Cov*(ŷ): no network's squared loss can go below it.
    excess_risk : float or None
        E ‖r(ŷ) − r*(ŷ)‖² / bayes_floor on the probe set; 0 is perfect.
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
    bayes_floor : float
    """

    noisy: FloatArray
    exact: FloatArray
    bayes_floor: float

    @classmethod
    def of(cls, settings: Settings, data: FloatArray) -> Probe | None:
        """The probe set of these settings, or None where there is no exact reference."""
        if settings.noise <= 0.0:
            return None
        noisy = probe_noisy(settings, data)
        truth = posterior(noisy, data, settings.noise)
        return cls(noisy, truth.mean, float(truth.variance.mean()))

    def excess_risk(self, reconstruction: FloatArray) -> float | None:
        """Mean ‖r − r*‖² over the floor; None where the floor is 0 (one single clean point)."""
        if self.bayes_floor <= 0.0:
            return None
        return float(np.square(reconstruction - self.exact).sum(axis=1).mean() / self.bayes_floor)


def midline_iou(field: Field, threshold: float) -> float | None:
    """Agreement of the learned and the exact ambiguous region within 3σ of the data.

    Returns
    -------
    float or None
        Intersection over union in 0…1; None without an exact reference or where neither has a region.
    """
    from scipy.spatial import KDTree  # takes 0.2 s to import, and the window never measures

    exact = field.exact()
    if exact is None:
        return None
    distance, _ = KDTree(field.data).query(field.grid.points)
    near = (distance <= NEAR_DATA * field.noise).reshape(field.grid.shape)
    learned, best = (field.ambiguity > threshold) & near, (exact[1] > threshold) & near
    union = np.count_nonzero(learned | best)
    return float(np.count_nonzero(learned & best) / union) if union else None
