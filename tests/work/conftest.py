"""Real processes to talk with."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import pytest
from talk import Talk

from aeviz.work import messages as m


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


AT_REST = m.Drive(playing=False, speed=math.inf)


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
