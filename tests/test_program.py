"""The window's program as the system sees it: its signals, its processes, what it loads and leaves."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import sys
import termios
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from processes import descendants

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")

OFFSCREEN = (
    "This plugin does not support propagateSizeHints()\n"  # Qt's platform without a screen, of dialogs
)
# `python -m aeviz`, which says on stdout when it has started, and when it shows a trained field. Then a slot
# raises, as it never should.
PROGRAM = """if True:
    import json, runpy, sys
    from pathlib import Path
    from PyQt6.QtCore import QTimer
    from aeviz.app.window import Window

    def say(**what):
        print(json.dumps(what), flush=True)

    def start(window, start=Window.start):
        start(window)
        say(theme=window.store.settings.theme)

    def fail():
        raise ZeroDivisionError("made to fail")

    def show(window, frame, *rest, show=Window._show_frame):
        show(window, frame, *rest)
        if frame.epoch > 20 and not hasattr(window, "told"):
            window.told = True
            maps = Path("/proc/self/maps").read_text()
            say(torch="torch" in sys.modules, libtorch="libtorch" in maps, qt="libQt6Widgets" in maps)
            QTimer.singleShot(0, fail)
        if window.reporter.dialog is not None and frame.epoch > 60:
            say(report=window.reporter.dialog.report, epoch=frame.epoch)

    Window.start, Window._show_frame = start, show
    sys.argv = ["aeviz", *sys.argv[1:]]
    runpy.run_module("aeviz", run_name="__main__", alter_sys=True)
"""


class Watch:
    """Tells which of some processes are left after a while, whoever's children they are."""

    def __init__(self, pids: set[int]) -> None:
        self._handles = {pid: os.pidfd_open(pid) for pid in pids}

    def left(self, within: float) -> set[int]:
        poll = select.poll()
        for handle in self._handles.values():
            poll.register(handle, select.POLLIN)
        left = dict(self._handles)
        while left:
            ended = {handle for handle, _ in poll.poll(1_000 * within)}
            if not ended:
                break
            for pid in [pid for pid, handle in left.items() if handle in ended]:
                poll.unregister(left.pop(pid))
        return {*left}

    def close(self) -> None:
        for handle in self._handles.values():
            os.close(handle)


@pytest.fixture
def watch() -> Iterator[Callable[[set[int]], Watch]]:
    watches: list[Watch] = []

    def watch(pids: set[int]) -> Watch:
        watches.append(Watch(pids))
        return watches[-1]

    yield watch
    for each in watches:
        each.close()


@pytest.fixture(autouse=True)
def nothing_was_left(tmp_path, monkeypatch):
    """A run that a window of another test left is not offered here, with a dialog."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def said(program: Any) -> dict[str, Any]:
    return json.loads(program.line())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_it_starts_ends_it_in_order(number, start, watch):
    program = start("-c", PROGRAM)
    assert said(program) == {"theme": "dark"}
    all_of_it = watch(descendants(program.process.pid))
    os.killpg(program.process.pid, number)  # as a terminal does
    code, _, err = program.end(within=10.0)
    assert (code, err) == (0, "")
    assert all_of_it.left(within=2.0) == set()


def test_a_life_of_the_program(start, watch, tmp_path):
    """It trains, loads no torch, survives an error, and Ctrl-C ends it with exit code 0 and no word."""
    memory = tmp_path / "aeviz" / "window.ini"
    memory.parent.mkdir()
    memory.write_text("[General]\ntheme=light\n")
    program = start("-c", PROGRAM, env=os.environ | {"XDG_CONFIG_HOME": str(tmp_path)})
    assert said(program) == {"theme": "light"}, "the theme of the last window"
    assert said(program) == {"torch": False, "libtorch": False, "qt": True}
    report = said(program)
    assert report["epoch"] > 20
    assert "ZeroDivisionError: made to fail" in report["report"]
    assert "in fail" in report["report"]
    pids = descendants(program.process.pid)
    assert pids
    assert any("libtorch" in Path(f"/proc/{pid}/maps").read_text() for pid in pids)
    assert not any("libQt6" in Path(f"/proc/{pid}/maps").read_text() for pid in pids)
    all_of_it = watch(pids)
    os.killpg(program.process.pid, signal.SIGINT)
    code, _, err = program.end(within=10.0)
    assert (code, err.replace(OFFSCREEN, "")) == (0, "")
    assert all_of_it.left(within=2.0) == set()
    assert "geometry=" in memory.read_text(), "the layout is not remembered"


def test_a_killed_window_leaves_nothing_behind(start, watch):
    program = start("-c", PROGRAM, "--theme", "lecture")
    assert said(program) == {"theme": "lecture"}, "a theme that is asked for wins"
    assert "torch" in said(program)  # it trains
    pids = descendants(program.process.pid)
    all_of_it = watch(pids)
    os.kill(program.process.pid, signal.SIGKILL)
    assert program.process.wait(10) == -signal.SIGKILL
    assert all_of_it.left(within=2.0) == set()


def test_rendering_needs_no_display_and_shows_its_progress_on_a_terminal(start, tmp_path):
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    nothing = {name: os.environ[name] for name in os.environ if "DISPLAY" not in name and "QT" not in name}
    files = [tmp_path / f"a{suffix}" for suffix in (".png", ".svg", ".pdf", ".npz")]
    words = ("render", *map(str, files), "--epochs", "2000", "--grid", "14x13")
    program = start("-m", "aeviz", *words, stderr=theirs, env=nothing)
    os.close(theirs)
    shown = b""
    while b"epoch/s" not in shown:
        shown += os.read(ours, 4_096)
    assert b"/2000 [" in shown
    assert program.process.wait(30) == 0
    os.close(ours)
    for path, begin in zip(files, (b"\x89PNG", b"<?xml", b"%PDF-", b"PK"), strict=True):
        assert path.read_bytes().startswith(begin)
