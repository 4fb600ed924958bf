"""Choices, files, whole numbers, drawn points, and what is derived from the settings."""

from __future__ import annotations

from typing import Any

import pytest
from fields import ADDED
from hypothesis import given
from hypothesis import settings as effort
from setting_values import element, every_spec, everything, refusal

from aeviz.core.corruption import DISCRETE
from aeviz.core.data_file import SUFFIXES
from aeviz.core.manifolds import BITS, CLOSED, CURVES
from aeviz.core.setting import SettingError, Spec
from aeviz.core.settings import MOST_DRAWN, SPECS, TABLE, Settings

# Choices, files and whole numbers


@every_spec
def test_a_file_may_be_named_where_the_table_says_so(spec: Spec) -> None:
    assert spec.files == (SUFFIXES if spec.name == "data" else ())
    if not spec.choices:
        return
    for suffix in SUFFIXES:
        for name in (f"folder/some points{suffix}", f"UPPER{suffix.upper()}", f"../α.β{suffix}"):
            if spec.files:
                assert spec.checked(name) == spec.parsed(f" {name} ") == spec.text(name) == name
                assert getattr(Settings(**{spec.name: name}), spec.name) == name
            else:
                with pytest.raises(SettingError) as caught:
                    spec.checked(name)
                refusal(spec, caught.value)
    assert all(suffix in spec.range for suffix in spec.files)
    for name in ("points.xlsx", "points.csv.gz", "csv", ".csv/", "points.csv\n"):
        with pytest.raises(SettingError) as caught:
            spec.checked(name)
        refusal(spec, caught.value)


@every_spec
def test_numbers_of_a_tuple_are_whole_where_the_table_says_so(spec: Spec) -> None:
    assert spec.whole == (spec.name in ("hidden", "grid"))
    if not isinstance(spec.default, tuple):
        assert spec.length is None
        return
    least, most = spec.length
    assert 0 <= least <= len(spec.default) <= most
    count = max(2, least)
    if spec.high < 2.0:
        return  # no two whole numbers in range
    one = element(spec)(spec.low) + 1  # whole, and in range
    found = spec.checked([float(one)] * count)
    assert repr(found) == repr((element(spec)(one),) * count)
    assert repr(spec.checked((int(one),) * count)) == repr(found)
    half = (one + 0.5,) * count
    if spec.whole:
        with pytest.raises(SettingError) as caught:
            spec.checked(half)
        refusal(spec, caught.value)
    else:
        assert spec.checked(half) == half


def test_the_choices_are_those_that_there_are() -> None:
    assert SPECS["data"].choices == (*CURVES, *BITS, "drawn")
    assert set(CLOSED) < set(CURVES)
    assert SPECS["noise_kind"].choices == (*ADDED, *DISCRETE)


# Drawn points


def test_so_many_points_can_be_drawn_and_no_more() -> None:
    most = tuple(float(k) for k in range(2 * MOST_DRAWN))
    assert Settings(drawn=most).drawn == most
    with pytest.raises(SettingError) as caught:
        Settings(drawn=(*most, 0.0, 0.0))
    refusal(SPECS["drawn"], caught.value)


@pytest.mark.parametrize("count", [1, 3, 2 * MOST_DRAWN - 1])
def test_a_drawn_point_has_two_numbers(count: int) -> None:
    with pytest.raises(SettingError, match=r"^--drawn needs two numbers for each point"):
        Settings(drawn=(0.5,) * count)


# Derived settings


@given(everything())
def test_points_are_tested_with_so_many_times_the_noise(values: dict[str, Any]) -> None:
    made = Settings(**values)
    noise = min(1.0, values["noise"] * values["test_noise"])  # a probability, too, and so at most 1
    assert made.tested == made.replace(noise=noise)
    assert Settings().tested == Settings()


@effort(max_examples=40)
@given(everything(), everything())
def test_a_run_is_drawn_as_one_likes(values: dict[str, Any], others: dict[str, Any]) -> None:
    run, view = Settings(**values), Settings(**others)
    drawn = run.drawn_as(view)
    for spec in TABLE:
        source = view if spec.applies == "view" else run
        assert getattr(drawn, spec.name) == getattr(source, spec.name)
    assert run.drawn_as(run) == run
