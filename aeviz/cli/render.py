"""``aeviz render``: figures without a window."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

from aeviz.cli.options import (
    DONE,
    FAILED,
    REFUSED,
    Parser,
    Refused,
    add_settings,
    parsed,
    say,
    settings_of,
    typed,
)
from aeviz.core.files import PICTURES, FileError, check_target
from aeviz.figure.qt import require_qt
from aeviz.run import Run, TrainingError, load, train


def render(words: list[str]) -> int:
    """Train without a window and write files; returns the exit code."""
    parser = Parser(
        prog="aeviz render",
        description="Train without a window and write the field: png, svg, pdf or npz by extension.",
        allow_abbrev=False,
    )
    parser.add_argument("out", nargs="+", type=Path, metavar="OUT", help="files to write")
    parser.add_argument("--json", action="store_true", help="print the run's numbers as one JSON object")
    parser.add_argument("--from", dest="file", metavar="FILE", help="take the run from a run file (.aeviz)")
    parser.add_argument("--epoch", type=int, metavar="N", help="with --from: show this epoch, as it was")
    add_settings(parser)
    chosen = parsed(parser, words)
    if chosen.file is None and chosen.epoch is not None:
        raise Refused("--epoch is one of a run that is there: name its file with --from, or give --epochs")
    if chosen.file is not None and chosen.preset is not None:
        raise Refused("--preset and --from both say what the run is: leave one of them out")
    try:
        suffixes = {check_target(path) for path in chosen.out}
    except FileError as error:
        return say(f"aeviz: {error}", REFUSED)
    if suffixes & set(PICTURES):
        require_qt(screen=False)
    if chosen.file is None:
        settings, _ = settings_of(chosen)
        return _write(lambda progress: train(settings, progress=progress), settings.epochs, chosen)
    changes = typed(chosen)

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
            return say(f"aeviz: {error}", FAILED if isinstance(error, TrainingError) else REFUSED)
    with run:
        if run.data.note:
            say(f"aeviz: {run.data.note}", DONE)
        try:
            run.save(*chosen.out)
            if chosen.json:
                print(json.dumps(run.metrics().to_json()))  # noqa: T201
        except (FileError, TrainingError) as error:
            return say(f"aeviz: {error}", FAILED)
    return DONE
