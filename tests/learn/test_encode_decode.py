"""The two halves of a network: to the code, and from it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gradients import ALL_REGULARISERS, DATA, problems
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st
from torch import Tensor

from aeviz.core.manifolds import FloatArray
from aeviz.core.settings import SPECS, Settings
from aeviz.learn.activations import ACTIVATIONS
from aeviz.learn.loss import Loss
from aeviz.learn.network import Network

KINDS = [
    {},
    {"hidden": ()},
    {"hidden": (7, 5, 4), "code": 1},
    {"code": 1},
    {"code": 2},
    {"mirror": True},
    {"hidden": (5, 6, 7, 8), "mirror": True},
    {"tied": True},
    {"tied": True, "hidden": ()},
    {"output": "tanh"},
    {"output": "sigmoid", "tied": True},
    {"cost": "bce"},
    {"regulariser": "variational"},
    {"regulariser": "variational", "tied": True},
    {"regulariser": "variational", "mirror": True, "output": "tanh", "hidden": (), "code": 3},
    {"regulariser": "variational", "cost": "bce", "code": 1},
    *({"activation": name} for name in SPECS["activation"].choices),
]
every_kind = pytest.mark.parametrize("change", KINDS, ids=str)


def drawn(network: Network, seed: int) -> Tensor:
    """Parameters in float64, with biases that are not 0."""
    random = torch.Generator().manual_seed(seed)
    flat = network.initial(DATA, random).double()
    return flat + 0.1 * torch.randn(network.size, generator=random, dtype=torch.float64)


def kind_of(change: dict[str, object]) -> tuple[Network, Tensor, FloatArray]:
    """A network of these settings on data that are neither small nor about the origin; and places."""
    settings = Settings(hidden=(9,), code=6).replace(**change)
    data = DATA if settings.in_unit_square or settings.output != "identity" else 30.0 * DATA + (200.0, -40.0)
    network = Network.of(settings, data)
    places = np.random.default_rng(1).uniform(-2.0, 2.0, (37, 2)) * network.unit + network.centre
    return network, drawn(network, 3), places


@every_kind
def test_what_is_encoded_and_decoded_is_reconstructed(change: dict[str, object]) -> None:
    network, flat, places = kind_of(change)
    code = network.encode(flat, places)
    assert code.shape == (37, network.widths[network.code]) and code.dtype == np.float64
    found, best = network.decode(flat, code), network.reconstruct(flat, places)
    assert found.shape == (37, 2) and found.dtype == np.float64
    assert np.abs(found - best).max() < 1e-12 * max(1.0, np.abs(best).max())
    single = flat.float()
    found, best = (
        network.decode(single, network.encode(single, places)),
        network.reconstruct(single, places),
    )
    # Float32 of numbers up to 200, of which the code's are kept in float64 between.
    assert np.abs(found - best).max() < 1e-5 * max(1.0, np.abs(best).max())


@effort(max_examples=60)
@given(problems(ALL_REGULARISERS, most_tied=True), st.integers(0, 1_000))
def test_of_any_widths_too(problem: tuple[Network, Loss], seed: int) -> None:
    network, flat = problem[0], drawn(problem[0], seed)
    places = np.random.default_rng(seed).uniform(-3.0, 3.0, (5, 2))
    best = network.reconstruct(flat, places)
    found = network.decode(flat, network.encode(flat, places))
    assert np.abs(found - best).max() < 1e-12 * max(1.0, np.abs(best).max())


@every_kind
def test_the_code_is_what_the_lectures_formula_says(change: dict[str, object]) -> None:
    """h = f(W_h ŷ + b_h), layer after layer; a sampled code's mean is affine."""
    network, flat, places = kind_of(change)
    a = torch.from_numpy((places - network.centre) / network.unit).T
    for l, (W, b) in enumerate(network.layers(flat)[: network.code], 1):  # noqa: E741
        a = W @ a + b
        if not (network.sampled and l == network.code):
            a = ACTIVATIONS[network.activation].formula(a)
    assert np.abs(network.encode(flat, places) - a.T.numpy()).max() < 1e-12 * max(1.0, a.abs().max().item())


@every_kind
def test_any_code_has_its_place_in_data_units(change: dict[str, object]) -> None:
    network, flat, _ = kind_of(change)
    h = np.random.default_rng(5).uniform(-2.0, 2.0, (11, network.widths[network.code]))
    a = torch.from_numpy(h).T
    *hidden, (W, b) = network.layers(flat)[network.code :]
    for V, c in hidden:
        a = ACTIVATIONS[network.activation].formula(V @ a + c)
    best = ACTIVATIONS[network.output].formula(W @ a + b).T.numpy() * network.unit + network.centre
    found = network.decode(flat, h)
    assert np.abs(found - best).max() < 1e-12 * max(1.0, np.abs(best).max())
    least, most = {"identity": (-np.inf, np.inf), "tanh": (-1.0, 1.0), "sigmoid": (0.0, 1.0)}[network.output]
    assert found.min() >= least and found.max() <= most


@every_kind
def test_one_place_is_encoded_as_among_many(change: dict[str, object]) -> None:
    network, flat, places = kind_of(change)
    before = flat.clone(), places.copy()
    all_of_them = network.encode(flat, places)
    for index in (0, 17, 36):
        alone = network.encode(flat, places[index : index + 1])
        assert np.abs(alone[0] - all_of_them[index]).max() < 1e-12
    assert torch.equal(flat, before[0]) and np.array_equal(places, before[1])
    assert network.encode(flat, places[:0]).shape == (0, network.widths[network.code])
    assert network.decode(flat, all_of_them[:0]).shape == (0, 2)


@every_kind
def test_weights_that_have_exploded_may_be_looked_at_without_warnings(change: dict[str, object]) -> None:
    network, flat, places = kind_of(change)
    wild = (1e30 * flat).float()
    assert network.decode(wild, network.encode(wild, places)).shape == (37, 2)
