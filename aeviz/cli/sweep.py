"""``aeviz sweep``: many runs without a window, one table, and a chart of it."""

from __future__ import annotations

import argparse
import json
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from aeviz.cli.options import (
    DONE,
    FAILED,
    REFUSED,
    Parser,
    Refused,
    add_settings,
    manual,
    parsed,
    progress_bar,
    say,
    settings_of,
)
from aeviz.core.files import PICTURES, FileError, check_target, write_whole
from aeviz.core.setting import SettingError
from aeviz.core.settings import SPECS, Settings
from aeviz.core.settings_file import named_value
from aeviz.figure.qt import offscreen_application, require_qt
from aeviz.sweep.executors import ClusterError, ClusterLostError, cores, dask_pool, local_pool
from aeviz.sweep.grid import Axis, Sweep, axis_of
from aeviz.sweep.store import Store
from aeviz.sweep.summary import check_plot, curves_of
from aeviz.sweep.sweep import missing, run_missing
from aeviz.sweep.table import ERROR, METRICS, VERSION
from aeviz.version import __version__

MOST_JOBS, MOST_SEEDS = 1_024, 10_000


def sweep(words: list[str]) -> int:
    """Run all combinations of some settings' values and write one table; returns the exit code."""
    parser = sweep_parser()
    chosen = parsed(parser, words)
    try:
        plan = Sweep(*_of(chosen))
        if chosen.plot is not None:
            check_plot(plan, chosen.metric, chosen.over, chosen.by)
        _check_targets(chosen)
        store = Store(chosen.out, plan)
    except FileError as error:
        return say(f"aeviz: {error}", REFUSED)
    return _swept(store, plan, chosen)


def sweep_parser() -> Parser:
    """The command's options."""
    parser = Parser(
        prog="aeviz sweep", usage="aeviz sweep OUT --vary NAME=VALUES … [options]", allow_abbrev=False,
        **manual(
            "Run all combinations of some settings' values, each with some seeds, on all cores.",
            """
            One table of their settings and metrics is written, csv or parquet by extension. Runs that are in
            it are not run again: repeat the command to go on after Ctrl-C or a crash.
            """,
            {
                "aeviz sweep t.csv --vary noise=0.1:0.4:4 --vary hidden=8/32,32/64 --seeds 3":
                    "24 runs, one table",
                "aeviz sweep t.csv --vary noise=0.1:0.4:4 --vary hidden=8/32,32/64 --seeds 3 --plot t.svg":
                    "and a chart of it",
            },
        ),
    )  # fmt: skip
    add = parser.add_argument
    add("out", type=Path, metavar="OUT", help="the table; rows of other settings stay in it as they are")
    add(
        "--vary", action="append", default=[], metavar="NAME=VALUES",
        help="values of a setting, with commas between: noise=0.1,0.2; a range low:high:count, even on the "
        "setting's own scale: noise=0.1:0.5:5; values that are lists, with slashes: hidden=32/64,64",
    )  # fmt: skip
    add("--seeds", metavar="N", help="run each with so many seeds, from --seed on")
    add("--jobs", metavar="N", help=f"processes at a time; one for each core ({cores()}) by default")
    add("--scheduler", metavar="ADDRESS", help="run on the Dask cluster whose scheduler is there")
    add("--figures", type=Path, metavar="FOLDER", help="write each run's field as a png there")
    add("--plot", type=Path, metavar="FILE", help="chart the table: png, svg or pdf by extension")
    add("--metric", default="midline_iou", metavar="NAME", help=f"what to chart: {', '.join(METRICS)}")
    add("--over", metavar="NAME", help="the setting across the chart; the first that varies by default")
    add("--by", metavar="NAMES", help="settings with a line for each value; the others by default")
    add(
        "--again", action="store_true", help="run all anew, those that are in the table and those that failed"
    )
    add("--json", action="store_true", help="print what was done as one JSON object")
    add_settings(parser)
    return parser


def _of(chosen: argparse.Namespace) -> tuple[Settings, tuple[Axis, ...]]:
    """What a command line has in common for all runs, and what varies."""
    axes = [axis_of(text) for text in chosen.vary]
    given = {named_value(text)[0] for text in chosen.named}
    given |= {name for name in SPECS if getattr(chosen, name, None) is not None}
    for name in (axis.name for axis in axes):
        if name == "seed" and chosen.seeds is not None:
            raise Refused("--seeds and --vary seed both say which seeds: leave one of them out")
        if name in given:  # by an option: what a file or a preset says gives way
            raise Refused(
                f"{SPECS[name].option} and --vary {name} both say what it is: leave one of them out"
            )
    base, _ = settings_of(chosen)
    if chosen.seeds is not None:
        last = base.seed + _whole("--seeds", chosen.seeds, MOST_SEEDS) - 1
        SPECS["seed"].checked(last)
        axes.append(Axis("seed", tuple(range(base.seed, last + 1))))
    if chosen.jobs is not None and chosen.scheduler is not None:
        raise Refused("--jobs and --scheduler both say who runs it: leave one of them out")
    chosen.jobs = cores() if chosen.jobs is None else _whole("--jobs", chosen.jobs, MOST_JOBS)
    return base, tuple(axes)


def _whole(option: str, text: str, most: int) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= most):
        raise Refused(f"{option} cannot be {text!r}: it must be a whole number, 1 to {most:,}")
    return int(text)


def _check_targets(chosen: argparse.Namespace) -> None:
    """See to it that what is to be written can be, before anything is run."""
    if chosen.plot is not None and check_target(chosen.plot) not in PICTURES:
        raise FileError(f"cannot write {chosen.plot}: a chart's name must end in {', '.join(PICTURES)}")
    if chosen.plot is not None or chosen.figures is not None:
        require_qt(screen=False)
    if chosen.figures is not None:
        try:
            chosen.figures.mkdir(exist_ok=True)
        except OSError as error:
            raise FileError(f"cannot write into {chosen.figures}: {error.strerror}") from error
        check_target(chosen.figures / "a.png")


def _swept(store: Store, plan: Sweep, chosen: argparse.Namespace) -> int:
    began, ran = time.monotonic(), 0
    try:
        with _one_interrupt(), store:
            places = missing(store, plan, chosen.figures, chosen.again)
            if places:
                with _pool(chosen) as pool:
                    runs = run_missing(store, plan, places, pool, chosen.figures)
                    for _ in _progress(runs, len(plan.runs) - len(places), len(plan.runs)):
                        ran += 1
        if chosen.plot is not None:
            write_whole(chosen.plot, _chart(store, plan, chosen))
    except KeyboardInterrupt:
        many = f"{len(store.rows):,} of {len(plan.runs):,} runs are in {chosen.out}"
        return say(f"aeviz: interrupted: {many}; the same command goes on from there", FAILED)
    except (ClusterError, OSError, SettingError) as error:  # SettingError: no room for the chart
        refused = not ran and not isinstance(error, ClusterLostError)
        return say(f"aeviz: {error}", REFUSED if refused else FAILED)
    return _report(store, plan, chosen, ran, time.monotonic() - began)


def _pool(chosen: argparse.Namespace) -> AbstractContextManager[Executor]:
    return local_pool(chosen.jobs) if chosen.scheduler is None else dask_pool(chosen.scheduler)


def _progress(runs: Iterator[int], before: int, total: int) -> Iterator[int]:
    with progress_bar(runs, initial=before, total=total, unit="run") as bar:
        yield from bar


def _chart(store: Store, plan: Sweep, chosen: argparse.Namespace) -> bytes:
    over, by = check_plot(plan, chosen.metric, chosen.over, chosen.by)
    curves = curves_of(store.rows, chosen.metric, over, by)
    if not curves.curves:
        raise FileError(f"cannot write {chosen.plot}: no run of this sweep has a value of {chosen.metric}")
    offscreen_application()
    from aeviz.sweep.figures import chart_bytes  # loads Qt

    return chart_bytes(curves, plan.base, chosen.plot.suffix.lower())


def _report(store: Store, plan: Sweep, chosen: argparse.Namespace, ran: int, seconds: float) -> int:
    failed = [row for row in store.rows if row[ERROR]]
    elsewhere = {row[VERSION] for row in store.rows} - {__version__}
    if failed:
        say(f"aeviz: {len(failed):,} of {len(plan.runs):,} runs failed: {failed[0][ERROR]}", DONE)
    if elsewhere:
        say(f"aeviz: some rows are of aeviz {', '.join(map(str, elsewhere))}; --again makes them anew", DONE)
    if chosen.json:
        told = {
            "table": str(chosen.out), "runs": len(plan.runs), "ran": ran, "skipped": len(plan.runs) - ran,
            "failed": len(failed), "other_rows": len(store.others), "seconds": seconds,
            "figures": None if chosen.figures is None else str(chosen.figures),
            "plot": None if chosen.plot is None else str(chosen.plot),
        }  # fmt: skip
        print(json.dumps(told))  # noqa: T201
    return DONE


@contextmanager
def _one_interrupt() -> Iterator[None]:
    """Take the first Ctrl-C; the next ones would only disturb what ends the sweep well."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(*_: object) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
