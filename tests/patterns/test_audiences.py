"""Who is subscribed to a prefix of a topic: remembered between messages, and right after every change."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from triomq._patterns import _subscriptions
from triomq._patterns._subscriptions import Subscriptions

TOPICS = [b"", b"a", b"ab", b"abc", b"abx", b"b", b"ba", b"c"]


@pytest.mark.parametrize("most", [0, 5, 100_000])
def test_it_is_as_if_nothing_were_remembered(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Subscribers come and go; each topic is asked for again and again."""
    monkeypatch.setattr(_subscriptions, "_MOST_REMEMBERED", most)
    chance = random.Random(most)
    tree: Subscriptions[int] = Subscriptions()
    counts: Counter[tuple[bytes, int]] = Counter()
    for _ in range(2000):
        topic, subscriber = chance.choice(TOPICS), chance.randrange(6)
        if chance.random() < 0.5:
            tree.add(topic, subscriber)
            counts[topic, subscriber] += 1
        elif tree.remove(topic, subscriber) is None:
            assert counts[topic, subscriber] == 0
        else:
            counts[topic, subscriber] -= 1
        for asked in (b"", b"ab", b"abcd", b"abxy", b"bad", b"d"):
            found = tree.match(asked)
            if found.shared is None:
                found.shared = f"kept for {asked!r}"
            assert sorted(found) == sorted(
                {who for (prefix, who), n in counts.items() if n and asked.startswith(prefix)}
            )
            if most > 100:
                assert tree.match(asked).shared == found.shared


def test_another_topic_with_the_same_longest_prefix_has_the_same_audience() -> None:
    """What is kept for an audience is found again by every topic that it wants; and is gone when it changes."""
    tree: Subscriptions[int] = Subscriptions()
    tree.add(b"a", 1)
    tree.add(b"a", 2)
    tree.match(b"a1").shared = "kept"
    assert tree.match(b"a2").shared == "kept"
    tree.add(b"b", 3)
    assert tree.match(b"a2").shared is None
    assert tree.match(b"a2") == [1, 2]


def test_all_topics_of_one_subscriber_alone_have_the_same_audience() -> None:
    """However many there are; but not those that somebody else wants as well, be it by a shorter prefix."""
    tree: Subscriptions[int] = Subscriptions()
    for topic in (b"a", b"b", b"c", b"cc", b"d"):
        tree.add(topic, 1)
    tree.add(b"d", 2)
    tree.add(b"e", 2)
    tree.add(b"ee", 1)
    tree.match(b"a1").shared = "kept for 1"
    for topic in (b"b", b"c"):
        assert tree.match(topic) == [1]
        assert tree.match(topic).shared == "kept for 1"
    assert tree.match(b"cc") == [1]
    assert tree.match(b"d") == [1, 2]
    assert tree.match(b"e") == [2]
    assert tree.match(b"ee") == [2, 1]
    assert tree.match(b"f") == tree.match(b"") == []
    assert [tree.match(topic).shared for topic in (b"d", b"e", b"ee")] == [None] * 3
