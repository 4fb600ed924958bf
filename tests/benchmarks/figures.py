"""Exports and arrows: how long a figure takes, and how arrows are painted beside matplotlib's quiver.

    python tests/benchmarks/figures.py

The export is that of the default figure from a window at rest: painted, packed and on disk. `aeviz render` is
compared with what cannot be left out, `import torch` in a process of its own and the training itself. Arrows
are painted on what the screen is painted on, of a widget's size, as many as are asked for; beyond what can be
seen the program itself thins them, which is not counted here.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PyQt6.QtCore import QEventLoop, QTimer
from PyQt6.QtWidgets import QApplication, QWidget

import aeviz
from aeviz.app.memory import Memory
from aeviz.app.shown_field import ShownField
from aeviz.app.window import Window
from aeviz.core.settings import Settings
from aeviz.figure.arrows import arrow_lines, head_size
from aeviz.figure.layer import stroke_segments
from PyQt6.QtGui import QColor, QPainter, QPen

FOLDER = Path(tempfile.mkdtemp(prefix="aeviz-figures-"))
EPOCHS, TIMES = 2_000, 7
SIZE = 900, 760  # px of what arrows are painted on


def seconds(do: Callable[[], object], times: int = TIMES) -> float:
    """Median of several times."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        do()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def live(until: Callable[[], bool]) -> None:
    loop = QEventLoop()
    timer = QTimer()
    timer.timeout.connect(lambda: loop.quit() if until() else None)
    timer.start(1)
    loop.exec()


def exports() -> None:
    """From the press of the button to the file, in a window at rest."""
    window = Window(Settings(epochs=300), Memory(FOLDER / "window.ini"))
    window.show()
    window.start()
    window.run.drive(speed=np.inf)
    live(lambda: window.run.epoch == 300 and window.run.phase == "finished")
    for suffix in (".png", ".svg", ".pdf"):
        path = FOLDER / f"field{suffix}"

        def export(path: Path = path, suffix: str = suffix) -> None:
            path.unlink(missing_ok=True)

            def write(shown: ShownField) -> None:
                window.exports.write_figure(path, suffix, shown, window.store.settings)

            window.exports.with_shown("", write)
            live(path.exists)

        export()
        told = f"{seconds(export):.2f} s, {path.stat().st_size:,} bytes of {suffix[1:]}"
        print(f"export of the default figure: {told}")
    window.close()


def rendering() -> None:
    """The whole command beside its least parts."""
    command = [sys.executable, "-m", "aeviz", "render", str(FOLDER / "out.png"), "--epochs", str(EPOCHS)]
    torch_alone = [sys.executable, "-c", "import torch"]
    taken = [
        [seconds(lambda c=c: subprocess.run(c, check=True), 1) for c in (command, torch_alone)]
        for _ in range(5)
    ]
    whole, torch = (
        statistics.median(times) for times in zip(*taken, strict=True)
    )  # in turn: the clock varies
    with aeviz.train(Settings(epochs=EPOCHS)) as run:
        training = run.metrics().train_seconds
    print(
        f"render of {EPOCHS:,} epochs: {whole:.2f} s; import torch {torch:.2f} s, training {training:.2f} s: "
        f"{whole / (torch + training):.2f} times"
    )


class Arrows(QWidget):
    """Paints arrows as the field's layer does on the screen."""

    def __init__(self, start: np.ndarray, vector: np.ndarray, spacing: float) -> None:
        super().__init__()
        self.resize(*SIZE)
        self.start, self.vector, self.heads = start, vector, head_size(spacing)

    def paintEvent(self, _event: object) -> None:
        painter = QPainter(self)
        lines = arrow_lines(self.start, self.vector, self.heads)
        stroke_segments(painter, lines, QPen(QColor("black"), 1.0))


def arrows() -> None:
    """Ours beside quiver, painted in one process, one after the other."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    for count in (1_000, 10_000, 100_000):
        side = round(count**0.5)
        x, y = (each.ravel() for each in np.meshgrid(*(np.linspace(10, n - 10, side) for n in SIZE)))
        angle = 0.01 * (x + 2.0 * y)
        vector = 0.9 * SIZE[1] / side * np.stack((np.cos(angle), np.sin(angle)), axis=1)
        widget = Arrows(np.stack((x, y), axis=1), vector, SIZE[1] / side)
        widget.show()
        figure = pyplot.figure(figsize=(SIZE[0] / 100, SIZE[1] / 100), dpi=100)
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.quiver(x, y, *vector.T, angles="xy", scale_units="xy", scale=1.0)
        figure.canvas.draw()
        ours, theirs = seconds(widget.grab), seconds(figure.canvas.draw, 3)
        told = f"{1e3 * ours:6.1f} ms, quiver {1e3 * theirs:7.1f} ms, {theirs / ours:5.1f} times"
        print(f"{side**2:7,} arrows: {told}")
        pyplot.close(figure)
        widget.close()


def main() -> None:
    application = QApplication(["figures"])
    exports()
    rendering()
    arrows()
    del application


if __name__ == "__main__":
    main()
