"""A subscriber's own topics, and the tree behind them: against a plain list of topics."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triomq import Message
from triomq._options import Options
from triomq._patterns import as_topic
from triomq._patterns._peer_topics import PeerTopics
from triomq._patterns._subscriptions import Subscriptions, TopicFilter
from triomq._pipes import NOBODY, QueuedPipe

FEW = 16  # topics that are kept as a tuple too

topics = st.binary(max_size=3).map(lambda octets: bytes(octet % 3 for octet in octets))
changes = st.lists(st.tuples(st.booleans(), topics), max_size=60)


def test_the_first_and_the_last_subscription_to_a_topic_are_told() -> None:
    wanted = TopicFilter()
    assert [wanted.add(b"a"), wanted.add(b"a"), wanted.add(b"ab")] == [True, False, True]
    assert [wanted.remove(b"a"), wanted.remove(b"a"), wanted.remove(b"a")] == [False, True, None]
    assert list(wanted) == [b"ab"]


@pytest.mark.parametrize("unknown", [b"", b"a", b"abc", b"abx", b"b"])
def test_a_topic_that_nobody_subscribed_to_cannot_be_removed(unknown: bytes) -> None:
    wanted = TopicFilter()
    wanted.add(b"ab")
    assert wanted.remove(unknown) is None
    assert list(wanted) == [b"ab"]


@given(changes)
def test_it_matches_what_begins_with_a_topic(changed: list[tuple[bool, bytes]]) -> None:
    wanted, counts = TopicFilter(), Counter[bytes]()
    for more, topic in changed:
        if more:
            wanted.add(topic)
            counts[topic] += 1
        elif counts[topic]:
            counts[topic] -= 1
            assert wanted.remove(topic) is (counts[topic] == 0)
        else:
            assert wanted.remove(topic) is None
    present = {topic for topic, count in counts.items() if count}
    assert set(wanted) == present
    assert wanted.few is None if len(present) > FEW else set(wanted.few or ()) == present
    for topic in (b"", b"\0", b"\1\2", b"\2\2\2", b"\0\1\2\0", b"\3"):
        assert wanted.matches(topic) is any(map(topic.startswith, present))


edges = st.text("\x00\x01\xfe\xff", max_size=3).map(lambda text: text.encode("latin-1"))  # where the order turns


@given(edges, st.lists(st.lists(edges, min_size=1, max_size=2), min_size=1, max_size=3))
def test_whether_all_are_wanted_is_known_of_a_single_topic_and_of_the_one_that_all_begin_with(
    topic: bytes, frames: list[list[bytes]]
) -> None:
    wanted, messages = TopicFilter(), [Message(each) for each in frames]
    assert not wanted.matches_all(messages)
    wanted.add(topic)
    assert wanted.matches_all(messages) is all(each[0].startswith(topic) for each in frames)
    wanted.add(topic + b"more")
    assert wanted.matches_all(messages) is (topic == b"")
    wanted.remove(topic)
    wanted.add(b"else")
    assert not wanted.matches_all(messages)


@pytest.mark.parametrize("number", [0, 1, FEW, FEW + 1, 100])
def test_few_topics_are_kept_as_a_tuple_and_many_are_not(number: int) -> None:
    wanted = TopicFilter()
    names = [b"%d." % each for each in range(number)]
    for name in names:
        wanted.add(name)
    assert (wanted.few is None) == (number > FEW)
    assert all(wanted.matches(name + b"x") for name in names)
    for name in names[FEW:]:
        wanted.remove(name)
    assert set(wanted.few or ()) == set(names[:FEW])


@given(st.lists(st.tuples(topics, st.integers(0, 2)), max_size=40))
def test_subscribers_are_told_in_the_order_of_their_subscriptions(added: list[tuple[bytes, int]]) -> None:
    tree: Subscriptions[int] = Subscriptions()
    for topic, who in added:
        tree.add(topic, who)
    for asked in (b"", b"\0", b"\1\0", b"\2\1\0"):
        found = tree.match(asked)
        assert set(found) == {who for topic, who in added if asked.startswith(topic)}
        assert len(found) == len(set(found))
    assert all(tree.count(topic, who) == added.count((topic, who)) for topic, who in added)


@given(st.lists(topics, max_size=30))
def test_of_topics_that_are_gone_nothing_is_kept(added: list[bytes]) -> None:
    tree: Subscriptions[int] = Subscriptions()
    for who, topic in enumerate(added):
        tree.add(topic, who)
    for who, topic in reversed(list(enumerate(added))):
        tree.remove(topic, who)
    assert not tree._root.children


def test_all_of_a_subscribers_subscriptions_to_a_topic_go_at_once() -> None:
    tree: Subscriptions[str] = Subscriptions()
    for who in "aab":
        tree.add(b"t", who)
    assert tree.remove(b"t", "a", all_of_them=True) is False
    assert tree.count(b"t", "a") == 0
    assert tree.remove(b"t", "b", all_of_them=True) is True
    assert list(tree) == []


def test_a_very_deep_tree_does_not_recurse() -> None:
    tree: Subscriptions[int] = Subscriptions()
    for length in range(1500):
        tree.add(b"x" * length, 1)
    assert tree.matches(b"x" * 1500)
    assert len(list(tree)) == 1500
    for length in range(1500):
        assert tree.remove(b"x" * length, 1) is True
    assert not tree.matches(b"x" * 1500)


def pipe_of() -> QueuedPipe:
    return QueuedPipe(NOBODY, "tcp://far:1", 1, 1)


def test_what_a_peer_is_subscribed_to_is_noted_and_forgotten() -> None:
    noted = PeerTopics(pipe_of(), Options())
    for topic in (b"a", b"b"):
        assert noted.add(topic) is None
    noted.remove(b"a")
    assert b"a" not in noted
    assert noted.leave() == [b"b"]
    assert noted.pipe is None


@pytest.mark.parametrize("bound", [{"max_subscriptions": 3}, {"max_subscription_bytes": 30}], ids=str)
def test_a_peer_may_have_so_many_topics_at_one_time_and_no_more(bound: dict[str, Any]) -> None:
    noted = PeerTopics(pipe_of(), Options(**bound))
    for number in range(20):
        topic = b"%010d" % number
        assert noted.add(topic) is None
        if number >= 2:
            noted.remove(b"%010d" % (number - 2))
    assert noted.add(b"x" * 10) is None
    assert "more than" in (noted.add(b"y" * 10) or "")


@pytest.mark.parametrize(("topic", "octets"), [("é", b"\xc3\xa9"), (b"a", b"a"), (bytearray(b"a"), b"a"), ("", b"")])
def test_a_topic_is_bytes_or_text(topic: str | bytes, octets: bytes) -> None:
    assert as_topic(topic) == octets


@pytest.mark.parametrize("topic", [1, None, ["a"]])
def test_nothing_else_is_a_topic(topic: object) -> None:
    with pytest.raises(TypeError, match="a topic is bytes or str"):
        as_topic(topic)  # type: ignore[arg-type]


def test_a_topic_is_as_long_as_a_peer_accepts() -> None:
    assert len(as_topic(b"x" * 65536)) == 65536
    with pytest.raises(ValueError, match="65537"):
        as_topic(b"x" * 65537)
