"""How numbers are written in the window and in figures; terminals and files have plain ones."""

from __future__ import annotations

THIN_SPACE = "\u2009"


def grouped(number: float) -> str:
    """A whole number, with a thin space after its thousands."""
    return f"{number:,.0f}".replace(",", THIN_SPACE)
