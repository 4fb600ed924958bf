"""The numbers of a training: loss, distance to the exact denoiser, agreement of the midlines."""

from __future__ import annotations

from torch import Tensor

from aeviz.core.corruption import shown_noisy
from aeviz.core.field import Field, Grid
from aeviz.core.manifolds import FloatArray
from aeviz.core.metrics import Metrics, Probe, midline_iou
from aeviz.core.settings import Settings
from aeviz.learn.network import Network


def measure(
    network: Network, average: Tensor, settings: Settings, data: FloatArray,
    *, epoch: int, loss: float, steps: int, seconds: float,
) -> Metrics:  # fmt: skip
    """Measure a network on its probe set and on the grid of the first view.

    Parameters
    ----------
    average : (size,) tensor
        The weights that are shown.
    data : (N, 2) array
        The clean points that it is trained on.
    epoch, loss, steps, seconds
        Epochs done, the last one's loss, steps done, and the time spent in training.
    """
    grid, noisy = Grid.home(settings), shown_noisy(settings, data)
    displacement, ambiguity = network.field(average, grid.points)
    field = Field(
        grid, displacement.reshape(*grid.shape, 2), ambiguity.reshape(grid.shape),
        data, noisy, network.reconstruct(average, noisy), epoch, settings.noise,
    )  # fmt: skip
    probe = Probe.of(settings, data)
    return Metrics(
        epoch=epoch,
        loss=loss,
        bayes_floor=probe.bayes_floor if probe else None,
        excess_risk=probe.excess_risk(network.reconstruct(average, probe.noisy)) if probe else None,
        midline_iou=midline_iou(field, settings.threshold),
        train_seconds=seconds,
        steps_per_second=steps / seconds if seconds else 0.0,
    )
