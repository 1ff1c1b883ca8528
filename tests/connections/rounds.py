"""Rounds of trio runs that start, talk, cancel and end in random order, each run in a thread of its own.

How threads take turns is up to the system. What is random otherwise is drawn from a seed.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import trio
import trio.testing

import triomq

from .runs import start

NAME = "inproc://it"
ENDS = ("returns", "is cancelled", "fails")


class Planned(Exception):
    """How a run was to end."""


async def ending(how: str, body: Callable[[], Awaitable[None]]) -> None:
    """Do something, and end as planned."""
    with trio.CancelScope() as scope:
        await body()
        if how == "is cancelled":
            scope.cancel()
            await trio.lowlevel.checkpoint()
        elif how == "fails":
            raise Planned


async def run_of(names: triomq.SharedNames, how: str, body: Callable[[triomq.Context], Awaitable[None]]) -> None:
    """A context in a run, which ends in some way while the context is open."""

    async def main() -> None:
        async with triomq.open_context(inproc=names) as ctx:
            await ending(how, partial(body, ctx))

    try:
        await main()
    except Planned:
        assert how == "fails"


# --- nothing that was accepted is lost ----------------------------------------------------------------


async def push_some(
    names: triomq.SharedNames, seed: int, who: int, accepted: dict[tuple[int, int], None], options: dict[str, Any]
) -> None:
    """Send with calls that are cancelled at random; note what was accepted; end somehow."""
    dice = random.Random(f"{seed} {who}")

    async def body(ctx: triomq.Context) -> None:
        push = ctx.socket(triomq.PUSH, linger=0, **options)
        push.connect(NAME)
        await push.wait_peers()
        for serial in range(dice.randrange(60)):
            with trio.CancelScope() as scope:
                if not dice.randrange(4):
                    scope.deadline = trio.current_time() + dice.choice((0.0, 0.0, 1e-4, 1e-3))
                await push.send([b"%d" % who, b"%d" % serial])
            if not scope.cancelled_caught:
                accepted[who, serial] = None
            if not dice.randrange(10):
                await trio.lowlevel.checkpoint()

    await run_of(names, dice.choice(ENDS), body)


def round_of_pushes(seed: int) -> int:
    """Several runs push to one, each ends somehow; what was accepted is received once and in order.

    Returns: how many messages that were.
    """
    dice = random.Random(seed)
    names, accepted = triomq.SharedNames(), dict[tuple[int, int], None]()
    options = {"hwm": dice.choice((0, 1, 2, 1000))}
    pushers = dice.randrange(1, 4)
    got: list[tuple[int, int]] = []

    async def pull_all() -> None:
        async with triomq.open_context(inproc=names) as ctx:
            pull = ctx.socket(triomq.PULL, **options)
            early = [start(push_some, names, seed, who, accepted, options) for who in range(0, pushers, 2)]
            await pull.bind(NAME)
            late = [start(push_some, names, seed, who, accepted, options) for who in range(1, pushers, 2)]

            async def receive() -> None:
                async for message in pull:
                    got.append((int(message[0]), int(message[1])))

            async with trio.open_nursery() as nursery:
                nursery.start_soon(receive)
                for run in early + late:
                    await run.joined()
                await pull.wait_peers(0)
                await trio.testing.wait_all_tasks_blocked()
                nursery.cancel_scope.cancel()

    start(pull_all).join()
    assert len(got) == len(set(got)), "received twice"
    assert set(got) == set(accepted), "lost, or never accepted"
    for who in range(pushers):
        serials = [serial for sender, serial in got if sender == who]
        assert serials == sorted(serials), "out of order"
    return len(got)


# --- nobody hangs, whoever goes -----------------------------------------------------------------------

Talk = Callable[[random.Random, Any], Awaitable[None]]


async def say(dice: random.Random, socket: Any) -> None:
    """Send, if there is room."""
    frames = [peer.routing_id for peer in socket.peers[:1]] if socket.socket_type == "ROUTER" else []
    socket.send_nowait([*frames, b"\1it", b"it"])


async def hear(dice: random.Random, socket: Any) -> None:
    """Receive, for a moment."""
    with trio.move_on_after(dice.choice((0.0, 1e-4, 1e-3))):
        await socket.receive()


async def subscribe(dice: random.Random, socket: Any) -> None:
    """Change what is subscribed to."""
    socket.subscribe(b"it")
    with trio.move_on_after(1e-3):
        await socket.wait_subscribed()


async def ask(dice: random.Random, socket: Any) -> None:
    """One request, for a moment."""
    with trio.move_on_after(dice.choice((0.0, 1e-3))):
        await socket.request(b"it")


async def part(dice: random.Random, socket: Any) -> None:
    """Part from whoever is there."""
    for peer in socket.peers:
        peer.disconnect()
    await trio.lowlevel.checkpoint()


async def rename(dice: random.Random, socket: Any) -> None:
    """Give a name up, or take it."""
    if socket.endpoints:
        endpoint = socket.endpoints[0]
        try:
            await socket.unbind(endpoint)
        except triomq.EndpointError:
            socket.disconnect(endpoint)
    else:
        await meet(dice, socket)


KINDS: dict[str, tuple[Talk, ...]] = {
    "PUSH": (say,), "PULL": (hear,), "PAIR": (say, hear), "DEALER": (say, hear), "ROUTER": (say, hear),
    "REQ": (ask,), "REP": (say, hear), "PUB": (say,), "SUB": (subscribe, hear), "XPUB": (say, hear),
    "XSUB": (say, hear),
}  # fmt: skip


async def meet(dice: random.Random, socket: Any) -> None:
    """Bind the name, or connect to it."""
    if dice.randrange(2):
        await socket.bind(NAME)
    else:
        socket.connect(NAME)


async def attempt(talk: Talk, dice: random.Random, socket: Any) -> None:
    """Do something that may be impossible now, by the rules of the socket's type, and then raises."""
    try:
        await talk(dice, socket)
    except (trio.WouldBlock, triomq.WrongStateError, triomq.AddressInUseError):
        await trio.lowlevel.checkpoint()


async def do_anything(names: triomq.SharedNames, seed: int, who: int, kinds: tuple[str, str]) -> None:
    """Some sockets that do something for a while; then the run ends somehow."""
    dice = random.Random(f"{seed} {who}")

    async def body(ctx: triomq.Context) -> None:
        kind = dice.choice(kinds)
        conflates = kind in ("PUSH", "PULL", "PUB", "SUB") and not dice.randrange(4)
        limits: dict[str, Any] = {"conflate": True} if conflates else {"hwm": dice.choice((0, 1, 2, 1000))}
        linger = dice.choice((0, 0, 1e-3))
        sockets = [ctx.socket(getattr(triomq, kind), linger=linger, **limits) for _ in range(dice.randrange(1, 3))]
        for socket in sockets:
            await attempt(meet, dice, socket)
        for _ in range(dice.randrange(30)):
            socket = dice.choice(sockets)
            await attempt(dice.choice((*KINDS[socket.socket_type] * 4, part, rename)), dice, socket)

    await run_of(names, dice.choice(ENDS), body)


def round_of_anything(seed: int) -> None:
    """Several runs whose sockets talk, part and meet again, and end somehow: all of them end, and nothing is kept."""
    dice = random.Random(seed)
    names = triomq.SharedNames()
    kinds = dice.choice(
        [("PUSH", "PULL"), ("PAIR", "PAIR"), ("DEALER", "ROUTER"), ("REQ", "REP"), ("PUB", "SUB"), ("XPUB", "XSUB"),
         ("DEALER", "DEALER"), ("REQ", "ROUTER"), ("PUB", "XSUB"), ("ROUTER", "ROUTER"), ("REQ", "PULL")]
    )  # fmt: skip
    runs = [start(do_anything, names, seed, who, kinds) for who in range(dice.randrange(2, 5))]
    for run in runs:
        run.join()
    assert repr(names) == "<triomq.SharedNames 0 bound, 0 contexts>"


# --- a long stream ------------------------------------------------------------------------------------


def stream(count: int, *, batches: bool) -> None:
    """So many messages from one run to another arrive, each once and in order."""
    names = triomq.SharedNames()
    messages = [b"%d" % number for number in range(count)]

    async def push() -> None:
        async with triomq.open_context(inproc=names) as ctx:
            socket = ctx.socket(triomq.PUSH, connect=NAME)
            if batches:
                await socket.send_many(messages)
            else:
                for message in messages:
                    await socket.send(message)

    async def pull() -> None:
        async with triomq.open_context(inproc=names) as ctx:
            socket = ctx.socket(triomq.PULL)
            await socket.bind(NAME)
            got = 0
            while got < count:
                some = await socket.receive_many(1000) if batches else [await socket.receive()]
                assert [bytes(message) for message in some] == messages[got : got + len(some)]
                got += len(some)

    runs = [start(pull), start(push)]
    for run in runs:
        run.join()
