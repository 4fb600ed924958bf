"""What changes of settings are called, which are one, and what is undone and redone, against a model."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from aeviz.core import changes as changes_module
from aeviz.core.changes import MERGED, MOST, Change, Changes, Kind
from aeviz.core.settings import SPECS, Settings

START = Settings()
LATER = 2.0 * MERGED


def change(old: Settings, new: Settings, when: float = 0.0, kind: Kind = "do", name: str = "") -> Change:
    return Change(old, new, branch=1, epoch=int(10.0 * when), time=when, kind=kind, name=name)


def made(*some: Change) -> Changes:
    """The list after these were made, one after the other."""
    changes = Changes()
    for each in some:
        changes.add(each)
    return changes


def title(old: dict[str, Any], new: dict[str, Any], name: str = "") -> str:
    start = START.replace(**old)
    return change(start, start.replace(**new), name=name).title


# What they are called


@pytest.mark.parametrize(
    "old, new, expected",
    [
        ({"noise": 0.25}, {"noise": 0.4}, "Noise 0.25 → 0.40"),
        ({"noise": 0.25}, {"noise": 0.2187131069919538}, "Noise 0.250000 → 0.218713"),
        ({"noise": 0.25}, {"noise": 0.25000001}, "Noise 0.25 → 0.25000001"),
        ({"noise": 0.4}, {"noise": 0.25}, "Noise 0.40 → 0.25"),
        ({"noise": 0.0}, {"noise": 1.0}, "Noise 0 → 1"),
        ({"noise": 0.125}, {"noise": 1.0}, "Noise 0.125 → 1.000"),
        ({"learning_rate": 0.03}, {"learning_rate": 1e-05}, "Learning rate 0.03 → 1e-05"),
        ({"points": 151}, {"points": 1_000_000}, "Points 151 → 1000000"),
        ({"midline": True}, {"midline": False}, "Learned midline off"),
        ({"tied": False}, {"tied": True}, "Tied weights on"),
        ({"hidden": (64,)}, {"hidden": (64, 32)}, "Hidden widths 64 → 64,32"),
        ({"hidden": (64,)}, {"hidden": ()}, "Hidden widths 64 → none"),
        ({"grid": (40, 34)}, {"grid": (80, 68)}, "Grid 40x34 → 80x68"),
        ({"activation": "tanh"}, {"activation": "relu"}, "Activation tanh → relu"),
        ({}, {"extent": (-1.0, 1.0, -2.5, 2.0)}, "Extent automatic → -1,1,-2.5,2"),
        ({"extent": (-1.0, 1.0, -2.5, 2.0)}, {"extent": ()}, "Extent -1,1,-2.5,2 → automatic"),
        ({}, {"drawn": (0.0, 0.5)}, "Drawn points none → 0,0.5"),
        ({}, {"drawn": (0.125,) * 8}, "Drawn points changed"),
        ({}, {"data": "my.csv"}, "Data spiral → my.csv"),
        ({"data": "/a/folder/far/far/away/my.csv"}, {"data": "moons"}, "Data changed"),
    ],
)
def test_a_change_says_what_was_changed_from_what_to_what(
    old: dict[str, Any], new: dict[str, Any], expected: str
) -> None:
    assert title(old, new) == expected


def test_of_several_settings_two_are_named() -> None:
    new: dict[str, Any] = {"noise": 0.5, "points": 99}
    assert title({}, new) == "Points 151 → 99, Noise 0.25 → 0.50"
    assert title({}, new | {"code": 2}) == "Points 151 → 99, Noise 0.25 → 0.50 and 1 more"
    assert title({}, new | {"code": 2, "tied": True, "seed": 3}) == (
        "Points 151 → 99, Noise 0.25 → 0.50 and 3 more"
    )


def test_a_name_that_was_given_is_the_title() -> None:
    assert title({}, {"noise": 0.5, "points": 99}, "Preset: moons") == "Preset: moons"


@pytest.mark.parametrize("spec", SPECS.values(), ids=lambda spec: spec.name)
def test_every_setting_has_a_title_of_one_short_line(spec: Any) -> None:
    others = [*spec.choices, spec.low, spec.high, not spec.default]
    if spec.is_text:
        others = ["A line that stands above the figure", "x" * 120]
    if isinstance(spec.default, tuple):
        others = [(-1.0, 1.0, -1.0, 1.0) if spec.name == "extent" else (spec.low,) * 2]
    other = next(each for each in others if each is not None and each != spec.default)
    text = title({}, {spec.name: other})
    assert text.startswith(spec.label)
    assert len(text) <= 80
    assert len(text.splitlines()) == 1


# A slider that is dragged


def dragged(*noises: float, every: float = 0.5 * MERGED) -> Changes:
    """The changes of a slider that is dragged through these values."""
    steps = [START.replace(noise=noise) for noise in noises]
    return made(*(change(old, new, index * every) for index, (old, new) in enumerate(pairwise(steps))))


def texts(changes: Changes) -> list[str]:
    return [each.title for each in changes]


def test_a_drag_is_one_change_from_where_it_began() -> None:
    changes = dragged(0.25, 0.3, 0.35, 0.1, 0.4)
    (only,) = changes
    assert (only.old.noise, only.new.noise) == (0.25, 0.4)
    assert (only.epoch, only.time) == (0, 1.5 * MERGED)  # it began there, and ended then
    assert changes.to_undo is only


def test_a_drag_may_last_as_long_as_it_likes() -> None:
    assert texts(dragged(0.25, *(0.5 + 0.01 * step for step in range(20)), every=MERGED)) == [
        "Noise 0.25 → 0.69"
    ]


def test_what_comes_later_is_another_change() -> None:
    assert texts(dragged(0.25, 0.3, 0.4, every=1.01 * MERGED)) == ["Noise 0.25 → 0.30", "Noise 0.3 → 0.4"]


def test_so_is_what_comes_before_by_the_clock() -> None:
    assert len(dragged(0.25, 0.3, 0.4, every=-0.5 * MERGED)) == 2


def test_other_settings_are_other_changes() -> None:
    noisy = START.replace(noise=0.5)
    both = noisy.replace(points=99)
    assert len(made(change(START, noisy), change(noisy, both))) == 2
    assert len(made(change(START, noisy), change(noisy, both.replace(noise=0.6)))) == 2
    assert len(made(change(START, both), change(both, both.replace(noise=0.6)))) == 2


def test_so_is_one_that_does_not_follow_the_last() -> None:
    """Where a file was opened between them, which is no change."""
    assert texts(made(moved(0.25, 0.3), moved(0.4, 0.5))) == ["Noise 0.25 → 0.30", "Noise 0.4 → 0.5"]


def test_a_name_of_its_own_keeps_a_change_apart() -> None:
    first, second = START.replace(noise=0.5), START.replace(noise=0.6)
    assert len(made(change(START, first, name="Preset: a"), change(first, second))) == 2
    assert len(made(change(START, first), change(first, second, name="Preset: b"))) == 2


def test_after_an_undo_a_change_begins_anew() -> None:
    first, second = START.replace(noise=0.5), START.replace(noise=0.6)
    changes = made(change(START, first), change(first, START, kind="undo"), change(START, second))
    assert [each.kind for each in changes] == ["do", "undo", "do"]
    assert changes.to_undo is not None
    assert (changes.to_undo.old, changes.to_undo.new) == (START, second)
    assert changes.to_redo is None


def test_dragged_back_to_where_it_began_nothing_has_changed() -> None:
    before = change(START.replace(points=99), START, -LATER)
    changes = made(before, moved(0.25, 0.3), moved(0.3, 0.25))
    assert [*changes] == [before]
    assert changes.to_undo is before
    changes.add(moved(0.25, 0.4))
    assert texts(changes) == ["Points 99 → 151", "Noise 0.25 → 0.40"]


def test_and_what_was_undone_can_be_redone_again() -> None:
    before = change(START, START.replace(points=99), -LATER)
    undone = change(before.new, START, -LATER, "undo")
    changes = made(before, undone, moved(0.25, 0.3))
    assert changes.to_redo is None
    changes.add(moved(0.3, 0.4))
    changes.add(moved(0.4, 0.25))
    assert ([*changes], changes.to_undo, changes.to_redo) == ([before, undone], None, before)


def moved(old: float, new: float) -> Change:
    return change(START.replace(noise=old), START.replace(noise=new))


def test_but_where_a_branch_was_left_there_is_a_way_back_to_it() -> None:
    other = START.replace(points=99)
    there, back = Change(START, other, 1, 70, 0.0), Change(other, START, 2, 0, 0.1)
    assert [*made(there, back)] == [there, back]


# Undone and redone


class Model:
    """Settings that were in force, one after the other, and how many of them are in force now."""

    def __init__(self) -> None:
        self.states, self.place = [START], 0

    def do(self, new: Settings) -> None:
        self.states[self.place + 1 :] = [new]
        self.place += 1


steps = st.lists(st.sampled_from(["undo", "redo"]) | st.integers(0, 4), max_size=40)


@effort(max_examples=150)
@given(steps, st.booleans())
def test_undo_and_redo_walk_along_what_was_done(walk: list[str | int], named: bool) -> None:
    walk_along(walk, Changes(), named)


def walk_along(walk: list[str | int], changes: Changes, named: bool = False, forgets: bool = False) -> None:
    model = Model()
    for index, step in enumerate(walk):
        when, now = index * LATER, model.states[model.place]
        undo, redo = changes.to_undo, changes.to_redo
        if not forgets or model.place == 0:
            assert (undo is None) == (model.place == 0)
        if not forgets or model.place == len(model.states) - 1:
            assert (redo is None) == (model.place == len(model.states) - 1)
        if undo is not None:
            assert (undo.old, undo.new) == (model.states[model.place - 1], now)
        if redo is not None:
            assert (redo.old, redo.new) == (now, model.states[model.place + 1])
        if step == "undo" and undo is not None:
            changes.add(change(undo.new, undo.old, when, "undo", "Undo" if named else ""))
            model.place -= 1
        elif step == "redo" and redo is not None:
            changes.add(change(redo.old, redo.new, when, "redo", "Redo" if named else ""))
            model.place += 1
        elif isinstance(step, int):
            new = now.replace(seed=now.seed + step + 1)
            changes.add(change(now, new, when))
            model.do(new)
        assert same(Changes(changes), changes)


def same(one: Changes, other: Changes) -> bool:
    return (list(one), one.to_undo, one.to_redo) == (list(other), other.to_undo, other.to_redo)


any_change = st.builds(
    Change,
    st.sampled_from([START.replace(noise=n) for n in (0.1, 0.2, 0.3)]),
    st.sampled_from([START.replace(noise=n, seed=s) for n in (0.1, 0.2, 0.3) for s in (0, 1)]),
    st.integers(1, 2),
    st.integers(0, 3),
    st.sampled_from([0.0, 0.5, 1.0, 2.5]),
    st.sampled_from(["do", "do", "do", "undo", "redo"]),
    st.sampled_from(["", "", "named"]),
)


@effort(max_examples=150)
@given(st.lists(any_change, max_size=30))
def test_whatever_comes_it_can_be_read_back_from_the_list(some: list[Change]) -> None:
    """Nothing that was kept apart or merged comes out otherwise the second time, and nothing raises."""
    changes = made(*some)
    assert same(Changes(changes), changes)
    assert len(changes) == len(list(changes)) <= len(some)


# How many


def test_the_oldest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes_module, "MOST", 5)
    states = [START.replace(seed=seed) for seed in range(12)]
    changes = made(*(change(old, new, LATER * new.seed) for old, new in pairwise(states)))
    assert [each.new.seed for each in changes] == [7, 8, 9, 10, 11]
    for number, seed in enumerate([11, 10, 9]):  # each undoing takes a place in the list as well
        undo = changes.to_undo
        assert undo is not None
        assert undo.new.seed == seed
        changes.add(change(undo.new, undo.old, 100.0 + number, "undo"))
        assert len(changes) == 5
    assert [each.new.seed for each in changes] == [10, 11, 10, 9, 8]
    assert changes.to_undo is None
    assert changes.to_redo is None, "what would be redone first is forgotten"
    changes.add(change(states[6], states[5], 200.0, "undo"))  # of one that is forgotten
    assert changes.to_redo is None


@effort(max_examples=150)
@given(steps, st.integers(1, 6))
def test_what_is_forgotten_is_neither_undone_nor_redone(walk: list[str | int], most: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(changes_module, "MOST", most)
        walk_along(walk, Changes(), forgets=True)


def test_no_more_is_held_than_the_list_has() -> None:
    changes, settings = Changes(), [START.replace(seed=seed) for seed in range(2)]
    for number in range(2 * MOST):
        changes.add(change(settings[number % 2], settings[1 - number % 2], LATER * number))
        if number % 3 == 0 and changes.to_undo is not None:
            changes.add(change(settings[0], settings[1], LATER * number, "undo"))
    held = {id(each) for each in (*changes._all, *changes._done, *changes._undone)}
    assert len(held) == len(changes) == MOST


def test_thousands_are_kept() -> None:
    assert MOST == 2_000
    changes = made(*(change(START, START, name=f"number {number}") for number in range(MOST + 10)))
    assert texts(changes) == [f"number {number}" for number in range(10, MOST + 10)]
