"""The hand-written gradient against autograd on the plain formula, and both against differences."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from gradients import (
    ALL_REGULARISERS,
    COVERED,
    DATA,
    Batch,
    F_of,
    assert_equals_differences,
    batch,
    problems,
    result,
)
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from aeviz.core.settings import SPECS, Settings
from aeviz.learn import step as step_module
from aeviz.learn.activations import ACTIVATIONS
from aeviz.learn.autograd import AutogradGradient
from aeviz.learn.gradient import PartedGradient, gradient_of
from aeviz.learn.loss import COSTS, Loss
from aeviz.learn.network import Network
from aeviz.learn.step import BatchGradient, covers

TOLERANCES = {torch.float32: 1e-5, torch.float64: 1e-10}


def assert_agree(network: Network, loss: Loss, size: int, seed: int, dtype: torch.dtype) -> None:
    of = batch(network, loss, size, seed).to(dtype)
    found = result(gradient_of(network, loss, of.flat, size), of)
    best = result(AutogradGradient(network, loss, of.flat, size, size), of)
    assert found.gradient.dtype == best.gradient.dtype == dtype
    difference = (found.gradient - best.gradient).norm().item()
    # Where the output is saturated, 1 − g² has lost its digits, by hand and in autograd: against float64,
    # both are off by up to 8 ε times the residual.
    lost = 16.0 * torch.finfo(dtype).eps * math.sqrt(abs(best.total) * size)
    assert difference <= TOLERANCES[dtype] * best.gradient.norm().item() + lost
    # F of a cross-entropy may be small beside the two terms that it is the difference of.
    assert abs(found.total - best.total) <= TOLERANCES[dtype] * (abs(best.total) + size)
    assert abs(found.penalty - best.penalty) <= TOLERANCES[dtype] * best.penalty


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


@pytest.mark.parametrize("size", [151, 256, 302])
@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_every_nonlinearity_agrees_at_the_default_widths(activation: str, size: int) -> None:
    """In one block and in two, where a buffer without its row of ones has gaps."""
    network = Network(Settings().widths, activation, code=2)
    assert_agree(network, Loss(), size, 4, torch.float32)


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
        sampled = regulariser == "variational"
        network = Network((2, 6, 4, 6, 2), activation, output, tied, 2, sampled=sampled)
        assert_equals_differences(network, loss, range(0, network.size, 3))


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
    assert {*terms, "variational"} == {*ALL_REGULARISERS} == {*SPECS["regulariser"].choices}
    for regulariser, term in terms.items():
        for cost, value in (("squared", squared), ("bce", entropy)):
            C, R = Loss(cost, regulariser, 0.7).per_point(network, flat, noisy, clean)
            assert C.shape == R.shape == (1,)
            assert abs(C.item() - value) < 1e-14
            assert abs(R.item() - 0.7 * term) < 1e-14


# Which of the two is taken


@effort(max_examples=60)
@given(problems(ALL_REGULARISERS, most_tied=True), st.integers(1, 50), st.integers(0, 1_000))
def test_everything_has_a_gradient_and_the_fast_one_where_there_is_one(
    problem: tuple[Network, Loss], size: int, seed: int
) -> None:
    network, loss = problem
    of = batch(network, loss, size, seed)
    gradient = gradient_of(network, loss, of.flat, size)
    assert isinstance(gradient, AutogradGradient) == (network.tied or loss.regulariser not in COVERED)
    assert isinstance(gradient, AutogradGradient) != covers(network, loss)
    found = result(gradient, of)
    assert math.isclose(found.total, F_of(network, loss, of).sum().item(), rel_tol=1e-9)
    assert found.gradient.isfinite().all()


@pytest.mark.parametrize("size", [9, 5_000], ids=["one part", "parts"])
@pytest.mark.parametrize("tied", [False, True], ids=["by hand", "by autograd"])
def test_strength_may_change_between_calls(tied: bool, size: int) -> None:
    network = Network((2, 6, 5, 6, 2), "tanh", tied=tied, code=2)
    of = batch(network, Loss(), size, 3)
    gradient = gradient_of(network, Loss("squared", "l2", 0.1), of.flat, size)
    before = result(gradient, of)
    gradient.strength = 0.9
    found = result(gradient, of)
    best = result(gradient_of(network, Loss("squared", "l2", 0.9), of.flat, size), of)
    assert not torch.equal(found.gradient, before.gradient)
    assert torch.equal(found.gradient, best.gradient)
    assert (found.total, found.penalty) == (best.total, best.penalty)
    # The sums of float64 differ in nothing but λ.
    assert math.isclose(found.penalty, 9.0 * before.penalty, rel_tol=1e-12)


@pytest.mark.parametrize("size", [3_000, 2_900], ids=["parts of one size", "a rest"])
@pytest.mark.parametrize("regulariser", ["contractive", "variational"])
def test_parts_by_autograd_are_the_whole(regulariser: str, size: int) -> None:
    """Each part with its own columns of all that is drawn, of the ε of a sampled code too."""
    sampled = regulariser == "variational"
    network = Network((2, 30, 20, 30, 2), "tanh", tied=True, code=2, sampled=sampled)
    loss = Loss("squared", regulariser, 0.1)
    of = batch(network, loss, size, 5)
    parted = gradient_of(network, loss, of.flat, size)
    assert isinstance(parted, PartedGradient)
    assert parted.code_eps.shape == of.code_eps.shape == (20 if sampled else 0, size)
    found, best = result(parted, of), result(AutogradGradient(network, loss, of.flat, size, size), of)
    assert (found.gradient - best.gradient).norm() <= 1e-12 * best.gradient.norm()
    assert abs(found.total - best.total) <= 1e-12 * best.total
    assert abs(found.penalty - best.penalty) <= 1e-12 * best.penalty
    if sampled:
        turned = of._replace(code_eps=of.code_eps.roll(1, dims=1))  # each point with another's ε
        other = result(parted, turned)
        assert abs(other.total - best.total) > 1e-6 * best.total
        assert abs(other.penalty - best.penalty) <= 1e-12 * best.penalty  # which knows nothing of ε


@pytest.mark.parametrize("regulariser", ["l1", "l2", "contractive"])
def test_the_strength_is_meant_in_data_units(regulariser: str) -> None:
    """unit² F in the network's coordinates is C + λR of the same network, written in data units."""
    data = 3.0 * DATA + (5.0, -2.0)
    settings = Settings(hidden=(6,), code=4, regulariser=regulariser, strength=0.7)
    network = Network.of(settings, data)
    flat = network.initial(data, torch.Generator().manual_seed(0)).double()
    own = (data - network.centre) / network.unit
    noisy, clean = torch.from_numpy(own.T + 0.1), torch.from_numpy(own.T.copy())
    found = Loss.of(settings, network).per_point(network, flat, noisy, clean)

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
    for own_units, best in zip(found, (C, 0.7 * R[regulariser].detach().numpy()), strict=True):
        assert np.abs(network.unit**2 * own_units.detach().numpy() - best).max() < 1e-9


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
    of = batch(network, Loss(), size, 3)
    step = gradient_of(network, Loss(), of.flat, size)
    before = of.flat.clone()
    first = result(step, of).gradient
    assert torch.equal(of.flat, before)
    of.flat.mul_(0.5)
    second = result(step, of).gradient
    assert not torch.equal(first, second)
    assert torch.equal(second, result(gradient_of(network, Loss(), of.flat, size), of).gradient)


def test_a_perfect_reconstruction_has_neither_cost_nor_gradient() -> None:
    network = Network((2, 2, 2), "identity")
    flat = torch.zeros(network.size, dtype=torch.float64)
    for matrix in network.matrices(flat):
        matrix[:, :2] = torch.eye(2)
    points = torch.arange(10.0, dtype=torch.float64).view(2, 5)
    found = result(gradient_of(network, Loss(), flat, 5), Batch(flat, points, points, torch.empty(0, 5)))
    assert (found.total, found.penalty) == (0.0, 0.0)
    assert not found.gradient.any()


def test_the_total_is_the_sum_over_the_batch() -> None:
    network = Network((2, 3, 2), "tanh")
    flat = torch.zeros(network.size, dtype=torch.float64)
    clean = torch.tensor([[3.0, 0.0], [4.0, 1.0]], dtype=torch.float64)
    found = result(gradient_of(network, Loss(), flat, 2), Batch(flat, clean, clean, torch.empty(0, 2)))
    assert math.isclose(found.total, 26.0, rel_tol=1e-15)  # r = 0: 9 + 16 + 0 + 1
