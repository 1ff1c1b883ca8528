"""What was accepted for a peer and has not left yet."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from typing import Final, TypeVar

from ..zmtp import Cancel, Item, Subscribe
from ._nothing import NOTHING
from ._shared_tail import MOST_TAILS, SharedTail, take_joined
from ._topic_queue import Conflate, TopicQueue

T = TypeVar("T")


MOST_CONTROLS: Final = 1000
"""subscriptions and heartbeats that wait before those that undo each other are looked for"""


class FirstSubscribe(Subscribe):
    """A Subscribe to a topic that the peer does not know, or knows to be cancelled."""

    __slots__ = ()


class Outbox:
    """The sending queue of a pipe: its messages, and what stands among them.

    The pipe appends to ``queue`` itself while the outbox is ``direct``, ``queue`` is shorter than ``limit``, and
    ``tails`` is empty; everything else goes through the methods. So a queue that keeps a part of itself elsewhere, on
    disk say, has these methods and a ``queue`` for the part in memory.

    Messages in an outbox are `Message` or tuples of frames; or `bytes`, one message each that is encoded already.

    Args:
      limit: see below; with ``conflate="topics"``, how many topics may wait.
      conflate: keep only the newest message, or the newest of each topic. Such an outbox is never full.

    Attributes:
      queue: queued for this peer alone, the oldest first.
      direct: messages may be appended to ``queue``; else ``put`` takes each.
      tails: queued for several peers, behind ``queue``; only the last tail may still grow.
      limit: messages that may wait here, less what left and is not wholly written.
      controls: subscriptions and heartbeats among what is queued or half written.
      unsent: how much left the outbox and is not wholly written.
      conflate: older messages make way for newer ones.
    """

    __slots__ = ("_most_controls", "conflate", "controls", "direct", "limit", "queue", "tails", "unsent")

    def __init__(self, limit: float, *, conflate: Conflate = False) -> None:
        self.queue: deque[Item] | TopicQueue[Item] = TopicQueue(limit) if conflate == "topics" else NOTHING
        self.direct: bool = False
        self.tails: list[SharedTail] = []
        self.limit: float = math.inf if conflate else limit
        self.controls: int = 0
        self.unsent: int = 0
        self.conflate: bool = bool(conflate)
        self._most_controls: int = MOST_CONTROLS

    # --- what waits -----------------------------------------------------------------------

    def waiting(self) -> int:
        """How much waits to be written."""
        count = len(self.queue)
        if self.tails:
            count += sum([len(tail.messages) for tail in self.tails])
        return count

    def queued(self) -> int:
        """How much was accepted and is not wholly written."""
        return self.waiting() + self.unsent

    def messages_queued(self) -> int:
        """How many messages are among what is `queued`."""
        return self.queued() - self.controls

    def room(self) -> float:
        """How many messages may be queued now."""
        return self.limit - self.waiting() + self.controls

    def capacity(self) -> float:
        """How many messages may wait to be sent at the most: the HWM."""
        return self.limit + self.unsent

    # --- putting in -----------------------------------------------------------------------

    def own(self) -> deque[Item] | TopicQueue[Item]:
        """``queue`` with all that waits in it: the outbox shares its tails no longer."""
        if self.queue is NOTHING:
            self.queue = deque()
            self.direct = not self.conflate
        if self.tails:
            for tail in self.tails:
                self.queue.extend(tail.leave())
            self.tails.clear()
        return self.queue

    def extend(self, items: Sequence[Item]) -> None:
        """Queue messages, for no more than there is `room`; not for an outbox that conflates."""
        self.own().extend(items)

    def put(self, item: Item) -> int:
        """Queue a message, for which there is `room`. Returns: how many older ones were dropped for it."""
        queue = self.own()
        if not self.conflate:
            queue.append(item)
            return 0
        if isinstance(queue, TopicQueue):
            before = len(queue)
            queue.append(item)
            return before + 1 - len(queue)
        dropped = self.drop_messages() if queue else 0
        queue.append(item)
        return dropped

    def drop_messages(self) -> int:
        """Forget the messages that wait, not the controls. Returns: how many messages there were."""
        queue = self.own()
        controls = [item for item in queue if not is_message(item)] if self.controls else []
        dropped = len(queue) - len(controls)
        queue.clear()
        queue.extend(controls)
        return dropped

    def add_control(self, item: Item) -> None:
        """Queue a subscription or a heartbeat. They are not messages: no limit counts them.

        When many wait, of each topic at most the last is kept, and none if the peer knows already what holds. So there
        are never more than topics that are subscribed to, or that the peer takes to be, and a number.
        """
        self.own().append(item)
        self.controls += 1
        if self.controls > self._most_controls:
            self._forget_undone()

    def _forget_undone(self) -> None:
        queue = self.queue
        unknown: dict[bytes, bool] = {}  # topics: whether the peer knows nothing of them, before what waits here
        last: dict[bytes, Item] = {}
        for item in queue:
            if isinstance(item, (Subscribe, Cancel)):
                unknown.setdefault(item.topic, isinstance(item, FirstSubscribe))
                last[item.topic] = item
        kept: list[Item] = []
        for item in queue:
            if isinstance(item, (Subscribe, Cancel)):
                topic = item.topic
                if item is not last[topic] or isinstance(item, Cancel) is unknown[topic]:
                    continue
                kept.append(FirstSubscribe(topic) if unknown[topic] else item)
            else:
                kept.append(item)
        self.controls -= len(queue) - len(kept)
        queue.clear()
        queue.extend(kept)
        # Not again before half as many more have come, or each of those would cost as much as all of them.
        self._most_controls = self.controls + max(MOST_CONTROLS, self.controls // 2)

    def share(self, tail: SharedTail) -> None:
        """Let what is appended to ``tail``, while it is open, wait to be written: for no more than there is `room`."""
        if self.tails:
            self.tails[-1].open = False
            if len(self.tails) == MOST_TAILS:
                self.own()
        self.tails.append(tail)
        tail.holders += 1

    def clear(self) -> int:
        """Forget everything. Returns: how many messages there were."""
        dropped = self.messages_queued()
        self.controls = 0
        self._most_controls = MOST_CONTROLS
        if self.queue or self.tails:
            self.own().clear()
        self.set_unsent(0)
        return dropped

    def withdraw(self, item: Item) -> bool:
        """Take back this very message. Returns: whether it still waited."""
        return remove_same(self.own(), item)

    # --- taking out -----------------------------------------------------------------------

    # On the path of every message.
    def take(self, most: int) -> tuple[Sequence[Item], Sequence[Item]]:
        """Take out messages to be written.

        Returns: up to ``most`` of them, twice; or more, where all are encoded already, and their bytes in few pieces.
        """
        queue = self.queue
        if self.tails:
            if not queue and (taken := take_joined(self.tails)):
                return taken
            queue = self.own()
        if len(queue) <= most:
            batch = list(queue)
            queue.clear()
        else:
            batch = [queue.popleft() for _ in range(most)]
        return batch, batch

    def count_left(self, items: Sequence[Item]) -> int:
        """What `take` returned has left, whole. Returns: how many messages are among the items."""
        if not self.controls:
            return len(items)
        messages = sum(map(is_message, items))
        self.controls -= len(items) - messages
        return messages

    def set_unsent(self, count: int) -> None:
        """Let messages that left the outbox, and are not wholly written, still count against the HWM."""
        self.limit += self.unsent - count
        self.unsent = count

    def restore(self, items: Sequence[Item]) -> int:
        """Put back, at the head, what left the outbox and did not reach the peer whole.

        Subscriptions and heartbeats were for that peer alone: the next one is told what holds then.

        Returns: how many messages were dropped, which only an outbox that conflates does.
        """
        if not (items or self.controls or self.tails):
            self.set_unsent(0)
            return 0
        queue = self.own()
        messages_before = len(queue) + len(items) - self.controls
        queue.extendleft(reversed(items))
        if self.controls:
            messages = [item for item in queue if is_message(item)]
            queue.clear()
            queue.extend(messages)
            self.controls = 0
            self._most_controls = MOST_CONTROLS
        if self.conflate and not isinstance(queue, TopicQueue):
            while len(queue) > 1:
                queue.popleft()
        self.set_unsent(0)
        return messages_before - len(queue) if self.conflate else 0


def is_message(item: Item) -> bool:
    """Whether the item is a message: neither a subscription nor a heartbeat."""
    return isinstance(item, (tuple, bytes))


def remove_same(queue: deque[T] | TopicQueue[T], item: object) -> bool:
    """Remove this very object from a queue. Returns: whether it was there."""
    for index, other in enumerate(queue):
        if other is item:
            del queue[index]
            return True
    return False
