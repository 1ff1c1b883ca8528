"""The bound side of an endpoint: accept, and give each connection a task of its own."""

from __future__ import annotations

import errno
from collections.abc import Callable

import trio

from .._events import AcceptFailed, Connected, Disconnected, HandshakeFailed
from .._transports import Listener, NonblockingStream, as_nonblocking
from ._carrier import Binding, PeerHost
from ._session import Session
from ._timers import SHORTAGE_WAIT

_SHORTAGES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class Acceptor(Binding):
    """Accepts the peers of one bound endpoint, from when it is made until it is closed.

    Every handshake runs in the connection's own task under a deadline, so a silent client keeps nobody
    waiting. Above ``max_handshakes`` unfinished ones, or ``max_peers`` connections, a new connection is closed
    at once: memory stays bounded, and the peers that are there are served.
    """

    def __init__(
        self,
        listener: Listener,
        endpoint: str,
        host: PeerHost,
        new_session: Callable[[NonblockingStream], Session],
    ) -> None:
        self._endpoint = endpoint
        self._listener = listener
        self._host = host
        self._new_session = new_session
        self._sessions: dict[Session, None] = {}
        self._greeting: dict[Session, None] = {}  # sessions that were not yet established when last looked at
        self._closed = trio.Event()
        self._scope = host.tasks.start(self._run, name=f"triomq listener {endpoint}")

    @property
    def endpoint(self) -> str:
        """See `Binding`."""
        return self._endpoint

    def stop(self) -> None:
        """See `Attachment`: close the listening endpoint; connections made through it stay."""
        self._scope.cancel(reason="triomq: endpoint unbound")
        for session in self._sessions:
            session.stop_delivering()

    def finish(self) -> None:
        """See `Attachment`."""
        for session in list(self._sessions):
            if session.attached:
                session.say_goodbye()

    @property
    def finished(self) -> bool:
        """See `Attachment`."""
        return not any(session.attached for session in self._sessions)

    def close(self) -> None:
        """See `Attachment`."""
        self._scope.cancel(reason="triomq: endpoint unbound")
        for session in self._sessions:
            session.close()

    async def wait_closed(self) -> None:
        """See `Binding`."""
        await self._closed.wait()

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

    async def _accept_failed(self, error: OSError) -> None:
        wait = SHORTAGE_WAIT if error.errno in _SHORTAGES else 0.0
        self._host.emit(AcceptFailed(endpoint=self._endpoint, error=error, retry_in=wait))
        await trio.sleep(wait)

    def _admit(self, stream: trio.abc.Stream) -> None:
        session = self._new_session(as_nonblocking(stream, self._endpoint))
        if (limit := self._reached_limit()) is not None:
            error = ConnectionError(f"{limit}={getattr(self._host.options, limit)} reached: connection closed")
            self._host.emit(HandshakeFailed(endpoint=self._endpoint, address=session.address, error=error))
            self._host.tasks.start(stream.aclose, name=f"triomq closing {session.address}")
            return
        self._sessions[session] = None
        self._greeting[session] = None

        async def serve() -> None:
            await self._serve(session)

        self._host.tasks.start(serve, name=f"triomq session {session.address}")

    def _reached_limit(self) -> str | None:
        """The option that forbids one more connection, if one does."""
        if len(self._sessions) >= self._host.options.max_peers:
            return "max_peers"
        if len(self._greeting) >= self._host.options.max_handshakes:
            self._greeting = {one: None for one in self._greeting if not one.established}
            if len(self._greeting) >= self._host.options.max_handshakes:
                return "max_handshakes"
        return None

    async def _serve(self, session: Session) -> None:
        self._host.emit(Connected(endpoint=self._endpoint, address=session.address))
        try:
            error = await session.run()
        finally:
            del self._sessions[session]
            self._greeting.pop(session, None)
        if session.established:
            self._host.emit(Disconnected(endpoint=self._endpoint, address=session.address, error=error))
        elif error is not None:
            self._host.emit(HandshakeFailed(endpoint=self._endpoint, address=session.address, error=error))
