"""The network: its shape, its parameters in one flat tensor, and what it does to the plane."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from aeviz.core.manifolds import FloatArray
from aeviz.core.settings import Settings
from aeviz.core.truth import largest_eigenvalue
from aeviz.learn.activations import ACTIVATIONS, Activation

_PLACES = 4_096  # places of the plane passed at once: their buffers stay in the processor's cache


@dataclass(frozen=True, slots=True)
class Network:
    """An autoencoder's shape: r(x) = W_L f(… f(W_1 x + b_1) …) + b_L.

    All parameters lie in one flat tensor, layer after layer; layer l's part is a matrix
    (n_l, n_{l−1} + 1) whose last column is the bias, to be multiplied with activations that carry a
    row of ones.
    """

    widths: tuple[int, ...]
    activation: str

    @classmethod
    def of(cls, settings: Settings) -> Network:
        """The network that these settings describe."""
        return cls(settings.widths, settings.activation)

    @property
    def f(self) -> Activation:
        """The nonlinearity of all layers but the last."""
        return ACTIVATIONS[self.activation]

    @property
    def shapes(self) -> list[tuple[int, int]]:
        """Shapes of the layers' matrices, biases included."""
        return [(n_out, n_in + 1) for n_in, n_out in zip(self.widths, self.widths[1:], strict=False)]

    @property
    def size(self) -> int:
        """Number of parameters."""
        return sum(rows * columns for rows, columns in self.shapes)

    def matrices(self, flat: Tensor) -> list[Tensor]:
        """The layers' matrices as views into a flat tensor (size,)."""
        parts = torch.split(flat, [rows * columns for rows, columns in self.shapes])
        return [part.view(shape) for part, shape in zip(parts, self.shapes, strict=True)]

    def initial(self, data: FloatArray, generator: torch.Generator) -> Tensor:
        """Draw initial parameters, (size,).

        The first layer is laid over the data: each unit's transition line passes through a random
        place of the data's box, in a random direction. Default initialisation puts most lines
        outside and needs about thirty times the steps to the same excess risk. The later layers are
        drawn with variance 1 / fan-in (LeCun et al. 1998).
        """
        flat = torch.zeros(self.size)
        first, *later = self.matrices(flat)
        units = first.shape[0]
        uniform = torch.rand(units, 4, generator=generator, dtype=torch.float64)
        low, high = torch.from_numpy(data.min(axis=0)), torch.from_numpy(data.max(axis=0))
        place = low + (high - low) * uniform[:, :2]
        angle = 2.0 * math.pi * uniform[:, 2:3]
        least, most = self.f.slope
        normal = (least + (most - least) * uniform[:, 3:]) * torch.cat((angle.cos(), angle.sin()), dim=1)
        first[:, :2] = normal
        first[:, 2] = -(normal * place).sum(dim=1)
        for matrix in later:
            matrix[:, :-1].normal_(generator=generator).div_(math.sqrt(matrix.shape[1] - 1))
        return flat

    def reconstruct(self, flat: Tensor, x: FloatArray) -> FloatArray:
        """r(x) of places x, (M, 2) to (M, 2), in data units."""
        return self._pass(flat, x, jacobian=False)[0]

    def field(self, flat: Tensor, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Displacement r(x) − x, (M, 2), and ambiguity a(x) = λ_max(sym J_r(x)), (M,)."""
        reconstruction, jacobian = self._pass(flat, x, jacobian=True)
        shear = 0.5 * (jacobian[:, 0, 1] + jacobian[:, 1, 0])
        return reconstruction - x, largest_eigenvalue(jacobian[:, 0, 0], jacobian[:, 1, 1], shear)

    @np.errstate(over="ignore", invalid="ignore")  # weights that have exploded may be looked at
    def _pass(self, flat: Tensor, x: FloatArray, *, jacobian: bool) -> tuple[FloatArray, FloatArray]:
        """r(x) (M, 2) and, if asked for, its Jacobian J[m, i, j] = ∂r_i/∂x_j (M, 2, 2), forward mode."""
        matrices = [matrix.numpy() for matrix in self.matrices(flat)]
        reconstruction, jacobians = np.empty((len(x), 2)), np.empty((len(x) if jacobian else 0, 2, 2))
        for start in range(0, len(x), _PLACES):
            block = slice(start, start + _PLACES)
            a = x[block].T.astype(matrices[0].dtype)  # (2, m)
            tangents = [np.broadcast_to(e, a.shape) for e in np.eye(2, dtype=a.dtype)[:, :, None]]
            for matrix in matrices:
                W, b = matrix[:, :-1], matrix[:, -1:]
                z = W @ a
                z += b
                tangents = [W @ tangent for tangent in tangents] if jacobian else []
                if matrix is not matrices[-1]:
                    a = np.empty_like(z)
                    self.f.forward(z, a)
                    for tangent in tangents:
                        self.f.backward(tangent, z, a, tangent)
            reconstruction[block] = z.T
            if jacobian:
                jacobians[block] = np.stack(tangents, axis=-1).transpose(1, 0, 2)
        return reconstruction, jacobians
