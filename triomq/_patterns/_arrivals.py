"""Receive in the order of arrival, for XPUB: the messages of peers, and the notices of their subscriptions."""

from __future__ import annotations

from .._message import Frames
from .._pipes import Pipe
from ._topics import CANCEL, SUBSCRIBE


class _Notice:
    """One thing to tell of a topic.

    Attributes:
      change: by how many subscriptions there are more: 1, -1, or 0 for one that is only repeated.
      number: its place in the order.
      before: the notice of the same topic that came before, if it waited then.
      waits: nobody has taken it.
    """

    __slots__ = ("before", "change", "number", "topic", "waits")

    def __init__(self, topic: bytes, change: int, number: int, before: _Notice | None) -> None:
        self.topic = topic
        self.change = change
        self.number = number
        self.before = before
        self.waits: bool = True

    def tell(self) -> Frames:
        return ((CANCEL if self.change < 0 else SUBSCRIBE) + self.topic,)


class Arrivals:
    """Notices of subscriptions, of all peers together, with the peers' messages at their places between them.

    There is one queue for all peers, because notices of one topic may come from several peers, and say the opposite in
    another order. The messages themselves stay in the pipes' inboxes, and count against the HWM there. Notices count
    against no HWM: no peer can be made to wait with them, least of all a peer that has left. To bound them: when many
    notices wait, each subscription and its later cancellation are dropped together, and so are repetitions. What
    remains still leads the user from what they know to what is true.

    Args:
      most_notices: how many may wait before such pairs are dropped.
      most_bytes: how many bytes may be in their topics before such pairs are dropped.
    """

    __slots__ = ("_entries", "_first", "_last_of", "_least", "_next", "_notices", "_size", "_swollen")

    def __init__(self, most_notices: float, most_bytes: float) -> None:
        # By number, in order; numbers are missing where a notice was dropped. A pipe stands for the next message in
        # its inbox.
        self._entries: dict[int, Pipe | _Notice] = {}
        self._first: int = 0  # no number below is there
        self._next: int = 0
        self._last_of: dict[bytes, _Notice] = {}  # of each topic with notices the newest
        self._notices: int = 0
        self._size: int = 0
        self._least: tuple[float, float] = (most_notices, most_bytes)
        self._swollen: int = 0  # as many entries there were at the most since the dictionaries were made

    def add_message(self, pipe: Pipe, message: Frames) -> None:
        """A peer has sent a message of its own."""
        pipe.received += 1
        if dropped := pipe.inbox.put([message]):  # conflated: it takes the place of the one before
            pipe.drop(dropped)
        else:
            self._append(pipe)

    def add_notice(self, topic: bytes, change: int) -> None:
        """There is something to tell of a topic; see `_Notice`."""
        before = self._last_of.get(topic)
        if self._notices >= self._least[0] or self._size + len(topic) > self._least[1]:
            if not change and before is not None:
                return
            if change and before is not None and before.change == -change:
                self._drop(before)
                return
        self._notices += 1
        self._size += len(topic)
        notice = self._last_of[topic] = _Notice(topic, change, self._next, before)
        self._append(notice)

    def _append(self, entry: Pipe | _Notice) -> None:
        self._entries[self._next] = entry
        self._next += 1
        self._swollen = max(self._swollen, len(self._entries))

    def _drop(self, notice: _Notice) -> None:
        """Forget the newest notice of its topic."""
        del self._entries[notice.number]
        self._count_out(notice)
        before = notice.before
        if before is not None and before.waits:
            self._last_of[notice.topic] = before
        else:
            del self._last_of[notice.topic]
        if len(self._entries) < self._swollen // 4 and self._swollen > self._least[0]:
            # A dictionary keeps the memory of what was deleted.
            self._entries, self._last_of = dict(self._entries), dict(self._last_of)
            self._swollen = len(self._entries)

    def _count_out(self, notice: _Notice) -> None:
        self._notices -= 1
        self._size -= len(notice.topic)

    def clear(self) -> None:
        """Forget everything."""
        self._entries, self._last_of = {}, {}
        self._first = self._next
        self._notices = self._size = self._swollen = 0

    def peek(self) -> Frames | None:
        """What `take` would return next."""
        if not self._entries:
            return None
        entry = self._entries[self._skip_missing()]
        return entry.tell() if isinstance(entry, _Notice) else entry.inbox.queue[0]

    def take(self) -> Frames | None:
        """The next message or notice, or None when there is none."""
        if not self._entries:
            return None
        entry = self._entries.pop(self._skip_missing())
        self._first += 1
        if not self._entries:
            self._entries, self._last_of, self._swollen = {}, {}, 0
        if isinstance(entry, _Notice):
            self._count_out(entry)
            entry.waits = False
            entry.before = None
            if self._last_of.get(entry.topic) is entry:
                del self._last_of[entry.topic]
            return entry.tell()
        message = entry.inbox.queue.popleft()
        entry.inbox.taken()
        return message

    def _skip_missing(self) -> int:
        entries, number = self._entries, self._first
        while number not in entries:
            number += 1
        self._first = number
        return number
