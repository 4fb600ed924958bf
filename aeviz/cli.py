"""The command line, made from the settings table."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from aeviz.core.clean_data import clean_data
from aeviz.core.data_file import SUFFIXES
from aeviz.core.files import PICTURES, RUN, FileError, check_target
from aeviz.core.presets import load_preset, preset, preset_names
from aeviz.core.run_file import read_run
from aeviz.core.setting import SettingError, Spec, nearest
from aeviz.core.settings import GROUPS, SPECS, TABLE, Settings
from aeviz.figure.qt import QtUnavailable, require_qt
from aeviz.run import Run, TrainingError, load, train
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
        if not words[0].lower().endswith((*SUFFIXES, RUN)):
            known = f"render and presets, run files ({RUN}) and files of points: {', '.join(SUFFIXES)}"
            guess = nearest(words[0], COMMANDS)
            raise _RefusedError(f"there is no command {words[0]!r}{guess}; there are {known}")
        if words[0].lower().endswith(RUN):
            return _open(words)
        if any(word.split("=")[0] == "--data" for word in words):
            raise _RefusedError(f"{words[0]} and --data name two kinds of data: leave one of them out")
        words = ["--data", *words]
    chosen = _parsed(parser, words)
    settings, given = _settings(chosen)
    require_qt(screen=True)
    from aeviz.app.main import open_window  # Qt is imported only once it is known to start

    return open_window(settings, theme_given="theme" in given, lesson=chosen.preset)


def _open(words: list[str]) -> int:
    """Open a run file in the window."""
    if words[1:]:
        raise _RefusedError(f"{words[0]} has settings of its own: {words[1]} is not expected after it")
    try:
        saved = read_run(Path(words[0]))
    except FileError as error:
        return _say(f"aeviz: {error}", REFUSED)
    require_qt(screen=True)
    from aeviz.app.main import open_window

    return open_window(saved.view, theme_given=True, opened=(Path(words[0]), saved))


def _render(words: list[str]) -> int:
    parser = _Parser(
        prog="aeviz render",
        description="Train without a window and write the field: png, svg, pdf or npz by extension.",
        allow_abbrev=False,
    )
    parser.add_argument("out", nargs="+", type=Path, metavar="OUT", help="files to write")
    parser.add_argument("--json", action="store_true", help="print the run's numbers as one JSON object")
    parser.add_argument("--from", dest="file", metavar="FILE", help="take the run from a run file (.aeviz)")
    parser.add_argument("--epoch", type=int, metavar="N", help="with --from: show this epoch, as it was")
    _add_settings(parser)
    chosen = _parsed(parser, words)
    if chosen.file is None and chosen.epoch is not None:
        raise _RefusedError(
            "--epoch is one of a run that is there: name its file with --from, or give --epochs"
        )
    if chosen.file is not None and chosen.preset is not None:
        raise _RefusedError("--preset and --from both say what the run is: leave one of them out")
    try:
        suffixes = {check_target(path) for path in chosen.out}
    except FileError as error:
        return _say(f"aeviz: {error}", REFUSED)
    if suffixes & set(PICTURES):
        require_qt(screen=False)
    if chosen.file is None:
        settings, _ = _settings(chosen)
        return _write(lambda progress: train(settings, progress=progress), settings.epochs, chosen)
    changes = _typed(chosen)

    def take_up(progress: Callable[[int], object]) -> Run:
        run = load(chosen.file, chosen.epoch, **changes)
        if "epochs" in changes:
            run.train(progress)
        return run

    return _write(take_up, changes.get("epochs"), chosen)


def _write(
    make: Callable[[Callable[[int], object]], Run], epochs: int | None, chosen: argparse.Namespace
) -> int:
    from tqdm import tqdm

    tqdm.monitor_interval = 0  # no thread that watches the bar
    # disable=None: no bar where stderr is not a terminal.
    with tqdm(total=epochs, unit="epoch", disable=None, leave=False) as bar:
        try:
            run = make(lambda epoch: bar.update(epoch - bar.n))
        except (TrainingError, FileError) as error:
            bar.close()
            return _say(f"aeviz: {error}", FAILED if isinstance(error, TrainingError) else REFUSED)
    with run:
        if run.data.note:
            _say(f"aeviz: {run.data.note}", DONE)
        try:
            run.save(*chosen.out)
            if chosen.json:
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
    base, values = Settings() if chosen.preset is None else preset(chosen.preset), _typed(chosen)
    settings = base.replace(**values)
    clean_data(settings)  # whether there are any
    return settings, Settings().changed(base) | values


def _typed(chosen: argparse.Namespace) -> dict[str, Any]:
    """Settings that were given by name."""
    typed = {name: value for name, value in vars(chosen).items() if name in SPECS and value is not None}
    return {
        name: value if isinstance(value, bool) else SPECS[name].parsed(value) for name, value in typed.items()
    }


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
