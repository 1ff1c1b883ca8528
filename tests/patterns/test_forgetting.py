"""What a peer was subscribed to is forgotten in one go over the tree, and right."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any

import pytest

from triomq._patterns._subscriptions import Subscriptions, _shared_length


def topics_of(tree: Subscriptions[Any]) -> set[bytes]:
    return set(tree)


@pytest.mark.parametrize("seed", range(20))
def test_all_of_one_subscriber_go_and_nothing_else_does(seed: int) -> None:
    chance = random.Random(seed)
    tree: Subscriptions[str] = Subscriptions()
    wanted: dict[str, set[bytes]] = {"leaves": set(), "stays": set()}
    for _ in range(300):
        topic = bytes(chance.choices(b"abc", k=chance.randrange(12)))
        for subscriber in chance.sample(list(wanted), chance.randrange(1, 3)):
            tree.add(topic, subscriber)
            wanted[subscriber].add(topic)
    never = [bytes(chance.choices(b"abcd", k=5)) for _ in range(20)]
    asked = sorted({*wanted["leaves"], *never}, reverse=True)
    told = dict(tree.remove_many(asked, "leaves"))
    assert told == {topic: topic not in wanted["stays"] for topic in wanted["leaves"]}
    assert topics_of(tree) == wanted["stays"]
    for _ in range(100):
        topic = bytes(chance.choices(b"abc", k=chance.randrange(14)))
        assert list(tree.match(topic)) == ["stays"] * any(topic.startswith(one) for one in wanted["stays"])
    assert dict(tree.remove_many(sorted(wanted["stays"], reverse=True), "stays")) == dict.fromkeys(
        wanted["stays"], True
    )
    assert topics_of(tree) == set()
    assert tree._root.children == {}


def lines_run(work: Iterator[object]) -> int:
    """How many lines of Python it takes to use an iterator up."""
    count = 0

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        for _ in work:
            pass
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("shape", ["nested", "flat", "deep"])
def test_forgetting_is_linear_in_the_number_of_topics(shape: str) -> None:
    def cost(number: int) -> int:
        tree: Subscriptions[int] = Subscriptions()
        topics = {
            "nested": [b"a" * size for size in range(1, number)],
            "flat": [b"%05d" % one for one in range(number)],
            "deep": [b"a" * 200 + b"%05d" % one for one in range(number)],
        }[shape]
        for topic in topics:
            tree.add(topic, 1)
        return lines_run(tree.remove_many(sorted(topics, reverse=True), 1))

    assert cost(1600) < 10 * cost(200)


@pytest.mark.parametrize("shared", [0, 1, 2, 7, 8, 9, 99])
def test_how_much_two_topics_share_is_found_by_few_comparisons(shared: int) -> None:
    label = b"x" * shared + b"a" * (100 - shared)
    assert _shared_length(label, b"??" + b"x" * shared + b"b", 2) == shared
    assert _shared_length(label, b"??" + b"x" * shared, 2) == shared
    assert _shared_length(label, b"??" + label, 2) == 100
