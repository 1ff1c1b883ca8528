"""`send_many`: what it takes from the iterable, and what it waits for."""

from __future__ import annotations

import trio
import trio.testing

import triomq


async def test_another_task_waiting_for_another_peer_is_not_waited_for(autojump_clock: trio.testing.MockClock) -> None:
    """A mandatory ROUTER has no common queue: who waits for a full peer, and gives up, holds nobody back."""
    async with triomq.open_context() as ctx:
        router = ctx.socket(triomq.ROUTER, router_mandatory=True, linger=0)
        await router.bind("inproc://router")
        full = ctx.socket(triomq.DEALER, routing_id=b"full", receive_hwm=1)
        free = ctx.socket(triomq.DEALER, routing_id=b"free")
        for dealer in (full, free):
            dealer.connect("inproc://router")
        await router.wait_peers(2)
        while True:
            try:
                router.send_nowait([b"full", b"x"])
            except trio.WouldBlock:
                break
        async with trio.open_nursery() as nursery:
            nursery.start_soon(router.send, [b"full", b"too much"])
            await trio.testing.wait_all_tasks_blocked()
            with trio.fail_after(1):
                await router.send_many([b"free", b"%d" % number] for number in range(3))
            assert [bytes(await free.receive()) for _ in range(3)] == [b"0", b"1", b"2"]
            nursery.cancel_scope.cancel()


async def test_what_was_not_accepted_stays_in_the_iterator() -> None:
    """Cancelled, it has taken from the iterator exactly what it has sent."""
    async with triomq.open_context() as ctx:
        push = ctx.socket(triomq.PUSH, send_hwm=2, linger=0)
        pull = ctx.socket(triomq.PULL, receive_hwm=2)
        await pull.bind("inproc://many")
        push.connect("inproc://many")
        numbers = iter(range(10))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(push.send_many, (b"%d" % number for number in numbers))
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
        received = [int(bytes(pull.receive_nowait())) for _ in range(4)]
        assert received == [0, 1, 2, 3]
        assert next(numbers) == 4
