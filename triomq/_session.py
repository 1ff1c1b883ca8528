"""One connection's life: a stream and a `zmtp.Connection` on one side, a pipe on the other.

Theory of operation

`Session.run` is one task: it makes the handshake, is given a pipe by its socket, then reads until the
connection ends. It takes in no more messages than the pipe's inbox has room for; when there is none it
stops reading, and the peer feels that through TCP. What it sends is written by its
`Writer`.
"""

from __future__ import annotations

import math
from contextlib import AbstractContextManager
from typing import Any, Protocol

import trio

from . import zmtp
from ._errors import PeerRejectedError, RemoteProtocolError, SilentPeerError
from ._options import Options
from ._pipe import SessionPipe, nothing_to_do
from ._runtime import Runtime
from ._writer import Writer
from .abc import NonblockingStream

_PING_SINCE = (3, 1)  # peers of ZMTP 3.0 know no heartbeats
_HANDSHAKE_READ_SIZE = 16 * 1024  # asked for in one read of a peer not known yet, who shall cost little
_READ_SIZE = 64 * 1024  # asked for in one read after that to begin with,
_LARGE_READ_SIZE = 1024 * 1024  # and doubled up to this while reads are filled
_EVENTS_PER_TURN = 512  # messages taken in between two schedule points: half a millisecond or less
_KEEPALIVE = 1.0  # seconds between the PINGs of a peer that has sent none yet: so often it may be about to
_GOODBYE = 1.0  # seconds for a refused peer to take the ERROR command


class SessionOwner(Protocol):
    """What a session asks of the socket it works for."""

    _session_events: tuple[type, ...]
    """The classes of events, besides messages, that the socket's pipes take."""

    def _adopt(self, session: Session, peer: zmtp.PeerInfo) -> SessionPipe:
        """Give a pipe to the session of a peer that is ready.

        Raises:
          PeerRejectedError: there is no use for this peer, as long as the others stay.
        """

    def _turn_away(self, session: Session, error: PeerRejectedError) -> None:
        """Tell that a peer has been rejected.

        Raises:
          PeerRejectedError: there will be no other chance for it.
        """

    def _open_chance(self) -> AbstractContextManager[object]:
        """A block that ends when a peer leaves."""

    def _lose(self, session: Session, pipe: SessionPipe) -> None:
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
        pipe: SessionPipe | None = None,
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
        self._liveness = trio.CancelScope()
        self._max_silence = math.inf
        self._last_ping = math.inf  # when the peer sent one, or could begin to; and the shortest time between two
        self._ping_interval = _KEEPALIVE
        self._error: Exception | None = None
        self._writer = Writer(stream, connection, runtime, self.address, self.close)
        self._reader: trio.lowlevel.Task | None = None  # asleep because the inbox is full
        self._leaving = False

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
                except (trio.TooSlowError, PeerRejectedError) as exc:
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
        self._last_ping = trio.current_time()
        self.pipe = pipe
        pipe.resume = self._wake_reader
        pipe.hang_up = self.close
        pipe.shares_encoding = self.connection.shares_encoding and not pipe.conflate
        self._writer.attach(pipe)

    async def _be_adopted(self, peer: zmtp.PeerInfo) -> SessionPipe:
        """Be given a pipe: at once or, when the socket has no use for this peer, as soon as it has.

        Closing such a connection would only make the peer come back, and lose what it has sent meanwhile. So it is
        kept, and not read: a restarted peer whose old connection is not known to be dead yet gets its turn.
        """
        told = False
        while True:
            try:
                return self.owner._adopt(self, peer)
            except PeerRejectedError as exc:
                if not told:
                    self.owner._turn_away(self, exc)
                    told = True
            await self._wait_for_chance()

    async def _wait_for_chance(self) -> None:
        """Wait until another peer has left, or this one does."""
        with self.owner._open_chance():
            unread = 0
            while unread < _READ_SIZE:
                await self.stream.wait_receivable()
                received = self._receive(_READ_SIZE)
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
            received = self._receive(_HANDSHAKE_READ_SIZE)
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
        options = self._options
        interval = options.heartbeat_interval
        assert self.connection.peer is not None
        if not interval or interval == math.inf or self.connection.peer.version < _PING_SINCE:
            await self._read()
            return
        self._limit_silence(interval + (options.heartbeat_timeout or interval))
        heartbeats = trio.CancelScope()
        self._runtime.nursery.start_soon(
            self._send_heartbeats, interval, heartbeats, name=f"triomq heartbeats {self.address}"
        )
        try:
            await self._read()
        finally:
            heartbeats.cancel(reason="triomq: connection ended")

    # --- reading ------------------------------------------------------------------------

    async def _read(self) -> None:
        with self._liveness:
            await self._read_until_end()
        if self._liveness.cancelled_caught:
            raise SilentPeerError(f"nothing from {self.address} for {self._max_silence} s, though heartbeats are on")

    async def _read_until_end(self) -> None:
        pipe, connection, stream = self.pipe, self.connection, self.stream
        assert pipe is not None
        size = _READ_SIZE
        while True:
            room = pipe.receive_limit - len(pipe.inbox)
            if room <= 0 and not self._leaving:
                await self._wait_for_room(pipe)
                continue
            limit = _EVENTS_PER_TURN if room > _EVENTS_PER_TURN else int(room)
            if connection.has_buffered and not self._leaving:
                await trio.lowlevel.checkpoint()
                data = b""
            else:
                await stream.wait_receivable()
                received = self._receive(size)
                if received is None:
                    continue
                if not received:
                    return
                data = received
                if len(data) == size:
                    size = min(2 * size, _LARGE_READ_SIZE)
                elif len(data) < _READ_SIZE:
                    size = _READ_SIZE
            if self._leaving:
                continue  # the socket is closed: only the peer's own end matters now
            if self._max_silence != math.inf:
                self._liveness.deadline = trio.current_time() + self._max_silence
            events = connection.receive_data(data, limit)
            if connection.messages_only:
                if events:
                    pipe.deliver(events)
            else:
                self._deliver_mixed(pipe, events)

    def _receive(self, size: int) -> bytes | None:
        """What has arrived, or None for a false alarm."""
        try:
            return self.stream.receive_nowait(size)
        except trio.WouldBlock:
            return None

    def _deliver_mixed(self, pipe: SessionPipe, events: list[Any]) -> None:
        for event in events:
            if type(event) is zmtp.Ping:
                self._writer.send_control()
                self._note_ping(trio.current_time())
                if event.ttl:
                    self._limit_silence(min(self._max_silence, event.ttl))
        wanted = [event for event in events if isinstance(event, self.owner._session_events)]
        if wanted:
            pipe.deliver(wanted)

    async def _wait_for_room(self, pipe: SessionPipe) -> None:
        """Stop reading until the user has received something.

        A silent peer is not noticed meanwhile: it may well be speaking, to nobody. Its PINGs are not read either; so
        the peer is told unasked, twice as often as it pings, that we live: it would drop a consumer that is only slow.
        """
        self._liveness.deadline = math.inf
        while len(pipe.inbox) >= pipe.receive_limit and not self._leaving:
            with trio.move_on_after(self._ping_interval / 2) as pause:
                await self._sleep_until_woken(pipe)
            if pause.cancelled_caught:
                self._send_when_idle(zmtp.Pong())
        self._limit_silence(self._max_silence)

    async def _sleep_until_woken(self, pipe: SessionPipe) -> None:
        pipe.stalled = True
        pipe.resume_at = pipe.receive_limit // 2  # as libzmq: to read on for every message would cost a turn for each
        self._reader = trio.lowlevel.current_task()

        def abort(_: object) -> trio.lowlevel.Abort:
            self._reader = None
            pipe.stalled = False
            return trio.lowlevel.Abort.SUCCEEDED

        await trio.lowlevel.wait_task_rescheduled(abort)

    def _note_ping(self, now: float) -> None:
        if now > self._last_ping:
            self._ping_interval = min(self._ping_interval, now - self._last_ping)
        self._last_ping = now

    def _wake_reader(self) -> None:
        if self._reader is not None:
            trio.lowlevel.reschedule(self._reader)
            self._reader = None

    def _limit_silence(self, seconds: float) -> None:
        self._max_silence = seconds
        self._liveness.deadline = trio.current_time() + seconds

    @trio.lowlevel.enable_ki_protection
    async def _send_heartbeats(self, interval: float, scope: trio.CancelScope) -> None:
        ping = zmtp.Ping(ttl=self._options.heartbeat_ttl)
        with scope:
            while True:
                await trio.sleep(interval)
                self._send_when_idle(ping)

    def _send_when_idle(self, heartbeat: zmtp.Ping | zmtp.Pong) -> None:
        """Show that we live, unless something that shows it is about to be written anyway."""
        pipe = self.pipe
        if pipe is not None and pipe.peer is not None and pipe.peer.version >= _PING_SINCE and not pipe.queued():
            pipe.control(heartbeat)

    # --- leaving ------------------------------------------------------------------------

    def stop_delivering(self) -> None:
        """The socket is closed: throw away what still arrives."""
        self._leaving = True
        self._wake_reader()

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
