"""What all commands have in common: options made from the settings table, and how arguments are read."""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from aeviz.core.clean_data import clean_data
from aeviz.core.pages import PAGES, page_settings
from aeviz.core.presets import preset, preset_names
from aeviz.core.setting import Spec, nearest
from aeviz.core.settings import DEFAULTS, FILE_GROUPS, GROUPS, SPECS, TABLE, Settings
from aeviz.core.settings_file import named_value, read_settings

DONE, FAILED, REFUSED = 0, 1, 2
"""Exit codes: done; bad arguments or input are refused; anything else has failed."""

_LINE = 96  # characters of a line of help
_EXIT_CODES = """exit codes:
  0  done
  1  something failed
  2  an argument or a file was refused; one line on stderr says what is wrong and how to mend it
"""


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


def add_settings(parser: argparse.ArgumentParser, *, files: bool = True) -> None:
    """Add an option for a preset, and one for each setting, in groups; `files` with those of files alone."""
    add = parser.add_argument
    add("--preset", metavar="NAME", help=f"start from a preset: {', '.join(preset_names())}")
    add("--settings", metavar="FILE", type=Path, help="take settings from a file, .toml or .json")
    add(
        "--set", dest="named", action="append", default=[], metavar="NAME=VALUE",
        help="any setting by its name; the same as its option, and wins over it",
    )  # fmt: skip
    if files:
        add("--page", metavar="NAME", help=f"a usual size of a figure: {', '.join(PAGES)}")
    for group in (group for group in GROUPS if files or group not in FILE_GROUPS):
        section = parser.add_argument_group(group)
        for spec in (spec for spec in TABLE if spec.group == group):
            _add_setting(section, spec)


def _add_setting(section: argparse._ArgumentGroup, spec: Spec) -> None:
    symbol = f" ({spec.symbol})" if spec.symbol else ""
    default = spec.text(spec.default) or "none"
    text = f"{spec.help.replace('%', '%%')}{symbol} Default: {default}; {spec.range}."
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


def manual(what: str, more: str, examples: Mapping[str, str]) -> dict[str, Any]:
    """What stands around the options in a command's help: arguments of a parser."""
    parts = textwrap.dedent(more).split("\n\n")
    told = "\n\n".join(textwrap.fill(" ".join(part.split()), _LINE) for part in parts)
    shown = "\n".join(f"  {command}\n      {text}" for command, text in examples.items())
    epilog = f"examples:\n{shown}\n\n{_EXIT_CODES}"
    return {
        "description": f"{what}\n\n{told}".strip(), "epilog": epilog,
        "formatter_class": argparse.RawDescriptionHelpFormatter,
    }  # fmt: skip


def settings_of(chosen: argparse.Namespace) -> tuple[Settings, dict[str, Any]]:
    """Settings of a command line, and those that were given by name or by a preset."""
    base, values = DEFAULTS if chosen.preset is None else preset(chosen.preset), typed(chosen)
    settings = base.replace(**values)
    clean_data(settings)  # whether there are any
    return settings, DEFAULTS.changed(base) | values


def typed(chosen: argparse.Namespace) -> dict[str, Any]:
    """Settings that were given by name: in a file, by a page, by options, by --set; the later wins."""
    file = {} if chosen.settings is None else read_settings(chosen.settings)
    page = {} if getattr(chosen, "page", None) is None else dict(page_settings(chosen.page))
    return file | page | _optioned(chosen) | dict(map(named_value, chosen.named))


def _optioned(chosen: argparse.Namespace) -> dict[str, Any]:
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
        mend = f"; see {parser.prog} --help"
        if "=" in unknown[0] and name in SPECS and "--vary" in known:
            mend = f": write --vary {unknown[0]}"
        raise Refused(f"{unknown[0]!r} is not expected here{mend}")
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


def progress_bar(*what: Any, **how: Any) -> Any:
    """A bar of tqdm's on stderr, where that is a terminal, which goes when it is closed."""
    from tqdm import tqdm

    tqdm.monitor_interval = 0  # no thread that watches the bar
    return tqdm(*what, **how, disable=None, leave=False)  # None: not where stderr is no terminal
