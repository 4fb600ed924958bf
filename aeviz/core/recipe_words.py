"""A recipe in words: the command, and the script, that make its figure again."""

from __future__ import annotations

import shlex
from typing import Any

from aeviz.core.provenance import shareable
from aeviz.core.recipe import Recipe
from aeviz.core.settings import DEFAULTS, SPECS


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
    for epoch, changed in recipe.changes_by_name.items():
        told = [f"{SPECS[name].option[2:]}={SPECS[name].text(value)}" for name, value in changed.items()]
        words += ["--change", f"{epoch}:{','.join(told)}"]
    return " ".join(map(shlex.quote, words))


def python_of(recipe: Recipe, out: str = "field.png") -> str:
    """The script that writes the figure."""
    given = ", ".join(f"{name}={value!r}" for name, value in _given(recipe).items())
    changes = recipe.changes_by_name
    then = f", changes={changes!r}" if changes else ""
    save = f"run.save({out!r}" + (")" if recipe.epoch else ", epoch=0)")
    return (
        "import aeviz\n\n"
        f"settings = aeviz.Settings({given})\n"
        f"with aeviz.train(settings, epochs={max(1, recipe.epoch)}{then}) as run:\n"
        f"    {save}\n"
    )


def _given(recipe: Recipe) -> dict[str, Any]:
    """What is not as usual when the run begins."""
    origin = shareable(recipe.origin.drawn_as(recipe.settings))
    return {name: value for name, value in DEFAULTS.changed(origin).items() if name != "epochs"}
