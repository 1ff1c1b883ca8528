"""Publishing to libzmq and from it: what an XPUB is told, what passes the filter, what is dropped."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio

import triomq

from .libzmq import Peer
from .pairs import bring_together, until

pytestmark = pytest.mark.interop

LARGE = bytes(64 * 1024)


class Subscriber:
    """A SUB of either library."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket

    async def connect(self, endpoint: str) -> None:
        if isinstance(self._socket, triomq.SUB):
            self._socket.connect(endpoint)
        else:
            await self._socket.connect(endpoint)

    async def subscribe(self, topic: bytes) -> None:
        if isinstance(self._socket, triomq.SUB):
            self._socket.subscribe(topic)
        else:
            await self._socket.set("subscribe", topic)

    async def unsubscribe(self, topic: bytes) -> None:
        if isinstance(self._socket, triomq.SUB):
            self._socket.unsubscribe(topic)
        else:
            await self._socket.set("unsubscribe", topic)

    async def receive(self) -> tuple[bytes, ...]:
        return await self._socket.receive()

    async def aclose(self) -> None:
        await self._socket.aclose()


async def told_until(publisher: Any, last: bytes) -> list[bytes]:
    """What an XPUB is told before ``last``, markers left out."""
    told = []
    while (message := (await publisher.receive())[0]) != last:
        told.append(message)
    return [message for message in told if not message[1:].startswith(b"mark")]


@pytest.mark.parametrize("verbosity", ["", "xpub_verbose", "xpub_verboser"])
@pytest.mark.parametrize("we_publish", [True, False], ids=["we-publish", "they-publish"])
async def test_what_an_xpub_is_told(
    ctx: triomq.Context, peer: Peer, endpoint: str, we_publish: bool, verbosity: str
) -> None:
    """Subscriptions, cancellations and departures are told as libzmq's own XPUB tells them, whatever the verbosity."""
    publisher: Any
    if we_publish:
        publisher = ctx.socket(triomq.XPUB, **({verbosity: True} if verbosity else {}))  # type: ignore[misc]
        one, two = [Subscriber(await peer.socket("SUB")) for _ in range(2)]
    else:
        publisher = await peer.socket("XPUB", **({verbosity: 1} if verbosity else {}))
        one, two = [Subscriber(ctx.socket(triomq.SUB)) for _ in range(2)]
    every, all_cancellations = bool(verbosity), verbosity == "xpub_verboser"
    witness = Subscriber(await peer.socket("SUB") if we_publish else ctx.socket(triomq.SUB))
    place = await publisher.bind(endpoint)
    for subscriber in (one, two, witness):
        await subscriber.connect(place)

    async def told_after(step: int, subscriber: Subscriber) -> list[bytes]:
        await subscriber.subscribe(b"mark %d" % step)
        return await told_until(publisher, b"\1mark %d" % step)

    async def told_by_leaving(last_step: int, subscriber: Subscriber) -> list[bytes]:
        await subscriber.aclose()
        first = await told_until(publisher, b"\0mark %d" % last_step)  # all that it cancels is told in one go
        return sorted(first + await told_after(last_step + 10, witness))

    await one.subscribe(b"a")
    assert await told_after(1, one) == [b"\1a"]
    await two.subscribe(b"a")
    assert await told_after(2, two) == ([b"\1a"] if every else [])
    await two.subscribe(b"b")
    assert await told_after(3, two) == [b"\1b"]
    await one.unsubscribe(b"a")
    assert await told_after(4, one) == ([b"\0a"] if all_cancellations else [])
    await one.subscribe(b"a")
    assert await told_after(5, one) == ([b"\1a"] if every else [])
    assert await told_by_leaving(5, one) == ([b"\0a"] if all_cancellations else [])
    assert await told_by_leaving(3, two) == [b"\0a", b"\0b"]


@pytest.mark.parametrize("we_publish", [True, False], ids=["we-publish", "they-publish"])
async def test_subscribing_by_messages(ctx: triomq.Context, peer: Peer, endpoint: str, we_publish: bool) -> None:
    """An XSUB subscribes and cancels by sending, and its other messages reach the XPUB as they are."""
    publisher: Any = ctx.socket(triomq.XPUB) if we_publish else await peer.socket("XPUB")
    subscriber: Any = await peer.socket("XSUB") if we_publish else ctx.socket(triomq.XSUB)
    place = await publisher.bind(endpoint)
    if we_publish:
        await subscriber.connect(place)
    else:
        subscriber.connect(place)
        await subscriber.wait_peers()
    await subscriber.send(b"\1news")
    assert await publisher.receive() == (b"\1news",)
    for topic in (b"old", b"news", b"newspaper", b"new"):
        await publisher.send([topic, b"text"])
    assert await subscriber.receive() == (b"news", b"text")
    assert await subscriber.receive() == (b"newspaper", b"text")
    await subscriber.send([b"to the", b"editor"])
    assert await publisher.receive() == (b"to the", b"editor")
    await subscriber.send(b"\0news")
    assert await publisher.receive() == (b"\0news",)
    await publisher.send([b"news", b"nobody reads"])
    await subscriber.send(b"\1end")
    assert await publisher.receive() == (b"\1end",)
    await publisher.send(b"end")
    assert await subscriber.receive() == (b"end",)


@pytest.mark.parametrize("we_publish", [True, False], ids=["we-publish", "they-publish"])
async def test_subscriptions_are_counted(ctx: triomq.Context, peer: Peer, endpoint: str, we_publish: bool) -> None:
    """Two subscriptions to one topic take two cancellations."""
    publisher: Any = ctx.socket(triomq.XPUB) if we_publish else await peer.socket("XPUB")
    subscriber = Subscriber(await peer.socket("SUB") if we_publish else ctx.socket(triomq.SUB))
    await subscriber.subscribe(b"topic")
    await subscriber.subscribe(b"topic")
    await subscriber.connect(await publisher.bind(endpoint))
    assert await publisher.receive() == (b"\1topic",)
    await subscriber.unsubscribe(b"topic")
    await subscriber.subscribe(b"mark")
    assert await told_until(publisher, b"\1mark") == []
    await publisher.send(b"topic")
    assert await subscriber.receive() == (b"topic",)
    await subscriber.unsubscribe(b"topic")
    assert await publisher.receive() == (b"\0topic",)


async def test_several_subscribers_each_with_its_topics(ctx: triomq.Context, peer: Peer, endpoint: str) -> None:
    """Waiting for subscribers is all that a publisher needs; each gets what it has asked for and no more."""
    publisher = ctx.socket(triomq.PUB)
    place = await publisher.bind(endpoint)
    subscribers = [await peer.socket("SUB", subscribe=topic) for topic in (b"", b"a", b"ab", b"b")]
    for subscriber in subscribers:
        await subscriber.connect(place)
    await publisher.wait_subscribers(b"abc", 3)
    await publisher.wait_subscribers(b"b", 2)
    sent = [(topic, b"%d" % number) for number in range(50) for topic in (b"abc", b"ac", b"b", b"c", b"")]
    sent += [(b"ab", b"the last for three"), (b"b", b"the last for two")]
    for message in sent:
        await publisher.send(message)
    for subscriber, topic in zip(subscribers, (b"", b"a", b"ab", b"b"), strict=True):
        wanted = [message for message in sent if message[0].startswith(topic)]
        assert [await subscriber.receive() for _ in wanted] == wanted


@pytest.mark.parametrize("kind", ["PUB", "XPUB"])
async def test_a_subscriber_of_theirs_that_does_not_read(ctx: triomq.Context, peer: Peer, kind: str) -> None:
    """Publishing never waits for it: what finds it full is dropped and counted, and others miss nothing."""
    publisher = ctx.socket(getattr(triomq, kind), send_hwm=10)
    place = await publisher.bind("tcp://127.0.0.1:*")
    idle = await peer.socket("SUB", subscribe=b"", rcvhwm=1, rcvbuf=64 * 1024)
    await idle.connect(place)
    await publisher.wait_peers(1)
    eager = await peer.socket("SUB", subscribe=b"", rcvhwm=0)
    await eager.connect(place)
    await publisher.wait_subscribers(b"", 2)
    total = 0
    while publisher.statistics().peers[0].messages_dropped < 20:
        publisher.send_nowait([b"%d" % total, LARGE])
        total += 1
        await until(lambda: publisher.statistics().peers[1].send_queue == 0)
    assert await eager.call("receive_prefixes", count=total) == [str(number) for number in range(total)]
    counted = publisher.statistics()
    assert counted.messages_dropped == counted.peers[0].messages_dropped
    kept = total - counted.messages_dropped
    late = [int(number) for number in await idle.call("receive_prefixes", count=kept)]
    assert late == list(range(kept))  # the oldest
    await publisher.send(b"%d" % total)
    assert await idle.receive() == (b"%d" % total,)


async def test_a_subscriber_of_ours_that_does_not_read(ctx: triomq.Context, peer: Peer) -> None:
    """It stops reading, so libzmq drops; what it has taken in is bounded, and it goes on when it is read again."""
    publisher = await peer.socket("XPUB", sndhwm=10)
    subscriber = ctx.socket(triomq.SUB, topics=[b""], receive_hwm=3, receive_buffer=64 * 1024)
    await bring_together(subscriber, publisher, "tcp://127.0.0.1:*", we_bind=False)
    assert await publisher.receive() == (b"\1",)
    for number in range(200):
        await publisher.call("send_sized", number=number, size=len(LARGE))
    assert subscriber.statistics().messages_received <= 3
    async with repeatedly(publisher.send, b"again"):  # it is dropped as long as there is no room
        got = []
        while (head := (await subscriber.receive())[0]) != b"again":
            got.append(int(head))
    assert got[:10] == list(range(10))
    assert got == sorted(set(got))
    assert len(got) < 200


@asynccontextmanager
async def repeatedly(call: Callable[[bytes], Awaitable[None]], message: bytes) -> AsyncIterator[None]:
    """Make the call again and again during the block."""

    async def work() -> None:
        while True:
            await call(message)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(work)
        yield
        nursery.cancel_scope.cancel()


SEVERAL = [
    ([b"\1A", b"\1B"], [(b"\1A",), (b"\1B",)]),
    ([b"\1C", b"xyz"], [(b"\1C",), (b"xyz",)]),
    ([b"xyz", b"\1D"], [(b"xyz", b"\1D")]),
    ([b"\1E", b"xy", b"\1F"], [(b"\1E",), (b"xy", b"\1F")]),
    ([b"\0A", b"\0B"], [(b"\0A",), (b"\0B",)]),
    ([b"\1", b""], [(b"\1",), (b"",)]),
]
"""What an XSUB is given to send, and what libzmq's XPUB makes of it."""


@pytest.mark.parametrize("we_publish", [True, False], ids=["we-publish", "they-publish"])
async def test_subscriptions_of_several_frames(
    ctx: triomq.Context, peer: Peer, endpoint: str, we_publish: bool
) -> None:
    """Each is taken, and what stands behind them is a message, whichever side is whose."""
    xpub: Any
    xsub: Any
    if we_publish:
        xpub, xsub = ctx.socket(triomq.XPUB), await peer.socket("XSUB")
        await xsub.connect(await xpub.bind(endpoint))
        await xpub.wait_peers()
    else:
        xpub, xsub = await peer.socket("XPUB"), ctx.socket(triomq.XSUB)
        xsub.connect(await xpub.bind(endpoint))
        await xsub.wait_peers()
    for message, told in SEVERAL:
        await xsub.send(message)
        assert [await xpub.receive() for _ in told] == told
