"""Sending to the peer that a message names."""

from __future__ import annotations

import random

from triomq._patterns import Directory

from .pipes import Owner


def test_a_pipe_is_found_by_its_id_until_it_is_struck_out() -> None:
    directory = Directory(random.Random(1))
    pipe = Owner().pipe()
    directory.add(b"name", pipe)
    assert directory.get(b"name") is pipe
    assert pipe.routing_id == b"name"
    directory.remove(pipe)
    directory.remove(pipe)
    assert directory.get(b"name") is None


def test_who_was_replaced_cannot_strike_out_the_next_of_its_name() -> None:
    directory = Directory(random.Random(1))
    first, second = Owner().pipe(), Owner().pipe()
    directory.add(b"name", first)
    directory.add(b"name", second)
    directory.remove(first)
    assert directory.get(b"name") is second


def test_an_id_of_ours_begins_with_zero_and_is_nobody_elses() -> None:
    directory = Directory(random.Random(1))
    ids = []
    for _ in range(1000):
        ids.append(directory.new_id())
        directory.add(ids[-1], Owner().pipe())
    assert len(set(ids)) == 1000
    assert all(len(one) == 5 and one[0] == 0 for one in ids)


def test_an_id_that_is_taken_is_passed_over_and_counting_starts_over() -> None:
    class Last(random.Random):
        def getrandbits(self, k: int, /) -> int:
            return (1 << k) - 2

    directory = Directory(Last())
    directory.add(b"\0\xff\xff\xff\xff", Owner().pipe())
    assert directory.new_id() == b"\0\0\0\0\0"
    assert Directory(Last()).new_id() == b"\0\xff\xff\xff\xff"
    assert Directory(random.Random(1)).new_id() != Directory(random.Random(2)).new_id()
