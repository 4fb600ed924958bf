"""One training step against the usual torch loop, against jax, and against the machine's own arithmetic.

    python tests/benchmarks/step.py

One thread, medians of interleaved blocks in one run. All draw their own noise and know their loss. The
usual loop is nn.Module, autograd and torch.optim.Adam; jax (`pip install jax`, left out where it is
missing) is the same step with autodiff, Adam and the running average under jax.jit and lax.scan, without
the second that it compiles. The arithmetic limit is what the multiply-adds of the step's matrix products
take at the rate of one large product. The second table shows what a step of aeviz does with its time,
each part measured by itself.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from functools import partial

import one_thread  # noqa: F401  (before numpy)
import numpy as np
import torch

from aeviz.core.clean_data import clean_data
from aeviz.core.settings import Settings
from aeviz.learn.training import Training

SIZES = (((64,), 64, 151), ((64,), 64, 256), ((32,), 32, 64))  # hidden, code, batch: 2-64-64-2 and so on
BLOCKS, STEPS = 15, 150
Contestant = Callable[[int], object]
"""Does so many steps."""


def ours(settings: Settings) -> Contestant:
    """aeviz."""
    epochs = Training(settings, clean_data(settings)).epochs()
    return lambda steps: [next(epochs) for _ in range(steps)]


def usual(settings: Settings) -> Contestant:
    """The loop that everyone writes: nn.Module, autograd, torch.optim.Adam."""
    layers: list[torch.nn.Module] = []
    for n_in, n_out in itertools.pairwise(settings.widths):
        layers += [torch.nn.Linear(n_in, n_out), torch.nn.Tanh()]
    network = torch.nn.Sequential(*layers[:-1])
    optimiser = torch.optim.Adam(network.parameters(), lr=settings.learning_rate)
    y = torch.tensor(clean_data(settings).points, dtype=torch.float32)

    def step() -> float:
        noisy = y + settings.noise * torch.randn_like(y)
        loss = (network(noisy) - y).square().sum(dim=1).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        return loss.item()

    def steps(number: int) -> object:
        with torch.enable_grad():
            return [step() for _ in range(number)]

    return steps


def with_jax(settings: Settings) -> Contestant | None:
    """The same step in jax, compiled as a whole; None where jax is not installed."""
    try:
        import jax
        import jax.numpy as jnp
    except ImportError:
        return None
    rate, y = settings.learning_rate, jnp.asarray(clean_data(settings).points, jnp.float32)
    key = jax.random.PRNGKey(0)
    weights = []
    for n_in, n_out in itertools.pairwise(settings.widths):
        key, drawn = jax.random.split(key)
        weights.append((jax.random.normal(drawn, (n_in, n_out)) / n_in**0.5, jnp.zeros(n_out)))

    def loss(weights, noisy):
        *hidden, (W, b) = weights
        a = noisy
        for V, c in hidden:
            a = jnp.tanh(a @ V + c)
        return jnp.square(a @ W + b - y).sum(axis=1).mean()

    def step(carry, _):
        weights, mean, square, n, key, average = carry
        key, drawn = jax.random.split(key)
        noisy = y + settings.noise * jax.random.normal(drawn, y.shape)
        value, gradient = jax.value_and_grad(loss)(weights, noisy)
        n = n + 1.0
        mean = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, mean, gradient)
        square = jax.tree.map(lambda s, g: 0.999 * s + 0.001 * g * g, square, gradient)
        weights = jax.tree.map(
            lambda w, m, s: w - rate * (m / (1 - 0.9**n)) / (jnp.sqrt(s / (1 - 0.999**n)) + 1e-8),
            weights, mean, square,
        )  # fmt: skip
        average = jax.tree.map(lambda a, w: a + 0.01 * (w - a), average, weights)
        return (weights, mean, square, n, key, average), value

    run = jax.jit(lambda carry: jax.lax.scan(step, carry, None, length=STEPS))
    zeros = jax.tree.map(jnp.zeros_like, weights)
    carry = [run((weights, zeros, zeros, jnp.float32(0), key, weights))[0]]  # compiled here

    def steps(number: int) -> None:
        assert number == STEPS
        carry[0], losses = run(carry[0])
        losses.block_until_ready()

    return steps


def multiply_adds(settings: Settings) -> int:
    """Of all matrix products of one step: forward, into the weights, and back but for the first layer."""
    shapes = list(itertools.pairwise(settings.widths))
    return settings.batch * sum(
        2 * (n_in + 1) * n_out + (n_in * n_out if n_in > 2 else 0) for n_in, n_out in shapes
    )


def medians(contest: dict[str, Contestant]) -> dict[str, float]:
    """Median microseconds a step, the contestants taking turns."""
    times: dict[str, list[float]] = {name: [] for name in contest}
    for block in range(BLOCKS + 1):
        for name, steps in contest.items():
            began = time.perf_counter()
            steps(STEPS)
            if block:  # the first one warms up
                times[name].append((time.perf_counter() - began) / STEPS * 1e6)
    return {name: float(np.median(each)) for name, each in times.items()}


def rate_of_one_large_product() -> float:
    """Multiply-adds per microsecond of this machine, in one thread."""
    a, b = np.random.default_rng(0).standard_normal((2, 1024, 1024)).astype(np.float32)
    out = np.empty_like(a)
    times = []
    for _ in range(15):
        began = time.perf_counter()
        np.matmul(a, b, out=out)
        times.append(time.perf_counter() - began)
    return 1024**3 / float(np.median(times)) / 1e6


def parts(settings: Settings) -> dict[str, Contestant]:
    """What one step of aeviz is made of, each part by itself."""
    training = Training(settings, clean_data(settings))
    next(training.epochs())
    g = training._gradient
    every = [*g._forward, *g._backward]
    copies = {np.copyto, np.add.reduce}
    calls: dict[str, list[Callable[[], object]]] = {
        "matrix products": [call for call in every if call.func is np.matmul],
        "copies for the products": [call for call in every if call.func in copies],
        "f and f′": [call for call in every if call.func is not np.matmul and call.func not in copies],
        "cost": [g._squared],
        "noise": [
            partial(training.random.manual_seed, 1),
            partial(training._draw, training._eps_drawn, training.random),
            partial(training._corrupt, training._origin, training._eps, training._noisy),
        ],
        "Adam": [partial(training.optimiser.step, g.gradient, 1e-9)],
        "average": [partial(training.average.lerp_, training.parameters, 0.01)],
    }

    def repeated(some: list[Callable[[], object]]) -> Contestant:
        return lambda steps: [call() for _ in range(steps) for call in some]

    return {name: repeated(some) for name, some in calls.items()}


def main() -> None:
    """Print the tables."""
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    rate = rate_of_one_large_product()
    print(f"One product of 1024 × 1024 matrices: {rate / 1e3:.0f} thousand million multiply-adds a second\n")
    heads = {"aeviz": 10, "jax": 10, "usual loop": 12, "ratio": 8, "arithmetic limit": 18}
    print(f"{'network':12}{'batch':>6}" + "".join(f"{head:>{width}}" for head, width in heads.items()))
    whole = {}
    for hidden, code, batch in SIZES:
        settings = Settings(hidden=hidden, code=code, batch=batch, points=batch)
        contest = {"aeviz": ours(settings), "usual": usual(settings), "jax": with_jax(settings)}
        took = medians({name: steps for name, steps in contest.items() if steps is not None})
        name = "-".join(map(str, settings.widths))
        whole[f"{name}, {batch}"] = settings, took["aeviz"]
        jax = f"{took['jax']:7.0f} µs" if "jax" in took else "—"
        print(f"{name:12}{batch:6}{took['aeviz']:7.0f} µs{jax:>10}{took['usual']:9.0f} µs"
              f"{took['usual'] / took['aeviz']:8.1f}{multiply_adds(settings) / rate:15.0f} µs")  # fmt: skip
    print(f"\n{'where the time goes':26}" + "".join(f"{name:>17}" for name in whole))
    columns = [medians(parts(settings)) for settings, _ in whole.values()]
    for name in columns[0]:
        print(f"{name:26}" + "".join(f"{column[name]:14.1f} µs" for column in columns))
    rest = [took - sum(column.values()) for column, (_, took) in zip(columns, whole.values(), strict=True)]
    print(f"{'the rest, and cold caches':26}" + "".join(f"{each:14.1f} µs" for each in rest))


if __name__ == "__main__":
    main()
