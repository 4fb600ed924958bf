"""How near a network is to the best possible: distance to the exact denoiser, agreement of the midlines."""

from __future__ import annotations

from torch import Tensor

from aeviz.core.metrics import Quality, Reference
from aeviz.learn.network import Network


def measure(network: Network, average: Tensor, reference: Reference | None, threshold: float) -> Quality:
    """Measure a network against the exact denoiser; without one there is nothing to tell.

    Parameters
    ----------
    average : (size,) tensor
        The weights that are shown.
    threshold : float
        τ, above which a place is ambiguous.
    """
    if reference is None:
        return Quality()
    _, ambiguity = network.field(average, reference.grid.points)
    at_probe = network.reconstruct(average, reference.probe.noisy)
    return reference.quality(at_probe, ambiguity.reshape(reference.grid.shape), threshold)
