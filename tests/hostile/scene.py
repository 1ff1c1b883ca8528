"""A socket of ours with a well-behaved peer that is being served, while somebody else attacks."""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import attrs
import trio

import triomq
from triomq.testing import VirtualNetwork

from .raw import Raw, patience, raw_at

PARTNERS = {
    "PULL": "PUSH",
    "SUB": "PUB",
    "XSUB": "XPUB",
    "DEALER": "DEALER",
    "ROUTER": "DEALER",
    "PAIR": "PAIR",
    "REP": "REQ",
    "REQ": "REP",
    "PUSH": "PULL",
    "PUB": "SUB",
    "XPUB": "SUB",
}
"""Every socket type, with that of its well-behaved peer; the hostile one claims to be of the same."""

EVERY_TYPE = list(PARTNERS)
SENDERS = ("PUSH", "PUB", "XPUB")
MARK = b"honest"
SLOWEST = 0.5  # seconds of processor time that an honest message may have to wait for, but for one in a hundred. It is
# some milliseconds; work that grows with the square of what an attacker sends, as it must not, takes many seconds.


@attrs.define(eq=False)
class Scene:
    """The socket under attack and its honest peer.

    Attributes:
      net: the virtual network it is on, if it is on one.
      served: how many messages have passed between the two, each checked, none missing.
      strange: messages that came to the socket from elsewhere.
    """

    ctx: triomq.Context
    kind: str
    victim: Any
    honest: Any
    endpoint: str
    monitor: triomq.Monitor
    pause: float
    net: VirtualNetwork | None = None
    served: int = 0
    strange: list[triomq.Message] = attrs.field(factory=list)
    _delays: list[float] = attrs.field(factory=list)
    _endings: dict[str, Exception | None] = attrs.field(factory=dict)

    def attacker(self, **options: int) -> Any:
        """A connection to the socket that does what the test says."""
        return raw_at(self.endpoint, self.net, **options)

    def newcomer(self, **options: Any) -> Any:
        """One more well-behaved peer."""
        socket = _subscribed(self.ctx, PARTNERS[self.kind], MARK, **options)
        socket.connect(self.endpoint)
        return socket

    @asynccontextmanager
    async def established(self, identity: bytes | None = None, *, minor: int = 1, **options: int) -> AsyncIterator[Raw]:
        """A connection to the socket, with the handshake behind it."""
        before = len(self.victim.peers)
        async with self.attacker(**options) as raw:
            await raw.greet(PARTNERS[self.kind], identity, minor=minor)
            await until(lambda: len(self.victim.peers) > before)  # wait_peers of a SUB wants an answer
            yield raw

    async def why(self, raw: Raw) -> Exception:
        """The reason that the monitor gives for having dropped that peer: a readable one."""
        with trio.fail_after(patience()):
            while raw.address not in self._endings:
                event = await self.monitor.receive()
                if isinstance(event, triomq.HandshakeFailed | triomq.Disconnected):
                    self._endings[event.address] = event.error
        error = self._endings.pop(raw.address)
        assert error is not None
        assert 10 < len(str(error)) < 400
        assert str(error).isprintable()
        return error

    async def drops(self, raw: Raw, reason: str) -> None:
        """Hold that the peer has been dropped because it broke the protocol, and that this is the reason given."""
        await raw.hear_end()
        error = await self.why(raw)
        assert isinstance(error, triomq.RemoteProtocolError)
        assert reason in str(error), error

    def statistics(self) -> tuple[triomq.PeerStatistics, ...]:
        """Of the socket's peers."""
        return self.victim.statistics().peers

    async def is_alone(self) -> None:
        """Wait until nobody but the honest peer is connected."""
        await until(lambda: len(self.victim.peers) == 1)

    async def serve(self) -> None:
        """Pass one message between the two, and check it."""
        number = b"%d" % self.served
        began = time.process_time()
        if self.kind in SENDERS:
            await self.victim.send([MARK, number])
            assert await self.honest.receive() == (MARK, number)
        elif self.kind == "REQ":
            await self.victim.send([MARK, number])
            assert await self.honest.receive() == (MARK, number)
            await self.honest.send(number)
            assert await self.victim.receive() == (number,)
        else:
            await self.honest.send([MARK, number])
            await self._receive(number)
        if not tracemalloc.is_tracing():  # which makes everything slow
            self._delays.append(time.process_time() - began)
        self.served += 1

    async def _receive(self, number: bytes) -> None:
        while (message := await self.victim.receive())[-2:-1] != (MARK,):
            self.strange.append(message)
            if self.kind == "REP":
                await self.victim.send(b"what?")
        assert message[-1] == number
        if self.kind == "REP":
            await self.victim.send(number)
            assert await self.honest.receive() == (number,)

    async def serve_on(self) -> None:
        while True:
            await self.serve()
            await trio.sleep(self.pause)

    async def serve_more(self, count: int) -> None:
        """Wait until that many more messages have passed."""
        target = self.served + count
        with trio.fail_after(patience() + 2 * count * self.pause):
            while self.served < target:  # noqa: ASYNC110  # it is looked at in between
                await trio.sleep(self.pause)

    def check_delays(self) -> None:
        delays = sorted(self._delays)
        assert not delays or delays[len(delays) * 99 // 100 - 1] <= SLOWEST


@asynccontextmanager
async def attacked(
    kind: str, net: VirtualNetwork | None = None, *, pause: float | None = 0.002, **options: Any
) -> AsyncIterator[Scene]:
    """A bound socket of this type with its honest peer, both gone afterwards with all they had.

    Args:
      net: a virtual network for it, where time or the peer's failing is what is tested. Without, everything is real:
        what takes memory, and the kernel's queues.
      pause: seconds between two honest messages; None sends none but those that the test does.
      options: of the socket.
    """
    tasks_before = trio.lowlevel.current_statistics().tasks_living
    async with triomq.open_context() if net is None else net.open_context("victim") as ctx:
        victim, honest = _subscribed(ctx, kind, b"", **options), _subscribed(ctx, PARTNERS[kind], MARK)
        endpoint = await victim.bind("tcp://127.0.0.1:0" if net is None else "tcp://*:0")
        scene = Scene(ctx, kind, victim, honest, endpoint, victim.monitor(100_000), pause or 0.0, net)
        await _introduce(scene)
        async with trio.open_nursery() as nursery:
            if pause is not None:
                nursery.start_soon(scene.serve_on)
            yield scene
            if pause is not None:
                await scene.serve_more(10)
            nursery.cancel_scope.cancel()
    if pause is not None:
        scene.check_delays()
    await until(lambda: trio.lowlevel.current_statistics().tasks_living == tasks_before)


def _subscribed(ctx: triomq.Context, kind: str, topic: bytes, **options: Any) -> Any:
    if kind == "SUB":
        options["topics"] = [topic]
    socket = ctx.socket(getattr(triomq, kind), **options)
    if kind == "XSUB":
        socket.send_nowait(b"\1" + topic)
    return socket


async def _introduce(scene: Scene) -> None:
    scene.honest.connect(scene.endpoint)
    with trio.fail_after(patience()):
        await scene.victim.wait_peers()
        for socket in (scene.victim, scene.honest):
            if isinstance(socket, triomq.PUB | triomq.XPUB):
                await socket.wait_subscribers(MARK)


async def until(condition: Callable[[], bool]) -> None:
    """Look again and again until the condition holds; for what nothing tells."""
    with trio.fail_after(patience()):
        while not condition():  # noqa: ASYNC110  # there is no event
            await trio.sleep(0.002)


class Memory:
    """What this process has allocated since `measured` began."""

    def __init__(self) -> None:
        gc.collect()
        self._before = tracemalloc.get_traced_memory()[0]

    def now(self) -> int:
        """Octets more than at the beginning."""
        gc.collect()
        return tracemalloc.get_traced_memory()[0] - self._before

    def peak(self) -> int:
        """The most octets there ever were, more than at the beginning."""
        return tracemalloc.get_traced_memory()[1] - self._before


@contextmanager
def measured() -> Iterator[Memory]:
    """Measure memory in this block."""
    tracemalloc.start()
    try:
        yield Memory()
    finally:
        tracemalloc.stop()
