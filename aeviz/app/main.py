"""Starts the window: an application, its signals, and what happens to errors that no one caught."""

from __future__ import annotations

import gc
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PyQt6 import sip
from PyQt6.QtCore import QSocketNotifier, QTimer
from PyQt6.QtWidgets import QApplication

from aeviz.app.memory import Memory
from aeviz.app.style import STYLE
from aeviz.app.window import Window
from aeviz.core.recipe import Recipe
from aeviz.core.run_file import SavedRun
from aeviz.core.settings import SPECS, Settings
from aeviz.figure.theme import font
from aeviz.work.cores import ALL_BUT_ONE, keep_to
from aeviz.work.malloc import give_back, keep_little

COLLECT_EVERY, TRIM_EVERY = 2_000, 60_000  # ms


def open_window(
    settings: Settings, *, theme_given: bool, lesson: str | None = None,
    opened: tuple[Path, SavedRun | Recipe] | None = None, changes: Mapping[str, Any] | None = None,
) -> int:  # fmt: skip
    """Show the window and run until it is closed; returns the exit code.

    The theme of the last window is taken, unless this one was asked for with a theme. Where the settings
    are those of a preset, it is a lesson. With `opened` it shows a run that was read from a file, or makes
    that of a figure again, with `changes` of how it is drawn.
    """
    keep_to(ALL_BUT_ONE)
    application = new_application()
    memory = Memory()
    if not theme_given and memory.theme in SPECS["theme"].choices:
        settings = settings.replace(theme=memory.theme)
    window = Window(settings, memory)
    sys.excepthook = window.reporter
    listener = _quit_on_interrupt(application)
    window.show()
    if opened is not None:
        path, found = opened
        window.keeper.show(found, path)
        window.store.set(**changes or {})
    window.start()
    if lesson is not None:
        window.lessons.show(lesson)
    keep_tidy(window)
    code = application.exec()
    window.run.stop()
    listener.setEnabled(False)
    return code


def new_application() -> QApplication:
    """Begin: a heap that all threads share, and Qt in the program's style and font."""
    keep_little()
    application = QApplication(["aeviz"])
    application.setApplicationName("aeviz")
    application.setDesktopFileName("aeviz")
    application.setStyle(STYLE)
    application.setFont(font(13))
    return application


def keep_tidy(window: Window) -> None:
    """Collect garbage in the window's thread alone, and give memory back that is not used any more."""
    gc.collect()
    gc.freeze()  # a full collection over all that is imported would hold up frames for 50 ms
    gc.disable()  # in the threads that read and write files, where Qt's objects must not die
    for every, do in ((COLLECT_EVERY, gc.collect), (TRIM_EVERY, give_back)):
        timer = QTimer(window)
        timer.timeout.connect(do)
        timer.start(every)


def _quit_on_interrupt(application: QApplication) -> QSocketNotifier:
    """Let Ctrl-C and SIGTERM end the program as closing the window does.

    Python runs its signal handlers between two of its own instructions, and Qt's loop has none; the
    byte that the interpreter writes into this socket wakes it.
    """
    ours, theirs = socket.socketpair()
    for end in (ours, theirs):
        end.setblocking(False)
    signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    for number in (signal.SIGINT, signal.SIGTERM):
        # By a timer, because closing the windows before the loop runs would not end it.
        signal.signal(number, lambda *_: QTimer.singleShot(0, application.closeAllWindows))
    listener = QSocketNotifier(sip.voidptr(ours.fileno()), QSocketNotifier.Type.Read, application)
    listener.activated.connect(lambda *_: ours.recv(64))
    listener.setProperty("ends", (ours, theirs))  # keeps both sockets open as long as it listens
    return listener
