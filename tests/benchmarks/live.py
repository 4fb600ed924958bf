"""The window under load: frames, gaps in its event loop, and what training loses to it.

    python tests/benchmarks/live.py [SECONDS]

Live training at unlimited speed in the window: as it opens; while the mouse drags the noise slider all the
time; with particles; with two layers side by side. A gap is the time between two runs of a 1 ms timer in
the window's event loop. Steps per second are compared with the same engine without a window, in turns:
before, between and after.

    python tests/benchmarks/live.py SECONDS SCENE …    only these scenes
"""

from __future__ import annotations

import gc
import math
import os
import resource
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp()

import numpy as np
from PyQt6.QtCore import QEventLoop, QPoint, Qt, QTimer
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication

from aeviz.app.main import new_application
from aeviz.app.memory import Memory
from aeviz.app.window import Window
from aeviz.core.settings import Settings
from aeviz.run import Run
from aeviz.work.cores import ALL_BUT_ONE, keep_to

FOREVER = 1_000_000  # epochs
SETTLE = 1.0  # seconds before anything is counted
SCENES: dict[str, dict[str, object]] = {
    "left alone": {},
    "dragging": {},
    "drift": {"flow": "drift"},
    "walk-back": {"flow": "walk-back"},
    "exact": {"layer": "exact", "exact_midline": True, "geometric_midline": True},
    "basins": {"layer": "basins"},
    "split": {"compare": "split"},
    "wipe": {"compare": "wipe"},
}
"""What is set beside the defaults."""


@dataclass
class Course:
    """What one run showed: times in ms, steps per second, and the share of a core that the window used."""

    gaps: np.ndarray
    frames: np.ndarray
    steps: float
    window: float


def headless(seconds: float) -> float:
    """Steps per second of the engine alone."""
    with Run(Settings(epochs=FOREVER)) as run:
        began, marks = time.perf_counter(), []

        def stop_in_time(epoch: int) -> None:
            now = time.perf_counter()
            if now - began > SETTLE + len(marks) * seconds:
                marks.append((now, epoch))
            if len(marks) == 2:
                raise TimeoutError

        try:
            run.train(stop_in_time)
        except TimeoutError:
            (t0, e0), (t1, e1) = marks
            return (e1 - e0) / (t1 - t0)
    raise RuntimeError("the run ended before its time")


def live(seconds: float, scene: str) -> Course:
    """Run the window for so long."""
    dragging = scene == "dragging"
    keep_to(ALL_BUT_ONE)  # as the program does
    _application = QApplication.instance() or new_application()
    with tempfile.TemporaryDirectory() as folder:
        window = Window(
            Settings(epochs=FOREVER).replace(**SCENES[scene]), Memory(Path(folder) / "window.ini")
        )
        window.resize(1440, 860)
        window.show()
        window.start()
        gc.collect()
        gc.freeze()  # as the program does
        window.run.drive(speed=math.inf)
        ticks: list[float] = []
        frames: list[tuple[float, int]] = []
        window.run.framed.connect(lambda frame, _: frames.append((time.perf_counter(), frame.epoch)))
        ticker, mouse, loop = QTimer(), QTimer(), QEventLoop()
        ticker.setTimerType(Qt.TimerType.PreciseTimer)
        ticker.timeout.connect(lambda: ticks.append(time.perf_counter()))
        slider = window.controls.editor("noise")
        used = 0.0

        def drag() -> None:
            swing = 0.25 + 0.15 * math.sin(2.0 * time.perf_counter())
            QTest.mouseMove(slider, QPoint(round(swing * slider.width()), slider.height() // 2))

        mouse.timeout.connect(drag)

        def begin() -> None:
            nonlocal used
            if dragging:
                middle = QPoint(slider.width() // 4, slider.height() // 2)
                QTest.mousePress(slider, Qt.MouseButton.LeftButton, pos=middle)
                mouse.start(16)
            frames.clear()
            used = _used()
            ticker.start(1)
            QTimer.singleShot(round(seconds * 1000), loop.quit)

        window.run.ready.connect(lambda _: QTimer.singleShot(round(SETTLE * 1000), begin))
        loop.exec()
        used = _used() - used
        ticker.stop()
        mouse.stop()
        window.close()
    times, epochs = np.array(frames).T
    steps = (epochs[-1] - epochs[0]) / (times[-1] - times[0])
    return Course(1e3 * np.diff(ticks), 1e3 * np.diff(times), steps, used / seconds)


def _used() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main(seconds: float, scenes: list[str]) -> None:
    """Print the table."""
    alone, courses = [headless(seconds / 3)], []
    for scene in scenes:
        courses.append(live(seconds, scene))
        alone.append(headless(seconds / 3))
    base = float(np.median(alone))
    rows = {
        "frames per second": [f"{1e3 / c.frames.mean():.1f}" for c in courses],
        "frame interval, median": [f"{np.median(c.frames):.1f} ms" for c in courses],
        "frame interval, 99 % below": [f"{np.percentile(c.frames, 99):.1f} ms" for c in courses],
        "event loop, 99.9 % of gaps below": [f"{np.percentile(c.gaps, 99.9):.1f} ms" for c in courses],
        "event loop, longest gap": [f"{c.gaps.max():.1f} ms" for c in courses],
        "window's share of a core": [f"{c.window:.0%}" for c in courses],
        "steps per second": [f"{c.steps:,.0f}" for c in courses],
        f"of {base:,.0f} without a window": [f"{c.steps / base:.1%}" for c in courses],
    }
    print(" " * 36 + "".join(f"{scene:>12}" for scene in scenes))
    for name, values in rows.items():
        print(f"{name:36}" + "".join(f"{value:>12}" for value in values))


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 30.0, sys.argv[2:] or list(SCENES))
