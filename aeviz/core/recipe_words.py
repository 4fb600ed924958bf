"""A recipe in words: the command, and the script, that make its figure again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from aeviz.core.recipe import Recipe
from aeviz.core.settings import SPECS, Settings


def command_of(recipe: Recipe, out: str = "field.png") -> str:
    """The line for a shell that writes the figure; a file of points has to be where it is run."""
    words = ["aeviz", "render", out]
    for name, value in _given(recipe).items():
        spec = SPECS[name]
        if isinstance(value, bool):
            words.append(spec.option if value else spec.option.replace("--", "--no-", 1))
        else:
            words += [f"{spec.option}={spec.text(value)}"] if spec.text(value)[:1] == "-" else [
                spec.option, spec.text(value)
            ]  # fmt: skip
    words += ["--epochs", str(recipe.epoch)]
    for epoch, changed in _changes(recipe):
        told = [f"{SPECS[name].option[2:]}={SPECS[name].text(value)}" for name, value in changed.items()]
        words += ["--change", f"{epoch}:{','.join(told)}"]
    return " ".join(map(shlex.quote, words))


def python_of(recipe: Recipe, out: str = "field.png") -> str:
    """The script that writes the figure."""
    given = ", ".join(f"{name}={value!r}" for name, value in _given(recipe).items())
    changes = dict(_changes(recipe))
    then = f", changes={changes!r}" if changes else ""
    return (
        "import aeviz\n\n"
        f"settings = aeviz.Settings({given})\n"
        f"with aeviz.train(settings, epochs={recipe.epoch}{then}) as run:\n"
        f"    run.save({out!r})\n"
    )


def _given(recipe: Recipe) -> dict[str, Any]:
    """What is not as usual when the run begins."""
    origin = recipe.origin.drawn_as(recipe.settings)
    return {name: value for name, value in Settings().changed(origin).items() if name != "epochs"}


def _changes(recipe: Recipe) -> list[tuple[int, Mapping[str, Any]]]:
    before = recipe.origin
    found: list[tuple[int, Mapping[str, Any]]] = []
    for epoch, settings in recipe.changes:
        changed = before.changed(settings.drawn_as(before))
        changed.pop("epochs", None)
        if changed:
            found.append((epoch, changed))
        before = settings.drawn_as(before)
    return found
