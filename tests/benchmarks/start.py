"""How soon trainer and observer are there, and what memory they take: one forked, or each started.

    python tests/benchmarks/start.py

By turns, five times each: from the client's beginning until both are ready, the processor time that they have
taken by then, and their memory, of which what they share counts once.
"""

from __future__ import annotations

import os
import queue
import time
from pathlib import Path
from statistics import median
from unittest.mock import patch

from aeviz.work import messages as m
from aeviz.work.client import Client

TIMES = 5
TICK = os.sysconf("SC_CLK_TCK")
Sample = tuple[float, float, float]


def processor_time(pid: int) -> float:
    """Seconds that a process has worked."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / TICK


def memory(pid: int) -> float:
    """MB of a process; of a page that n have, an n-th."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1024 / 1e6


def measured(forks: bool) -> Sample:
    inbox: queue.SimpleQueue[m.FromWorker] = queue.SimpleQueue()
    with patch("aeviz.work.client.can_fork", lambda: forks):
        began = time.perf_counter()
        client = Client(inbox.put)
        while not isinstance(inbox.get(timeout=60.0), m.Ready):
            pass
        ready = time.perf_counter() - began
    pids = client.pids.values()
    sample = ready, sum(map(processor_time, pids)), sum(map(memory, pids))
    client.stop()
    return sample


def main() -> None:
    samples: dict[bool, list[Sample]] = {True: [], False: []}
    measured(True)  # so that the files are in memory
    for _ in range(TIMES):
        for forks, found in samples.items():
            found.append(measured(forks))
    forked, each = ([median(row) for row in zip(*samples[forks], strict=True)] for forks in (True, False))
    print(f"{'':22}{'one forked':>12}{'each started':>14}{'ratio':>8}")
    for name, unit, one, other in zip(
        ("both ready after", "processor time", "memory"), ("s", "s", "MB"), forked, each, strict=True
    ):
        print(f"{name:22}{one:>9.1f} {unit:2}{other:>11.1f} {unit:2}{other / one:>8.2f}")


if __name__ == "__main__":
    main()
