"""What a loss is made of: F(y) = C(y, ỹ) + R(h), in plain torch formulas that autograd can follow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from aeviz.core.settings import Settings
from aeviz.learn.network import Network


@dataclass(frozen=True, slots=True)
class Loss:
    """A cost, a regulariser of the code, and the regulariser's strength.

    The loss of a batch is the mean of F over its points. All formulas are in the network's own
    coordinates.
    """

    cost: str = "squared"
    regulariser: str = "none"
    strength: float = 0.0

    @classmethod
    def of(cls, settings: Settings, network: Network) -> Loss:
        """The loss that these settings describe, over unit²: the optimum is that of data units.

        ‖∂h/∂ŷ‖² is itself larger by unit² in the network's coordinates.
        """
        power = 4 if settings.regulariser == "contractive" else 2
        return cls(settings.cost, settings.regulariser, settings.strength / network.unit**power)

    def per_point(
        self,
        network: Network,
        flat: Tensor,
        noisy: Tensor,
        clean: Tensor,
        strength: Tensor | None = None,
        code_eps: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """C and λ R of each point, (B,) each, for noisy and clean points (2, B).

        A `strength` in a tensor stands for the loss's own, so that a captured graph can read it anew. A
        sampled code is h = μ + σ_h ε with ε from `code_eps`, (d, B), or the mean where that is None.
        """
        layers = network.layers(flat)
        if self.regulariser == "contractive":
            noisy = noisy.detach().requires_grad_()  # so that every z has a derivative, see below
        a, encoder = noisy, []
        for l, (W, b) in enumerate(layers[:-1], 1):  # noqa: E741  (l is the layer in the formulas)
            z, before = W @ a + b, a
            a = network.nonlinearity(l).formula(z)
            if l <= network.code:
                encoder.append(_Layer(W, z, a))
            if l == network.code and network.sampled:
                W_s, b_s = network.log_variance(flat)
                s = W_s @ before + b_s
                encoder.append(_Layer(W_s, s, s))
                if code_eps is not None:
                    a = a + (0.5 * s).exp() * code_eps
        W, b = layers[-1]
        C = COSTS[self.cost](W @ a + b, network.g.formula, clean)
        if self.regulariser == "none":
            return C, torch.zeros_like(C)
        weight = self.strength if strength is None else strength
        return C, weight * REGULARISERS[self.regulariser](encoder)


class _Layer(NamedTuple):
    """A layer of the encoder: weights (n, m), z (n, B) and a = f(z)."""

    W: Tensor
    z: Tensor
    a: Tensor


def _squared(z: Tensor, g: Callable[[Tensor], Tensor], y: Tensor) -> Tensor:
    """‖y − ỹ‖², ỹ = g(z)."""
    return (g(z) - y).square().sum(dim=0)


def _binary_cross_entropy(z: Tensor, g: Callable[[Tensor], Tensor], y: Tensor) -> Tensor:
    """−Σ y log ỹ + (1 − y) log(1 − ỹ) with ỹ = sigmoid(z), so written that no logarithm overflows."""
    return (torch.nn.functional.softplus(z) - y * z).sum(dim=0)


def _l1(encoder: list[_Layer]) -> Tensor:
    """Σ |h|, which makes the code sparse."""
    return encoder[-1].a.abs().sum(dim=0)


def _l2(encoder: list[_Layer]) -> Tensor:
    """‖h‖²."""
    return encoder[-1].a.square().sum(dim=0)


def _contractive(encoder: list[_Layer]) -> Tensor:
    """‖∂h/∂ŷ‖²_F (Rifai et al. 2011); ∂h/∂ŷ = D_c W_c … D_1 W_1 with D = diag f′(z), which autograd gives."""
    jacobian: Tensor | None = None
    for W, z, a in encoder:
        (slope,) = torch.autograd.grad(a.sum(), z, create_graph=True)
        product = W[:, :, None] if jacobian is None else torch.einsum("ij,jkb->ikb", W, jacobian)
        jacobian = slope[:, None] * product  # (n, 2, B)
    assert jacobian is not None
    return jacobian.square().sum(dim=(0, 1))


def _variational(encoder: list[_Layer]) -> Tensor:
    """KL(N(μ, diag σ_h²) ‖ N(0, I)) = ½ Σ (μ² + σ_h² − 1 − log σ_h²) (Kingma and Welling 2014)."""
    mean, log_variance = encoder[-2].a, encoder[-1].a
    return 0.5 * (mean.square() + log_variance.exp() - 1.0 - log_variance).sum(dim=0)


COSTS = {"squared": _squared, "bce": _binary_cross_entropy}
REGULARISERS = {"l1": _l1, "l2": _l2, "contractive": _contractive, "variational": _variational}
