"""What every socket is, whatever its type: endpoints, peers, statistics, its life and its end."""

from __future__ import annotations

import errno
from typing import Any, Protocol, Self

import trio

from .._connections import Acceptor, Dialer
from .._errors import AddressInUseError, EndpointError
from .._events import Listening, ListeningStopped
from .._options import Options, make_options
from .._pipes import Pipe
from .._runtime import Runtime, Turn
from .._transports import find_transport, split_endpoint
from ..abc import Transport
from ._peers import CLOSED, PeerKeeper


class Attachment(Protocol):
    """One endpoint of a socket, bound or connected."""

    @property
    def pipe(self) -> Pipe | None:
        """The pipe that belongs to the endpoint itself, whoever is connected; bound ones have none."""

    def stop(self) -> None:
        """Accept nobody new, or look for nobody any more; the socket is about to close. Connections stay."""

    def close(self) -> None:
        """End the endpoint and its connections now."""

    async def wait_stopped(self) -> None:
        """Wait until a bound endpoint is free for others."""


class Socket(PeerKeeper, trio.abc.AsyncResource):
    """Base of all socket types; made by `Context.socket`, never directly.

    A socket may be used by any number of tasks of its trio run at once, and from nowhere else. Each call is a
    cancellation point; a schedule point comes when the call waits, and at least once in 64 messages.
    """

    def __init__(self, runtime: Runtime, options: Options) -> None:
        super().__init__(runtime, options)
        self._turn: Turn = runtime.turn
        runtime.sockets[self] = None
        for observer in runtime.observers:
            self._monitors.relay(self, observer)
        self._bound: dict[str, Attachment] = {}
        self._connected: dict[str, Attachment] = {}

    @classmethod
    def _make(cls, runtime: Runtime, arguments: dict[str, Any]) -> Self:
        """Make a socket of the user's keyword arguments."""
        return cls(runtime, make_options(cls.socket_type, arguments))

    def _check_new_endpoint(self) -> None:
        """Refuse one more endpoint, where the socket type has a say in it."""

    def _keeps(self, pipe: Pipe) -> bool:
        attachment = self._connected.get(pipe.endpoint)
        return attachment is not None and attachment.pipe is pipe

    # --- endpoints ------------------------------------------------------------------------

    @trio.lowlevel.enable_ki_protection
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
            raise AddressInUseError(errno.EADDRINUSE, f"this socket is bound to {endpoint} already")
        if scheme == "inproc":
            self._bound[endpoint] = self._runtime.inproc.bind(self, address)
        else:
            transport = self._transport(endpoint)
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
        await trio.lowlevel.cancel_shielded_checkpoint()
        return endpoint

    @trio.lowlevel.enable_ki_protection
    async def unbind(self, endpoint: str) -> None:
        """Stop accepting peers at an endpoint, and disconnect those that came through it.

        Args:
          endpoint: as `bind` returned it.
        Cancellation: the socket is still bound.
        Raises:
          EndpointError: the socket is not bound to it.
        """
        self._check("unbind")
        await trio.lowlevel.checkpoint_if_cancelled()
        attachment = self._bound.pop(endpoint, None)
        if attachment is None:
            raise EndpointError(self._no_such(endpoint, "bound", self._bound))
        attachment.close()
        self._monitors.emit(ListeningStopped(endpoint=endpoint))
        with trio.CancelScope(shield=True):
            await attachment.wait_stopped()
            await trio.lowlevel.checkpoint()

    @trio.lowlevel.enable_ki_protection
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
        transport = self._transport(endpoint)
        transport.check_connect(address)
        pipe = None if self._options.immediate else self._new_pipe(endpoint)
        new_session = self._new_session(endpoint, pipe)
        dialer = Dialer(endpoint, transport, self._options, new_session, self._monitors, self._runtime.random, pipe)
        dialer.start(self._tasks)
        self._connected[endpoint] = dialer
        if pipe is not None:
            self._add(pipe)

    @trio.lowlevel.enable_ki_protection
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
        if pipe is None:  # with `immediate` there is one only while there is a peer
            pipe = next((one for one in self._pipes if one.endpoint == endpoint and not one.draining), None)
        if pipe is None or not pipe.queued() or not self._options.linger:
            attachment.close()
            if pipe is not None:
                self._remove(pipe)
            return
        self._pipe_removed(pipe)
        pipe.draining = True

        async def finish() -> None:
            try:
                with trio.move_on_after(self._options.linger):
                    while pipe.queued() and pipe.alive:
                        await self._changed.park()
            finally:
                attachment.close()
                self._remove(pipe)

        self._tasks.start(finish, name=f"triomq disconnecting {endpoint}")

    @property
    def endpoints(self) -> tuple[str, ...]:
        """The endpoints bound, without wildcards, then those connected, in the order of the calls."""
        return (*self._bound, *self._connected)

    def _transport(self, endpoint: str) -> Transport:
        return find_transport(endpoint, self._runtime.transports, also=["inproc"])[0]

    def _no_such(self, endpoint: object, what: str, attachments: dict[str, Attachment]) -> str:
        known = ", ".join(attachments) or "nothing"
        return f"this {self.socket_type} is not {what} to {endpoint!r}; it is {what} to {known}"

    def __repr__(self) -> str:
        state = "closed" if self._closing else ", ".join(self.endpoints) or "no endpoint"
        return f"<triomq.{self.socket_type} {state}>"

    # --- the end --------------------------------------------------------------------------

    def _wake_all_closed(self) -> None:
        """Let every task that waits in a call of this socket raise `trio.ClosedResourceError`."""
        self._changed.unpark_all()

    @trio.lowlevel.enable_ki_protection
    async def aclose(self) -> None:
        """Close the socket: send what is queued for up to ``linger``, then end every connection.

        Tasks waiting in other calls get `trio.ClosedResourceError` at once. Idempotent.
        Cancellation: the rest of the lingering is left out; the socket is closed all the same.
        """
        self._runtime.check_thread(f"{self.socket_type}.aclose")
        if not self._closing:
            self._closing = True
            self._thread = CLOSED
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
        for attachment in self._connected.values():
            attachment.stop()
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
        self._runtime.sockets.pop(self, None)
