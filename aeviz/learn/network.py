"""The network: its parameters in one flat tensor, and what it does to the plane."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from aeviz.core.architecture import Architecture
from aeviz.core.manifolds import FloatArray
from aeviz.core.truth import largest_eigenvalue
from aeviz.learn.activations import ACTIVATIONS, Activation, Buffer

_COLUMNS = 120  # places in one block: at 64 × 64, OpenBLAS multiplies up to 240 without repacking them
_BLOCKS = 8  # blocks passed at once: their buffers stay in the processor's cache


class Map(NamedTuple):
    """Displacement r(x) − x, (M, 2), in data units; ambiguity λ_max(sym J_r), (M,); curl J₂₁ − J₁₂, (M,)."""

    displacement: FloatArray
    ambiguity: FloatArray
    curl: FloatArray


class Network(Architecture):
    """An architecture whose parameters are a flat tensor, and what it does to the plane."""

    __slots__ = ()

    @property
    def f(self) -> Activation:
        """The nonlinearity of all layers but the last, and but that of a sampled code."""
        return ACTIVATIONS[self.activation]

    @property
    def g(self) -> Activation:
        """The nonlinearity of the last layer."""
        return ACTIVATIONS[self.output]

    def nonlinearity(self, layer: int) -> Activation:
        """That of layer l = 1 … L."""
        return ACTIVATIONS[self.function(layer)]

    def matrices(self, flat: Tensor) -> list[Tensor]:
        """The layers' parts as views into a flat tensor (size,)."""
        parts = torch.split(flat, [rows * columns for rows, columns in self.shapes])
        return [part.view(shape) for part, shape in zip(parts, self.shapes, strict=True)]

    def layers(self, flat: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Weights (n_l, n_{l−1}) and bias (n_l, 1) of each layer, as views into a flat tensor."""
        return self.layers_of(self.matrices(flat))

    def log_variance(self, flat: Tensor) -> tuple[Tensor, Tensor]:
        """Weights (d, n_{c−1}) and bias (d, 1) of a sampled code's log σ_h², as views into a flat tensor."""
        return self.log_variance_of(self.matrices(flat))

    def initial(self, data: FloatArray, generator: torch.Generator) -> Tensor:
        """Draw initial parameters, (size,).

        The first layer is laid over the data: each unit's transition line passes through a random
        place of the data's box, in a random direction. Default initialisation puts most lines
        outside and needs about thirty times the steps to the same excess risk. The later layers are
        drawn with variance 1 / fan-in (LeCun et al. 1998). Tied weights cannot be steep at one end
        and small at the other: there W_1ᵀ W_1 ≈ 1, and the network starts near the identity.
        """
        flat = torch.zeros(self.size)
        first, *later = self.matrices(flat)
        units = first.shape[0]
        uniform = torch.rand(units, 4, generator=generator, dtype=torch.float64)
        data = (data - self.centre) / self.unit
        low, high = torch.from_numpy(data.min(axis=0)), torch.from_numpy(data.max(axis=0))
        place = low + (high - low) * uniform[:, :2]
        angle = 2.0 * math.pi * uniform[:, 2:3]
        least, most = (math.sqrt(2.0 / self.widths[1]),) * 2 if self.tied else self.nonlinearity(1).steepness
        normal = (least + (most - least) * uniform[:, 3:]) * torch.cat((angle.cos(), angle.sin()), dim=1)
        first[:, :2] = normal
        first[:, 2] = -(normal * place).sum(dim=1)
        for matrix in (each for each in later if each.shape[1] > 1):
            matrix[:, :-1].normal_(generator=generator).div_(math.sqrt(matrix.shape[1] - 1))
        if self.sampled:
            for part in self.log_variance(flat):
                part.zero_()  # σ_h = 1 everywhere
        return flat

    def reconstruct(self, flat: Tensor, x: FloatArray) -> FloatArray:
        """r(x) of places x, (M, 2) to (M, 2), in data units."""
        return self._pass(flat, x, jacobian=False)[0]

    def encode(self, flat: Tensor, x: FloatArray) -> FloatArray:
        """Enc(x) of places x, (M, 2) to (M, d)."""
        return self._through(flat, ((x - self.centre) / self.unit).T, 1, self.code).T

    def decode(self, flat: Tensor, h: FloatArray) -> FloatArray:
        """Dec(h) of codes h, (M, d) to (M, 2), in data units."""
        found = self._through(flat, h.T, self.code + 1, len(self.widths) - 1)
        return found.T * self.unit + self.centre

    @np.errstate(over="ignore", invalid="ignore")
    def _through(self, flat: Tensor, a: FloatArray, first: int, last: int) -> FloatArray:
        """What the layers from the first to the last make of a, (n, M)."""
        layers = self.layers(flat.cpu())
        for l in range(first, last + 1):  # noqa: E741  (l is the layer in the formulas)
            W, b = (part.numpy() for part in layers[l - 1])
            z = W @ a.astype(W.dtype, copy=False)
            z += b
            a = np.empty_like(z)
            self.nonlinearity(l).forward(z, a)
        return a.astype(np.float64)

    def field(self, flat: Tensor, x: FloatArray) -> Map:
        """What the network does round the places x, (M, 2)."""
        reconstruction, J = self._pass(flat, x, jacobian=True)
        ambiguity = largest_eigenvalue(J[0, 0], J[1, 1], 0.5 * (J[0, 1] + J[1, 0]))
        return Map(reconstruction - x, ambiguity.astype(np.float64), (J[1, 0] - J[0, 1]).astype(np.float64))

    @np.errstate(over="ignore", invalid="ignore")  # weights that have exploded may be looked at
    def _pass(self, flat: Tensor, x: FloatArray, *, jacobian: bool) -> tuple[FloatArray, Buffer]:
        """r(x), (M, 2), and, if asked for, its Jacobian J[i, j, m] = ∂r_i/∂x_j, (2, 2, M), forward mode.

        The places are worked through feature-major, in blocks (K, n, b). With D_l = diag f′(Z_l), the
        tangents are T_1 = D_1 W_1 and T_l = D_l W_l T_{l−1}, one (K, n, b) for each direction j. T_1 is
        never made: W_2 T_1 = (W_2 diag W_1) f′(Z_1) scales 64 columns instead of every place.
        """
        layers = [(W.numpy(), b.numpy()) for W, b in self.layers(flat.cpu())]  # views, unless on a GPU
        blocks, dtype = max(1, -(-len(x) // _COLUMNS)), layers[0][0].dtype
        columns = max(1, -(-len(x) // blocks))
        places = np.zeros((2, blocks * columns), dtype)
        places[:, : len(x)] = ((x - self.centre) / self.unit).T
        first = layers[0][0]
        found, J = np.empty_like(places), np.empty((2, 2 if jacobian else 0, blocks * columns), dtype)
        for start in range(0, blocks * columns, _BLOCKS * columns):
            some = slice(start, start + _BLOCKS * columns)
            a = np.ascontiguousarray(_in_blocks(places[:, some], columns))
            slope, tangents = None, []
            for l, (W, b) in enumerate(layers):  # noqa: E741  (l + 1 is the layer in the formulas)
                f = self.nonlinearity(l + 1)
                z = W @ a
                z += b
                a = np.empty_like(z)
                f.forward(z, a)
                if not jacobian:
                    continue
                if l == 1:
                    tangents = [(W * first[:, j]) @ slope for j in (0, 1)]
                elif l > 1:
                    tangents = [W @ tangent for tangent in tangents]
                slope = z
                f.slope(z, a, slope)
                for tangent in tangents:
                    tangent *= slope
            _in_blocks(found[:, some], columns)[...] = a
            for j, tangent in enumerate(tangents):
                _in_blocks(J[:, j, some], columns)[...] = tangent
        return found[:, : len(x)].T * self.unit + self.centre, J[..., : len(x)]


def _in_blocks(rows: Buffer, columns: int) -> Buffer:
    """Rows (n, K·b) as blocks (K, n, b), on the same memory."""
    return rows.reshape(len(rows), -1, columns).swapaxes(0, 1)
