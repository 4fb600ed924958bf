"""Which way the gradient of a batch is computed: by hand where that is covered, by autograd elsewhere."""

from __future__ import annotations

import itertools
from functools import cache
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from aeviz.learn.autograd import AutogradGradient
from aeviz.learn.loss import Loss
from aeviz.learn.network import Network
from aeviz.learn.step import BatchGradient, covers, division


class Gradient(Protocol):
    """The gradient of the mean loss over batches of one size.

    Attributes
    ----------
    strength : float
        λ, which may be changed between calls.
    noisy, clean : (2, B) arrays, or (K, 2, b) with K·b = B
        Write ŷ and y here before calling, in the network's coordinates.
    code_eps : (d, B) array, or one without rows
        Where the code is sampled, write its ε here before calling.
    gradient : (size,) tensor
        Written by every call, which returns the sum of F over the batch.
    penalty : float
        The sum of λ R over the batch of the last call.
    """

    strength: float
    penalty: float
    code_eps: NDArray[Any]
    noisy: NDArray[Any]
    clean: NDArray[Any]
    gradient: Tensor

    def __call__(self) -> float: ...


def gradient_of(network: Network, loss: Loss, parameters: Tensor, batch: int) -> Gradient:
    """The gradient at `parameters` (size,), which are read at every call, for batches of B points."""
    if parameters.is_cuda:
        return AutogradGradient(network, loss, parameters, batch, batch)

    @cache  # parts of one size share their buffers
    def part(blocks: int, columns: int) -> Gradient:
        if covers(network, loss):
            return BatchGradient(network, loss, parameters, blocks, columns, batch)
        return AutogradGradient(network, loss, parameters, blocks * columns, batch)

    parts = [part(*shape) for shape in division(network, batch)]
    return parts[0] if len(parts) == 1 else PartedGradient(parts)


class PartedGradient:
    """The gradient over a batch so large that it is worked through in parts."""

    def __init__(self, parts: list[Gradient]) -> None:
        ends = [*itertools.accumulate((part.clean.size // 2 for part in parts), initial=0)]
        self.strength, self.penalty = parts[0].strength, 0.0
        self.code_eps = np.zeros((len(parts[0].code_eps), ends[-1]), parts[0].clean.dtype)
        self.noisy, self.clean = np.zeros((2, 2, ends[-1]), parts[0].clean.dtype)
        self.gradient = torch.zeros_like(parts[0].gradient)
        columns = itertools.starmap(slice, itertools.pairwise(ends))
        self._parts = [*zip(parts, columns, strict=True)]

    def __call__(self) -> float:
        total = self.penalty = 0.0
        self.gradient.zero_()
        for part, columns in self._parts:
            part.strength = self.strength
            for points, of_all in ((part.noisy, self.noisy), (part.clean, self.clean)):
                first = np.moveaxis(points, -2, 0)
                first[...] = of_all[:, columns].reshape(first.shape)
            part.code_eps[...] = self.code_eps[:, columns]
            total += part()
            self.penalty += part.penalty
            self.gradient += part.gradient
        return total
