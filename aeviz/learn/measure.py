"""The numbers of a training: loss, distance to the exact denoiser, agreement of the midlines."""

from __future__ import annotations

from aeviz.core.corruption import shown_noisy
from aeviz.core.field import Field, Grid
from aeviz.core.manifolds import FloatArray
from aeviz.core.metrics import Metrics, Probe, midline_iou
from aeviz.learn.training import Training


def measure(training: Training, data: FloatArray, seconds: float) -> Metrics:
    """Measure a training on its probe set and on the grid of the first view.

    Parameters
    ----------
    data : (N, 2) array
        The clean points that it is trained on.
    seconds : float
        Time spent in training.
    """
    settings, network, average = training.settings, training.network, training.average
    grid, noisy = Grid.home(settings), shown_noisy(settings, data)
    displacement, ambiguity = network.field(average, grid.points)
    field = Field(
        grid, displacement.reshape(*grid.shape, 2), ambiguity.reshape(grid.shape),
        data, noisy, network.reconstruct(average, noisy), training.epoch, settings.noise,
    )  # fmt: skip
    probe = Probe.of(settings, data)
    return Metrics(
        epoch=training.epoch,
        loss=training.loss,
        bayes_floor=probe.bayes_floor if probe else None,
        excess_risk=probe.excess_risk(network.reconstruct(average, probe.noisy)) if probe else None,
        midline_iou=midline_iou(field, settings.threshold),
        train_seconds=seconds,
        steps_per_second=training.steps / seconds if seconds else 0.0,
    )
