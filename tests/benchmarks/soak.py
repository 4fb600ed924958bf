"""Does anything grow? A window that is used for half an hour: its memory, files, threads and objects.

    python tests/benchmarks/soak.py [MINUTES]

The real window with its real processes, offscreen, trains without pause while σ is dragged, the past is
scrubbed and played back, branches are made, compared and forgotten, the window is resized, and figures,
data and runs are written. All keyframes have reached their bound after the warm-up, and the list of changes
its own before it begins. After every third round all rest until each process has given back what is free,
which trainer and observer do by themselves every five seconds; then their resident memory is taken, and what
there is of file descriptors, threads and Qt objects. Then the run begins anew. The slope is that of a
straight line through these moments after the warm-up, by Theil and Sen.
"""

from __future__ import annotations

import gc
import itertools
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PyQt6.QtCore import QEventLoop, QObject, QTimer, qInstallMessageHandler
from PyQt6.QtWidgets import QApplication
from scipy.stats import theilslopes

from aeviz.app.export_dialog import ExportDialog
from aeviz.app.main import keep_tidy, new_application
from aeviz.app.memory import Memory
from aeviz.app.shown_field import ShownField
from aeviz.app.window import Window
from aeviz.core.changes import MOST
from aeviz.core.settings import Settings
from aeviz.work.malloc import give_back

WARM_UP = 0.3  # of the time
ROUNDS, REST = 3, 6.0  # between two samples, and seconds until all have given back what is free
SIZES = ((900, 600), (1440, 900), (1280, 720), (1100, 820))
FOLDER = Path(tempfile.mkdtemp(prefix="aeviz-soak-"))
complaints: list[str] = []


@dataclass(frozen=True)
class Sample:
    """What there is at rest; memory in MiB."""

    seconds: float
    memory: tuple[float, ...]
    files: int
    threads: int
    objects: int


def resident(pid: int) -> float:
    # Not by a `Path`: Python interns the parts of its name, and each time anew, until the table of interned
    # strings has grown by 1.8 MiB.
    with open(f"/proc/{pid}/status", encoding="ascii") as file:  # noqa: PTH123
        return next(int(line.split()[1]) / 1024.0 for line in file if line.startswith("VmRSS"))


def entries(what: str, pids: list[int]) -> int:
    return sum(len(os.listdir(f"/proc/{pid}/{what}")) for pid in pids)  # noqa: PTH208


def sample(window: Window, began: float) -> Sample:
    """Let all rest, and look."""
    window.run.drive(playing=False)
    live(REST)
    for thread in threading.enumerate():
        if thread.name == "aeviz-save":  # which has the whole file in memory
            thread.join()
    gc.collect()
    give_back()  # else what is free, and will be given back within a minute, would hide what grows
    pids = [os.getpid(), *window.run.pids.values()]
    return Sample(
        time.monotonic() - began,
        tuple(map(resident, pids)),
        entries("fd", pids),
        entries("task", pids),
        len(window.findChildren(QObject)) + len(QApplication.topLevelWidgets()),
    )


def live(seconds: float) -> None:
    loop = QEventLoop()
    QTimer.singleShot(round(seconds * 1000), loop.quit)
    loop.exec()


def wait_for(condition: Callable[[], bool], patience: float = 20.0) -> None:
    end = time.monotonic() + patience
    while not condition() and time.monotonic() < end:
        live(0.02)
    if not condition():
        complaints.append("waited in vain")


def export_figures(window: Window) -> None:
    """Write the shown field as a picture of each kind, by way of the dialog's preview."""

    def write(shown: ShownField) -> None:
        for suffix in (".png", ".svg", ".pdf"):
            window.exports.write_figure(FOLDER / f"figure{suffix}", suffix, shown, window.store.settings)

    window.exports.figure()
    window.exports.with_shown("", write)


def close_dialogs(window: Window) -> None:
    for dialog in window.findChildren(ExportDialog):
        dialog.close()


def fill_the_list_of_changes(window: Window) -> None:
    """Let it be as long as it ever gets, which would take more than half an hour, of what a round makes."""
    while len(window.run.history.changes) < MOST:
        for noise in (0.2, 0.3):
            window.store.set(noise=noise)
        undo_and_redo(window)
        live(0.005)


def undo_and_redo(window: Window) -> None:
    for do in (window.undo.undo, window.undo.undo, window.undo.redo):
        do()


def a_round(window: Window) -> Iterator[None]:
    """One round of use; rests after each move."""
    run, store, slider = window.run, window.store, window.timeline.slider
    for step in range(40):
        store.set(noise=0.25 + 0.2 * np.sin(step / 40.0 * 2.0 * np.pi))
        yield
    for step in range(60):
        epoch = round(run.epoch * (0.5 + 0.5 * np.cos(step / 7.0)))
        slider.setSliderPosition(epoch)
        run.look_at(epoch)
        yield
    run.fork()
    for size in SIZES:
        window.resize(*size)
        yield
    others = [branch.number for branch in run.history if branch is not run.branch]
    if others:
        run.show_beside(others[-1])
        yield
        run.show_beside(None)
    undo_and_redo(window)
    yield
    for layer in ("ambiguity", "difference", "energy", "magnitude"):
        store.set(layer=layer)
        yield
    export_figures(window)
    yield
    window.exports.write_data(FOLDER / "field.npz")
    window.keeper.write(FOLDER / "run.aeviz")
    yield
    run.look_at(None)
    for _ in range(20):
        yield
    close_dialogs(window)


def soak(minutes: float) -> list[Sample]:
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
        os.environ[name] = str(FOLDER)
    _application = new_application()  # which lives as long as this name
    qInstallMessageHandler(lambda _, __, text: complaints.append(text))
    sys.excepthook = lambda *error: complaints.append(repr(error[1]))
    threading.excepthook = lambda error: complaints.append(repr(error.exc_value))
    settings = Settings(epochs=1_000_000, history=16, midline=True, exact_midline=True)
    window = Window(settings, Memory(FOLDER / "window.ini"))
    window.show()
    window.start()
    keep_tidy(window)
    window.run.drive(speed=500.0)
    wait_for(lambda: window.run.epoch > 10)
    fill_the_list_of_changes(window)
    began, samples = time.monotonic(), []
    while time.monotonic() - began < 60.0 * minutes:
        for _ in itertools.chain.from_iterable(a_round(window) for _ in range(ROUNDS)):
            live(0.05)
        samples.append(sample(window, began))
        print(samples[-1], flush=True)
        window.run.reset()
        window.run.drive(playing=True)
    window.close()
    return samples


def main() -> None:
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 30.0
    samples = soak(minutes)
    after = [each for each in samples if each.seconds > WARM_UP * 60.0 * minutes]
    hours = np.array([each.seconds for each in after]) / 3600.0
    minutes = 60.0 * (hours[-1] - hours[0])
    print(f"\n{ROUNDS * len(after)} rounds in {minutes:.1f} minutes after the warm-up")
    for index, name in enumerate(("window", "trainer", "observer")):
        memory = np.array([each.memory[index] for each in after])
        slope, _, low, high = theilslopes(memory, hours)
        print(
            f"{name:9} {memory[0]:7.1f} to {memory[-1]:7.1f} MiB, "
            f"{slope:+.2f} MiB/h ({low:+.2f} to {high:+.2f})"
        )
    for name in ("files", "threads", "objects"):
        numbers = [getattr(each, name) for each in after]
        print(f"{name:9} {min(numbers)} to {max(numbers)}, first {numbers[0]}, last {numbers[-1]}")
    print("complaints:", *(complaints or ["none"]), sep="\n  ")
    if complaints:
        sys.exit(1)


if __name__ == "__main__":
    main()
