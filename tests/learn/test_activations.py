"""Every nonlinearity and its derivative against torch's own, in buffers of all kinds."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from aeviz.learn.activations import ACTIVATIONS

UNITS, COLUMNS = 7, 45


def of_one_piece(dtype: type) -> np.ndarray:
    return np.full((3, UNITS, COLUMNS), 7.0, dtype)


def above_a_row_of_ones(dtype: type) -> np.ndarray:
    """As the training step keeps its activations, which are then no one piece of memory."""
    return np.full((3, UNITS + 1, COLUMNS), 7.0, dtype)[:, :-1]


@pytest.mark.parametrize("make", [of_one_piece, above_a_row_of_ones])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_value_and_slope_are_torchs_own(name: str, dtype: type, make) -> None:
    f = ACTIVATIONS[name]
    z, a, slope = (make(dtype) for _ in range(3))
    z[...] = np.random.default_rng(0).normal(0.0, 2.0, z.shape)
    x = torch.tensor(z, requires_grad=True)
    best = f.formula(x)
    (best_slope,) = torch.autograd.grad(best.sum(), x)
    f.forward(z, a)
    f.slope(z, a, slope)
    close = 2e-6 if dtype is np.float32 else 1e-14  # a few roundings of values up to 8
    assert np.abs(a - best.detach().numpy()).max() <= close
    assert np.abs(slope - best_slope.numpy()).max() <= close


@pytest.mark.parametrize("name", [name for name, f in ACTIVATIONS.items() if not f.needs_z])
def test_without_z_both_go_in_the_same_memory(name: str) -> None:
    f = ACTIVATIONS[name]
    z = np.random.default_rng(0).normal(0.0, 2.0, (UNITS, COLUMNS))
    a, slope = np.empty_like(z), np.empty_like(z)
    f.forward(z, a)
    f.slope(z, a, slope)
    same = z.copy()
    f.forward(same, same)
    assert np.array_equal(same, a)
    f.slope(same, same, a)
    assert np.array_equal(a, slope)
