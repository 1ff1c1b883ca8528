"""One peer's two bounded queues, as a socket's routing sees them.

Theory of operation

A pipe is the joint between two halves that know nothing of each other: a socket with its routing
strategies on one side, and whatever carries messages to the peer (a session, or for inproc the
other socket's pipe) on the other. Each direction is a plain deque with a limit, the HWM: what a
trio memory channel is, without its per-message task bookkeeping, because here the *socket* has
the waiting tasks, not the pipe: a PUSH waits for any of its pipes.

Nothing in this module waits. Each queue tells its two ends about the only moments that matter:

* a message arrives in an empty inbox: ``owner._pipe_readable``;
* the owner takes from an inbox that had turned messages away: ``resume``;
* a message enters an outbox nobody is looking after: ``wake``;
* room appears in an outbox that had turned messages away: ``owner._pipe_writable``.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from .._message import Message

if TYPE_CHECKING:
    from ..zmtp import PeerInfo

Event = Any
"""What a peer sends: a `Message`, or a `triomq.zmtp` event such as Subscribe."""


class PipeOwner(Protocol):
    """What a pipe asks of the socket it belongs to."""

    _interprets: bool
    """Whether what a peer sent is not simply what the user may receive."""

    def _interpret(self, pipe: Pipe, events: list[Event]) -> list[Message]:
        """Turn what a peer sent into what the user may receive."""

    def _pipe_readable(self, pipe: Pipe) -> None:
        """The pipe's inbox is no longer empty."""

    def _pipe_writable(self, pipe: Pipe) -> None:
        """The pipe has room again after it had refused a message."""

    def _pipe_drained(self, pipe: Pipe) -> None:
        """Nothing accepted by the pipe is left to send; called only while ``pipe.draining``."""


class Lender(Protocol):
    """A connection that a task may read for itself while it waits for a message; see `triomq._reader`."""

    borrowed: bool
    """Whether it is still to be waited for."""

    def borrow(self) -> bool:
        """Read in place of the session. Returns: False if that cannot be."""

    async def wait(self) -> None:
        """Wait until `take_in` has something to take, or `poke` is called, or it ends."""

    def take_in(self) -> None:
        """Deliver to the pipe what has arrived."""

    def poke(self) -> None:
        """Let `wait` return."""

    def give_back(self) -> None:
        """Let the session read on."""


class _Nobody:
    """Owns the pipes that no socket owns: those left behind, and those waiting for an inproc name."""

    _interprets = False

    def _interpret(self, pipe: Pipe, events: list[Event]) -> list[Message]:
        """Leave what arrives as it is."""
        return events

    def _pipe_readable(self, pipe: Pipe) -> None:
        """What arrives waits for an owner."""

    def _pipe_writable(self, pipe: Pipe) -> None:
        """Nobody sends."""

    def _pipe_drained(self, pipe: Pipe) -> None:
        """Nobody waits."""


NOBODY: PipeOwner = _Nobody()


def nothing_to_do() -> None:
    """What a pipe without a session calls instead of waking it."""


class Pipe(ABC):
    """The queues to and from one peer."""

    __slots__ = (
        "address", "alive", "blocked", "draining", "dropped", "endpoint", "hang_up", "inbox", "lender", "listed",
        "owner", "peer", "receive_limit", "received", "resume", "resume_at", "routing_id", "sent", "shares_encoding",
        "stalled",
    )  # fmt: skip

    def __init__(self, owner: PipeOwner, endpoint: str, receive_limit: float, *, conflate: bool = False) -> None:
        self.owner: PipeOwner = owner
        self.endpoint: str = endpoint
        self.address: str = endpoint
        self.inbox: deque[Message] = deque(maxlen=1) if conflate else deque()
        self.receive_limit: float = math.inf if conflate else receive_limit
        self.resume: Callable[[], None] = nothing_to_do
        self.hang_up: Callable[[Exception], None] | None = None  # ends the connection, and says why, where there is one
        self.lender: Lender | None = None  # while there is a connection to be read
        self.stalled: bool = False  # the inbox was full and the other end waits for `resume`,
        self.resume_at: float = math.inf  # which is due when no more messages than these are left
        self.blocked: bool = False  # the outbox was full and the owner waits for `_pipe_writable`
        self.draining: bool = False
        self.listed: bool = False  # among the fair queue's pipes with messages
        self.alive: bool = True
        self.shares_encoding: bool = False  # a message encoded once for several peers may be queued here
        self.peer: PeerInfo | None = None  # while a peer is connected
        self.routing_id: bytes = b""
        self.received: int = 0
        self.sent: int = 0
        self.dropped: int = 0

    # On the path of every message.
    def deliver(self, events: list[Event]) -> None:
        """Take in what the peer sent. The caller has looked at the room first."""
        if self.owner._interprets:
            events = self.owner._interpret(self, events)
            if not events:
                return
        self.received += len(events)
        inbox = self.inbox
        if inbox.maxlen is not None:
            self.dropped += max(0, len(inbox) + len(events) - 1)
        inbox.extend(events)
        if not self.listed:
            self.owner._pipe_readable(self)

    @abstractmethod
    def send_nowait(self, item: Any, at_once: bool = True) -> bool:
        """Queue one message for the peer, if there is room.

        Args:
          item: a message; or, where ``shares_encoding``, one already encoded.
          at_once: let it be written from within this call when the connection is idle.
        Returns: whether it was accepted; if not, ``owner._pipe_writable`` will be called.
        """

    @abstractmethod
    def has_room(self) -> bool:
        """Whether `send_nowait` would accept; if not, ``owner._pipe_writable`` will be called."""

    @abstractmethod
    def room(self) -> float:
        """How many messages `send_nowait` would accept one after the other."""

    def send_many_nowait(self, items: Sequence[Any]) -> None:
        """Queue messages, for no more than there is `room`."""
        for item in items:
            self.send_nowait(item)

    @abstractmethod
    def control(self, event: Event) -> None:
        """Send a subscription or its cancellation to the peer that is connected now, if one is."""

    @abstractmethod
    def withdraw(self, item: Any) -> bool:
        """Take back a message that was queued, if it has not left yet. Returns: whether it was still there.

        The owner is not told that there is room, until `room_made` is called.
        """

    @abstractmethod
    def room_made(self) -> None:
        """Tell the owner, if it was turned away and there is room now."""

    @abstractmethod
    def send_capacity(self) -> float:
        """How many messages may wait to be sent."""

    @abstractmethod
    def queued(self) -> int:
        """How much that was accepted has not left yet."""

    def messages_queued(self) -> int:
        """How many messages among what is `queued`."""
        return self.queued()

    @abstractmethod
    def discard(self) -> None:
        """Forget what is queued for the peer, counting it as dropped."""

    def let_go(self) -> None:
        """Refer to nobody any more: the owner is done with the pipe, though messages from it may still be received."""
        self.owner = NOBODY
        self.resume = nothing_to_do


def remove_same(queue: deque[Any], item: Any) -> bool:
    """Remove this very object from a queue. Returns: whether it was there."""
    for index, other in enumerate(queue):
        if other is item:
            del queue[index]
            return True
    return False
