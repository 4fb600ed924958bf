"""Real processes to talk with, and clocks for what is tested without one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from driven import Clock
from served import Serve, Window, driver_of
from served import Trainer as ServedTrainer
from talk import AT_REST, Talk

from aeviz.work import client as client_module
from aeviz.work import driver as driver_module
from aeviz.work import exact as exact_module
from aeviz.work import messages as m
from aeviz.work import observer as observer_module
from aeviz.work import past as past_module
from aeviz.work.observer import Observer
from aeviz.work.trainer import Trainer


@pytest.fixture(autouse=True, scope="module")
def as_in_the_processes(one_thread: None) -> None:
    """What is trained here, to compare with, is trained in one thread too."""


@pytest.fixture(scope="package")
def a_pair() -> Iterator[Talk]:
    """One trainer and one observer for all of these tests."""
    talk = Talk()
    yield talk
    talk.client.stop()


@pytest.fixture(scope="package")
def another_pair() -> Iterator[Talk]:
    """Two more."""
    talk = Talk()
    yield talk
    talk.client.stop()


@pytest.fixture
def talk(a_pair: Talk) -> Iterator[Talk]:
    """A pair that is shared: whoever takes it builds a run of its own."""
    yield a_pair
    a_pair.send(AT_REST)


@pytest.fixture
def other(another_pair: Talk) -> Iterator[Talk]:
    """Another, shared as well."""
    yield another_pair
    another_pair.send(AT_REST)


@pytest.fixture(params=["one forked", "each started"])
def both_ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With processes as on this system, and as where none can be forked."""
    if request.param == "each started":
        monkeypatch.setattr(client_module, "can_fork", lambda: False)


@pytest.fixture
def new_talk() -> Iterator[Callable[[], Talk]]:
    """Start two that the test may do anything to."""
    talks: list[Talk] = []

    def start() -> Talk:
        talks.append(Talk())
        return talks[-1]

    yield start
    for talk in talks:
        talk.client.stop()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The time of drivers and of past epochs, which the test turns."""
    clock = Clock()
    for module in (driver_module, past_module):
        monkeypatch.setattr(module, "time", SimpleNamespace(perf_counter=clock))
    return clock


@pytest.fixture
def new_trainer() -> Callable[[], tuple[Trainer, list[m.FromWorker]]]:
    """A trainer in this process, and the list of what it says."""

    def new_trainer() -> tuple[Trainer, list[m.FromWorker]]:
        said: list[m.FromWorker] = []
        no_pipe: Any = None
        return Trainer(no_pipe, no_pipe, said.append), said

    return new_trainer


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Serve:
    """Serve by a plan until it says stop; what was said, but for ready, and the window."""

    def serve(
        *plan: m.ToObserver | int, by: ServedTrainer | None = None
    ) -> tuple[list[m.FromWorker], Window]:
        window: Any = Window([*plan, m.Stop()])
        clock = SimpleNamespace(monotonic=lambda: window.now, perf_counter=lambda: window.now)
        monkeypatch.setattr(exact_module, "time", clock)
        monkeypatch.setattr(observer_module, "time", clock)
        said: list[m.FromWorker] = []
        trainer: Any = by or ServedTrainer(driver_of(1))
        Observer(window, trainer, said.append).serve()
        assert isinstance(said.pop(0), m.Ready)
        return said, window

    return serve
