"""A socket's peers: the pipes to them, what is told of them, and what a socket type does about them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ClassVar

import trio

from .._connections import Session, new_connection
from .._errors import PeerUnwantedError
from .._events import HandshakeFailed, HandshakeSucceeded, Monitor, MonitorHub
from .._message import Message
from .._options import Options
from .._pipes import Event, Pipe, StreamPipe
from .._runtime import Runtime, TaskGroup
from .._statistics import Peer, PeerStatistics, SocketStatistics
from ..abc import NonblockingStream
from ..zmtp import PeerInfo

CLOSED = -1  # no thread has this identifier


class PeerKeeper:
    """The part of a socket that its sessions, and inproc, talk to."""

    socket_type: ClassVar[str]
    """The name on the wire, such as ``"PUSH"``."""

    _session_events: tuple[type, ...] = (Message,)
    _interprets = False

    def __init__(self, runtime: Runtime, options: Options) -> None:
        self._runtime: Runtime = runtime
        self._options: Options = options
        self._thread: int = runtime.thread  # compared in every call; CLOSED once the socket is
        self._closing: bool = False
        self._tasks: TaskGroup = TaskGroup(runtime.nursery)
        self._pipes: dict[Pipe, None] = {}
        self._peer_count: int = 0  # those of them whose peer is connected
        self._sessions: dict[Session, None] = {}
        self._chances: dict[trio.CancelScope, None] = {}  # cancelled when a peer leaves
        self._monitors: MonitorHub = MonitorHub()
        # Unparked when peers came or went, subscriptions changed, or a queue was sent.
        self._changed: trio.lowlevel.ParkingLot = trio.lowlevel.ParkingLot()
        self._past: list[int] = [0, 0, 0]  # sent, received and dropped, over pipes that are gone

    # --- what a socket type adds ----------------------------------------------------------

    def _interpret(self, pipe: Pipe, events: list[Event]) -> list[Message]:
        """See `PipeOwner`; only called where ``_interprets``."""
        return events

    def _admit(self, pipe: Pipe) -> None:
        """A peer is ready. Raises: PeerUnwantedError."""

    def _pipe_added(self, pipe: Pipe) -> None:
        """The pipe may be sent to from now on, even if its peer is yet to come."""

    def _peer_ready(self, pipe: Pipe) -> None:
        """The pipe's peer is connected now."""

    def _peer_lost(self, pipe: Pipe) -> None:
        """The pipe's peer is gone; it may come back."""

    def _pipe_removed(self, pipe: Pipe) -> None:
        """The pipe's peer will not come back."""

    def _pipe_readable(self, pipe: Pipe) -> None:
        """See `PipeOwner`."""

    def _pipe_writable(self, pipe: Pipe) -> None:
        """See `PipeOwner`."""

    def _pipe_drained(self, pipe: Pipe) -> None:
        """See `PipeOwner`."""
        self._changed.unpark_all()

    def _check(self, what: str) -> None:
        """Refuse a call on a closed socket, or from elsewhere."""
        self._runtime.check_thread(f"{self.socket_type}.{what}")
        if self._closing:
            raise trio.ClosedResourceError(f"{self.socket_type}.{what}: this socket is closed")

    # --- peers ----------------------------------------------------------------------------

    @property
    def peers(self) -> tuple[Peer, ...]:
        """The peers connected now."""
        return tuple(
            Peer(
                endpoint=pipe.endpoint,
                address=pipe.address,
                socket_type=pipe.peer.socket_type,
                routing_id=_name(pipe),
                metadata=dict(pipe.peer.metadata),
            )
            for pipe in self._pipes
            if pipe.peer is not None
        )

    async def wait_peers(self, n: int = 1) -> None:
        """Wait until at least ``n`` peers are connected.

        Raises:
          trio.ClosedResourceError: the socket was closed, before or meanwhile.
        """
        await self._wait_until(lambda: self._peer_count >= n, "wait_peers")

    @trio.lowlevel.enable_ki_protection
    async def _wait_until(self, condition: Callable[[], bool], what: str) -> None:
        self._check(what)
        await trio.lowlevel.checkpoint()
        while True:
            self._check(what)
            if condition():
                return
            await self._changed.park()

    def _new_pipe(self, endpoint: str) -> StreamPipe:
        options = self._options
        return StreamPipe(
            self, endpoint, options.send_hwm or math.inf, options.receive_hwm or math.inf, conflate=options.conflate
        )

    def _new_session(self, endpoint: str, pipe: StreamPipe | None = None) -> Callable[[NonblockingStream], Session]:
        def make(stream: NonblockingStream) -> Session:
            connection = new_connection(self.socket_type, self._options, as_server=pipe is None)
            return Session(stream, connection, self, self._runtime, self._options, endpoint, pipe)

        return make

    def _adopt(self, session: Session, peer: PeerInfo) -> StreamPipe:
        """See `SessionOwner`."""
        pipe = session.pipe or self._new_pipe(session.endpoint)
        pipe.address = session.address
        self._greet(pipe, peer)
        self._sessions[session] = None
        event = HandshakeSucceeded(
            endpoint=session.endpoint,
            address=session.address,
            socket_type=peer.socket_type,
            routing_id=peer.routing_id,
        )
        self._monitors.emit(event)
        return pipe

    def _turn_away(self, session: Session, error: PeerUnwantedError) -> None:
        """See `SessionOwner`."""
        if self._closing:
            raise error
        self._monitors.emit(HandshakeFailed(endpoint=session.endpoint, address=session.address, error=error))

    @contextmanager
    def _open_chance(self) -> Iterator[None]:
        """See `SessionOwner`."""
        with trio.CancelScope() as chance:
            self._chances[chance] = None
            try:
                yield
            finally:
                del self._chances[chance]

    def _lose(self, session: Session, pipe: StreamPipe) -> None:
        """See `SessionOwner`."""
        del self._sessions[session]
        self._forget_peer(pipe)
        if self._keeps(pipe):
            pipe.room_made()  # of a batch that was half written, the messages that were whole are not queued any more
        else:
            self._remove(pipe)

    def _greet(self, pipe: Pipe, peer: PeerInfo) -> None:
        """A peer is ready at the pipe, new or known.

        Raises:
          PeerUnwantedError: the socket does not want it.
        """
        if self._closing and pipe not in self._pipes:
            raise PeerUnwantedError("the socket is being closed")
        pipe.peer = peer
        try:
            self._admit(pipe)
        except PeerUnwantedError:
            pipe.peer = None
            raise
        if pipe not in self._pipes:
            self._add(pipe)
        self._peer_count += 1
        self._peer_ready(pipe)
        self._changed.unpark_all()

    def _forget_peer(self, pipe: Pipe) -> None:
        """The pipe's peer is gone; the pipe may stay."""
        if pipe.peer is not None:
            pipe.peer = None
            self._peer_count -= 1
            self._peer_lost(pipe)
            self._peer_has_left()

    def _keeps(self, pipe: Pipe) -> bool:
        """Whether the pipe outlives its connection, as that of a connected endpoint does."""
        return False

    def _add(self, pipe: Pipe) -> None:
        self._pipes[pipe] = None
        self._pipe_added(pipe)

    def _remove(self, pipe: Pipe) -> None:
        if not pipe.alive:
            return
        self._forget_peer(pipe)
        pipe.alive = False
        pipe.discard()
        self._pipes.pop(pipe, None)
        for index, count in enumerate((pipe.sent, pipe.received, pipe.dropped)):
            self._past[index] += count
        self._pipe_removed(pipe)
        pipe.let_go()
        self._peer_has_left()

    def _peer_has_left(self) -> None:
        self._changed.unpark_all()
        for chance in self._chances:
            chance.cancel(reason="triomq: there may be a place for this peer now")

    # --- what can be seen -----------------------------------------------------------------

    @property
    def options(self) -> Options:
        """The options the socket was made with, defaults included."""
        return self._options

    def monitor(self, size: int = 1000) -> Monitor:
        """A receive channel of what happens to this socket's connections, from now on.

        Args:
          size: how many events it keeps for a reader that is slow; older ones are dropped and counted.
        """
        self._check("monitor")
        return self._monitors.open(size)

    @property
    def messages_dropped(self) -> int:
        """Messages dropped so far, over all peers, past and present."""
        return self._past[2] + sum(pipe.dropped for pipe in self._pipes)

    def statistics(self) -> SocketStatistics:
        """Counters and queue lengths, as they are now."""
        peers = tuple(map(_peer_statistics, self._pipes))
        sent, received, dropped = self._past
        return SocketStatistics(
            messages_sent=sent + sum(peer.messages_sent for peer in peers),
            messages_received=received + sum(peer.messages_received for peer in peers),
            messages_dropped=dropped + sum(peer.messages_dropped for peer in peers),
            tasks_waiting_send=self._count_senders(),
            tasks_waiting_receive=self._count_receivers(),
            peers=peers,
        )

    def _count_senders(self) -> int:
        return 0

    def _count_receivers(self) -> int:
        return 0


def _name(pipe: Pipe) -> bytes:
    return pipe.routing_id or (b"" if pipe.peer is None else pipe.peer.routing_id)


def _peer_statistics(pipe: Pipe) -> PeerStatistics:
    return PeerStatistics(
        endpoint=pipe.endpoint,
        routing_id=_name(pipe),
        connected=pipe.peer is not None,
        messages_sent=pipe.sent,
        messages_received=pipe.received,
        messages_dropped=pipe.dropped,
        send_queue=pipe.messages_queued(),
        receive_queue=len(pipe.inbox),
        send_hwm=pipe.send_capacity(),
        receive_hwm=pipe.receive_limit,
    )
