"""``aeviz render``: figures, data and films without a window."""

from __future__ import annotations

import argparse
import importlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aeviz.cli.options import (
    DONE,
    FAILED,
    REFUSED,
    Parser,
    Refused,
    add_settings,
    manual,
    parsed,
    progress_bar,
    say,
    settings_of,
    typed,
)
from aeviz.core.clean_data import clean_data
from aeviz.core.files import FILMS, PICTURES, FileError, check_target
from aeviz.core.recipe import Recipe
from aeviz.core.recipe_files import SUFFIXES as RECIPES
from aeviz.core.recipe_files import recipe_in
from aeviz.core.settings import SPECS, Settings
from aeviz.core.settings_file import named_value
from aeviz.figure.qt import require_qt
from aeviz.panels import Panels, panels_of, picture_suffix, trained_panels
from aeviz.run import Run, TrainingError
from aeviz.runs import train, unpacked, with_view

_LISTED = ("noise", "epochs")  # of which there may be several values, with commas between
_Tell = Callable[..., object]


def render(words: list[str]) -> int:
    """Train without a window and write files; returns the exit code."""
    chosen = parsed(render_parser(), words)
    listed = _listed(chosen)
    if chosen.file is None and chosen.epoch is not None:
        raise Refused("--epoch is one of a run that is there: name its file with --from, or give --epochs")
    if chosen.file is not None and (chosen.preset is not None or chosen.change):
        option = "--preset" if chosen.preset is not None else "--change"
        raise Refused(f"{option} and --from both say what the run is: leave one of them out")
    try:
        suffixes = {check_target(path) for path in chosen.out}
        if suffixes & {*PICTURES, *FILMS}:
            require_qt(screen=False)
        if chosen.file is not None:
            return _from_file(chosen, listed)
        return _panels(chosen, listed) if listed else _trained(chosen)
    except FileError as error:
        return say(f"aeviz: {error}", REFUSED)
    except TrainingError as error:
        return say(f"aeviz: {error}", FAILED)


def render_parser() -> Parser:
    """The command's options."""
    parser = Parser(
        prog="aeviz render", usage="aeviz render OUT… [--from FILE] [options]", allow_abbrev=False, **manual(
            "Train without a window, and write what is asked for.",
            """
            The end of a name says what is written: png, svg and pdf are figures of the field; npz is the
            field with all that belongs to it, csv the field as a table; .losses.csv and .points.csv are
            tables of the losses and the points; safetensors and onnx are the network; mp4 and gif are films;
            aeviz is the whole run.

            Several values of --noise, of --epochs or of both, with commas between, make a figure of several
            panels on one scale.

            Every figure, MP4 film and npz carries its recipe: --from makes the same again.
            """,
            {
                "aeviz render field.png field.npz --noise 0.3": "a figure and its numbers",
                "aeviz render grid.pdf --noise 0.1,0.25,0.5 --epochs 10,100,1000 --page full-width":
                    "nine panels, as wide as a printed page",
                "aeviz render again.svg --from field.png --theme light": "the same field, drawn for paper",
                "aeviz render film.mp4 --duration 10": "the training as a film",
            },
        ),
    )  # fmt: skip
    add = parser.add_argument
    add("out", nargs="+", type=Path, metavar="OUT", help="files to write; their ends say what they are")
    add("--json", action="store_true", help="print the run's numbers as one JSON object")
    add(
        "--from", dest="file", type=Path, metavar="FILE",
        help="take the run from a run file (.aeviz), or make that of a figure, film or npz again",
    )  # fmt: skip
    add("--epoch", type=int, metavar="N", help="with --from: show this epoch, as it was")
    add(
        "--change", action="append", default=[], metavar="EPOCH:NAME=VALUE,…",
        help="change settings after an epoch, while it trains; may be given several times",
    )  # fmt: skip
    add_settings(parser)
    return parser


def _listed(chosen: argparse.Namespace) -> dict[str, tuple[Any, ...]]:
    """Settings of which several values are given; they are taken out of the arguments."""
    listed: dict[str, tuple[Any, ...]] = {}
    for name in _LISTED:
        text = getattr(chosen, name)
        values = [part.strip() for part in (text or "").split(",")]
        if len(values) > 1 or (name == "epochs" and values == ["0"] and "noise" in listed):
            listed[name] = tuple(0 if (name, v) == ("epochs", "0") else SPECS[name].parsed(v) for v in values)
            setattr(chosen, name, None)
    return listed


def _planned(chosen: argparse.Namespace) -> dict[int, dict[str, Any]]:
    """Changes while it trains, by the epoch after which they hold."""
    planned: dict[int, dict[str, Any]] = {}
    for text in chosen.change:
        epoch, colon, values = text.partition(":")
        if not colon or not epoch.strip().isdecimal():
            raise Refused(f"--change {text}: write the epoch, a colon and settings: 100:noise=0.3")
        planned.setdefault(int(epoch), {}).update(map(named_value, values.split(",")))
    return planned


def _trained(chosen: argparse.Namespace) -> int:
    epoch = 0 if chosen.epochs == "0" else None
    chosen.epochs = "1" if epoch == 0 else chosen.epochs  # a run has one at least, and that before it
    if epoch == 0 and chosen.json:
        raise Refused("--json prints the numbers of a run that was trained: give --epochs at least 1")
    settings, _ = settings_of(chosen)
    films = [path for path in chosen.out if path.suffix.lower() in FILMS]
    if films and settings.film == "noise":
        from aeviz.film import noise_film

        rest = [path for path in chosen.out if path not in films]
        if chosen.change or (chosen.json and not rest):
            option = "--change" if chosen.change else "--json"
            raise Refused(f"{option} is about one run, and a film over the noise has many: leave it out")
        with _bar(None, "picture") as tell:
            for path in films:
                noise_film(settings, path, tell)
        if not rest:
            return DONE
        chosen.out = rest
    pictured = any(path.suffix.lower() in PICTURES for path in chosen.out)
    with _bar(settings.epochs) as tell:

        def look(epoch: int) -> None:
            if pictured:  # this process only waits while the others train: Qt takes a third of a second
                importlib.import_module("aeviz.figure.export")
            tell(epoch)

        run = train(settings, changes=_planned(chosen), progress=look)
    return _write(run, chosen, epoch)


def _from_file(chosen: argparse.Namespace, listed: dict[str, tuple[Any, ...]]) -> int:
    """Show the run of a run file or a figure: as the figure did, or as it is asked for."""
    if "noise" in listed:
        raise Refused(f"--noise belongs to the run in {chosen.file}, which is trained: leave it out")
    recipe = recipe_in(chosen.file) if chosen.file.suffix.lower() in RECIPES else None
    shown = dict(recipe.panels) if recipe is not None and chosen.epoch is None else {}
    changes = typed(chosen)
    if "epochs" in changes:
        shown.pop("epochs", None)
    shown |= listed
    if recipe is not None and "noise" in shown:
        settings = with_view(recipe.origin.shown_as(recipe.settings), changes, chosen.file)
        return _panels(chosen, shown, settings, recipe)
    if "epochs" in shown:
        if chosen.epoch is not None:
            raise Refused("--epoch and --epochs both say what is shown: leave one of them out")
        return _taken_up(chosen, changes, shown["epochs"])
    return _taken_up(chosen, changes)


def _taken_up(chosen: argparse.Namespace, changes: dict[str, Any], epochs: Sequence[Any] = ()) -> int:
    """Write a run that is there; with `epochs`, a figure of several panels."""
    if epochs:
        _check_panels(chosen)
    run = unpacked(chosen.file, chosen.epoch, least=max(epochs, default=0), **changes)
    try:
        with _bar(changes.get("epochs", run.history.current.plan.until) or None) as tell:
            run.arrive(tell)
            if "epochs" in changes or run.history.current.epoch < max(epochs, default=0):
                run.train(tell)
    except BaseException:
        run.close()
        raise
    if not epochs:
        return _write(run, chosen)
    with run:
        return _save_panels(panels_of(run, epochs), chosen)


def _write(run: Run, chosen: argparse.Namespace, epoch: int | None = None) -> int:
    with run:
        if run.data.note:
            say(f"aeviz: {run.data.note}", DONE)
        films = [path for path in chosen.out if path.suffix.lower() in FILMS]
        try:
            run.save(*(path for path in chosen.out if path not in films), epoch=epoch)
            for path in films:
                from aeviz.film import film, noise_film  # with it the library of encoders, which is large

                with _bar(None, "picture") as tell:
                    if run.settings.film == "noise":
                        noise_film(run.settings, path, tell, data=run.data)
                    else:
                        film(run, path, tell)
            if chosen.json:
                print(json.dumps(run.metrics().to_json()))  # noqa: T201
        except FileError as error:
            return say(f"aeviz: {error}", FAILED)
    return DONE


def _panels(
    chosen: argparse.Namespace, shown: Mapping[str, tuple[Any, ...]], settings: Settings | None = None,
    recipe: Recipe | None = None,
) -> int:  # fmt: skip
    """Train what a figure of several panels shows, from settings and the recipe of such a figure perhaps."""
    _check_panels(chosen)
    settings = settings or settings_of(chosen)[0]
    data = recipe.clean_data() if recipe is not None else clean_data(settings)
    changes = recipe.changes_by_name if recipe is not None else _planned(chosen)
    runs, last = len(shown.get("noise", (0,))), max(1, *shown.get("epochs", (settings.epochs,)))
    with _bar(runs * last) as tell:
        panels = trained_panels(settings, data, changes, shown, tell)
    return _save_panels(panels, chosen)


def _check_panels(chosen: argparse.Namespace) -> None:
    for path in chosen.out:
        picture_suffix(path)
    if chosen.json:
        raise Refused("--json prints the numbers of one run: give one --noise and one of --epochs")


def _save_panels(panels: Panels, chosen: argparse.Namespace) -> int:
    try:
        panels.save(*chosen.out)
    except FileError as error:
        return say(f"aeviz: {error}", FAILED)
    return DONE


@contextmanager
def _bar(total: int | None, unit: str = "epoch") -> Iterator[_Tell]:
    """A bar of the progress on stderr, where that is a terminal; it is told how much is done."""
    with progress_bar(total=total, unit=unit) as bar:

        def tell(done: int, all_of_them: int | None = None) -> None:
            bar.total = all_of_them or bar.total
            bar.update(done - bar.n)

        yield tell
