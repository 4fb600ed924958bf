"""What all commands have in common: options made from the settings table, and how arguments are read."""

from __future__ import annotations

import argparse
import sys
from typing import Any, NoReturn

from aeviz.core.clean_data import clean_data
from aeviz.core.presets import preset, preset_names
from aeviz.core.setting import Spec, nearest
from aeviz.core.settings import GROUPS, SPECS, TABLE, Settings

DONE, FAILED, REFUSED = 0, 1, 2
"""Exit codes: done; bad arguments or input are refused; anything else has failed."""


class Refused(Exception):  # noqa: N818 - not a failure of the program
    """Bad arguments; the text is one line."""


class Parser(argparse.ArgumentParser):
    """A parser that raises what it has to say."""

    def error(self, message: str) -> NoReturn:
        """Refuse the arguments.

        Raises
        ------
        Refused
            Always.
        """
        raise Refused(message)


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Add an option for a preset, and one for each setting, in groups."""
    parser.add_argument("--preset", metavar="NAME", help=f"start from a preset: {', '.join(preset_names())}")
    for group in GROUPS:
        section = parser.add_argument_group(group)
        for spec in (spec for spec in TABLE if spec.group == group):
            _add_setting(section, spec)


def _add_setting(section: argparse._ArgumentGroup, spec: Spec) -> None:
    symbol = f" ({spec.symbol})" if spec.symbol else ""
    text = f"{spec.help.replace('%', '%%')}{symbol} Default: {spec.text(spec.default)}; {spec.range}."
    if isinstance(spec.default, bool):
        section.add_argument(
            spec.option, dest=spec.name, action=argparse.BooleanOptionalAction, default=None, help=text
        )
    else:
        metavar = "X" if not spec.choices else "{" + ",".join(spec.choices) + "}"
        metavar = metavar if not spec.files else "NAME"
        if isinstance(spec.default, tuple):
            metavar = spec.text(spec.default) or "X,Y,…"
        section.add_argument(spec.option, dest=spec.name, metavar=metavar, help=text)


def settings_of(chosen: argparse.Namespace) -> tuple[Settings, dict[str, Any]]:
    """Settings of a command line, and those that were given by name or by a preset."""
    base, values = Settings() if chosen.preset is None else preset(chosen.preset), typed(chosen)
    settings = base.replace(**values)
    clean_data(settings)  # whether there are any
    return settings, Settings().changed(base) | values


def typed(chosen: argparse.Namespace) -> dict[str, Any]:
    """Settings that were given by name."""
    given = {name: value for name, value in vars(chosen).items() if name in SPECS and value is not None}
    return {
        name: value if isinstance(value, bool) else SPECS[name].parsed(value) for name, value in given.items()
    }


def parsed(parser: argparse.ArgumentParser, words: list[str]) -> argparse.Namespace:
    """Read a command's arguments.

    Raises
    ------
    Refused
        Where one is not expected; the text names the nearest option.
    """
    chosen, unknown = parser.parse_known_args(_joined(words))
    if unknown:
        known = tuple(option for action in parser._actions for option in action.option_strings)
        name = unknown[0].split("=")[0]
        if name.startswith("-"):
            raise Refused(f"there is no option {name}{nearest(name, known)}; see {parser.prog} --help")
        raise Refused(f"{unknown[0]!r} is not expected here; see {parser.prog} --help")
    return chosen


def _joined(words: list[str]) -> list[str]:
    """Join an option with a value that begins with a minus sign, which argparse takes for an option."""
    joined: list[str] = []
    for word in words:
        before = joined[-1] if joined else ""
        if word[:1] == "-" and word[1:2].isdigit() and before.startswith("--") and "=" not in before:
            joined[-1] = f"{before}={word}"
        else:
            joined.append(word)
    return joined


def say(line: str, code: int) -> int:
    """Print one line on stderr; returns the exit code that goes with it."""
    print(line, file=sys.stderr)  # noqa: T201
    return code
