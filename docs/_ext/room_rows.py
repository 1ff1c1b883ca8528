"""The rooms of the package, as the tests of the house rules have them: ``python docs/_ext/room_rows.py`` prints them.

What a room may import stands in the tables of ``tests/house_rules/test_ladder.py``. The first sentence of its package's
docstring says what a room is. Whether a room waits is found in its code.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "triomq"
LADDER = ROOT / "tests" / "house_rules" / "test_ladder.py"

# Rooms without a folder of their own.
ABOUT = {
    "face": "The public names.",
    "nouns": "What a user can name: errors, messages, options, statistics, events.",
}


class Room(NamedTuple):
    name: str
    about: str
    places: list[str]
    waits: bool
    may_import: list[str]


def rooms() -> list[Room]:
    """From the top of the ladder down."""
    places, may_import = _table("ROOMS"), _table("MAY_IMPORT")
    return [
        Room(name, ABOUT.get(name) or _first_sentence(places[name][0]), places[name], _waits(places[name]), allowed)
        for name, allowed in may_import.items()
    ]


def as_text() -> str:
    """The rooms as lines of text, for CONTRIBUTING.md."""
    return "".join(
        f"{room.name:<13} {'waits' if room.waits else 'never':<6} {room.about.replace('`', '').rstrip('.')}\n"
        for room in rooms()
    )


def as_cells() -> list[list[str]]:
    """The rooms as rows of a table in reStructuredText."""
    return [
        [
            ", ".join(f"``{place}``" for place in room.places),
            room.about,
            "yes" if room.waits else "never",
            ", ".join(f"``{other}``" for other in room.may_import) or "–",
        ]
        for room in rooms()
    ]


def _table(name: str) -> dict[str, Any]:
    for node in ast.parse(LADDER.read_text("utf-8")).body:
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == name and node.value is not None:
            table: dict[str, Any] = ast.literal_eval(node.value)
            return table
    raise LookupError(f"{LADDER.name} has no table {name}")


def _modules(place: str) -> list[Path]:
    folder = PACKAGE / place
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]


def _first_sentence(place: str) -> str:
    folder = PACKAGE / place
    module = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
    line = (ast.get_docstring(ast.parse(module.read_text("utf-8"))) or "").partition("\n")[0]
    return line.partition(". ")[0].rstrip(".") + "."


def _waits(places: list[str]) -> bool:
    return any(
        isinstance(node, ast.AsyncFunctionDef)
        for place in places
        for module in _modules(place)
        for node in ast.walk(ast.parse(module.read_text("utf-8")))
    )


if __name__ == "__main__":
    print(as_text(), end="")
