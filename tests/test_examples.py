"""The examples of the documentation say what happens."""

from __future__ import annotations

import doctest

import pytest

import aeviz
import aeviz.runs


@pytest.mark.parametrize("module", [aeviz, aeviz.runs], ids=lambda module: module.__name__)
def test_the_examples_of_a_module_are_true(module: object) -> None:
    found = doctest.testmod(module, optionflags=doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL)
    assert found.attempted > 0
    assert found.failed == 0
