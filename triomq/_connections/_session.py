"""One connection's life: a stream and its protocol on one side, a pipe on the other.

Theory of operation

`Session.run` is one task: it makes the handshake, has the peer admitted by the socket, then lets its `Reader` read
until the connection ends. Its `Writer` writes what the pipe has to send. Its `Heartbeats` know which side has to say
something, and until when. The session attaches all three to the pipe, and detaches them when the connection has ended.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import trio

from .. import _security, zmtp
from .._errors import PeerUnwantedError, RefusedByPeerError, RemoteProtocolError, SilentPeerError, cancellation_alone
from .._message import BytesLike, Frames
from .._pipes import UNCONNECTED, QueuedPipe
from .._statistics import Peer
from .._transports import NonblockingStream
from ._carrier import PeerHost
from ._handshake import Patience, shake_hands
from ._heartbeats import SINCE, Heartbeats
from ._judging import is_refusal, judge_peer
from ._new_pipe import new_pipe
from ._reader import Reader
from ._reports import report_end, report_success, report_wait, report_waiting_peer
from ._timers import GOODBYE
from ._told_to_wait import ADMITTED
from ._waiting_peer import WaitingPeer
from ._writer import Writer

Cut: TypeAlias = Frames | bytes
"""A message that was half written: as the user sent it, or encoded."""


class Session:
    """The traffic of one connection.

    Args:
      stream: the connection, just made.
      protocol: its protocol state, fresh.
      host: the socket.
      endpoint: the endpoint of ours that the connection belongs to.
      pipe: the pipe that outlives the connection; None to make one that ends with it.
      accepted: the peer dialled; it has ``greeting_timeout`` for its greeting.

    Attributes:
      established: the handshake is complete, or was.
      attached: a pipe is attached to the connection now.
      waits_as: the routing id of a peer whose place is taken, while it waits for the place.
      error: why the connection ended; None while it lasts, or if the peer closed it in good order, or we did.
      refused: the peer refused us, or we the peer.
      carried: something went whole over the connection: a message or a heartbeat's answer, in either direction.
      cut_off: the message of a pipe that stays of which only a part was taken when the connection ended.
      peer: who is there, or was last; None if it was never admitted.
      process: at the other end, if it is on this machine, and the transport knows it.
      progress: called when a peer that is not established has said something, has to wait, or is established.
      scope: what `run` runs in, and `close` cancels; whoever runs the session assigns it.
    """

    __slots__ = (
        "_accepted", "_before", "_endpoint", "_heartbeats", "_heartbeats_scope", "_host", "_pipe_stays",
        "_protocol", "_reader", "_refuses", "_stream", "_torn", "_write_error", "_writer", "address", "carried",
        "cut_off", "error", "established", "peer", "pipe", "process", "progress", "scope", "waits_as",
    )  # fmt: skip

    scope: trio.CancelScope

    def __init__(
        self,
        stream: NonblockingStream,
        protocol: zmtp.WireProtocol,
        host: PeerHost,
        endpoint: str,
        pipe: QueuedPipe | None = None,
        *,
        accepted: bool = False,
    ) -> None:
        self.address: str = getattr(stream, "peer", endpoint)
        self.process: _security.PeerProcess | None = getattr(stream, "process", None)
        self.established: bool = False
        self.pipe: QueuedPipe | None = pipe
        self.waits_as: bytes | None = None
        self.error: Exception | None = None
        self.carried: bool = False
        self.peer: Peer | None = None
        self.cut_off: Cut | None = None
        self.progress: Callable[[Session], None] = _nobody_asks
        self._stream = stream
        self._protocol = protocol
        self._host = host
        self._endpoint = endpoint
        self._pipe_stays = pipe is not None
        self._accepted = accepted
        self._writer = Writer(stream, protocol, host.runtime, self.address, host.tasks.suffix, self)
        self._reader: Reader | None = None  # while a pipe is attached
        self._heartbeats: Heartbeats | None = None
        self._heartbeats_scope: trio.CancelScope | None = None
        self._write_error: Exception | None = None  # of a connection that the peer had ended already
        self._refuses = False  # this side does not want such a peer
        self._torn = False  # a message is half written, and nothing can be said any more
        self._before = 0  # messages sent and received by the pipe before this connection

    @property
    def attached(self) -> bool:
        """A pipe is attached to the connection now."""
        return self._reader is not None

    @property
    def greeted(self) -> bool:
        """The peer's greeting has come whole."""
        return self._protocol.greeted

    @property
    def refused(self) -> bool:
        """The peer refused us, or we the peer: and would again, if this is not said to be temporary."""
        return is_refusal(self.error, self._refuses)

    # --- the connection's life ----------------------------------------------------------

    async def run(self) -> None:
        """Serve the connection until it ends, then close it; ``error`` says why it ended.

        Cancellation: it ends at once. `close` cancels the ``scope``, in which the caller has entered this.
        """
        try:
            try:
                await self._handshake()
                assert self._reader is not None
                await self._reader.run()
            except (trio.BrokenResourceError, trio.ClosedResourceError, RemoteProtocolError) as exc:
                self.error = self.error or exc
            except (trio.TooSlowError, PeerUnwantedError) as exc:
                self.error = exc
            except MemoryError:
                # Without the traceback: it would keep what there was no room for.
                self.error = MemoryError(f"out of memory at what came from {self.address}: connection closed")
            self._note_why_the_peer_hung_up()
            # Detach before saying why: a message queued meanwhile must wait for the next connection.
            self._detach()
            await self._say_why()
        finally:
            self._detach()
            self._say_why_at_once()
            await self.discard()  # noqa: ASYNC102  # it closes at once, cancelled or not

    async def discard(self) -> None:
        """Close the stream, whatever state it is in."""
        try:
            with cancellation_alone():
                await trio.aclose_forcefully(self._stream)
        except Exception as exc:  # of a user's own transport: the connection is over in any case
            self.error = self.error or exc

    def tell_end(self, retry_in: float | None = None) -> None:
        """Tell the monitors that the connection has ended; of a handshake, only if there is a reason.

        Args:
          retry_in: seconds until the endpoint is dialled again; None if it is not.
        """
        error, peer = self.error, self.peer
        report_end(self._host, self._endpoint, self.address, error, retry_in, peer, was_up=self.established)

    def close(self, error: Exception | None = None) -> None:
        """End the connection now; ``error`` is why."""
        self.error = self.error or error
        self.scope.cancel(reason=f"triomq: connection {self.address} closed")

    async def _handshake(self) -> None:
        protocol = self._protocol
        limits = Patience(self._host.options, self.address, accepted=self._accepted)
        await shake_hands(self._stream, protocol, limits, lambda: self.progress(self), self._judge)
        assert protocol.peer is not None
        await self._be_admitted(protocol.peer)

    async def _judge(self, question: zmtp.AuthenticationRequested) -> None:
        await judge_peer(self._host, self._endpoint, self._stream, self._protocol, question)

    # --- admission ------------------------------------------------------------------------

    async def _be_admitted(self, peer: zmtp.PeerInfo) -> None:
        """Have the peer admitted: at once or, when the socket has no use for it, as soon as the socket has.

        Closing such a connection would only make the peer come back, and lose what it has sent meanwhile. So the
        connection is kept, and not read: a restarted peer whose old connection is not known to be dead yet gets its
        turn.
        """
        waiting_timeout = self._host.options.waiting_timeout
        waiting = WaitingPeer(self._stream, self._protocol)
        with trio.CancelScope() as limit:
            while True:
                # The endpoint may be given up since this task was woken: nobody is admitted then.
                await trio.lowlevel.checkpoint_if_cancelled()
                try:
                    self._attach(peer, waiting.unsent)
                    return
                except PeerUnwantedError as exc:
                    if self._host.closing:  # the peer has done nothing wrong: there is nothing to tell
                        self.close()
                        await trio.sleep_forever()
                    again = self.waits_as is not None
                    if not again:
                        report_waiting_peer(self._host, self._endpoint, self.address, peer, exc)
                        limit.deadline = trio.current_time() + waiting_timeout
                        self.waits_as = peer.routing_id
                        self.progress(self)
                with self._host.until_vacancy(peer.routing_id, again=again):
                    await waiting.watch()
        raise trio.TooSlowError(f"no place for {self.address} within waiting_timeout={waiting_timeout} s")

    def _attach(self, peer: zmtp.PeerInfo, begun: Sequence[BytesLike]) -> None:
        """Join the connection with its pipe; ``begun`` is the rest of what the peer is being told.

        Raises:
          PeerUnwantedError: the socket does not admit the peer.
        """
        host, protocol = self._host, self._protocol
        pipe = self.pipe if self.pipe is not None else new_pipe(host, self._endpoint, dialled=not self._accepted)
        pipe.address, pipe.process = self.address, self.process
        host.admit_peer(pipe, peer)
        host.note_refusal(self._endpoint, None)
        self.pipe = pipe
        self.established = True
        self.progress(self)
        self.progress = _nobody_asks
        report_success(host, self._endpoint, self.address, peer, host.peer_at(pipe))
        writer = self._writer
        self._before = pipe.sent + pipe.received
        heartbeats = self._heartbeats = Heartbeats(
            host.options,
            peer.version,
            self.address,
            writer,
            self,
        )
        end, wanted = host.runtime.turn_end, host.wanted
        self._reader = Reader(self._stream, protocol, pipe, writer, heartbeats, end, wanted, self)
        pipe.inbox.source = pipe.inbox.lookout = self._reader
        pipe.shares_encoding = protocol.shares_encoding and not pipe.outbox.conflate
        if self.waits_as is not None and peer.version >= SINCE:
            pipe.control(ADMITTED)
        writer.attach(pipe, begun)
        heartbeats.begin()

    def kept_waiting(self, waits: bool) -> None:
        """See `HeartbeatsHost`."""
        peer = None if self.pipe is None else self._host.peer_at(self.pipe)
        report_wait(self._host, self._endpoint, self.address, peer, over=not waits)

    def _detach(self) -> None:
        self._torn = self._torn or self._writer.busy
        half_written = self._writer.half_written
        self._writer.detach()
        reader, self._reader = self._reader, None
        if reader is None:
            return
        if self._heartbeats_scope is not None:
            self._heartbeats_scope.cancel(reason="triomq: connection ended")
        pipe, self.pipe = self.pipe, None
        assert pipe is not None
        self.peer = self._host.peer_at(pipe)
        heartbeats, self._heartbeats = self._heartbeats, None
        answered = heartbeats is not None and heartbeats.answered
        self.carried = answered or pipe.sent + pipe.received != self._before
        reader.stop(keep=self.error is None)
        pipe.inbox.source = UNCONNECTED
        pipe.inbox.source_waits = False
        if self._pipe_stays:
            self.cut_off = half_written
            self._host.peer_left(pipe)
            pipe.room_made()  # a message that was whole in a half written batch is not queued any more
        else:
            self._host.remove_pipe(pipe)

    def _note_why_the_peer_hung_up(self) -> None:
        error = self.error = self.error or self._write_error
        if (reason := self._protocol.last_error) and (error is None or isinstance(error, trio.BrokenResourceError)):
            self.error = RefusedByPeerError(f"the peer ended the connection: {reason}")
            self.error.__cause__ = error

    # --- telling the peer why ---------------------------------------------------------------

    def hang_up(self, error: Exception) -> None:
        """See `ReaderHost`."""
        self._protocol.refuse(str(error))
        self.close(error)

    def _last_words(self) -> bytes:
        """What is to be said to a peer that broke the protocol, or is refused."""
        if self._torn or not isinstance(self.error, RemoteProtocolError):
            return b""
        return self._protocol.data_to_send()

    async def _say_why(self) -> None:
        """Tell a peer that is being refused the reason, if it listens."""
        if data := self._last_words():
            self._refuses = not self.established
            with trio.move_on_after(GOODBYE):
                try:
                    await self._stream.send_all(data)
                except trio.BrokenResourceError:
                    return  # it did not wait for the reason; the event here has it

    def _say_why_at_once(self) -> None:
        """The same, where this side has ended the connection by itself: there is no time to wait."""
        if data := self._last_words():
            try:
                self._stream.send_nowait([data])
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                return  # likewise

    # --- what the writer tells and asks ---------------------------------------------------------

    def ping_sent(self) -> None:
        """See `WriterHost`."""
        if self._heartbeats is not None:
            self._heartbeats.ping_sent()

    def still_stands(self) -> bool:
        """See `WriterHost`."""
        return self._reader is None or self._reader.still_stands()

    def write_failed(self, error: Exception) -> None:
        """See `WriterHost`. The peer has hung up, and may have said why before."""
        reader = self._reader
        if reader is not None:
            reader.look_at_all()
        if reader is not None and reader.ended:
            self._write_error = error
            reader.poke()  # it knows why the connection ended: let it say so
            reader.resume()
        else:
            self.close(error)
            self._note_why_the_peer_hung_up()

    # --- heartbeats -----------------------------------------------------------------------

    def look(self) -> bool:
        """See `HeartbeatsHost`."""
        return self._reader is None or self._reader.look()

    def start_heartbeats(self) -> None:
        """See `HeartbeatsHost`."""
        assert self._heartbeats is not None
        scope = self._heartbeats_scope = trio.CancelScope()
        name = f"triomq heartbeats {self.address}{self._host.tasks.suffix}"
        self._host.runtime.nursery.start_soon(self._run_heartbeats, self._heartbeats, scope, name=name)

    def heartbeat_answered(self, seconds: float) -> None:
        """See `HeartbeatsHost`."""
        if (pipe := self.pipe) is not None:
            pipe.round_trip = seconds
            self._host.heartbeat(pipe)

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

    def leave(self, error: Exception) -> None:
        """See `ReaderHost`."""
        self.error = self.error or error
        self.say_goodbye()

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


def _nobody_asks(_: Session) -> None:
    """Nobody keeps count of connections that are not established."""
