"""Receive in the order of arrival, for XPUB: what peers say, and what is to be told of their subscriptions."""

from __future__ import annotations

from collections import deque
from typing import TypeAlias

from .._message import Message
from .._pipes import Pipe

Notice: TypeAlias = tuple[bytes, int]
"""A topic, and by how many subscriptions there are more: 1, -1, or 0 for one that is only repeated."""


class Arrivals:
    """Notices of subscriptions, of all peers together, with the peers' messages at their places between them.

    There is one queue for all peers, because notices of one topic may come from several peers, and say the opposite in
    another order. The messages themselves stay in the pipes' inboxes, and count against the HWM there. Notices count
    against no HWM: no peer can be made to wait with them, least of all a peer that has left. To bound them: when too
    many wait, each subscription and its later cancellation are dropped together. What remains still leads the user
    from what they know to what is true.

    Args:
      most_notices: how many may wait before such pairs are dropped.
      most_bytes: how many bytes may be in their topics before such pairs are dropped.
    """

    __slots__ = ("_entries", "_least", "_most", "_notices", "_size")

    def __init__(self, most_notices: int, most_bytes: int) -> None:
        self._entries: deque[Pipe | Notice] = deque()  # a pipe stands for the next message in its inbox
        self._notices: int = 0
        self._size: int = 0
        self._least: tuple[int, int] = (most_notices, most_bytes)
        self._most: tuple[int, int] = self._least

    def add_message(self, pipe: Pipe, message: Message) -> None:
        """A peer has sent a message of its own."""
        pipe.received += 1
        if dropped := pipe.inbox.put([message]):  # conflated: it takes the place of the one before
            pipe.drop(dropped)
        else:
            self._entries.append(pipe)

    def add_notice(self, topic: bytes, change: int) -> None:
        """There is something to tell of a topic; see `Notice`."""
        self._entries.append((topic, change))
        self._notices += 1
        self._size += len(topic)
        if self._notices > self._most[0] or self._size > self._most[1]:
            self._forget_undone()

    def _forget_undone(self) -> None:
        changes: dict[bytes, int] = {}
        for entry in self._entries:
            if isinstance(entry, tuple):
                changes[entry[0]] = changes.get(entry[0], 0) + entry[1]
        entries, self._entries = self._entries, deque()
        self._notices = self._size = 0
        for entry in reversed(entries):  # of those that count the newest are kept
            if isinstance(entry, tuple):
                topic, change = entry
                if changes[topic] * change <= 0:
                    continue
                changes[topic] -= change
                self._notices += 1
                self._size += len(topic)
            self._entries.appendleft(entry)
        # Not again before as many more have come, or each of those would cost as much as all of them.
        self._most = (max(self._least[0], 2 * self._notices), max(self._least[1], 2 * self._size))

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()
        self._notices = self._size = 0

    def peek(self) -> Message | None:
        """What `take` would return next."""
        if not self._entries:
            return None
        entry = self._entries[0]
        return _tell(entry) if isinstance(entry, tuple) else entry.inbox.queue[0]

    def take(self) -> Message | None:
        """The next message or notice, or None when there is none."""
        if not self._entries:
            return None
        entry = self._entries.popleft()
        if isinstance(entry, tuple):
            self._notices -= 1
            self._size -= len(entry[0])
            return _tell(entry)
        message = entry.inbox.queue.popleft()
        entry.inbox.taken()
        return message


def _tell(notice: Notice) -> Message:
    topic, change = notice
    return Message([(b"\0" if change < 0 else b"\1") + topic])
