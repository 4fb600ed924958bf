"""Real processes to talk with."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import pytest
import torch
from talk import Talk

from aeviz.work import messages as m


@pytest.fixture(scope="package")
def two_talks() -> Iterator[list[Talk]]:
    """Two pairs of processes for all of these tests, each started by the first that takes it."""
    talks: list[Talk] = []
    yield talks
    for talk in talks:
        talk.client.stop()


@pytest.fixture
def talk(two_talks: list[Talk]) -> Iterator[Talk]:
    """One trainer and one observer: whoever takes them builds a run of its own."""
    yield from taken(two_talks, 0)


@pytest.fixture
def other(two_talks: list[Talk], talk: Talk) -> Iterator[Talk]:
    """Two more."""
    yield from taken(two_talks, 1)


def taken(talks: list[Talk], number: int) -> Iterator[Talk]:
    """Leave the pair at rest."""
    if number == len(talks):
        talks.append(Talk())
    yield talks[number]
    talks[number].send(m.Drive(playing=False, speed=math.inf))


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


@pytest.fixture(scope="module")
def as_in_the_processes() -> Iterator[None]:
    """One thread, for what is tested here without a process of its own."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
