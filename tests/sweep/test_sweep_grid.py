"""Which runs a command line asks for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from aeviz.core.setting import SettingError
from aeviz.core.settings import SPECS, Settings
from aeviz.sweep.grid import Axis, Sweep, axis_of


@pytest.mark.parametrize(
    ("text", "name", "values"),
    [
        ("noise=0.1,0.25", "noise", (0.1, 0.25)),
        ("noise=0.1:0.5:5", "noise", (0.1, 0.2, 0.3, 0.4, 0.5)),
        ("noise=0.5:0.1:3,0.9", "noise", (0.5, 0.3, 0.1, 0.9)),
        ("noise=0.1,0.1,0.10", "noise", (0.1,)),
        ("points=2:4:5", "points", (2, 3, 4)),
        ("hidden=32/64,64/", "hidden", ((32,), (64, 64), ())),
        ("grid=40x34/8x6", "grid", ((40, 34), (8, 6))),
        ("extent=-1,1,-2,2/", "extent", ((-1.0, 1.0, -2.0, 2.0), ())),
        ("tied=on,off", "tied", (True, False)),
        ("--noise-kind=gaussian,rare", "noise_kind", ("gaussian", "rare")),
        ("data=spiral,a/b.csv", "data", ("spiral", "a/b.csv")),
    ],
)
def test_values_are_read(text: str, name: str, values: tuple[object, ...]) -> None:
    axis = axis_of(text)
    assert (axis.name, axis.values) == (name, values)
    assert [type(value) for value in axis.values] == [type(SPECS[name].default)] * len(values)


def test_a_range_is_even_on_the_settings_own_scale() -> None:
    rates = np.array(axis_of("learning-rate=0.001:0.1:5").values)
    assert np.abs(rates[1:] / rates[:-1] - 10.0**0.5).max() < 1e-9
    assert (rates[0], rates[-1]) == (0.001, 0.1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nois=0.1", "did you mean noise?"),
        ("noise", "--vary noise=0.25,…"),
        ("hidden", "--vary hidden=64/…"),
        ("tied", "--vary tied=on,off"),
        ("noise=2", "0 to 1"),
        ("noise=", "--noise cannot be ''"),
        ("noise=0.1:0.5", "low:high:count"),
        ("noise=0.1:0.5:1", "low:high:count"),
        ("noise=0.1:0.5:x", "low:high:count"),
        ("noise=0.1:1e9:3", "0 to 1"),
        ("activation=tanh,rely", "did you mean relu?"),
        ("hidden=16,64", "write hidden=16/64 for several, or --hidden 16,64 where it does not vary"),
        ("hidden=32,", ""),
    ],
)
def test_what_is_wrong_with_values_is_said(text: str, said: str) -> None:
    if not said:
        assert axis_of(text).values == ((32,),)
        return
    with pytest.raises(SettingError) as error:
        axis_of(text)
    assert said in str(error.value) and "\n" not in str(error.value)


def test_all_values_are_combined_and_the_last_varies_fastest() -> None:
    base = Settings(epochs=7)
    sweep = Sweep(base, (Axis("noise", (0.1, 0.2)), Axis("hidden", ((8,), ())), Axis("seed", (3, 4))))
    expected = [
        base.replace(noise=noise, hidden=hidden, seed=seed)
        for noise in (0.1, 0.2)
        for hidden in ((8,), ())
        for seed in (3, 4)
    ]
    assert [*sweep.runs] == expected
    assert len({sweep.key(sweep.cells(run)) for run in sweep.runs}) == len(expected)


def test_runs_differ_by_what_decides_their_numbers_and_by_what_varies() -> None:
    sweep = Sweep(Settings(), (Axis("noise", (0.1,)),))
    own = sweep.key(sweep.cells(sweep.runs[0]))
    for changed, same in (({"epochs": 3}, False), ({"threshold": 3.0}, False), ({"theme": "light"}, True)):
        other = Sweep(Settings(**changed), sweep.axes)
        assert (sweep.key(other.cells(other.runs[0])) == own) == same
    themes = Sweep(Settings(), (Axis("theme", ("dark", "light")),))
    assert len({themes.key(themes.cells(run)) for run in themes.runs}) == 2


def test_another_content_of_a_file_is_another_run(tmp_path: Path) -> None:
    keys = []
    for number in range(2):
        file = tmp_path / f"{number}.csv"
        file.write_text(f"1,2\n3,{number}\n")
        sweep = Sweep(Settings(data=str(file)), ())
        keys.append(sweep.cells(sweep.runs[0])["data_digest"])
    assert keys[0] != keys[1]


@pytest.mark.parametrize(
    ("axes", "said"),
    [
        ((Axis("seed", tuple(range(50_000))), Axis("noise", (0.1, 0.2, 0.3))), "150,000 runs"),
        ((Axis("noise", (0.1,)), Axis("noise", (0.2,))), "--vary noise is given twice"),
        ((Axis("data", ("spiral", "nowhere.csv")),), "nowhere.csv"),
        ((Axis("size", ((900.0, 900.0),)),), "--size"),
    ],
    ids=lambda each: "" if isinstance(each, tuple) else each,
)
def test_impossible_sweeps_are_refused(axes: tuple[Axis, ...], said: str) -> None:
    with pytest.raises(SettingError, match=said):
        Sweep(Settings(), axes)
