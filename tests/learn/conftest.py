"""Torch as the worker has it: one thread. Hypothesis without deadlines: a busy machine is no failure."""

from __future__ import annotations

import pytest
from hypothesis import settings

settings.register_profile("aeviz", deadline=None)
settings.load_profile("aeviz")


@pytest.fixture(autouse=True, scope="module")
def as_in_the_worker(one_thread: None) -> None:
    """Here, everywhere."""
