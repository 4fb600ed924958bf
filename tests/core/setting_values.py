"""Values that a setting allows, and values that it must refuse."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import strategies as st

from aeviz.core.setting import MOST_TEXT, SettingError, Spec
from aeviz.core.settings import TABLE

LINE = 400  # characters that a message may take; the longest list of choices needs about 120
every_spec = pytest.mark.parametrize("spec", TABLE, ids=lambda spec: spec.name)


def number(spec: Spec, kind: type) -> st.SearchStrategy[Any]:
    """Numbers within the range of the spec, its ends among them."""
    ends = st.sampled_from([kind(spec.low), kind(spec.high)])
    within = st.integers if kind is int else st.floats
    return ends | within(kind(spec.low), kind(spec.high))


def valid(spec: Spec) -> st.SearchStrategy[Any]:
    """Every value that the spec allows."""
    if spec.choices:
        choices = st.sampled_from(spec.choices)
        return choices | st.builds(_file, st.text(), st.sampled_from(spec.files)) if spec.files else choices
    if isinstance(spec.default, bool):
        return st.booleans()
    if spec.is_text:
        return st.text(st.characters(exclude_categories=("C", "Z"), include_characters=" ")).map(
            lambda text: text.strip()[:MOST_TEXT].strip()
        )
    if spec.name == "resolution":  # with the largest size there would be too many pixels
        return number(spec, float).map(lambda dpi: min(dpi, 300.0))
    if isinstance(spec.default, tuple):
        if spec.name == "size":
            return st.just(()) | st.tuples(st.floats(1.0, 40.0), st.floats(1.0, 40.0))
        if spec.name == "extent":
            return st.just(()) | st.builds(
                _extent, number(spec, float), number(spec, float), st.floats(1e-3, 30.0), st.floats(-1, 1)
            )
        if spec.name == "drawn":
            points = st.tuples(number(spec, float), number(spec, float))
            return st.lists(points, max_size=20).map(lambda some: tuple(x for point in some for x in point))
        least, most = spec.length
        return st.lists(number(spec, element(spec)), min_size=least, max_size=most).map(tuple)
    return number(spec, type(spec.default))


def _file(stem: str, suffix: str) -> str:
    """A file's name, without blanks before it, which are cut off."""
    return stem.lstrip() + suffix


def _extent(x: float, y: float, size: float, lean: float) -> tuple[float, float, float, float]:
    """A rectangle within the range, up to fifty times as long as wide."""
    wide, high = size * min(1.0, 49.0**lean), size * min(1.0, 49.0**-lean)
    x0, y0 = min(x, 1e9 - wide), min(y, 1e9 - high)
    return x0, x0 + wide, y0, y0 + high


def element(spec: Spec) -> type:
    """The type of a tuple's numbers."""
    return int if spec.whole else float


def everything() -> st.SearchStrategy[dict[str, Any]]:
    every = {spec.name: valid(spec) for spec in TABLE}
    return st.fixed_dictionaries(every | {"batch": st.integers(1, 2**25 // 9220)})  # for the widest network


def just_outside(spec: Spec) -> list[Any]:
    """The nearest numbers below and above the range."""
    kind = element(spec) if isinstance(spec.default, tuple) else type(spec.default)
    if kind is int:
        return [int(spec.low) - 1, int(spec.high) + 1]
    return [math.nextafter(spec.low, -math.inf), math.nextafter(spec.high, math.inf)]


def impossible(spec: Spec) -> list[Any]:
    """Values that the spec must refuse, whatever its kind."""
    objects: list[Any] = [
        None,
        {},
        [],
        b"on",
        object(),
        1j,
        "",
        "nonsense",
        "two\nlines",
        "x" * 10_000,
        [None],
    ]
    if isinstance(spec.default, bool):
        return [*objects, 0, 1, 1.0, "on"]
    if spec.is_text:
        return [each for each in objects if each not in ("", "nonsense")] + [1, True, ("a",)]
    if spec.choices:
        return [*objects, True, 0, spec.default.upper(), (spec.default,)]
    numbers = [math.nan, math.inf, -math.inf, 10**400, -(10**400), "5", True, False]
    if not isinstance(spec.default, tuple):
        fraction = [spec.default + 0.5] if isinstance(spec.default, int) else []
        return [*objects, *numbers, *fraction, *just_outside(spec), (spec.default,)]
    least, most = spec.length
    good = element(spec)(spec.default[0] if spec.default else 0.0)
    ends = just_outside(spec)
    if element(spec) is int:
        ends.append(good + 0.5)
    broken = [(bad, *(good,) * (least - 1)) for bad in [*numbers, *ends, None, [good]]]
    too_few = [(good,) * (least - 1)] if least else []
    return [
        *(o for o in objects if o != [] or least),
        good,
        *broken,
        *too_few,
        (good,) * (most + 1),
        {good: good},
    ]


def refusal(spec: Spec, error: BaseException) -> str:
    """Assert that an error tells a user what is wrong and what is right, in one line."""
    text = str(error)
    assert isinstance(error, SettingError)
    assert len(text.splitlines()) == 1
    assert len(text) <= LINE
    assert spec.option in text
    assert spec.range in text
    return text
