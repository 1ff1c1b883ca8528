"""The proxy and its turns: when it writes, and whom it lets have their turn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import trio
import trio.testing

import triomq
from triomq.abc import NonblockingStream
from triomq.testing import VirtualNetwork

from .lines import ENDPOINTS, Line, numbers, settle, taken


@pytest.fixture
def writes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The octets of each write of any connection."""
    sizes: list[int] = []

    def spied(stream_type: type[NonblockingStream]) -> None:
        original = stream_type.send_nowait

        def send_nowait(self: Any, buffers: Sequence[Any]) -> int:
            sizes.append(sum(map(len, buffers)))
            return original(self, buffers)

        monkeypatch.setattr(stream_type, "send_nowait", send_nowait)

    spied(triomq.testing.VirtualStream)
    return sizes


async def test_what_moves_in_a_turn_is_written_once_to_each(writes: list[int], virtual_network: VirtualNetwork) -> None:
    """Though each connection was idle, and its peer has just spoken."""
    async with virtual_network.open_context() as ctx:
        line = Line(ctx, "tcp://127.0.0.1:0")
        frontend, client = await line.pair(triomq.ROUTER, triomq.DEALER)
        backend, worker = await line.pair(triomq.DEALER, triomq.DEALER)
        other = await line.connect(triomq.DEALER, backend)
        async with trio.open_nursery() as nursery:
            handle = await nursery.start(triomq.proxy, frontend, backend)
            for _ in range(3):
                handle.pause()
                await client.send_many(numbers(20))
                await settle()
                writes.clear()
                handle.resume()
                await settle()
                assert len(writes) == 2
                replies = [await by.receive() for by in (worker, other) for _ in range(10)]
                handle.pause()
                for reply in replies:
                    await worker.send(reply)
                await settle()
                writes.clear()
                handle.resume()
                await settle()
                assert len(writes) == 1
                assert sorted(taken(client)) == sorted(numbers(20))
            handle.terminate()


async def test_a_lone_message_is_written_in_the_turn_that_moves_it(
    writes: list[int], virtual_network: VirtualNetwork
) -> None:
    """It waits for no other task, nor for others to come."""
    async with virtual_network.open_context() as ctx:
        line = Line(ctx, "tcp://127.0.0.1:0")
        frontend, source = await line.pair(triomq.PULL, triomq.PUSH)
        backend, sink = await line.pair(triomq.PUSH, triomq.PULL)
        async with trio.open_nursery() as nursery:
            handle = await nursery.start(triomq.proxy, frontend, backend)
            handle.pause()
            await source.send(b"it")
            await settle()
            writes.clear()
            handle.resume()
            while handle.statistics().messages_forward == 0:
                await trio.lowlevel.checkpoint()
            assert len(writes) == 1
            assert await sink.receive() == (b"it",)
            handle.terminate()


async def test_each_of_many_connections_is_written_to(virtual_network: VirtualNetwork) -> None:
    """More than are written to in one turn; and sockets may be of two contexts."""
    count = 150
    async with virtual_network.open_context() as ctx, virtual_network.open_context() as other:
        line = Line(ctx, "tcp://127.0.0.1:0")
        frontend, source = await line.pair(triomq.PULL, triomq.PUSH)
        backend, first = await Line(other, "tcp://127.0.0.1:0").pair(triomq.PUB, triomq.SUB)
        subs = [first, *[await line.connect(triomq.SUB, backend) for _ in range(count - 1)]]
        async with trio.open_nursery() as nursery:
            handle = await nursery.start(triomq.proxy, frontend, backend)
            await source.send(b"it")
            for sub in subs:
                assert await sub.receive() == (b"it",)
            handle.terminate()


@ENDPOINTS
async def test_both_ways_and_other_tasks_have_their_turn(endpoint: str, virtual_network: VirtualNetwork) -> None:
    """However much there is to move one way."""
    async with virtual_network.open_context() as ctx:
        line = Line(ctx, endpoint)
        frontend, one = await line.pair(triomq.PAIR, triomq.PAIR, hwm=0)
        backend, other = await line.pair(triomq.PAIR, triomq.PAIR, hwm=0)
        await one.send_many(numbers(2000))
        await other.send_many(numbers(2000))
        await settle()
        async with trio.open_nursery() as nursery:
            handle = await nursery.start(triomq.proxy, frontend, backend)
            moved = (0, 0)
            while moved < (2000, 2000):
                await trio.lowlevel.checkpoint()
                now = handle.statistics()
                before, moved = moved, (now.messages_forward, now.messages_backward)
                assert sum(moved) - sum(before) <= 2 * 256  # of two turns, as others are in no order
                assert abs(moved[0] - moved[1]) <= 256
            handle.terminate()


async def test_a_message_for_many_is_as_much_as_many(virtual_network: VirtualNetwork) -> None:
    """A turn that publishes is over sooner."""
    async with virtual_network.open_context() as ctx:
        line = Line(ctx, "inproc://")
        frontend, source = await line.pair(triomq.PULL, triomq.PUSH, hwm=0)
        backend, first = await line.pair(triomq.XPUB, triomq.SUB, hwm=0)
        subs = [first, *[await line.connect(triomq.SUB, backend) for _ in range(319)]]
        await source.send_many(numbers(50))
        async with trio.open_nursery() as nursery:
            handle = await nursery.start(triomq.proxy, frontend, backend)
            moved = 0
            while moved < 50:
                await trio.lowlevel.checkpoint()
                before, moved = moved, handle.statistics().messages_forward
                assert moved - before <= 8  # 20 and themselves, each; of two turns
            handle.terminate()
        assert all(taken(sub) == numbers(50) for sub in subs)


@ENDPOINTS
async def test_a_paused_one_moves_nothing_in_either_way(endpoint: str, virtual_network: VirtualNetwork) -> None:
    """And once it goes on, all that has come meanwhile."""
    async with virtual_network.open_context() as ctx:
        line = Line(ctx, endpoint)
        frontend, one = await line.pair(triomq.PAIR, triomq.PAIR, hwm=0)
        backend, other = await line.pair(triomq.PAIR, triomq.PAIR, hwm=0)
        async with trio.open_nursery() as nursery:
            handle = await nursery.start(triomq.proxy, frontend, backend)
            handle.pause()
            await one.send_many(numbers(200))
            await other.send_many(numbers(200, 300))
            await settle()
            assert not taken(one)
            assert not taken(other)
            handle.resume()
            await settle()
            assert taken(one) == numbers(200, 300)
            assert taken(other) == numbers(200)
            handle.terminate()
