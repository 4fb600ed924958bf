"""The hand-written gradient against autograd on the plain formula, and against differences."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st
from torch import Tensor

from aeviz.core.manifolds import spiral
from aeviz.learn.activations import ACTIVATIONS
from aeviz.learn.network import Network
from aeviz.learn.step import BatchGradient

FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "relu": torch.relu,
    "silu": torch.nn.functional.silu,
    "gelu": torch.nn.functional.gelu,
    "identity": lambda z: z,
}
TOLERANCES = {torch.float32: 1e-5, torch.float64: 1e-12}  # 40 times the worst of 3,000 draws, and 1,000

networks = st.builds(
    lambda inner, activation: Network((2, *inner, 2), activation),
    st.lists(st.integers(1, 40), max_size=4),
    st.sampled_from(sorted(ACTIVATIONS)),
)


def plain_costs(network: Network, flat: Tensor, noisy: Tensor, clean: Tensor) -> Tensor:
    """‖ỹ − y‖² of each point (B,), by the formula ỹ = W_L f(… f(W_1 ŷ + b_1) …) + b_L."""
    *hidden, last = network.matrices(flat)
    a = noisy
    for matrix in hidden:
        a = FUNCTIONS[network.activation](matrix[:, :-1] @ a + matrix[:, -1:])
    return (last[:, :-1] @ a + last[:, -1:] - clean).square().sum(dim=0)


def batch(network: Network, size: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Parameters as a training starts with them, and noisy and clean points, in float64."""
    random = torch.Generator().manual_seed(seed)
    flat = network.initial(spiral(151, 1.5), random).double()
    flat += 0.1 * torch.randn(network.size, generator=random, dtype=torch.float64)  # biases too
    clean = 2.0 * torch.randn(2, size, generator=random, dtype=torch.float64)
    noisy = clean + 0.25 * torch.randn(2, size, generator=random, dtype=torch.float64)
    return flat, noisy, clean


def by_hand(network: Network, flat: Tensor, noisy: Tensor, clean: Tensor) -> tuple[Tensor, float]:
    """Gradient and C·B as the training computes them; run twice, since buffers are used again."""
    step = BatchGradient(network, flat, noisy.shape[1])
    step.noisy[...], step.clean[...] = 0.5, -1.0
    step()
    step.noisy[...], step.clean[...] = noisy.numpy(), clean.numpy()
    return step.gradient, step()


# derandomize: at the kink of relu, rounding alone may put one point on the other side.
@effort(max_examples=300, derandomize=True)
@given(networks, st.integers(1, 200), st.integers(0, 2**31), st.sampled_from(list(TOLERANCES)))
def test_the_gradient_equals_autograds(network: Network, size: int, seed: int, dtype: torch.dtype) -> None:
    flat, noisy, clean = (tensor.to(dtype) for tensor in batch(network, size, seed))
    reference = flat.clone().requires_grad_()
    costs = plain_costs(network, reference, noisy, clean)
    costs.mean().backward()
    gradient, total = by_hand(network, flat, noisy, clean)
    assert gradient.dtype == dtype
    assert (gradient - reference.grad).norm().item() <= TOLERANCES[dtype] * reference.grad.norm().item()
    assert abs(total - costs.sum().item()) <= TOLERANCES[dtype] * costs.sum().item()


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_the_gradient_equals_central_differences(activation: str) -> None:
    network = Network((2, 7, 5, 2), activation)
    flat, noisy, clean = batch(network, 20, 1)
    gradient, _ = by_hand(network, flat, noisy, clean)
    h = 1e-6
    for index in range(network.size):
        step = torch.zeros_like(flat)
        step[index] = h
        above, below = (plain_costs(network, flat + s, noisy, clean).mean().item() for s in (step, -step))
        # h²/6 times a third derivative of some thousands, and eps·C/h with C about 10.
        assert abs((above - below) / (2.0 * h) - gradient[index].item()) < 5e-8 * max(1.0, above)


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
@pytest.mark.parametrize("dtype", list(TOLERANCES), ids=str)
def test_activations_equal_torchs_own(activation: str, dtype: torch.dtype) -> None:
    places = torch.cat([torch.linspace(-30.0, 30.0, 601), torch.tensor([1e-6, -1e-6, 200.0, -200.0])])
    reference = places.to(dtype).requires_grad_()
    best = FUNCTIONS[activation](reference)
    best.sum().backward()
    z = reference.detach().numpy().copy()
    a, slope = np.full_like(z, 7.0), np.full_like(z, 2.0)
    ACTIVATIONS[activation].forward(z, a)
    assert np.array_equal(z, reference.detach().numpy())  # backward still needs it
    result = a.copy()
    ACTIVATIONS[activation].backward(slope, z, a, slope)  # in place, as the step does
    assert np.array_equal(a, result)  # the layer above needs it
    eps = torch.finfo(dtype).eps  # of values about 1; where they are larger, both are the same kernel
    assert np.abs(a - best.detach().numpy()).max() <= 4.0 * eps
    assert np.abs(0.5 * slope - reference.grad.numpy()).max() <= 8.0 * eps


def test_the_gradient_follows_the_parameters_and_leaves_them_alone() -> None:
    network = Network((2, 5, 2), "tanh")
    flat, noisy, clean = batch(network, 9, 3)
    step = BatchGradient(network, flat, 9)
    step.noisy[...], step.clean[...] = noisy.numpy(), clean.numpy()
    before = flat.clone()
    step()
    first = step.gradient.clone()
    assert torch.equal(flat, before)
    flat.mul_(0.5)
    step()
    assert not torch.equal(step.gradient, first)
    best, _ = by_hand(network, flat, noisy, clean)
    assert torch.equal(step.gradient, best)
    assert np.array_equal(step.noisy, noisy.numpy())
    assert np.array_equal(step.clean, clean.numpy())


def test_a_perfect_reconstruction_has_neither_cost_nor_gradient() -> None:
    network = Network((2, 2, 2), "identity")
    flat = torch.zeros(network.size, dtype=torch.float64)
    for matrix in network.matrices(flat):
        matrix[:, :2] = torch.eye(2)
    points = torch.arange(10.0, dtype=torch.float64).view(2, 5)
    gradient, total = by_hand(network, flat, points, points)
    assert total == 0.0
    assert not gradient.any()


def test_the_cost_is_the_sum_over_the_batch() -> None:
    network = Network((2, 3, 2), "tanh")
    flat = torch.zeros(network.size, dtype=torch.float64)
    clean = torch.tensor([[3.0, 0.0], [4.0, 1.0]], dtype=torch.float64)
    _, total = by_hand(network, flat, clean, clean)
    assert math.isclose(total, 26.0, rel_tol=1e-15)  # r = 0: 9 + 16 + 0 + 1
