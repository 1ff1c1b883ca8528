"""Where a call may be cancelled, and where others have their turn."""

from __future__ import annotations

from typing import Any

import pytest
import trio
import trio.testing

import triomq
from triomq.testing import VirtualNetwork

from ..cancellation.kit import FLOWS, Flow, run
from .calls import ASYNC_CALLS, calls_of, every_scheme, every_type


@every_type
def test_every_async_call_is_a_cancellation_point(socket_type: type[Any]) -> None:
    """In a cancelled scope each raises Cancelled, every time, and has done nothing."""

    async def main(net: VirtualNetwork) -> None:
        async with net.open_context() as ctx:
            socket = ctx.socket(socket_type)
            await socket.bind("inproc://it")
            for name, function, arguments in calls_of(socket):
                if name not in ASYNC_CALLS or (socket_type is triomq.REQ and name in ("receive_many", "__anext__")):
                    continue
                for _ in range(3):
                    with trio.CancelScope() as scope:
                        scope.cancel()
                        try:
                            await function(*arguments)
                        except triomq.WrongStateError:
                            continue  # a REQ or REP out of step says that first
                    assert scope.cancelled_caught, name
            assert socket.endpoints == ("inproc://it",)
            statistics = socket.statistics()
            assert (statistics.messages_sent, statistics.messages_dropped) == (0, 0)
            assert (statistics.tasks_waiting_send, statistics.tasks_waiting_receive) == (0, 0)

    run(main)


@every_scheme
@pytest.mark.parametrize("flow", FLOWS, ids=str)
def test_a_schedule_point_comes_at_least_once_in_64_messages(flow: Flow, scheme: str) -> None:
    """Another task runs at least that often while one sends, or receives, what is there already."""

    async def main(net: VirtualNetwork) -> None:
        async with net.open_context() as ctx:
            sender, receiver = await flow.open(ctx, scheme, hwm=10_000)
            turns = 0

            async def count() -> None:
                nonlocal turns
                while True:
                    turns += 1
                    await trio.lowlevel.checkpoint()

            async def with_count(work: Any) -> None:
                nonlocal turns
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(count)
                    await trio.lowlevel.checkpoint()
                    turns = 0
                    await work()
                    nursery.cancel_scope.cancel()
                assert turns >= 640 // 64 - 1

            async def send() -> None:
                for _ in range(640):
                    await sender.send(flow.wrap(b"it"))

            async def receive() -> None:
                for _ in range(640):
                    await receiver.receive()

            async def send_many() -> None:
                await sender.send_many(flow.wrap(b"it") for _ in range(640))

            await with_count(send)
            await trio.testing.wait_all_tasks_blocked()
            await with_count(receive)
            await with_count(send_many)

    run(main, scheme=scheme)


@every_scheme
@pytest.mark.parametrize("flow", FLOWS, ids=str)
def test_strict_checkpoints_make_every_call_a_schedule_point(flow: Flow, scheme: str) -> None:
    """As trio's own channels do."""

    async def main(net: VirtualNetwork) -> None:
        async with net.open_context(strict_checkpoints=True) as ctx:
            sender, receiver = await flow.open(ctx, scheme, hwm=100)
            for _ in range(5):
                with trio.testing.assert_checkpoints():
                    await sender.send(flow.wrap(b"it"))
                with trio.testing.assert_checkpoints():
                    await sender.send_many([flow.wrap(b"it")])
            await trio.testing.wait_all_tasks_blocked()
            for _ in range(5):
                with trio.testing.assert_checkpoints():
                    await receiver.receive()
                with trio.testing.assert_checkpoints():
                    await receiver.receive_many(1)

    run(main, scheme=scheme)
