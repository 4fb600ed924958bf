"""The code that is drawn from a Gaussian: what it costs, its gradient, its draws, and what is shown of it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from gradients import DATA, assert_equals_differences, batch, result
from scipy.integrate import quad
from scipy.stats import kstest, norm
from torch import Tensor
from trainings import SMALL, Recorded, Watched, assert_same, bring_back, new, train

from aeviz.learn.gradient import PartedGradient, gradient_of
from aeviz.learn.loss import Loss
from aeviz.learn.network import Network

SAMPLED = SMALL.replace(regulariser="variational", strength=0.1)
IN_PARTS = 20_000  # points: a batch so large is worked through in parts
VARIATIONAL = Loss("squared", "variational", 0.3)
NETWORKS = [
    Network((2, 4, 2), "tanh", code=1, sampled=True),
    Network((2, 4, 2), "tanh", tied=True, code=1, sampled=True),
    Network((2, 4, 6, 5, 2), "silu", code=1, sampled=True),
    Network((2, 6, 4, 2), "sigmoid", code=2, sampled=True),
    Network((2, 6, 4, 6, 2), "tanh", tied=True, code=2, sampled=True),
    Network((2, 6, 5, 1, 3, 2), "gelu", "tanh", code=3, sampled=True),
    Network((2, 6, 5, 3, 5, 6, 2), "silu", "sigmoid", tied=True, code=3, sampled=True),
]
every_network = pytest.mark.parametrize(
    "network", NETWORKS, ids=lambda n: f"{'-'.join(map(str, n.widths))}, code {n.code}{', tied' * n.tied}"
)


def code_of(network: Network, flat: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    """μ and log σ_h², (d, B) each, of points (2, B), layer by layer."""
    a = x
    for l, (W, b) in enumerate(network.layers(flat)[: network.code], 1):  # noqa: E741
        before, a = a, W @ a + b
        if l < network.code:
            a = network.f.formula(a)
    W, b = network.log_variance(flat)
    return a, W @ before + b


def decoded(network: Network, flat: Tensor, h: Tensor) -> Tensor:
    """What the layers above the code make of h."""
    *hidden, (W, b) = network.layers(flat)[network.code :]
    for V, c in hidden:
        h = network.f.formula(V @ h + c)
    return network.g.formula(W @ h + b)


# The loss and its gradient


@pytest.mark.parametrize("cost", ["squared", "bce"])
@every_network
def test_the_gradient_equals_central_differences_wherever_the_code_is(network: Network, cost: str) -> None:
    if cost == "bce" and network.output != "sigmoid":
        network = Network(
            network.widths, network.activation, "sigmoid", network.tied, network.code, sampled=True
        )
    assert_equals_differences(network, Loss(cost, "variational", 0.3), range(network.size))


@every_network
def test_the_code_is_its_mean_and_its_deviation_times_epsilon(network: Network) -> None:
    of = batch(network, VARIATIONAL, 40, 2)
    mean, log_variance = code_of(network, of.flat, of.noisy)
    for code_eps, h in ((of.code_eps, mean + (0.5 * log_variance).exp() * of.code_eps), (None, mean)):
        C, R = VARIATIONAL.per_point(network, *of[:3], code_eps=code_eps)
        best = (decoded(network, of.flat, h) - of.clean).square().sum(dim=0)
        assert (C - best).abs().max() < 1e-12 * best.max()
        assert R.shape == C.shape == (40,)


@every_network
def test_what_it_costs_is_the_divergence_from_the_standard_normal(network: Network) -> None:
    """KL = ∫ q log(q/p) by quadrature for each unit of each point, and torch's own for all of them."""
    of = batch(network, VARIATIONAL, 5, 3)
    mean, log_variance = code_of(network, of.flat, of.noisy)
    _, R = VARIATIONAL.per_point(network, *of[:3], code_eps=of.code_eps)

    def divergence(mu: float, sigma: float) -> float:
        def integrand(t: float) -> float:  # at h = μ + σt
            h = mu + sigma * t
            return norm.pdf(t) * (norm.logpdf(h, mu, sigma) - norm.logpdf(h))

        return quad(integrand, -12.0, 12.0, epsabs=1e-12, limit=200)[0]

    sigma = (0.5 * log_variance).exp()
    best = 0.3 * np.vectorize(divergence)(mean.numpy(), sigma.numpy()).sum(axis=0)
    assert np.abs(R.numpy() - best).max() < 1e-9 * best.max()  # the quadrature's own error
    normal = torch.distributions.Normal
    torchs = torch.distributions.kl_divergence(normal(mean, sigma), normal(0.0, 1.0)).sum(dim=0)
    assert (R - 0.3 * torchs).abs().max() < 1e-12 * torchs.max()
    assert (R > 0.0).all()


def test_the_divergence_has_no_unit() -> None:
    """Of data of another size, λ KL is the same, and C is in their units."""
    for scale in (1.0, 40.0):
        settings = SAMPLED.replace(strength=0.7)
        network = Network.of(settings, scale * DATA + (5.0, -2.0))
        of = batch(network, VARIATIONAL, 30, 1)
        mean, log_variance = code_of(network, of.flat, of.noisy)
        KL = 0.5 * (mean.square() + log_variance.exp() - 1.0 - log_variance).sum(dim=0)
        _, R = Loss.of(settings, network).per_point(network, *of[:3])
        assert (network.unit**2 * R - 0.7 * KL).abs().max() < 1e-9


def test_a_code_that_is_the_standard_normal_costs_nothing() -> None:
    network = Network((2, 5, 3, 2), "tanh", code=2, sampled=True)
    of = batch(network, VARIATIONAL, 9, 0)
    network.matrices(of.flat)[1].zero_()  # μ = 0 and log σ_h² = 0 everywhere
    _, R = VARIATIONAL.per_point(network, *of[:3], code_eps=of.code_eps)
    assert not R.any()
    found = result(gradient_of(network, VARIATIONAL, of.flat, 9), of)
    assert found.penalty == 0.0 < found.total


# The parameters


@every_network
def test_the_codes_part_holds_means_and_then_variances(network: Network) -> None:
    d, code = network.widths[network.code], network.code
    flat = torch.arange(float(network.size))
    part = network.matrices(flat)[code - 1]
    assert part.shape == (2 * d, network.widths[code - 1] + 1)
    (W, b), (W_s, b_s) = network.layers(flat)[code - 1], network.log_variance(flat)
    assert torch.equal(torch.cat((W, b), dim=1), part[:d])
    assert torch.equal(torch.cat((W_s, b_s), dim=1), part[d:])
    assert torch.equal(torch.cat([each.reshape(-1) for each in network.matrices(flat)]), flat)
    assert [tuple(W.shape) for W, _ in network.layers(flat)] == [
        (n_out, n_in) for n_in, n_out in zip(network.widths, network.widths[1:], strict=False)
    ]


@every_network
def test_at_first_the_code_is_drawn_with_deviation_one(network: Network) -> None:
    flat = network.initial(DATA, torch.Generator().manual_seed(0))
    W, b = network.log_variance(flat)
    assert not W.any() and not b.any()
    assert network.layers(flat)[network.code - 1][0].any()


def test_tied_weights_start_near_the_identity_here_too() -> None:
    network = Network((2, 2_000, 2), "tanh", tied=True, sampled=True)
    (W, _), _ = network.layers(network.initial(DATA, torch.Generator().manual_seed(0)))
    assert (W.t() @ W - torch.eye(2)).abs().max() < 5 / math.sqrt(2_000)


def test_the_network_of_a_variational_run_has_a_sampled_code() -> None:
    network = Network.of(SAMPLED, DATA)
    assert network.sampled and network.nonlinearity(network.code) is not network.f
    assert not Network.of(SMALL, DATA).sampled


# What is shown


@every_network
def test_what_is_shown_takes_the_mean_and_no_variance(network: Network) -> None:
    of = batch(network, VARIATIONAL, 25, 4)
    x, flat = of.noisy.T.numpy(), of.flat
    best = decoded(network, flat, code_of(network, flat, of.noisy)[0]).T.numpy()
    found = network.field(flat, x)
    assert np.abs(found.displacement + x - best).max() < 1e-12 * max(1.0, np.abs(best).max())
    at = of.noisy.clone().requires_grad_()
    with torch.enable_grad():
        r = decoded(network, flat, code_of(network, flat, at)[0])
        J = torch.stack([torch.autograd.grad(r[i].sum(), at, retain_graph=True)[0] for i in (0, 1)]).numpy()
    symmetric = 0.5 * (J + J.swapaxes(0, 1)).transpose(2, 0, 1)
    scale = max(1.0, np.abs(J).max())
    assert np.abs(found.ambiguity - np.linalg.eigvalsh(symmetric)[:, -1]).max() < 1e-12 * scale
    assert np.abs(found.curl - (J[1, 0] - J[0, 1])).max() < 1e-12 * scale
    assert np.abs(network.encode(flat, x) - code_of(network, flat, of.noisy)[0].T.numpy()).max() < 1e-12
    for part in network.log_variance(flat):
        part.add_(1.0)
    for one, other in zip(found, network.field(flat, x), strict=True):
        assert np.array_equal(one, other)


# The draws


@pytest.mark.parametrize("batch_size", [7, 20, IN_PARTS])
def test_the_codes_epsilon_is_normal_and_new_in_every_step(batch_size: int) -> None:
    training = Watched(SAMPLED.replace(batch=batch_size))
    assert isinstance(training._gradient, PartedGradient) == (batch_size == IN_PARTS)
    train(training, max(4, 4_000 // batch_size))
    drawn = np.array(training.code_eps)  # (steps, d, B)
    assert drawn.shape[1:] == (4, batch_size)
    assert kstest(drawn.ravel(), "norm").pvalue > 1e-6
    flat = drawn.transpose(1, 0, 2).reshape(4, -1)
    covariance = flat @ flat.T / flat.shape[1]  # of four independent normals: five standard errors
    assert np.abs(covariance - np.eye(4)).max() < 5.0 * math.sqrt(2.0 / flat.shape[1])
    steps = drawn.reshape(len(drawn), -1)
    assert len(np.unique(steps, axis=0)) == len(steps)
    # It knows nothing of the noise of the points either.
    points = np.concatenate([each.noisy - each.origin for each in training.seen], axis=1)
    points /= points.std()
    assert np.abs(flat @ points.T / flat.shape[1]).max() < 5.0 / math.sqrt(flat.shape[1])


def test_the_same_seed_draws_the_same_codes_and_another_others() -> None:
    runs = [Watched(SAMPLED.replace(seed=seed)) for seed in (0, 0, 1)]
    for run in runs:
        train(run, 3)
    one, other, third = (np.array(run.code_eps) for run in runs)
    assert np.array_equal(one, other)
    steps = np.concatenate((one, third)).reshape(len(one) + len(third), -1)
    assert len(np.unique(steps, axis=0)) == len(steps)


@pytest.mark.parametrize("change", [{}, {"tied": True}, {"hidden": ()}, {"batch": IN_PARTS}], ids=str)
def test_the_same_settings_give_the_same_run_bit_for_bit(change: dict[str, Any]) -> None:
    one, other = new(SAMPLED.replace(**change)), new(SAMPLED.replace(**change))
    assert train(one, 12) == train(other, 12)
    assert_same(one.keyframe(), other.keyframe())
    assert one.regulariser == other.regulariser > 0.0


def test_only_a_sampled_code_draws_more() -> None:
    """A run of another regulariser corrupts its first batch with the very same noise."""
    sampled, plain = Watched(SAMPLED), Watched(SAMPLED.replace(regulariser="l2"))
    train(sampled, 1), train(plain, 1)
    assert np.array_equal(sampled.seen[0].noisy, plain.seen[0].noisy)
    assert plain.code_eps[0].shape == (0, 7)


# Time travel


@pytest.mark.parametrize("keyframe_first", [True, False], ids=["keyframe, change", "change, keyframe"])
@pytest.mark.parametrize("change", [{}, {"tied": True}, {"noise_draw": "frozen"}, {"batch": 20}], ids=str)
def test_every_epoch_is_brought_back_bit_for_bit(change: dict[str, Any], keyframe_first: bool) -> None:
    settings = SAMPLED.replace(**change)
    changes: dict[int, list[dict[str, Any]]] = {
        4: [{"strength": 2.0}],
        8: [{"noise_kind": "masking", "noise": 0.5}, {"batch": 33}],
        11: [{"noise_draw": "fresh" if settings.noise_draw == "frozen" else "frozen", "strength": 0.0}],
    }
    run = Recorded(settings, 15, {3, 8}, changes, keyframe_first)
    again = new(settings)
    for epoch in (15, 9, 8, 12, 0, 5, 3):
        bring_back(again, run.timeline, epoch)
        assert_same(again.keyframe(), run.states[epoch])
    bring_back(again, run.timeline, 7)
    train(again, 1)
    assert_same(again.keyframe(), run.states[8])


def test_a_batch_in_parts_is_brought_back_too() -> None:
    settings = SAMPLED.replace(batch=IN_PARTS)
    run = Recorded(settings, 4, {2}, {3: [{"strength": 0.5}]})
    again = new(settings)
    bring_back(again, run.timeline, 4)
    assert_same(again.keyframe(), run.states[4])
