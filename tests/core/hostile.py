"""Hostile and broken run files, as many as are wanted; ``python tests/core/hostile.py 10000`` opens them."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import resource
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from forgeries import ARRAYS, GOOD, KINDS, MARK, POOL, TEXT, TOLD, VALUES, Hostile, with_pool
from saved_runs import forged, told

from aeviz.core.packing import MOST_HEADER
from aeviz.core.run_file import RunFileError, SavedRun, read_run, run_bytes, run_of

SECONDS, MEMORY = 2.0, 200_000_000  # within which each is refused; bytes beyond what is there before
LINE = 600  # characters of a message, with a path in it


# What takes much time or memory


def bombs() -> Iterator[Hostile]:
    """As much as the limits allow, and a little more."""
    for piece in ("[]", "[[]]", '{"":0}', '{"a":[]}', "0.1", "1" * 4_000):
        for limit in (MOST_HEADER - 1_000, MOST_HEADER + 1_000, 8_000_000):
            many = "[" + ",".join([piece] * ((limit - 9) // (len(piece) + 1))) + "]"
            content = forged("", {}, f'{{"x":{many}}}')
            yield Hostile(f"a header of {limit} bytes of {piece[:9]}", "not", content)
        values = f'{TEXT[:-1]}, "x": {many[: MOST_HEADER // 3]}'
        values = values[: values.rindex(",")] + "]}"
        yield Hostile(f"values with many {piece[:9]}", "sound", forged(values, ARRAYS))
    first = POOL.split("\n")[0]
    drawn = json.dumps({"drawn": [0.5] * 4_000})
    seeds = "\n".join(f'{{"seed":{number}}}' for number in range(14_000))
    for what, text in {
        "empty lines": first + "\n" * 7_900_000,
        "many seeds": f"{first}\n{seeds}", "many seeds of drawn points": f"{first}\n{drawn}\n{seeds}",
        "many drawn points": "\n".join([first, *[drawn.replace("0.5", "1")] * 450]),
        "a long line": first + " " * 8_000_000, "all at once": json.dumps([0] * 2_600_000),
    }.items():  # fmt: skip
        yield Hostile(f"settings: {what}", "sound", with_pool(text))
    many_arrays = {f"a{number}": np.zeros(0, np.float32) for number in range(49_000)}
    yield Hostile("49,000 arrays", "not", forged(TEXT, {**ARRAYS, **many_arrays}))
    values = json.dumps(VALUES | {"branches": VALUES["branches"] * 5_000})
    yield Hostile("15,000 branches", "not", forged(values, ARRAYS))
    rows = np.zeros((1_100_000, 2), np.int64)
    for name, array in {
        "branch0.live": rows, "changes.rows": np.zeros((1_000_000, 5), np.int64), "frames.epochs": rows[:, 0],
        "branch0.frames": rows[:, 0], "data0.points": rows.astype(float), "data0.curve0": rows.astype(float),
        "branch0.losses": np.full(rows.shape, np.nan, np.float32), "stack0.extra": rows,
    }.items():  # fmt: skip
        yield Hostile(f"{len(array)} rows of {name}", "not", forged(TEXT, {**ARRAYS, name: array}))


# What is no file


def places(rng: random.Random) -> Iterator[Hostile]:
    """Folders, pipes, links, and names that no file can have."""

    def sparse(size: int, head: bytes = b"") -> Callable[[Path], Path]:
        def make(path: Path) -> Path:
            path.write_bytes(head)
            os.truncate(path, size)
            return path

        return make

    def link(path: Path, target: str) -> Path:
        path.symlink_to(target)
        return path

    def bound(path: Path) -> Path:
        with socket.socket(socket.AF_UNIX) as each:
            each.bind(str(path))
        return path

    def made(path: Path, make: Callable[..., object], *rest: Any) -> Path:
        make(path, *rest)
        return path

    salt = f"{rng.getrandbits(32):x}"
    for what, place in {
        "a folder": lambda p: made(p, Path.mkdir), "a pipe": lambda p: made(p, os.mkfifo), "a socket": bound,
        "a link to itself": lambda p: link(p, p.name), "a link to nothing": lambda p: link(p, f"{salt}/x"),
        "a link to a folder": lambda p: link(p, "/"), "a link to zeros": lambda p: link(p, "/dev/zero"),
        "a terabyte of nothing": sparse(2**40), "2 GiB and a byte": sparse(2**31 + 1, GOOD),
        "2 GiB of nothing": sparse(2**31), "2 GiB after a run": sparse(2**31, GOOD),
        "no file": lambda p: p, "zeros": lambda p: "/dev/zero", "nothing": lambda p: "/dev/null",
        "empty": sparse(0),
        "memory": lambda p: "/proc/self/mem", "a file of the kernel": lambda p: "/proc/self/status",
        "NUL in a name": lambda p: f"{p}\0.aeviz", "a long name": lambda p: p / ("x" * 300), "": lambda p: "",
        "lines in a name": lambda p: f"{p}\n\r\x1b[31m\u2028x", "half a letter": lambda p: f"{p}\ud800",
        "below a file": lambda p: made(p, Path.touch) / "x", "a very long path": lambda p: p / ("x/" * 5_000),
    }.items():  # fmt: skip
        yield Hostile(f"{what or 'no name'} ({salt})", "not", place=place)
    locked = sparse(len(GOOD), GOOD)
    yield Hostile(f"no permission ({salt})", "not", b"", lambda p: made(locked(p), Path.chmod, 0), nobody)


@contextlib.contextmanager
def nobody() -> Iterator[None]:
    """As a user who is not root, to whom everything is permitted."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65_534)
    try:
        yield
    finally:
        if user == 0:
            os.seteuid(0)


def hostile(count: int, seed: int) -> Iterator[Hostile]:
    """Yield so many that are all different, of all kinds but `bombs`."""
    rng, seen = random.Random(seed), {hashlib.sha256(GOOD).digest()}
    left = count
    for each in list(places(rng))[:count]:
        left -= 1
        yield each
    while left:
        each = rng.choice(KINDS)(rng)
        mark = hashlib.sha256(each.content).digest()
        if mark not in seen:
            seen.add(mark)
            left -= 1
            yield each


@contextlib.contextmanager
def little_memory() -> Iterator[None]:
    """Beyond it there is "not enough memory"."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MEMORY, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def fault(case: Hostile, folder: Path) -> tuple[str, str, float]:
    """Open it; return what was said, or "opened", what is wrong with that, and the seconds it took."""
    path = folder / "run.aeviz"
    name = case.put(path)
    began, saved, said = time.process_time(), None, "opened"
    try:
        with little_memory(), case.around():
            saved = read_run(name)
    except RunFileError as error:
        said = str(error)
    seconds = time.process_time() - began  # others may use the processor as well
    if not path.is_symlink() and path.is_dir():
        path.rmdir()
    else:
        path.unlink(missing_ok=True)
    return said, _wrong(case, saved, said, seconds), seconds


def _wrong(case: Hostile, saved: SavedRun | None, said: str, seconds: float) -> str:
    if MARK.exists():
        MARK.unlink()
        return "it was executed"
    if seconds > SECONDS:
        return f"it took {seconds:.1f} s"
    if saved is None:
        is_line = len(said) <= LINE and said.isprintable() and said.startswith("cannot open ")
        return "" if is_line and "memory" not in said else "it was not refused in a line that says why"
    if case.may == "not":
        return "it was opened"
    if case.may == "same":
        return "" if told(saved) == TOLD else "it was opened, and something else is in it"
    again = told(run_of(run_bytes(saved)))
    is_whole = again | {"version": saved.version} == told(saved)
    return "" if is_whole else "what was opened cannot be written again"


def main(count: int, seed: int = 0) -> int:
    """Open so many and all bombs; say what became of them."""
    said: Counter[str] = Counter()
    wrong: list[str] = []
    slowest, total = (0.0, ""), 0
    with tempfile.TemporaryDirectory() as folder:
        for cases in (hostile(count, seed), bombs()):
            for case in cases:
                cause, fault_is, seconds = fault(case, Path(folder))
                said["".join("#" if each.isdigit() else each for each in cause.rpartition(": ")[2])[:60]] += 1
                slowest, total = max(slowest, (seconds, case.what)), total + 1
                if fault_is:
                    wrong.append(f"{case.what}: {fault_is} ({cause[:200]})")
    lines = [f"{number:6} {cause}" for cause, number in said.most_common(40)]
    lines += [f"{total} files, the slowest took {slowest[0]:.2f} s: {slowest[1]}", *wrong[:20]]
    sys.stdout.write("\n".join([*lines, f"{len(wrong)} were not treated as they should be", ""]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
