"""The command line, made from the settings table."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from aeviz.core.clean_data import clean_data
from aeviz.core.data_file import SUFFIXES
from aeviz.core.files import PICTURES, FileError, check_target
from aeviz.core.presets import load_preset, preset, preset_names
from aeviz.core.setting import SettingError, Spec, nearest
from aeviz.core.settings import GROUPS, SPECS, TABLE, Settings
from aeviz.figure.qt import QtUnavailable, require_qt
from aeviz.version import __version__

DONE, FAILED, REFUSED = 0, 1, 2
COMMANDS = ("render", "presets")


class _RefusedError(Exception):
    """Bad arguments; the text is one line."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _RefusedError(message)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns 0 when done, 2 for bad arguments or input, 1 for anything else."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if words[:1] == ["presets"]:
            return _presets(words[1:])
        if words[:1] == ["render"]:
            return _render(words[1:])
        return _window(words)
    except _RefusedError as error:
        return _say(f"aeviz: {error}", REFUSED)
    except SettingError as error:
        return _say(f"aeviz: {error}", REFUSED)
    except QtUnavailable as error:
        return _say(str(error), REFUSED)
    except KeyboardInterrupt:
        if words[:1] != ["render"]:
            return DONE  # the window was told to close before it was there
        return _say("aeviz: interrupted before all files were written", FAILED)


def _window(words: list[str]) -> int:
    parser = _Parser(
        prog="aeviz",
        description="Watch a two-dimensional denoising autoencoder learn. "
        "Also: aeviz FILE (points of your own), aeviz render OUT … (figures without a window), aeviz presets "
        "(a list).",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"aeviz {__version__}")
    _add_settings(parser)
    if words and not words[0].startswith("-"):
        if not words[0].lower().endswith(SUFFIXES):
            raise _RefusedError(f"there is no command {words[0]!r}{nearest(words[0], COMMANDS)}; there are "
                           f"render and presets, and files of points: {', '.join(SUFFIXES)}")  # fmt: skip
        if any(word.split("=")[0] == "--data" for word in words):
            raise _RefusedError(f"{words[0]} and --data name two kinds of data: leave one of them out")
        words = ["--data", *words]
    chosen = _parsed(parser, words)
    settings, given = _settings(chosen)
    require_qt(screen=True)
    from aeviz.app.main import open_window  # Qt is imported only once it is known to start

    return open_window(settings, theme_given="theme" in given, lesson=chosen.preset)


def _render(words: list[str]) -> int:
    parser = _Parser(
        prog="aeviz render",
        description="Train without a window and write the field: png, svg, pdf or npz by extension.",
        allow_abbrev=False,
    )
    parser.add_argument("out", nargs="+", type=Path, metavar="OUT", help="files to write")
    parser.add_argument("--json", action="store_true", help="print the run's numbers as one JSON object")
    _add_settings(parser)
    chosen = _parsed(parser, words)
    settings, _ = _settings(chosen)
    try:
        suffixes = {check_target(path) for path in chosen.out}
    except FileError as error:
        return _say(f"aeviz: {error}", REFUSED)
    if suffixes & set(PICTURES):
        require_qt(screen=False)
    return _train_and_write(settings, chosen.out, as_json=chosen.json)


def _train_and_write(settings: Settings, paths: list[Path], *, as_json: bool) -> int:
    from tqdm import tqdm

    from aeviz.run import TrainingError, train

    tqdm.monitor_interval = 0  # no thread that watches the bar
    # disable=None: no bar where stderr is not a terminal.
    with tqdm(total=settings.epochs, unit="epoch", disable=None, leave=False) as bar:
        try:
            run = train(settings, progress=lambda epoch: bar.update(epoch - bar.n))
        except TrainingError as error:
            bar.close()
            return _say(f"aeviz: {error}", FAILED)
    with run:
        if run.data.note:
            _say(f"aeviz: {run.data.note}", DONE)
        try:
            run.save(*paths)
            if as_json:
                print(json.dumps(run.metrics().to_json()))  # noqa: T201
        except (FileError, TrainingError) as error:
            return _say(f"aeviz: {error}", FAILED)
    return DONE


def _presets(words: list[str]) -> int:
    parser = _Parser(prog="aeviz presets", description="List the presets.", allow_abbrev=False)
    _parsed(parser, words)
    for name in preset_names():
        print(f"{name:20}{load_preset(name).lesson}")  # noqa: T201
    return DONE


def _add_settings(parser: argparse.ArgumentParser) -> None:
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


def _settings(chosen: argparse.Namespace) -> tuple[Settings, dict[str, Any]]:
    """Settings of a command line, and those that were given by name or by a preset."""
    base = Settings() if chosen.preset is None else preset(chosen.preset)
    typed = {name: value for name, value in vars(chosen).items() if name in SPECS and value is not None}
    values = {
        name: value if isinstance(value, bool) else SPECS[name].parsed(value) for name, value in typed.items()
    }
    settings = base.replace(**values)
    clean_data(settings)  # whether there are any
    return settings, Settings().changed(base) | values


def _parsed(parser: argparse.ArgumentParser, words: list[str]) -> argparse.Namespace:
    chosen, unknown = parser.parse_known_args(_joined(words))
    if unknown:
        known = tuple(option for action in parser._actions for option in action.option_strings)
        name = unknown[0].split("=")[0]
        if name.startswith("-"):
            raise _RefusedError(f"there is no option {name}{nearest(name, known)}; see {parser.prog} --help")
        raise _RefusedError(f"{unknown[0]!r} is not expected here; see {parser.prog} --help")
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


def _say(line: str, code: int) -> int:
    print(line, file=sys.stderr)  # noqa: T201
    return code
