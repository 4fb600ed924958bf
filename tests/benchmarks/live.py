"""The window under load: frames, gaps in its event loop, and what training loses to it.

    python tests/benchmarks/live.py [SECONDS]

Live training at unlimited speed while the mouse drags the noise slider all the time. A gap is the time
between two runs of a 1 ms timer in the window's event loop. Steps per second are compared with the
same engine in the same kind of process without a window.
"""

from __future__ import annotations

import gc
import math
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PyQt6.QtCore import QPoint, Qt, QTimer
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication

from aeviz.app.memory import Memory
from aeviz.app.style import Style
from aeviz.app.window import Window
from aeviz.core.settings import Settings
from aeviz.run import Run

FOREVER = 1_000_000  # epochs


def headless_rate(seconds: float) -> float:
    """Steps per second of the engine alone."""
    with Run(Settings(epochs=FOREVER)) as run:
        deadline = time.perf_counter() + seconds

        def stop_in_time(_: int) -> None:
            if time.perf_counter() > deadline:
                raise TimeoutError

        try:
            run.train(stop_in_time)
        except TimeoutError:
            return run.metrics().steps_per_second
    raise RuntimeError("the run ended before its time")


def live(seconds: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Gaps of the event loop and intervals between frames in ms, and steps per second."""
    application = QApplication.instance() or QApplication(["aeviz"])
    application.setStyle(Style())
    with tempfile.TemporaryDirectory() as folder:
        window = Window(Settings(epochs=FOREVER), Memory(Path(folder) / "window.ini"))
        window.resize(1440, 860)
        window.show()
        window.start()
        gc.collect()
        gc.freeze()  # as the program does
        window.run.drive(speed=math.inf)
        ticks: list[float] = []
        frames: list[float] = []
        rates: list[float] = []
        window.run.framed.connect(lambda *_: frames.append(time.perf_counter()))
        ticker, mouse = QTimer(), QTimer()
        ticker.setTimerType(Qt.TimerType.PreciseTimer)
        ticker.timeout.connect(lambda: ticks.append(time.perf_counter()))
        slider = window.controls.editor("noise")

        def drag() -> None:
            swing = 0.25 + 0.15 * math.sin(2.0 * time.perf_counter())
            QTest.mouseMove(slider, QPoint(round(swing * slider.width()), slider.height() // 2))
            rates.append(window.run.steps_per_second)

        mouse.timeout.connect(drag)

        def begin() -> None:
            QTest.mousePress(
                slider, Qt.MouseButton.LeftButton, pos=QPoint(slider.width() // 4, slider.height() // 2)
            )
            frames.clear()
            ticker.start(1)
            mouse.start(16)
            QTimer.singleShot(round(seconds * 1000), application.quit)

        window.run.ready.connect(lambda _: QTimer.singleShot(1000, begin))
        application.exec()
        ticker.stop()
        mouse.stop()
        window.close()
    return 1e3 * np.diff(ticks), 1e3 * np.diff(frames), float(np.median(rates))


def main(seconds: float) -> None:
    """Print the table."""
    alone = headless_rate(min(10.0, seconds))
    gaps, intervals, rate = live(seconds)
    rows = {
        "longest gap of the event loop": f"{gaps.max():.1f} ms",
        "99.9 % of gaps below": f"{np.percentile(gaps, 99.9):.1f} ms",
        "frames per second": f"{1e3 / intervals.mean():.1f}",
        "frame interval, median": f"{np.median(intervals):.1f} ms",
        "frame interval, 99 %": f"{np.percentile(intervals, 99):.1f} ms",
        "steps per second with the window": f"{rate:,.0f}",
        "steps per second without": f"{alone:,.0f}",
        "ratio": f"{rate / alone:.2f}",
    }
    for name, value in rows.items():
        print(f"{name:36}{value:>14}")


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 30.0)
