"""The network against torch's own layers and autograd's Jacobian; where its first layer starts."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st
from torch import Tensor, nn

from aeviz.core.manifolds import spiral
from aeviz.core.settings import Settings
from aeviz.learn import network as network_module
from aeviz.learn.activations import ACTIVATIONS
from aeviz.learn.network import Network

LAYERS = {
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "relu": nn.ReLU,
    "silu": nn.SiLU,
    "gelu": nn.GELU,
    "identity": nn.Identity,
}
(DATA,) = spiral(151, 1.5)
networks = st.builds(
    lambda inner, activation: Network((2, *inner, 2), activation),
    st.lists(st.integers(1, 40), min_size=1, max_size=4),
    st.sampled_from(sorted(ACTIVATIONS)),
)


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def parameters(network: Network, seed: int) -> Tensor:
    """Initial parameters in float64, with biases that are not 0."""
    flat = network.initial(DATA, generator(seed)).double()
    return flat + 0.1 * torch.randn(network.size, generator=generator(seed + 1), dtype=torch.float64)


def sequential(network: Network, flat: Tensor) -> nn.Sequential:
    """The same network of torch's own layers, whose output is its last layer's."""
    layers: list[nn.Module] = []
    for matrix in network.matrices(flat):
        linear = nn.Linear(matrix.shape[1] - 1, matrix.shape[0], dtype=flat.dtype)
        with torch.no_grad():
            linear.weight.copy_(matrix[:, :-1])
            linear.bias.copy_(matrix[:, -1])
        layers += [linear, LAYERS[network.activation]()]
    return nn.Sequential(*layers[:-1])


def autograds_jacobian(module: nn.Module, x: np.ndarray) -> np.ndarray:
    """J[m, i, j] = ∂r_i/∂x_j at each place, (M, 2, 2)."""
    at = torch.from_numpy(x).requires_grad_()
    rows = [torch.autograd.grad(module(at)[:, i].sum(), at)[0] for i in (0, 1)]  # a place knows no other
    return torch.stack(rows, dim=1).numpy()


def places(number: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-3.0, 3.0, (number, 2))


@effort(max_examples=60)
@given(networks, st.integers(0, 1_000))
def test_reconstruct_equals_torchs_own_layers(network: Network, seed: int) -> None:
    flat, x = parameters(network, seed), places(17, seed)
    with torch.no_grad():
        best = sequential(network, flat)(torch.from_numpy(x)).numpy()
    found = network.reconstruct(flat, x)
    assert found.shape == (17, 2)
    # float64 and sums over at most 40 units; unbounded activations reach some thousands.
    assert np.abs(found - best).max() < 1e-13 * max(1.0, np.abs(best).max())
    single = network.reconstruct(flat.float(), x)
    # Five layers of float32; what they sum is larger than what comes out.
    assert np.abs(single - best).max() < 1e-5 * max(10.0, np.abs(best).max())


@effort(max_examples=40)
@given(networks, st.integers(0, 1_000))
def test_ambiguity_and_curl_are_those_of_autograds_jacobian(network: Network, seed: int) -> None:
    flat, x = parameters(network, seed), places(11, seed)
    jacobian = autograds_jacobian(sequential(network, flat), x)
    symmetric = 0.5 * (jacobian + jacobian.transpose(0, 2, 1))
    best = np.linalg.eigvalsh(symmetric)[:, -1]
    best_curl = jacobian[:, 1, 0] - jacobian[:, 0, 1]
    found = network.field(flat, x)
    scale = max(1.0, np.abs(jacobian).max())
    assert np.abs(found.ambiguity - best).max() < 1e-12 * scale  # float64, products of five matrices
    assert np.abs(found.curl - best_curl).max() < 1e-12 * scale
    assert np.array_equal(found.displacement, network.reconstruct(flat, x) - x)
    if network.activation != "relu":  # whose slope jumps within float32's rounding of z = 0
        single = network.field(flat.float(), x)
        assert np.abs(single.ambiguity - best).max() < 1e-4 * scale
        assert np.abs(single.curl - best_curl).max() < 1e-4 * scale


def linear(matrix: list[list[float]]) -> tuple[Network, Tensor]:
    """A network r(x) = Ax, and its parameters."""
    network = Network((2, 2, 2), "identity")
    flat = torch.zeros(network.size)
    first, last = network.matrices(flat)
    first[:, :2] = torch.tensor(matrix)
    last[:, :2] = torch.eye(2)
    return network, flat


@pytest.mark.parametrize(
    ("matrix", "ambiguity", "curl"),
    [
        ([[1.0, 0.0], [0.0, 1.0]], 1.0, 0.0),
        ([[1.0, 2.0], [0.0, 1.0]], 2.0, -2.0),  # a shear's eigenvalues are 1, 1; its symmetric part's 0, 2
        ([[0.0, -1.0], [1.0, 0.0]], 0.0, 2.0),  # a quarter turn
        ([[3.0, 0.5], [0.5, -1.0]], 1.0 + math.sqrt(4.25), 0.0),  # symmetric: it turns nothing
        ([[-1.0, -0.25], [0.75, -4.0]], -2.5 + math.sqrt(2.3125), 1.0),  # both eigenvalues below 0
    ],
)
def test_the_field_of_a_linear_map(matrix: list[list[float]], ambiguity: float, curl: float) -> None:
    """λ_max of the symmetric part, by hand, and A₂₁ − A₁₂."""
    network, flat = linear(matrix)
    x = places(5)
    found = network.field(flat, x)
    # Places are rounded to float32, 2e-7 of up to 3, and the matrix multiplies that by at most 4.
    assert np.abs(found.displacement - (x @ np.transpose(matrix) - x)).max() < 5e-6
    assert np.abs(found.ambiguity - ambiguity).max() < 1e-6
    assert np.array_equal(found.curl, np.full(5, curl))


@pytest.mark.parametrize("activation", sorted(set(ACTIVATIONS) - {"relu"}))
def test_the_curl_is_the_circulation_of_the_arrows(activation: str) -> None:
    """Round a small square, over its area (Stokes), in data units."""
    network = Network((2, 9, 7, 2), activation, code=2, centre=(0.4, -0.3), unit=1.7)
    flat, x, h = parameters(network, 3), places(30), 1e-4
    right, up = np.array([h, 0.0]), np.array([0.0, h])

    def arrow(at: np.ndarray) -> np.ndarray:
        return network.field(flat, at).displacement

    round_it = arrow(x - up)[:, 0] + arrow(x + right)[:, 1] - arrow(x + up)[:, 0] - arrow(x - right)[:, 1]
    # h²/6 times third derivatives of some hundreds, and eps/h of arrows of about 10.
    assert np.abs(network.field(flat, x).curl - round_it / (2.0 * h)).max() < 1e-5


@pytest.mark.parametrize("number", [0, 1, 96, 97, 98, 300])
def test_the_size_of_the_blocks_does_not_show(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    network = Network((2, 20, 20, 2), "tanh")
    flat, x = parameters(network, 4), places(number)
    whole = network.field(flat, x), network.reconstruct(flat, x)
    monkeypatch.setattr(network_module, "_COLUMNS", 97)
    monkeypatch.setattr(network_module, "_BLOCKS", 2)
    parts = network.field(flat, x), network.reconstruct(flat, x)
    assert whole[1].shape == (number, 2)
    for one, other in zip((*whole[0], whole[1]), (*parts[0], parts[1]), strict=True):
        assert one.shape == other.shape
        # Another number of columns may be multiplied in another order: some eps of float64.
        assert number == 0 or np.abs(one - other).max() < 1e-12


def test_looking_changes_neither_parameters_nor_places() -> None:
    network = Network((2, 6, 2), "relu")
    flat, x = parameters(network, 2), places(9)
    before = flat.clone(), x.copy()
    network.field(flat, x)
    network.reconstruct(flat, x)
    assert torch.equal(flat, before[0])
    assert np.array_equal(x, before[1])
    strided = np.asfortranarray(np.repeat(x, 2, axis=0))[::2]
    assert np.array_equal(network.reconstruct(flat, strided), network.reconstruct(flat, x))


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_weights_that_have_exploded_may_be_looked_at_without_warnings(activation: str) -> None:
    network = Network((2, 20, 20, 20, 2), activation)
    flat = 1e15 * torch.randn(network.size, generator=generator(0))
    found = network.field(flat, places(5))
    assert [each.shape for each in found] == [(5, 2), (5,), (5,)]


@given(networks)
def test_sizes_are_torchs_own(network: Network) -> None:
    flat = torch.arange(float(network.size))
    assert network.size == sum(p.numel() for p in sequential(network, flat).parameters())
    matrices = network.matrices(flat)
    assert [tuple(matrix.shape) for matrix in matrices] == network.shapes
    assert torch.equal(torch.cat([matrix.reshape(-1) for matrix in matrices]), flat)
    flat.zero_()
    assert not any(matrix.any() for matrix in matrices)  # views, not copies


def test_the_network_is_that_of_the_settings() -> None:
    settings = Settings(hidden=(7, 5), code=3, activation="silu", output="tanh", mirror=True)
    network = Network.of(settings, DATA)
    assert network == Network((2, 7, 5, 3, 5, 7, 2), "silu", "tanh", False, 3)
    assert Network.of(Settings(hidden=(7,), code=3), DATA).widths == (2, 7, 3, 2)
    tied = Network.of(Settings(hidden=(7,), code=3, tied=True), DATA)
    assert (tied.widths, tied.tied, tied.code) == ((2, 7, 3, 7, 2), True, 2)
    assert Network.of(Settings(cost="bce"), DATA).output == "sigmoid"


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("place", [(0.0, 0.0), (3e6, -40.0)])
def test_the_networks_own_coordinates_are_standard(scale: float, place: tuple[float, float]) -> None:
    data = DATA * (scale, 0.3 * scale) + place
    network = Network.of(Settings(), data)
    own = (data - network.centre) / network.unit
    assert np.abs(own.mean(axis=0)).max() < 5e-3  # eps of 3e6 is 5e-10, beside 1e-6
    assert abs(np.square(own).sum() / len(own) - 2.0) < 1e-6
    assert Network.of(Settings(), data[:1]).unit == 1.0
    for output in ("tanh", "sigmoid"):  # whose range is meant in data units
        bounded = Network.of(Settings(output=output), data)
        assert (bounded.centre, bounded.unit) == ((0.0, 0.0), 1.0)


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_the_field_in_data_units_is_the_same_wherever_and_however_large(activation: str) -> None:
    """r(x) = c + u·n((x − c)/u): displacement scales with u, the Jacobian does not."""
    plain = Network((2, 9, 7, 2), activation, code=2)
    moved = Network((2, 9, 7, 2), activation, code=2, centre=(5.0, -3.0), unit=4.0)
    flat, x = parameters(plain, 1), places(50)
    here, there = plain.field(flat, x), moved.field(flat, 4.0 * x + (5.0, -3.0))
    assert np.abs(there.displacement - 4.0 * here.displacement).max() < 1e-11
    assert np.abs(there.ambiguity - here.ambiguity).max() < 1e-11
    assert np.abs(there.curl - here.curl).max() < 1e-11


def test_tied_weights_are_one_and_the_same() -> None:
    network = Network((2, 9, 4, 9, 2), "tanh", tied=True, code=2)
    assert network.size == 9 * 3 + 4 * 10 + 9 + 2  # two layers of weights, four of biases
    flat = network.initial(DATA, generator(0))
    encoder, decoder = network.layers(flat)[:2], network.layers(flat)[2:]
    for (W, _), (V, b) in zip(encoder, reversed(decoder), strict=True):
        assert torch.equal(V, W.t())
        assert V.data_ptr() == W.data_ptr()
        assert b.shape == (V.shape[0], 1)
    # It starts near the identity: W_1ᵀ W_1 ≈ 1, as directions are even.
    wide = Network((2, 2_000, 2), "tanh", tied=True)
    (W, _), _ = wide.layers(wide.initial(DATA, generator(0)))
    assert (W.t() @ W - torch.eye(2)).abs().max() < 5 / math.sqrt(2_000)


# Initial parameters


@effort(max_examples=40)
@given(st.sampled_from(sorted(ACTIVATIONS)), st.integers(0, 10_000), st.integers(1, 300))
def test_the_first_layers_lines_pass_through_the_datas_box(activation: str, seed: int, units: int) -> None:
    data = spiral(40, 1.5)[0] * (1.0, 0.3) + (10.0, -20.0)
    network = Network((2, units, 2), activation)
    first = network.matrices(network.initial(data, generator(seed)))[0].double().numpy()
    (x0, y0), (x1, y1) = data.min(axis=0), data.max(axis=0)
    corners = np.array([[x0, y0, 1.0], [x0, y1, 1.0], [x1, y0, 1.0], [x1, y1, 1.0]])
    z = first @ corners.T  # (units, 4): a line crosses the box where z has both signs on its corners
    slack = 1e-5 * 10.0  # the bias is rounded to float32, and reaches 10 · 20
    assert (z.min(axis=1) <= slack).all()
    assert (z.max(axis=1) >= -slack).all()
    least, most = ACTIVATIONS[activation].steepness
    slope = np.hypot(first[:, 0], first[:, 1])
    assert slope.min() >= least * (1 - 1e-6)
    assert slope.max() <= most * (1 + 1e-6)


def test_the_lines_fill_the_box_evenly_in_all_directions() -> None:
    network = Network((2, 20_000, 2), "tanh")
    first = network.matrices(network.initial(DATA, generator(0)))[0].double().numpy()
    angle = np.arctan2(first[:, 1], first[:, 0])
    # Even angles: the mean of e^{i·n·angle} has a standard deviation of 1/√20,000; five of them.
    for n in (1, 2, 3, 4):
        assert abs(np.exp(1j * n * angle).mean()) < 5 / np.sqrt(20_000)
    # Horizontal lines' heights: for a place even in the box, the line y = −b/w₂ has that place's y.
    flat_lines = np.abs(first[:, 0]) < 0.002 * np.abs(first[:, 1])
    heights = -first[flat_lines, 2] / first[flat_lines, 1]
    low, high = DATA[:, 1].min(), DATA[:, 1].max()
    share = (heights - low) / (high - low)
    assert len(share) > 15
    assert 0.25 < share.mean() < 0.75  # its standard deviation is 0.29/√15 ≈ 0.07


def test_later_layers_have_variance_one_over_fan_in_and_no_bias() -> None:
    network = Network((2, 400, 300, 200, 2), "tanh")
    for matrix in network.matrices(network.initial(DATA, generator(0)))[1:]:
        weights, fan_in = matrix[:, :-1].double(), matrix.shape[1] - 1
        n = weights.numel()
        assert not matrix[:, -1].any()
        assert abs(weights.std().item() * np.sqrt(fan_in) - 1.0) < 5 / np.sqrt(2 * n)
        assert abs(weights.mean().item() * np.sqrt(fan_in)) < 5 / np.sqrt(n)


def test_initial_parameters_are_fixed_by_the_generator() -> None:
    network = Network((2, 30, 2), "tanh")
    assert torch.equal(network.initial(DATA, generator(5)), network.initial(DATA, generator(5)))
    assert not torch.equal(network.initial(DATA, generator(5)), network.initial(DATA, generator(6)))


def test_one_single_point_has_a_box_too() -> None:
    network = Network((2, 30, 2), "tanh")
    point = np.array([[0.5, -3.0]])
    first = network.matrices(network.initial(point, generator(0)))[0].double().numpy()
    assert np.abs(first @ (0.5, -3.0, 1.0)).max() < 1e-5  # all lines pass through it; float32 of 5 · 3
