"""One training step against the usual torch loop, and against the machine's own matrix products.

    python tests/benchmarks/step.py

One thread, medians of interleaved blocks in one run.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable

import numpy as np
import torch

from aeviz.core.manifolds import clean_data
from aeviz.core.settings import Settings
from aeviz.learn.training import Training

SIZES = (((64,), 64, 151), ((64,), 64, 256), ((32,), 32, 64))  # hidden, code, batch: 2-64-64-2 and so on
BLOCKS, STEPS = 15, 150


def ours(settings: Settings) -> Callable[[], object]:
    """One step of aeviz."""
    data = clean_data(settings)
    epochs = Training(settings, data).epochs()
    return lambda: next(epochs)


def usual(settings: Settings) -> Callable[[], object]:
    """One step of the loop that everyone writes: nn.Module, autograd, torch.optim.Adam."""
    layers: list[torch.nn.Module] = []
    for n_in, n_out in itertools.pairwise(settings.widths):
        layers += [torch.nn.Linear(n_in, n_out), torch.nn.Tanh()]
    network = torch.nn.Sequential(*layers[:-1])
    optimiser = torch.optim.Adam(network.parameters(), lr=settings.learning_rate)
    y = torch.from_numpy(clean_data(settings)).float()

    def step() -> None:
        noisy = y + settings.noise * torch.randn_like(y)
        loss = (network(noisy) - y).square().sum(dim=1).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    return step


def products(settings: Settings) -> Callable[[], object]:
    """The matrix products of one step alone: what the arithmetic itself takes."""
    widths, batch = settings.widths, settings.batch
    calls = []
    for n_in, n_out in itertools.pairwise(widths):
        w, a, z = torch.randn(n_out, n_in + 1), torch.randn(n_in + 1, batch), torch.empty(n_out, batch)
        g, d = torch.empty(n_out, n_in + 1), torch.empty(n_in + 1, batch)
        calls += [(w, a, z), (z, a.t(), g)] + ([(w.t(), z, d)] if n_in > 2 else [])

    def step() -> None:
        for left, right, out in calls:
            torch.mm(left, right, out=out)

    return step


def medians(steps: dict[str, Callable[[], object]], grad: set[str]) -> dict[str, float]:
    """Median microseconds a step, the contestants taking turns."""
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(BLOCKS):
        for name, step in steps.items():
            with torch.set_grad_enabled(name in grad):
                began = time.perf_counter()
                for _ in range(STEPS):
                    step()
                times[name].append((time.perf_counter() - began) / STEPS * 1e6)
    return {name: float(np.median(each)) for name, each in times.items()}


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    print(f"{'network':14}{'batch':>6}{'aeviz':>10}{'usual loop':>12}{'ratio':>8}{'products alone':>16}")
    for hidden, code, batch in SIZES:
        settings = Settings(hidden=hidden, code=code, batch=batch, points=batch, mirror=False)
        contest = {"aeviz": ours(settings), "usual": usual(settings), "products": products(settings)}
        took = medians(contest, grad={"usual"})
        shape = "-".join(map(str, settings.widths))
        print(f"{shape:14}{batch:6}{took['aeviz']:8.0f} µs{took['usual']:10.0f} µs"
              f"{took['usual'] / took['aeviz']:8.1f}{took['products']:14.0f} µs")  # fmt: skip


if __name__ == "__main__":
    main()
