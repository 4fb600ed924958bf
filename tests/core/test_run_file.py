"""Run files: what is written is read, bit for bit, shared where it was, and what cannot be is refused."""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of
from saved_runs import FIRST, example, forged, keyframe, losses, told
from setting_values import everything, valid

from aeviz.core import history_packing, keyframe_stacks, packing, run_file, settings_pool
from aeviz.core.changes import Change
from aeviz.core.clean_data import CleanData, clean_data
from aeviz.core.events import Begun, Changed, Kept, Noted, Told
from aeviz.core.files import RUN
from aeviz.core.history import History, is_same_course
from aeviz.core.packing import MOST_HEADER, PackError, pack, unpack, unpack_values
from aeviz.core.run_file import FORMAT, RunFileError, SavedRun, read_run, run_bytes, run_of
from aeviz.core.settings import SPECS, Settings
from aeviz.core.settings_pool import SettingsPool, pool_of
from aeviz.core.timeline import LEAST, Keyframe, Timeline
from aeviz.version import __version__

SMALL = Settings(**FIRST)
POINT = CleanData(np.zeros((1, 2)))
GOOD = run_bytes(example())
VALUES, ARRAYS = unpack(GOOD)
TEXT = json.dumps(VALUES)

Parts = tuple[dict[str, Any], dict[str, Any]]


def run(*events: Any, **rest: Any) -> SavedRun:
    """A run of one branch, to which this happened."""
    history = History()
    history.apply(Begun(1, SMALL, POINT, None, 0, 0.0))
    for event in events:
        history.apply(event)
    return SavedRun(history, rest.pop("view", SMALL), rest.pop("epoch", None), rest.pop("metrics", {}))


def again(saved: SavedRun) -> SavedRun:
    return run_of(run_bytes(saved))


# What is written is read


def test_all_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / f"run{RUN}"
    path.write_bytes(content := run_bytes(example()))
    assert told(read_run(path)) == told(read_run(str(path))) == told(example())
    assert run_bytes(read_run(path)) == content


def test_a_file_of_the_first_format_opens_as_it_was_written() -> None:
    """It must do so for ever: never write it anew."""
    saved = read_run(Path(__file__).with_name("format-1.aeviz"))
    assert told(saved) == told(replace(example(), version="0.5.0"))


@effort(max_examples=25)
@given(st.data())
def test_every_bit_of_a_state_is_kept(data: st.DataObject) -> None:
    def drawn(array: np.ndarray[Any, Any]) -> Any:
        values = (
            {"allow_nan": False, "allow_infinity": False} if array.dtype.kind == "f" else {"min_value": 0}
        )
        return data.draw(arrays_of.arrays(array.dtype, array.shape, elements=values))

    frames = [keyframe(epoch, SMALL) for epoch in (0, 1)]
    frames = [
        Keyframe(f.epoch, SMALL, {name: drawn(array) for name, array in f.state.items()}) for f in frames
    ]
    lost = data.draw(arrays_of.arrays(np.float32, (1, 2), elements={"allow_nan": False}))
    saved = run(*(Kept(1, frame) for frame in frames), Told(1, 0, lost))
    assert told(again(saved)) == told(saved)


@effort(max_examples=25)
@given(everything(), st.data())
def test_settings_come_back_from_the_pool(first: dict[str, Any], data: st.DataObject) -> None:
    several = [Settings(**first)]
    for _ in range(3):
        names = data.draw(st.sets(st.sampled_from(sorted(SPECS)), max_size=5))
        several.append(several[-1].replace(**{name: data.draw(valid(SPECS[name])) for name in sorted(names)}))
    several.append(several[0])
    pool = SettingsPool()
    numbers = [pool.add(settings) for settings in several]
    found, courses = pool_of(pool.packed())
    assert [found[number] for number in numbers] == several
    for settings, number in zip(several, numbers, strict=True):
        for other, its_number in zip(several, numbers, strict=True):
            assert (courses[number] == courses[its_number]) == is_same_course(settings, other)


def test_settings_that_only_together_are_impossible_are_refused() -> None:
    """Each line of the pool might stand for itself."""
    lines = json.dumps(Settings(size=(50.0, 50.0)).to_json()) + '\n{"noise": 0.3}\n{"resolution": 1200.0}'
    with pytest.raises(PackError, match="makes 23,622 × 23,622 pixels"):
        pool_of(np.frombuffer(lines.encode(), np.uint8))


@given(st.text(max_size=300), st.text(max_size=300))
def test_names_are_those_that_were_given(name: str, title: str) -> None:
    saved = run()
    saved.history.rename(1, name)
    saved.history.change(Change(SMALL, SMALL, 1, 0, 0.0, name=title))
    found = again(saved).history
    assert found.current.name == name[:200]
    assert next(iter(found.changes)).name == title[:200]


def test_half_a_letter_in_a_name_does_no_harm() -> None:
    saved = run()
    saved.history.rename(1, "a\ud800b")
    assert again(saved).history.current.name == "a?b"


def test_numbers_that_are_none_are_written_as_unknown() -> None:
    metrics = {"loss": np.nan, "risk": np.inf, "floor": np.float64(0.1), "epoch": 3, "iou": None}
    found = again(run(metrics=metrics)).metrics
    assert found == {"loss": None, "risk": None, "floor": 0.1, "epoch": 3, "iou": None}
    assert type(found["epoch"]) is int


def test_data_of_a_shape_and_of_a_file_come_back_though_the_file_has_gone() -> None:
    points = np.random.default_rng(0).standard_normal((1_000, 2))
    for data in (clean_data(Settings()), CleanData(points, note="points.csv: 2 rows were skipped")):
        saved = run()
        saved.history.begin(SMALL.replace(data="/gone/points.csv"), data)
        assert told(again(saved)) == told(saved)


# What is shared is shared


def test_what_branches_share_is_written_once_and_read_as_one() -> None:
    history = again(example()).history
    assert history[1].data is history[3].data
    assert [*history[1].timeline] == [*history[3].timeline][:4]  # keyframes are equal only to themselves
    one = run(*(Kept(1, keyframe(epoch, SMALL)) for epoch in (0, 1, 3, 4)), Told(1, 0, losses(8)))
    size = len(run_bytes(one))
    for _ in range(10):
        one.history.fork(4, SMALL)
    assert len(run_bytes(one)) - size < 10 * keyframe(0, SMALL).nbytes


def test_keyframes_are_views_of_the_file() -> None:
    content = run_bytes(example())
    whole = np.frombuffer(content, np.uint8)
    for branch in run_of(content).history:
        for frame in branch.timeline:
            for array in frame.state.values():
                assert np.shares_memory(array, whole)
                assert not array.flags.writeable
                assert array.flags.aligned


def test_a_history_goes_on_after_it_was_read() -> None:
    history = again(example()).history
    assert history.nbytes == example().history.nbytes
    assert history.begin(SMALL, POINT).number == 5
    history.go_to(3)
    history.tell(12, losses(1))
    assert history.fork(12, SMALL).losses[:12].tobytes() == losses(12).tobytes()


def test_what_was_read_counts_as_memory() -> None:
    saved = run(*(Kept(1, keyframe(epoch, SMALL)) for epoch in range(100)), Told(1, 0, losses(100)))
    history = again(saved).history
    history.memory = history.nbytes
    frames = len(history.current.timeline)
    history.keep(keyframe(100, SMALL))
    assert LEAST < len(history.current.timeline) < frames


def test_a_number_that_a_change_is_of_is_not_used_again() -> None:
    saved = run(Changed(Change(SMALL, SMALL.replace(noise=0.5), 8, 0, 0.0)))
    assert again(saved).history.begin(SMALL, POINT).number == 9


# What need not be written


def test_a_keyframe_that_came_before_its_loss_is_left_out() -> None:
    saved = run(Told(1, 0, losses(1)), *(Kept(1, keyframe(epoch, SMALL)) for epoch in (0, 1, 3)))
    assert [frame.epoch for frame in again(saved).history.current.timeline] == [0, 1]
    assert len(saved.history.current.timeline) == 3


def test_an_epoch_beyond_the_newest_is_the_newest() -> None:
    assert again(run(Told(1, 0, losses(3)), epoch=9)).epoch == 3


def test_thousands_of_changes_are_small_and_the_newest_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    saved = run()
    empty = len(run_bytes(saved))
    every = [SMALL.replace(noise=number / 2_000) for number in range(2_001)]
    for place, (old, new) in enumerate(itertools.pairwise(every)):
        saved.history.change(Change(old, new, 1, 0, 2.0 * place))
    content = run_bytes(saved)
    assert len(content) - empty < 200_000
    assert int.from_bytes(content[:8], "little") < MOST_HEADER / 100
    assert told(run_of(content)) == told(saved)
    monkeypatch.setattr(settings_pool, "MOST", 500)
    kept = [*again(saved).history.changes]
    assert 495 <= len(kept) < 500
    assert kept == [*saved.history.changes][-len(kept) :]


def test_drawings_have_room_for_the_newest_changes_of_them() -> None:
    """Two thousand points, which each change moves a little, are a hundred kilobytes each time."""
    rng = np.random.default_rng(0)
    every = [SMALL.replace(data="drawn", drawn=tuple(rng.random(4_000).tolist())) for _ in range(100)]
    saved = run(Noted(1, 3, SMALL.replace(noise=0.75)))
    for place, (old, new) in enumerate(itertools.pairwise(every)):
        saved.history.change(Change(old, new, 1, 0, 2.0 * place))
    found = again(saved).history
    assert 40 < len(found.changes) < 99
    assert [*found.changes] == [*saved.history.changes][-len(found.changes) :]
    assert found.current.timeline.changes == saved.history.current.timeline.changes


def test_live_changes_are_never_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    saved = run(*(Noted(1, epoch, SMALL.replace(noise=epoch / 1_000)) for epoch in range(1_000)))
    assert told(again(saved)) == told(saved)
    monkeypatch.setattr(settings_pool, "MOST", 500)
    with pytest.raises(PackError, match="too many changes"):
        run_bytes(saved)


def test_of_too_many_keyframes_every_second_one_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    saved = run(*(Kept(1, keyframe(epoch, SMALL)) for epoch in range(100)), Told(1, 0, losses(100)))
    saved.history.fork(100, SMALL)
    saved.history.keep(keyframe(100, SMALL))
    before = told(saved)
    frames = len(saved.history[1].timeline)
    for name, most in (("MOST", frames - 2), ("MOST_BYTES", (frames - 2) * keyframe(0, SMALL).nbytes)):
        with monkeypatch.context() as patch:
            patch.setattr(keyframe_stacks, name, most)
            found = again(saved).history
        epochs = [[frame.epoch for frame in branch.timeline] for branch in found]
        assert epochs[0] == epochs[1][: len(epochs[0])]
        assert frames / 3 < len(epochs[0]) < 2 * frames / 3
        assert epochs[0][0] == 0
    assert told(saved) == before


@pytest.mark.parametrize("saved", [SavedRun(History(), SMALL, None, {}), run()], ids=["empty", "too large"])
def test_what_could_not_be_read_is_not_written(saved: SavedRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_file, "_MOST_BYTES", 1_000)
    with pytest.raises(PackError, match=r"branches .* cannot be written|larger than"):
        run_bytes(saved)


def test_more_than_a_header_holds_is_not_packed() -> None:
    with pytest.raises(PackError, match="longer than"):
        pack({"name": "x" * MOST_HEADER}, {})
    for kind in (bool, complex, ">f4", "U5", object):
        with pytest.raises(PackError, match="cannot be written"):
            pack({}, {"x": np.zeros(3, kind)})


def test_a_single_number_is_an_array_of_no_dimension() -> None:
    _, found = unpack(pack({}, {"x": np.array(2.5), "y": np.array(3).T, "z": np.zeros((2, 3))[:, ::2].T}))
    assert (found["x"].shape, found["x"][()], found["y"].shape, found["y"].dtype) == ((), 2.5, (), np.int64)
    assert found["z"].shape == (2, 2)


def test_more_arrays_than_a_history_can_have_are_not_read() -> None:
    many = {f"x{number}": np.zeros(0) for number in range(20_001)}
    with pytest.raises(PackError, match="too many arrays"):
        run_of(forged(TEXT, {**ARRAYS, **many}))


def test_a_longer_header_is_not_read() -> None:
    """As plain values, one of 4 MB may take 120 MB."""
    text = json.dumps(VALUES | {"more": "x" * MOST_HEADER})
    with pytest.raises(PackError, match="header"):
        run_of(forged(text, ARRAYS))


@pytest.mark.parametrize(
    "text", ['{"x": NaN}', '{"x": -Infinity}', '{"x": 1, "x": 1}', '{"x": {"": 1, "": 2}}', '{"x": "é"}']
)
def test_json_is_read_in_the_strict_sense(text: str) -> None:
    with pytest.raises(PackError):
        packing.parsed(text.encode())
    with pytest.raises(PackError):
        run_of(forged(TEXT[:-1] + f', "more": {text}}}', ARRAYS))


# Versions


def changed(change: Callable[[dict[str, Any], dict[str, Any]], object]) -> bytes:
    """The example's file, changed, with the right checksum."""
    values, arrays = copy.deepcopy(VALUES), dict(ARRAYS)
    change(values, arrays)
    return forged(json.dumps(values), arrays)


def with_settings(change: Callable[[dict[str, Any]], object], version: str = "9.1") -> bytes:
    """The same, with other settings in the first line."""

    def both(values: dict[str, Any], arrays: dict[str, Any]) -> None:
        first, *rest = arrays["settings.text"].tobytes().decode().split("\n")
        change(settings := json.loads(first))
        text = "\n".join([json.dumps(settings), *rest])
        arrays["settings.text"] = np.frombuffer(text.encode(), np.uint8)
        values["versions"]["aeviz"] = version

    return changed(both)


def test_a_newer_file_is_refused_naming_the_version_that_it_needs(tmp_path: Path) -> None:
    path = tmp_path / "run.aeviz"
    future = changed(lambda values, _: values.update(format=FORMAT + 1, versions={"aeviz": "9.1"}))
    for content in (future, with_settings(lambda settings: settings.update(temperature=0.5))):
        path.write_bytes(content)
        with pytest.raises(RunFileError) as caught:
            read_run(path)
        assert str(caught.value) == (
            f"cannot open {path}: it was written by aeviz 9.1 and needs it: this is aeviz {__version__}"
        )


def test_an_unknown_setting_in_a_file_of_this_version_is_named() -> None:
    with pytest.raises(PackError, match="'temperature' that aeviz"):
        run_of(with_settings(lambda settings: settings.update(temperature=0.5), __version__))


def test_settings_that_an_older_version_did_not_have_take_their_defaults() -> None:
    saved = run_of(with_settings(lambda settings: (settings.pop("votes"), settings.pop("seed")), "0.1.0"))
    assert (saved.view.votes, saved.view.seed, saved.version) == (Settings().votes, Settings().seed, "0.1.0")


# What cannot be


def put(name: str, value: Any, *keys: Any) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    """Put a value somewhere in the values: of `name`, then by keys."""

    def change(values: dict[str, Any], _: Any) -> None:
        *path, last = (name, *keys)
        for key in path:
            values = values[key]
        values[last] = value

    return change


def number(name: str, place: Any, value: Any) -> Callable[[Any, dict[str, Any]], None]:
    """Put a number into an array."""

    def change(_: Any, arrays: dict[str, Any]) -> None:
        arrays[name] = arrays[name].copy()
        arrays[name][place] = value

    return change


def array(name: str, of: Callable[[Any], Any]) -> Callable[[Any, dict[str, Any]], None]:
    """Put another array in an array's place."""

    def change(_: Any, arrays: dict[str, Any]) -> None:
        arrays[name] = of(arrays[name])

    return change


def extra(name: str) -> Callable[[Any, dict[str, Any]], None]:
    return lambda _, arrays: arrays.update({name: np.zeros((5, 1), np.float32)})


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (put("branches", 2, 0, "number"), None),
        (put("branches", 3, 2, "number"), "or one of them twice"),
        (put("branches", 3, 1, "parent"), "whole number"),
        (put("branches", 2, 2, "parent"), None),  # which has gone, as above
        (put("branches", -1, 1, "since"), "whole number"),
        (put("branches", 13, 1, "since"), "whole number"),
        (put("branches", 12, 1, "since"), None),  # more than its parent has
        (put("branches", 5, 1, "origin"), "whole number"),
        (put("branches", True, 1, "origin"), "whole number"),
        (put("branches", 2, 1, "data"), "belong to no branch"),
        (put("branches", 0, 2, "data"), "belong to no branch"),
        (put("branches", "x" * 201, 1, "name"), "branch 3 is broken"),
        (put("branches", "\ud800", 1, "name"), "branch 3 is broken"),
        (put("branches", 1, 1, "named"), "branch 3 is broken"),
        (put("branches", 10**400, 1, "begun"), "do not fit"),
        (put("branches", [], ), "belong to no branch"),
        (put("current", 2), "no branch 2"),
        (put("current", 3.0), "whole number"),
        (put("view", 5), "whole number"),
        (put("epoch", 13), "whole number"),
        (put("epoch", 12), None),
        (put("metrics", "x", "loss"), "metrics"),
        (put("metrics", {str(n): 0 for n in range(1_001)}), "metrics"),
        (put("format", 0), "not one that aeviz has written"),
        (put("format", True), "not one that aeviz has written"),
        (put("versions", "a\nb", "aeviz"), "not one that aeviz has written"),
        (put("changes", []), "do not fit"),
        (put("changes", ["", "", "", 5]), "changes are broken"),
        (put("data", 1, 0, "closed"), "points are broken"),
        (put("data", -1.0, 0, "spacing"), "points are broken"),
        (number("changes.rows", (0, 0), 5), "whole number"),
        (number("changes.rows", (0, 3), -1), "whole number"),
        (number("changes.rows", (0, 4), 3), "whole number"),
        (number("changes.times", 0, np.nan), "no number"),
        (number("branch0.losses", (0, 0), np.nan), "losses of branch 1"),
        (number("branch0.losses", (0, 0), np.inf), None),  # of points that lie very far apart
        (array("branch0.losses", lambda a: a[:3]), "losses of branch 1"),
        (array("branch0.losses", lambda a: a.astype(float)), "another one belongs"),
        (array("branch0.frames", lambda a: a[::-1]), "not one after the other"),
        (array("branch0.frames", lambda a: a[[0, 0, 1]]), "not one after the other"),
        (number("branch0.frames", 3, 6), "branch 1 is broken"),
        (number("branch0.frames", 0, -1), "branch 1 is broken"),
        (array("branch1.frames", lambda a: a[:4]), "belong to no branch"),
        (number("branch2.frames", 0, 0), "another network"),
        (number("branch0.live", (0, 1), 5), "branch 1 is broken"),
        (number("branch0.live", (0, 1), 0), "another network"),
        (number("branch0.live", (0, 0), -1), "not one after the other"),
        (number("branch1.live", (1, 0), 3), "not one after the other"),
        (array("branch0.live", lambda a: np.zeros((200_001, 2), np.int64)), "too long"),
        (number("frames.epochs", 0, -1), "keyframes are broken"),
        (number("frames.settings", 0, 5), "keyframes are broken"),
        (number("frames.settings", 0, 3), "another one belongs"),
        (array("frames.epochs", lambda a: np.append(a, 99)), "another one belongs"),
        (array("stack1.parameters", lambda a: np.repeat(a, 2, axis=0)), "one epoch each|not of"),
        (number("stack0.parameters", (2, 3), np.nan), "parameters of its keyframes are not finite"),
        (number("stack0.square", (2, 3), -np.inf), "square of its keyframes are not finite"),
        (number("stack0.taken", 2, -1), "less than no step"),
        (number("stack0.since", 2, -1), "less than no step"),
        (number("stack0.loss", 2, np.nan), None),
        (array("stack0.parameters", lambda a: a[:, :-1]), "another one belongs"),
        (array("stack0.average", lambda a: a.astype(float)), "another one belongs"),
        (array("stack0.mean", lambda a: a[:4]), "not of 5"),
        (array("stack0.target", lambda a: np.zeros((5, 65))), "target"),
        (array("data0.points", lambda a: a[:0]), "0 points"),
        (array("data0.points", lambda a: np.zeros((1_000_001, 2))), "1,000,001 points"),
        (array("data0.points", lambda a: a.astype(np.float32)), "another one belongs"),
        (number("data0.points", (0, 0), 1e101), "impossibly large"),
        (number("data0.points", (0, 0), np.nan), "no number"),
        (number("data0.scale", 0, 0.0), "points are broken"),
        (array("data0.curve0", lambda a: np.zeros((100_001, 2))), "curve"),
        (extra("data0.curve3"), "points are broken"),
        (extra("branch0.more"), "too long"),
        (extra("branch3.losses"), "belong to nothing"),
        (extra("changes.more"), "changes are broken"),
        (extra("frames.more"), "keyframes are broken"),
        (extra("stack0.more"), None),  # for a version to come
        (extra("settings.more"), "do not fit"),
        (extra(""), "belong to nothing"),
    ],
)  # fmt: skip
def test_what_does_not_fit_together_is_refused(change: Callable[..., None], cause: str | None) -> None:
    content = changed(change)
    if cause is None:
        assert told(again(run_of(content))) == told(replace(run_of(content), version=__version__))
        return
    with pytest.raises(PackError, match=cause):
        run_of(content)


@pytest.mark.parametrize("place", ['"loss": 0.5', '"begun": 1700000000.5', '"spacing": null'])
def test_a_number_may_not_be_too_large_for_a_float(place: str) -> None:
    assert TEXT.count(place) == 1
    huge = TEXT.replace(place, f"{place.partition(' ')[0]} 1e999")
    if "spacing" in place:  # of a single point it is infinite anyway
        assert told(run_of(forged(huge, ARRAYS)))["data"] == told(example())["data"]
        return
    with pytest.raises(PackError):
        run_of(forged(huge, ARRAYS))


@pytest.mark.parametrize(
    ("module", "name", "has"),
    [
        (keyframe_stacks, "MOST", 6), (history_packing, "MOST_WRITTEN", 3),
        (history_packing, "_MOST_LIVE", 3), (history_packing, "_MOST_EPOCHS", 12),
        (history_packing, "_MOST_CHANGES", 4),
        (run_file, "_MOST_METRICS", 3), (settings_pool, "MOST", 5), (run_file, "_MOST_BYTES", len(GOOD)),
    ],
)  # fmt: skip
def test_there_may_be_so_many_and_no_more(
    module: ModuleType, name: str, has: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (path := tmp_path / "run.aeviz").write_bytes(GOOD)
    monkeypatch.setattr(module, name, has)
    read_run(path)
    monkeypatch.setattr(module, name, has - 1)
    with pytest.raises(RunFileError):
        read_run(path)


@pytest.mark.parametrize("name", [name for name in ARRAYS if "curve" not in name])
def test_no_array_may_be_missing(name: str) -> None:
    with pytest.raises(PackError):
        run_of(changed(lambda _, arrays: arrays.pop(name)))


@pytest.mark.parametrize("name", [name for name in VALUES if name != "versions"])
def test_no_value_may_be_missing(name: str) -> None:
    with pytest.raises(PackError):
        run_of(changed(lambda values, _: values.pop(name)))


@pytest.mark.parametrize(
    "text",
    [
        "", "\n", "{}\n", "[]", "{", '{"noise": 0.5, "noise": 0.5}', '{"noise": NaN}', '{"noise": 5}', "\n{}",
        "[" * 100_000, "{}" + " " * 200_000, "\n".join(["{}"] * 15_001), '{"drawn": [0.5]}', '{"noise": "é"}',
    ],
)  # fmt: skip
def test_settings_that_cannot_be_are_refused(text: str) -> None:
    with pytest.raises(PackError):
        pool_of(np.frombuffer(text.encode(), np.uint8))


def test_a_pool_is_bytes_within_bounds() -> None:
    line = b"{}" + b" " * 160_000
    assert pool_of(np.frombuffer(line, np.uint8))[0] == [Settings()]
    for other in (np.frombuffer(line, np.int8), np.frombuffer(b"\n".join([line] * 40), np.uint8)):
        with pytest.raises(PackError):
            pool_of(other)


# Damage


def test_it_is_refused_wherever_it_is_cut_off() -> None:
    content = run_bytes(example())
    for length in range(len(content)):
        with pytest.raises(PackError):
            run_of(content[:length])
    with pytest.raises(PackError):
        run_of(content + b"\0")


def test_it_is_refused_whichever_bit_is_flipped() -> None:
    content = bytearray(run_bytes(example()))
    for bit in range(0, 8 * len(content), 7):  # all 68,504 take twenty seconds
        content[bit // 8] ^= 1 << bit % 8
        with pytest.raises(PackError):
            run_of(bytes(content))
        content[bit // 8] ^= 1 << bit % 8


def test_the_header_alone_tells_the_values_and_the_size() -> None:
    content = run_bytes(example())
    head = content[: 8 + int.from_bytes(content[:8], "little")]
    assert unpack_values(head) == VALUES
    assert packing.whole_size(head) == len(content)


def test_safetensors_itself_reads_it() -> None:
    from safetensors.numpy import load

    found = load(run_bytes(example()))
    assert found.keys() == ARRAYS.keys()
    for name, each in found.items():
        assert (each.dtype, each.shape, each.tobytes()) == (
            ARRAYS[name].dtype, ARRAYS[name].shape, ARRAYS[name].tobytes()
        )  # fmt: skip


def test_a_large_file_is_not_read_where_its_header_says_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """2 GiB would take a second and 2 GiB."""
    path = tmp_path / "run.aeviz"
    monkeypatch.setattr(run_file, "run_of", lambda content: pytest.fail("it was read"))
    for content, cause in (
        (changed(put("format", 99)), "needs it"), (b"\xff" * 8, "header"), (run_bytes(example()), "cut off"),
    ):  # fmt: skip
        path.write_bytes(content)
        with path.open("r+b") as file:
            file.truncate(2**31)
        with pytest.raises(RunFileError, match=cause):
            read_run(path)


def test_messages_say_what_is_wrong_with_a_path(tmp_path: Path) -> None:
    path = tmp_path / "a run\nof mine.aeviz"
    shown = f"cannot open {tmp_path}/a run?of mine.aeviz: "
    with pytest.raises(RunFileError, match="No such file or directory") as caught:
        read_run(path)
    assert str(caught.value).startswith(shown)
    path.touch()
    with pytest.raises(RunFileError) as caught:
        read_run(path)
    assert str(caught.value) == shown + "it is empty"
    with pytest.raises(RunFileError, match=r"it is a folder: name a file that ends in \.aeviz"):
        read_run(tmp_path)
    with path.open("r+b") as file:
        file.truncate(2**31 + 1)
    with pytest.raises(RunFileError, match="larger than 2 GiB"):
        read_run(path)


def test_keyframes_of_a_family_lie_in_one_stack() -> None:
    found = {
        name.partition(".")[0]: len(each) for name, each in ARRAYS.items() if name.endswith(".parameters")
    }
    assert found == {"stack0": 5, "stack1": 1}
    timeline = Timeline([keyframe(epoch, SMALL) for epoch in (0, 1)])
    pool = SettingsPool()
    numbers, arrays = keyframe_stacks.packed_frames([*timeline, *timeline], pool)
    assert len(numbers) == 2
    assert arrays["stack0.count"].shape == (2,)
