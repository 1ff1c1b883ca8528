"""What every socket is, whatever its type: endpoints, peers, statistics, its life and its end."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar, Protocol, Self

import trio

from .._acceptor import Acceptor
from .._dialer import Dialer
from .._endpoint import split_endpoint
from .._errors import AddressInUseError, EndpointError
from .._message import Message
from .._monitor import HandshakeSucceeded, Listening, ListeningStopped, Monitor, MonitorHub
from .._options import Options, make_options
from .._pipe import Event, Pipe, SessionPipe
from .._runtime import Runtime, TaskGroup
from .._session import PeerRejected, Session, new_connection
from .._statistics import Peer, PeerStatistics, SocketStatistics
from .._transports import unsupported
from ..abc import NonblockingStream, Transport
from ..zmtp import PeerInfo

_CLOSED = -1  # no thread has this identifier


class _Attachment(Protocol):
    """One endpoint of a socket, bound or connected."""

    @property
    def pipe(self) -> Pipe | None:
        """The pipe that belongs to the endpoint itself, whoever is connected; bound ones have none."""

    def stop(self) -> None:
        """Accept nobody new; the socket is about to close."""

    def close(self) -> None:
        """End the endpoint and its connections now."""


class Socket(trio.abc.AsyncResource):
    """Base of all socket types; made by `Context.socket`, never directly.

    A socket may be used by any number of tasks of its trio run at once, and from nowhere else. Each call is a
    cancellation point; a schedule point comes when the call waits, and at least once in 64 messages.
    """

    socket_type: ClassVar[str]
    """The name on the wire, such as ``"PUSH"``."""

    session_events: tuple[type, ...] = (Message,)
    ingress: Callable[[Pipe, list[Event]], list[Message]] | None = None

    def __init__(self, runtime: Runtime, options: Options) -> None:
        self._runtime = runtime
        self._options = options
        self._slice = runtime.slice
        self._thread = runtime.thread  # compared in every call; _CLOSED once the socket is
        self._closing = False
        self._tasks = TaskGroup(runtime.nursery)
        self._bound: dict[str, _Attachment] = {}
        self._connected: dict[str, _Attachment] = {}
        self._pipes: dict[Pipe, None] = {}
        self._sessions: dict[Session, None] = {}
        self._monitors = MonitorHub()
        self._changed = trio.lowlevel.ParkingLot()  # peers came or went, subscriptions changed, a queue was sent
        self._past = [0, 0, 0]  # sent, received and dropped, over pipes that are gone

    @classmethod
    def _make(cls, runtime: Runtime, arguments: dict[str, Any]) -> Self:
        """Make a socket of the user's keyword arguments."""
        return cls(runtime, make_options(cls.socket_type, arguments))

    # --- what a socket type adds ----------------------------------------------------------

    def _check_new_endpoint(self) -> None:
        """Refuse one more endpoint, where the socket type has a say in it."""

    def _admit(self, pipe: Pipe) -> None:
        """A peer is ready. Raises: PeerRejected."""

    def _pipe_added(self, pipe: Pipe) -> None:
        """The pipe may be sent to from now on, even if its peer is yet to come."""

    def _peer_ready(self, pipe: Pipe) -> None:
        """The pipe's peer is connected now."""

    def _peer_lost(self, pipe: Pipe) -> None:
        """The pipe's peer is gone; it may come back."""

    def _pipe_removed(self, pipe: Pipe) -> None:
        """The pipe's peer will not come back."""

    def pipe_readable(self, pipe: Pipe) -> None:
        """See `PipeOwner`."""

    def pipe_writable(self, pipe: Pipe) -> None:
        """See `PipeOwner`."""

    def pipe_drained(self, pipe: Pipe) -> None:
        """See `PipeOwner`."""
        self._changed.unpark_all()

    # --- endpoints ------------------------------------------------------------------------

    async def bind(self, endpoint: str) -> str:
        """Accept peers at an endpoint.

        Args:
          endpoint: ``tcp://interface:port`` (``*`` for every interface, port ``0`` or ``*`` for a free one),
            ``ipc://path`` (``*`` for a new one, ``@name`` for an abstract one), or ``inproc://name``.
        Returns: the endpoint others connect to, without wildcards.
        Cancellation: nothing stays bound.
        Raises:
          EndpointError: the endpoint is malformed or its transport unknown.
          AddressInUseError: it is bound already, by this socket or another.
          OSError: the system refused it otherwise.
        """
        self._check("bind")
        scheme, address = split_endpoint(endpoint)
        await trio.lowlevel.checkpoint_if_cancelled()
        self._check_new_endpoint()
        if endpoint in self._bound:
            raise AddressInUseError(f"this socket is bound to {endpoint} already")
        if scheme == "inproc":
            self._bound[endpoint] = self._runtime.inproc.bind(self, address)
        else:
            transport = self._transport(scheme, endpoint)
            listener = await transport.listen(address, self._options)
            if self._closing:
                await trio.aclose_forcefully(listener)
                self._check("bind")
            endpoint = listener.endpoint
            new_session = self._new_session(endpoint)
            acceptor = Acceptor(listener, self._options, new_session, self._tasks, self._monitors)
            acceptor.start()
            self._bound[endpoint] = acceptor
        self._monitors.emit(Listening(endpoint=endpoint))
        return endpoint

    async def unbind(self, endpoint: str) -> None:
        """Stop accepting peers at an endpoint, and disconnect those that came through it.

        Args:
          endpoint: as `bind` returned it.
        Raises:
          EndpointError: the socket is not bound to it.
        """
        self._check("unbind")
        attachment = self._bound.pop(endpoint, None)
        if attachment is None:
            raise EndpointError(self._no_such(endpoint, "bound", self._bound))
        attachment.close()
        self._monitors.emit(ListeningStopped(endpoint=endpoint))
        await trio.lowlevel.checkpoint()

    def connect(self, endpoint: str) -> None:
        """Connect to an endpoint, now and whenever the connection is lost.

        Returns at once, whether or not anybody is there. Unless ``immediate`` is set, messages are queued for
        the peer from now on. Connecting twice to one endpoint changes nothing.

        Raises:
          EndpointError: the endpoint is malformed or its transport unknown.
        """
        self._check("connect")
        scheme, address = split_endpoint(endpoint)
        if endpoint in self._connected:
            return
        self._check_new_endpoint()
        if scheme == "inproc":
            self._connected[endpoint] = self._runtime.inproc.connect(self, address)
            return
        transport = self._transport(scheme, endpoint)
        transport.check_connect(address)
        pipe = None if self._options.immediate else self._new_pipe(endpoint)
        new_session = self._new_session(endpoint, pipe)
        dialer = Dialer(endpoint, transport, self._options, new_session, self._monitors, self._runtime.random, pipe)
        dialer.start(self._tasks)
        self._connected[endpoint] = dialer
        if pipe is not None:
            self._add(pipe)

    def disconnect(self, endpoint: str) -> None:
        """Undo `connect`. What is queued for that peer goes on being sent for up to ``linger``.

        Raises:
          EndpointError: the socket is not connected to it.
        """
        self._check("disconnect")
        attachment = self._connected.pop(endpoint, None)
        if attachment is None:
            raise EndpointError(self._no_such(endpoint, "connected", self._connected))
        pipe = attachment.pipe
        if pipe is None or not pipe.queued() or not self._options.linger:
            attachment.close()
            if pipe is not None:
                self._remove(pipe)
            return
        self._pipe_removed(pipe)
        pipe.draining = True

        async def finish() -> None:
            with trio.move_on_after(self._options.linger):
                while pipe.queued() and pipe.alive:
                    await self._changed.park()
            attachment.close()
            self._remove(pipe)

        self._tasks.start(finish, name=f"triomq disconnecting {endpoint}")

    @property
    def endpoints(self) -> tuple[str, ...]:
        """The endpoints bound, without wildcards, then those connected, in the order of the calls."""
        return (*self._bound, *self._connected)

    def _transport(self, scheme: str, endpoint: str) -> Transport:
        transport = self._runtime.transports.get(scheme)
        if transport is None:
            raise unsupported(endpoint, scheme, ["inproc", *self._runtime.transports])
        return transport

    def _no_such(self, endpoint: object, what: str, attachments: dict[str, _Attachment]) -> str:
        known = ", ".join(attachments) or "nothing"
        return f"this {self.socket_type} is not {what} to {endpoint!r}; it is {what} to {known}"

    # --- peers ----------------------------------------------------------------------------

    @property
    def peers(self) -> tuple[Peer, ...]:
        """The peers connected now."""
        return tuple(
            Peer(
                endpoint=pipe.endpoint,
                address=pipe.address,
                socket_type=pipe.peer.socket_type,
                routing_id=pipe.routing_id or pipe.peer.routing_id,
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
        await self._wait_until(lambda: sum(pipe.peer is not None for pipe in self._pipes) >= n, "wait_peers")

    async def _wait_until(self, condition: Callable[[], bool], what: str) -> None:
        self._check(what)
        await trio.lowlevel.checkpoint()
        while True:
            self._check(what)
            if condition():
                return
            await self._changed.park()

    def _new_pipe(self, endpoint: str) -> SessionPipe:
        options = self._options
        return SessionPipe(
            self, endpoint, options.send_hwm or math.inf, options.receive_hwm or math.inf, conflate=options.conflate
        )

    def _new_session(self, endpoint: str, pipe: SessionPipe | None = None) -> Callable[[NonblockingStream], Session]:
        def make(stream: NonblockingStream) -> Session:
            connection = new_connection(self.socket_type, self._options, as_server=pipe is None)
            return Session(stream, connection, self, self._runtime, self._options, endpoint, pipe)

        return make

    def adopt(self, session: Session, peer: PeerInfo) -> SessionPipe:
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

    def lose(self, session: Session, pipe: SessionPipe) -> None:
        """See `SessionOwner`."""
        del self._sessions[session]
        self._forget_peer(pipe)
        attachment = self._connected.get(pipe.endpoint)
        if attachment is None or attachment.pipe is not pipe:
            self._remove(pipe)

    def _greet(self, pipe: Pipe, peer: PeerInfo) -> None:
        """A peer is ready at the pipe, new or known.

        Raises:
          PeerRejected: the socket does not want it.
        """
        if self._closing and pipe not in self._pipes:
            raise PeerRejected("the socket is being closed")
        pipe.peer = peer
        try:
            self._admit(pipe)
        except PeerRejected:
            pipe.peer = None
            raise
        if pipe not in self._pipes:
            self._add(pipe)
        self._peer_ready(pipe)
        self._changed.unpark_all()

    def _forget_peer(self, pipe: Pipe) -> None:
        """The pipe's peer is gone; the pipe may stay."""
        pipe.peer = None
        self._peer_lost(pipe)
        self._changed.unpark_all()

    def _add(self, pipe: Pipe) -> None:
        self._pipes[pipe] = None
        self._pipe_added(pipe)

    def _remove(self, pipe: Pipe) -> None:
        if not pipe.alive:
            return
        pipe.alive = False
        pipe.discard()
        self._pipes.pop(pipe, None)
        for index, count in enumerate((pipe.sent, pipe.received, pipe.dropped)):
            self._past[index] += count
        self._pipe_removed(pipe)
        self._changed.unpark_all()

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

    def __repr__(self) -> str:
        state = "closed" if self._closing else ", ".join(self.endpoints) or "no endpoint"
        return f"<triomq.{self.socket_type} {state}>"

    # --- the end --------------------------------------------------------------------------

    def _check(self, what: str) -> None:
        """Refuse a call on a closed socket, or from elsewhere."""
        self._runtime.check_thread(f"{self.socket_type}.{what}")
        if self._closing:
            raise trio.ClosedResourceError(f"{self.socket_type}.{what}: this socket is closed")

    def _wake_all_closed(self) -> None:
        """Let every task that waits in a call of this socket raise `trio.ClosedResourceError`."""
        self._changed.unpark_all()

    async def aclose(self) -> None:
        """Close the socket: send what is queued for up to ``linger``, then end every connection.

        Tasks waiting in other calls get `trio.ClosedResourceError` at once. Idempotent.
        Cancellation: the rest of the lingering is left out; the socket is closed all the same.
        """
        self._runtime.check_thread(f"{self.socket_type}.aclose")
        if not self._closing:
            self._closing = True
            self._thread = _CLOSED
            self._wake_all_closed()
            for attachment in self._bound.values():
                attachment.stop()
            for session in self._sessions:
                session.stop_delivering()
        try:
            await trio.lowlevel.checkpoint()
            with trio.move_on_after(self._options.linger):
                await self._finish_sending()
        finally:
            self._end()
            with trio.CancelScope(shield=True):
                await self._tasks.wait_ended()

    async def _finish_sending(self) -> None:
        for pipe in self._pipes:
            pipe.draining = True
        while any(pipe.queued() for pipe in self._pipes):
            await self._changed.park()
        for session in list(self._sessions):
            session.say_goodbye()
        while self._sessions:
            await self._changed.park()

    def _end(self) -> None:
        for attachment in (*self._bound.values(), *self._connected.values()):
            attachment.close()
        self._bound.clear()
        self._connected.clear()
        self._tasks.cancel(f"triomq: {self.socket_type} socket closed")
        for pipe in list(self._pipes):
            self._remove(pipe)
        self._monitors.end()


def _peer_statistics(pipe: Pipe) -> PeerStatistics:
    return PeerStatistics(
        endpoint=pipe.endpoint,
        routing_id=pipe.routing_id,
        connected=pipe.peer is not None,
        messages_sent=pipe.sent,
        messages_received=pipe.received,
        messages_dropped=pipe.dropped,
        send_queue=pipe.queued(),
        receive_queue=len(pipe.inbox),
        send_hwm=pipe.send_capacity(),
        receive_hwm=pipe.receive_limit,
    )
