"""A run that goes on lets the run at the other end of a link sleep: for how long, and for whom it does not.

Here both are contexts of one trio run on a clock that stands still, so that every step is in order.
"""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock
from trio.testing import wait_all_tasks_blocked as settle

import triomq
from triomq._connections._between_runs import _end

from .sharing import NAME, contexts

MILLISECOND = 1e-3


@pytest.fixture(autouse=True)
def one_thread_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in the usual builds of CPython, wherever this runs."""
    monkeypatch.setattr(_end, "TOGETHER", MILLISECOND)


def wakes(context: triomq.Context) -> int:
    return context._shared.runtime.mailbox.wakes


async def test_a_stream_is_handed_over_once(mock_clock: MockClock) -> None:
    async with contexts() as (ours, theirs):
        pull, push = ours.socket(triomq.PULL), theirs.socket(triomq.PUSH)
        push.connect(await pull.bind(NAME))
        await push.wait_peers()
        before = wakes(ours)
        for number in range(1000):
            await push.send(b"%d" % number)
        await settle()
        assert wakes(ours) - before == 2  # the first message at once, and all the others
        assert [int(bytes(message)) for message in await pull.receive_many(2000)] == list(range(1000))


async def test_a_stream_that_goes_on_is_handed_over_after_a_millisecond(mock_clock: MockClock) -> None:
    async with contexts() as (ours, theirs), trio.open_nursery() as nursery:
        pull, push = ours.socket(triomq.PULL, hwm=0), theirs.socket(triomq.PUSH, hwm=0)
        push.connect(await pull.bind(NAME))
        await push.wait_peers()

        async def send_for_ever() -> None:
            while True:
                await push.send(b"message")

        async def turns(count: int) -> None:
            for _ in range(count):
                await trio.lowlevel.checkpoint()

        nursery.start_soon(send_for_ever)
        await pull.receive()
        with pytest.raises(trio.WouldBlock):
            await turns(10)
            pull.receive_nowait()
        mock_clock.jump(MILLISECOND)
        await turns(10)
        assert len(await pull.receive_many(10_000)) > 100
        nursery.cancel_scope.cancel()


async def test_where_threads_run_at_the_same_time_each_turn_is_handed_over(
    mock_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_end, "TOGETHER", 0.0)
    async with contexts() as (ours, theirs):
        pull, push = ours.socket(triomq.PULL), theirs.socket(triomq.PUSH)
        push.connect(await pull.bind(NAME))
        await push.wait_peers()
        before = wakes(ours)
        for _ in range(1000):
            await push.send(b"message")
        await settle()
        assert wakes(ours) - before > 4  # of 16 turns; the flusher and the sender run in any order
        assert len(await pull.receive_many(2000)) == 1000


async def test_room_is_told_of_when_all_is_received_that_is_there(mock_clock: MockClock) -> None:
    async with contexts() as (ours, theirs), trio.open_nursery() as nursery:
        pull, push = ours.socket(triomq.PULL, hwm=500), theirs.socket(triomq.PUSH, hwm=500)
        push.connect(await pull.bind(NAME))
        await push.wait_peers()
        nursery.start_soon(push.send_many, [b"message"] * 2000)
        await settle()
        before = wakes(theirs)
        for _ in range(900):
            await pull.receive()
        assert wakes(theirs) == before
        for _ in range(100):
            await pull.receive()
        await settle()
        assert wakes(theirs) == before + 1
        assert len(await pull.receive_many(2000)) == 1000


@pytest.mark.parametrize("received", [1, 10])
async def test_room_is_told_of_when_nothing_more_is_received(mock_clock: MockClock, received: int) -> None:
    async with contexts() as (ours, theirs), trio.open_nursery() as nursery:
        pull, push = ours.socket(triomq.PULL, hwm=500), theirs.socket(triomq.PUSH, hwm=500)
        push.connect(await pull.bind(NAME))
        await push.wait_peers()
        nursery.start_soon(push.send_many, [b"message"] * (1000 + received))
        await settle()
        assert len(await pull.receive_many(received)) == received
        await settle()
        assert len(await pull.receive_many(2000)) == 1000


async def test_who_drops_messages_is_told_of_room_when_half_is_received(mock_clock: MockClock) -> None:
    async with contexts() as (ours, theirs):
        pub, sub = ours.socket(triomq.PUB, hwm=500), theirs.socket(triomq.SUB, hwm=500, topics=[b""])
        sub.connect(await pub.bind(NAME))
        await pub.wait_subscribers(b"")
        for told_early in (False, True):  # at first nobody knows that this one drops
            for _ in range(1100):
                await pub.send(b"message")
            await settle()
            before = wakes(ours)
            for _ in range(900):
                await sub.receive()
            assert (wakes(ours) > before) is told_early
            assert len(await sub.receive_many(1000)) == 100
            await settle()
        assert pub.messages_dropped == 200
