"""The writing half of a session: from a pipe's outbox to the connection.

Theory of operation

Nobody waits to write. A message is first accepted (it is in the outbox, and the user's ``send`` has done its work),
then written by `Writer.flush`: a synchronous function that hands over what the connection takes.

* On a connection that has been idle, `flush` is called from within ``send``: that is the latency.
* On a busy one the writer is noted with the flusher, which calls `flush` when the sending task gives up its turn:
  a burst becomes one system call, and that is the throughput.
* Answers to several messages leave together, but turn by turn: the peer works on the first ones while we work on the
  rest. If all of them left at once, one side would always wait for the other.
* What the connection did not take is ours (``_unsent``): a task is started that waits for room and goes on until
  nothing is left. Until then `flush` does nothing, and the messages still count against the HWM.

No await lies between accepting and writing, so no cancellation can tear a frame.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final

import trio

from .. import zmtp
from .._message import BytesLike, Frames
from .._pipes import UNCONNECTED, QueuedPipe
from .._runtime import Gathering, Runtime
from .._transports import NonblockingStream
from ._large_blocks import keep_large_blocks
from ._life import WriterHost
from ._timers import IDLE

_BATCH: Final = 64  # messages in one write
_LARGE_BATCH: Final = 1024  # messages in one write, if those of the last write were small
_SMALL: Final = 256  # bytes; a message up to this is small
_MORE_EXPECTED: Final = 8  # messages in one turn; from this many on, the next turn probably brings more
_LONGEST_GATHERING: Final = 0.5e-3  # seconds from the first gathered message to the write, at most
_SEVERAL: Final = 8  # messages from the peer; answers to so many are written together
_MANY: Final = 128  # messages from the peer; to so many the answers are gathered for several turns, like any stream
_WRITE_SIZE: Final = 256 * 1024  # bytes handed over in one flush before other connections have their turn
_ENCRYPTED: Final = 256 * 1024  # bytes; about as many are encrypted for one write, in a quarter of a millisecond
_EACH: Final = 2048  # bytes of which the encryption costs as much as all else that each frame costs besides
_ENCRYPTED_BATCH: Final = _ENCRYPTED // _EACH  # the most messages that are encrypted for one write


class Writer:
    """Writes one connection.

    Args:
      suffix: what the name of its task ends with.
      host: is told what becomes of what is written.
    """

    __slots__ = (
        "_address", "_batch", "_batch_ends", "_batch_written", "_control_due", "_enough", "_flusher",
        "_gathering", "_host", "_last_write", "_most", "_pipe", "_protocol", "_runtime", "_stream",
        "_suffix", "_turn_end", "_unsent", "came",
    )  # fmt: skip

    def __init__(
        self,
        stream: NonblockingStream,
        protocol: zmtp.WireProtocol,
        runtime: Runtime,
        address: str,
        suffix: str,
        host: WriterHost,
    ) -> None:
        self._stream = stream
        self._protocol = protocol
        self._runtime = runtime
        self._flusher = runtime.flusher
        self._turn_end = runtime.turn_end
        self._address = address
        self._suffix = suffix
        self._host = host
        self._pipe: QueuedPipe | None = None  # while the connection is established
        self._last_write = -math.inf
        # How many messages and the like the peer's last bytes brought, if none of ours was written since. What we send
        # now probably answers them: a single answer is written at once.
        self.came: int = 1
        self._control_due = False  # the connection has a PONG or the like to send
        self._batch: Sequence[zmtp.Item] = ()  # the messages that `_unsent` is the rest of
        self._batch_ends: Sequence[int] = ()  # where in the bytes of the batch each of them ends
        self._batch_written = 0  # how many of these bytes the connection has taken
        self._unsent: Sequence[BytesLike] = ()
        self._most = _BATCH
        self._enough = _LARGE_BATCH if protocol.shares_encoding else _ENCRYPTED_BATCH  # messages: gather no more
        self._gathering = Gathering()

    @property
    def busy(self) -> bool:
        """A message is half written: nothing else may be written now."""
        return bool(self._unsent)

    @property
    def half_written(self) -> Frames | bytes | None:
        """The message of which the connection has taken a part, and not all; None if there is none."""
        item = self._batch[0] if self._batch and self._batch_written > 0 else None
        return item if isinstance(item, (tuple, bytes)) else None

    def taken_at(self) -> float:
        """When the connection last took something."""
        return self._last_write

    def attach(self, pipe: QueuedPipe, begun: Sequence[BytesLike]) -> None:
        """Write what is in the pipe's outbox, from the end of this turn on.

        Args:
          begun: the rest of something that was half written before; it comes first.
        """
        self._pipe = pipe
        pipe.sink = self
        pipe.sink_told = True
        if begun:
            self._unsent = begun
            self._start_writing()
        else:
            self._flusher.add(self)

    def detach(self) -> None:
        """Write no more, ever. What the peer cannot have received whole goes back to the head of the outbox."""
        self._host = _NOBODY
        pipe, self._pipe = self._pipe, None
        if pipe is not None:
            self._restore(pipe)
            pipe.sink = UNCONNECTED
            pipe.sink_told = True

    def send_control(self) -> None:
        """The connection has something of its own to say, as a PONG."""
        self._control_due = True
        self.wake_later()

    def send_heartbeat(self, heartbeat: zmtp.Ping | zmtp.Pong) -> None:
        """Queue a heartbeat behind what is queued; a PONG only if nothing is: that shows just as well that we live."""
        pipe = self._pipe
        if pipe is not None and not (isinstance(heartbeat, zmtp.Pong) and pipe.queued()):
            pipe.control(heartbeat)

    # On the path of every message.
    def wake(self) -> None:
        """The first message since the last flush has been accepted: write it, or gather more."""
        if self._flusher.gathering or not (self.came == 1 or self._is_idle()):
            self.wake_later()
        else:
            self.flush()

    def _is_idle(self) -> bool:
        """Nothing was written lately, nor did several messages come."""
        pipe = self._pipe
        since = self._last_write if pipe is None or self.came < _SEVERAL else pipe.last_traffic
        return since is None or self._turn_end.now() - since >= IDLE

    def wake_later(self) -> None:
        """Write what is queued at the end of this turn."""
        pipe = self._pipe
        if pipe is not None and not pipe.sink_told:
            pipe.sink_told = True
            self._flusher.add(self)

    def wants_more(self, now: float) -> bool:
        """Whether to put the flush off for another turn, because the last turns brought several small messages.

        One system call for several turns is cheaper here, and cheaper still for the peer, which reads them at once. But
        a peer that waits for answers is to have some of them soon.
        """
        pipe = self._pipe
        queued = 0 if pipe is None or self._most == _BATCH or 0 < self.came < _MANY else pipe.outbox.waiting()
        longest = _LONGEST_GATHERING if _MORE_EXPECTED <= queued < self._enough else 0.0
        return self._gathering.goes_on(queued, now, longest)

    # On the path of every message.
    def flush(self) -> None:
        """Write what is queued, as far as the connection takes it. Never waits, never raises."""
        pipe = self._pipe
        if pipe is None or self._unsent or not self._protocol.established:
            return  # at fault, a connection gives out the events before the fault first, and takes nothing
        now = self._last_write = self._turn_end.now()
        if now >= self._turn_end.late_from and not self._host.still_stands():
            return  # the peer hung up meanwhile: what is queued waits for the next connection
        pipe.sink_told = False
        outbox = pipe.outbox
        flushed = 0
        while outbox.queue or outbox.tails or self._control_due:
            if flushed >= _WRITE_SIZE:
                self.wake_later()
                break
            taken = self._write_batch(pipe)
            if taken is None:
                pipe.sink_told = True
                flushed = _WRITE_SIZE  # or less; at least the connection is busy
                break
            flushed += taken
        if flushed >= _WRITE_SIZE:
            self._flusher.much_written()
        self.came = 0
        if pipe.owner_waits or pipe.awaited:
            pipe.flushed()

    # On the path of every message.
    def _write_batch(self, pipe: QueuedPipe) -> int | None:
        """Encode and write some messages.

        Returns: how much that was, in bytes; None when the connection did not take all: then `_unsent` has the rest.
          Each message of a batch counts for 256 more, and what was encrypted as all that one flush may write: it took
          as long.
        """
        outbox, queue = pipe.outbox, pipe.outbox.queue
        batch: Sequence[zmtp.Item]
        if self._protocol.shares_encoding:
            if len(queue) == 1 and not (outbox.tails or self._control_due) and (alone := zmtp.encode_alone(queue[0])):
                return self._hand_over(pipe, (queue.popleft(),), (alone,), len(alone))
            ends: list[int] | None = None
            batch, pieces = outbox.take(self._most)
        else:
            ends = []  # who encrypts cannot encode twice: so ask at once where each item ends, not only when it matters
            batch, pieces = outbox.take(few_enough(queue, self._most))
        buffers: list[bytes] = []
        control = 0
        if self._control_due:
            self._control_due = False
            buffers.append(self._protocol.data_to_send())
            control = len(buffers[0])
        try:
            total = control + self._protocol.encode(pieces, buffers, ends)
            if total >= _WRITE_SIZE:
                keep_large_blocks()  # copies were made, by who encrypts or of a bytearray, and are freed again
        except MemoryError:
            pipe.restore(batch)  # nothing has left: the messages wait for the next connection
            self._host.write_failed(self._no_memory())
            return None
        taken = self._hand_over(pipe, batch, buffers, total, control, ends)
        if taken is None:
            return None
        return taken + (_SMALL * len(batch) if ends is None else _WRITE_SIZE)

    # On the path of every message.
    def _hand_over(
        self,
        pipe: QueuedPipe,
        batch: Sequence[zmtp.Item],
        buffers: Sequence[bytes],
        total: int,
        control: int = 0,
        ends: list[int] | None = None,
    ) -> int | None:
        """Write what was encoded; see `_write_batch`.

        Args:
          total: how many bytes; the first ``control`` of them are the connection's own.
          ends: where in the rest each message ends, if that is known.
        """
        # A failure is told at the end: the batch must be known as not sent by then, so that detaching puts it back.
        failure: Exception | None = None
        try:
            taken = self._stream.send_nowait(buffers)
        except (trio.BrokenResourceError, trio.ClosedResourceError) as exc:
            failure, taken = exc.with_traceback(None), 0  # no cycle through it
        if taken == total and failure is None:
            if pipe.outbox.controls:
                self._count_sent(pipe, batch)
            else:
                pipe.sent += len(batch)
            pipe.bytes_sent += taken
            pipe.last_traffic = self._last_write
            self._most = _LARGE_BATCH if taken <= _SMALL * len(batch) else _BATCH
            return taken
        self._batch = batch
        if ends is None:
            self._protocol.encode(batch, [], ends := [])
        self._batch_ends = ends
        self._batch_written = taken - control
        self._unsent = without(buffers, taken)
        pipe.bytes_sent += taken
        self._count_whole(pipe)
        if failure is not None:
            self._host.write_failed(failure)
        else:
            self._start_writing()
        return None

    def _start_writing(self) -> None:
        name = f"triomq writer {self._address}{self._suffix}"
        self._runtime.nursery.start_soon(self._write_unsent, name=name)

    @trio.lowlevel.enable_ki_protection
    async def _write_unsent(self) -> None:
        """Write the rest of a batch whenever the connection takes some, then what was queued meanwhile."""
        try:
            while self._unsent:
                taken = await self._stream.send_some(self._unsent)
                self._unsent = without(self._unsent, taken)
                self._batch_written += taken
                self._last_write = self._turn_end.now()
                pipe = self._pipe
                if pipe is not None:
                    pipe.bytes_sent += taken
                    pipe.last_traffic = self._last_write
                    self._count_whole(pipe)
                    if self._unsent:  # else what is queued because of this might be written here and now
                        pipe.room_made()
        except (trio.BrokenResourceError, trio.ClosedResourceError) as exc:
            self._host.write_failed(exc)
            return
        except MemoryError:
            self._host.write_failed(self._no_memory())
            return
        self.flush()

    def _no_memory(self) -> MemoryError:
        return MemoryError(f"out of memory at what is sent to {self._address}: connection closed")

    def _count_sent(self, pipe: QueuedPipe, items: Sequence[zmtp.Item]) -> None:
        if any(type(item) is zmtp.Ping for item in items):
            self._host.ping_sent()
        pipe.count_sent(items)

    def _count_whole(self, pipe: QueuedPipe) -> None:
        """Let go of those messages of the batch of which the connection has taken all.

        At once, and not when all of the batch is taken: the connection may end before, and they have left.
        """
        whole = bisect_right(self._batch_ends, self._batch_written)
        if whole:
            taken = self._batch_ends[whole - 1]
            self._count_sent(pipe, self._batch[:whole])
            self._batch = self._batch[whole:] or ()
            self._batch_ends = [end - taken for end in self._batch_ends[whole:]] or ()
            self._batch_written -= taken
        pipe.outbox.set_unsent(len(self._batch))

    def _restore(self, pipe: QueuedPipe) -> None:
        pipe.restore(self._batch)
        self._batch = self._batch_ends = self._unsent = ()


class _Nobody:
    """The connection of a writer that has been detached: it is over, and why is known."""

    def ping_sent(self) -> None:
        """Nobody waits for the answer."""

    def still_stands(self) -> bool:
        """Nobody reads the stream."""
        return True

    def write_failed(self, error: Exception) -> None:
        """Nothing more is to be written."""


_NOBODY: Final = _Nobody()


def without(buffers: Sequence[BytesLike], count: int) -> list[BytesLike]:
    """The buffers less their first ``count`` bytes, without copying."""
    for index, buffer in enumerate(buffers):
        if count < len(buffer):
            return [memoryview(buffer)[count:], *buffers[index + 1 :]]
        count -= len(buffer)
    return []


def few_enough(queue: Iterable[zmtp.Item], most: int) -> int:
    """How many items of a queue, the first of them whatever its size, are encrypted within a moment; up to ``most``."""
    size = 0
    for count, item in enumerate(islice(queue, most), 1):
        size += _EACH * len(item) + sum(map(len, item)) if isinstance(item, tuple) else _EACH
        if size >= _ENCRYPTED:
            return count
    return most
