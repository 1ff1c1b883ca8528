"""Pipes by routing id."""

from __future__ import annotations

import random
from typing import Any

import pytest

from triomq._patterns._directory import Directory

from .fakes import FakePipe


class Dice(random.Random):
    """Begins where the test says."""

    def __init__(self, start: int) -> None:
        super().__init__()
        self._start = start

    def getrandbits(self, k: int, /) -> int:
        assert k == 32
        return self._start


@pytest.fixture
def directory() -> Directory:
    return Directory(random.Random(1))


def test_a_pipe_is_found_by_its_id_and_knows_it(directory: Directory) -> None:
    pipe = FakePipe()
    assert directory.get(b"a") is None
    directory.add(b"a", pipe)
    assert directory.get(b"a") is pipe
    assert pipe.routing_id == b"a"


def test_a_pipe_replaces_one_of_the_same_id(directory: Directory) -> None:
    old, new = FakePipe(), FakePipe()
    directory.add(b"a", old)
    directory.add(b"a", new)
    assert directory.get(b"a") is new


def test_a_replaced_pipe_does_not_take_its_successor_with_it(directory: Directory) -> None:
    old, new = FakePipe(), FakePipe()
    directory.add(b"a", old)
    directory.add(b"a", new)
    directory.remove(old)
    assert directory.get(b"a") is new
    directory.remove(new)
    assert directory.get(b"a") is None


def test_striking_out_a_pipe_that_was_never_entered_changes_nothing(directory: Directory) -> None:
    pipe: Any = FakePipe()
    directory.add(b"", FakePipe())
    pipe.routing_id = b"a"
    directory.remove(pipe)
    assert directory.get(b"") is not None


@pytest.mark.parametrize(
    ("start", "ids"),
    [
        (0, ["0000000001", "0000000002", "0000000003"]),
        (0x01020304, ["0001020305", "0001020306", "0001020307"]),
        (0xFFFFFFFE, ["00ffffffff", "0000000000", "0000000001"]),
    ],
)
def test_made_ids_are_a_zero_and_a_count_from_a_random_start(start: int, ids: list[str]) -> None:
    directory = Directory(Dice(start))
    assert [directory.new_id().hex() for _ in ids] == ids


def test_a_made_id_passes_over_those_in_use() -> None:
    directory = Directory(Dice(7))
    for number in (8, 9):
        directory.add(b"\0" + number.to_bytes(4, "big"), FakePipe())
    assert directory.new_id() == b"\0\0\0\0\x0a"
