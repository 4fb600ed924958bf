"""How near a network is to the best possible: distance to the exact denoiser, agreement of the midlines."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from aeviz.core.metrics import Quality, Reference
from aeviz.learn.network import Network


def measure(network: Network, average: Tensor, reference: Reference, threshold: float) -> Quality:
    """Measure a network against the exact denoiser.

    Parameters
    ----------
    average : (size,) tensor
        The weights that are shown.
    threshold : float
        τ, above which a place is ambiguous.
    """
    places = np.concatenate((reference.grid.points, reference.midline.searched))
    ambiguity = network.field(average, places).ambiguity
    cells = reference.near.size
    return reference.quality(
        network.reconstruct(average, reference.probe.noisy),
        ambiguity[:cells].reshape(reference.grid.shape), ambiguity[cells:], threshold,
    )  # fmt: skip
