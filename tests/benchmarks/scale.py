"""What a step costs over width, depth, batch and number of points; memory over a million epochs; the field.

    python tests/benchmarks/scale.py [--plot resources/readme/scale.png]

One thread. Beside each time stands its rate: multiply-adds per second of the step's matrix products, which
would fall where there is a cliff. Memory is that of the trainer's process while it trains a million epochs.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import one_thread  # noqa: F401  (before numpy)
import numpy as np
import torch
from step import multiply_adds

from aeviz.core.clean_data import clean_data
from aeviz.core.field import Grid
from aeviz.core.settings import Settings
from aeviz.learn.training import Training
from aeviz.run import Run

SECONDS = 0.6  # of measuring at each place
SWEEPS = {
    "width": [Settings(hidden=(n,), code=n) for n in (8, 16, 32, 64, 128, 256, 512, 1024)],
    "hidden layers before the code": [Settings(hidden=(64,) * n) for n in range(5)],
    "batch": [Settings(batch=2**n, points=min(2**n, 1_000)) for n in range(4, 17)],
    "points": [Settings(points=10**n) for n in range(1, 7)],
}
AT = {
    "width": lambda settings: settings.code,
    "hidden layers before the code": lambda settings: len(settings.hidden),
    "batch": lambda settings: settings.batch,
    "points": lambda settings: settings.points,
}


def step_time(settings: Settings) -> float:
    """Median seconds a step, over pieces of some epochs or of a part of one."""
    training = Training(settings, clean_data(settings))
    epochs = training.epochs()
    next(epochs)
    pieces, began = [], time.perf_counter()
    while time.perf_counter() - began < SECONDS or len(pieces) < 3:
        before, start = training.steps, time.perf_counter()
        while training.steps - before < 1 or time.perf_counter() - start < 0.01:
            next(epochs)
        pieces.append((time.perf_counter() - start) / (training.steps - before))
    return float(np.median(pieces))


def field_time(settings: Settings) -> float:
    """Median seconds of one field with its ambiguity."""
    data = clean_data(settings)
    training, places = Training(settings, data), Grid.home(settings, data).points
    times = []
    for _ in range(20):
        began = time.perf_counter()
        training.network.field(training.average, places)
        times.append(time.perf_counter() - began)
    return float(np.median(times))


def memory(epochs: int) -> list[tuple[int, float]]:
    """Resident memory of the trainer in MB while it trains so many epochs."""
    seen: list[tuple[int, float]] = []
    with Run(Settings(hidden=(), code=8, points=10, batch=10, epochs=epochs)) as run:
        status = Path(f"/proc/{run.pids['trainer']}/status")

        def look(epoch: int) -> None:
            if epoch >= (len(seen) + 1) * epochs // 10:
                words = dict(line.split(":", 1) for line in status.read_text().splitlines())
                seen.append((epoch, int(words["VmRSS"].split()[0]) / 1024))

        run.train(look)
    return seen


def plot(courses: dict[str, list[tuple[float, float]]], path: Path) -> None:
    """Draw microseconds a step over each of the four, on logarithmic scales."""
    import pyqtgraph as pg
    from PyQt6.QtWidgets import QApplication
    from pyqtgraph.exporters import ImageExporter

    application = QApplication.instance() or QApplication(["scale"])
    pg.setConfigOptions(antialias=True, background="w", foreground="k")
    panels = pg.GraphicsLayoutWidget()
    panels.resize(1_200, 320)
    times = [
        (decade, text) for decade, text in zip(range(1, 5), ("10 µs", "100 µs", "1 ms", "10 ms"), strict=True)
    ]
    for name, course in courses.items():
        panel = panels.addPlot(title=name)
        x, y = np.array(course).T
        counted = name == "hidden layers before the code"
        panel.setLogMode(x=not counted, y=True)
        panel.plot(
            x, 1e6 * y, pen=pg.mkPen("#3b6fd9", width=2), symbol="o", symbolSize=6, symbolBrush="#3b6fd9"
        )
        panel.setYRange(1.2, 4.6)  # one scale for all
        panel.getAxis("left").setTicks([times])
        panel.getAxis("left").setWidth(56)
        shown = x if len(x) < 7 else x[::3]
        ticks = [(each if counted else np.log10(each), _short(each)) for each in shown]
        panel.getAxis("bottom").setTicks([ticks])
        panel.showGrid(x=True, y=True, alpha=0.25)
    for column in range(len(courses)):
        panels.ci.layout.setColumnFixedWidth(column, 290)
    panels.show()
    application.processEvents()
    ImageExporter(panels.scene()).export(str(path))


def _short(number: float) -> str:
    for unit, name in ((1e6, " M"), (1e3, " k")):
        if number >= unit:
            return f"{number / unit:.0f}{name}"
    return f"{number:.0f}"


def main() -> None:
    """Print the tables."""
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    courses: dict[str, list[tuple[float, float]]] = {}
    for name, sweep in SWEEPS.items():
        print(f"\n{name:>30}{'a step':>14}{'multiply-adds a second':>28}")
        for settings in sweep:
            took = step_time(settings)
            courses.setdefault(name, []).append((AT[name](settings), took))
            unit = f"{1e6 * took:,.0f} µs" if took < 0.01 else f"{1e3 * took:,.1f} ms"
            print(
                f"{AT[name](settings):>30,}{unit:>14}{multiply_adds(settings) / took / 1e9:>22.1f} · 10⁹",
                flush=True,
            )
    print(f"\n{'field with ambiguity':>30}{'2-64-64-2':>14}{'2-64-64-64-2':>14}")
    for grid in ((40, 34), (160, 136)):
        times = [field_time(Settings(grid=grid, mirror=mirror)) for mirror in (False, True)]
        print(f"{f'{grid[0]} × {grid[1]}':>30}" + "".join(f"{1e3 * each:11.1f} ms" for each in times))
    print(f"\n{'epochs':>30}{'memory':>14}")
    for epoch, megabytes in memory(1_000_000):
        print(f"{epoch:>30,}{megabytes:11.1f} MB", flush=True)
    if "--plot" in sys.argv:
        plot(courses, Path(sys.argv[sys.argv.index("--plot") + 1]))


if __name__ == "__main__":
    main()
