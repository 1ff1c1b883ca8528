"""A stream of small messages is written once for several turns, and not held back when it ends."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import trio
import trio.testing

import triomq
from triomq.testing import VirtualNetwork

settled = trio.testing.wait_all_tasks_blocked

TURNS = 10
MOST = 1024  # messages in one write


class Stream:
    """A PUSH that sends for some turns, in which time stands still, and the writes that come of it."""

    def __init__(self, net: VirtualNetwork, push: triomq.PUSH) -> None:
        self._net, self._push = net, push

    def written(self) -> int:
        """How many writes there were so far."""
        return len([event for event in self._net.recorder.of_kind("sent") if event.host == "b"])

    async def send(self, in_a_turn: int, *, turns: int = TURNS, size: int = 1) -> None:
        """Send as many messages in each turn; who sends and who writes have their turns in any order."""
        for _ in range(turns):
            for _ in range(in_a_turn):
                self._push.send_nowait(bytes(size))
            await trio.lowlevel.checkpoint()


@pytest.fixture
async def stream(virtual_network: VirtualNetwork) -> AsyncIterator[Stream]:
    """One that has written small messages before, so that more are expected."""
    net = virtual_network
    net.link("a", "b", latency=0.0)
    async with net.open_context("a") as a, net.open_context("b") as b:
        pull, push = a.socket(triomq.PULL, hwm=0), b.socket(triomq.PUSH, hwm=0)
        push.connect(await pull.bind("tcp://*:5555"))
        await push.wait_peers()
        await push.send_many([b"a", b"b"])
        await settled()
        yield Stream(net, push)


async def test_turns_that_each_bring_more_are_written_together(stream: Stream) -> None:
    before = stream.written()
    await stream.send(20)
    assert stream.written() == before
    await settled()
    assert stream.written() == before + 1


async def test_no_more_than_so_many_are_gathered(stream: Stream) -> None:
    before = stream.written()
    await stream.send(64, turns=4 * MOST // 64)
    await settled()
    assert 4 <= stream.written() - before <= 5


async def test_when_it_ends_it_is_written_two_turns_later(stream: Stream) -> None:
    before = stream.written()
    await stream.send(20)
    for _ in range(3):
        await trio.lowlevel.checkpoint()
    assert stream.written() == before + 1


async def test_few_messages_are_written_when_the_turn_ends(stream: Stream) -> None:
    before = stream.written()
    await stream.send(7, turns=1)
    await trio.lowlevel.checkpoint()
    assert stream.written() == before + 1


async def test_larger_messages_are_not_waited_for(stream: Stream) -> None:
    await stream.send(8, size=300)
    await settled()
    before = stream.written()
    await stream.send(8, size=300, turns=1)
    await trio.lowlevel.checkpoint()
    assert stream.written() == before + 1
