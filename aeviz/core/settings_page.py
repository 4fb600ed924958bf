"""The settings table as Markdown; ``python -m aeviz.core.settings_page README.md`` puts it into a file."""

from __future__ import annotations

import sys
from pathlib import Path

from aeviz.core.settings import TABLE

BEGIN, END = (
    "<!-- settings: made by python -m aeviz.core.settings_page README.md -->\n",
    "<!-- end of settings -->",
)


def markdown() -> str:
    """One row for each setting, in the table's own order."""
    rows = [
        "| Setting | Option | Default | Range | Acts | What it does |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for spec in TABLE:
        label = f"{spec.label} {spec.symbol}".strip()
        choices = spec.range.replace("|", "\\|")
        acts = {"live": "live", "rebuild": "new run", "view": "drawing"}[spec.applies]
        default = spec.text(spec.default) or "none"
        rows.append(f"| {label} | `{spec.option}` | {default} | {choices} | {acts} | {spec.help} |")
    return "\n".join(rows) + "\n"


def replaced(text: str) -> str:
    """Return a page with its settings table brought up to date."""
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    return before + BEGIN + markdown() + END + after


if __name__ == "__main__":
    page = Path(sys.argv[1])
    page.write_text(replaced(page.read_text(encoding="utf-8")), encoding="utf-8")
