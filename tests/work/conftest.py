"""Real processes to talk with."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
from talk import Talk


@pytest.fixture(scope="package")
def talk() -> Iterator[Talk]:
    """One trainer and one observer for all of these tests: whoever takes them builds a run of its own."""
    talk = Talk()
    yield talk
    talk.client.stop()


@pytest.fixture(scope="package")
def other() -> Iterator[Talk]:
    """Two more, shared as well."""
    talk = Talk()
    yield talk
    talk.client.stop()


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
