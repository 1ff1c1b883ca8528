"""The contract kit and streams that can be interrupted: those that can pass, and each fault is named."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import trio
import trio.testing

import triomq
from triomq.abc import Listener, NonblockingStream, Transport
from triomq.testing import VirtualNetwork, check_transport
from triomq.testing._network import VirtualTcp


class Line(NonblockingStream):
    """Right in every respect: what goes over it is another such stream's business."""

    can_interrupt = True

    def __init__(self, inner: NonblockingStream) -> None:
        self.inner = inner

    def send_nowait(self, buffers: Sequence[bytes]) -> int:
        return self.inner.send_nowait(buffers)

    def end_sending(self) -> bool:
        return self.inner.end_sending()

    def receive_nowait(self, max_bytes: int) -> bytes:
        return self.inner.receive_nowait(max_bytes)

    async def wait_receivable(self) -> None:
        await self.inner.wait_receivable()

    def interrupt(self) -> None:
        self.inner.interrupt()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        return await self.inner.receive_some(max_bytes)

    async def send_all(self, data: bytes) -> None:
        await self.inner.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self.inner.wait_send_all_might_not_block()

    async def aclose(self) -> None:
        await self.inner.aclose()


class Deaf(Line):
    """Says that it can, and cannot."""

    def interrupt(self) -> None:
        pass


class Unfinished(Line):
    """Says that it can, and has not said how."""

    def interrupt(self) -> None:
        NonblockingStream.interrupt(self)


class Polling(Deaf):
    """Looks from time to time whether it was interrupted."""

    interrupted = False

    def interrupt(self) -> None:
        self.interrupted = True

    async def wait_receivable(self) -> None:
        self.interrupted = False
        while not self.interrupted:
            with trio.move_on_after(0.01):
                return await self.inner.wait_receivable()


class Raising(Line):
    """Takes an interrupt for the end, as who uses `trio.lowlevel.notify_closing` for both."""

    times = 0

    def interrupt(self) -> None:
        self.times += 1
        super().interrupt()

    async def wait_receivable(self) -> None:
        before = self.times
        await super().wait_receivable()
        if self.times != before:
            raise trio.ClosedResourceError


class Marked(Line):
    """An interrupt leaves a mark, which whoever waits next will take."""

    marked = False

    def interrupt(self) -> None:
        self.marked = True
        super().interrupt()

    async def wait_receivable(self) -> None:
        if self.marked:
            self.marked = False
            await trio.lowlevel.checkpoint()
        else:
            await super().wait_receivable()
            self.marked = False


class Forgetful(Line):
    """Only who waits can take the mark, but it may be the wrong one."""

    waiting = 0
    marked = False

    def interrupt(self) -> None:
        self.marked = self.waiting > 0
        super().interrupt()

    async def wait_receivable(self) -> None:
        self.waiting += 1
        try:
            if self.marked:
                self.marked = False
                await trio.lowlevel.checkpoint()
            else:
                await super().wait_receivable()
                self.marked = False
        finally:
            self.waiting -= 1


class Busy(Line):
    """Has only one place to wait, and who was interrupted is there until it runs."""

    waiting = False

    async def wait_receivable(self) -> None:
        if self.waiting:
            raise trio.BusyResourceError("another task waits")
        self.waiting = True
        try:
            await super().wait_receivable()
        finally:
            self.waiting = False


class Careless(Line):
    """Cancels who waits, who may have taken something."""

    def __init__(self, inner: NonblockingStream) -> None:
        super().__init__(inner)
        self.taken = b""
        self.scope = trio.CancelScope()

    def interrupt(self) -> None:
        self.scope.cancel()

    async def wait_receivable(self) -> None:
        with trio.CancelScope() as self.scope:
            if not self.taken:
                await super().wait_receivable()
                taken = self.inner.receive_nowait(100)
                await trio.lowlevel.checkpoint()
                self.taken = taken

    def receive_nowait(self, max_bytes: int) -> bytes:
        if not self.taken:
            return super().receive_nowait(max_bytes)
        piece, self.taken = self.taken[:max_bytes], self.taken[max_bytes:]
        return piece


class Greedy(Careless):
    """Waits for more though it has something."""

    async def wait_receivable(self) -> None:
        await self.inner.wait_receivable()
        self.taken += self.inner.receive_nowait(100)


class Rude(Line):
    """Interrupts who sends, too, and does not let it go on."""

    def __init__(self, inner: NonblockingStream) -> None:
        super().__init__(inner)
        self.scope = trio.CancelScope()

    def interrupt(self) -> None:
        super().interrupt()
        self.scope.cancel()

    async def wait_send_all_might_not_block(self) -> None:
        with trio.CancelScope() as self.scope:
            await super().wait_send_all_might_not_block()
        if self.scope.cancelled_caught:
            raise trio.ClosedResourceError


class Exchange(Transport):
    """A virtual network's tcp whose streams are lines of a kind."""

    def __init__(self, net: VirtualNetwork, kind: type[Line]) -> None:
        self.inner = VirtualTcp(net._fabric, net._fabric.host("exchange"))
        self.kind = kind

    def check_connect(self, address: str) -> None:
        self.inner.check_connect(address)

    async def connect(self, address: str, options: triomq.Options) -> trio.abc.Stream:
        return self.kind(await self.inner.connect(address, options))

    async def listen(self, address: str, options: triomq.Options) -> Listener:
        return Desk(await self.inner.listen(address, options), self.kind)


class Desk(Listener):
    def __init__(self, inner: Listener, kind: type[Line]) -> None:
        self.inner = inner
        self.kind = kind

    @property
    def endpoint(self) -> str:
        return self.inner.endpoint

    async def accept(self) -> trio.abc.Stream:
        return self.kind(await self.inner.accept())

    async def aclose(self) -> None:
        await self.inner.aclose()


async def test_a_stream_that_can_be_interrupted(autojump_clock: trio.testing.MockClock) -> None:
    async with VirtualNetwork(latency=0) as net:
        await check_transport(Exchange(net, Line), "*:0")


async def test_a_stream_that_does_not_say_so_is_not_interrupted(autojump_clock: trio.testing.MockClock) -> None:
    kind = type("Plain", (Unfinished,), {"can_interrupt": False})
    async with VirtualNetwork(latency=0) as net:
        await check_transport(Exchange(net, kind), "*:0")


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Deaf, "interrupt lets a task in wait_receivable return at once"),
        (Unfinished, "Unfinished.interrupt"),
        (Polling, "interrupt lets a task in wait_receivable return at once"),
        (Raising, r"wait_receivable on a stream that is interrupted: it raised ClosedResourceError"),
        (Marked, "an interrupt when nobody waits does not let the next wait_receivable return"),
        (Forgetful, "waits in its place waits until something arrives"),
        (Busy, r"wait_receivable on a stream that is interrupted: it raised BusyResourceError"),
        (Careless, "bytes that arrived when wait_receivable was interrupted are lost"),
        (Greedy, "wait_receivable when something has arrived, or the end: it was not over"),
        (Rude, r"send_some while the stream was interrupted: it raised ClosedResourceError"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_a_fault_is_named(autojump_clock: trio.testing.MockClock, kind: type[Line], text: str) -> None:
    async with VirtualNetwork(latency=0) as net:
        with pytest.raises(AssertionError, match=text):
            await check_transport(Exchange(net, kind), "*:0")
