"""Programs that the hosts of a scenario run, and what a test asks of them."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import trio

import triomq


def pad(size: int) -> Callable[[int], bytes]:
    """Make messages of a size of numbers; `number` reads them."""
    return lambda number: b"%0*d" % (size, number)


def number(message: triomq.Message) -> int:
    """The number in the last frame."""
    return int(message[-1])


# --- senders and receivers ------------------------------------------------------------------


async def receive_into(socket: Any, received: list[int]) -> None:
    """Receive numbers for ever."""
    async for message in socket:
        received.append(number(message))


async def send_impatiently(
    socket: Any, dice: random.Random, numbers: range, accepted: list[int], make: Callable[[int], Any]
) -> None:
    """Send, and be cancelled now and then: before, while and just as the message goes."""
    for one in numbers:
        with patience(dice, 0.1):
            await socket.send(make(one))
            accepted.append(one)


async def receive_impatiently(
    socket: Any, dice: random.Random, received: list[Any], read: Callable[[Any], Any] = number
) -> None:
    """Receive for ever, be cancelled again and again, and be slow."""
    while True:
        with patience(dice, 1.0):
            received.append(read(await socket.receive()))
        await trio.sleep(dice.choice([0, 0.05]))


def patience(dice: random.Random, longest: float) -> trio.CancelScope:
    """A scope that is cancelled already, as soon as time passes, soon, or late."""
    scope = trio.CancelScope()
    choice = dice.choice([None, 1e-9, longest / 10, longest])
    if choice is None:
        scope.cancel()
    else:
        scope.deadline = trio.current_time() + choice
    return scope


async def drain(socket: Any, quiet: float = 60.0) -> list[triomq.Message]:
    """Receive until nothing comes for some seconds."""
    received = []
    while True:
        with trio.move_on_after(quiet) as silence:
            received.append(await socket.receive())
        if silence.cancelled_caught:
            return received


async def bound_pull(ctx: triomq.Context, received: list[int], **options: Any) -> None:
    """Bind a PULL to port 5555 and receive numbers for ever."""
    pull = ctx.socket(triomq.PULL, **options)
    await pull.bind("tcp://*:5555")
    await receive_into(pull, received)


# An attempt that is under way when the network comes back may wait for its next turn for half a minute.
SOON_BACK: dict[str, Any] = {"reconnect_interval_max": 1.0, "connect_timeout": 2.0}


# --- publishers and subscribers -------------------------------------------------------------


async def publish(ctx: triomq.Context, interval: float = 0.1) -> None:
    """Publish the time in milliseconds as news, and noise."""
    pub = ctx.socket(triomq.PUB, heartbeat_interval=1.0)
    await pub.bind("tcp://*:5555")
    while True:
        await pub.send([b"news", b"%d" % round(trio.current_time() * 1000)])
        await pub.send([b"noise", b""])
        await trio.sleep(interval)


async def follow(ctx: triomq.Context, seen: list[tuple[float, int]], endpoint: str = "tcp://pub:5555") -> None:
    """Note the news, each with the time it came."""
    sub = ctx.socket(triomq.SUB, topics=["news"], heartbeat_interval=1.0, **SOON_BACK)
    sub.connect(endpoint)
    async for topic, time in sub:
        assert topic == b"news"
        seen.append((trio.current_time(), int(time)))


async def forward_subscriptions(ctx: triomq.Context, publisher: str, port: int = 6666) -> None:
    """Stand between publishers and subscribers."""
    xsub = ctx.socket(triomq.XSUB, heartbeat_interval=1.0, **SOON_BACK)
    xpub = ctx.socket(triomq.XPUB, heartbeat_interval=1.0)
    xsub.connect(publisher)
    await xpub.bind(f"tcp://*:{port}")
    await triomq.proxy(xsub, xpub)


def assert_followed(seen: list[tuple[float, int]], until: float) -> None:
    """What came, came in order and once, and goes on to a time."""
    times = [time for _, time in seen]
    assert times == sorted(set(times))
    assert times[-1] > until * 1000


# --- requests -------------------------------------------------------------------------------


async def echo(ctx: triomq.Context, heartbeat: float = 1.0) -> None:
    """Answer each request with itself."""
    rep = ctx.socket(triomq.REP, heartbeat_interval=heartbeat)
    await rep.bind("tcp://*:5555")
    while True:
        await rep.send([b"reply", *await rep.receive()])


async def ask_until_answered(req: triomq.REQ, word: bytes, patience: float) -> triomq.Message:
    """Ask again and again."""
    while True:
        with trio.move_on_after(patience):
            return await req.request(word)


async def answer_all(router: triomq.ROUTER) -> None:
    """Send back everything that comes."""
    async for message in router:
        await router.send(message)


# --- looking --------------------------------------------------------------------------------


def accounted(socket: Any) -> int:
    """Messages that `statistics` knows of, wherever they are: each that was accepted, unless a peer is doubled."""
    statistics = socket.statistics()
    queued = sum(peer.send_queue for peer in statistics.peers)
    return statistics.messages_sent + statistics.messages_dropped + queued
