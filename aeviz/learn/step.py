"""The gradient of one batch, written out by hand beside its formulas.

A batch of B noisy points is kept feature-major: A_0 = [ŷ; 1] is (3, B), its last row ones, so that
W_l carries its bias as a last column. With f the activation and C the mean squared cost,

    forward     Z_l = W_l A_{l−1},     A_l = [f(Z_l); 1],     ỹ = Z_L
    cost        C = Σ ‖ỹ − y‖² / B,    δ_L = ∂C/∂Z_L = 2 (ỹ − y) / B
    backward    ∂C/∂W_l = δ_l A_{l−1}ᵀ,    δ_{l−1} = (Ŵ_lᵀ δ_l) ⊙ f′(Z_{l−1})

where Ŵ is W without its bias column. Every product is written into a buffer that was made once: the
usual loop (nn.Module, autograd, Adam) spends most of its time on the bookkeeping left out here.
"""

from __future__ import annotations

import torch
from torch import Tensor

from aeviz.learn.network import Network


class BatchGradient:
    """Buffers and formulas for the gradient of the cost over batches of one size.

    Parameters
    ----------
    network : Network
    parameters : (size,) tensor
        Read at every call, never written.
    batch : int
        B, points in a batch.

    Attributes
    ----------
    noisy : (2, B) tensor
        Write ŷ here before calling.
    clean : (2, B) tensor
        Write y here before calling.
    gradient : (size,) tensor
        ∂C/∂parameters, written by every call.
    """

    def __init__(self, network: Network, parameters: Tensor, batch: int) -> None:
        dtype = parameters.dtype
        self.f = network.f
        self.gradient = torch.zeros_like(parameters)
        self.W = network.matrices(parameters)  # (n_l, n_{l−1} + 1)
        self.dW = network.matrices(self.gradient)
        self.A = [torch.ones(n + 1, batch, dtype=dtype) for n in network.widths[:-1]]  # A_0 … A_{L−1}
        self.Z = [torch.empty(n, batch, dtype=dtype) for n in network.widths[1:]]  # Z_1 … Z_L
        self.delta = [torch.empty_like(z) for z in self.Z]
        self.noisy = self.A[0][:-1]
        self.clean = torch.empty_like(self.noisy)

        # Views made once: taking them at every step costs as much as the small products.
        self._hidden = [(z, a[:-1]) for z, a in zip(self.Z, self.A[1:], strict=False)]
        self._A_T = [a.t() for a in self.A]
        self._W_T = [w[:, :-1].t() for w in self.W]
        self._scale = 2.0 / batch
        self._flat_residual = self.delta[-1].view(-1)

    def __call__(self) -> Tensor:
        """Write `gradient` for the points in `noisy` and `clean`; return C·B as a tensor ()."""
        f, A, Z, delta = self.f, self.A, self.Z, self.delta
        for l, (z, a) in enumerate(self._hidden):  # noqa: E741  (l is the layer in the formulas)
            torch.mm(self.W[l], A[l], out=z)
            f.forward(z, a)
        torch.mm(self.W[-1], A[-1], out=Z[-1])

        residual = torch.sub(Z[-1], self.clean, out=delta[-1])
        cost = torch.dot(self._flat_residual, self._flat_residual)
        residual.mul_(self._scale)

        for l in range(len(self.W) - 1, 0, -1):  # noqa: E741
            torch.mm(delta[l], self._A_T[l], out=self.dW[l])
            torch.mm(self._W_T[l], delta[l], out=delta[l - 1])
            z, a = self._hidden[l - 1]
            f.backward(delta[l - 1], z, a, delta[l - 1])
        torch.mm(delta[0], self._A_T[0], out=self.dW[0])
        return cost
