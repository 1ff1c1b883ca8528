"""One connected socket as a trio stream that can also be tried without waiting.

trio's own `trio.SocketStream` has no way to try: every call is a coroutine with two checkpoints.
Here the non-blocking calls are bare system calls, and the stream's coroutines are built on them.
"""

from __future__ import annotations

import select
import socket
import struct
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, final

import trio

from .. import _security
from .._message import BytesLike
from ._interface import NonblockingStream
from ._nearness import has_near_peer
from ._stream_rules import SendGuard, receive_size

_IOV_MAX = 1024  # buffers that one sendmsg takes: on Linux, macOS and the BSDs; more is EMSGSIZE
_MOST_SENT: Final = 1024 * 1024  # bytes in one system call: a quarter of a millisecond, in which no other task runs
_ENDED = getattr(select, "POLLRDHUP", 0)  # on Linux; elsewhere POLLHUP, which is always told, says it
_PEER_CREDENTIALS: Final[int | None] = getattr(socket, "SO_PEERCRED", None) if sys.platform == "linux" else None
_UCRED: Final = struct.Struct("iII")  # Linux's struct ucred: process, user, group
_HAS_SENDMSG = hasattr(socket.socket, "sendmsg")  # not on Windows


def shut_down(sock: socket.socket) -> None:
    """End the connection, or the listening, whoever else has a copy of the descriptor, before it is closed.

    The children that Python forks have none (see `triomq._forks`); those of a C library may.
    """
    with suppress(OSError):  # nothing is unread; it listens; the peer has ended it already; it was never connected
        if sock.recv(1, socket.MSG_PEEK):
            return  # closing resets it, so that the peer knows that something was lost; a shutdown would hide that
    with suppress(OSError):  # the peer has ended it already, or it was never connected
        sock.shutdown(socket.SHUT_RDWR)


@final
class SocketStream(NonblockingStream):
    """A connected stream socket.

    Args:
      sock: connected, or about to be, if the caller waits for that; the stream owns it and makes it non-blocking.
      peer: the other side's address as text, such as ``tcp://127.0.0.1:51234`` or ``ipc:///tmp/feed``.
    """

    __slots__ = ("_closed", "_fd", "_one_sender", "_peer", "_recv", "_sending", "_sock", "is_near")

    def __init__(self, sock: socket.socket, peer: str) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._fd = sock.fileno()
        self._recv = sock.recv  # bound once: this is looked up for every read
        self._peer = peer
        self._closed = False
        self._sending = False  # a task is in send_all: its data must not be torn by others
        self._one_sender = SendGuard(peer)  # of the tasks in send_all, and of those that wait for room
        self.is_near: bool = has_near_peer(sock)

    @property
    def peer(self) -> str:
        """The other side's address as text; stays readable after the stream was closed."""
        return self._peer

    @property
    def process(self) -> _security.PeerProcess | None:
        """The process at the other end of ipc, as the kernel knows it; None for tcp, and where this is not Linux."""
        if _PEER_CREDENTIALS is None or self._sock.family != socket.AF_UNIX:
            return None
        try:
            known = self._sock.getsockopt(socket.SOL_SOCKET, _PEER_CREDENTIALS, _UCRED.size)
        except OSError:
            return None  # the stream was closed
        return _security.PeerProcess(*_UCRED.unpack(known))

    def fileno(self) -> int:
        """The file descriptor, or -1 after the stream was closed."""
        return self._sock.fileno()

    def __repr__(self) -> str:
        state = "closed" if self._closed else f"fd={self._fd}"
        return f"<SocketStream {self._peer} {state}>"

    def send_nowait(self, buffers: Sequence[BytesLike]) -> int:
        """Hand over as much of the buffers as the kernel takes now, in one system call.

        Returns: how many bytes were taken, from the first on; 0 when there is no room now (or nothing to send).
          At most the first 1,024 buffers are tried, and 1 MiB: while the peer reads at the same time, a call would
          otherwise go on for several milliseconds.

        Raises:
          trio.BrokenResourceError: the connection is dead.
          trio.ClosedResourceError: the stream was closed here.
          trio.BusyResourceError: another task is in `send_all`.
        """
        if self._sending:
            raise trio.BusyResourceError(f"another task is in send_all to {self._peer}")
        try:
            if len(buffers) == 1:
                (lone,) = buffers
                return self._sock.send(lone if len(lone) <= _MOST_SENT else memoryview(lone)[:_MOST_SENT])
            buffers = _beginning(buffers)
            if not _HAS_SENDMSG:
                return self._sock.send(b"".join(buffers))
            return self._sock.sendmsg(buffers)
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError as exc:
            raise self._stream_error(exc) from exc

    def end_sending(self) -> bool:
        """Send FIN behind what was sent. Returns: True."""
        try:
            self._sock.shutdown(socket.SHUT_WR)
        except OSError as exc:
            raise self._stream_error(exc) from exc
        return True

    def peer_ended(self) -> bool:
        """Ask the kernel whether the peer's FIN or RST has arrived; see `NonblockingStream.peer_ended`."""
        if self._closed or not hasattr(select, "poll"):
            return self._closed
        poll = select.poll()
        poll.register(self._fd, _ENDED)
        return bool(poll.poll(0))

    def receive_nowait(self, max_bytes: int) -> bytes:
        """Take what the kernel has, up to ``max_bytes`` bytes, in one system call.

        Returns: at least one byte, or ``b""`` at the end of the stream.

        Raises:
          trio.WouldBlock: nothing has arrived.
          trio.BrokenResourceError: the connection is dead.
          trio.ClosedResourceError: the stream was closed here.
        """
        try:
            return self._recv(max_bytes)
        except (BlockingIOError, InterruptedError):
            raise trio.WouldBlock from None
        except OSError as exc:
            raise self._stream_error(exc) from exc

    async def wait_receivable(self) -> None:
        """Wait until `receive_nowait` would not raise `trio.WouldBlock`, or until `interrupt` is called.

        Always a schedule point. Cancellation: nothing was taken.

        Raises:
          trio.ClosedResourceError: the stream was closed, before or meanwhile.
          trio.BusyResourceError: another task waits already.
        """
        if self._closed:  # the number may be somebody else's file by now
            raise self._closed_error()
        try:
            await trio.lowlevel.wait_readable(self._fd)
        except trio.ClosedResourceError:
            if self._closed:
                raise self._closed_error() from None

    can_interrupt = True

    def interrupt(self) -> None:
        """Let a task that waits on the stream look around; see `NonblockingStream.interrupt`."""
        if not self._closed:
            trio.lowlevel.notify_closing(self._fd)  # wakes the tasks that wait, and does no more than that

    async def send_all(self, data: BytesLike) -> None:
        """Send everything.

        Cancellation: a part may have been sent, and nobody knows how much; close the stream then.

        Raises:
          trio.BrokenResourceError: the connection is dead.
          trio.ClosedResourceError: the stream was closed, before or meanwhile.
          trio.BusyResourceError: another task sends, or waits to send.
        """
        with self._one_sender, memoryview(data).cast("B") as rest:
            await trio.lowlevel.checkpoint()
            if self._closed:
                raise self._closed_error()
            self._sending = True
            try:
                sent = 0
                while sent < len(rest):
                    with rest[sent:] as piece:
                        try:
                            sent += self._sock.send(piece)
                            continue
                        except (BlockingIOError, InterruptedError):
                            pass
                        except OSError as exc:
                            raise self._stream_error(exc) from exc
                    await self._wait_writable()
            finally:
                self._sending = False

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until the kernel has room to write.

        Always a schedule point. `send_nowait` stays allowed while a task waits here. Cancellation: nothing happened.

        Raises:
          trio.ClosedResourceError: the stream was closed, before or meanwhile.
          trio.BusyResourceError: another task sends, or waits to send.
        """
        with self._one_sender:
            if self._closed:
                await trio.lowlevel.checkpoint()
                raise self._closed_error()
            await self._wait_writable()

    async def _wait_writable(self) -> None:
        try:
            await trio.lowlevel.wait_writable(self._fd)
        except trio.ClosedResourceError:  # or `interrupt`
            if self._closed:
                raise self._closed_error() from None

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Wait for data and take up to ``max_bytes`` bytes (65,536 if None).

        Returns: at least one byte, or ``b""`` at the end of the stream.
        Cancellation: nothing was taken.

        Raises:
          TypeError: ``max_bytes`` is not an int.
          ValueError: ``max_bytes`` is less than 1.
          trio.BrokenResourceError: the connection is dead.
          trio.ClosedResourceError: the stream was closed, before or meanwhile.
          trio.BusyResourceError: another task waits already.
        """
        size = receive_size(max_bytes)
        # The schedule point comes first, so that nothing taken from the kernel can be lost to a cancellation.
        await trio.lowlevel.checkpoint()
        while True:
            try:
                return self.receive_nowait(size)
            except trio.WouldBlock:
                await self.wait_receivable()

    def close(self) -> None:
        """Close at once, without waiting; tasks that wait on the stream get `trio.ClosedResourceError`.

        What the kernel has taken it goes on sending. Must be called inside the trio run. Closing again does nothing.
        """
        if not self._closed:
            self._closed = True
            trio.lowlevel.notify_closing(self._fd)
            shut_down(self._sock)
            self._sock.close()

    async def aclose(self) -> None:
        """`close`, and a checkpoint; closes even when cancelled."""
        self.close()
        await trio.lowlevel.checkpoint()

    def _closed_error(self) -> trio.ClosedResourceError:
        return trio.ClosedResourceError(f"the stream to {self._peer} was closed here")

    def _stream_error(self, exc: OSError) -> Exception:
        if self._closed:
            return self._closed_error()
        return trio.BrokenResourceError(f"the connection to {self._peer} broke: {exc.strerror or exc}")


def _beginning(buffers: Sequence[BytesLike]) -> Sequence[BytesLike]:
    """The first of the buffers, as many as one system call is given."""
    if len(buffers) > _IOV_MAX:
        buffers = buffers[:_IOV_MAX]
    beyond = sum(map(len, buffers)) - _MOST_SENT
    if beyond <= 0:
        return buffers
    some = list(buffers)
    while beyond >= len(some[-1]):
        beyond -= len(some.pop())
    some[-1] = memoryview(some[-1])[: len(some[-1]) - beyond]
    return some
