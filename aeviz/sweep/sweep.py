"""The sweep itself: what is missing is handed out, and what comes back is kept as it comes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, Future
from itertools import islice
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from aeviz.core.files import write_whole
from aeviz.core.settings import DEFAULTS, Settings
from aeviz.sweep.executors import ClusterLostError, WorkerLostError
from aeviz.sweep.grid import Sweep
from aeviz.sweep.store import Store
from aeviz.sweep.table import row_of
from aeviz.sweep.task import Outcome, png_of, run_task

MOST_HANDED_OUT = 2_000  # tasks that wait or run: enough for a large cluster, and soon cancelled
_MOST_SHOWN = 300  # characters of an unexpected error
_MOST_NAME = 120  # characters of a figure's name

Task = tuple[int, Settings]


def missing(store: Store, sweep: Sweep, figures: Path | None, again: bool) -> list[int]:
    """Which runs are still to be done: those without a row, or where figures are wanted, without one."""
    return [
        place
        for place in range(len(sweep.runs))
        if again
        or (row := store[place]) is None
        or (figures is not None and not row["error"] and not (figures / figure_name(sweep, place)).exists())
    ]


def run_missing(
    store: Store, sweep: Sweep, places: Iterable[int], executor: Executor, figures: Path | None = None
) -> Iterator[int]:
    """Run some of a sweep's runs, and keep their rows and figures; yield the place of each when it is kept.

    Raises
    ------
    ClusterLostError
        Where the executor is gone.
    FileError
        Where something cannot be written.
    """
    tasks = ((place, sweep.runs[place]) for place in places)
    for place, outcome in outcomes(executor, tasks, pictured=figures is not None):
        name = ""
        if figures is not None and outcome.picture is not None:
            picture, name = outcome.picture, figure_name(sweep, place)
            png = picture if isinstance(picture, bytes) else png_of(picture, sweep.runs[place])
            write_whole(figures / name, png)
        store.put(place, row_of(store.cells(place), outcome, name))
        yield place


def figure_name(sweep: Sweep, place: int) -> str:
    """The name of a run's figure: what varies, in words."""
    cells = sweep.cells(sweep.runs[place])
    text = "_".join(f"{name}={cells[name]}" for name in sweep.varied) or "run"
    plain = re.sub(r"[^\w=.,+-]", "-", text)
    if plain == text and len(text) <= _MOST_NAME:
        return f"{text}.png"
    return f"{plain[:_MOST_NAME]}_{hashlib.sha256(text.encode()).hexdigest()[:8]}.png"


def outcomes(executor: Executor, tasks: Iterable[Task], **options: Any) -> Iterator[tuple[int, Outcome]]:
    """Run tasks and yield each one's number with what became of it, in the order in which they finish.

    A task whose worker dies is handed out once more; where that kills another one, it has failed.

    Parameters
    ----------
    executor : Executor
        Of `concurrent.futures`.
    tasks : iterable of (int, Settings)
        A number of its own for each, and what to run.
    options
        As `run_task` takes them.

    Raises
    ------
    ClusterLostError
        Where the executor is gone.
    """
    done: SimpleQueue[Future[Outcome]] = SimpleQueue()
    handed_out: dict[Future[Outcome], Task] = {}
    suspects: set[int] = set()

    def hand_out(*some: Task) -> None:
        for task in some:
            future = executor.submit(run_task, DEFAULTS.changed(task[1]), **options)
            handed_out[future] = task
            future.add_done_callback(done.put)

    source = iter(tasks)
    hand_out(*islice(source, MOST_HANDED_OUT))
    while handed_out:
        future = done.get()
        task = handed_out.pop(future)
        if future.cancelled():
            raise ClusterLostError("the cluster is gone: start it again, and repeat the command to go on")
        if isinstance(future.exception(), WorkerLostError) and task[0] not in suspects:
            suspects.add(task[0])
            hand_out(task)
            continue
        yield task[0], _outcome(future)
        hand_out(*islice(source, 1))


def _outcome(future: Future[Outcome]) -> Outcome:
    match future.exception():
        case None:
            return future.result()
        case WorkerLostError():
            return Outcome(error="the process that ran it ended, twice: there may be too little memory")
        case error:
            text = " ".join(f"{type(error).__name__}: {error}".split())
            return Outcome(error=text[:_MOST_SHOWN])
