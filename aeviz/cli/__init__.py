"""The command line, made from the settings table: one module for each command."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence

from aeviz.cli.completion import completion, completion_parser
from aeviz.cli.options import DONE, FAILED, REFUSED, Parser, Refused, say
from aeviz.cli.presets import presets, presets_parser
from aeviz.cli.render import render, render_parser
from aeviz.cli.sweep import sweep, sweep_parser
from aeviz.cli.window import window, window_parser
from aeviz.core.setting import SettingError
from aeviz.figure.qt import QtUnavailable

PARSERS: Mapping[str, Callable[[], Parser]] = {
    "render": render_parser, "sweep": sweep_parser, "presets": presets_parser,
    "completion": completion_parser,
}  # fmt: skip
COMMANDS: Mapping[str, Callable[[list[str]], int]] = {
    "render": render, "sweep": sweep, "presets": presets,
    "completion": lambda words: completion(words, PARSERS, window_parser()),
}  # fmt: skip


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
