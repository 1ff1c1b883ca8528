"""From what was read to messages in a pipe's inbox, by portions.

Theory of operation

One read may bring thousands of messages. To take all of them apart at once would hold other tasks up; the messages
would leave the processor's cache before they are received; and Python's garbage collector, which counts what is made
and not freed yet, would look at them all. So they are taken apart by portions. Whoever takes the last message of a
portion from the inbox has the next one put there (`Backlog`). A task that receives lists gets large portions, which
cost less for each message. If many connections have messages to be received, each has smaller ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from .. import zmtp
from .._pipes import Backlog, QueuedPipe, Received
from .._runtime import TurnEnd
from ._heartbeats import Heartbeats
from ._read_size import ReadSize
from ._writer import Writer

PORTION: Final = 512
"""messages taken apart between two schedule points: half a millisecond or less"""
_SMALL_PORTION: Final = 128  # messages; in smaller portions, each would cost noticeably more
_TOGETHER: Final = 8192  # messages in the portions of all resting connections: a megabyte, as much as a cache holds


class Portions:
    """Takes apart what was read from one connection.

    Args:
      pipe, protocol, writer, heartbeats: of the connection.
      turn_end: knows how many connections rest.
      wanted: the classes of what a peer sends that the pipe takes.
      sizes: of the connection's reads.
    """

    __slots__ = ("_heartbeats", "_pipe", "_protocol", "_sizes", "_turn_end", "_wanted", "_writer")

    def __init__(
        self,
        pipe: QueuedPipe,
        protocol: zmtp.WireProtocol,
        writer: Writer,
        heartbeats: Heartbeats,
        turn_end: TurnEnd,
        wanted: tuple[type, ...],
        sizes: ReadSize,
    ) -> None:
        self._pipe = pipe
        self._protocol = protocol
        self._writer = writer
        self._heartbeats = heartbeats
        self._turn_end = turn_end
        self._wanted = wanted
        self._sizes = sizes

    def usual(self) -> int:
        """Messages in a portion for a task that receives one by one."""
        resting = self._turn_end.resting
        return PORTION if resting * PORTION <= _TOGETHER else max(_SMALL_PORTION, _TOGETHER // resting)

    # On the path of every message.
    def deliver(self, data: bytes, most: int, backlog: Backlog) -> int:
        """Put messages into the inbox, up to ``most``, and no more than there is room for.

        Args:
          data: what was read; nothing, to go on with what was left the last time.
          backlog: puts what is left there later, if those who receive may ask for it.
        Returns: how many messages and the like there were.
        """
        protocol, inbox = self._protocol, self._pipe.inbox
        room = inbox.limit - len(inbox.queue)
        if room < most:
            most = int(room)
        events: Sequence[Received]
        events = protocol.receive_plain(data, most)
        count = len(events)
        # Fewer than that, and more to come: each takes long, and so the reader's own task goes on, step by step.
        may_ask = protocol.has_buffered and protocol.messages_only and count == most and inbox.direct
        inbox.backlog = backlog if may_ask else None
        if not protocol.messages_only:
            self._sizes.reset()
            events = self._without_heartbeats(events)
            count = len(events)
        if count:
            self._pipe.deliver(events)
        return count

    def _without_heartbeats(self, events: Sequence[Received]) -> list[Received]:
        answered = False
        for event in events:
            if isinstance(event, zmtp.Ping):
                self._writer.send_control()
                self._heartbeats.ping_received(event.ttl)
            elif isinstance(event, zmtp.Pong):
                if self._heartbeats.pong_received(event.context):
                    answered = True
        protocol = self._protocol
        begun = not protocol.has_buffered and protocol.receive_hint() > 0  # a part of a frame has come
        if events and (begun or not isinstance(events[-1], zmtp.Ping)):
            self._heartbeats.ping_followed()
        if answered:
            self._pipe.owner.drained(self._pipe)
        return [event for event in events if isinstance(event, self._wanted)]
