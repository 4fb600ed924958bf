"""The loss's two parts, C and λR: of a point, of a batch by every path, of an epoch in training."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from gradients import ALL_REGULARISERS, COVERED, DATA, F_of, batch, problems, result
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st
from trainings import SMALL, Watched, costs, new, points_of, train

from aeviz.core.settings import Settings
from aeviz.learn.autograd import AutogradGradient
from aeviz.learn.gradient import PartedGradient, gradient_of
from aeviz.learn.loss import COSTS, Loss
from aeviz.learn.network import Network
from aeviz.learn.step import BatchGradient

IN_PARTS = 20_000  # points: a batch so large is worked through in parts

# Of a point, and of a batch


@effort(max_examples=60)
@given(problems(ALL_REGULARISERS, most_tied=True), st.integers(1, 50), st.integers(0, 1_000))
def test_penalty_and_the_rest_are_the_sums_of_both_parts(
    problem: tuple[Network, Loss], size: int, seed: int
) -> None:
    network, loss = problem
    of = batch(network, loss, size, seed)
    found = result(gradient_of(network, loss, of.flat, size), of)
    C, R = loss.per_point(network, *of[:3], code_eps=of.code_eps if network.sampled else None)
    assert abs(found.penalty - R.sum()) <= 1e-9 * abs(R.sum())
    # C of a cross-entropy may be small beside the two terms that it is the difference of.
    assert abs(found.total - found.penalty - C.sum()) <= 1e-9 * (abs(found.total) + size)
    # Without a regulariser, F is the same C, to the last bit.
    bare, nothing = dataclasses.replace(loss, regulariser="none").per_point(
        network, *of[:3], code_eps=of.code_eps if network.sampled else None
    )
    assert torch.equal(bare, C)
    assert not nothing.any() and nothing.shape == C.shape
    assert (found.penalty > 0.0) == (loss.strength > 0.0 and bool(R.any()))


@pytest.mark.parametrize("cost", sorted(COSTS))
@pytest.mark.parametrize("regulariser", ALL_REGULARISERS)
@pytest.mark.parametrize(
    ("tied", "size", "kind"),
    [
        (False, 9, BatchGradient), (False, 256, BatchGradient), (True, 9, AutogradGradient),
        (False, IN_PARTS, PartedGradient), (True, IN_PARTS + 1, PartedGradient),
    ],
    ids=["by hand", "by hand, in blocks", "by autograd", "by hand, in parts", "by autograd, in parts"],
)  # fmt: skip
def test_every_path_tells_them_apart(tied: bool, size: int, kind: type, regulariser: str, cost: str) -> None:
    sampled = regulariser == "variational"
    hidden, code = (64, 64) if size == 256 else (6, 4)
    output = "sigmoid" if cost == "bce" else "identity"
    network = Network((2, hidden, code, hidden, 2), "tanh", output, tied, 2, sampled=sampled)
    loss = Loss(cost, regulariser, 0.3)
    of = batch(network, loss, size, 7)
    gradient = gradient_of(network, loss, of.flat, size)
    if kind is not BatchGradient or regulariser in COVERED:
        assert type(gradient) is kind
    parts = [part for part, _ in gradient._parts] if isinstance(gradient, PartedGradient) else [gradient]
    assert len(parts) > 1 or kind is not PartedGradient
    assert {type(part) for part in parts} == {
        BatchGradient if regulariser in COVERED and not tied else AutogradGradient
    }
    C, R = loss.per_point(network, *of[:3], code_eps=of.code_eps if sampled else None)
    for _ in range(2):  # nothing is carried from one call to the next
        found = result(gradient, of)
        assert abs(found.penalty - R.sum()) <= 1e-11 * R.sum()
        assert abs(found.total - (C.sum() + R.sum())) <= 1e-11 * (C + R).abs().sum()
    gradient.strength = 0.0
    silent = result(gradient, of)
    assert silent.penalty == 0.0
    assert abs(silent.total - C.sum()) <= 1e-11 * C.abs().sum()
    assert torch.equal(F_of(network, loss, of), C + R)


# Of an epoch


class Apart(Watched):
    """A training that learns nothing, and works out in float64 what each of its epochs costs."""

    def parts(self, settings: Settings) -> tuple[float, float]:
        """Means of C and of λR over all slots of the epochs since the last look, in data units."""
        network, loss = self.network, Loss.of(settings, self.network)
        flat, sums = self.parameters.double(), np.zeros(2)
        for seen, eps in zip(self.seen, self.code_eps, strict=True):
            noisy, clean, code_eps = (
                torch.from_numpy(each).double() for each in (seen.noisy, seen.clean, eps)
            )
            with torch.enable_grad():  # of the contractive one
                found = loss.per_point(
                    network, flat, noisy, clean, code_eps=code_eps if network.sampled else None
                )
            sums += [part.detach().sum().item() for part in found]
        slots = sum(seen.noisy.shape[1] for seen in self.seen)
        self.seen.clear(), self.code_eps.clear()
        C, R = network.unit**2 * sums / slots
        return float(C), float(R)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"batch": 20},
        {"batch": 33},
        {"tied": True},
        {"batch": IN_PARTS},
        {"cost": "bce"},
        {"data": "moons"},
    ],
    ids=str,
)
@pytest.mark.parametrize("regulariser", ALL_REGULARISERS)
def test_the_regulariser_is_told_apart_from_the_loss_of_each_epoch(
    regulariser: str, change: dict[str, Any]
) -> None:
    settings = SMALL.replace(regulariser=regulariser, strength=0.4).replace(**change)
    training = Apart(settings)
    assert training.regulariser == 0.0
    for strength in (0.4, 0.4, 1.7, 0.0):
        now = settings.replace(strength=strength)
        training.change(now)
        (loss,) = train(training, 1)
        C, R = training.parts(now)
        # Float32, sums of up to 20,000 points.
        assert abs(training.regulariser - R) <= 2e-5 * R
        assert abs(loss - (C + R)) <= 2e-5 * (C + R)
        assert training.loss == loss
        assert (training.regulariser > 0.0) == (strength > 0.0 and regulariser != "none")


def test_without_its_regulariser_the_loss_is_what_the_points_cost() -> None:
    """‖r(ŷ) − y‖² in data units by the network itself, of the points as they were corrupted."""
    training = Apart(SMALL.replace(regulariser="l1", strength=0.4, noise=0.0, batch=20))
    (loss,) = train(training, 1)
    data = points_of(SMALL)
    assert abs(loss - training.regulariser - costs(training, data, data).mean()) < 1e-6 * loss
    code = training.network.encode(training.parameters.double(), data)
    assert abs(training.regulariser - 0.4 * np.abs(code).sum(axis=1).mean()) < 1e-6 * loss


def test_as_a_run_learns_both_parts_are_those_of_its_epoch() -> None:
    """A strength that grows presses λR's share of an l2 code down, not the other part's."""
    weak, strong = (new(SMALL.replace(regulariser="l2", strength=s, batch=20)) for s in (1e-4, 0.3))
    for training in (weak, strong):
        losses = train(training, 300)
        assert 0.0 < training.regulariser < training.loss == losses[-1]
    h = {t: np.square(t.network.encode(t.average, DATA)).sum(axis=1).mean() for t in (weak, strong)}
    assert abs(weak.regulariser - 1e-4 * h[weak]) < 0.2 * weak.regulariser  # its epoch's noisy points
    assert h[strong] < 0.5 * h[weak]
    assert strong.loss - strong.regulariser > weak.loss - weak.regulariser
