"""The writing half of a session: from a pipe's outbox to the connection.

Theory of operation

Nobody waits to write. A message is first accepted (it is in the outbox, and the user's ``send`` has done its work),
then written by `Writer.flush`: a synchronous function that hands over what the connection takes.

* On a connection that has been idle, `flush` is called from within ``send``: that is the latency.
* On a busy one the writer is noted with the flusher, which calls `flush` when the sending task gives up its slice:
  a burst becomes one system call, and that is the throughput.
* What the connection did not take is ours (``_unsent``): a task is started that waits for room and goes on until
  nothing is left. Until then `flush` does nothing, and the messages still count against the HWM.

No await lies between accepting and writing, so no cancellation can tear a frame.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any

import trio

from .. import zmtp
from .._message import BytesLike
from .._pipes import StreamPipe, nothing_to_do
from .._runtime import Runtime
from ..abc import NonblockingStream

PING_SINCE = (3, 1)
"""The version of ZMTP whose peers know heartbeats."""

_IDLE = 50e-6  # seconds without a write after which the next message is written from within `send`
_BATCH = 64  # messages encoded for one write: as many as a slice sends,
_LARGE_BATCH = 256  # or several slices, if they are
_SMALL = 256  # octets each or less, as of the last write
_MORE_EXPECTED = 8  # messages gathered in one slice that let expect more,
_LONGEST_GATHERING = 0.5e-3  # seconds after the first of which they are written in any case
_WRITE_SIZE = 256 * 1024  # octets handed over in one flush before other connections have their turn


class Writer:
    """Writes one connection.

    Args:
      fail: called, once at the most, with why the connection cannot be written to any more.
    """

    def __init__(
        self,
        stream: NonblockingStream,
        connection: zmtp.Connection,
        runtime: Runtime,
        address: str,
        fail: Callable[[Exception], None],
    ) -> None:
        self._stream = stream
        self._connection = connection
        self._runtime = runtime
        self._flusher = runtime.flusher
        self._address = address
        self._fail = fail
        self._pipe: StreamPipe | None = None  # while the connection is established
        self._last_write = -math.inf
        self.answers: bool = True  # the peer has said one thing since the last write: now it is our turn
        self._control_due = False  # the connection has a PONG or the like to send
        self._batch: list[Any] = []  # the messages that `_unsent` is the rest of
        self._batch_ends: list[int] = []  # where in the octets of the batch each of them ends
        self._batch_written = 0  # how many of these octets the connection has taken
        self._unsent: list[BytesLike] = []
        self._most = _BATCH
        self._gathered = 0  # messages in the outbox when `wants_more` looked last,
        self._gathering_since = 0.0  # and when it first said yes

    @property
    def busy(self) -> bool:
        """A message is half written: nothing else may be written now."""
        return bool(self._unsent)

    def attach(self, pipe: StreamPipe) -> None:
        """Write what is in the pipe's outbox, from the end of this slice on."""
        self._pipe = pipe
        pipe.wake = self._wake
        pipe.wake_later = self._wake_later
        pipe.flush = self.flush
        pipe.attended = True
        self._flusher.add(self)

    def detach(self) -> None:
        """Write no more, ever. What the peer cannot have received whole goes back to the head of the outbox."""
        self._fail = _ignore
        pipe, self._pipe = self._pipe, None
        if pipe is not None:
            self._restore(pipe)
            pipe.wake = pipe.wake_later = pipe.flush = nothing_to_do
            pipe.attended = True

    def send_control(self) -> None:
        """The connection has something of its own to say, as a PONG."""
        self._control_due = True
        self._wake_later()

    def send_when_idle(self, heartbeat: zmtp.Ping | zmtp.Pong) -> None:
        """Show that we live, unless something that shows it is about to be written anyway."""
        pipe = self._pipe
        if pipe is not None and pipe.peer is not None and pipe.peer.version >= PING_SINCE and not pipe.queued():
            pipe.control(heartbeat)

    # On the path of every message.
    def _wake(self) -> None:
        """The first message since the last flush has been accepted: write it, or gather more."""
        if self._flusher.gathering or not (self.answers or trio.current_time() - self._last_write >= _IDLE):
            self._wake_later()
        else:
            self.flush()

    def _wake_later(self) -> None:
        pipe = self._pipe
        if pipe is not None and not pipe.attended:
            pipe.attended = True
            self._flusher.add(self)

    def wants_more(self, now: float) -> bool:
        """Whether to put the flush off for another slice, because the last one has brought several small messages.

        One system call for several slices is cheaper here, and cheaper still for the peer, who reads them at once.
        """
        pipe = self._pipe
        queued = 0 if pipe is None or self._most == _BATCH else pipe.waiting()
        more = queued >= _MORE_EXPECTED and self._gathered < queued < _LARGE_BATCH
        if more and not self._gathered:
            self._gathering_since = now
        elif more:
            more = now - self._gathering_since < _LONGEST_GATHERING
        self._gathered = queued if more else 0
        return more

    # On the path of every message.
    def flush(self) -> None:
        """Write what is queued, as far as the connection takes it. Never waits, never raises."""
        pipe = self._pipe
        if pipe is None or self._unsent or not self._connection.established:
            return  # at fault, a connection gives out the events before the fault first, and takes nothing
        pipe.attended = False
        flushed = 0
        while pipe.own or pipe.tails or self._control_due:
            if flushed >= _WRITE_SIZE:
                self._wake_later()
                break
            taken = self._write_batch(pipe)
            if taken is None:
                pipe.attended = True
                break
            flushed += taken
        self._last_write = trio.current_time()
        self.answers = False
        pipe.room_made()
        if pipe.draining and not pipe.queued():
            pipe.owner._pipe_drained(pipe)

    # On the path of every message.
    def _write_batch(self, pipe: StreamPipe) -> int | None:
        """Encode and write some messages.

        Returns: how many octets, or None when the connection did not take all: then `_unsent` has the rest.
        """
        batch, pieces = pipe.take(self._most)
        buffers: list[bytes] = []
        control = 0
        if self._control_due:
            self._control_due = False
            buffers.append(self._connection.data_to_send())
            control = len(buffers[0])
        total = control + self._connection.encode(pieces, buffers)
        failure: Exception | None = None
        try:
            taken = self._stream.send_nowait(buffers)
        except (trio.BrokenResourceError, trio.ClosedResourceError) as exc:
            failure, taken = exc, 0
        if taken == total and failure is None:
            pipe.count_sent(batch)
            self._most = _LARGE_BATCH if taken <= _SMALL * len(batch) else _BATCH
            return taken
        self._batch = batch
        encoded = pieces is not batch
        sizes = map(len, batch) if encoded else (self._connection.encode((item,), []) for item in batch)
        self._batch_ends = list(accumulate(sizes))
        self._batch_written = taken - control
        self._unsent = _without(buffers, taken)
        pipe.set_unsent(len(batch))
        if failure is not None:
            self._fail(failure)
        else:
            self._runtime.nursery.start_soon(self._write_unsent, name=f"triomq writer {self._address}")
        return None

    @trio.lowlevel.enable_ki_protection
    async def _write_unsent(self) -> None:
        """Write the rest of a batch whenever the connection takes some, then what was queued meanwhile."""
        try:
            while self._unsent:
                taken = await self._stream.send_some(self._unsent)
                self._unsent = _without(self._unsent, taken)
                self._batch_written += taken
        except (trio.BrokenResourceError, trio.ClosedResourceError) as exc:
            self._fail(exc)
            return
        pipe = self._pipe
        if pipe is not None:
            pipe.count_sent(self._batch)
            self._batch = []
            self._batch_ends = []
            pipe.set_unsent(0)
            self.flush()

    def _restore(self, pipe: StreamPipe) -> None:
        whole = bisect_right(self._batch_ends, self._batch_written)
        pipe.count_sent(self._batch[:whole])
        pipe.restore(self._batch[whole:])
        self._batch = []
        self._batch_ends = []
        self._unsent = []


def _ignore(_: Exception) -> None:
    """The connection is over, and why is known."""


def _without(buffers: Sequence[BytesLike], count: int) -> list[BytesLike]:
    """The buffers less their first ``count`` octets, without copying."""
    for index, buffer in enumerate(buffers):
        if count < len(buffer):
            return [memoryview(buffer)[count:], *buffers[index + 1 :]]
        count -= len(buffer)
    return []
