"""The proxy and its busy peers: when it looks at connections before it sleeps, and what it does with what it finds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

import triomq
from triomq.abc import Pipe

from .lines import numbers

ALL = 4  # connections of the two sockets of the proxy


class Lookout:
    """Stands for a connection that is looked at.

    Attributes:
      finds: called by the next look, which then has found something.
    """

    def __init__(self, pipe: Pipe) -> None:
        self.pipe = pipe
        self.looks = 0
        self.finds: Callable[[], object] | None = None
        pipe.inbox.lookout = self

    def look(self) -> bool:
        """See `triomq.abc.Lookout`."""
        self.looks += 1
        finds, self.finds = self.finds, None
        if finds is not None:
            finds()
        return finds is not None


class Proxied:
    """A proxy of a PULL and a PUSH, each with two peers in the program, and a lookout at each connection."""

    def __init__(self, pull: triomq.PULL, push: triomq.PUSH) -> None:
        self.lookouts = [Lookout(pipe) for socket in (pull, push) for pipe in socket._pattern.pipes]

    async def bring(self, count: int) -> None:
        """A peer has sent this many messages, and the proxy has slept and moves them."""
        self.deliver(count)
        await wait_all_tasks_blocked()

    def deliver(self, count: int) -> None:
        self.lookouts[0].pipe.deliver([(b"%d" % number,) for number in range(count)])

    def looks(self) -> list[int]:
        """How often each connection was looked at."""
        return [lookout.looks for lookout in self.lookouts]


@asynccontextmanager
async def proxied() -> AsyncIterator[tuple[Proxied, triomq.ProxyHandle]]:
    async with triomq.open_context() as ctx, trio.open_nursery() as nursery:
        pull, push = ctx.socket(triomq.PULL, bind="inproc://in"), ctx.socket(triomq.PUSH, bind="inproc://out")
        async with pull, push:
            senders = [ctx.socket(triomq.PUSH, connect="inproc://in") for _ in range(2)]
            receivers = [ctx.socket(triomq.PULL, connect="inproc://out") for _ in range(2)]
            for socket in (*senders, *receivers):
                await socket.wait_peers()
            handle = await nursery.start(triomq.proxy, pull, push)
            await wait_all_tasks_blocked()
            yield Proxied(pull, push), handle
            nursery.cancel_scope.cancel()


async def test_after_many_messages_it_looks_once_at_each_connection(mock_clock: MockClock) -> None:
    async with proxied() as (proxy, _):
        await proxy.bring(8)
        assert proxy.looks() == [1] * ALL


@pytest.mark.parametrize("count", [1, 7])
async def test_after_a_few_it_sleeps(count: int, mock_clock: MockClock) -> None:
    async with proxied() as (proxy, _):
        await proxy.bring(count)
        assert proxy.looks() == [0] * ALL


async def test_what_it_finds_is_moved_and_then_it_looks_again_if_that_was_much(mock_clock: MockClock) -> None:
    async with proxied() as (proxy, handle):
        proxy.lookouts[0].finds = lambda: proxy.deliver(9)
        await proxy.bring(8)
        assert handle.statistics().messages_forward == 17
        assert proxy.looks() == [2] * ALL


async def test_it_looks_no_longer_than_a_turn_lasts(mock_clock: MockClock) -> None:
    async with proxied() as (proxy, _):
        proxy.lookouts[1].finds = lambda: mock_clock.jump(1e-3)
        await proxy.bring(8)
        assert proxy.looks() == [1, 1, 0, 0]


async def test_other_tasks_have_their_turns_however_much_it_finds(mock_clock: MockClock) -> None:
    async with proxied() as (proxy, handle):
        endless = proxy.lookouts[0]

        def find() -> None:
            endless.finds = find
            proxy.deliver(8)

        find()
        turns = 0
        while handle.statistics().messages_forward < 800:
            await trio.lowlevel.checkpoint()
            turns += 1
        assert turns > 90
        endless.finds = None


async def test_a_connection_of_a_peer_that_has_left_is_not_looked_at(mock_clock: MockClock) -> None:
    async with proxied() as (proxy, _):
        proxy.lookouts[2].pipe.inbox.lookout = None
        await proxy.bring(8)
        assert proxy.looks() == [1, 1, 0, 1]


async def test_a_stream_is_looked_at_as_long_as_its_connection_lasts() -> None:
    async with triomq.open_context() as ctx, trio.open_nursery() as nursery:
        pull, push = ctx.socket(triomq.PULL, bind="tcp://127.0.0.1:0"), ctx.socket(triomq.PUSH, bind="inproc://out")
        async with pull, push:
            sender, receiver = ctx.socket(triomq.PUSH), ctx.socket(triomq.PULL, connect="inproc://out")
            sender.connect(pull.endpoints[0])
            await sender.wait_peers()
            await pull.wait_peers()
            await receiver.wait_peers()
            await nursery.start(triomq.proxy, pull, push)
            (pipe,) = pull._pattern.pipes
            assert pipe.inbox.lookout is pipe.inbox.source
            await sender.send_many(numbers(100))
            received = [await receiver.receive() for _ in range(100)]
            assert [bytes(message) for message in received] == numbers(100)
            nursery.cancel_scope.cancel()
        assert pipe.inbox.lookout is None
