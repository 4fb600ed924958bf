"""The tables of settings and lessons, and the README's copies of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from aeviz.core.presets import FOLDER, load_preset, preset_names
from aeviz.core.readme_parts import PARTS, lessons, marks, replaced, settings
from aeviz.core.setting import Spec
from aeviz.core.settings import TABLE

README = Path(__file__).parents[2] / "README.md"


def test_every_setting_has_one_row_of_six_cells() -> None:
    head, rule, *rows = settings().splitlines()
    assert head.count("|") == rule.count("|") == 7
    assert len(rows) == len(TABLE)
    assert all(row.count("|") - row.count("\\|") == 7 for row in rows)


@pytest.mark.parametrize("spec", TABLE, ids=lambda spec: spec.name)
def test_a_row_says_what_the_table_says(spec: Spec) -> None:
    row = settings().splitlines()[2 + TABLE.index(spec)]
    for words in (spec.label, f"`{spec.option}`", spec.text(spec.default), spec.range, spec.help):
        assert words in row


@pytest.mark.parametrize("name", preset_names())
def test_every_lesson_has_a_cell_with_a_picture_that_is_there(name: str) -> None:
    (cell,) = (line for line in lessons().splitlines() if f"--preset {name}<" in line)
    assert load_preset(name).title in cell
    assert load_preset(name).lesson in cell
    assert f"resources/presets/{name}.png" in cell
    assert (FOLDER / f"{name}.png").is_file()


def test_the_lessons_stand_in_rows_of_four() -> None:
    rows = lessons().split("<tr>")[1:]
    assert [row.count("<td") for row in rows[:-1]] == [4] * (len(rows) - 1)
    assert sum(row.count("<td") for row in rows) == len(preset_names())


def test_only_what_is_between_the_marks_is_replaced() -> None:
    page = "before\n" + "between\n".join("old\n".join(marks(part)) for part in PARTS) + "\nafter\n"
    new = (
        "before\n" + "between\n".join(make().join(marks(part)) for part, make in PARTS.items()) + "\nafter\n"
    )
    assert replaced(page) == new
    assert replaced(new) == new


def test_the_readmes_tables_are_up_to_date() -> None:
    text = README.read_text(encoding="utf-8")
    assert replaced(text) == text
