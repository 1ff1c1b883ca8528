"""Waiting for several sockets at once, and moving messages between sockets, cancelled at random (C2, C6, C13)."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

import triomq
from triomq.testing import VirtualNetwork

from .kit import FLOWS, SCHEMES, Book, Chaos, examples, run

PUSH_PULL = FLOWS[0]
SOCKETS = 3
Wait = Callable[[list[Any], list[triomq.Message]], Awaitable[None]]


async def merged(sockets: list[Any], got: list[triomq.Message]) -> None:
    """The library's way to wait for the first of several sockets."""
    got.append((await triomq.merge(*sockets).receive())[1])


async def raced(sockets: list[Any], got: list[triomq.Message]) -> None:
    """The hand-made way: one task for each socket, and the first that has a message cancels the others."""

    async def receive(socket: Any) -> None:
        got.append(await socket.receive())
        nursery.cancel_scope.cancel()

    async with trio.open_nursery() as nursery:
        for socket in sockets:
            nursery.start_soon(receive, socket)


async def first_of_several(net: VirtualNetwork, scheme: str, wait: Wait, seed: int, rounds: int) -> None:
    rng = random.Random(seed)
    chaos = Chaos(rng, rounds // 4)
    book = Book()
    each = rounds // SOCKETS

    async def send(who: int, sender: Any) -> None:
        for serial in range(each):
            book.accepted.add((who, serial))
            await sender.send(book.frames(who, serial))
            for _ in range(rng.choice((0, 0, 1, 2))):
                await trio.lowlevel.checkpoint()

    async with net.open_context() as ctx:
        pairs = [await PUSH_PULL.open(ctx, scheme, hwm=3, name=f"{number}") for number in range(SOCKETS)]
        async with trio.open_nursery() as nursery:
            nursery.start_soon(chaos.run)
            for who, (sender, _) in enumerate(pairs):
                nursery.start_soon(send, who, sender)
            while len(book.received) < each * SOCKETS:
                got: list[triomq.Message] = []
                with chaos.scope():
                    await wait([receiver for _, receiver in pairs], got)
                for message in got:
                    book.note(message)
        book.check()
        assert not any(pair[1].statistics().tasks_waiting_receive for pair in pairs)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("wait", [merged, raced], ids=lambda one: one.__name__)
def test_waiting_for_the_first_of_several_sockets_loses_nothing(scheme: str, wait: Wait) -> None:
    """Hundreds of rounds in which the losers, and now and then the whole race, are cancelled."""

    @examples(2)
    @given(seed=st.integers(0, 2**32 - 1))
    def try_it(seed: int) -> None:
        run(first_of_several, scheme, wait, seed, 600, scheme=scheme, seed=seed)

    try_it()


@pytest.mark.soak
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("wait", [merged, raced], ids=lambda one: one.__name__)
def test_waiting_for_the_first_of_several_sockets_a_hundred_thousand_times(scheme: str, wait: Wait) -> None:
    """The same, for minutes."""
    run(first_of_several, scheme, wait, 1, 100_000, scheme=scheme)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_merged_channel_is_fair_and_shares_its_sockets(scheme: str) -> None:
    """The sockets take turns, and another task may receive from one of them directly."""

    async def main(net: VirtualNetwork) -> None:
        async with net.open_context() as ctx:
            pairs = [await PUSH_PULL.open(ctx, scheme, hwm=0, name=f"{number}") for number in range(2)]
            for number, (sender, _) in enumerate(pairs):
                await sender.send_many([b"%d.%d" % (number, serial) for serial in range(6)])
            merged = triomq.merge(*(receiver for _, receiver in pairs))
            await trio.testing.wait_all_tasks_blocked()
            got = [(await merged.receive())[1].text() for _ in range(4)]
            assert sorted(got[:2]) == ["0.0", "1.0"]
            assert sorted(got[2:]) == ["0.1", "1.1"]
            assert await pairs[0][1].receive() == (b"0.2",)
            rest = [(await merged.receive())[1].text() for _ in range(7)]
            assert sorted(rest) == ["0.3", "0.4", "0.5", "1.2", "1.3", "1.4", "1.5"]

    run(main, scheme=scheme)


# --- proxy -----------------------------------------------------------------------------------------


async def proxied(net: VirtualNetwork, scheme: str, seed: int, end: str) -> None:
    rng = random.Random(seed)
    book = Book()
    copies = Book()

    async def send(who: int) -> None:
        for serial in range(40):
            book.accepted.add((who, serial))
            await source.send(book.frames(who, serial))
            if rng.random() < 0.3:
                await trio.lowlevel.checkpoint()

    async def note(socket: Any, into: Book) -> None:
        while True:
            into.note(await socket.receive())
            if rng.random() < 0.3:
                await trio.lowlevel.checkpoint()
            if len(into.received) == 80:
                ended.append(into)
                if len(ended) == 2:
                    nursery.cancel_scope.cancel()

    ended: list[Book] = []
    async with net.open_context() as ctx:
        source, frontend = await PUSH_PULL.open(ctx, scheme, hwm=2)
        backend, sink = await PUSH_PULL.open(ctx, scheme, hwm=2, name="sink")
        capture, copy = await PUSH_PULL.open(ctx, scheme, hwm=3, name="copy")
        async with trio.open_nursery() as nursery:
            for who in range(2):
                nursery.start_soon(send, who)
            nursery.start_soon(note, sink, book)
            nursery.start_soon(note, copy, copies)
            for _ in range(40):
                async with trio.open_nursery() as short:
                    handle = await short.start(triomq.proxy, frontend, backend, capture)
                    for _ in range(rng.choice((0, 1, 2, 5, 9))):
                        await trio.lowlevel.checkpoint()
                    if rng.random() < 0.3:
                        handle.pause()
                        await trio.lowlevel.checkpoint()
                        handle.resume()
                    if end == "cancel":
                        short.cancel_scope.cancel()
                    else:
                        handle.terminate()
            await triomq.proxy(frontend, backend, capture)
        copies.accepted = book.accepted
        book.check()
        copies.check()


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("end", ["cancel", "terminate"])
def test_a_proxy_that_is_ended_while_traffic_flows_loses_and_doubles_nothing(scheme: str, end: str) -> None:
    """C13: whatever is moved, and copied, arrives once and in order, however often it is ended."""

    @examples(4)
    @given(seed=st.integers(0, 2**32 - 1))
    def try_it(seed: int) -> None:
        run(proxied, scheme, seed, end, scheme=scheme, seed=seed)

    try_it()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_paused_proxy_moves_nothing(scheme: str) -> None:
    """Messages wait in the sockets; the statistics say what was moved."""

    async def main(net: VirtualNetwork) -> None:
        async with net.open_context() as ctx:
            source, frontend = await PUSH_PULL.open(ctx, scheme, hwm=0)
            backend, sink = await PUSH_PULL.open(ctx, scheme, name="sink")
            async with trio.open_nursery() as nursery:
                handle = await nursery.start(triomq.proxy, frontend, backend)
                handle.pause()
                await source.send(b"it")
                with trio.move_on_after(5):
                    raise AssertionError(await sink.receive())
                assert handle.statistics().messages_forward == 0
                handle.resume()
                assert await sink.receive() == (b"it",)
                statistics = handle.statistics()
                assert (statistics.messages_forward, statistics.messages_backward) == (1, 0)
                handle.terminate()

    run(main, scheme=scheme)
