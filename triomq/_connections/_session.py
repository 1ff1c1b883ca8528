"""One connection's life: a stream and its protocol on one side, a pipe on the other.

Theory of operation

`Session.run` is one task: it makes the handshake, has the peer admitted by the socket, then lets its `Reader` read
until the connection ends. What the pipe has to send is written by its `Writer`; who has to say something until when
knows `Heartbeats`. The session attaches all three to the pipe, and detaches them when the connection has ended.
"""

from __future__ import annotations

import trio

from .. import zmtp
from .._errors import PeerUnwantedError, RemoteProtocolError, SilentPeerError
from .._events import HandshakeFailed, HandshakeSucceeded
from .._pipes import UNCONNECTED, QueuedPipe
from .._transports import NonblockingStream
from ._carrier import PeerHost
from ._heartbeats import Heartbeats
from ._read_size import READ_SIZE
from ._reader import Reader, try_receive
from ._timers import GOODBYE
from ._writer import Writer

_HANDSHAKE_READ_SIZE = 16 * 1024  # bytes asked for in one read of a peer not known yet, which shall cost little


class Session:
    """The traffic of one connection.

    Args:
      stream: the connection, just made.
      protocol: its protocol state, fresh.
      host: the socket.
      endpoint: the endpoint of ours that the connection belongs to.
      pipe: the pipe that outlives the connection; None to make one that ends with it.

    Attributes:
      established: the handshake is complete, or was.
      attached: a pipe is attached to the connection now.
    """

    def __init__(
        self,
        stream: NonblockingStream,
        protocol: zmtp.WireProtocol,
        host: PeerHost,
        endpoint: str,
        pipe: QueuedPipe | None = None,
    ) -> None:
        self.address: str = getattr(stream, "peer", endpoint)
        self.established: bool = False
        self.pipe: QueuedPipe | None = pipe
        self._stream = stream
        self._protocol = protocol
        self._host = host
        self._endpoint = endpoint
        self._pipe_stays = pipe is not None
        self._scope = trio.CancelScope()
        self._error: Exception | None = None
        self._writer = Writer(stream, protocol, host.runtime, self.address, self.close)
        self._reader: Reader | None = None  # while a pipe is attached
        self._heartbeats_scope: trio.CancelScope | None = None

    @property
    def attached(self) -> bool:
        """A pipe is attached to the connection now."""
        return self._reader is not None

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
                    assert self._reader is not None
                    await self._reader.run()
                except (trio.BrokenResourceError, trio.ClosedResourceError, RemoteProtocolError) as exc:
                    self._error = self._error or exc
                except (trio.TooSlowError, PeerUnwantedError) as exc:
                    self._error = exc
                # Detach before saying why: a message queued meanwhile must wait for the next connection.
                self._detach()
                await self._say_why()
        finally:
            self._detach()
            await trio.aclose_forcefully(self._stream)
        return self._error

    def close(self, error: Exception | None = None) -> None:
        """End the connection now; ``error`` is what `run` returns."""
        self._error = self._error or error
        self._scope.cancel(reason=f"triomq: connection {self.address} closed")

    async def _handshake(self) -> None:
        limit = self._host.options.handshake_timeout
        with trio.move_on_after(limit) as deadline:
            await self._shake_hands()
        if deadline.cancelled_caught:
            raise trio.TooSlowError(f"no handshake from {self.address} within handshake_timeout={limit} s")
        assert self._protocol.peer is not None
        await self._be_admitted(self._protocol.peer)

    async def _shake_hands(self) -> None:
        protocol, stream = self._protocol, self._stream
        while not protocol.established:
            if data := protocol.data_to_send():
                await stream.send_all(data)
            await stream.wait_receivable()
            received = try_receive(stream, _HANDSHAKE_READ_SIZE)
            if received == b"":
                raise trio.BrokenResourceError("the peer closed the connection during the handshake")
            if received is not None:
                for event in protocol.receive_data(received, 1):
                    if not isinstance(event, zmtp.HandshakeComplete):  # nobody is there to take it
                        raise TypeError(f"{protocol!r} gave out {event!r} before a HandshakeComplete")
        if data := protocol.data_to_send():
            await stream.send_all(data)

    # --- admission ------------------------------------------------------------------------

    async def _be_admitted(self, peer: zmtp.PeerInfo) -> None:
        """Have the peer admitted: at once or, when the socket has no use for it, as soon as the socket has.

        Closing such a connection would only make the peer come back, and lose what it has sent meanwhile. So the
        connection is kept, and not read: a restarted peer whose old connection is not known to be dead yet gets its
        turn.
        """
        told = False
        while True:
            try:
                self._attach(peer)
                return
            except PeerUnwantedError as exc:
                if self._host.closing:
                    raise
                if not told:
                    event = HandshakeFailed(endpoint=self._endpoint, address=self.address, error=exc)
                    self._host.emit(event)
                    told = True
            await self._wait_for_vacancy()

    async def _wait_for_vacancy(self) -> None:
        """Wait until another peer has left, or this one does."""
        with self._host.until_vacancy():
            unread = 0
            while unread < READ_SIZE:
                await self._stream.wait_receivable()
                received = try_receive(self._stream, READ_SIZE)
                if received == b"":
                    raise trio.BrokenResourceError("the peer left while another had its place")
                if received is not None:
                    unread += len(received)
                    self._protocol.receive_data(received, 0)
            await trio.sleep_forever()

    def _attach(self, peer: zmtp.PeerInfo) -> None:
        """Join the connection with its pipe.

        Raises:
          PeerUnwantedError: the socket does not admit the peer.
        """
        host, protocol = self._host, self._protocol
        pipe = self.pipe if self.pipe is not None else new_pipe(host, self._endpoint)
        pipe.address = self.address
        host.admit_peer(pipe, peer)
        self.pipe = pipe
        self.established = True
        succeeded = HandshakeSucceeded(
            endpoint=self._endpoint,
            address=self.address,
            socket_type=peer.socket_type,
            routing_id=peer.routing_id,
        )
        host.emit(succeeded)
        writer = self._writer
        heartbeats = Heartbeats(
            host.options,
            peer.version,
            self.address,
            writer.send_heartbeat,
            writer.taken_at,
            self._look,
            self._start_heartbeats,
        )
        self._reader = Reader(
            self._stream, protocol, pipe, writer, heartbeats, host.runtime.turn_end, host.wanted, self.close
        )
        pipe.inbox.source = self._reader
        pipe.shares_encoding = protocol.shares_encoding and not pipe.outbox.conflate
        writer.attach(pipe, heartbeats.ping_sent, self._reader.still_stands)
        heartbeats.begin()

    def _detach(self) -> None:
        self._writer.detach()
        reader, self._reader = self._reader, None
        if reader is None:
            return
        if self._heartbeats_scope is not None:
            self._heartbeats_scope.cancel(reason="triomq: connection ended")
        pipe, self.pipe = self.pipe, None
        assert pipe is not None
        reader.stop()
        pipe.inbox.source = UNCONNECTED
        pipe.inbox.source_waits = False
        if self._pipe_stays:
            self._host.peer_left(pipe)
            pipe.room_made()  # a message that was whole in a half written batch is not queued any more
        else:
            self._host.remove_pipe(pipe)

    async def _say_why(self) -> None:
        """Tell a peer that is being refused the reason, if it listens."""
        if self._writer.busy or not isinstance(self._error, RemoteProtocolError):
            return
        if data := self._protocol.data_to_send():
            with trio.move_on_after(GOODBYE):
                try:
                    await self._stream.send_all(data)
                except trio.BrokenResourceError:
                    return  # it did not wait for the reason; the event here has it

    # --- heartbeats -----------------------------------------------------------------------

    def _look(self) -> bool:
        return self._reader is None or self._reader.look()

    def _start_heartbeats(self, heartbeats: Heartbeats) -> None:
        scope = self._heartbeats_scope = trio.CancelScope()
        name = f"triomq heartbeats {self.address}"
        self._host.runtime.nursery.start_soon(self._run_heartbeats, heartbeats, scope, name=name)

    @trio.lowlevel.enable_ki_protection
    async def _run_heartbeats(self, heartbeats: Heartbeats, scope: trio.CancelScope) -> None:
        with scope:
            try:
                await heartbeats.run()
            except SilentPeerError as exc:
                self.close(exc)

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
        if self.pipe is None or not self.established or not self.pipe.sent:
            self.close()
            return
        self.stop_delivering()
        try:
            if not self._stream.end_sending():
                self.close()
        except (trio.BrokenResourceError, trio.ClosedResourceError) as exc:
            self.close(exc)


def new_pipe(host: PeerHost, endpoint: str) -> QueuedPipe:
    """A pipe of a socket with the limits that its options say."""
    options = host.options
    return QueuedPipe(host.owner, endpoint, options.send_limit, options.receive_limit, conflate=options.conflate)
