"""The map: which scenarios put which promise to the test."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path

from .promises import PROMISES

FEWEST = 80  # scenarios in all,
FEWEST_EACH = 4  # and of one promise


def scenarios() -> Iterator[tuple[str, set[int]]]:
    """Every function that is a scenario, with its promises."""
    for path in sorted(Path(__file__).parent.glob("test_p[0-9]*.py")):
        module = importlib.import_module(f".{path.stem}", __package__)
        for name, value in vars(module).items():
            if name.startswith("test_") and inspect.getmodule(value) is module:
                marks = [mark for mark in getattr(value, "pytestmark", []) if mark.name == "promise"]
                yield f"{path.stem}.{name}", {number for mark in marks for number in mark.args}


def test_every_promise_has_several_scenarios() -> None:
    found = dict(scenarios())
    assert len(found) >= FEWEST
    assert [name for name, promises in found.items() if not promises] == []
    each = {number: [name for name, promises in found.items() if number in promises] for number in PROMISES}
    assert {number: names for number, names in each.items() if len(names) < FEWEST_EACH} == {}


def test_a_scenario_stands_where_its_first_promise_says() -> None:
    assert [name for name, promises in scenarios() if int(name[6:].split("_")[0]) not in promises] == []
