"""A queue that keeps the newest message of each topic, by itself and in an outbox, an inbox and a pipe."""

from __future__ import annotations

import math
from collections import deque
from itertools import islice
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from triomq import Message
from triomq._pipes import Inbox, Outbox, QueuedPipe, TopicQueue
from triomq.zmtp import Cancel, Item, Subscribe

from .roles import PEER, Owner, RecordingSink


def news(words: str) -> list[Message]:
    """A message of topic and body for each pair of letters; of one frame for a dot and a letter."""
    pairs = words.split()
    return [
        Message([pair[1:].encode()] if pair[0] == "." else [pair[:1].encode(), pair[1:].encode()]) for pair in pairs
    ]


def told(items: Any) -> str:
    return " ".join(
        (b"." * (len(item) == 1) + b"".join(item)).decode() if type(item) is Message else "?" for item in items
    )


@pytest.mark.parametrize(
    ("put", "left"),
    [
        ("", ""),
        ("a1 b1 c1", "a1 b1 c1"),
        ("a1 b1 a2 c1 b2", "a2 b2 c1"),  # each in the place of the one before
        (".1 a1 .2 a2 .3", ".3 a2"),
        ("a1 b1 c1 d1", "b1 c1 d1"),  # the one that stands first makes way
        ("a1 b1 c1 a2 d1", "b1 c1 d1"),
        ("a1 b1 c1 d1 a2", "c1 d1 a2"),
    ],
)
def test_the_newest_of_each_topic_is_kept_in_the_place_of_the_first(put: str, left: str) -> None:
    for conflating in (TopicQueue[Item](3), Outbox(3, conflate="topics").queue, Inbox(3, conflate="topics").queue):
        conflating.extend(news(put))  # type: ignore[arg-type]
        assert told(conflating) == left
        assert len(conflating) == len(left.split())


def test_a_topic_that_changes_all_the_time_keeps_nobody_waiting() -> None:
    queue = TopicQueue[Message](10)
    queue.extend(news("a0 b0 c0"))
    taken = []
    for number in range(1, 9):
        taken.append(queue.popleft())
        queue.extend(news(f"a{number}"))
    assert told(islice(taken, 4)) == "a0 b0 c0 a3"


def test_an_outbox_without_a_limit_keeps_every_topic() -> None:
    outbox = Outbox(math.inf, conflate="topics")
    for number in range(3000):
        assert outbox.put(Message([b"%d" % (number % 1500), b""])) == (number >= 1500)
    assert outbox.messages_queued() == 1500
    assert outbox.room() == math.inf


@pytest.mark.parametrize(
    ("half_written", "queued", "left", "dropped"),
    [
        ("a1 b1", "", "a1 b1", 0),
        ("a1 b1", "b2 c1", "a1 b2 c1", 1),
        ("a1 a1", "a2", "a2", 2),  # no queue makes such a batch, and no peer gets an older message after a newer one
        ("a1 b1", "c1 d1", "b1 c1 d1", 1),
        ("", "a1", "a1", 0),
    ],
)
def test_what_comes_back_is_older_than_what_waits(half_written: str, queued: str, left: str, dropped: int) -> None:
    outbox = Outbox(3, conflate="topics")
    outbox.add_control(Subscribe(b"t"))
    batch, _ = outbox.take(1)
    outbox.set_unsent(1)
    outbox.extend(news(queued))
    outbox.add_control(Cancel(b"t"))
    assert outbox.restore([*batch, *news(half_written)]) == dropped
    assert told(outbox.queue) == left
    assert outbox.controls == 0


def test_a_pipe_counts_what_makes_way_and_keeps_every_subscription() -> None:
    owner = Owner()
    pipe = QueuedPipe(owner, "tcp://x", 2, 2, conflate="topics")
    pipe.sink, pipe.peer = RecordingSink(), PEER
    for each in news("a1 b1 a2"):
        assert pipe.send_nowait(each)
        pipe.control(Subscribe(each[0] + each[1]))
    pipe.send_many_nowait(news("c1 c2"))
    assert told(pipe.outbox.queue) == "? b1 ? ? c2"
    assert (pipe.dropped, owner.lost) == (3, 3)
    assert pipe.has_room()
    assert (pipe.messages_queued(), pipe.controls_queued()) == (2, 3)
    pipe.deliver(news("a1 b1 a2"))
    pipe.deliver(news("c1"))
    assert told(pipe.inbox.queue) == "b1 c1"
    assert (pipe.received, pipe.dropped) == (4, 5)
    assert not pipe.inbox.is_full


def test_one_that_is_taken_back_leaves_the_others() -> None:
    outbox = Outbox(5, conflate="topics")
    messages = news("a1 b1 c1")
    outbox.extend(messages)
    assert outbox.withdraw(messages[1])
    assert not outbox.withdraw(messages[1])
    assert told(outbox.queue) == "a1 c1"
    outbox.extend(news("b2"))
    assert told(outbox.queue) == "a1 c1 b2"
    with pytest.raises(KeyError):
        TopicQueue[Message](1).popleft()


class TopicQueues(RuleBasedStateMachine):
    """Against a list that is searched."""

    @initialize(most=st.sampled_from([1, 2, 3, math.inf]))
    def begin(self, most: float) -> None:
        self.most = most
        self.queue = TopicQueue[Any](most)
        self.model: deque[Any] = deque()
        self.number = 0

    def _make(self, topic: str) -> Any:
        self.number += 1
        if topic == "?":
            return Subscribe(b"%d" % self.number)
        return Message([b"%d" % self.number] if topic == "." else [topic.encode(), b"%d" % self.number])

    @staticmethod
    def _topic(item: Any) -> Any:
        return (item[0] if len(item) > 1 else None) if type(item) is Message else item

    def _limit(self) -> None:
        messages = [item for item in self.model if type(item) is Message]
        for item in messages[: max(0, len(messages) - int(min(self.most, 1e9)))]:
            self.model.remove(item)

    @rule(topics=st.lists(st.sampled_from("abc.?")))
    def extend(self, topics: list[str]) -> None:
        items = [self._make(topic) for topic in topics]
        self.queue.extend(items)
        for item in items:
            for index, other in enumerate(self.model):
                if self._topic(other) == self._topic(item):
                    self.model[index] = item
                    break
            else:
                self.model.append(item)
                self._limit()

    @rule(topics=st.lists(st.sampled_from("abc.?"), unique=True))
    def extendleft(self, topics: list[str]) -> None:
        items = [self._make(topic) for topic in topics]
        self.queue.extendleft(items)
        for item in items:
            if self._topic(item) not in [self._topic(other) for other in self.model]:
                self.model.appendleft(item)
        self._limit()

    @rule()
    def popleft(self) -> None:
        if self.model:
            assert self.queue.popleft() is self.model.popleft()

    @rule(index=st.integers(0, 3))
    def delete(self, index: int) -> None:
        if index < len(self.model):
            del self.queue[index]
            del self.model[index]

    @rule()
    def clear(self) -> None:
        self.queue.clear()
        self.model.clear()

    @invariant()
    def same(self) -> None:
        if hasattr(self, "model"):
            assert list(self.queue) == list(self.model)
            assert len(self.queue) == len(self.model)
            assert [self.queue[index] for index in range(len(self.queue))] == list(self.model)


TestTopicQueues = TopicQueues.TestCase
