"""The pipe of a peer that is reached by something slower than a call: what is sent waits in an outbox."""

from __future__ import annotations

from collections.abc import Sequence

from ..zmtp import Item
from ._inbox import Inbox
from ._outbox import Outbox
from ._pipe import Pipe
from ._roles import PipeOwner
from ._shared_tail import SharedTail
from ._topic_queue import Conflate


class QueuedPipe(Pipe):
    """A pipe with an outbox that a sink empties.

    While no sink is attached the outbox only fills. So a connecting socket queues before its peer exists.

    Attributes:
      outbox: what was accepted and has not left.
      sink_told: the sink knows that something is queued, or there is no sink: do not wake it.
    """

    __slots__ = ("outbox", "sink_told")

    owner_waits: bool
    sent: int

    def __init__(
        self, owner: PipeOwner, endpoint: str, send_limit: float, receive_limit: float, *, conflate: Conflate = False
    ) -> None:
        super().__init__(owner, endpoint, Inbox(receive_limit, conflate=conflate))
        self.outbox: Outbox = Outbox(send_limit, conflate=conflate)
        self.sink_told: bool = True

    # On the path of every message: see docs/explanation/message-path.rst.
    def send_nowait(self, item: Item, at_once: bool = True) -> bool:
        outbox = self.outbox
        queue = outbox.queue
        if outbox.tails:
            queue = outbox.own()
        if len(queue) >= outbox.limit:
            if not self.has_room():
                return False
            queue = outbox.queue
        if outbox.direct:
            queue.append(item)
        else:
            self.drop(outbox.put(item))
        if not self.sink_told:
            if at_once:
                self.sink.wake()
            else:
                self.sink.wake_later()
        return True

    def share(self, tail: SharedTail) -> None:
        """Let what is appended to ``tail``, while it is open, wait to be written: for no more than there is `room`."""
        self.outbox.share(tail)
        if not self.sink_told:
            self.sink.wake_later()

    def has_room(self) -> bool:
        outbox = self.outbox
        if (len(outbox.queue) < outbox.limit and not outbox.tails) or outbox.room() > 0:
            return True
        if not self.owner_waits:
            self.sink.flush()  # a peer is full when its connection is, not when a burst is only gathered here
            if outbox.room() > 0:
                return True
            self.fill()
        return False

    def room(self) -> float:
        return self.outbox.room()

    def send_many_nowait(self, items: Sequence[Item]) -> None:
        if self.outbox.conflate:
            super().send_many_nowait(items)
            return
        self.outbox.extend(items)
        if not self.sink_told:
            self.sink.wake()

    def control(self, item: Item) -> None:
        if self.peer is not None:
            self.outbox.add_control(item)
            if not self.sink_told:
                self.sink.wake()

    def withdraw(self, item: Item) -> bool:
        return self.outbox.withdraw(item)

    def send_capacity(self) -> float:
        return self.outbox.capacity()

    def queued(self) -> int:
        return self.outbox.queued()

    def messages_queued(self) -> int:
        return self.outbox.messages_queued()

    def count_sent(self, items: Sequence[Item]) -> None:
        """These have left, whole."""
        self.sent += self.outbox.count_left(items)

    def restore(self, items: Sequence[Item]) -> None:
        """Put back, at the head, what left the outbox and did not reach the peer whole; see `Outbox.restore`."""
        if dropped := self.outbox.restore(items):
            self.drop(dropped)

    def room_made(self) -> None:
        if self.owner_waits and self.outbox.room() > 0:
            self.relieve()
        if self.awaited:
            self.tell_what_left()

    # On the path of every message.
    def flushed(self) -> None:
        """The sink has written what it could: tell the owner, if room was made, or what is awaited has left."""
        if self.owner_waits and self.outbox.room() > 0:
            self.relieve()
        if self.awaited:
            self.tell_what_left()

    def discard(self) -> None:
        if dropped := self.outbox.clear():
            self.drop(dropped)
