"""The settings table, walked whole: words, ranges, text and JSON both ways, refusals."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st
from setting_values import every_spec, everything, impossible, refusal, valid

from aeviz.core.setting import Applies, SettingError, Spec
from aeviz.core.settings import FILE_GROUPS, GROUPS, SPECS, TABLE, Settings, applies

few = effort(max_examples=20)  # for each of the specs, one by one
numeric = pytest.mark.parametrize("spec", [s for s in TABLE if s.low is not None], ids=lambda spec: spec.name)


@every_spec
def test_every_setting_has_words(spec: Spec) -> None:
    for words in (spec.label, spec.help, spec.group, spec.range):
        assert words == words.strip()
        assert words
        assert len(words.splitlines()) == 1
    assert spec.help.endswith(".")
    assert spec.help[0].isupper()
    assert spec.applies in get_args(Applies)
    # The noise of the test stands beside that of the training, but does not act on the network.
    drawn = ("View", "Midlines", *FILE_GROUPS)
    assert (spec.applies == "view") == (spec.group in drawn or spec.name == "test_noise")


def test_names_labels_and_options_are_unique() -> None:
    for words in (SPECS, {s.label for s in TABLE}, {s.option for s in TABLE}):
        assert len(words) == len(TABLE)
    assert [field.name for field in dataclasses.fields(Settings)] == list(SPECS)
    assert ("Data", "Noise", "Network", "Training", "View", "Midlines", *FILE_GROUPS) == GROUPS


@every_spec
def test_the_default_is_allowed_and_is_its_own_canonical_value(spec: Spec) -> None:
    assert repr(spec.checked(spec.default)) == repr(spec.default)
    assert getattr(Settings(), spec.name) == spec.default


@numeric
def test_ranges_and_steps_make_a_slider(spec: Spec) -> None:
    assert spec.low < spec.high
    if spec.step is None:
        return
    if spec.scale == "log":
        assert spec.low > 0
        assert 1.0 < spec.step < spec.high / spec.low
    else:
        assert 0.0 < spec.step < spec.high - spec.low


@numeric
def test_the_range_in_words_names_both_ends_exactly(spec: Spec) -> None:
    low, high = spec.range.rsplit("each ", 1)[-1].split(" to ")
    assert (float(low), float(high)) == (spec.low, spec.high)


@few
@given(data=st.data())
@every_spec
def test_text_is_read_back_unchanged(spec: Spec, data: st.DataObject) -> None:
    value = spec.checked(data.draw(valid(spec)))
    assert "-0.0" not in map(repr, value if isinstance(value, tuple) else [value])
    assert repr(spec.parsed(spec.text(value))) == repr(value)  # repr: 1 and 1.0, True and 1 differ
    assert repr(spec.parsed(f"  {spec.text(value)} ")) == repr(value)


@given(everything())
def test_settings_survive_json_unchanged(values: dict[str, Any]) -> None:
    made = Settings(**values)
    again = Settings(**json.loads(json.dumps(made.to_json(), allow_nan=False)))
    assert repr(again) == repr(made)
    assert again == made
    assert repr(copy.copy(made)) == repr(made)  # what pickling across the process boundary does too


@every_spec
def test_impossible_values_are_refused_in_one_line(spec: Spec) -> None:
    for value in impossible(spec):
        with pytest.raises(SettingError) as caught:
            Settings(**{spec.name: value})
        refusal(spec, caught.value)
        with pytest.raises(SettingError):
            Settings().replace(**{spec.name: value})


@few
@given(data=st.data())
@every_spec
def test_any_text_is_either_a_value_or_refused_in_one_line(spec: Spec, data: st.DataObject) -> None:
    nonsense = st.text() | st.text("0123456789.,-+xe×− _\n", max_size=30) | st.from_regex(r"-?\d{1,400}")
    text = data.draw(nonsense | st.sampled_from(["nan", "inf", "-inf", "1e999", "None", "[1]", "0x10"]))
    try:
        value = spec.parsed(text)
    except SettingError as error:
        refusal(spec, error)
    else:
        assert repr(spec.checked(value)) == repr(value)
        assert repr(spec.parsed(spec.text(value))) == repr(value)


@numeric
@pytest.mark.parametrize(
    "text", ["nan", "inf", "-inf", "1e999", "-1e999", "", "  ", "5 5", "five", "1,2,3,4,5"]
)
def test_texts_that_are_no_number_in_range_are_refused(spec: Spec, text: str) -> None:
    if not text.strip() and spec.length is not None and spec.length[0] == 0:
        assert spec.parsed(text) == ()  # no text at all means no hidden layers, say
        return
    if spec.name == "drawn" and "," in text:
        with pytest.raises(SettingError, match=r"^--drawn needs two numbers for each point: x,y,x,y…$"):
            Settings(drawn=spec.parsed(text))
        return
    with pytest.raises(SettingError) as caught:
        spec.parsed(text)
    refusal(spec, caught.value)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("hidden", "", ()),
        ("hidden", "64,32", (64, 32)),
        ("hidden", "64x32", (64, 32)),
        ("grid", "40x34", (40, 34)),
        ("grid", "40×34", (40, 34)),
        ("grid", " 40 x 34 ", (40, 34)),
        ("extent", "", ()),
        ("drawn", "", ()),
        ("drawn", "0.5,−1e3, 2 ,4", (0.5, -1000.0, 2.0, 4.0)),
        ("data", " two-spirals ", "two-spirals"),
        ("data", "C:\\Data\\Two words.CSV", "C:\\Data\\Two words.CSV"),
        ("extent", "−2.2,1.7,−1.4,1.9", (-2.2, 1.7, -1.4, 1.9)),
        ("points", "1e3", 1000),
        ("mirror", "No", False),
        ("midline", "ON", True),
        ("noise", "0", 0.0),
    ],
)
def test_texts_that_people_type(name: str, text: str, value: object) -> None:
    assert repr(SPECS[name].parsed(text)) == repr(value)


@pytest.mark.parametrize(("value", "canonical"), [(5, 5), (5.0, 5), (1e5, 100_000)])
def test_whole_floats_become_integers(value: float, canonical: int) -> None:
    assert repr(Settings(points=value).points) == repr(canonical)


def test_integers_become_floats_and_lists_become_tuples() -> None:
    made = Settings(noise=1, extent=[-1, 1, -1, 1], hidden=[])
    assert repr(made.noise) == "1.0"
    assert repr(made.extent) == "(-1.0, 1.0, -1.0, 1.0)"
    assert made.hidden == ()


@every_spec
def test_a_slip_of_the_finger_in_a_name_is_told_the_right_one(spec: Spec) -> None:
    slip = spec.name + spec.name[-1]
    assert slip not in SPECS
    with pytest.raises(SettingError) as caught:
        Settings().replace(**{slip: spec.default})
    assert f"(did you mean {spec.name}?)" in str(caught.value)
    assert repr(slip) in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_an_unknown_name_that_is_like_nothing_is_refused_without_a_guess() -> None:
    with pytest.raises(SettingError, match=r"^there is no setting 'qqqq'$"):
        Settings().replace(qqqq=1)


@every_spec
def test_a_slip_in_a_choice_is_told_the_nearest(spec: Spec) -> None:
    for choice in spec.choices:
        slip = choice + choice[-1]
        with pytest.raises(SettingError) as caught:
            spec.parsed(slip)
        assert f"(did you mean {choice}?)" in refusal(spec, caught.value)


@every_spec
def test_settings_are_frozen(spec: Spec) -> None:
    made = Settings()
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(made, spec.name, spec.default)
    assert made == Settings()
    assert hash(made) == hash(Settings())


@effort(max_examples=40)
@given(everything(), everything(), st.sets(st.sampled_from(list(SPECS))))
def test_changed_is_exactly_the_difference(
    values: dict[str, Any], others: dict[str, Any], names: set[str]
) -> None:
    old = Settings(**values)
    new = old.replace(**{name: others[name] for name in names})
    difference = old.changed(new)
    assert set(difference) <= names
    assert {name for name in names if others[name] != values[name]} == set(difference)
    assert all(difference[name] == others[name] for name in difference)
    assert old.replace(**difference) == new
    assert old.changed(old) == {}
    assert applies(difference) == {SPECS[name].applies for name in difference}


@given(valid(SPECS["hidden"]), valid(SPECS["code"]), st.booleans())
def test_the_decoder_mirrors_the_encoder(hidden: tuple[int, ...], code: int, mirror: bool) -> None:
    widths = Settings(hidden=hidden, code=code, mirror=mirror).widths
    assert widths[: len(hidden) + 2] == (2, *hidden, code)
    assert widths[len(hidden) + 2 :] == ((*hidden[::-1], 2) if mirror else (2,))
    tied = Settings(hidden=hidden, code=code, mirror=mirror, tied=True).widths
    assert tied == tied[::-1]


@pytest.mark.parametrize("extent", [(1.0, -1.0, 0.0, 1.0), (0.0, 1.0, 1.0, 1.0), (0.0, 1e-7, 0.0, 1.0)])
def test_an_extent_without_area_is_refused(extent: tuple[float, ...]) -> None:
    with pytest.raises(SettingError, match=r"^--extent .*x0,x1,y0,y1$"):
        Settings(extent=extent)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_an_extent_has_four_numbers_or_none(count: int) -> None:
    with pytest.raises(SettingError, match=r"^--extent needs four numbers x0,x1,y0,y1, or none to fit the"):
        Settings(extent=(0.0, 1.0, 2.0)[:count])
    assert Settings().extent == Settings(extent=[]).extent == ()


@pytest.mark.parametrize("extent", [(0.0, 51.0, 0.0, 1.0), (0.0, 1.0, 0.0, 51.0)])
def test_an_extent_like_a_thread_is_refused(extent: tuple[float, ...]) -> None:
    with pytest.raises(SettingError, match=r"^--extent must not be more than 50 times"):
        Settings(extent=extent)


@effort(max_examples=20)
@given(everything())
def test_over_a_pipe_equal_settings_are_one(values: dict[str, Any]) -> None:
    settings = Settings(**values)
    found = pickle.loads(pickle.dumps(settings))  # noqa: S301
    assert found == settings
    assert repr(found) == repr(settings)  # the sign of a zero, too
    assert pickle.loads(pickle.dumps(Settings(**values))) is found  # noqa: S301
