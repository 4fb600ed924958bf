"""How good a reconstruction is: distance to the exact denoiser, agreement of the midlines."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from aeviz.core.clean_data import CleanData
from aeviz.core.corruption import PROBES, Corruption, probe_noisy, probes
from aeviz.core.field import Grid
from aeviz.core.manifolds import FloatArray
from aeviz.core.marks import Reconstruct
from aeviz.core.midline import Midline
from aeviz.core.settings import Settings
from aeviz.core.truth import Denoiser, Steps

if TYPE_CHECKING:
    from scipy.spatial import KDTree  # takes 0.2 s to import, and the window never measures

FLOOR_PROBES, FLOOR_WEIGHTS = 65_536, 10_000_000  # the floor's draws, and what they may take: 0.1 s
TESTS, TEST_PROBES = 13, 1_024  # noises at which a network is tested, and points of each test
TESTED_TO = 2.5  # times the training's noise, and the test's
# Posterior weights at each noise, 40 ms; and of however many clean points, still so many probes.
TEST_WEIGHTS, _LEAST_PROBES = 4_000_000, 64
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
    identityness : float or None
        How far the network copies its input away from the data, from 0, where every place moves at least as
        far as the nearest clean point is, to 1, where none moves.
    sketch : bool
        Whether the floor is a first answer, from some of the probes, and the rest is being worked out.
    """

    bayes_floor: float | None = None
    excess_risk: float | None = None
    midline_iou: float | None = None
    ridge_distance: float | None = None
    exact_ridge_distance: float | None = None
    identityness: float | None = None
    sketch: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics(Quality):
    """Numbers of a run at one epoch.

    Attributes
    ----------
    loss : float
        Mean loss of the last epoch, C + λ R(h); of squared cost in data units squared.
    regulariser : float
        Mean λ R(h) of the last epoch, in the loss's units.
    """

    epoch: int
    loss: float
    regulariser: float
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
        cls, settings: Settings, data: CleanData, denoiser: Denoiser, most: int = PROBES
    ) -> Steps[Probe]:
        """Work out the probe set of these settings, or a small one of `most`, step by step.

        By chance, the floor is off by 0.7 % from 4,096 draws; so it is taken from more where that is cheap.
        """
        more = most if most < PROBES else max(PROBES, min(FLOOR_PROBES, FLOOR_WEIGHTS // len(data.points)))
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
    probe : Probe or None
        None where there is no exact denoiser.
    grid : Grid
        That of the first view.
    distance : (H, W) array
        From its cells to the nearest clean point, in data units.
    ambiguity : (H, W) array or None
        a* on that grid.
    near : (H, W) array of bool
        Where midlines are compared.
    midline : Midline
        The geometric one, at its places within 3σ of the data.
    across_midline : (P·17,) array or None
        a* where the midline's ridge is searched.
    """

    probe: Probe | None
    grid: Grid
    distance: FloatArray
    ambiguity: FloatArray | None
    near: NDArray[np.bool_]
    midline: Midline
    across_midline: FloatArray | None

    @classmethod
    def solving(
        cls, settings: Settings, data: CleanData, denoiser: Denoiser | None, midline: Midline, tree: KDTree
    ) -> Steps[Reference]:
        """Work out the reference of these settings, step by step; `tree` holds the data."""
        grid = Grid.home(settings, data)
        distance = tree.query(grid.points)[0].reshape(grid.shape)
        near = distance <= NEAR_DATA * settings.noise
        midline = midline.where(midline.half_gap <= NEAR_DATA * settings.noise)
        probe = ambiguity = across = None
        if denoiser is not None:
            probe = yield from Probe.solving(settings, data, denoiser)
            if denoiser.is_smooth:
                ambiguity = (yield from denoiser.solving(grid.points)).ambiguity
                across = (yield from denoiser.solving(midline.searched)).ambiguity
        shaped = None if ambiguity is None else ambiguity.reshape(grid.shape)
        return cls(probe, grid, distance, shaped, near, midline, across)

    def quality(
        self,
        at_probe: FloatArray,
        displacement: FloatArray,
        ambiguity: FloatArray,
        across_midline: FloatArray,
        threshold: float,
    ) -> Quality:
        """Measure a network.

        Parameters
        ----------
        at_probe : (4096, 2) array
            Its reconstructions of the probe set.
        displacement, ambiguity : (H, W, 2) and (H, W) arrays
            On the grid.
        across_midline : (P·17,) array
            Its ambiguity where the midline's ridge is searched.
        threshold : float
            τ, above which a place is ambiguous.
        """
        probe, best = self.probe, self.across_midline
        return Quality(
            None if probe is None else probe.bayes_floor,
            None if probe is None else probe.excess_risk(at_probe),
            self.midline_iou(ambiguity, threshold),
            None if probe is None else self.midline.ridge_distance(across_midline, threshold),
            None if best is None else self.midline.ridge_distance(best, threshold),
            self.identityness(displacement),
        )

    def identityness(self, displacement: FloatArray) -> float | None:
        """How far a field (H, W, 2) copies its input away from the data, from 0 to 1; see `Quality`."""
        most = float(self.distance.sum())
        moved = np.minimum(np.hypot(displacement[..., 0], displacement[..., 1]), self.distance)
        return 1.0 - float(moved.sum()) / most if most > 0.0 else None

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


@dataclass(frozen=True, slots=True)
class NoiseCurve:
    """How large the error E‖r(ŷ) − y‖² is when points are corrupted with other noise than the training's.

    Attributes
    ----------
    noises : (S,) array
        σ of the test.
    untouched : (S,) array
        E‖ŷ − y‖²: the error of leaving the noisy points where they are, in data units squared.
    best : (S,) array or None
        The least possible error of a network trained with that very noise; None where it is not known.
    learned : (S,) array
        The network's error.
    """

    noises: FloatArray
    untouched: FloatArray
    best: FloatArray | None
    learned: FloatArray


@dataclass(frozen=True)
class NoiseTest:
    """The points on which the error over the noise is measured.

    Attributes
    ----------
    clean : (P, 2) array
    noisy : (S, P, 2) array
        The same points with the same ε, corrupted with each of `noises`, (S,).
    best : (S,) array or None
        See `NoiseCurve`.
    """

    noises: FloatArray
    clean: FloatArray
    noisy: FloatArray
    best: FloatArray | None

    @classmethod
    def solving(cls, settings: Settings, data: CleanData) -> Steps[NoiseTest]:
        """Work it out for these settings, step by step."""
        top = min(1.0, TESTED_TO * settings.noise * max(1.0, settings.test_noise)) or 1.0
        noises = np.linspace(0.0, top, TESTS)
        most = max(_LEAST_PROBES, min(TEST_PROBES, TEST_WEIGHTS // len(data.points)))
        clean, eps = probes(settings, data, most)
        each = [settings.replace(noise=float(noise), target="original") for noise in noises]
        noisy = np.stack([Corruption.of(one, data)(clean, eps) for one in each])
        best = np.zeros(TESTS)
        for k, one in enumerate(each):
            denoiser = Denoiser.of(one, data)
            if denoiser is not None:
                best[k] = (yield from denoiser.solving(noisy[k])).variance.mean()
            elif one.noise > 0.0:
                return cls(noises, clean, noisy, None)
        return cls(noises, clean, noisy, best)

    def curve(self, reconstruct: Reconstruct) -> NoiseCurve:
        """Measure a network."""
        found = reconstruct(self.noisy.reshape(-1, 2)).reshape(self.noisy.shape)
        untouched, learned = (
            np.square(points - self.clean).sum(axis=-1).mean(axis=-1) for points in (self.noisy, found)
        )
        return NoiseCurve(self.noises, untouched, self.best, learned)
