"""What happens to a socket's endpoints and connections, as typed events."""

from __future__ import annotations

import os
from collections import deque
from typing import TYPE_CHECKING, NoReturn, TypeAlias

import attrs
import trio

from ._forks import check_process
from ._record import Record
from ._statistics import DropReason, Peer


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Listening(Record):
    """The socket accepts connections at ``endpoint``."""

    endpoint: str


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ListeningStopped(Record):
    """The socket no longer accepts connections at ``endpoint``."""

    endpoint: str


@attrs.frozen(kw_only=True, eq=False, repr=False)
class AcceptFailed(Record):
    """A connection could not be accepted; the socket goes on listening.

    Attributes:
      retry_in: seconds until it accepts again; above 0 when the process lacks descriptors or memory.
    """

    endpoint: str
    error: Exception
    retry_in: float


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ConnectFailed(Record):
    """An attempt to connect failed; the next one comes in ``retry_in`` seconds."""

    endpoint: str
    error: Exception
    retry_in: float


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Connected(Record):
    """A connection stands and the handshake begins.

    Attributes:
      address: the other end, as the transport tells it.
    """

    endpoint: str
    address: str


@attrs.frozen(kw_only=True, eq=False, repr=False)
class HandshakeSucceeded(Record):
    """A peer is ready: messages flow.

    Attributes:
      socket_type: the peer's, such as ``"PULL"``.
      routing_id: the name it announced, or ``b""``.
      peer: who it is.
    """

    endpoint: str
    address: str
    socket_type: str
    routing_id: bytes
    peer: Peer | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class HandshakeFailed(Record):
    """The peer never became ready, and why.

    Attributes:
      retry_in: seconds until the next attempt; None if this side does not dial, or dials no more.
      error: `RemoteProtocolError` when it broke the protocol, `RefusedByPeerError` when it refused us,
        `PeerUnwantedError` when this socket has no use for it while another peer stays: it is kept waiting,
        `trio.TooSlowError` when it was silent, `OSError` and trio's errors when the connection died.
      peer: who it is, if it is kept waiting; None if it was turned away before that was known.
    """

    endpoint: str
    address: str
    error: Exception
    retry_in: float | None = None
    peer: Peer | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class KeptWaiting(Record):
    """The peer has no place for this socket yet, and says so; or, with ``over``, it has one now.

    A ROUTER has another peer of the same routing id, or a PAIR has its peer. What this socket sends meanwhile waits
    with it. A peer that is libzmq does not tell. Over ``inproc`` a `HandshakeFailed` tells.

    Attributes:
      over: the waiting is over.
      peer: who it is.
    """

    endpoint: str
    address: str
    over: bool
    peer: Peer | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Disconnected(Record):
    """A peer is gone.

    Attributes:
      error: why, or None when it closed the connection in good order; `SilentPeerError` when heartbeats found it
        dead, `RemoteProtocolError` when it broke the protocol, `RefusedByPeerError` when it said why it hung up.
      retry_in: seconds until the next attempt; None if this side does not dial, or dials no more.
      peer: who it was.
    """

    endpoint: str
    address: str
    error: Exception | None
    retry_in: float | None = None
    peer: Peer | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class HighWaterMarkReached(Record):
    """The queue for a peer is full: `send` waits, or drops, as the socket type says.

    A queue that is full again and again has one event a second, or two; the last one tells its state. How often it was
    full, ``hwm_reached`` of `PeerStatistics` counts.

    Attributes:
      address: the other end; the endpoint while nobody is connected.
      hwm: how many messages the queue holds.
      peer: None while nobody is connected.
    """

    endpoint: str
    address: str
    hwm: float
    peer: Peer | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class HighWaterMarkRelieved(Record):
    """The queue for a peer has room again; see `HighWaterMarkReached`. There is none when the peer leaves before that.

    Attributes:
      address: the other end; the endpoint while nobody is connected.
      peer: None while nobody is connected.
    """

    endpoint: str
    address: str
    peer: Peer | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class MessageDropped(Record):
    """Messages were dropped, and nobody will get them.

    What is dropped for a peer because it is full has an event at once, then at most one each minute with the sum, and
    one with the rest when the peer leaves; likewise what a ROUTER drops because nobody has the routing id. Some drops
    are what the program has asked for, and have no event: those of ``conflate``, and late replies. `SocketStatistics`
    counts all, by ``messages_dropped``.

    Attributes:
      endpoint: the one of ours; ``""`` for ``"unroutable"``, which concerns none.
      address: the other end; the endpoint if nobody is connected, or ``"unroutable"``.
      error: for ``"cut off"``, why the last of these connections ended, or None when the peer closed it in good order.
      size: for ``"cut off"``, bytes in all frames of the message; else None.
      count: how many messages.
      reason: ``"full"``: there was no room for more messages to the peer; ``"malformed"``: they came from the peer, and
        are not what this socket type takes, or in a multicast group larger than ``max_message_size``; ``"lost"``: the
        network has lost datagrams of a multicast group, and the sender keeps them no more: how many messages that was
        nobody knows, and each gap counts as one; ``"cut off"``: the peer has hung up several times in a row at that
        message; ``"unroutable"``: nobody has the routing id; ``"peer left"``: they were queued for that peer alone;
        ``"disconnected"``: they were not sent within ``linger`` after `Socket.disconnect` or `Socket.unbind`;
        ``"linger"``: they were not sent within ``linger`` after `Socket.aclose`, or when the context was left;
        ``"cancelled"``: that was cancelled.
      peer: None if nobody is connected.
      routing_id: for ``"unroutable"``, whom the last of the messages was for; else ``b""``.
    """

    endpoint: str
    address: str
    size: int | None = None
    error: Exception | None = None
    count: int = 1
    reason: DropReason = "cut off"
    peer: Peer | None = None
    routing_id: bytes = b""


MonitorEvent: TypeAlias = (
    Listening
    | ListeningStopped
    | AcceptFailed
    | ConnectFailed
    | Connected
    | HandshakeSucceeded
    | HandshakeFailed
    | KeptWaiting
    | Disconnected
    | HighWaterMarkReached
    | HighWaterMarkRelieved
    | MessageDropped
)
"""Everything a monitor can tell."""


class Monitor(trio.abc.ReceiveChannel[MonitorEvent]):
    """A receive channel of what happens to one socket.

    It keeps the newest ``size`` events until they are received; older ones are dropped and counted in
    ``dropped``, so a monitor nobody reads costs nothing. It ends when its socket is closed.
    """

    def __init__(self, size: int) -> None:
        self._events: deque[MonitorEvent] = deque(maxlen=size)
        self._ended = False
        self._closed = False
        self._readers = trio.lowlevel.ParkingLot()
        self._process = os.getpid()
        self.dropped: int = 0

    if not TYPE_CHECKING:  # a type checker shall refuse both

        def __enter__(self) -> NoReturn:
            raise TypeError("write 'async with', not 'with', for a monitor")

        def __exit__(self, *_: object) -> None: ...

        def __iter__(self) -> NoReturn:
            raise TypeError("write 'async for event in …', not 'for': a monitor may have to wait for an event")

    def _put(self, event: MonitorEvent) -> None:
        if len(self._events) == self._events.maxlen:
            self.dropped += 1
        self._events.append(event)
        self._readers.unpark()

    def _end(self) -> None:
        self._ended = True
        self._readers.unpark_all()

    @trio.lowlevel.enable_ki_protection
    def receive_nowait(self) -> MonitorEvent:
        """Take the oldest event.

        Raises:
          trio.WouldBlock: nothing has happened.
          trio.EndOfChannel: the socket is closed and every event was received.
          trio.ClosedResourceError: this monitor was closed.
        """
        check_process(self._process, "Monitor.receive")
        if self._closed:
            raise trio.ClosedResourceError("this monitor was closed")
        if self._events:
            event = self._events.popleft()
            if self._events:  # a wake-up that a cancelled reader took with it is passed on here
                self._readers.unpark()
            return event
        if self._ended:
            raise trio.EndOfChannel
        raise trio.WouldBlock

    @trio.lowlevel.enable_ki_protection
    async def receive(self) -> MonitorEvent:
        """Wait for the next event.

        Cancellation: no event is lost.
        Raises:
          trio.EndOfChannel: the socket is closed and every event was received.
          trio.ClosedResourceError: this monitor was closed.
        """
        check_process(self._process, "Monitor.receive")
        await trio.lowlevel.checkpoint()
        while True:
            try:
                return self.receive_nowait()
            except trio.WouldBlock:
                await self._wait()

    async def _wait(self) -> None:
        try:
            await self._readers.park()
        except trio.Cancelled:
            if self._events:
                self._readers.unpark()
            raise

    def close(self) -> None:
        """Stop listening to the socket; idempotent."""
        check_process(self._process, "Monitor.close")
        self._closed = True
        self._events.clear()
        self._readers.unpark_all()

    async def aclose(self) -> None:
        """Stop listening to the socket; idempotent."""
        self.close()
        await trio.lowlevel.checkpoint()
