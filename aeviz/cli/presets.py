"""``aeviz presets``: what there is to start from."""

from __future__ import annotations

from aeviz.cli.options import DONE, Parser, parsed
from aeviz.core.presets import load_preset, preset_names


def presets_parser() -> Parser:
    """The command's options."""
    return Parser(prog="aeviz presets", description="List the presets.", allow_abbrev=False)


def presets(words: list[str]) -> int:
    """List the presets; returns the exit code."""
    parsed(presets_parser(), words)
    for name in preset_names():
        print(f"{name:20}{load_preset(name).lesson}")  # noqa: T201
    return DONE
