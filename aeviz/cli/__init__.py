"""The command line, made from the settings table: one module for each command."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence

from aeviz.cli.options import DONE, FAILED, REFUSED, Refused, say
from aeviz.cli.presets import presets
from aeviz.cli.render import render
from aeviz.cli.window import window
from aeviz.core.setting import SettingError
from aeviz.figure.qt import QtUnavailable

COMMANDS: Mapping[str, Callable[[list[str]], int]] = {"render": render, "presets": presets}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns 0 when done, 2 for bad arguments or input, 1 for anything else."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    command = COMMANDS.get(words[0]) if words else None
    try:
        if command is not None:
            return command(words[1:])
        return window(words, tuple(COMMANDS))
    except (Refused, SettingError) as error:
        return say(f"aeviz: {error}", REFUSED)
    except QtUnavailable as error:
        return say(str(error), REFUSED)
    except KeyboardInterrupt:
        if command is None:
            return DONE  # the window was told to close before it was there
        return say("aeviz: interrupted before all files were written", FAILED)
