"""Particles that make a denoiser visible: they drift along its arrows, or sample by walking back.

Walk-back (Bengio, Yao, Alain and Vincent 2013, "Generalized denoising auto-encoders as generative
models"): corrupt and reconstruct, again and again. Their chain draws from the posterior of the clean
point; here its mean is taken, x ← r(x + σε), so it is narrower. Wherever it starts, it comes to the data
and then wanders along them.
"""

from __future__ import annotations

import numpy as np

from aeviz.core.corruption import Corruption, draw
from aeviz.core.manifolds import FloatArray
from aeviz.core.marks import Point, Reconstruct

RATE = 0.06  # of its arrow that a drifting particle goes in one step
LIVES = 40, 160  # steps after which a drifting particle begins anew somewhere else, least and most
FOR_EVER = 2**40, 2**41
TAIL = 6  # steps that a particle's streak reaches back
_STREAM = 5  # keeps these draws apart from the other draws of the same seed


class Flow:
    """Particles of one run, moved step by step; with a `start`, all begin there."""

    def __init__(self, kind: str, count: int, seed: int, start: Point | None) -> None:
        self._kind, self._start = kind, start
        self._rng = np.random.default_rng((seed, _STREAM))
        self._places = np.empty((count, 2))
        self._left = np.zeros(count, dtype=np.int64)  # steps that each has to live
        self._tails: list[FloatArray] = []

    def step(
        self, reconstruct: Reconstruct, corrupt: Corruption, view: tuple[float, float, float, float]
    ) -> FloatArray:
        """Move all particles once.

        Parameters
        ----------
        view : (x0, x1, y0, y1)
            Where they begin, unless all begin at one place.

        Returns
        -------
        (M, 2, 2) array
            For each, where it was some steps ago and where it is, in data units.
        """
        self._begin(view)
        if self._kind == "drift":
            moved = self._places + RATE * (reconstruct(self._places) - self._places)
        else:
            eps = draw(self._rng, corrupt.kind, len(self._places))
            moved = reconstruct(corrupt(self._places, eps))
        lost = ~np.isfinite(moved).all(axis=1)
        self._left[lost] = 0
        moved[lost] = self._places[lost]
        self._tails = [*self._tails[1 - TAIL :], self._places]
        self._places = moved
        return np.stack((self._tails[0] if self._kind == "drift" else moved, moved), axis=1)

    def _begin(self, view: tuple[float, float, float, float]) -> None:
        born = np.flatnonzero(self._left <= 0)
        x0, x1, y0, y1 = view
        self._places[born] = self._start or self._rng.uniform((x0, y0), (x1, y1), (len(born), 2))
        for tail in self._tails:
            tail[born] = self._places[born]
        least, most = LIVES if self._kind == "drift" else FOR_EVER
        if not self._tails:
            least = 1  # so that not all end at once
        self._left[born] = self._rng.integers(least, most, len(born))
        self._left -= 1
