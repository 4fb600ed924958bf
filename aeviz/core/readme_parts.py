"""The README's tables; ``python -m aeviz.core.readme_parts README.md`` brings them up to date."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

from aeviz.core import network_file
from aeviz.core.presets import load_preset, preset_names
from aeviz.core.settings import TABLE

_COLUMNS = 4


def settings() -> str:
    """One row for each setting, in the table's own order."""
    rows = [
        "| Setting | Option | Default | Range | Acts | What it does |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for spec in TABLE:
        choices = spec.range.replace("|", "\\|")
        acts = {"live": "live", "rebuild": "new run", "view": "drawing"}[spec.applies]
        default = spec.text(spec.default) or "none"
        rows.append(f"| {spec.title} | `{spec.option}` | {default} | {choices} | {acts} | {spec.help} |")
    return "\n".join(rows) + "\n"


def lessons() -> str:
    """One cell for each lesson, in the order of the story: its picture, and what it teaches."""
    cells = []
    for number, name in enumerate(preset_names(), 1):
        preset = load_preset(name)
        picture = f'<img src="resources/presets/{name}.png" alt="{preset.title}">'
        words = f"<b>{number} · {preset.title}</b><br>{preset.lesson}<br><code>--preset {name}</code>"
        cells.append(f'<td width="25%" valign="top">{picture}<br>{words}</td>')
    rows = ["\n".join(cells[start : start + _COLUMNS]) for start in range(0, len(cells), _COLUMNS)]
    return "<table>\n" + "\n".join(f"<tr>\n{row}\n</tr>" for row in rows) + "\n</table>\n"


def loader() -> str:
    """The lines that load a network's file without aeviz, which stand in its module's own words."""
    lines = (network_file.__doc__ or "").splitlines()
    first = next(index for index, line in enumerate(lines) if line.startswith("    "))
    return "```python\n" + textwrap.dedent("\n".join(lines[first:])).strip() + "\n```\n"


PARTS: dict[str, Callable[[], str]] = {"settings": settings, "lessons": lessons, "loader": loader}


def marks(part: str) -> tuple[str, str]:
    """What stands before and after a part in the README."""
    return (
        f"<!-- {part}: made by python -m aeviz.core.readme_parts README.md -->\n",
        f"<!-- end of {part} -->",
    )


def replaced(text: str) -> str:
    """Return a page with its parts brought up to date."""
    for part, make in PARTS.items():
        begin, end = marks(part)
        before, rest = text.split(begin)
        _, after = rest.split(end)
        text = before + begin + make() + end + after
    return text


if __name__ == "__main__":
    page = Path(sys.argv[1])
    page.write_text(replaced(page.read_text(encoding="utf-8")), encoding="utf-8")
