"""What `triomq.abc.NonblockingStream` asks of a stream; a part of `check_transport`."""

from __future__ import annotations

import trio
import trio.testing

from ...abc import NonblockingStream
from ._requirements import must_end, must_not_raise, must_raise, require

_CHECKPOINTS = 8  # a waiting task is interrupted 0 to 7 checkpoints after bytes were sent to it


async def check_nonblocking(near: NonblockingStream, far: NonblockingStream) -> None:
    """Check the calls that do not wait, on two ends; closes them."""
    with must_raise(trio.WouldBlock, "receive_nowait when nothing has arrived"):
        far.receive_nowait(1)
    sent = near.send_nowait([b"some", bytearray(b""), memoryview(b" bytes")])
    require(0 < sent <= 10, "send_nowait returns how many bytes it took; an idle stream takes some")
    received = b""
    while len(received) < sent:
        await far.wait_receivable()
        piece = far.receive_nowait(3)
        require(1 <= len(piece) <= 3, "receive_nowait gives 1 to max_bytes bytes")
        received += piece
    require(received == b"some bytes"[:sent], "bytes arrive as they were sent")
    if near.end_sending():
        await far.wait_receivable()
        require(far.receive_nowait(1) == b"", "the end that end_sending sent is received as b''")
        await far.send_some([b"still open"])
        await near.wait_receivable()
        require(b"still open".startswith(near.receive_nowait(100)), "after end_sending the other way stays open")
    await near.aclose()
    for name, call in (
        ("send_nowait", lambda: near.send_nowait([b"x"])),
        ("receive_nowait", lambda: near.receive_nowait(1)),
    ):
        with must_raise(trio.ClosedResourceError, f"{name} on a closed stream"):
            call()
    with must_raise(trio.ClosedResourceError, "wait_receivable on a closed stream"):
        await near.wait_receivable()
    await far.aclose()


async def check_interrupting(near: NonblockingStream, far: NonblockingStream) -> None:
    """Check that ``near.wait_receivable`` can be interrupted, and that this does no harm to the stream."""
    with must_not_raise("interrupt when nobody waits"):
        near.interrupt()
    async with trio.open_nursery() as nursery:
        wait = await _begin(nursery, near)
        require(not wait.over, "an interrupt when nobody waits does not let the next wait_receivable return")
        near.interrupt()
        await trio.testing.wait_all_tasks_blocked()
        require(wait.over, "interrupt lets a task in wait_receivable return at once")
    with must_raise(trio.WouldBlock, "receive_nowait after a wait_receivable that was interrupted"):
        near.receive_nowait(1)
    await _check_hand_over(near, far)
    for checkpoints in range(_CHECKPOINTS):
        await _check_interrupt_at_arrival(near, far, checkpoints)


async def check_interrupted_sender(near: NonblockingStream, far: NonblockingStream) -> None:
    """Check that an interrupt does no harm to a task that waits for room to send on ``near``."""

    async def send() -> None:
        with must_not_raise("send_some while the stream was interrupted"):
            require(await near.send_some([b"!"]) == 1, "send_some returns how many bytes were taken")
        nursery.cancel_scope.cancel()

    async def read() -> None:
        while True:
            await far.wait_receivable()
            far.receive_nowait(65536)

    with must_end("send_some, after the stream was interrupted and the other end was read"):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(send)
            await trio.testing.wait_all_tasks_blocked()
            near.interrupt()
            await trio.testing.wait_all_tasks_blocked()
            nursery.start_soon(read)


class _Wait:
    """A call of `wait_receivable`."""

    def __init__(self, stream: NonblockingStream) -> None:
        self.over: bool = False
        self._stream = stream

    async def run(self) -> None:
        """Wait."""
        with must_not_raise("wait_receivable on a stream that is interrupted"):
            await self._stream.wait_receivable()
        self.over = True

    async def take_over(self) -> None:
        """Interrupt the task that waits, and wait in its place, without a schedule point between."""
        self._stream.interrupt()
        await self.run()


async def _begin(nursery: trio.Nursery, stream: NonblockingStream) -> _Wait:
    wait = _Wait(stream)
    nursery.start_soon(wait.run)
    await trio.testing.wait_all_tasks_blocked()
    return wait


async def _check_hand_over(near: NonblockingStream, far: NonblockingStream) -> None:
    """One task waits; another interrupts it and waits in its place, before the first one has run again."""
    second = _Wait(near)
    with must_end("wait_receivable of who took over, when bytes arrive"):
        async with trio.open_nursery() as nursery:
            first = await _begin(nursery, near)
            nursery.start_soon(second.take_over)
            await trio.testing.wait_all_tasks_blocked()
            require(first.over, "a task that is interrupted returns, though another waits by then")
            require(not second.over, "who interrupts another and waits in its place waits until something arrives")
            sent = await far.send_some([b"to the second"])
    require(await _receive(near, sent) == b"to the second"[:sent], "bytes arrive as they were sent")


async def _check_interrupt_at_arrival(near: NonblockingStream, far: NonblockingStream, checkpoints: int) -> None:
    with must_end("a wait_receivable that was interrupted when bytes arrived"):
        async with trio.open_nursery() as nursery:
            await _begin(nursery, near)
            sent = await far.send_some([b"just now"])
            for _ in range(checkpoints):
                await trio.lowlevel.checkpoint()
            near.interrupt()
    received = await _receive(near, sent)
    require(received == b"just now"[:sent], "bytes that arrive when wait_receivable is interrupted arrive as sent")


async def _receive(stream: NonblockingStream, count: int) -> bytes:
    received = b""
    while len(received) < count:
        with must_end("bytes that arrived when wait_receivable was interrupted are lost"):
            await stream.wait_receivable()
        received += stream.receive_nowait(count)
    return received
