"""The gradient of one batch, written out by hand beside its formulas.

A batch of B noisy points is kept feature-major: A_0 = [ŷ; 1] is (3, B), its last row ones, so that
W_l carries its bias as a last column. With f the activation and C the mean squared cost,

    forward     Z_l = W_l A_{l−1},     A_l = [f(Z_l); 1],     ỹ = Z_L
    cost        C = Σ ‖ỹ − y‖² / B,    δ_L = ∂C/∂Z_L = 2 (ỹ − y) / B
    backward    ∂C/∂W_l = δ_l A_{l−1}ᵀ,    δ_{l−1} = (Ŵ_lᵀ δ_l) ⊙ f′(Z_{l−1})

where Ŵ is W without its bias column. Every product is written into a buffer that was made once: the
usual loop (nn.Module, autograd, Adam) spends most of its time on the bookkeeping left out here. The
products go through NumPy, on the memory of torch's tensors: at 64 × 65 × 151 its OpenBLAS takes 13 µs
where torch takes 17 to 25, and its calls cost half as much.
"""

from __future__ import annotations

import numpy as np
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
    noisy : (2, B) array
        Write ŷ here before calling.
    clean : (2, B) array
        Write y here before calling.
    gradient : (size,) tensor
        ∂C/∂parameters, written by every call.
    """

    def __init__(self, network: Network, parameters: Tensor, batch: int) -> None:
        self.f = network.f
        self.gradient = torch.zeros_like(parameters)
        self._W = [matrix.numpy() for matrix in network.matrices(parameters)]  # (n_l, n_{l−1} + 1)
        self._dW = [matrix.numpy() for matrix in network.matrices(self.gradient)]
        dtype = self._W[0].dtype
        self._A = [np.ones((n + 1, batch), dtype) for n in network.widths[:-1]]  # A_0 … A_{L−1}
        self._Z = [np.empty((n, batch), dtype) for n in network.widths[1:]]  # Z_1 … Z_L
        self._delta = [np.empty_like(z) for z in self._Z]
        self.noisy = self._A[0][:-1]
        self.clean = np.empty_like(self.noisy)
        # Views made once: taking them at every step costs as much as the small products.
        self._activations = [a[:-1] for a in self._A[1:]]
        self._A_T = [a.T for a in self._A]
        self._W_T = [w[:, :-1].T for w in self._W]
        self._residual = self._delta[-1].reshape(-1)
        self._scale = 2.0 / batch

    @np.errstate(over="ignore", invalid="ignore")  # divergence is told by the cost, not by warnings
    def __call__(self) -> float:
        """Write `gradient` for the points in `noisy` and `clean`; return the sum of their costs, C·B."""
        f, W, A, Z, delta = self.f, self._W, self._A, self._Z, self._delta
        last = len(W) - 1
        for l in range(last):  # noqa: E741  (l is the layer in the formulas)
            np.matmul(W[l], A[l], out=Z[l])
            f.forward(Z[l], self._activations[l])
        np.matmul(W[last], A[last], out=Z[last])

        np.subtract(Z[last], self.clean, out=delta[last])
        cost = float(np.dot(self._residual, self._residual))
        np.multiply(delta[last], self._scale, out=delta[last])

        for l in range(last, 0, -1):  # noqa: E741
            np.matmul(delta[l], self._A_T[l], out=self._dW[l])
            np.matmul(self._W_T[l], delta[l], out=delta[l - 1])
            f.backward(delta[l - 1], Z[l - 1], self._activations[l - 1], delta[l - 1])
        np.matmul(delta[0], self._A_T[0], out=self._dW[0])
        return cost
