"""The gradient of one batch, written out by hand beside its formulas.

A batch of B noisy points is kept feature-major: A_0 = [ŷ; 1] is (3, B), its last row ones, so that
W_l carries its bias as a last column. With f the activation, g the output and h = f(Z_c) the code,

    forward     Z_l = W_l A_{l−1},    A_l = [f(Z_l); 1],    ỹ = g(Z_L)
    loss        F̄ = Σ [C(y, ỹ) + λ R(h)] / B
    squared     C = ‖ỹ − y‖²,                       δ_L = 2 (ỹ − y) ⊙ g′(Z_L) / B
    bce         C = Σ log(1 + exp Z_L) − y Z_L,     δ_L = (ỹ − y) / B,  where g is the sigmoid
    backward    ∂F̄/∂W_l = δ_l A_{l−1}ᵀ,    δ_{l−1} = (Ŵ_lᵀ δ_l + [l − 1 = c] λ R′(h) / B) ⊙ f′(Z_{l−1})

where δ_l = ∂F̄/∂Z_l, Ŵ is W without its bias column, and R′ is sign h (l1) or 2h (l2).

Every product is written into a buffer that was made once: the usual loop (nn.Module, autograd, Adam)
spends most of its time on the bookkeeping left out here. The products go through NumPy's OpenBLAS, on
the memory of torch's tensors. Three things make them fast (tests/benchmarks/step.py has the numbers):
columns come in blocks small enough for OpenBLAS to multiply without repacking them; the A_{l−1} of a
hidden layer is transposed by a copy before its product with δ_l, for which OpenBLAS would take half as
long again as for the others; and a large batch is worked through in parts whose buffers stay in the
processor's cache.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from functools import partial

import numpy as np
import torch
from torch import Tensor

from aeviz.learn.activations import Buffer
from aeviz.learn.loss import Loss
from aeviz.learn.network import Network

Call = Callable[[], object]
_NONE: Buffer = np.empty(0)

UNPACKED = 1_000_000  # multiply-adds: OpenBLAS has kernels for products up to this that repack nothing
_NARROW = 32  # columns: blocks more narrow than this gain nothing
_CACHED = 100_000  # numbers in all layers of a part: with Z and δ, and as float32, 1 MB of cache
_WIDE = 256  # columns: the least of a part, so that wide layers' weights are read seldom


def covers(network: Network, loss: Loss) -> bool:
    """Whether the formulas above hold for this network and loss."""
    return loss.regulariser in ("none", "l1", "l2") and not network.tied and not network.sampled


class BatchGradient:
    """Buffers and formulas for the gradient of the loss over batches of one size.

    Parameters
    ----------
    network : Network
    loss : Loss
    parameters : (size,) tensor
        Read at every call, never written.
    blocks, columns : int
        The batch comes in so many blocks K of so many columns b. All buffers are (rows, b), or
        (K, rows, b) where there are several blocks.
    batch : int
        B, over which the loss is averaged; K·b unless this is a part of a larger batch.

    Attributes
    ----------
    strength : float
        λ, which may be changed between calls.
    noisy, clean : (2, b) or (K, 2, b) arrays
        Write ŷ and y here before calling, in the network's coordinates.
    gradient : (size,) tensor
        ∂F̄/∂parameters, written by every call.
    penalty : float
        Σ λ R(h) of the last call.
    """

    def __init__(
        self, network: Network, loss: Loss, parameters: Tensor, blocks: int, columns: int, batch: int
    ) -> None:
        self.f, self.g = network.f, network.g
        self._regulariser = None if loss.regulariser == "none" else _Regulariser(loss, batch)
        self.strength, self.penalty = loss.strength, 0.0
        self.gradient = torch.zeros_like(parameters)
        self.code_eps = np.empty((0, blocks * columns), np.float32)  # no code is sampled here
        self._code, self._last = network.code, len(network.widths) - 1
        self._bounded = network.output != "identity"
        W = [matrix.numpy() for matrix in network.matrices(parameters)]  # W_1 … W_L, (n_l, n_{l−1} + 1)
        lead, dtype, n = (blocks,) if blocks > 1 else (), W[0].dtype, network.widths
        self._two_over_B = np.array(2.0 / batch, dtype)  # NumPy takes 0.3 µs longer for a Python number

        def buffers(rows: Iterable[int]) -> list[Buffer]:
            return [torch.ones(*lead, each, columns, dtype=parameters.dtype).numpy() for each in rows]

        # From here on, index l is layer l of the formulas; there are no Z_0, δ_0 and W_0.
        self._W = [_NONE, *W]
        self._A = buffers(width + 1 for width in n[:-1])  # A_0 … A_{L−1}
        # Views made once: taking them at every step costs as much as the small products.
        self._f_Z = [a[..., :-1, :] for a in self._A]
        self._A_T = [a.swapaxes(-1, -2) for a in self._A]
        self.noisy, (self.clean, self._output), self._delta = self._f_Z[0], buffers((2, 2)), buffers(n)
        self._Z = [*(buffers(n[:-1]) if self.f.needs_z else self._f_Z), *buffers(n[-1:])]
        # What is needed for a moment shares one buffer: less memory is more of it in the nearest cache.
        scratch = np.concatenate([each.ravel() for each in buffers([max(n) + 1])])
        self._slope = [scratch[: z.size].reshape(z.shape) for z in self._Z]
        self._A_T_copy = [scratch[: a.size].reshape(a.shape) for a in self._A_T]
        self._W_T = [_NONE, *(w[:, :-1].T for w in W)]
        self._parts = np.zeros((*lead, network.size), dtype) if lead else self.gradient.numpy()
        ends = itertools.accumulate((w.size for w in W), initial=0)
        self._dW = [_NONE, *(
            self._parts[..., start:end].reshape(*lead, *w.shape)  # of each block
            for w, (start, end) in zip(W, itertools.pairwise(ends), strict=True)
        )]  # fmt: skip
        # Bound to their buffers once: Python's own share of a step is half of what it is otherwise.
        self._forward, self._backward = [*self._forward_calls()], [*self._backward_calls()]
        # Nothing that is kept here knows this object: else it would stay until garbage is collected.
        self._cost = BatchGradient._squared if loss.cost == "squared" else BatchGradient._cross_entropy

    @property
    def strength(self) -> float:
        """λ."""
        return self._strength

    @strength.setter
    def strength(self, strength: float) -> None:
        self._strength = strength
        if self._regulariser is not None:
            self._regulariser.strength = strength

    @np.errstate(over="ignore", invalid="ignore")  # divergence is told by the loss, not by warnings
    def __call__(self) -> float:
        """Write `gradient` for the points in `noisy` and `clean`; return the sum of their F."""
        for call in self._forward:
            call()
        total = self._cost(self)
        for call in self._backward:
            call()
        if self._regulariser is not None:
            self.penalty = self._regulariser.sum
        return total + self.penalty

    def _forward_calls(self) -> Iterator[Call]:
        W, A, Z, f_Z, last = self._W, self._A, self._Z, self._f_Z, self._last
        for l in range(1, last):  # noqa: E741  (l is the layer in the formulas)
            yield partial(np.matmul, W[l], A[l - 1], out=Z[l])
            yield partial(self.f.forward, Z[l], f_Z[l])
        yield partial(np.matmul, W[last], A[last - 1], out=Z[last])

    def _backward_calls(self) -> Iterator[Call]:
        W_T, A_T, Z, f_Z, delta, dW, last = (
            self._W_T, self._A_T, self._Z, self._f_Z, self._delta, self._dW, self._last
        )  # fmt: skip
        yield partial(np.matmul, delta[last], A_T[last - 1], out=dW[last])
        for l in range(last - 1, 0, -1):  # noqa: E741
            yield partial(np.matmul, W_T[l + 1], delta[l + 1], out=delta[l])
            if l == self._code and self._regulariser is not None:
                yield partial(self._regulariser, f_Z[l], delta[l])
            yield partial(self.f.slope, Z[l], f_Z[l], self._slope[l])
            yield partial(np.multiply, delta[l], self._slope[l], out=delta[l])
            if l > 1:
                yield partial(np.copyto, self._A_T_copy[l - 1], A_T[l - 1])
            yield partial(np.matmul, delta[l], (self._A_T_copy if l > 1 else A_T)[l - 1], out=dW[l])
        if self._parts.ndim > 1:
            yield partial(np.add.reduce, self._parts, axis=0, out=self.gradient.numpy())

    def _squared(self) -> float:
        """Write δ_L; return Σ ‖ỹ − y‖²."""
        z, delta = self._Z[-1], self._delta[-1]
        if self._bounded:
            self.g.forward(z, self._output)
        np.subtract(self._output if self._bounded else z, self.clean, out=delta)
        residual = delta.reshape(-1)
        cost = float(np.dot(residual, residual))
        np.multiply(delta, self._two_over_B, out=delta)
        if self._bounded:
            self.g.slope(z, self._output, z)
            np.multiply(delta, z, out=delta)
        return cost

    def _cross_entropy(self) -> float:
        """Write δ_L; return Σ log(1 + exp Z_L) − y Z_L."""
        z, delta = self._Z[-1], self._delta[-1]
        cost = float(np.logaddexp(0.0, z).sum() - np.vdot(self.clean, z))
        self.g.forward(z, self._output)
        np.subtract(self._output, self.clean, out=delta)
        np.multiply(delta, 0.5 * self._two_over_B, out=delta)
        return cost


class _Regulariser:
    """R(h), l1 or l2: adds λ R′(h) / B to ∂F̄/∂h, and notes the sum of λ R(h)."""

    def __init__(self, loss: Loss, batch: int) -> None:
        self.strength, self.sum = loss.strength, 0.0
        self._is_l1, self._batch = loss.regulariser == "l1", batch

    def __call__(self, h: Buffer, delta: Buffer) -> None:
        strength = self.strength
        if self._is_l1:
            delta += strength / self._batch * np.sign(h)
            self.sum = strength * float(np.abs(h).sum())
        else:
            delta += 2.0 * strength / self._batch * h
            self.sum = strength * float(np.square(h).sum())


def division(network: Network, batch: int) -> list[tuple[int, int]]:
    """Blocks and columns of each part in which a batch of B points is fast."""
    columns, block = max(_WIDE, _CACHED // sum(network.widths)), _block(network)
    part = (max(1, columns // block), block) if _NARROW <= block < columns else (1, columns)
    size = part[0] * part[1]
    if batch <= 2 * size:  # two parts in one cost less than two calls
        counts = range(-(-batch // block), batch // _NARROW + 1)
        blocks = next((count for count in counts if batch % count == 0), 1)  # of the same size
        return [(blocks, batch // blocks)]
    whole, rest = divmod(batch, size)
    return [part] * whole + ([(1, rest)] if rest else [])


def _block(network: Network) -> int:
    """Columns of which OpenBLAS multiplies a block without repacking it."""
    return max(1, UNPACKED // max(rows * columns for rows, columns in network.shapes))
