"""The command line, made from the settings table: one module for each command."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aeviz.cli.options import DONE, FAILED, REFUSED, Parser, Refused, say
from aeviz.core.setting import SettingError
from aeviz.figure.qt import QtUnavailable


def _of(module: str, name: str) -> Callable[..., Any]:
    """A function of one of these modules, which is loaded when it is called."""
    return lambda *words: getattr(importlib.import_module(f"aeviz.cli.{module}"), name)(*words)


NAMES = ("render", "sweep", "presets", "completion")
PARSERS: Mapping[str, Callable[[], Parser]] = {name: _of(name, f"{name}_parser") for name in NAMES}
COMMANDS: Mapping[str, Callable[[list[str]], int]] = {name: _of(name, name) for name in NAMES}
_open_window = _of("window", "window")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns 0 when done, 2 for bad arguments or input, 1 for anything else."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        try:
            return _run(words)
        finally:
            if sys.stdout is not None:  # it was closed before the start
                sys.stdout.flush()  # not at the interpreter's end, which would have a traceback for it
    except OSError as error:
        if error.filename is not None:
            raise  # it was not the output, which has no name
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is still to be flushed
        if isinstance(error, BrokenPipeError):  # who reads it has seen enough, as in `aeviz presets | head`
            return FAILED
        return say(f"aeviz: cannot write what it says: {error.strerror}", FAILED)


def _run(words: list[str]) -> int:
    command = COMMANDS.get(words[0]) if words else None
    try:
        if command is not None:
            return command(words[1:])
        return int(_open_window(words, NAMES))
    except (Refused, SettingError) as error:
        return say(f"aeviz: {error}", REFUSED)
    except QtUnavailable as error:
        return say(str(error), REFUSED)
    except KeyboardInterrupt:
        if command is None:
            return DONE  # the window was told to close before it was there
        return say("aeviz: interrupted before all files were written", FAILED)
