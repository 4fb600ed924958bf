"""``aeviz completion``: what a shell needs to complete commands, options and values."""

from __future__ import annotations

import argparse
from pathlib import Path

from aeviz.cli.options import DONE, Parser, manual, parsed
from aeviz.cli.window import window_parser
from aeviz.core.pages import PAGES
from aeviz.core.presets import preset_names
from aeviz.core.settings import TABLE

_EXAMPLES = {
    "aeviz completion bash > ~/.local/share/bash-completion/completions/aeviz": "for bash",
    "aeviz completion zsh > ~/.zfunc/_aeviz": "for zsh, where ~/.zfunc is in fpath",
}


def completion_parser() -> Parser:
    """The command's options."""
    parser = Parser(
        prog="aeviz completion", allow_abbrev=False, usage="aeviz completion SHELL",
        **manual("Print a script that completes aeviz's commands and options in a shell.", "", _EXAMPLES),
    )  # fmt: skip
    parser.add_argument("shell", choices=("bash", "zsh", "tcsh"), metavar="SHELL", help="bash, zsh or tcsh")
    return parser


def completion(words: list[str]) -> int:
    """Print the script; returns the exit code."""
    shell = parsed(completion_parser(), words).shell
    import shtab  # nothing else needs it

    from aeviz.cli import PARSERS  # which are of this module too

    whole = argparse.ArgumentParser(prog="aeviz", parents=[window_parser()], add_help=False)
    commands = whole.add_subparsers()
    for name, make in PARSERS.items():
        own = make()
        commands.add_parser(name, parents=[own], add_help=False, help=(own.description or "").split("\n")[0])
    values = {"preset": preset_names(), "page": tuple(PAGES)}
    values |= {spec.name: spec.choices for spec in TABLE if spec.choices}
    for parser in (whole, *commands.choices.values()):
        for action in parser._actions:
            if action.dest in values:  # which the commands themselves refuse in their own words
                action.choices = values[action.dest]
            elif action.type is Path:
                action.complete = shtab.FILE  # type: ignore[attr-defined]
    print(shtab.complete(whole, shell=shell))  # noqa: T201
    return DONE
