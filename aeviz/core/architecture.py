"""The network's shape: which weight lies where in the flat vector of parameters, and where f and g act."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Protocol, Self, TypeVar

import numpy as np

from aeviz.core.manifolds import FloatArray
from aeviz.core.settings import Settings

_ROUNDING = 8.0 * float(np.finfo(np.float64).eps)  # of a number: equal points lie nearer to their mean


class Matrix(Protocol):
    """An array of two axes, numpy's or torch's."""

    @property
    def T(self) -> Any: ...
    def __getitem__(self, key: Any, /) -> Any: ...


AnyMatrix = TypeVar("AnyMatrix", bound=Matrix)


@dataclass(frozen=True, slots=True)
class Architecture:
    """An autoencoder's shape: r(x) = g(W_L f(… f(W_1 x + b_1) …) + b_L).

    All parameters lie in one flat vector, layer after layer; layer l's part is a matrix
    (n_l, n_{l−1} + 1) whose last column is the bias, to be multiplied with activations that carry a
    row of ones. With tied weights W_{L+1−l} = W_lᵀ, and the decoder's part holds its biases alone.

    Attributes
    ----------
    widths : tuple of int
        n_0 = 2, …, n_L = 2.
    activation, output : str
        f of all layers but the last, and g of the last.
    tied : bool
        The decoder's weights are the encoder's, transposed; widths must be a palindrome.
    code : int
        Index in `widths` of the code h, which is neither first nor last.
    sampled : bool
        The code is drawn from a Gaussian, h ~ N(μ, diag σ_h²) (Kingma and Welling 2014): the layer that makes
        it is affine and gives the means μ, then log σ_h², so that its part has 2d rows. r(x) takes h = μ.
    centre, unit : (x, y) and float
        The network works in coordinates (x − centre) / unit, in which the data have mean 0 and
        standard deviation 1: one learning rate then serves data of every size and place.
    """

    widths: tuple[int, ...]
    activation: str
    output: str = "identity"
    tied: bool = False
    code: int = 1
    centre: tuple[float, float] = (0.0, 0.0)
    unit: float = 1.0
    sampled: bool = False

    @classmethod
    def of(cls, settings: Settings, data: FloatArray) -> Self:
        """The network that these settings describe, for these clean points (N, 2)."""
        plain = cls.plain(settings)
        if plain.output != "identity":  # whose range is meant in data units
            return plain
        mean = data.mean(axis=0)
        unit = math.sqrt(0.5 * float(np.square(data - mean).sum(axis=1).mean()))
        alike = unit <= _ROUNDING * float(np.abs(data).max())
        return replace(plain, centre=(float(mean[0]), float(mean[1])), unit=1.0 if alike else unit)

    @classmethod
    def plain(cls, settings: Settings) -> Self:
        """The same in data units, whatever the points are: enough for what its shape alone decides."""
        return cls(
            settings.widths, settings.activation,
            "sigmoid" if settings.cost == "bce" else settings.output, settings.tied,
            len(settings.hidden) + 1, sampled=settings.regulariser == "variational",
        )  # fmt: skip

    def function(self, layer: int) -> str:
        """The name of the nonlinearity of layer l = 1 … L."""
        if layer == len(self.widths) - 1:
            return self.output
        return "identity" if self.sampled and layer == self.code else self.activation

    @property
    def shapes(self) -> list[tuple[int, int]]:
        """Shapes of the layers' parts, biases included."""
        rows = [*self.widths]
        rows[self.code] *= 2 if self.sampled else 1
        whole = [(n_out, n_in + 1) for n_in, n_out in zip(self.widths, rows[1:], strict=False)]
        if not self.tied:
            return whole
        half = len(whole) // 2
        return whole[:half] + [(n_out, 1) for n_out, _ in whole[half:]]

    @property
    def size(self) -> int:
        """Number of parameters."""
        return sum(rows * columns for rows, columns in self.shapes)

    def layers_of(self, matrices: list[AnyMatrix]) -> list[tuple[AnyMatrix, AnyMatrix]]:
        """Weights (n_l, n_{l−1}) and bias (n_l, 1) of each layer, as views of the layers' parts."""
        parts = [*matrices]
        if self.sampled:
            parts[self.code - 1] = parts[self.code - 1][: self.widths[self.code]]
        weights = [part[:, :-1] for part in parts]
        if self.tied:
            half = len(parts) // 2
            weights[half:] = [W.T for W in reversed(weights[:half])]
        return [(W, part[:, -1:]) for W, part in zip(weights, parts, strict=True)]

    def log_variance_of(self, matrices: list[AnyMatrix]) -> tuple[AnyMatrix, AnyMatrix]:
        """Weights (d, n_{c−1}) and bias (d, 1) of a sampled code's log σ_h², as views of its layer's part."""
        part = matrices[self.code - 1][self.widths[self.code] :]
        return part[:, :-1], part[:, -1:]
