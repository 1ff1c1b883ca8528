"""The page on the guide's second chapter has every row, and what it names is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "explanation" / "guide-chapter-2.rst").read_text(encoding="utf-8")
ROWS = {
    "A": 16, "B": 13, "C": 23, "D": 9, "E": 16, "F": 7, "G": 21, "H": 15, "I": 24, "J": 7, "K": 10, "L": 25, "M": 21,
    "N": 8, "O": 4, "P": 7, "Q": 11, "R": 2,
}  # fmt: skip
"""How many rows each section of the chapter has."""


def test_every_row_is_there_once_and_in_order():
    found = re.findall(r"^   \* - ([A-R]\d+)$", PAGE, re.MULTILINE)
    assert found == [f"{section}{number}" for section, count in ROWS.items() for number in range(1, count + 1)]


def test_the_summary_names_the_rows_that_are_not_met():
    rows = re.findall(r"^   \* - ([A-R]\d+)\n     - .*\n     - (.)$", PAGE, re.MULTILINE)
    for mark, words in (("✗", "not there"), ("◐", "there in part")):
        (summary,) = re.findall(rf"^   \* - {mark}\n     - (.*): {words}$", PAGE, re.MULTILINE)
        assert summary.split(", ") == [row for row, its in rows if its == mark]


def test_every_file_that_it_names_is_there():
    named = re.findall(r"``((?:tests|examples)/[\w/.]+)``", PAGE)
    assert len(named) > 50
    assert [path for path in named if not (ROOT / path).exists()] == []
