"""What the documentation says of the package's rooms is what the tests of the house rules hold."""

from __future__ import annotations

import importlib.util
import re
import sys

import pytest

from ..house_rules import test_ladder
from ..house_rules.package import PACKAGE, ROOT


@pytest.fixture
def room_rows(monkeypatch: pytest.MonkeyPatch):
    path = ROOT / "docs" / "_ext" / "room_rows.py"
    spec = importlib.util.spec_from_file_location("room_rows", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "room_rows", module)
    spec.loader.exec_module(module)
    return module


def test_contributing_has_the_rooms_as_they_are(room_rows) -> None:
    section = (ROOT / "CONTRIBUTING.md").read_text("utf-8").partition("## The ladder")[2].partition("\n## ")[0]
    (block,) = re.findall(r"^```\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    assert block == room_rows.as_text(), "print the lines again: python docs/_ext/room_rows.py"


def test_the_rooms_are_those_of_the_ladder(room_rows) -> None:
    rooms = room_rows.rooms()
    assert {room.name: room.places for room in rooms} == test_ladder.ROOMS
    assert {room.name: room.may_import for room in rooms} == test_ladder.MAY_IMPORT


def test_the_rooms_that_never_wait_are_told_from_those_that_do(room_rows) -> None:
    waits = {room.name: room.waits for room in room_rows.rooms()}
    assert not any(waits[name] for name in ("zmtp", "_pipes", "_patterns"))
    assert all(waits[name] for name in ("_transports", "_connections", "_sockets"))


def test_a_planted_wait_is_seen(room_rows, monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    (tmp_path / "zmtp").mkdir()
    (tmp_path / "zmtp" / "__init__.py").write_text('"""A room. It has a door."""\n')
    monkeypatch.setattr(room_rows, "PACKAGE", tmp_path)
    assert not room_rows._waits(["zmtp"])
    assert room_rows._first_sentence("zmtp") == "A room."
    (tmp_path / "zmtp" / "_deep.py").write_text("async def f(): ...\n")
    assert room_rows._waits(["zmtp"])


def test_the_page_has_the_table_and_a_picture_with_every_room() -> None:
    page = (ROOT / "docs" / "explanation" / "design.rst").read_text("utf-8")
    assert ".. room-table::" in page
    picture = re.search(r"^\.\. code-block:: text\n\n((?:   .*\n|\n)+)", page, re.MULTILINE)
    assert picture is not None
    drawn = set(re.findall(r"\w+", picture[1]))
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir() and (path / "__init__.py").is_file()}
    assert folders <= drawn
