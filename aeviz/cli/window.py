"""``aeviz [FILE]``: the window."""

from __future__ import annotations

import argparse
from pathlib import Path

from aeviz.cli.options import REFUSED, Parser, Refused, add_settings, manual, parsed, say, settings_of, typed
from aeviz.core.data_file import SUFFIXES
from aeviz.core.files import RUN, FileError
from aeviz.core.recipe import Recipe
from aeviz.core.recipe_files import SUFFIXES as RECIPES
from aeviz.core.recipe_files import opened
from aeviz.core.setting import nearest
from aeviz.core.settings import DEFAULTS
from aeviz.figure.qt import require_qt
from aeviz.runs import with_view
from aeviz.version import __version__


def window_parser() -> Parser:
    """Its options."""
    parser = Parser(
        prog="aeviz", usage="aeviz [FILE] [options]\n       aeviz COMMAND …", allow_abbrev=False,
        **manual(
            "Watch a two-dimensional denoising autoencoder learn.",
            """
            FILE is a run (.aeviz), a figure or film that aeviz made, whose run is then brought back, or a
            file of points of your own (.csv, .tsv, .txt, .npy).

            Commands, each with its own --help: render writes figures, data and films without a window; sweep
            runs many settings and makes one table; presets lists what there is to start from; completion
            completes commands in a shell.
            """,
            {
                "aeviz": "train on a spiral",
                "aeviz --preset lecture-2021": "begin with a lesson",
                "aeviz field.png": "bring back what made this figure",
                "aeviz lecture.aeviz --theme light": "go on with a run, drawn for a bright room",
                "aeviz points.csv --noise 0.1": "train on points of your own",
            },
        ),
    )  # fmt: skip
    parser.add_argument("--version", action="version", version=f"aeviz {__version__}")
    add_settings(parser, files=False)
    return parser


def window(words: list[str], commands: tuple[str, ...]) -> int:
    """Open the window on settings, a file of points or a run file; `commands` are the other things to do."""
    parser = window_parser()
    parser.add_argument("file", nargs="?", help=argparse.SUPPRESS)  # which is told above
    if words and not words[0].startswith("-"):
        _check_name(words[0], commands)
    chosen = parsed(parser, words)
    if chosen.file is not None:
        _check_name(chosen.file, commands)
        if chosen.file.lower().endswith((*RECIPES, RUN)):
            return _open(chosen)
        if chosen.data is not None:
            raise Refused(f"{chosen.file} and --data name two kinds of data: leave one of them out")
        chosen.data = chosen.file
    settings, given = settings_of(chosen)
    if settings.is_from_file:  # a run that begins anew reads it again, wherever its name came from
        settings = settings.replace(data=str(Path(settings.data).absolute()))
    require_qt(screen=True)
    from aeviz.app.main import open_window  # Qt is imported only once it is known to start

    return open_window(settings, theme_given="theme" in given, lesson=chosen.preset)


def _check_name(word: str, commands: tuple[str, ...]) -> None:
    """Whether a word is the name of a file that can be opened."""
    if not word.lower().endswith((*SUFFIXES, *RECIPES, RUN)):
        known = (
            f"{', '.join(commands)}, run files ({RUN}), figures that aeviz made ({', '.join(RECIPES)}) "
            f"and files of points ({', '.join(SUFFIXES)})"
        )
        raise Refused(f"there is no command {word!r}{nearest(word, commands)}; there are {known}")


def _open(chosen: argparse.Namespace) -> int:
    """Open a run file, or the run of a figure, in the window; what is drawn of it may be said."""
    if chosen.preset is not None:
        raise Refused(f"--preset and {chosen.file} both say what the run is: leave one of them out")
    path, changes = Path(chosen.file), typed(chosen)
    try:
        found = opened(path)
        if isinstance(found, Recipe):
            found.history()  # whether there are its points
    except FileError as error:
        return say(f"aeviz: {error}", REFUSED)
    view = found.settings if isinstance(found, Recipe) else found.view
    with_view(view, changes, path)  # which refuses what belongs to the run
    require_qt(screen=True)
    from aeviz.app.main import open_window

    # Until it is shown, the window has points that are there: the run brings its own.
    settings = view.on_screen().replace(data=DEFAULTS.data)
    return open_window(settings, theme_given=True, opened=(path, found), changes=changes)
