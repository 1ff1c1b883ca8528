"""The connecting side of an endpoint: dial, serve the session, back off, dial again."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import trio

from .._errors import RefusedByPeerError
from .._events import Connected, ConnectFailed, Disconnected, HandshakeFailed, MonitorHub
from .._options import Options
from .._pipes import StreamPipe
from .._runtime import TaskGroup
from .._transports import as_nonblocking
from ..abc import NonblockingStream, Transport
from ._session import Session

if TYPE_CHECKING:
    import random


class Backoff:
    """Waits that grow: each is drawn between 0 and a bound, and the bound doubles.

    The draw over the whole range ("full jitter") is what keeps a thousand peers of a restarted server
    from coming back in step. It does so only if the range is as long as what they have in common, so the bound is
    never below the time that the failed attempt took: all of them may have run into the same time limit.
    """

    def __init__(self, first: float, most: float, rng: random.Random) -> None:
        self._first = first
        self._most = max(first, most)
        self._random = rng
        self._failures = 0

    def reset(self) -> None:
        """Begin again with the first bound."""
        self._failures = 0

    def next_wait(self, attempt: float = 0.0) -> float:
        """Seconds to wait after one more failure, of an attempt that took so many."""
        doublings = min(self._failures, 64)
        self._failures += 1
        return self._random.uniform(0, min(self._most, max(attempt, math.ldexp(self._first, doublings))))


class Dialer:
    """Keeps one connection to an endpoint, for as long as its task lives.

    The wait before the next attempt starts over only after a complete handshake: a server that accepts
    and then hangs up, again and again, is not hammered.
    """

    def __init__(
        self,
        endpoint: str,
        transport: Transport,
        options: Options,
        new_session: Callable[[NonblockingStream], Session],
        monitors: MonitorHub,
        rng: random.Random,
        pipe: StreamPipe | None,
    ) -> None:
        self.pipe = pipe
        self._scope: trio.CancelScope | None = None
        self._session: Session | None = None
        self._stopped = False
        self._endpoint = endpoint
        self._address = endpoint.partition("://")[2]
        self._transport = transport
        self._options = options
        self._new_session = new_session
        self._monitors = monitors
        self._backoff = Backoff(options.reconnect_interval, options.reconnect_interval_max, rng)

    def start(self, tasks: TaskGroup) -> None:
        """Dial, in a task of its own."""
        self._scope = tasks.start(self._run, name=f"triomq dialer {self._endpoint}")

    def stop(self) -> None:
        """Dial no more: all is sent. An established connection may end in good order."""
        self._stopped = True
        if self._session is None or not self._session.established:
            self.close()

    def close(self) -> None:
        """End the connection, and dial no more."""
        if self._scope is not None:
            self._scope.cancel(reason="triomq: endpoint disconnected")

    async def wait_stopped(self) -> None:
        """Nothing is bound: there is nothing to wait for."""

    async def _run(self) -> None:
        while True:
            stream = await self._dial()
            if stream is not None and await self._serve(stream):
                return

    async def _dial(self) -> NonblockingStream | None:
        timeout = self._options.connect_timeout
        begun = trio.current_time()
        try:
            with trio.fail_after(timeout):
                stream = await self._transport.connect(self._address, self._options)
        except (OSError, trio.TooSlowError, trio.BrokenResourceError) as exc:
            error: Exception = exc
            if isinstance(exc, trio.TooSlowError):
                error = trio.TooSlowError(f"no connection to {self._endpoint} within connect_timeout={timeout} s")
            wait = self._backoff.next_wait(trio.current_time() - begun)
            self._monitors.emit(ConnectFailed(endpoint=self._endpoint, error=error, retry_in=wait))
            await trio.sleep(wait)
            return None
        return as_nonblocking(stream, self._endpoint)

    async def _serve(self, stream: NonblockingStream) -> bool:
        """Serve a connection until it ends, then wait.

        Returns: whether the peer refused us, which dialling again would not change (RFC 37).
        """
        session = self._session = self._new_session(stream)
        self._monitors.emit(Connected(endpoint=self._endpoint, address=session.address))
        begun = trio.current_time()
        error = await session.run()
        attempt = trio.current_time() - begun
        if session.established:
            attempt = 0.0  # it was none
            self._backoff.reset()
            self._monitors.emit(Disconnected(endpoint=self._endpoint, address=session.address, error=error))
        elif error is not None:
            self._monitors.emit(HandshakeFailed(endpoint=self._endpoint, address=session.address, error=error))
            if isinstance(error, RefusedByPeerError):
                return True
        self._session = None
        if self._stopped:
            return True
        await trio.sleep(self._backoff.next_wait(attempt))
        return False
