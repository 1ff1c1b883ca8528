"""One end of a virtual connection: the stream that a session gets, and what a kernel knows about it."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from typing import Final, Literal, final

import trio

from ..._message import BytesLike
from ..._transports import SendGuard, receive_size
from ...abc import NonblockingStream
from .._recorder import Recorder
from ._agenda import Spot
from ._link import Link
from ._machine import Machine
from ._segment import Segment, Word

_ERRNOS: Final = {"reset delivered": errno.ECONNRESET, "timed out": errno.ETIMEDOUT}


@final
class VirtualStream(NonblockingStream):
    """A stream over a virtual network; behaves as a connected TCP socket does on Linux.

    Args:
      host: where this end is.
      known: the streams that the host's kernel knows; this one is among them until it is closed, or dead.
      number: of the connection, for the record.
      remote_host: the name of the host of the other end.
      peer: the other end's address as text.

    Attributes:
      when_open: called with the stream when the third step of connecting arrives; the listener's wish.
    """

    __slots__ = (
        "_arrived", "_closed", "_ended", "_errno", "_failure", "_gone", "_interruptions", "_known", "_number",
        "_one_sender", "_peer", "_reader", "_recorder", "_sending", "_sent_end", "_writer", "host", "incoming",
        "outgoing", "remote_host", "when_open",
    )  # fmt: skip

    outgoing: Link
    """The way to the other end; set when both ends are there."""
    incoming: Link
    """The way back."""

    def __init__(
        self,
        host: Machine,
        known: dict[VirtualStream, None],
        recorder: Recorder,
        number: int,
        remote_host: str,
        peer: str,
    ) -> None:
        self.host: Machine = host
        self.remote_host: str = remote_host
        self.when_open: Callable[[VirtualStream], None] | None = None
        self._known = known
        self._recorder = recorder
        self._peer = peer
        self._number = number
        self._arrived = bytearray()
        self._ended = False  # the peer's end has arrived
        self._sent_end = False
        self._failure = ""  # why the connection is dead
        self._errno = 0
        self._closed = False
        self._gone = False  # the kernel of this end has died: nothing happens here any more
        self._interruptions = 0
        self._sending = False  # a task is in send_all
        self._one_sender = SendGuard(peer)  # of the tasks in send_all, and of those that wait for room
        self._reader = Spot()
        self._writer = Spot()
        known[self] = None

    @property
    def peer(self) -> str:
        """The other side's address as text."""
        return self._peer

    @property
    def number(self) -> int:
        """The number of the connection, as the recorder has it."""
        return self._number

    def __repr__(self) -> str:
        return f"<VirtualStream #{self._number} {self.host.name} > {self._peer}{' closed' if self._closed else ''}>"

    # --- for the user ---------------------------------------------------------------------

    def send_nowait(self, buffers: Sequence[BytesLike]) -> int:
        """Hand over as much of the buffers as the send buffer takes. See `NonblockingStream.send_nowait`.

        Raises also:
          trio.BusyResourceError: another task is in `send_all`.
        """
        if self._sending:
            raise trio.BusyResourceError(f"another task is in send_all to {self._peer}")
        return self._send(buffers)

    def _send(self, buffers: Sequence[BytesLike]) -> int:
        self._check_writable()
        if self._is_still:
            return 0
        room = self.outgoing.room()
        data = bytearray()
        for buffer in buffers:
            with memoryview(buffer).cast("B") as view:
                data += view[: room - len(data)]
            if len(data) >= room:
                break
        if not data:
            return 0
        taken = bytes(data[: self.outgoing.wire.cut(len(data))])
        self.outgoing.push(taken)
        return len(taken)

    def end_sending(self) -> bool:
        """Let the peer see the end of the stream behind what was sent. Returns: True."""
        self._check_writable(ending=True)
        if not self._sent_end:
            self._sent_end = True
            self.host.when_running(self._finish)
        return True

    def peer_ended(self) -> bool:
        """Whether the peer's end, or a reset, has arrived. See `NonblockingStream.peer_ended`."""
        return self._closed or (not self._is_still and bool(self._ended or self._failure))

    def receive_nowait(self, max_bytes: int) -> bytes:
        """Take what has arrived. See `NonblockingStream.receive_nowait`."""
        if self._closed:
            raise self._closed_error()
        if self._is_still:
            raise trio.WouldBlock
        if self._arrived:
            size = self.incoming.wire.cut(min(max_bytes, len(self._arrived)))
            data = bytes(self._arrived[:size])
            del self._arrived[:size]
            if self.incoming.consumed(size):
                self.outgoing.say("probe")  # which the other kernel answers with a reset
            return data
        if self._failure:  # after the data, as Linux does it
            raise self._broken_error()
        if self._ended:
            return b""
        raise trio.WouldBlock

    async def wait_receivable(self) -> None:
        """Wait until `receive_nowait` would not raise `trio.WouldBlock`, or until `interrupt` is called.

        Raises:
          trio.ClosedResourceError: the stream was closed, before or meanwhile.
          trio.BusyResourceError: another task waits already.
        """
        before = self._interruptions
        if self._closed or self._is_receivable:
            await trio.lowlevel.checkpoint()
        while not self._closed and not self._is_receivable and self._interruptions == before:
            if self._reader.taken:
                raise trio.BusyResourceError(f"another task is already receiving from {self._peer}")
            await self._reader.sleep()
        if self._closed:
            raise self._closed_error()

    can_interrupt = True

    def interrupt(self) -> None:
        """Let a task that is in `wait_receivable` return at once."""
        self._interruptions += 1
        self._reader.wake()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Wait for bytes and take some. See `trio.abc.ReceiveStream`."""
        size = receive_size(max_bytes)
        await self.wait_receivable()
        return self.receive_nowait(size)

    async def send_all(self, data: BytesLike) -> None:
        """Send everything. See `trio.abc.SendStream`."""
        with self._one_sender, memoryview(data).cast("B") as rest:
            await trio.lowlevel.checkpoint()
            self._check_writable()
            self._sending = True
            try:
                sent = 0
                while sent < len(rest):
                    with rest[sent:] as piece:
                        sent += self._send((piece,))
                    if sent < len(rest):
                        await self._wait_for_room()
            finally:
                self._sending = False

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until the send buffer has room. `send_nowait` stays allowed. See `trio.abc.SendStream`."""
        with self._one_sender:
            await self._wait_for_room()

    async def _wait_for_room(self) -> None:
        await trio.lowlevel.checkpoint()
        while not self._closed and (self._is_still or not (self._failure or self.outgoing.room())):
            await self._writer.sleep()
        if self._closed:
            raise self._closed_error()

    def close(self) -> None:
        """Close at once. What the kernel has taken it goes on sending; but with something unread it resets."""
        if not self._closed:
            self._closed = True
            if not self._gone:
                self.host.when_running(self._close_in_kernel)
            self.wake()

    async def aclose(self) -> None:
        """`close`, and a checkpoint; closes even when cancelled."""
        self.close()
        await trio.lowlevel.checkpoint()

    # --- for the network ------------------------------------------------------------------

    def arrive(self, segment: Segment) -> bool:
        """Something has come from the other end. Returns: whether it is taken; if not, a reset was sent."""
        if self._failure or self._gone or (self._closed and segment.data):
            self.outgoing.reset("nobody has this connection")
            return False
        if self.when_open is not None:  # the third step was lost; this tells as much
            self.when_open(self)
        if segment.kind == "data":
            self._arrived += segment.data
        else:
            self._ended = True
        self._reader.wake()
        self.outgoing.heard()
        return True

    def hear(self, word: Word) -> bool:
        """Something has come from the other end that no program sees. Returns: as `arrive`."""
        if self._failure or self._gone:
            self.outgoing.reset("nobody has this connection")
            return False
        if word == "answer":
            self.outgoing.say("open")
        elif self.when_open is not None:
            self.when_open(self)
        self.outgoing.heard()
        return True

    @property
    def is_orphan(self) -> bool:
        """Whether the program has closed this end, and its kernel is alone with it."""
        return self._closed and not self._gone

    def room_made(self) -> None:
        """The send buffer has room."""
        self._writer.wake()

    def fall(self, what: Literal["reset delivered", "timed out"], why: str) -> None:
        """The connection is dead."""
        if not self._failure and not self._gone:
            self._failure = why
            self._errno = errno.EPIPE if self._ended and what == "reset delivered" else _ERRNOS[what]
            self.outgoing.abandon()
            self._recorder.record(what, self.host.name, self.remote_host, self._number)
            self.forget()
            self.wake()

    def forget(self) -> None:
        """The kernel does not know this end any more."""
        self._known.pop(self, None)

    def refuse(self, why: str) -> None:
        """Nobody will take this end: it is forgotten, and the other end is reset."""
        self.forget()
        self.outgoing.reset(why)

    def enter_black_hole(self) -> None:
        """From now on nothing arrives that the two ends send each other."""
        self.outgoing.wire.black_hole = self.incoming.wire.black_hole = True

    def vanish(self) -> None:
        """The kernel that has this end is dead."""
        self.outgoing.abandon()
        self._gone = True

    def wake(self) -> None:
        """Let the tasks that wait here look again."""
        self._reader.wake()
        self._writer.wake()

    def _close_in_kernel(self) -> None:
        if self._gone:
            return
        self.forget()
        if self._failure:
            return
        self._recorder.record("closed", self.host.name, self.remote_host, self._number)
        if self._arrived:
            self.outgoing.reset("closed with something unread")
        else:
            self._finish()

    def _finish(self) -> None:
        if not self._gone:
            self.outgoing.finish()

    @property
    def _is_still(self) -> bool:
        return self._gone or self.host.paused

    @property
    def _is_receivable(self) -> bool:
        return not self._is_still and bool(self._arrived or self._ended or self._failure)

    def _check_writable(self, *, ending: bool = False) -> None:
        if self._closed:
            raise self._closed_error()
        if self._failure:
            raise self._broken_error()
        if self._sent_end and not ending:
            raise trio.BrokenResourceError(f"nothing more can be sent to {self._peer}: the end was sent")

    def _closed_error(self) -> trio.ClosedResourceError:
        return trio.ClosedResourceError(f"the stream to {self._peer} was closed here")

    def _broken_error(self) -> trio.BrokenResourceError:
        error = trio.BrokenResourceError(f"the connection to {self._peer} broke: {self._failure}")
        error.__cause__ = OSError(self._errno, os.strerror(self._errno))
        return error
