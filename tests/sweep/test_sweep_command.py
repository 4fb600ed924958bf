"""`aeviz sweep` on this machine: real processes, and what becomes of them."""

from __future__ import annotations

import json
import os
import pty
import signal
import sys
import termios
import threading
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from kept_processes import kept_processes
from processes import children, ended, working

import aeviz
import aeviz.run as run_module
from aeviz.cli import main
from aeviz.sweep.executors import LocalPool, local_pool
from aeviz.sweep.table import read_table
from aeviz.work.cores import ALL, ALL_BUT_ONE, keep_to

COMMAND = import_module("aeviz.cli.sweep")  # the package has a function of this name
FAST = ("--hidden", "4", "--code", "3", "--epochs", "10", "--grid", "8x6")
VARIED = ("--vary", "noise=0.2,0.3", "--vary", "noise-kind=gaussian,masking", "--seeds", "2")
TIMES = {"train_seconds", "steps_per_second"}


@pytest.fixture(scope="module")
def kept_pool() -> Iterator[LocalPool]:
    """One process for many sweeps: to start it takes longer than most of them."""
    with local_pool(1) as pool, pytest.MonkeyPatch.context() as patch:
        pool.submit(len, ()).result()
        patch.setattr(COMMAND, "local_pool", lambda jobs: nullcontext(pool))
        yield pool


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory, kept_pool: LocalPool) -> Path:
    """A table of eight runs, with figures."""
    folder = tmp_path_factory.mktemp("swept")
    words = [*FAST, *VARIED, "--seed", "5", "--figures", str(folder / "figures")]
    assert main(["sweep", str(folder / "table.csv"), *words]) == 0
    return folder


def ran(
    capsys: pytest.CaptureFixture, path: Path, *words: str, fast: tuple[str, ...] = FAST
) -> dict[str, Any]:
    """What the command says of itself, on stdout alone."""
    assert main(["sweep", str(path), *fast, *words, "--json"]) == 0
    out, err = capsys.readouterr()
    assert (err, out.count("\n")) == ("", 1)
    told: dict[str, Any] = json.loads(out)
    return told


def test_the_numbers_are_those_of_a_run_bit_for_bit(swept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = read_table(swept / "table.csv")
    order = [(row["noise"], row["noise_kind"], row["seed"]) for row in rows]
    assert order == [(n, kind, s) for n in (0.2, 0.3) for kind in ("gaussian", "masking") for s in (5, 6)]
    assert all(row["error"] is None and row["aeviz_version"] == aeviz.__version__ for row in rows)
    with kept_processes() as client:
        monkeypatch.setattr(run_module, "Client", client)
        for row in (rows[0], rows[7]):
            settings = aeviz.Settings(
                hidden=(4,), code=3, epochs=10, grid=(8, 6), noise=float(row["noise"] or 0.0),
                noise_kind=str(row["noise_kind"]), seed=int(row["seed"] or 0),
            )  # fmt: skip
            with aeviz.train(settings) as run:
                expected = run.metrics().to_json()
                expected["regulariser_loss"] = expected.pop("regulariser")
                assert {n: row[n] for n in expected if n not in TIMES} == {
                    n: value for n, value in expected.items() if n not in TIMES
                }
                picture = swept / "figures" / str(row["figure"])
                run.save(swept / "run.png")
                assert picture.read_bytes() == (swept / "run.png").read_bytes()


def test_each_process_works_in_one_thread(swept: Path, kept_pool: LocalPool) -> None:
    torch = import_module("torch")
    assert kept_pool.submit(torch.get_num_threads).result() == 1
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        assert kept_pool.submit(os.getenv, name).result() == "1"


def test_what_is_done_is_skipped_and_no_process_started(
    swept: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (swept / "table.csv").read_bytes()
    monkeypatch.setattr(COMMAND, "local_pool", None)  # it cannot be made
    told = ran(
        capsys, swept / "table.csv", *VARIED, "--seed", "5", "--figures", str(swept / "figures"),
        "--plot", str(swept / "chart.svg"), "--metric", "excess_risk", "--theme", "light",
    )  # fmt: skip
    assert {name: told[name] for name in ("runs", "ran", "skipped", "failed", "other_rows")} == {
        "runs": 8, "ran": 0, "skipped": 8, "failed": 0, "other_rows": 0,
    }  # fmt: skip
    assert (swept / "table.csv").read_bytes() == before
    assert "Excess risk</text>" in (swept / "chart.svg").read_text(encoding="utf-8")


def test_only_what_is_missing_is_run_and_failures_are_rows(
    tmp_path: Path, capsys: pytest.CaptureFixture, kept_pool: LocalPool
) -> None:
    path = tmp_path / "table.csv"
    wild = ("--activation", "identity", "--optimiser", "sgd", "--jobs", "1", "--vary")
    assert main(["sweep", str(path), *FAST, "--epochs", "200", *wild, "learning-rate=0.001,1", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["failed"] == 1
    assert err.count("\n") == 1 and err.startswith("aeviz: 1 of 2 runs failed: ")
    sound, failed = read_table(path)
    assert sound["error"] is None and isinstance(sound["loss"], float)
    assert "lower the learning rate" in str(failed["error"]) and failed["loss"] is None
    words = ["sweep", str(path), *FAST, "--epochs", "200", *wild, "learning-rate=0.001,0.002,1", "--json"]
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out)["ran"] == 1
    assert [read_table(path)[k] for k in (0, 2)] == [sound, failed]
    assert main([*words, "--again"]) == 0
    assert json.loads(capsys.readouterr().out)["ran"] == 3
    again = read_table(path)
    assert len(again) == 3 and again[0]["loss"] == sound["loss"] and again[2] == failed
    assert [row["train_seconds"] for row in again[:1]] != [sound["train_seconds"]]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--vary", "nois=1"], "did you mean noise?"),
        (["--vary", "noise=0.1", "--noise", "0.2"], "--noise and --vary noise"),
        (["--vary", "seed=1", "--seeds", "2"], "--seeds and --vary seed"),
        (["--seeds", "0"], "--seeds cannot be '0'"),
        (["--seeds", "2", "--seed", "2147483647"], "--seed cannot be"),
        (["--jobs", "many"], "--jobs cannot be 'many'"),
        (["--jobs", "2", "--scheduler", "tcp://127.0.0.1:1"], "--jobs and --scheduler"),
        (["--plot", "a.csv", "--vary", "noise=0.1"], "name must end in"),
        (["--plot", "nowhere/a.png", "--vary", "noise=0.1"], "there is no folder"),
        (["--plot", "a.png"], "add --vary"),
        (["--plot", "a.npz", "--vary", "noise=0.1"], "name must end in"),
        (["--plot", "a.png", "--metric", "midline", "--vary", "noise=0.1"], "did you mean midline_iou?"),
        (["--plot", "a.png", "--over", "hidden", "--vary", "noise=0.1"], "--over hidden"),
        (["--plot", "a.png", "--over", "noise", "--by", "seed", "--vary", "noise=0.1", "--vary", "code=2,3",
          "--seeds", "2"], "--by leaves out code"),
        (["--plot", "a.png", "--vary", "noise=0.1", "--vary", "code=1:999:13"], "13 lines"),
        (["--seeds", "10000", "--vary", "noise=0:1:11"], "110,000 runs"),
        (["--figures", "nowhere/figures"], "cannot write into nowhere/figures"),
        (["--vry", "noise=0.1"], "did you mean --vary?"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)  # fmt: skip
def test_bad_arguments_are_one_line_and_exit_2(
    words: list[str],
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["sweep", "table.csv", *words]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1) and err.startswith("aeviz: ") and said in err
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("name", ["table.txt", "table", "nowhere/table.csv", "folder.csv"])
def test_a_table_that_cannot_be_written_is_told_before_anything_is_run(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    (tmp_path / "folder.csv").mkdir()
    assert main(["sweep", str(tmp_path / name)]) == 2
    assert capsys.readouterr().err.startswith(f"aeviz: cannot write {tmp_path / name}: ")


# Processes that end before they should


@pytest.mark.skipif(len(ALL) < 2, reason="there is one core")
def test_a_process_works_on_all_cores_whichever_the_window_keeps_to() -> None:
    def in_a_thread() -> None:
        keep_to(ALL_BUT_ONE)  # of this thread, and of what it starts
        with local_pool(1) as pool:
            found.append(pool.submit(os.sched_getaffinity, 0).result())

    found: list[set[int]] = []
    thread = threading.Thread(target=in_a_thread)
    thread.start()
    thread.join()
    assert found == [ALL]


pytestmark_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


def workers(pid: int) -> list[int]:
    """The processes that run tasks for a program."""
    return [*working(children(pid))]


@pytest.fixture
def begin(start: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    """Start a sweep into table.csv."""

    def begin(*words: str, **options: Any) -> Any:
        return start(
            "-m", "aeviz", "sweep", str(tmp_path / "table.csv"), *FAST[:-4], *FAST[-2:], *words, **options
        )

    return begin


def wait_until(program: Any, found: Callable[[], object]) -> None:
    while not found():
        assert program.process.poll() is None, program.end()


@pytestmark_linux
def test_ctrl_c_stops_at_once_and_the_table_has_what_was_done(
    tmp_path: Path, begin: Callable[..., Any]
) -> None:
    program, path = begin("--vary", "epochs=2,1000000", "--jobs", "1"), tmp_path / "table.csv"
    wait_until(program, path.exists)
    running = workers(program.process.pid)
    os.killpg(program.process.pid, signal.SIGINT)
    code, out, err = program.end()
    said = f"aeviz: interrupted: 1 of 2 runs are in {path}; the same command goes on from there\n"
    assert (code, out, err) == (1, "", said)
    assert len(running) == 1 and all(ended(pid, within=2.0) for pid in running)
    assert [row["epochs"] for row in read_table(path)] == [2]
    assert [*tmp_path.iterdir()] == [path]


@pytestmark_linux
def test_after_a_kill_only_the_tasks_in_progress_are_lost(
    tmp_path: Path, begin: Callable[..., Any], capsys: pytest.CaptureFixture
) -> None:
    path, journal = tmp_path / "table.csv", tmp_path / ".table.csv.journal"
    screen, stderr = pty.openpty()
    termios.tcsetwinsize(stderr, (24, 80))
    program = begin("--vary", "epochs=2,3,4,1000000", "--jobs", "1", stderr=stderr)
    os.close(stderr)
    wait_until(program, lambda: journal.exists() and journal.read_bytes().count(b"\n") == 2)
    running = workers(program.process.pid)
    program.process.kill()
    assert len(running) == 1 and all(ended(pid, within=2.0) for pid in running)
    shown = os.read(screen, 100_000).decode()
    os.close(screen)
    assert "/4 [" in shown  # on a terminal there is a bar
    told = ran(capsys, path, "--vary", "epochs=2,3,4", fast=(*FAST[:-4], *FAST[-2:]))
    assert (told["ran"], told["skipped"]) == (0, 3)
    assert [row["epochs"] for row in read_table(path)] == [2, 3, 4]
    assert {*tmp_path.iterdir()} == {path}


@pytestmark_linux
def test_a_worker_that_dies_costs_its_task_alone(tmp_path: Path, begin: Callable[..., Any]) -> None:
    program, path = begin("--vary", "epochs=1000000,2", "--jobs", "1", "--json"), tmp_path / "table.csv"
    wait_until(program, lambda: workers(program.process.pid))
    os.kill(workers(program.process.pid)[0], signal.SIGKILL)  # with the first task: it is put off
    wait_until(program, path.exists)  # the second one is done, and the first one runs again
    os.kill(workers(program.process.pid)[0], signal.SIGKILL)
    code, out, err = program.end()
    assert (code, json.loads(out)["failed"]) == (0, 1)
    assert err.startswith("aeviz: 1 of 2 runs failed: the process that ran it ended, twice")
    lost, sound = read_table(path)
    assert (lost["epochs"], lost["loss"]) == (1_000_000, None)
    assert (sound["epochs"], sound["error"]) == (2, None) and isinstance(sound["loss"], float)
