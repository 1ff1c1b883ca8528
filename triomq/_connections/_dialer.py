"""The connecting side of an endpoint: dial, serve the session, back off, dial again."""

from __future__ import annotations

from collections.abc import Callable

import trio

from .. import zmtp
from .._errors import RefusedByPeerError
from .._events import Connected, ConnectFailed, Disconnected, HandshakeFailed
from .._pipes import Pipe, QueuedPipe
from .._transports import NonblockingStream, Transport, as_nonblocking
from ._carrier import Connecting, PeerHost
from ._session import Session, new_pipe
from ._timers import Backoff


class Dialer(Connecting):
    """Keeps one connection to an endpoint, from when it is made until it is closed.

    The wait before the next attempt starts over only after a complete handshake: a server that accepts
    and then hangs up, again and again, is not hammered.

    Args:
      new_protocol: makes the protocol state of each connection; its second argument is False, as this side connects.
    """

    def __init__(
        self,
        transport: Transport,
        host: PeerHost,
        endpoint: str,
        address: str,
        new_protocol: Callable[[PeerHost, bool], zmtp.WireProtocol],
    ) -> None:
        options = host.options
        self._transport = transport
        self._host = host
        self._endpoint = endpoint
        self._address = address
        self._new_protocol = new_protocol
        self._pipe: QueuedPipe | None = None if options.immediate else new_pipe(host, endpoint)
        self._session: Session | None = None
        self._stopped = False
        self._backoff = Backoff(options.reconnect_interval, options.reconnect_interval_max, host.runtime.random)
        if self._pipe is not None:
            host.add_pipe(self._pipe)
        self._scope = host.tasks.start(self._run, name=f"triomq dialer {endpoint}")

    @property
    def pipe(self) -> Pipe | None:
        """See `Connecting`: with ``immediate`` there is a pipe only while there is a peer."""
        if self._pipe is None and self._session is not None:
            return self._session.pipe
        return self._pipe

    def stop(self) -> None:
        """See `Attachment`."""
        if self._session is not None:
            self._session.stop_delivering()

    def finish(self) -> None:
        """See `Attachment`: dial no more; an established connection may end in good order."""
        self._stopped = True
        if self._session is None or not self._session.established:
            self._scope.cancel(reason="triomq: all is sent")
        else:
            self._session.say_goodbye()

    @property
    def finished(self) -> bool:
        """See `Attachment`."""
        return self._session is None or not self._session.attached

    def close(self) -> None:
        """See `Attachment`."""
        self._scope.cancel(reason="triomq: endpoint disconnected")
        if self._pipe is not None:
            self._host.remove_pipe(self._pipe)

    async def _run(self) -> None:
        while True:
            stream = await self._dial()
            if stream is not None and await self._serve(stream):
                return

    async def _dial(self) -> NonblockingStream | None:
        timeout = self._host.options.connect_timeout
        begun = trio.current_time()
        try:
            with trio.fail_after(timeout):
                stream = await self._transport.connect(self._address, self._host.options)
        except (OSError, trio.TooSlowError, trio.BrokenResourceError) as exc:
            error: Exception = exc
            if isinstance(exc, trio.TooSlowError):
                error = trio.TooSlowError(f"no connection to {self._endpoint} within connect_timeout={timeout} s")
            wait = self._backoff.next_wait(trio.current_time() - begun)
            self._host.emit(ConnectFailed(endpoint=self._endpoint, error=error, retry_in=wait))
            await trio.sleep(wait)
            return None
        return as_nonblocking(stream, self._endpoint)

    async def _serve(self, stream: NonblockingStream) -> bool:
        """Serve a connection until it ends, then wait.

        Returns: whether the peer refused us, which dialling again would not change (RFC 37).
        """
        protocol = self._new_protocol(self._host, False)
        session = self._session = Session(stream, protocol, self._host, self._endpoint, self._pipe)
        self._host.emit(Connected(endpoint=self._endpoint, address=session.address))
        begun = trio.current_time()
        error = await session.run()
        attempt = trio.current_time() - begun
        if session.established:
            attempt = 0.0  # how long a working connection lasted is not the time of a failed attempt
            self._backoff.reset()
            self._host.emit(Disconnected(endpoint=self._endpoint, address=session.address, error=error))
        elif error is not None:
            self._host.emit(HandshakeFailed(endpoint=self._endpoint, address=session.address, error=error))
            if isinstance(error, RefusedByPeerError):
                return True
        self._session = None
        if self._stopped:
            return True
        await trio.sleep(self._backoff.next_wait(attempt))
        return False
