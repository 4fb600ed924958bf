"""Files are written whole or not at all, whatever fails."""

from __future__ import annotations

import errno
import os
import resource
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from aeviz.core.files import SUFFIXES, FileError, check_suffix, check_target, write_whole

CAUSES = [errno.ENOSPC, errno.EACCES, errno.EIO]
OLD, NEW = b"the old picture", b"the new picture" * 10_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def failing(cause: int) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> None:
        raise OSError(cause, os.strerror(cause))

    return fail


def fail_at_open(monkeypatch: pytest.MonkeyPatch, cause: int) -> None:
    monkeypatch.setattr(os, "open", failing(cause))


def fail_half_way(monkeypatch: pytest.MonkeyPatch, cause: int) -> None:
    """The disk takes half of the content and no more."""

    class Half:
        def __init__(self, file: Any) -> None:
            self._file = file

        def __enter__(self) -> Half:
            return self

        def __exit__(self, *_: object) -> None:
            self._file.close()

        def __getattr__(self, name: str) -> Any:
            return getattr(self._file, name)

        def write(self, content: bytes) -> int:
            self._file.write(content[: len(content) // 2])
            self._file.flush()
            raise OSError(cause, os.strerror(cause))

    fdopen = os.fdopen
    monkeypatch.setattr(os, "fdopen", lambda *args: Half(fdopen(*args)))


def fail_at_sync(monkeypatch: pytest.MonkeyPatch, cause: int) -> None:
    monkeypatch.setattr(os, "fsync", failing(cause))


def fail_at_replace(monkeypatch: pytest.MonkeyPatch, cause: int) -> None:
    monkeypatch.setattr(os, "replace", failing(cause))
    monkeypatch.setattr(Path, "replace", failing(cause))


FAULTS = [fail_at_open, fail_half_way, fail_at_sync, fail_at_replace]


def told(caught: pytest.ExceptionInfo[FileError], path: Path, cause: int) -> None:
    text = str(caught.value)
    assert str(path) in text
    assert os.strerror(cause) in text
    assert len(text.splitlines()) == 1


@pytest.mark.parametrize("cause", CAUSES, ids=errno.errorcode.get)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
@pytest.mark.parametrize("exists", [True, False], ids=["over an old file", "new file"])
def test_a_failed_write_leaves_all_as_it_was(
    folder: Path, monkeypatch: pytest.MonkeyPatch, fault: Callable[..., None], cause: int, exists: bool
) -> None:
    path = folder / "a.png"
    if exists:
        path.write_bytes(OLD)
        path.chmod(0o640)
    before = path.stat() if exists else None
    fault(monkeypatch, cause)
    with pytest.raises(FileError) as caught:
        write_whole(path, NEW)
    monkeypatch.undo()
    told(caught, path, cause)
    assert [each.name for each in folder.iterdir()] == (["a.png"] if exists else [])
    if before is not None:
        after = path.stat()
        assert path.read_bytes() == OLD
        assert (after.st_ino, after.st_mode, after.st_mtime_ns) == (
            before.st_ino, before.st_mode, before.st_mtime_ns
        )  # fmt: skip


def test_what_there_is_no_memory_for_is_told_and_the_old_file_stays(folder: Path) -> None:
    path = folder / "a.npz"
    path.write_bytes(OLD)

    def make() -> bytes:
        raise MemoryError("Unable to allocate 2.00 TiB")

    with pytest.raises(FileError) as caught:
        write_whole(path, make)
    assert str(caught.value) == f"cannot write {path}: there is not enough memory"
    assert path.read_bytes() == OLD
    assert [each.name for each in folder.iterdir()] == ["a.npz"]


def test_what_is_made_is_written(folder: Path) -> None:
    write_whole(folder / "a.npz", lambda: NEW)
    assert (folder / "a.npz").read_bytes() == NEW


@pytest.fixture
def small_disk() -> Iterator[int]:
    """The operating system itself refuses files of more than this many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    limit = len(NEW) // 2
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    yield limit
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_write_that_the_system_cuts_short_leaves_all_as_it_was(folder: Path, small_disk: int) -> None:
    path = folder / "a.png"
    path.write_bytes(OLD)
    with pytest.raises(FileError) as caught:
        write_whole(path, NEW)
    told(caught, path, errno.EFBIG)
    assert path.read_bytes() == OLD
    assert [each.name for each in folder.iterdir()] == ["a.png"]
    write_whole(path, NEW[:small_disk])
    assert path.read_bytes() == NEW[:small_disk]


def test_permissions_that_cannot_be_kept_leave_all_as_it_was(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder / "a.png"
    path.write_bytes(OLD)
    monkeypatch.setattr(Path, "chmod", failing(errno.EPERM))
    with pytest.raises(FileError) as caught:
        write_whole(path, NEW)
    told(caught, path, errno.EPERM)
    assert path.read_bytes() == OLD
    assert [each.name for each in folder.iterdir()] == ["a.png"]


def test_ctrl_c_leaves_no_partial_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    path = folder / "a.png"
    path.write_bytes(OLD)
    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_whole(path, NEW)
    assert path.read_bytes() == OLD
    assert [each.name for each in folder.iterdir()] == ["a.png"]


@pytest.mark.parametrize("content", [NEW, b"less than a buffer"], ids=["long", "short"])
def test_the_new_file_takes_the_olds_place_only_when_it_is_whole_on_disk(
    folder: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    path = folder / "a.png"
    path.write_bytes(OLD)
    seen: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def watched_fsync(handle: int) -> None:
        assert os.fstat(handle).st_size == len(content)
        assert path.read_bytes() == OLD
        seen.append("fsync")
        fsync(handle)

    def watched_replace(self: Path, target: Path) -> Path:
        assert self.parent == folder  # another file system could not be replaced into in one act
        assert self.read_bytes() == content
        assert path.read_bytes() == OLD
        seen.append("replace")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", watched_fsync)
    monkeypatch.setattr(Path, "replace", watched_replace)
    write_whole(path, content)
    assert seen == ["fsync", "replace"]
    assert path.read_bytes() == content
    assert [each.name for each in folder.iterdir()] == ["a.png"]


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o444, 0o755])
def test_permissions_of_an_old_file_are_kept(folder: Path, mode: int) -> None:
    path = folder / "a.npz"
    path.write_bytes(OLD)
    path.chmod(mode)
    write_whole(path, NEW)
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert path.read_bytes() == NEW


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_a_new_file_has_the_users_usual_permissions(folder: Path, umask: int) -> None:
    old = os.umask(umask)
    try:
        write_whole(folder / "a.npz", NEW)
    finally:
        os.umask(old)
    assert stat.S_IMODE((folder / "a.npz").stat().st_mode) == 0o666 & ~umask


@pytest.mark.parametrize("exists", [True, False], ids=["to a file", "to nothing yet"])
def test_a_symbolic_link_stays_one(folder: Path, exists: bool) -> None:
    (folder / "deep").mkdir()
    real, link = folder / "deep" / "real.png", folder / "link.png"
    if exists:
        real.write_bytes(OLD)
    link.symlink_to("deep/real.png")
    write_whole(link, NEW)
    assert link.is_symlink()
    assert link.readlink() == Path("deep/real.png")
    assert real.read_bytes() == NEW
    assert sorted(each.name for each in folder.rglob("*")) == ["deep", "link.png", "real.png"]


def test_links_in_a_circle_are_told(folder: Path) -> None:
    (folder / "a").symlink_to("b")
    (folder / "b").symlink_to("a")
    with pytest.raises(FileError) as caught:
        write_whole(folder / "a", NEW)
    assert str(folder / "a") in str(caught.value)
    assert sorted(each.name for each in folder.iterdir()) == ["a", "b"]
    assert (folder / "a").is_symlink()


def test_a_folder_is_not_overwritten(folder: Path) -> None:
    path = folder / "pictures.png"
    path.mkdir()
    (path / "inside").write_bytes(OLD)
    with pytest.raises(FileError) as caught:
        write_whole(path, NEW)
    told(caught, path, errno.EISDIR)
    assert sorted(each.name for each in folder.rglob("*")) == ["inside", "pictures.png"]


def test_a_missing_folder_is_told_and_not_made(folder: Path) -> None:
    path = folder / "nowhere" / "a.png"
    with pytest.raises(FileError) as caught:
        write_whole(path, NEW)
    told(caught, path, errno.ENOENT)
    assert list(folder.iterdir()) == []


def test_a_file_in_the_place_of_a_folder_is_told(folder: Path) -> None:
    (folder / "file").write_bytes(OLD)
    path = folder / "file" / "a.png"
    with pytest.raises(FileError) as caught:
        write_whole(path, NEW)
    told(caught, path, errno.ENOTDIR)
    assert (folder / "file").read_bytes() == OLD


def test_a_relative_path_is_named_as_it_was_given(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    write_whole(Path("a.png"), NEW)
    assert (folder / "a.png").read_bytes() == NEW
    with pytest.raises(FileError, match=r"^cannot write no/a\.png: "):
        write_whole(Path("no/a.png"), NEW)


def test_an_empty_file_is_a_file(folder: Path) -> None:
    (folder / "a").write_bytes(OLD)
    write_whole(folder / "a", b"")
    assert (folder / "a").read_bytes() == b""


# Extensions


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_extensions_in_either_case_are_known(suffix: str) -> None:
    assert check_suffix(Path("x" + suffix)) == suffix
    assert check_suffix(Path("x.y" + suffix.upper())) == suffix


@pytest.mark.parametrize("name", ["x", "x.pgn", "x.", ".png", "x.png.bak", "x.jpeg"])
def test_other_extensions_are_refused_with_those_that_are_known(name: str) -> None:
    with pytest.raises(FileError) as caught:
        check_suffix(Path(name))
    assert name in str(caught.value)
    assert all(suffix in str(caught.value) for suffix in SUFFIXES)


def test_a_slip_in_an_extension_is_told_the_nearest() -> None:
    with pytest.raises(FileError, match=r"did you mean \.png\?"):
        check_suffix(Path("x.pgn"))


# Before the work that makes the content


def test_a_target_that_can_be_written_passes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    (folder / "old.png").write_bytes(OLD)
    (folder / "link.svg").symlink_to("old.png")
    assert check_target(folder / "new.NPZ") == ".npz"
    assert check_target(Path("old.png")) == ".png"
    assert check_target(folder / "link.svg") == ".svg"
    assert sorted(each.name for each in folder.iterdir()) == ["link.svg", "old.png"]
    assert (folder / "old.png").read_bytes() == OLD


@pytest.mark.parametrize("name", ["x.txt", "nowhere/x.png", "folder.png", "file/x.png", "closed/x.png"])
def test_a_target_that_cannot_be_written_is_told_before_the_work(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for each in ("folder.png", "closed"):
        (folder / each).mkdir()
    (folder / "file").write_bytes(OLD)
    access = os.access  # the tests may be run by root, who may write everywhere
    monkeypatch.setattr(os, "access", lambda path, mode: access(path, mode) and Path(path).name != "closed")
    with pytest.raises(FileError) as caught:
        check_target(folder / name)
    assert str(caught.value).startswith(f"cannot write {folder / name}: ")
    assert len(str(caught.value).splitlines()) == 1
    assert sorted(each.name for each in folder.rglob("*")) == ["closed", "file", "folder.png"]
