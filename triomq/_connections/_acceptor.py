"""The bound side of an endpoint: accept, and give each connection a task of its own."""

from __future__ import annotations

import errno
from collections.abc import Callable

import trio

from .._events import AcceptFailed, Connected, Disconnected, HandshakeFailed, MonitorHub
from .._options import Options
from .._runtime import TaskGroup
from .._transports import as_nonblocking
from ..abc import Listener, NonblockingStream
from ._session import Session

_SHORTAGES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_SHORTAGE_WAIT = 0.1  # seconds without accepting when descriptors or memory ran out, as trio.serve_listeners


class Acceptor:
    """Accepts the peers of one bound endpoint.

    Every handshake runs in the connection's own task under a deadline, so a silent client keeps nobody
    waiting. Above ``max_handshakes`` unfinished ones, or ``max_peers`` connections, a new connection is closed
    at once: memory stays bounded, and the peers that are there are served.
    """

    pipe = None  # its connections have their own

    def __init__(
        self,
        listener: Listener,
        options: Options,
        new_session: Callable[[NonblockingStream], Session],
        tasks: TaskGroup,
        monitors: MonitorHub,
    ) -> None:
        self.endpoint = listener.endpoint
        self._listener = listener
        self._options = options
        self._new_session = new_session
        self._tasks = tasks
        self._monitors = monitors
        self._sessions: dict[Session, None] = {}
        self._greeting: dict[Session, None] = {}  # those of them not yet established when last looked at
        self._scope: trio.CancelScope | None = None
        self._closed = trio.Event()

    def start(self) -> None:
        """Accept, in a task of its own."""
        self._scope = self._tasks.start(self._run, name=f"triomq listener {self.endpoint}")

    async def _run(self) -> None:
        try:
            while True:
                try:
                    stream = await self._listener.accept()
                except OSError as exc:
                    await self._accept_failed(exc)
                except trio.ClosedResourceError:
                    return
                else:
                    self._admit(stream)
        finally:
            try:
                await trio.aclose_forcefully(self._listener)
            finally:
                self._closed.set()  # even if that was a cancellation point: the listener is closed all the same

    def stop(self) -> None:
        """Close the listening endpoint; connections made through it stay."""
        if self._scope is not None:
            self._scope.cancel(reason="triomq: endpoint unbound")

    def close(self) -> None:
        """Close the listening endpoint and every connection that came through it."""
        self.stop()
        for session in self._sessions:
            session.close()

    async def wait_stopped(self) -> None:
        """Wait until the endpoint is free for others."""
        await self._closed.wait()

    async def _accept_failed(self, error: OSError) -> None:
        wait = _SHORTAGE_WAIT if error.errno in _SHORTAGES else 0.0
        self._monitors.emit(AcceptFailed(endpoint=self.endpoint, error=error, retry_in=wait))
        await trio.sleep(wait)

    def _admit(self, stream: trio.abc.Stream) -> None:
        session = self._new_session(as_nonblocking(stream, self.endpoint))
        if (limit := self._reached_limit()) is not None:
            error = ConnectionError(f"{limit}={getattr(self._options, limit)} reached: connection closed")
            self._monitors.emit(HandshakeFailed(endpoint=self.endpoint, address=session.address, error=error))
            self._tasks.start(stream.aclose, name=f"triomq closing {session.address}")
            return
        self._sessions[session] = None
        self._greeting[session] = None

        async def serve() -> None:
            await self._serve(session)

        self._tasks.start(serve, name=f"triomq session {session.address}")

    def _reached_limit(self) -> str | None:
        """The option that forbids one more connection, if one does."""
        if len(self._sessions) >= self._options.max_peers:
            return "max_peers"
        if len(self._greeting) >= self._options.max_handshakes:
            self._greeting = {one: None for one in self._greeting if not one.established}
            if len(self._greeting) >= self._options.max_handshakes:
                return "max_handshakes"
        return None

    async def _serve(self, session: Session) -> None:
        self._monitors.emit(Connected(endpoint=self.endpoint, address=session.address))
        try:
            error = await session.run()
        finally:
            del self._sessions[session]
            self._greeting.pop(session, None)
        if session.established:
            self._monitors.emit(Disconnected(endpoint=self.endpoint, address=session.address, error=error))
        elif error is not None:
            self._monitors.emit(HandshakeFailed(endpoint=self.endpoint, address=session.address, error=error))
