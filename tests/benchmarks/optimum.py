"""Seconds of training until the excess risk stays below 5 % and below 1 %.

    python tests/benchmarks/optimum.py [SEEDS]

aeviz at its default settings over the noise, against the plain script that everyone writes (nn.Sequential
with torch's default initialisation, Adam at the best of three learning rates, same widths, no averaging).
Only training is timed, not the measuring.
"""

from __future__ import annotations

import itertools
import math
import sys
import time
from collections.abc import Callable, Iterator

import numpy as np
import torch

from aeviz.core.manifolds import clean_data
from aeviz.core.metrics import Probe
from aeviz.core.settings import Settings
from aeviz.learn.training import Training

LEVELS = (0.05, 0.01)
NOISES = (0.1, 0.15, 0.25, 0.35, 0.5)
EVERY = 10  # steps between two measurements
OURS, PLAIN = 3_000, 20_000  # steps given to each
RATES = (1e-3, 3e-3, 1e-2)

Contestant = Iterator[Callable[[np.ndarray], np.ndarray]]
"""Trains `EVERY` steps at each turn and yields its reconstruction (M, 2) → (M, 2)."""


def ours(settings: Settings) -> Contestant:
    """aeviz: what it shows, the averaged weights."""
    training = Training(settings, clean_data(settings))
    epochs = training.epochs()
    while True:
        for _ in range(EVERY):
            next(epochs)
        yield lambda x: training.network.reconstruct(training.average, x)


def plain(settings: Settings, rate: float) -> Contestant:
    """The plain script."""
    torch.manual_seed(settings.seed)
    layers: list[torch.nn.Module] = []
    for n_in, n_out in itertools.pairwise(settings.widths):
        layers += [torch.nn.Linear(n_in, n_out), torch.nn.Tanh()]
    network = torch.nn.Sequential(*layers[:-1])
    optimiser = torch.optim.Adam(network.parameters(), lr=rate)
    y = torch.from_numpy(clean_data(settings)).float()

    def reconstruct(x: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return network(torch.from_numpy(x).float()).double().numpy()

    while True:
        for _ in range(EVERY):
            loss = (network(y + settings.noise * torch.randn_like(y)) - y).square().sum(dim=1).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        yield reconstruct


def race(contestant: Contestant, settings: Settings, steps: int) -> list[tuple[float, float]]:
    """Steps and seconds after which the excess risk stays below each level; infinite where it does not."""
    probe = Probe.of(settings, clean_data(settings))
    assert probe is not None
    seconds, course = 0.0, []
    for _ in range(steps // EVERY):
        began = time.perf_counter()
        reconstruct = next(contestant)
        seconds += time.perf_counter() - began
        course.append((seconds, probe.excess_risk(reconstruct(probe.noisy))))
    times, risks = np.array(course).T
    reached = []
    for level in LEVELS:
        above = np.flatnonzero(~(risks < level))
        first = above[-1] + 1 if len(above) else 0
        reached.append(((first + 1) * EVERY, times[first]) if first < len(risks) else (math.inf, math.inf))
    return reached


def main(seeds: int) -> None:
    """Print both tables."""
    torch.set_num_threads(1)
    print(f"aeviz, default settings, {seeds} seeds: median (worst)")
    for noise in NOISES:
        runs = np.array([
            race(ours(settings), settings, OURS)
            for settings in (Settings(noise=noise, seed=seed) for seed in range(seeds))
        ])  # fmt: skip
        cells = [
            f"{level:4.0%} after {np.median(runs[:, k, 0]):5.0f} ({runs[:, k, 0].max():5.0f}) steps, "
            f"{np.median(runs[:, k, 1]):.3f} ({runs[:, k, 1].max():.3f}) s"
            for k, level in enumerate(LEVELS)
        ]
        print(f"  σ = {noise:4}:  " + ";  ".join(cells))
    settings = Settings()
    best = min((race(plain(settings, rate), settings, PLAIN) for rate in RATES), key=lambda each: each[0])
    mine = np.median([
        race(ours(each), each, OURS)[0][1] for each in (Settings(seed=seed) for seed in range(seeds))
    ])  # fmt: skip
    (steps, seconds), (_, to_one) = best
    print(f"plain script at its best rate, σ = 0.25: 5 % after {steps:.0f} steps, {seconds:.1f} s; "
          f"1 % after {to_one:.1f} s; aeviz is {seconds / mine:.0f} times sooner at 5 %")  # fmt: skip


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
