"""No screen, nothing of the user's touched, and no process, thread or widget outlives its test."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from processes import children, ended, take_in_orphans, working

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # before Qt is asked for a screen
# Before numpy: on cores that are shared, threads that wait for each other take ten times as long as one.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

ROOT = Path(__file__).parents[1]

take_in_orphans()

hypothesis.settings.register_profile("aeviz", deadline=None)  # the machine may be busy with something else
hypothesis.settings.load_profile("aeviz")


@pytest.fixture(autouse=True, scope="session")
def nothing_of_the_users(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Settings files of the tests, and of the programs that they start, go into a folder of their own."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
            patch.setenv(name, str(tmp_path_factory.mktemp(name.lower())))
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])))
        patch.delenv("COLUMNS", raising=False)  # argparse would wrap its help by it
        yield


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Torch as the processes have it, for what is tested without one of its own."""
    import torch  # not where the window is tested

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def kept() -> Iterator[Callable[..., Any]]:
    """One pair of processes for all runs of a module."""
    from kept_processes import kept_processes  # not where no run is made

    with kept_processes() as client:
        yield client


@pytest.fixture
def in_kept_processes(kept: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs that are made in the test share one pair of processes."""
    import aeviz.run

    monkeypatch.setattr(aeviz.run, "Client", kept)


@pytest.fixture(autouse=True)
def nothing_outlives() -> Iterator[None]:
    """What a test starts it also ends; what a module's own fixtures share is there before the test."""
    before = _alive()
    yield
    left = _alive() - before
    if left:  # a thread may be on its last line, a widget in a circle of references
        for thread in (each for each in left if isinstance(each, threading.Thread)):
            thread.join(5.0)
        gc.collect()
        for pid in (each for each in left if isinstance(each, int)):
            ended(pid, within=2.0)  # one that has lost its parent ends by itself
        left = _alive() - before
    assert not left, f"left behind: {left}"


def _alive() -> set[Any]:
    # Its own children, and those that have lost their parent: not those that such a one forks later.
    return {*working(children(os.getpid())), *threading.enumerate(), *_windows()}


def _windows() -> set[Any]:
    widgets = sys.modules.get("PyQt6.QtWidgets")
    if widgets is None or (application := widgets.QApplication.instance()) is None:
        return set()
    # What `deleteLater` was called on: no event loop of a test ever comes to it.
    core = sys.modules["PyQt6.QtCore"]
    core.QCoreApplication.sendPostedEvents(None, core.QEvent.Type.DeferredDelete.value)
    # Pyqtgraph makes menus without a parent for plots, even where they are switched off.
    return {
        widget for widget in application.topLevelWidgets()
        if widget.parent() is None and not isinstance(widget, widgets.QMenu)
    }  # fmt: skip


class Program:
    """A Python program in a process group of its own, which ends with the test whatever happens."""

    def __init__(self, *arguments: str, **options: Any) -> None:
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        self.process = subprocess.Popen(
            [sys.executable, *arguments], text=True, start_new_session=True, **(pipes | options)
        )

    def line(self) -> str:
        """The next line of its output; it is an error where it ends before."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"it ended: {self.process.communicate()[1]}"
        return line.rstrip("\n")

    def end(self, within: float = 30.0) -> tuple[int, str, str]:
        """Wait for the end; exit code, and the rest of output and error output."""
        out, err = self.process.communicate(timeout=within)
        return self.process.returncode, out, err


@pytest.fixture
def start() -> Iterator[Callable[..., Program]]:
    """Start `python` with these arguments."""
    programs: list[Program] = []

    def start(*arguments: str, **options: Any) -> Program:
        programs.append(Program(*arguments, **options))
        return programs[-1]

    yield start
    for program in programs:
        with program.process as process:
            if process.poll() is None:
                os.killpg(process.pid, 9)
