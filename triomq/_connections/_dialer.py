"""The connecting side of an endpoint: dial, serve the session, back off, dial again."""

from __future__ import annotations

from collections.abc import Callable

import trio

from .. import zmtp
from .._errors import cancellation_alone
from .._events import Connected, ConnectFailed, MessageDropped
from .._pipes import Pipe, QueuedPipe
from .._runtime import within
from .._transports import NonblockingStream, Transport
from ._beginning import begin_session
from ._carrier import Connecting, PeerHost
from ._new_pipe import new_pipe
from ._redial import Redial
from ._session import Session


class Dialer(Connecting):
    """Keeps one connection to an endpoint, from when it is made until it is closed.

    Args:
      new_protocol: makes the protocol state of each connection; its second argument is False, as this side connects.
    """

    __slots__ = (
        "_address", "_endpoint", "_host", "_new_protocol", "_pipe", "_redial", "_scope", "_session", "_stopped",
        "_transport",
    )  # fmt: skip

    def __init__(
        self,
        transport: Transport,
        host: PeerHost,
        endpoint: str,
        address: str,
        new_protocol: Callable[[PeerHost, bool], zmtp.WireProtocol],
    ) -> None:
        self._transport = transport
        self._host = host
        self._endpoint = endpoint
        self._address = address
        self._new_protocol = new_protocol
        self._pipe: QueuedPipe | None = None if host.options.immediate else new_pipe(host, endpoint, dialled=True)
        self._session: Session | None = None
        self._stopped = False
        self._redial = Redial(host.options, endpoint, host.runtime.random)
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
    def unfinished_handshakes(self) -> int:
        """See `Attachment`."""
        session = self._session  # one look: another thread may ask
        return int(session is not None and not session.established)

    @property
    def finished(self) -> bool:
        """See `Attachment`."""
        return self._session is None or not self._session.attached

    def close(self) -> None:
        """See `Attachment`."""
        self._host.note_refusal(self._endpoint, None)
        self._scope.cancel(reason="triomq: endpoint disconnected")
        if (pipe := self.pipe) is not None:
            self._host.remove_pipe(pipe)

    async def _run(self) -> None:
        while not self._stopped:
            session = await self._dial()
            if session is not None:
                await trio.sleep(await self._serve(session))

    async def _dial(self) -> Session | None:
        """Make one attempt to connect; if it fails, tell so, and wait."""
        begun = trio.current_time()
        try:
            return await begin_session(await self._attempt(), self._endpoint, self._new_session)
        except Exception as exc:  # whatever it is, the attempt has failed: it is the transport's, or the machine's
            wait = self._redial.after_failure(trio.current_time() - begun)
            self._host.note_refusal(self._endpoint, None)  # who comes there next may be another one
            self._host.emit(ConnectFailed(endpoint=self._endpoint, error=exc, retry_in=wait))
            await trio.sleep(wait)
            return None

    def _new_session(self, stream: NonblockingStream) -> Session:
        protocol = self._new_protocol(self._host, False)
        if self._redial.doubts_mechanism:
            protocol.greet_in_pieces()
        return Session(stream, protocol, self._host, self._endpoint, self._pipe)

    async def _attempt(self) -> trio.abc.Stream:
        """Connect.

        Raises:
          trio.TooSlowError: it was not done within ``connect_timeout``.
          Exception: whatever the transport raises.
        """
        timeout = self._host.options.connect_timeout
        with trio.CancelScope() as limit:

            async def watch() -> None:
                await within(timeout, trio.sleep_forever)
                limit.cancel(reason="triomq: connect_timeout")

            watching = self._host.tasks.start(watch, name=f"triomq connect_timeout {self._endpoint}")
            try:
                with cancellation_alone():
                    return await self._transport.connect(self._address, self._host.options)
            finally:
                watching.cancel(reason="triomq: the attempt is over")
        raise trio.TooSlowError(f"no connection to {self._endpoint} within connect_timeout={timeout} s")

    async def _serve(self, session: Session) -> float:
        """Serve a connection until it ends. Returns: seconds to wait before the next attempt."""
        self._session = session
        self._host.emit(Connected(endpoint=self._endpoint, address=session.address))
        begun = trio.current_time()
        wait: float | None = None  # there is no next attempt
        try:
            with trio.CancelScope() as session.scope:
                await session.run()
            self._redial.note_hang_up(session)
            if session.refused and not session.established:
                self._host.note_refusal(self._endpoint, session.error)
            if not self._stopped:
                wait = self._redial.after_session(session, trio.current_time() - begun)
        finally:
            self._session = None
            session.tell_end(wait)
        self._drop_what_cuts_off(session)
        return wait or 0.0

    def _drop_what_cuts_off(self, session: Session) -> None:
        """Drop the message at which the peer has hung up again and again, so that those behind it can leave."""
        message, pipe = self._redial.message_to_drop(session), self._pipe
        if message is None or pipe is None or not pipe.withdraw(message):
            return
        pipe.drop()
        pipe.room_made()
        size = len(message) if isinstance(message, bytes) else sum(len(frame) for frame in message)
        event = MessageDropped(
            endpoint=self._endpoint, address=session.address, size=size, error=session.error, peer=session.peer
        )
        self._host.emit(event)
