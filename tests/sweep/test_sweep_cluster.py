"""`aeviz sweep --scheduler`: a real Dask cluster, one of whose workers dies in the middle."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aeviz.cli import main
from aeviz.core.settings import Settings
from aeviz.sweep.table import read_table
from aeviz.sweep.task import run_task

TIMES = {"train_seconds", "steps_per_second"}
# Two workers; the first one that is seen at a task is killed. Told so, it ends with the next task.
CLUSTER = """if True:
    import os, signal, sys
    from distributed import LocalCluster

    def main():
        options = dict(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None)
        with LocalCluster(**options, silence_logs=50) as cluster:
            print(cluster.scheduler_address, flush=True)
            workers = cluster.scheduler.workers

            def until_busy():
                while not (busy := [each for each in [*workers.values()] if [*each.processing]]):
                    pass
                return busy

            busy = until_busy()
            pids = {nanny.worker_address: nanny.pid for nanny in cluster.workers.values()}
            os.kill(pids[busy[0].address], signal.SIGKILL)
            print("killed", flush=True)
            sys.stdin.readline()
            until_busy()

    if __name__ == "__main__":
        main()
"""


@pytest.mark.timeout(120)  # it starts eight processes, and Dask waits for lost ones
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="kills as POSIX does")
def test_a_cluster_that_loses_a_worker_gives_every_row_and_its_end_is_told(
    tmp_path: Path, start: Callable[..., Any], one_thread: None
) -> None:
    script = tmp_path / "cluster.py"
    script.write_text(CLUSTER)
    cluster = start(str(script), stdin=-1)
    path = tmp_path / "table.csv"
    words = ("--vary", "noise=0.2,0.3", "--seeds", "2", "--hidden", "4", "--code", "3", "--epochs", "200")
    figures = ("--figures", str(tmp_path / "figures"))
    scheduler = ("--scheduler", cluster.line())
    code, out, err = start("-m", "aeviz", "sweep", str(path), *words, *scheduler, *figures, "--json").end()
    assert (code, err, json.loads(out)["ran"]) == (0, "", 4)
    assert cluster.line() == "killed"
    rows = read_table(path)
    assert [(row["noise"], row["seed"]) for row in rows] == [(n, s) for n in (0.2, 0.3) for s in (0, 1)]
    for row in rows:
        settings = Settings(hidden=(4,), code=3, epochs=200, noise=row["noise"], seed=row["seed"])
        outcome = run_task(Settings().changed(settings), row is rows[0])
        metrics = outcome.metrics
        metrics["regulariser_loss"] = metrics.pop("regulariser")
        told = {name: value for name, value in metrics.items() if name not in TIMES}
        assert {name: row[name] for name in told} == told
        if row is rows[0]:  # painted here, of what came from the cluster
            assert (tmp_path / "figures" / str(row["figure"])).read_bytes() == outcome.picture
    assert len({row["figure"] for row in rows}) == len([*(tmp_path / "figures").iterdir()]) == 4
    before = path.read_bytes()
    cluster.process.stdin.write("\n")
    cluster.process.stdin.flush()
    endless = ("--vary", "noise=0.2,0.3", "--hidden", "4", "--epochs", "1000000")
    code, out, err = start("-m", "aeviz", "sweep", str(path), *endless, *scheduler).end()
    assert (code, out) == (1, "")
    assert err == "aeviz: the cluster is gone: start it again, and repeat the command to go on\n"
    assert cluster.end()[0] == 0
    assert path.read_bytes() == before
    assert {*tmp_path.iterdir()} == {script, path, tmp_path / "figures"}


def test_no_cluster_is_one_line_and_exit_2(tmp_path: Path, start: Callable[..., Any]) -> None:
    path = tmp_path / "table.csv"
    program = start("-m", "aeviz", "sweep", str(path), "--scheduler", "tcp://127.0.0.1:1")
    code, out, err = program.end()
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("aeviz: no Dask cluster answers at tcp://127.0.0.1:1: ")
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("module", "words", "said"),
    [
        ("distributed", ["table.csv", "--scheduler", "tcp://127.0.0.1:1"], "pip install 'aeviz[dask]'"),
        ("pyarrow", ["table.parquet"], "pip install 'aeviz[parquet]'"),
    ],
)
def test_what_is_not_installed_is_one_line_and_exit_2(
    module: str,
    words: list[str],
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.chdir(tmp_path)
    assert main(["sweep", *words]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1) and said in err
    assert [*tmp_path.iterdir()] == []
