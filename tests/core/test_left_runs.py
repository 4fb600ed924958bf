"""Runs whose windows are gone are offered, and those of windows that live are left alone."""

from __future__ import annotations

import os
import random
import shutil
import signal
import stat
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from journals import (
    ENVIRONMENT,
    START,
    Disk,
    course,
    data,
    events_of,
    facts,
    folder_of,
    folder_of_thread,
    killed,
    losses,
    read,
    snapshot,
    trimmed,
    write,
)

from aeviz.core import left_runs
from aeviz.core.events import GoneTo
from aeviz.core.history import History
from aeviz.core.journal import Journal, Left, left_behind

KILLED = """
import sys
from pathlib import Path
import aeviz.core.journal as module
from journals import START, data, frame, losses, snapshot
from aeviz.core.history import History

module.INTERVAL = 0.001
journal = module.Journal(Path(sys.argv[1]))
history = History(journal.write)
history.begin(START, data())
for epoch in range(1_000_000):
    history.keep(frame(epoch))
    history.tell(epoch, losses(epoch, 1))
    if epoch % 7 == 0:
        if epoch % 5 == 0:
            journal.restart(snapshot(history))
        assert journal.flush()
        print(epoch + 1, flush=True)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="kills processes")
@pytest.mark.timeout(180)
def test_killed_at_any_moment_it_has_all_that_was_synced(start: Callable[..., Any], runs: Path) -> None:
    chance = random.Random(0)
    for _ in range(20):
        program = start("-c", KILLED, str(runs), env=ENVIRONMENT)
        said = 0
        for _ in range(chance.randint(1, 40)):
            said = int(program.line())
        assert left_behind(runs) == [], "it lives"
        os.kill(program.process.pid, signal.SIGKILL)
        program.process.wait(10)
        assert program.process.stdout is not None
        said = max([said, *map(int, program.process.stdout.read().split())])
        (left,) = left_behind(runs)
        history = left.read()
        epoch = history.current.epoch
        assert said <= epoch == left.epoch and not left.closed
        assert (history.current.losses == losses(0, epoch)).all()
        assert all((f.state["average"] == f.epoch).all() for f in history.current.timeline)
        left.forget()
        assert not left.folder.exists()


def test_what_was_closed_is_left_behind_as_closed(begin: Callable[..., Journal], runs: Path) -> None:
    history = course((journal := begin()).write)
    journal.close(forget=False)
    (left,) = left_behind(runs)
    assert left.closed and facts(left.read()) == facts(trimmed(history))
    assert stat.S_IMODE(left.folder.stat().st_mode) == stat.S_IMODE(runs.stat().st_mode) == 0o700
    journal.write(GoneTo(3))  # nobody writes any more
    journal.restart(None)
    journal.put_picture(b"png")
    journal.close(forget=True)
    assert not journal._waiting
    assert left_behind(runs) == [left]


@pytest.mark.parametrize("forget", [True, False])
def test_nothing_stays_of_what_is_forgotten_or_was_nothing(
    begin: Callable[..., Journal], runs: Path, forget: bool
) -> None:
    journal = begin()
    if forget:
        write(journal, events_of())
        journal.put_picture(b"png")
    journal.close(forget=forget)
    assert list(runs.iterdir()) == []


def test_the_last_ones_that_were_closed_are_kept_and_those_that_were_killed(
    begin: Callable[..., Journal], runs: Path
) -> None:
    journals = [begin() for _ in range(left_runs.MOST_CLOSED + 3)]
    folders = []
    for index, journal in enumerate(journals):
        write(journal, events_of())
        folders.append(folder_of(journal))
        if index:
            journal.close(forget=False)
            os.utime(folders[-1] / "journal", (1e9 + index, 1e9 + index))
        else:
            killed = runs / "20200101-000000-00000000"
            shutil.copytree(folders[0], killed, ignore=shutil.ignore_patterns("lock"))
    kept = folders[-left_runs.MOST_CLOSED :]
    assert {each.folder for each in left_behind(runs)} == {killed, *kept}
    assert {*runs.iterdir()} == {killed, folders[0], *kept}
    journals[0].close(forget=False)
    assert {*runs.iterdir()} == {killed, folders[0], *kept[1:]}


def test_a_run_that_makes_room_is_one_that_was_closed(begin: Callable[..., Journal], runs: Path) -> None:
    journal = begin()
    first = course(journal.write)
    folder = folder_of(journal)
    journal.leave()
    journal.write(GoneTo(3))  # it belongs to neither
    second = History(None)
    second.begin(START, data())
    second.tell(0, losses(0, 4))
    journal.restart(snapshot(second))
    second.listen = journal.write
    second.tell(4, losses(4, 3))
    assert journal.flush()
    (left,) = left_behind(runs)
    assert left.folder == folder != folder_of(journal)
    assert left.closed and facts(left.read()) == facts(trimmed(first))
    assert facts(killed(journal).read()) == facts(second)


def test_what_makes_room_takes_none_before_the_next_run_is_written(
    begin: Callable[..., Journal], runs: Path
) -> None:
    """The oldest one that is kept may be the very run that is brought back."""
    journal = begin()
    for _ in range(left_runs.MOST_CLOSED + 1):
        course(journal.write)
        journal.leave()
        journal.restart(None)
        assert journal.flush()
    assert len([*runs.iterdir()]) == left_runs.MOST_CLOSED + 2
    assert len(left_behind(runs)) == left_runs.MOST_CLOSED


def test_a_run_of_nothing_leaves_no_folder(begin: Callable[..., Journal], runs: Path) -> None:
    journal = begin()
    folder = folder_of(journal)
    journal.leave()
    journal.restart(None)
    assert journal.flush()
    assert [*runs.iterdir()] == [folder] == [folder_of(journal)]


def test_a_full_disk_leaves_what_makes_room_as_one_that_was_cut_off(
    begin: Callable[..., Journal], disk: Disk, runs: Path
) -> None:
    told: list[str] = []
    journal = begin(tell=told.append)
    first = course(journal.write)
    folder = folder_of(journal)
    disk.left = 0
    journal.leave()
    journal.flush()
    disk.left = float("inf")
    journal.restart(snapshot(first))
    assert journal.flush()
    (left,) = left_behind(runs)
    assert len(told) == 1 and left.folder == folder and not left.closed
    assert facts(left.read()) == facts(trimmed(first))


def test_the_newest_come_first_and_too_old_ones_go(begin: Callable[..., Journal], runs: Path) -> None:
    journal = begin()
    write(journal, events_of())
    most = left_runs.MOST_KILLED
    folders = copies(folder_of(journal), runs.with_name("old"), most + 3)
    order = random.Random(0).sample(range(len(folders)), len(folders))
    for age, index in enumerate(order):
        os.utime(folders[index] / "journal", (1e9 - age, 1e9 - age))
    left = left_behind(runs.with_name("old"))
    assert [each.folder for each in left] == [folders[index] for index in order[:most]]
    assert [each.time for each in left] == [1e9 - age for age in range(most)]
    assert sorted(runs.with_name("old").iterdir()) == sorted(each.folder for each in left)


def test_of_many_that_were_closed_the_last_ones_stay(begin: Callable[..., Journal], runs: Path) -> None:
    journal, most = begin(), left_runs.MOST_CLOSED
    write(journal, events_of())
    folder = folder_of(journal)
    journal.close(forget=False)
    folders = copies(folder, runs.with_name("old"), most + 2)
    for age, each in enumerate(folders):
        os.utime(each / "journal", (1e9 - age, 1e9 - age))
    assert [each.folder for each in left_behind(runs.with_name("old"))] == folders[:most]
    assert sorted(runs.with_name("old").iterdir()) == folders[:most]


def copies(folder: Path, runs: Path, count: int) -> list[Path]:
    folders = [runs / f"20200101-000000-{index:08x}" for index in range(count)]
    for each in folders:
        shutil.copytree(folder, each, ignore=shutil.ignore_patterns("lock"))
    return folders


def test_what_is_of_no_use_goes_and_what_is_not_ours_stays(begin: Callable[..., Journal], runs: Path) -> None:
    journal = begin()
    write(journal, [GoneTo(1)])
    empty, torn, ours, bare = copies(folder_of(journal), runs.with_name("old"), 4)
    (empty / "journal").write_bytes(b"")
    (torn / "journal").write_bytes((torn / "journal").read_bytes()[:-1])
    (torn / "picture.png").write_bytes(b"png")
    (torn / ".picture.png.0123abcd").write_bytes(b"half")
    (torn / "journal.new").write_bytes(b"half")
    (bare / "journal").unlink()
    notes = ours / "notes.txt"
    notes.write_text("the user's")
    (ours / "journal").write_bytes(b"")
    mine = runs.with_name("old") / "mine"
    mine.mkdir()
    (mine / "journal").write_text("a diary")
    assert left_behind(runs.with_name("old")) == []
    assert not empty.exists() and not torn.exists() and not bare.exists()
    assert notes.read_text() == "the user's"
    assert [path.name for path in mine.iterdir()] == ["journal"]
    assert left_behind(runs.with_name("nowhere")) == []


def test_a_run_that_is_gone_or_read_by_another_says_so(
    begin: Callable[..., Journal], runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(left_runs, "_PATIENCE", 0.01)
    journal = begin()
    write(journal, events_of())
    left = killed(journal)
    lock = left_runs._locked(left.folder)
    assert lock is not None
    with pytest.raises(OSError, match="another window"):
        left.read()
    left.forget()
    assert left_behind(left.folder.parent) == [] and left.folder.exists()
    lock.release()
    left.read()
    unlink, gone = Path.unlink, []

    def note(path: Path, missing_ok: bool = False) -> None:
        unlink(path, missing_ok)
        gone.append(path.name)

    monkeypatch.setattr(Path, "unlink", note)
    left.forget()
    assert gone[-1] == "lock", "till then no other window may look into it"
    left.forget()
    with pytest.raises(OSError, match="is gone"):
        left.read()
    assert list(left.folder.parent.iterdir()) == []


def test_windows_that_live_neither_offer_nor_remove_one_another(
    begin: Callable[..., Journal], runs: Path
) -> None:
    journals = [begin() for _ in range(3)]
    for journal in journals:
        write(journal, events_of())
    assert left_behind(runs) == []
    folders = {folder_of(journal): journal for journal in journals}
    as_if = Left(folder_of(journals[1]), 0, 0.0, None, False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(left_runs, "_PATIENCE", 0.0)
        as_if.forget()
    journals[0].close(forget=False)
    for folder, journal in list(folders.items())[1:]:
        write(journal, [GoneTo(3)])
        assert facts(read(folder / "journal"))[0] == 3


def test_a_window_that_starts_while_another_looks_begins_all_the_same(
    begin: Callable[..., Journal], runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mkdir, looked = Path.mkdir, []

    def slow_mkdir(folder: Path, *arguments: Any, **options: Any) -> None:
        mkdir(folder, *arguments, **options)
        if folder.parent == runs and len(looked) < 3:
            looked.append(folder)
            left_behind(runs)  # takes what is empty for rubbish

    monkeypatch.setattr(Path, "mkdir", slow_mkdir)
    told: list[str] = []
    journal = begin(tell=told.append)
    write(journal, events_of())
    assert len(looked) == 3 and not told
    assert list(runs.iterdir()) == [folder_of(journal)]


def test_a_window_never_begins_in_a_folder_that_another_holds(
    begin: Callable[..., Journal], runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mkdir, made, held = Path.mkdir, [], []

    def hold(folder: Path, *arguments: Any, **options: Any) -> None:
        mkdir(folder, *arguments, **options)
        if folder.parent == runs and not made:
            made.append(folder)
            held.append(left_runs._locked(folder))

    monkeypatch.setattr(Path, "mkdir", hold)
    journal = begin()
    write(journal, events_of())
    assert folder_of(journal) != made[0]
    assert left_behind(runs) == []
    held[0].release()


@pytest.mark.parametrize("error", [FileNotFoundError, FileExistsError])
def test_a_folder_that_goes_while_it_is_locked_is_made_anew(
    begin: Callable[..., Journal], monkeypatch: pytest.MonkeyPatch, error: type[OSError]
) -> None:
    tried: list[Path] = []

    def locked(folder: Path, locked: Callable[[Path], Any] = left_runs._locked) -> Any:
        tried.append(folder)
        if len(tried) == 1:
            raise error  # so FileLock, as it happens
        return locked(folder)

    monkeypatch.setattr(left_runs, "_locked", locked)
    journal = begin()
    write(journal, events_of())
    assert folder_of(journal) == tried[1]


@pytest.mark.timeout(60)
def test_many_windows_at_the_same_moment(runs: Path) -> None:
    told: list[str] = []
    ready = threading.Barrier(8)
    wrong: list[object] = []

    def live() -> None:
        ready.wait()
        for _ in range(10):
            journal = Journal(runs, tell=told.append)
            wrong.extend(left for left in left_behind(runs) if not left.closed)
            course(journal.write)
            if not journal.flush() or len(read(folder_of_thread(journal) / "journal")) != 2:
                wrong.append("it was removed")
            journal.close(forget=False)

    threads = [threading.Thread(target=live) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not told and not wrong
    left = left_behind(runs)
    assert len(left) == left_runs.MOST_CLOSED and all(each.closed for each in left)
    assert {*runs.iterdir()} == {each.folder for each in left}


def test_the_picture_is_the_newest(begin: Callable[..., Journal], disk: Disk) -> None:
    told: list[str] = []
    journal = begin(tell=told.append)
    journal.put_picture(b"an old one" * 1_000)
    journal.put_picture(b"a new one")
    write(journal, events_of())
    assert killed(journal).picture == b"a new one"
    disk.left = 0
    journal.put_picture(b"no room for it")
    journal.flush()
    disk.left = float("inf")
    write(journal, [GoneTo(3)])
    assert not told, "it is an ornament"
    assert killed(journal, "again").picture == b"a new one"


def test_nothing_is_written_elsewhere(begin: Callable[..., Journal], tmp_path: Path) -> None:
    journal = begin()
    write(journal, events_of())
    journal.put_picture(b"png")
    journal.restart(snapshot(course()))
    names = sorted(path.name for path in folder_of(journal).iterdir())
    assert names == ["journal", "lock", "picture.png"]
    assert [path.name for path in tmp_path.iterdir()] == ["state"]


def test_by_itself_it_is_in_the_users_state_folder(
    begin: Callable[..., Journal], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(left_runs.platformdirs, "user_state_dir", lambda *_, **__: str(tmp_path / "aeviz"))
    write(begin(None), events_of())
    assert left_behind() == []
    assert [path.name for path in (tmp_path / "aeviz" / "runs").iterdir()] != []
