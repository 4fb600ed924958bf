"""Torch as the worker has it: one thread. Hypothesis without deadlines: a busy machine is no failure."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from hypothesis import settings

settings.register_profile("aeviz", deadline=None)
settings.load_profile("aeviz")


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
