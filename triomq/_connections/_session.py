"""One connection's life: a stream and a `zmtp.Connection` on one side, a pipe on the other.

Theory of operation

`Session.run` is one task: it makes the handshake, is given a pipe by its socket, then lets its `Reader` read until
the connection ends. What the pipe has to send is written by its `Writer`.
"""

from __future__ import annotations

import math
from contextlib import AbstractContextManager
from typing import Protocol

import trio

from .. import zmtp
from .._errors import PeerUnwantedError, RemoteProtocolError
from .._options import Options
from .._pipes import StreamPipe, nothing_to_do
from .._runtime import Runtime
from ..abc import NonblockingStream
from ._reader import READ_SIZE, Reader, receive_now
from ._writer import PING_SINCE, Writer

_HANDSHAKE_READ_SIZE = 16 * 1024  # asked for in one read of a peer not known yet, who shall cost little
_GOODBYE = 1.0  # seconds for a refused peer to take the ERROR command


class SessionOwner(Protocol):
    """What a session asks of the socket it works for."""

    _session_events: tuple[type, ...]
    """The classes of events, besides messages, that the socket's pipes take."""

    def _adopt(self, session: Session, peer: zmtp.PeerInfo) -> StreamPipe:
        """Give a pipe to the session of a peer that is ready.

        Raises:
          PeerUnwantedError: there is no use for this peer, as long as the others stay.
        """

    def _turn_away(self, session: Session, error: PeerUnwantedError) -> None:
        """Tell that a peer has been rejected.

        Raises:
          PeerUnwantedError: there will be no other chance for it.
        """

    def _open_chance(self) -> AbstractContextManager[object]:
        """A block that ends when a peer leaves."""

    def _lose(self, session: Session, pipe: StreamPipe) -> None:
        """Take the pipe back: the connection has ended."""


class Session:
    """The traffic of one connection.

    Args:
      stream: the connection, just made.
      connection: its protocol state, fresh.
      owner: the socket.
      pipe: for a connection this side made, the pipe that outlives it; otherwise None.
    """

    def __init__(
        self,
        stream: NonblockingStream,
        connection: zmtp.Connection,
        owner: SessionOwner,
        runtime: Runtime,
        options: Options,
        endpoint: str,
        pipe: StreamPipe | None = None,
    ) -> None:
        self.stream = stream
        self.connection = connection
        self.owner = owner
        self.endpoint = endpoint
        self.address: str = getattr(stream, "peer", endpoint)
        self.pipe = pipe
        self.established: bool = False
        self._runtime = runtime
        self._options = options
        self._scope = trio.CancelScope()
        self._error: Exception | None = None
        self._writer = Writer(stream, connection, runtime, self.address, self.close)
        self._reader: Reader | None = None  # once the connection is established

    # --- the connection's life ----------------------------------------------------------

    async def run(self) -> Exception | None:
        """Serve the connection until it ends, then close it.

        Returns: why it ended; None if the peer closed it in good order, or we did.
          Whether it ever was established is in ``established``.
        """
        try:
            with self._scope:
                try:
                    await self._handshake()
                    await self._exchange()
                except (trio.BrokenResourceError, trio.ClosedResourceError, RemoteProtocolError) as exc:
                    self._error = self._error or exc
                except (trio.TooSlowError, PeerUnwantedError) as exc:
                    self._error = exc
                self._detach()  # nothing can be sent on a connection that is at fault
                await self._say_why()
        finally:
            self._detach()
            await trio.aclose_forcefully(self.stream)
        return self._error

    def close(self, error: Exception | None = None) -> None:
        """End the connection now; ``error`` is what `run` returns."""
        self._error = self._error or error
        self._scope.cancel(reason=f"triomq: connection {self.address} closed")

    async def _handshake(self) -> None:
        limit = self._options.handshake_timeout
        with trio.move_on_after(limit) as deadline:
            await self._shake_hands()
        if deadline.cancelled_caught:
            raise trio.TooSlowError(f"no handshake from {self.address} within handshake_timeout={limit} s")
        assert self.connection.peer is not None
        pipe = await self._be_adopted(self.connection.peer)
        self.established = True
        self.pipe = pipe
        wanted, turn = self.owner._session_events, self._runtime.turn_end
        reader = Reader(self.stream, self.connection, pipe, self._writer, turn, wanted, self.address)
        self._reader = pipe.lender = reader
        pipe.resume = reader.resume
        pipe.hang_up = self.close
        pipe.shares_encoding = self.connection.shares_encoding and not pipe.conflate
        self._writer.attach(pipe)

    async def _be_adopted(self, peer: zmtp.PeerInfo) -> StreamPipe:
        """Be given a pipe: at once or, when the socket has no use for this peer, as soon as it has.

        Closing such a connection would only make the peer come back, and lose what it has sent meanwhile. So it is
        kept, and not read: a restarted peer whose old connection is not known to be dead yet gets its turn.
        """
        told = False
        while True:
            try:
                return self.owner._adopt(self, peer)
            except PeerUnwantedError as exc:
                if not told:
                    self.owner._turn_away(self, exc)
                    told = True
            await self._wait_for_chance()

    async def _wait_for_chance(self) -> None:
        """Wait until another peer has left, or this one does."""
        with self.owner._open_chance():
            unread = 0
            while unread < READ_SIZE:
                await self.stream.wait_receivable()
                received = receive_now(self.stream, READ_SIZE)
                if received == b"":
                    raise trio.BrokenResourceError("the peer left while another had its place")
                if received is not None:
                    unread += len(received)
                    self.connection.receive_data(received, 0)
            await trio.sleep_forever()

    async def _shake_hands(self) -> None:
        connection, stream = self.connection, self.stream
        while not connection.established:
            if data := connection.data_to_send():
                await stream.send_all(data)
            await stream.wait_receivable()
            received = receive_now(stream, _HANDSHAKE_READ_SIZE)
            if received == b"":
                raise trio.BrokenResourceError("the peer closed the connection during the handshake")
            if received is not None:
                connection.receive_data(received, 1)
        if data := connection.data_to_send():
            await stream.send_all(data)

    def _detach(self) -> None:
        pipe = self.pipe
        self._writer.detach()
        if pipe is not None and self.established:
            if self._reader is not None:
                self._reader.stop()
            pipe.lender = None
            pipe.resume = nothing_to_do
            pipe.hang_up = None
            pipe.stalled = False
            self.pipe = None
            self.owner._lose(self, pipe)

    async def _say_why(self) -> None:
        """Tell a peer that is being refused the reason, if it listens."""
        if self._writer.busy or not isinstance(self._error, RemoteProtocolError):
            return
        if data := self.connection.data_to_send():
            with trio.move_on_after(_GOODBYE):
                try:
                    await self.stream.send_all(data)
                except trio.BrokenResourceError:
                    return  # it did not wait for the reason; the event here has it

    async def _exchange(self) -> None:
        options, reader = self._options, self._reader
        interval = options.heartbeat_interval
        assert self.connection.peer is not None
        assert reader is not None
        if not interval or interval == math.inf or self.connection.peer.version < PING_SINCE:
            await reader.run()
            return
        reader.limit_silence(interval + (options.heartbeat_timeout or interval))
        heartbeats = trio.CancelScope()
        self._runtime.nursery.start_soon(
            self._send_heartbeats, interval, heartbeats, name=f"triomq heartbeats {self.address}"
        )
        try:
            await reader.run()
        finally:
            heartbeats.cancel(reason="triomq: connection ended")

    @trio.lowlevel.enable_ki_protection
    async def _send_heartbeats(self, interval: float, scope: trio.CancelScope) -> None:
        ping = zmtp.Ping(ttl=self._options.heartbeat_ttl)
        with scope:
            while True:
                await trio.sleep(interval)
                self._writer.send_when_idle(ping)

    # --- leaving ------------------------------------------------------------------------

    def stop_delivering(self) -> None:
        """The socket is closed: throw away what still arrives."""
        if self._reader is not None:
            self._reader.stop_delivering()

    def say_goodbye(self) -> None:
        """End our direction, so that the peer gets all we wrote, and leave when it has ended its own.

        Closing at once, with something unread, would make TCP throw away what the peer has not got yet. Where nothing
        was sent nothing can be thrown away.
        """
        if self.pipe is None or not self.pipe.sent:
            self.close()
            return
        self.stop_delivering()
        try:
            if not self.stream.end_sending():
                self.close()
        except (trio.BrokenResourceError, trio.ClosedResourceError) as exc:
            self.close(exc)


def new_connection(socket_type: str, options: Options, *, as_server: bool) -> zmtp.Connection:
    """The protocol state for one connection of a socket with these options."""
    return zmtp.Connection(
        socket_type,
        as_server=as_server,
        routing_id=options.routing_id,
        max_message_size=options.max_message_size,
    )
