"""Seconds of training until the excess risk stays below 5 % and below 1 %, and the study behind the defaults.

    python tests/benchmarks/optimum.py [SEEDS]     the default settings, against the plain script
    python tests/benchmarks/optimum.py --study     what else could be the default

The course is followed for 4,000 steps. Only training is timed, not the measuring. The plain script is what
everyone writes: nn.Sequential with torch's default initialisation, Adam at the best of three learning
rates, same widths, no averaging. Nothing is set by hand for any data: the other curves, of sizes and
samplings that the built-in ones do not have, stand here for those that a user may bring.
"""

from __future__ import annotations

import itertools
import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

import one_thread  # noqa: F401  (before numpy)
import numpy as np
import torch

from aeviz.core.clean_data import CleanData, clean_data
from aeviz.core.manifolds import FloatArray
from aeviz.core.metrics import Probe
from aeviz.core.settings import Settings
from aeviz.core.truth import Denoiser, finish
from aeviz.learn import training as training_module
from aeviz.learn.activations import ACTIVATIONS
from aeviz.learn.training import Training

LEVELS = (0.05, 0.01)
NOISES = (0.1, 0.15, 0.25, 0.35, 0.5)
STEPS, PLAIN_STEPS = 4_000, 20_000
RATES = (1e-3, 3e-3, 1e-2)

Contestant = Iterator[Callable[[FloatArray], FloatArray]]
"""Is asked for so many more steps, and yields its reconstruction (M, 2) → (M, 2)."""


def _curves() -> dict[str, tuple[CleanData, float]]:
    """Other data, each with the noise at which its parts begin to claim each other's points."""
    t = np.linspace(0.0, 2.0 * np.pi, 151)
    circle = np.stack((np.cos(t), np.sin(t)), axis=1)
    half = np.stack((np.cos(t / 2.0), np.sin(t / 2.0)), axis=1)
    s = 1.5 * (t - np.pi)
    u = np.linspace(3.0, 15.0, 151)
    turn = clean_data(Settings(points=76, turns=1.0)).points
    built_in = {
        "spiral of 3 turns, 300 points": Settings(points=300, turns=3.0),
        "spiral of 1,000 points": Settings(points=1_000),
        "spiral of 20 points": Settings(points=20),
        "spiral with jitter 0.1": Settings(jitter=0.1),
    }
    others = {
        "two spirals": (np.concatenate((turn, -turn)), 0.25),
        "circle": (1.5 * circle, 0.25),
        "two moons": (np.concatenate((half, (1.0, 0.5) - half)), 0.2),
        "S-curve": (np.stack((np.sin(s), np.sign(s) * (np.cos(s) - 1.0)), axis=1), 0.25),
        "line": (np.stack((t - np.pi, 0.3 * (t - np.pi)), axis=1), 0.25),
        "figure eight": (1.5 * np.stack((np.sin(t), np.sin(t) * np.cos(t)), axis=1), 0.2),
        "Alain and Bengio's spiral": (0.04 * u[:, None] * np.stack((np.sin(u), np.cos(u)), axis=1), 0.05),
    }
    curves = {name: (clean_data(settings), 0.25) for name, settings in built_in.items()}
    return curves | {name: (CleanData(points), noise) for name, (points, noise) in others.items()}


CURVES = _curves()


@dataclass(frozen=True)
class Choice:
    """One way to train: settings, and constants in the place of the program's own."""

    settings: dict[str, Any]
    constants: dict[str, float] | None = None
    steepness: tuple[float, float] | None = None

    def patched(self) -> ExitStack:
        stack = ExitStack()
        for name, value in (self.constants or {}).items():
            stack.enter_context(patch.object(training_module, name, value))
        if self.steepness is not None:
            tanh = replace(ACTIVATIONS["tanh"], steepness=self.steepness)
            stack.enter_context(patch.dict(ACTIVATIONS, tanh=tanh))
        return stack


def ours(settings: Settings, data: CleanData, marks: list[int]) -> Contestant:
    """aeviz: what it shows, the averaged weights."""
    training = Training(settings, data)
    epochs = training.epochs()
    for mark in marks:
        while training.steps < mark:
            next(epochs)
        yield lambda x: training.network.reconstruct(training.average, x)


def plain(settings: Settings, rate: float, marks: list[int]) -> Contestant:
    """The plain script."""
    torch.manual_seed(settings.seed)
    layers: list[torch.nn.Module] = []
    for n_in, n_out in itertools.pairwise(settings.widths):
        layers += [torch.nn.Linear(n_in, n_out), torch.nn.Tanh()]
    network = torch.nn.Sequential(*layers[:-1])
    optimiser = torch.optim.Adam(network.parameters(), lr=rate)
    y = torch.from_numpy(clean_data(settings).points).float()

    def reconstruct(x: FloatArray) -> FloatArray:
        with torch.no_grad():
            return network(torch.from_numpy(x).float()).double().numpy()

    for before, mark in itertools.pairwise((0, *marks)):
        for _ in range(mark - before):
            loss = (network(y + settings.noise * torch.randn_like(y)) - y).square().sum(dim=1).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        yield reconstruct


def marks_up_to(steps: int) -> list[int]:
    """Where the risk is measured: every tenth step at first, every fortieth part later."""
    marks, mark = [], 0
    while mark < steps:
        mark += max(10, mark // 40)
        marks.append(min(mark, steps))
    return marks


def race(contestant: Contestant, probe: Probe, marks: list[int]) -> tuple[list[tuple[float, float]], float]:
    """Steps and seconds after which the risk stays below each level (or infinity), and the last risk."""
    seconds, course = 0.0, []
    for _ in marks:
        began = time.perf_counter()
        reconstruct = next(contestant)
        seconds += time.perf_counter() - began
        course.append((seconds, probe.excess_risk(reconstruct(probe.noisy))))
    times, risks = np.array(course).T
    reached = []
    for level in LEVELS:
        above = np.flatnonzero(~(risks < level))
        first = above[-1] + 1 if len(above) else 0
        reached.append((marks[first], times[first]) if first < len(risks) else (math.inf, math.inf))
    return reached, float(risks[-1])


def probe_of(settings: Settings, data: CleanData) -> Probe:
    """The probe set of these settings."""
    return finish(Probe.solving(settings, data, Denoiser(data.points, settings.noise)))


def races(choice: Choice, data: CleanData | None, noise: float, seeds: int) -> tuple[np.ndarray, np.ndarray]:
    """Steps and seconds, (seeds, levels, 2), and last risks, (seeds,)."""
    marks, results = marks_up_to(STEPS), []
    with choice.patched():
        for seed in range(seeds):
            settings = Settings(noise=noise, seed=seed, **choice.settings)
            clean = clean_data(settings) if data is None else data
            probe = probe_of(settings, clean)
            results.append(race(ours(settings, clean, marks), probe, marks))
    return np.array([each[0] for each in results]), np.array([each[1] for each in results])


def _row(name: str, reached: np.ndarray, last: np.ndarray) -> str:
    cells = []
    for k in range(len(LEVELS)):
        steps, seconds = np.median(reached[:, k], axis=0)
        worst = reached[:, k, 1].max()
        cells.append(f"{steps:6,.0f} {seconds:7.3f} {worst:7.3f}" if math.isfinite(steps) else f"{'—':>22}")
    return f"{name:32}" + "".join(f"{cell:>24}" for cell in cells) + f"{np.median(last):9.2%}"


_HEAD = f"{'':32}{'5 %: steps, s, worst s':>24}{'1 %: steps, s, worst s':>24}{'at the end':>11}"


def defaults(seeds: int) -> None:
    """Print what the default settings reach, and the plain script beside."""
    print(f"{_HEAD}\n(medians of {seeds} seeds, {STEPS:,} steps)")
    usual = Choice({})
    for noise in NOISES:
        reached, last = races(usual, None, noise, seeds)
        print(_row(f"lecture's spiral, σ = {noise}", reached, last), flush=True)
        if noise == Settings().noise:
            mine = float(np.median(reached[:, 0, 1]))
    for name, (data, noise) in CURVES.items():
        print(_row(f"{name}, σ = {noise}", *races(usual, data, noise, max(1, seeds // 3))), flush=True)
    settings, marks = Settings(), marks_up_to(PLAIN_STEPS)
    probe = probe_of(settings, clean_data(settings))
    tries = {rate: race(plain(settings, rate, marks), probe, marks) for rate in RATES}
    rate, (best, last) = min(tries.items(), key=lambda each: each[1][0])
    (steps, seconds), (_, to_one) = best
    print(f"\nplain script, σ = {settings.noise}, its best rate {rate:g}:")
    print(f"5 % after {steps:,.0f} steps, {seconds:.1f} s; 1 % after {to_one:.1f} s; {last:.1%} at the end")
    print(f"aeviz is {seconds / mine:.0f} times sooner at 5 %")


def study(seeds: int) -> None:
    """Print what other choices would reach, on three noises and three other curves."""
    wide, narrow = {"hidden": (128,), "code": 64}, {"hidden": (48,), "code": 48}
    choices = {
        "the defaults": Choice({}),
        "2-64-64-64-2 (mirrored)": Choice({"mirror": True}),
        "2-64-2": Choice({"hidden": ()}),
        "2-128-64-2": Choice(wide),
        "2-48-48-2": Choice(narrow),
        "rate 0.01": Choice({"learning_rate": 0.01}),
        "rate 0.05": Choice({"learning_rate": 0.05}),
        "rate 0.01, constant": Choice({"learning_rate": 0.01, "schedule": "constant"}),
        "half after 300 steps": Choice({}, {"FALL": 300.0}),
        "half after 3,000 steps": Choice({}, {"FALL": 3_000.0}),
        "batch 75": Choice({"batch": 75}),
        "batch 302": Choice({"batch": 302}),
        "average over 1/4 of the steps": Choice({}, {"AVERAGING": 4.0}),
        "average over 1/16": Choice({}, {"AVERAGING": 16.0}),
        "no average": Choice({}, {"AVERAGING": 1e9}),
        "units half as steep": Choice({}, steepness=(1.5, 2.5)),
        "units twice as steep": Choice({}, steepness=(6.0, 10.0)),
        "units of many slopes": Choice({}, steepness=(1.0, 8.0)),
    }
    cases: dict[str, tuple[CleanData | None, float]] = {
        f"σ {noise}": (None, noise) for noise in (0.1, 0.25, 0.5)
    }
    cases |= {"moons": CURVES["two moons"], "A. & B.": CURVES["Alain and Bengio's spiral"]}
    print(f"seconds until the risk stays below 5 % / below 1 %, medians of {seeds} seeds\n")
    print(f"{'':32}" + "".join(f"{name:>16}" for name in cases))
    for name, choice in choices.items():
        cells = []
        for data, noise in cases.values():
            seconds = np.median(races(choice, data, noise, seeds)[0][:, :, 1], axis=0)
            cells.append(" / ".join(f"{each:.3f}" if math.isfinite(each) else "—" for each in seconds))
        print(f"{name:32}" + "".join(f"{cell:>16}" for cell in cells), flush=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    if "--study" in sys.argv:
        study(3)
    else:
        defaults(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
