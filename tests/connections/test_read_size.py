"""How many bytes to ask for in one read."""

from __future__ import annotations

import pytest

from triomq._connections._read_size import HEADER_SIZE, READ_SIZE, ReadSize

LARGE = 256 * 1024  # bytes; a body from this size on is read alone
MOST = 1024 * 1024  # bytes; the largest read


@pytest.mark.parametrize(
    ("missing", "sizes"),
    [
        # between messages, or in frames that are not large
        ([0], [READ_SIZE]),
        ([1, LARGE - 1, 0], [READ_SIZE] * 3),
        # a large body is asked for by itself, then a header
        ([LARGE, 0], [LARGE, HEADER_SIZE]),
        ([LARGE, 0, 0], [LARGE, HEADER_SIZE, READ_SIZE]),
        ([300_000, 0, 300_000, 0], [300_000, HEADER_SIZE, 300_000, HEADER_SIZE]),
        # the rest of a large body, however small
        ([LARGE, 10, 0], [LARGE, 10, HEADER_SIZE]),
        # not more than the largest read at once
        ([3 * MOST, 2 * MOST, MOST + 1, 1, 0], [MOST, MOST, MOST, 1, HEADER_SIZE]),
    ],
)
def test_what_is_asked_for_while_so_much_of_a_frame_is_missing(missing: list[int], sizes: list[int]) -> None:
    read_size = ReadSize()
    assert [read_size.choose(each) for each in missing] == sizes


@pytest.mark.parametrize(
    ("reads", "usual"),
    [
        ([], READ_SIZE),
        ([10], READ_SIZE),
        ([READ_SIZE], 2 * READ_SIZE),
        ([READ_SIZE, 2 * READ_SIZE], 4 * READ_SIZE),
        ([READ_SIZE, 2 * READ_SIZE, 10], READ_SIZE),
        ([READ_SIZE << doublings for doublings in range(4)], MOST),
        ([*(READ_SIZE << doublings for doublings in range(4)), MOST], MOST),
    ],
)
def test_reads_that_come_back_full_are_doubled_and_another_begins_again(reads: list[int], usual: int) -> None:
    read_size = ReadSize()
    for received in reads:
        read_size.note(received)
    assert read_size.usual == usual
    assert read_size.choose(0) == usual


def test_commands_make_reads_small_again() -> None:
    read_size = ReadSize()
    read_size.note(READ_SIZE)
    read_size.reset()
    assert read_size.usual == READ_SIZE


def test_it_is_large_from_a_large_body_to_the_header_behind_it() -> None:
    read_size = ReadSize()
    seen = []
    for missing in (0, LARGE, 5, 0, 0):
        read_size.choose(missing)
        seen.append(read_size.large)
    assert seen == [False, True, True, False, False]


def test_a_large_body_does_not_change_what_is_usual() -> None:
    read_size = ReadSize()
    read_size.note(READ_SIZE)
    read_size.choose(LARGE)
    read_size.choose(0)
    assert read_size.choose(0) == 2 * READ_SIZE
