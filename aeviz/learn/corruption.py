"""What the training step draws anew each time: the noise, and which clean point is the target."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from aeviz.core.clean_data import CleanData
from aeviz.core.corruption import FACTOR, HALF_WIDTH, OFTEN, Corruption, shown_eps
from aeviz.core.settings import Settings
from aeviz.learn.network import Network

_FEW = 512  # clean points: of so many, all distances are faster than a tree (151: 0.15 ms against 0.4)

Draw = Callable[[Tensor, torch.Generator], None]
Corrupt = Callable[[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]], object]
"""Writes ŷ into the third from y and ε, all (2, …); ε may be overwritten."""


def _gaussian(eps: Tensor, generator: torch.Generator) -> None:
    eps.normal_(generator=generator)


def _uniform(eps: Tensor, generator: torch.Generator) -> None:
    eps.uniform_(-HALF_WIDTH, HALF_WIDTH, generator=generator)


def _rare(eps: Tensor, generator: torch.Generator) -> None:
    eps.normal_(generator=generator)
    eps[:, torch.rand(eps.shape[1], generator=generator) >= OFTEN] *= FACTOR


def _even(eps: Tensor, generator: torch.Generator) -> None:
    eps.uniform_(generator=generator)


DRAWS: dict[str, Draw] = {
    "gaussian": _gaussian, "uniform": _uniform, "rare": _rare, "masking": _even, "flip": _even,
}  # fmt: skip
"""Fill ε, (2, B), with noise of each kind; see `aeviz.core.corruption`."""


def corruption_of(settings: Settings, network: Network, data: CleanData) -> Corrupt:
    """How a batch is corrupted with these settings, in the network's coordinates."""
    corruption = Corruption.of(settings, data)

    def own(point: Any) -> NDArray[np.float32]:
        return ((np.asarray(point, float) - network.centre) / network.unit).astype(np.float32)

    zero, middle = own((0.0, 0.0)), own(0.5 * corruption.mirror)
    sigma = np.array(settings.noise / network.unit, np.float32)
    probability = np.array(settings.noise, np.float32)

    def add(clean: NDArray[np.float32], eps: NDArray[np.float32], noisy: NDArray[np.float32]) -> None:
        np.multiply(eps, sigma, eps)  # in the memory of ε
        np.add(clean, eps, noisy)

    def mask(clean: NDArray[np.float32], eps: NDArray[np.float32], noisy: NDArray[np.float32]) -> None:
        np.copyto(noisy, clean)
        np.copyto(noisy, _beside(zero, clean), where=eps < probability)

    def flip(clean: NDArray[np.float32], eps: NDArray[np.float32], noisy: NDArray[np.float32]) -> None:
        np.copyto(noisy, clean)
        np.copyto(noisy, 2.0 * _beside(middle, clean) - clean, where=eps < probability)

    return {"masking": mask, "flip": flip}.get(settings.noise_kind, add)


def _beside(point: NDArray[np.float32], points: NDArray[np.float32]) -> NDArray[np.float32]:
    """A point (2,) in the shape that goes with points (2, …)."""
    return point.reshape(2, *[1] * (points.ndim - 1))


def frozen_eps(settings: Settings, points: int) -> NDArray[np.float32]:
    """The one ε of each clean point where noise is frozen, (2, N): that of the noisy points shown."""
    return np.ascontiguousarray(shown_eps(settings.seed, settings.noise_kind, points).T, np.float32)


class Nearest:
    """Finds the clean point nearest to each noisy one.

    Parameters
    ----------
    data : (2, N) array
        Clean points.
    """

    def __init__(self, data: NDArray[np.float32]) -> None:
        self._data = data
        self._half = 0.5 * np.square(data).sum(axis=0)  # (N,)
        self._tree: Any = None
        if data.shape[1] > _FEW:
            from scipy.spatial import KDTree  # takes 0.2 s to import

            self._tree = KDTree(data.T)

    def __call__(self, noisy: NDArray[np.float32], clean: NDArray[np.float32]) -> None:
        """Write the clean points nearest to `noisy`, (2, …), into `clean`, of the same shape."""
        places = noisy.reshape(2, -1).T  # (B, 2)
        if self._tree is None:  # ‖x − y‖² is least where x·y − ½‖y‖² is greatest
            chosen = (places @ self._data - self._half).argmax(axis=1)
        else:
            _, chosen = self._tree.query(np.nan_to_num(places))
        np.take(self._data, chosen.reshape(clean.shape[1:]), axis=1, out=clean, mode="clip")
