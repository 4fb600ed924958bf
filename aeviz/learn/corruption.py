"""What the training step draws anew each time: the noise, and which clean point is the target."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from aeviz.core.corruption import FACTOR, HALF_WIDTH, OFTEN

_FEW = 512  # clean points: of so many, all distances are faster than a tree (151: 0.15 ms against 0.4)


def _gaussian(eps: Tensor, generator: torch.Generator) -> None:
    eps.normal_(generator=generator)


def _uniform(eps: Tensor, generator: torch.Generator) -> None:
    eps.uniform_(-HALF_WIDTH, HALF_WIDTH, generator=generator)


def _rare(eps: Tensor, generator: torch.Generator) -> None:
    eps.normal_(generator=generator)
    eps[:, torch.rand(eps.shape[1], generator=generator) >= OFTEN] *= FACTOR


DRAWS: dict[str, Callable[[Tensor, torch.Generator], None]] = {
    "gaussian": _gaussian, "uniform": _uniform, "rare": _rare,
}  # fmt: skip
"""Fill ε, (2, B), with noise of each kind; see `aeviz.core.corruption`."""


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
