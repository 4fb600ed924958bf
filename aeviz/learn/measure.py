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
    places, shape = np.concatenate((reference.grid.points, reference.midline.searched)), reference.grid.shape
    found, cells = network.field(average, places), reference.near.size
    probe = reference.probe.noisy if reference.probe else np.empty((0, 2))
    return reference.quality(
        network.reconstruct(average, probe),
        found.displacement[:cells].reshape(*shape, 2), found.ambiguity[:cells].reshape(shape),
        found.ambiguity[cells:], threshold,
    )  # fmt: skip
