"""Any trio stream, where a session wants one that can be tried without waiting."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import trio

from .. import _security
from .._errors import cancellation_alone
from .._message import BytesLike
from ._interface import NonblockingStream

_READ_SIZE = 64 * 1024


class AwaitedStream(NonblockingStream):
    """A stream that never takes anything without waiting: TLS, say, or a user's own."""

    def __init__(self, stream: trio.abc.Stream, peer: str) -> None:
        self._stream = stream
        self._arrived: bytes | None = None
        self.peer: str = getattr(stream, "peer", peer)
        self.process: _security.PeerProcess | None = getattr(stream, "process", None)

    def send_nowait(self, buffers: Sequence[BytesLike]) -> int:
        """Take nothing: see `send_some`."""
        return 0

    async def send_some(self, buffers: Sequence[BytesLike]) -> int:
        """Send all of the buffers.

        Cancellation: some of them may have been sent; the connection is then of no more use.
        """
        data = b"".join(buffers)
        with self._any_failure_ends_it():
            await self._stream.send_all(data)
        return len(data)

    async def wait_receivable(self) -> None:
        """Wait until something has arrived, or the stream has ended."""
        if self._arrived is None:
            with self._any_failure_ends_it():
                self._arrived = bytes(await self._stream.receive_some(_READ_SIZE))
        else:
            await trio.lowlevel.checkpoint()

    def receive_nowait(self, max_bytes: int) -> bytes:
        """Take what `wait_receivable` has found."""
        if self._arrived is None:
            raise trio.WouldBlock
        data, rest = self._arrived[:max_bytes], self._arrived[max_bytes:]
        self._arrived = rest or None
        return data

    async def send_all(self, data: BytesLike) -> None:
        """See `trio.abc.SendStream`."""
        with self._any_failure_ends_it():
            await self._stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        """See `trio.abc.SendStream`."""
        with self._any_failure_ends_it():
            await self._stream.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """See `trio.abc.ReceiveStream`."""
        await self.wait_receivable()
        return self.receive_nowait(_READ_SIZE if max_bytes is None else max_bytes)

    @contextmanager
    def _any_failure_ends_it(self) -> Iterator[None]:
        """Whatever a user's own stream raises is the end of that connection, with the reason."""
        try:
            with cancellation_alone():
                yield
        except (trio.BrokenResourceError, trio.ClosedResourceError, trio.BusyResourceError, MemoryError):
            raise
        except Exception as exc:
            raise trio.BrokenResourceError(f"the stream to {self.peer} failed: {exc!r}") from exc

    async def aclose(self) -> None:
        """See `trio.abc.AsyncResource`."""
        await self._stream.aclose()


def as_nonblocking(stream: trio.abc.Stream, peer: str) -> NonblockingStream:
    """The stream itself if it can be tried, or else the same one made to look so.

    Raises:
      TypeError: a transport has returned something that is no stream.
    """
    if isinstance(stream, NonblockingStream):
        return stream
    if not isinstance(stream, trio.abc.Stream):
        raise TypeError(f"a transport must return a trio.abc.Stream, and returned {stream!r}")
    return AwaitedStream(stream, peer)
