"""A folder of runs, journals in it, and a disk that fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from journals import Disk, begun

from aeviz.core.journal import Journal


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """The folder of all runs."""
    return tmp_path / "state" / "runs"


@pytest.fixture
def begin(runs: Path) -> Iterator[Callable[..., Journal]]:
    with begun(runs) as begin:
        yield begin


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)
