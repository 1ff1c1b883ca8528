"""The page that follows a message through the code names functions that there are."""

from __future__ import annotations

import ast
import functools
import re

import pytest

from ..house_rules.package import PACKAGE, ROOT, files

PAGE = (ROOT / "docs" / "explanation" / "message-path.rst").read_text("utf-8")
PICTURES = re.findall(r"^\.\. code-block:: text\n\n((?:   .*\n|\n)+)", PAGE, re.MULTILINE)
METHOD = r"\b([A-Z]\w+\.[a-z_]\w*)\b"
MARKED = "# On the path of"


@functools.cache
def functions() -> dict[str, tuple[str, bool]]:
    """Every function and method: the room that it is in, and whether it is marked as on the path."""
    found = {}
    for name, path in files(PACKAGE).items():
        source = path.read_text("utf-8")
        lines = source.splitlines()
        for node in ast.parse(source).body:
            members = node.body if isinstance(node, ast.ClassDef) else [node]
            for member in members:
                if isinstance(member, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    first = min([member.lineno, *(one.lineno for one in member.decorator_list)])
                    label = f"{node.name}.{member.name}" if isinstance(node, ast.ClassDef) else member.name
                    marked = lines[first - 2].strip().startswith(MARKED)
                    found[label] = (name.partition(".")[0], marked)
    return found


@pytest.mark.parametrize("named", sorted({*re.findall(f"``{METHOD}``", PAGE), *re.findall(METHOD, "".join(PICTURES))}))
def test_a_function_that_the_page_names_is_there(named: str) -> None:
    assert named in functions()


def test_the_functions_of_the_table_are_on_the_path_and_in_their_rooms() -> None:
    table = PAGE.partition("In the code\n---")[2].partition(".. _why-deques:")[0]
    known = functions()
    rows = re.findall(r"\* - .*? in ``(\w+)``\n     - (.*)\n     - (.*)\n", table)
    assert len(rows) == 6
    for room, out, back in rows:
        for named in re.findall(r"``([\w.]+)``", out + back):
            assert known[named][0] == room, named
    not_marked = [name for name in re.findall(r"``(\w+\.\w+)``", table) if not known[name][1]]
    assert not_marked == []
