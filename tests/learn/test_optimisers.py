"""Our optimisers against torch.optim's, step by step."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from aeviz.learn.optimisers import OPTIMISERS, Adam

STEPS, SIZE = 25, 101


def torchs_own(name: str, parameter: Tensor, learning_rate: float) -> torch.optim.Optimizer:
    match name:
        case "adam":
            return torch.optim.Adam([parameter], lr=learning_rate, foreach=False, fused=False)
        case "momentum":
            return torch.optim.SGD([parameter], lr=learning_rate, momentum=0.9, nesterov=True, foreach=False)
        case "sgd":
            return torch.optim.SGD([parameter], lr=learning_rate, foreach=False)
    raise AssertionError(name)


def gradients() -> list[Tensor]:
    """Gradients of many sizes, zeros among them."""
    random = torch.Generator().manual_seed(0)
    sizes = torch.logspace(-6.0, 3.0, SIZE)
    drawn = [sizes * torch.randn(SIZE, generator=random) for _ in range(STEPS)]
    drawn[3][::7] = 0.0
    drawn[7].zero_()
    return drawn


@pytest.mark.parametrize("name", sorted(OPTIMISERS))
@pytest.mark.parametrize("learning_rate", [1e-5, 0.01, 1.0])
def test_every_step_equals_torchs_own(name: str, learning_rate: float) -> None:
    start = torch.linspace(-2.0, 2.0, SIZE)
    ours, theirs = start.clone(), start.clone().requires_grad_()
    optimiser, reference = OPTIMISERS[name](ours), torchs_own(name, theirs, learning_rate)
    reach = start.abs().clamp_min(1.0)
    for gradient in gradients():
        kept = gradient.clone()
        optimiser.step(gradient, learning_rate)
        theirs.grad = kept.clone()
        reference.step()
        assert torch.equal(gradient, kept)
        reach = reach.maximum(theirs.detach().abs())
        # 25 steps of up to three roundings (6e-8) of the largest value that the parameter has had.
        assert ((ours - theirs.detach()).abs() <= 5e-6 * reach).all()
    assert (ours - start).abs().max().item() > 5.0 * learning_rate  # it went somewhere


@pytest.mark.parametrize("name", sorted(OPTIMISERS))
def test_a_learning_rate_may_change_between_steps(name: str) -> None:
    ours, theirs = torch.ones(SIZE), torch.ones(SIZE, requires_grad=True)
    optimiser, reference = OPTIMISERS[name](ours), torchs_own(name, theirs, 0.1)
    for step, gradient in enumerate(gradients()):
        learning_rate = 0.1 / (1 + step)
        for group in reference.param_groups:
            group["lr"] = learning_rate
        optimiser.step(gradient, learning_rate)
        theirs.grad = gradient
        reference.step()
    scale = theirs.detach().abs().clamp_min(1.0)
    assert ((ours - theirs.detach()).abs() <= 1e-5 * scale).all()


@pytest.mark.parametrize("name", sorted(OPTIMISERS))
def test_all_memory_is_in_the_state(name: str) -> None:
    """An optimiser given another's state goes on exactly as that one."""
    here, there = torch.ones(SIZE), torch.ones(SIZE)
    one, other = OPTIMISERS[name](here), OPTIMISERS[name](there)
    for gradient in gradients()[:10]:
        one.step(gradient, 0.01)
    there.copy_(here)
    for key, tensor in one.state.items():
        other.state[key].copy_(tensor)
    for gradient in gradients()[10:]:
        one.step(gradient, 0.01)
        other.step(gradient, 0.01)
    assert torch.equal(here, there)


def test_adam_counts_its_steps_and_starts_with_the_learning_rate() -> None:
    parameters = torch.zeros(3)
    adam = Adam(parameters)
    adam.step(torch.tensor([1e-3, -5.0, 0.0]), 0.01)
    assert adam.state["count"].item() == 1.0
    # The first step is the learning rate times the gradient's sign (eps is 1e-8 beside 1e-3).
    assert (parameters - torch.tensor([-0.01, 0.01, 0.0])).abs().max().item() < 1e-6
