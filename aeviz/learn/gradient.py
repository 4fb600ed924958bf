"""Which way the gradient of a batch is computed: by hand where that is covered, by autograd elsewhere."""

from __future__ import annotations

from typing import Any, Protocol

from numpy.typing import NDArray
from torch import Tensor

from aeviz.learn.autograd import AutogradGradient
from aeviz.learn.loss import Loss
from aeviz.learn.network import Network
from aeviz.learn.step import batch_gradient, covers


class Gradient(Protocol):
    """The gradient of the mean loss over batches of one size.

    Attributes
    ----------
    loss : Loss
        Its strength may be changed between calls, by giving `loss` another value.
    noisy, clean : (2, B) arrays, or (K, 2, b) with K·b = B
        Write ŷ and y here before calling, in the network's coordinates.
    gradient : (size,) tensor
        Written by every call, which returns the sum of F over the batch.
    """

    loss: Loss
    noisy: NDArray[Any]
    clean: NDArray[Any]
    gradient: Tensor

    def __call__(self) -> float: ...


def gradient_of(network: Network, loss: Loss, parameters: Tensor, batch: int) -> Gradient:
    """The gradient at `parameters` (size,), which are read at every call, for batches of B points."""
    if covers(network, loss) and not parameters.is_cuda:
        return batch_gradient(network, loss, parameters, batch)
    return AutogradGradient(network, loss, parameters, batch)
