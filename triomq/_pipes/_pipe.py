"""One peer's two bounded queues: the joint between a socket's two legs.

Theory of operation

A pipe joins two halves that know nothing of each other: the pattern that decides about messages on one side, and
whatever carries them to the peer on the other. Each direction is a deque with a limit, the HWM. That is what a trio
memory channel is, without its bookkeeping of tasks for each message: here the *socket* has the waiting tasks, because
a PUSH waits for any of its pipes.

Nothing in this room waits. The two halves tell each other about the only moments that matter:

* a message arrives in an empty inbox: the owner's ``readable``;
* the pattern takes from an inbox that was full: the source's ``resume``;
* a message enters an outbox that the sink does not know about: the sink's ``wake``;
* room appears in an outbox that refused a message: the owner's ``writable``.

A connection attaches itself by two assignments, ``pipe.inbox.source`` and ``pipe.sink``, and detaches itself by
assigning `UNCONNECTED` to both.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from .. import _security
from .._message import Frames
from .._statistics import DropReason, Peer
from ..zmtp import Item, PeerInfo
from ._inbox import Inbox
from ._roles import NOBODY, UNCONNECTED, Hold, PipeOwner, Received, Sink

_NO_DETAILS: Final[Mapping[str, int]] = MappingProxyType({})


class Pipe(ABC):
    """The queues to and from one peer.

    Attributes:
      owner: the pattern that decides about the messages.
      endpoint: the endpoint of ours that the peer belongs to.
      address: the other end, as the transport tells it.
      process: at the other end, if it is on this machine, and the transport knows it.
      dialled: this side looks for the peer, by a connected endpoint; the carrier says so when it has made the pipe.
      inbox: what the peer sent.
      sink: who writes what is queued for the peer.
      peer: who is connected; None while nobody is.
      routing_id: the name under which a ROUTER knows the peer.
      alive: the socket still has the pipe.
      draining: nothing new is queued; what is queued still leaves. See `drain`.
      awaited: the owner's ``drained`` is to be called: when everything has left if the pipe is ``draining``, and when
        something has that `has_sent` was asked for.
      owner_waits: a message was refused, and the owner waits for ``writable``.
      shares_encoding: a message that was encoded once for several peers may be queued here.
      received, sent, dropped: messages so far.
      bytes_received, bytes_sent: so far, over all connections.
      last_traffic: trio's time at which a connection last took or gave something; None if none did.
      round_trip: seconds from the last heartbeat that was answered to its answer; None if none was.
      hwm_reached: how often there was no room.
      lost: of those dropped, messages that a person should know of.
      losing: why the last of them was lost, while more are only counted; the owner makes it "" again.
      number: which pipe of the socket it is, counted from 1; 0 while no socket has it.
      admissions: peers that were admitted at the pipe, one after the other.
      since: trio's time at which the last of them was.
      hold: ends the connection that is there now, by the program's choice.
      last_peer: who was connected, while nobody is.
      details: what a carrier counts beside these, by name.
    """

    __slots__ = (
        "_asked_for", "address", "admissions", "alive", "awaited", "bytes_received", "bytes_sent", "details",
        "dialled", "draining", "dropped", "endpoint", "hold", "hwm_reached", "inbox", "last_peer", "last_traffic",
        "losing", "lost", "number", "owner", "owner_waits", "peer", "process", "received", "round_trip", "routing_id",
        "sent", "shares_encoding", "since", "sink",
    )  # fmt: skip

    def __init__(self, owner: PipeOwner, endpoint: str, inbox: Inbox) -> None:
        self.owner: PipeOwner = owner
        self.endpoint: str = endpoint
        self.address: str = endpoint
        self.process: _security.PeerProcess | None = None
        self.dialled: bool = False
        self.inbox: Inbox = inbox
        self.sink: Sink = UNCONNECTED
        self.peer: PeerInfo | None = None
        self.routing_id: bytes = b""
        self.alive: bool = True
        self.draining: bool = False
        self.awaited: bool = False
        self._asked_for: float = math.inf  # messages sent, in all: the owner is told when there are so many
        self.owner_waits: bool = False
        self.shares_encoding: bool = False
        self.received: int = 0
        self.sent: int = 0
        self.dropped: int = 0
        self.bytes_received: int = 0
        self.bytes_sent: int = 0
        self.last_traffic: float | None = None
        self.round_trip: float | None = None
        self.hwm_reached: int = 0
        self.lost: int = 0
        self.losing: str = ""
        self.number: int = 0
        self.admissions: int = 0
        self.since: float = 0.0
        self.hold: Hold = UNCONNECTED
        self.last_peer: Peer | None = None
        self.details: Mapping[str, int] = _NO_DETAILS

    # On the path of every message.
    def deliver(self, events: Sequence[Received]) -> None:
        """Take in what the peer sent: messages, and the events that the pattern wants.

        The caller has looked at the room in the inbox first.
        """
        owner = self.owner
        messages: Sequence[Frames] = owner.interpret(self, events) if owner.interprets else events  # type: ignore[assignment]
        if not messages:
            return
        self.received += len(messages)
        inbox = self.inbox
        if inbox.direct:
            inbox.queue.extend(messages)
        else:
            self.drop(inbox.put(messages))
        if not inbox.in_round:
            owner.readable(self)

    # On the path of a message that is waited for.
    def receive_lone(self, message: tuple[bytes, ...]) -> tuple[bytes, ...] | None:
        """Take in a message that came by itself, for a task that waits in ``receive``.

        Returns: what the user receives; None if that is in the inbox now, or was dropped.
        """
        mine = self.owner.receive_lone(self, message)
        if mine is None:
            self.deliver([message])
        else:
            self.received += 1
        return mine

    def drop(self, count: int = 1) -> None:
        """Count messages that were dropped. Whatever drops one, it is counted here."""
        if count:
            self.dropped += count
            self.owner.dropped(self, count)

    # On the path of every message that is dropped.
    def lose(self, why: DropReason, count: int = 1) -> None:
        """Count messages that were dropped, and that a person should know of."""
        self.dropped += count
        self.lost += count
        self.owner.dropped(self, count)
        if not self.losing:
            self.losing = why
            self.owner.noteworthy(self)

    def catch_up(self) -> None:  # noqa: B027  # most pipes count everything themselves
        """Count what was dropped elsewhere, and not told here yet: somebody is about to read the counters."""

    def fill(self) -> None:
        """There is no room: the owner waits for it from now on."""
        self.owner_waits = True
        self.hwm_reached += 1
        self.owner.noteworthy(self)

    def relieve(self) -> None:
        """There is room again: the owner waits no longer."""
        self.owner_waits = False
        self.owner.noteworthy(self)
        self.owner.writable(self)

    @abstractmethod
    def send_nowait(self, item: Item, at_once: bool = True) -> bool:
        """Queue one message for the peer, if there is room.

        Args:
          item: a message; or, where ``shares_encoding``, one already encoded.
          at_once: let it be written from within this call when the connection is idle.
        Returns: whether it was accepted; if not, the owner's ``writable`` will be called.
        """

    @abstractmethod
    def has_room(self) -> bool:
        """Whether `send_nowait` would accept a message; if not, the owner's ``writable`` will be called."""

    @abstractmethod
    def room(self) -> float:
        """How many messages `send_nowait` would accept one after the other."""

    def send_many_nowait(self, items: Sequence[Item]) -> None:
        """Queue messages, for no more than there is `room`."""
        for item in items:
            self.send_nowait(item)

    def greet(self, message: Frames) -> None:
        """Queue a message of this socket's own for a peer that was just admitted, if there is room."""
        self.send_nowait(message)

    @abstractmethod
    def control(self, item: Item) -> None:
        """Send a subscription or a heartbeat to the peer that is connected now, if one is."""

    @abstractmethod
    def withdraw(self, item: Item) -> bool:
        """Take back a message that was queued, if it has not left yet. Returns: whether it was still there.

        The owner is not told that there is room, until `room_made` is called.
        """

    @abstractmethod
    def room_made(self) -> None:
        """Tell the owner, if it was refused and there is room now."""

    @abstractmethod
    def send_capacity(self) -> float:
        """How many messages may wait to be sent."""

    @abstractmethod
    def queued(self) -> int:
        """How much that was accepted has not left yet."""

    def messages_queued(self) -> int:
        """How many messages are among what is `queued`."""
        return self.queued()

    def controls_queued(self) -> int:
        """How many subscriptions and heartbeats are among what is `queued`."""
        return self.queued() - self.messages_queued()

    def drain(self) -> None:
        """Queue nothing new: the owner's ``drained`` is called when what is queued has left."""
        self.draining = self.awaited = True

    def has_sent(self, count: int) -> bool:
        """Whether ``count`` messages have left, or none is queued; if not, the owner's ``drained`` is called then."""
        if self.sent >= count or not self.messages_queued():
            return True
        self._asked_for = min(self._asked_for, count)
        self.awaited = True
        return False

    def has_sent_controls(self) -> bool:
        """Whether no subscription and no heartbeat is queued; if not, the owner's ``drained`` is called then."""
        if not self.controls_queued():
            return True
        self.awaited = True
        return False

    def tell_what_left(self) -> None:
        """Something may have left that is ``awaited``: tell the owner."""
        asked = self.sent >= self._asked_for or not self.messages_queued()
        if asked:
            self._asked_for = math.inf
            self.awaited = self.draining
        if asked or (self.draining and not self.queued()):
            self.owner.drained(self)

    @abstractmethod
    def discard(self) -> None:
        """Forget what is queued for the peer, counting the messages as dropped."""

    def let_go(self) -> None:
        """Refer to nobody any more: the owner is done with the pipe, though messages from it may still be received."""
        self.owner = NOBODY
        self.inbox.source = UNCONNECTED
        self.sink = UNCONNECTED
        self.hold = UNCONNECTED
