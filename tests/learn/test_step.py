"""The hand-written gradient against autograd on the plain formula, and both against differences."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st
from torch import Tensor

from aeviz.core.manifolds import spiral
from aeviz.core.settings import SPECS, Settings
from aeviz.learn import step as step_module
from aeviz.learn.activations import ACTIVATIONS
from aeviz.learn.autograd import AutogradGradient
from aeviz.learn.gradient import Gradient, PartedGradient, gradient_of
from aeviz.learn.loss import COSTS, REGULARISERS, Loss
from aeviz.learn.network import Network
from aeviz.learn.step import BatchGradient, covers

TOLERANCES = {torch.float32: 1e-5, torch.float64: 1e-10}
COVERED = ("none", "l1", "l2")
ALL_REGULARISERS = SPECS["regulariser"].choices


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
    network = Network((2, *encoder, *decoder, 2), activation, output, tied, len(encoder))
    return network, Loss(cost, draw(st.sampled_from(regularisers)), draw(st.sampled_from([0.0, 0.01, 1.0])))


def batch(network: Network, loss: Loss, size: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Parameters as a training starts with them, and noisy and clean points, in float64."""
    random = torch.Generator().manual_seed(seed)
    flat = network.initial(spiral(151, 1.5), random).double()
    flat += 0.1 * torch.randn(network.size, generator=random, dtype=torch.float64)  # biases too
    clean = 2.0 * torch.randn(2, size, generator=random, dtype=torch.float64)
    if loss.cost == "bce":
        clean = clean.sigmoid()
    noisy = clean + 0.25 * torch.randn(2, size, generator=random, dtype=torch.float64)
    return flat, noisy, clean


def write(gradient: Gradient, noisy: Tensor, clean: Tensor) -> None:
    for buffer, points in ((gradient.noisy, noisy), (gradient.clean, clean)):
        first = np.moveaxis(buffer, -2, 0)
        first[...] = points.numpy().reshape(first.shape)


def result(gradient: Gradient, noisy: Tensor, clean: Tensor) -> tuple[Tensor, float]:
    """Gradient and the sum of F; run twice, since buffers are used again."""
    write(gradient, torch.full_like(noisy, 0.5), torch.full_like(clean, 0.75))
    gradient()
    write(gradient, noisy, clean)
    total = gradient()
    return gradient.gradient.clone(), total


def assert_agree(network: Network, loss: Loss, size: int, seed: int, dtype: torch.dtype) -> None:
    flat, noisy, clean = (tensor.to(dtype) for tensor in batch(network, loss, size, seed))
    found, total = result(gradient_of(network, loss, flat, size), noisy, clean)
    best, best_total = result(AutogradGradient(network, loss, flat, size, size), noisy, clean)
    assert found.dtype == best.dtype == dtype
    assert (found - best).norm().item() <= TOLERANCES[dtype] * best.norm().item()
    # F of a cross-entropy may be small beside the two terms that it is the difference of.
    assert abs(total - best_total) <= TOLERANCES[dtype] * (abs(best_total) + size)


# By hand and by autograd


# derandomize: at the kink of relu, rounding alone may put one point on the other side.
@effort(max_examples=400, derandomize=True)
@given(problems(COVERED), st.integers(1, 300), st.integers(0, 2**31), st.sampled_from(list(TOLERANCES)))
def test_by_hand_equals_autograd(
    problem: tuple[Network, Loss], size: int, seed: int, dtype: torch.dtype
) -> None:
    assert_agree(*problem, size, seed, dtype)


@effort(max_examples=60, derandomize=True)
@given(problems(COVERED), st.integers(1, 400), st.integers(0, 2**31), st.sampled_from(list(TOLERANCES)))
def test_blocks_and_parts_do_not_show(
    problem: tuple[Network, Loss], size: int, seed: int, dtype: torch.dtype
) -> None:
    """The same with blocks and parts so small that batches of up to 400 have many of both."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("UNPACKED", 4_000), ("_NARROW", 2), ("_CACHED", 1), ("_WIDE", 60)):
            patch.setattr(step_module, name, value)
        assert_agree(*problem, size, seed, dtype)


@pytest.mark.parametrize(
    ("widths", "size", "kind", "blocks"),
    [
        ((2, 64, 64, 2), 151, BatchGradient, 1),
        ((2, 64, 64, 2), 256, BatchGradient, 2),
        ((2, 64, 64, 2), 257, BatchGradient, 1),  # a prime: no blocks of one size
        ((2, 64, 64, 2), 65_536, PartedGradient, 3),
        ((2, 1024, 1024, 2), 256, BatchGradient, 1),
        ((2, 1, 2), 1, BatchGradient, 1),
    ],
)
def test_how_batches_are_divided(widths: tuple[int, ...], size: int, kind: type, blocks: int) -> None:
    network = Network(widths, "tanh")
    gradient = gradient_of(network, Loss(), torch.zeros(network.size), size)
    assert type(gradient) is kind
    first = gradient._parts[0][0] if isinstance(gradient, PartedGradient) else gradient
    assert (len(first.noisy) if first.noisy.ndim == 3 else 1) == blocks
    assert gradient.noisy.size == gradient.clean.size == 2 * size


@pytest.mark.parametrize("size", [5_000, 4_099])
def test_a_large_batch_agrees_too(size: int) -> None:
    assert_agree(Network((2, 30, 20, 2), "tanh", code=2), Loss("squared", "l1", 0.1), size, 1, torch.float64)


# Both against the definition


@pytest.mark.parametrize("regulariser", ALL_REGULARISERS)
@pytest.mark.parametrize("cost", sorted(COSTS))
@pytest.mark.parametrize("activation", sorted(set(ACTIVATIONS) - {"relu"}))
def test_the_gradient_equals_central_differences(activation: str, cost: str, regulariser: str) -> None:
    loss = Loss(cost, regulariser, 0.3)
    output = "sigmoid" if cost == "bce" else "identity"
    for tied in (False, True):
        network = Network((2, 6, 4, 6, 2), activation, output, tied, 2)
        flat, noisy, clean = batch(network, loss, 20, 1)
        gradient, _ = result(gradient_of(network, loss, flat, 20), noisy, clean)
        h, scale = 1e-6, max(1.0, loss.per_point(network, flat, noisy, clean).mean().item())
        for index in range(0, network.size, 3):
            step = torch.zeros_like(flat)
            step[index] = h
            above, below = (
                loss.per_point(network, flat + s, noisy, clean).mean().item() for s in (step, -step)
            )
            # h²/6 times a third derivative of some thousands, and eps·F/h.
            assert abs((above - below) / (2.0 * h) - gradient[index].item()) < 1e-7 * scale


def test_the_formulas_are_those_of_the_words() -> None:
    """F of one point through a network that is small enough to write down."""
    network = Network((2, 1, 2), "tanh", "sigmoid", code=1)
    flat = torch.tensor([0.5, -1.0, 0.2, 2.0, 0.1, -3.0, 0.4], dtype=torch.float64)
    noisy, clean = (torch.tensor([[x], [y]], dtype=torch.float64) for x, y in ((0.3, 0.8), (0.25, 1.0)))
    h = math.tanh(0.5 * 0.3 - 1.0 * 0.8 + 0.2)
    out = [1.0 / (1.0 + math.exp(-z)) for z in (2.0 * h + 0.1, -3.0 * h + 0.4)]
    squared = (out[0] - 0.25) ** 2 + (out[1] - 1.0) ** 2
    entropy = -0.25 * math.log(out[0]) - 0.75 * math.log(1.0 - out[0]) - math.log(out[1])
    slope = 1.0 - h * h  # ∂h/∂ŷ = (1 − h²)(0.5, −1)
    terms = {"none": 0.0, "l1": abs(h), "l2": h * h, "contractive": slope**2 * (0.25 + 1.0)}
    assert set(terms) == set(ALL_REGULARISERS) == {"none", *REGULARISERS}
    for regulariser, term in terms.items():
        for cost, value in (("squared", squared), ("bce", entropy)):
            F = Loss(cost, regulariser, 0.7).per_point(network, flat, noisy, clean)
            assert F.shape == (1,)
            assert abs(F.item() - value - 0.7 * term) < 1e-14


# Which of the two is taken


@effort(max_examples=60)
@given(problems(ALL_REGULARISERS, most_tied=True), st.integers(1, 50), st.integers(0, 1_000))
def test_everything_has_a_gradient_and_the_fast_one_where_there_is_one(
    problem: tuple[Network, Loss], size: int, seed: int
) -> None:
    network, loss = problem
    flat, noisy, clean = batch(network, loss, size, seed)
    gradient = gradient_of(network, loss, flat, size)
    assert isinstance(gradient, AutogradGradient) == (network.tied or loss.regulariser == "contractive")
    assert isinstance(gradient, AutogradGradient) != covers(network, loss)
    found, total = result(gradient, noisy, clean)
    assert math.isclose(total, loss.per_point(network, flat, noisy, clean).sum().item(), rel_tol=1e-9)
    assert found.isfinite().all()


@pytest.mark.parametrize("size", [9, 5_000], ids=["one part", "parts"])
@pytest.mark.parametrize("tied", [False, True], ids=["by hand", "by autograd"])
def test_strength_may_change_between_calls(tied: bool, size: int) -> None:
    network = Network((2, 6, 5, 6, 2), "tanh", tied=tied, code=2)
    flat, noisy, clean = batch(network, Loss(), size, 3)
    gradient = gradient_of(network, Loss("squared", "l2", 0.1), flat, size)
    before, _ = result(gradient, noisy, clean)
    gradient.strength = 0.9
    found, total = result(gradient, noisy, clean)
    best, best_total = result(gradient_of(network, Loss("squared", "l2", 0.9), flat, size), noisy, clean)
    assert not torch.equal(found, before)
    assert torch.equal(found, best)
    assert total == best_total


def test_parts_by_autograd_are_the_whole() -> None:
    network, loss = (
        Network((2, 30, 20, 30, 2), "tanh", tied=True, code=2),
        Loss("squared", "contractive", 0.1),
    )
    flat, noisy, clean = batch(network, loss, 3_000, 5)
    parted = gradient_of(network, loss, flat, 3_000)
    assert isinstance(parted, PartedGradient)
    found, total = result(parted, noisy, clean)
    best, best_total = result(AutogradGradient(network, loss, flat, 3_000, 3_000), noisy, clean)
    assert (found - best).norm() <= 1e-12 * best.norm()
    assert abs(total - best_total) <= 1e-12 * best_total


@pytest.mark.parametrize("regulariser", ["l1", "l2", "contractive"])
def test_the_strength_is_meant_in_data_units(regulariser: str) -> None:
    """unit² F in the network's coordinates is C + λR of the same network, written in data units."""
    data = 3.0 * spiral(151, 1.5) + (5.0, -2.0)
    settings = Settings(hidden=(6,), code=4, regulariser=regulariser, strength=0.7)
    network = Network.of(settings, data)
    flat = network.initial(data, torch.Generator().manual_seed(0)).double()
    own = (data - network.centre) / network.unit
    noisy, clean = torch.from_numpy(own.T + 0.1), torch.from_numpy(own.T.copy())
    F = network.unit**2 * Loss.of(settings, network).per_point(network, flat, noisy, clean)

    x = torch.from_numpy(data + 0.1 * network.unit).requires_grad_()
    (W, b), (V, c), _ = network.layers(flat)
    places = ((x - torch.tensor(network.centre, dtype=torch.float64)) / network.unit).T
    h = torch.tanh(V @ torch.tanh(W @ places + b) + c)
    slopes = torch.stack([torch.autograd.grad(row.sum(), x, retain_graph=True)[0] for row in h])
    R = {
        "l1": h.abs().sum(dim=0),
        "l2": h.square().sum(dim=0),
        "contractive": slopes.square().sum(dim=(0, 2)),
    }
    C = np.square(network.reconstruct(flat, x.detach().numpy()) - data).sum(axis=1)
    assert np.abs(F.detach().numpy() - C - 0.7 * R[regulariser].detach().numpy()).max() < 1e-9


# What else a step must do


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
@pytest.mark.parametrize("dtype", list(TOLERANCES), ids=str)
def test_activations_equal_torchs_own(activation: str, dtype: torch.dtype) -> None:
    places = torch.cat([torch.linspace(-30.0, 30.0, 601), torch.tensor([1e-6, -1e-6, 200.0, -200.0])])
    reference = places.to(dtype).requires_grad_()
    best = ACTIVATIONS[activation].formula(reference)
    best.sum().backward()
    assert reference.grad is not None
    z = reference.detach().numpy().copy()
    a = np.full_like(z, 7.0)
    ACTIVATIONS[activation].forward(z, a)
    assert np.array_equal(z, reference.detach().numpy())  # slope still needs it
    result = a.copy()
    ACTIVATIONS[activation].slope(z, a, z)  # in place, as the step does
    assert np.array_equal(a, result)  # the layer above needs it
    eps = torch.finfo(dtype).eps  # of values about 1; where they are larger, both are the same kernel
    assert np.abs(a - best.detach().numpy()).max() <= 4.0 * eps
    assert np.abs(z - reference.grad.numpy()).max() <= 8.0 * eps


@pytest.mark.parametrize("size", [9, 600])
def test_the_gradient_follows_the_parameters_and_leaves_them_alone(size: int) -> None:
    network = Network((2, 50, 60, 2), "tanh")
    flat, noisy, clean = batch(network, Loss(), size, 3)
    step = gradient_of(network, Loss(), flat, size)
    before = flat.clone()
    first, _ = result(step, noisy, clean)
    assert torch.equal(flat, before)
    flat.mul_(0.5)
    second, _ = result(step, noisy, clean)
    assert not torch.equal(first, second)
    best, _ = result(gradient_of(network, Loss(), flat, size), noisy, clean)
    assert torch.equal(second, best)


def test_a_perfect_reconstruction_has_neither_cost_nor_gradient() -> None:
    network = Network((2, 2, 2), "identity")
    flat = torch.zeros(network.size, dtype=torch.float64)
    for matrix in network.matrices(flat):
        matrix[:, :2] = torch.eye(2)
    points = torch.arange(10.0, dtype=torch.float64).view(2, 5)
    gradient, total = result(gradient_of(network, Loss(), flat, 5), points, points)
    assert total == 0.0
    assert not gradient.any()


def test_the_total_is_the_sum_over_the_batch() -> None:
    network = Network((2, 3, 2), "tanh")
    flat = torch.zeros(network.size, dtype=torch.float64)
    clean = torch.tensor([[3.0, 0.0], [4.0, 1.0]], dtype=torch.float64)
    _, total = result(gradient_of(network, Loss(), flat, 2), clean, clean)
    assert math.isclose(total, 26.0, rel_tol=1e-15)  # r = 0: 9 + 16 + 0 + 1
