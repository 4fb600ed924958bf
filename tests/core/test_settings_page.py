"""The settings table as Markdown, and the README's copy of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from aeviz.core.setting import Spec
from aeviz.core.settings import TABLE
from aeviz.core.settings_page import BEGIN, END, markdown, replaced

README = Path(__file__).parents[2] / "README.md"


def test_every_setting_has_one_row_of_six_cells() -> None:
    head, rule, *rows = markdown().splitlines()
    assert head.count("|") == rule.count("|") == 7
    assert len(rows) == len(TABLE)
    assert all(row.count("|") - row.count("\\|") == 7 for row in rows)


@pytest.mark.parametrize("spec", TABLE, ids=lambda spec: spec.name)
def test_a_row_says_what_the_table_says(spec: Spec) -> None:
    row = markdown().splitlines()[2 + TABLE.index(spec)]
    for words in (spec.label, f"`{spec.option}`", spec.text(spec.default), spec.range, spec.help):
        assert words in row


def test_only_what_is_between_the_marks_is_replaced() -> None:
    page = f"before\n{BEGIN}| old |\n{END}\nafter\n"
    assert replaced(page) == f"before\n{BEGIN}{markdown()}{END}\nafter\n"
    assert replaced(replaced(page)) == replaced(page)


def test_the_readmes_table_is_up_to_date() -> None:
    text = README.read_text(encoding="utf-8")
    assert replaced(text) == text
