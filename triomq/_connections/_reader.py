"""The reading half of a session: from the connection to a pipe's inbox.

Theory of operation

One task of the session is in `Reader.run` and reads until the connection ends. It takes in no more messages than the
pipe's inbox has room for; when there is none it stops reading, and the peer feels that through TCP.

*Who waits, reads.* A task in ``receive`` would be woken by the reader task, after that was woken by the system: two
task switches for one message, and a third of a round trip. So, where a socket has one peer, who waits in ``receive``
*borrows* the connection: the reader task steps aside, and the user's task waits for the stream and calls `take_in`.
When it has its message it gives the connection back; the reader task reads on when the user's task waits for
something, unless that is the next message: then it stays aside, and costs nothing.

Nothing that goes wrong is the user's task's business: `take_in` notes it, and the reader task raises it.
"""

from __future__ import annotations

import math
from typing import Any

import trio

from .. import zmtp
from .._errors import RemoteProtocolError, SilentPeerError
from .._pipes import StreamPipe
from .._runtime import TurnEnd
from ..abc import NonblockingStream
from ._writer import Writer

READ_SIZE = 64 * 1024
"""Octets asked for in one read to begin with,"""

_LARGE_READ_SIZE = 1024 * 1024  # and doubled up to this while reads are filled
_LARGE_BODY = 32 * 1024  # octets of a frame from which on it is read by itself, into the object that it becomes
_HEADER_SIZE = 9  # octets before the body of such a frame
_EVENTS_PER_TURN = 512  # messages taken in between two schedule points: half a millisecond or less
_KEEPALIVE = 1.0  # seconds between the PINGs of a peer that has sent none yet: so often it may be about to


def receive_now(stream: NonblockingStream, size: int) -> bytes | None:
    """What has arrived, or None for a false alarm."""
    try:
        return stream.receive_nowait(size)
    except trio.WouldBlock:
        return None


class Reader:
    """Reads one connection into a pipe.

    Args:
      wanted: the classes of events, besides messages, that the pipe takes.

    Attributes:
      borrowed: a user's task waits for the stream in place of ours.
    """

    def __init__(
        self,
        stream: NonblockingStream,
        connection: zmtp.Connection,
        pipe: StreamPipe,
        writer: Writer,
        turn: TurnEnd,
        wanted: tuple[type, ...],
        address: str,
    ) -> None:
        self.borrowed: bool = False
        self._stream = stream
        self._connection = connection
        self._pipe = pipe
        self._writer = writer
        self._turn = turn
        self._wanted = wanted
        self._address = address
        self._size = READ_SIZE
        self._large = False  # the last frame was large, so the next may be
        self._task: trio.lowlevel.Task | None = None  # ours, asleep: the inbox is full, or the connection borrowed
        self._waits = False  # our task waits for the stream,
        self._borrower_waits = False  # or the borrower's
        self._ended = False
        self._failure: Exception | None = None  # what the borrower met with
        self._leaving = False
        self._liveness = trio.CancelScope()
        self._max_silence = math.inf
        self._last_ping = trio.current_time()  # when the peer sent one, or could begin to; and the shortest time
        self._ping_interval = _KEEPALIVE  # between two

    async def run(self) -> None:
        """Read until the peer ends the stream in good order.

        Raises:
          RemoteProtocolError: the peer broke the protocol.
          SilentPeerError: nothing came for as long as `limit_silence` allows.
          trio.BrokenResourceError, trio.ClosedResourceError: the connection is dead.
        """
        with self._liveness:
            await self._read_until_end()
        if self._liveness.cancelled_caught:
            raise SilentPeerError(f"nothing from {self._address} for {self._max_silence} s, though heartbeats are on")

    def limit_silence(self, seconds: float) -> None:
        """Let `run` end when the peer says nothing for so long."""
        self._max_silence = seconds
        self._liveness.deadline = trio.current_time() + seconds

    def stop_delivering(self) -> None:
        """The socket is closed: throw away what still arrives."""
        self._leaving = True
        self.resume()

    def stop(self) -> None:
        """Read no more, ever; `run` was left."""
        self._ended = True
        self.borrowed = False
        self.poke()

    def resume(self) -> None:
        """There is room in the inbox."""
        if self._task is not None:
            trio.lowlevel.reschedule(self._task)
            self._task = None

    # --- for a task that waits in `receive` -------------------------------------------------

    def borrow(self) -> bool:
        """Let the caller's task read in place of ours. Returns: False if that cannot be."""
        if self.borrowed or self._ended or self._leaving or self._connection.has_buffered or self._is_full:
            return False
        if not self._stream.can_interrupt:
            return False
        if self._waits:
            self._stream.interrupt()
        self.borrowed = True
        return True

    async def wait(self) -> None:
        """Wait until `take_in` has something to take, or `poke` is called, or the connection has ended.

        Cancellation: nothing was taken.
        """
        self._borrower_waits = True
        try:
            await self._stream.wait_receivable()
        except trio.ClosedResourceError:
            self.borrowed = False
        finally:
            self._borrower_waits = False

    # On the path of a message that is waited for.
    def take_in(self) -> None:
        """Deliver what has arrived. Never waits, never raises; may end the borrowing."""
        try:
            self._receive()
        except (trio.BrokenResourceError, trio.ClosedResourceError, RemoteProtocolError) as exc:
            self._ended = True
            self._failure = exc.with_traceback(None)  # no cycle through it
        if self._ended or self._leaving or self._connection.has_buffered:
            self.borrowed = False

    def poke(self) -> None:
        """Let the borrower's `wait` return."""
        if self._borrower_waits:
            self._stream.interrupt()

    def give_back(self) -> None:
        """Read on with our own task, from the end of this turn on, if nobody has borrowed again until then."""
        self.borrowed = False
        self._turn.give_back(self)

    # --- reading --------------------------------------------------------------------------

    @property
    def _is_full(self) -> bool:
        return len(self._pipe.inbox) >= self._pipe.receive_limit

    @property
    def _may_read(self) -> bool:
        """Whether what has arrived is ours still: a borrower may have come, read and gone since we were woken."""
        if self.borrowed or self._ended:
            return False
        return self._leaving or not (self._connection.has_buffered or self._is_full)

    async def _read_until_end(self) -> None:
        while not self._ended:
            if self.borrowed:
                await self._sleep()
            elif self._is_full and not self._leaving:
                await self._wait_for_room()
            elif self._connection.has_buffered and not self._leaving:
                await trio.lowlevel.checkpoint()
                self._deliver(b"")
            else:
                self._waits = True
                try:
                    await self._stream.wait_receivable()
                finally:
                    self._waits = False
                if self._may_read:
                    self._receive()
        if self._failure is not None:
            failure, self._failure = self._failure, None
            try:
                raise failure
            finally:
                del failure

    # On the path of every message.
    def _receive(self) -> None:
        """Deliver what has arrived, if that was no false alarm."""
        size = self._size if self._connection.between_messages and not self._large else self._next_size()
        data = receive_now(self._stream, size)
        if data is None:
            return
        if not data:
            self._ended = True
            return
        if size == self._size:
            self._size = min(2 * size, _LARGE_READ_SIZE) if len(data) == size else READ_SIZE
        if self._leaving:
            return  # the socket is closed: only the peer's own end matters now
        if self._max_silence != math.inf:
            self._liveness.deadline = trio.current_time() + self._max_silence
        self._writer.answers = self._deliver(data) < 2  # to several messages there may be several answers: gather them
        if size == _HEADER_SIZE and self._connection.receive_hint():
            self._receive()

    def _next_size(self) -> int:
        """How many octets to ask for.

        Of a large frame the rest and no more, and then, as another may follow, a header by itself: so a body comes
        in one piece, if it is there, and is copied by nobody but the system.
        """
        missing = self._connection.receive_hint()
        if missing >= _LARGE_BODY or (missing and self._large):
            self._large = True
            return min(missing, _LARGE_READ_SIZE)
        if self._large:
            self._large = False
            return _HEADER_SIZE
        return self._size

    # On the path of every message.
    def _deliver(self, data: bytes) -> int:
        """Put what is in the data into the pipe. Returns: how many messages and the like there were."""
        pipe, connection = self._pipe, self._connection
        room = pipe.receive_limit - len(pipe.inbox)
        events = connection.receive_data(data, _EVENTS_PER_TURN if room > _EVENTS_PER_TURN else int(room))
        if not connection.messages_only:
            self._size = READ_SIZE  # large reads are for messages: commands are few, or a flood that is to cost little
            events = self._without_heartbeats(events)
        count = len(events)
        if count:
            pipe.deliver(events)
        return count

    def _without_heartbeats(self, events: list[Any]) -> list[Any]:
        for event in events:
            if type(event) is zmtp.Ping:
                self._writer.send_control()
                self._note_ping(trio.current_time())
                if event.ttl:
                    self.limit_silence(min(self._max_silence, event.ttl))
        return [event for event in events if isinstance(event, self._wanted)]

    def _note_ping(self, now: float) -> None:
        if now > self._last_ping:
            self._ping_interval = min(self._ping_interval, now - self._last_ping)
        self._last_ping = now

    async def _wait_for_room(self) -> None:
        """Stop reading until the user has received something.

        A silent peer is not noticed meanwhile: it may well be speaking, to nobody. Its PINGs are not read either; so
        the peer is told unasked, twice as often as it pings, that we live: it would drop a consumer that is only slow.
        """
        self._liveness.deadline = math.inf
        while self._is_full and not self._leaving:
            with trio.move_on_after(self._ping_interval / 2) as pause:
                # As libzmq, read on when half has been taken: to do so for every message would cost a turn for each.
                self._pipe.resume_at = self._pipe.receive_limit // 2
                self._pipe.stalled = True
                await self._sleep()
            if pause.cancelled_caught:
                self._writer.send_when_idle(zmtp.Pong())
        self.limit_silence(self._max_silence)

    async def _sleep(self) -> None:
        self._task = trio.lowlevel.current_task()

        def abort(_: object) -> trio.lowlevel.Abort:
            self._task = None
            self._pipe.stalled = False
            return trio.lowlevel.Abort.SUCCEEDED

        await trio.lowlevel.wait_task_rescheduled(abort)
