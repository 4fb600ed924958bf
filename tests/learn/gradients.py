"""Gradients to be tested: networks with losses, a batch for each, and what a gradient makes of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import torch
from hypothesis import strategies as st
from torch import Tensor

from aeviz.core.manifolds import spiral
from aeviz.learn.activations import ACTIVATIONS
from aeviz.learn.gradient import Gradient, gradient_of
from aeviz.learn.loss import COSTS, REGULARISERS, Loss
from aeviz.learn.network import Network

(DATA,) = spiral(151, 1.5)
COVERED = ("none", "l1", "l2")
"""Regularisers whose gradient is written out by hand."""
ALL_REGULARISERS = ("none", *REGULARISERS)


@st.composite
def problems(draw: st.DrawFn, regularisers: tuple[str, ...], most_tied: bool = False) -> tuple[Network, Loss]:
    """A network with a code, and a loss that it may have."""
    encoder = draw(st.lists(st.integers(1, 40), min_size=1, max_size=3))
    decoder = draw(st.lists(st.integers(1, 40), max_size=2))
    tied = most_tied and draw(st.booleans())
    if tied:
        decoder = encoder[-2::-1]
    cost = draw(st.sampled_from(sorted(COSTS)))
    output = "sigmoid" if cost == "bce" else draw(st.sampled_from(["identity", "tanh", "sigmoid"]))
    activation = draw(st.sampled_from(sorted(ACTIVATIONS)))
    loss = Loss(cost, draw(st.sampled_from(regularisers)), draw(st.sampled_from([0.0, 0.01, 1.0])))
    sampled = loss.regulariser == "variational"
    widths = (2, *encoder, *decoder, 2)
    return Network(widths, activation, output, tied, len(encoder), sampled=sampled), loss


class Batch(NamedTuple):
    """Parameters (size,), noisy and clean points (2, B), and the ε of a sampled code, (d, B)."""

    flat: Tensor
    noisy: Tensor
    clean: Tensor
    code_eps: Tensor

    def to(self, dtype: torch.dtype) -> Batch:
        return Batch(*(tensor.to(dtype) for tensor in self))


def batch(network: Network, loss: Loss, size: int, seed: int) -> Batch:
    """Parameters as a training starts with them, and all that a step draws, in float64."""
    random = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=random, dtype=torch.float64)

    flat = network.initial(DATA, random).double() + 0.1 * normal(network.size)  # biases too
    clean = 2.0 * normal(2, size)
    if loss.cost == "bce":
        clean = clean.sigmoid()
    noisy = clean + 0.25 * normal(2, size)
    return Batch(flat, noisy, clean, normal(network.widths[network.code] if network.sampled else 0, size))


def write(gradient: Gradient, noisy: Tensor, clean: Tensor, code_eps: Tensor) -> None:
    for buffer, points in ((gradient.noisy, noisy), (gradient.clean, clean)):
        first = np.moveaxis(buffer, -2, 0)
        first[...] = points.numpy().reshape(first.shape)
    gradient.code_eps[...] = code_eps.numpy()


class Result(NamedTuple):
    """The gradient, (size,), and the sums of F and of λR."""

    gradient: Tensor
    total: float
    penalty: float


def result(gradient: Gradient, of: Batch) -> Result:
    """What a gradient makes of a batch; run twice, since buffers are used again."""
    write(gradient, torch.full_like(of.noisy, 0.5), torch.full_like(of.clean, 0.75), of.code_eps - 1.0)
    gradient()
    write(gradient, *of[1:])
    total = gradient()
    return Result(gradient.gradient.clone(), total, gradient.penalty)


def F_of(network: Network, loss: Loss, of: Batch) -> Tensor:
    """C + λR of each point by the plain formula, (B,)."""
    C, R = loss.per_point(network, *of[:3], code_eps=of.code_eps if network.sampled else None)
    return C + R


def assert_equals_differences(network: Network, loss: Loss, parameters: Iterable[int]) -> None:
    """∂F̄ by some of the parameters, the ε of a sampled code being given."""
    of = batch(network, loss, 20, 1)
    gradient = result(gradient_of(network, loss, of.flat, 20), of).gradient
    h, scale = 1e-6, max(1.0, F_of(network, loss, of).mean().item())
    for index in parameters:
        step = torch.zeros_like(of.flat)
        step[index] = h
        above, below = (
            F_of(network, loss, of._replace(flat=of.flat + s)).mean().item() for s in (step, -step)
        )
        # h²/6 times a third derivative of some thousands, and eps·F/h.
        assert abs((above - below) / (2.0 * h) - gradient[index].item()) < 1e-7 * scale
