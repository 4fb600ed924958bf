"""Hostile run files are refused in one line, in two seconds and 200 MB, and nothing is executed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from forgeries import GOOD, TEXT, Hostile
from hostile import MEMORY, bombs, fault, hostile
from saved_runs import forged

from aeviz.core import packing, run_file


def test_a_sample_of_all_kinds(tmp_path: Path) -> None:
    said: Counter[str] = Counter()
    for case in hostile(500, seed=1):
        cause, wrong, _ = fault(case, tmp_path)
        assert not wrong, f"{case.what}: {wrong} ({cause})"
        said[cause] += 1
    assert 0 < said["opened"] < 100
    assert len(said) > 50


def test_whatever_takes_most_time_and_memory(tmp_path: Path) -> None:
    for case in bombs():
        cause, wrong, _ = fault(case, tmp_path)
        assert not wrong, f"{case.what}: {wrong} ({cause})"


def test_a_sample_is_always_the_same_and_all_in_it_differ() -> None:
    samples = [[(case.what, case.content) for case in hostile(300, seed=2)] for _ in range(2)]
    assert samples[0] == samples[1]
    assert len(set(samples[0])) == 300
    assert {case.what for case in hostile(300, seed=3)} - {what for what, _ in samples[0]}


# That faults are found


def test_the_example_itself_is_opened(tmp_path: Path) -> None:
    assert fault(Hostile("", "same", GOOD), tmp_path)[:2] == ("opened", "")
    assert fault(Hostile("", "sound", forged(TEXT.replace("Drawn", "Made"), _arrays())), tmp_path)[1] == ""
    assert fault(Hostile("", "not", GOOD), tmp_path)[1] == "it was opened"
    other = Hostile("", "same", forged(TEXT.replace("Drawn", "Made"), _arrays()))
    assert "something else" in fault(other, tmp_path)[1]


def _arrays() -> dict[str, object]:
    return packing.unpack(GOOD)[1]


def test_too_much_memory_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_file, "run_of", lambda content: bytearray(MEMORY + 50_000_000))
    assert "not refused in a line" in fault(Hostile("", "not", GOOD), tmp_path)[1]


def test_execution_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pickle

    from forgeries import Evil

    monkeypatch.setattr(run_file, "run_of", lambda content: pickle.loads(pickle.dumps(Evil())))  # noqa: S301
    assert fault(Hostile("", "not", GOOD), tmp_path)[1] == "it was executed"
