"""`send_many`: what it takes from the iterable, and what it waits for."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
import trio
import trio.testing

import triomq
from triomq.testing import VirtualNetwork


async def test_another_task_waiting_for_another_peer_is_not_waited_for(virtual_network: VirtualNetwork) -> None:
    """A mandatory ROUTER has no common queue: who waits for a full peer, and gives up, holds nobody back."""
    async with virtual_network.open_context() as ctx:
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
    """Cancelled, it has taken from a list's iterator exactly what it has sent, and from a generator one more."""
    async with triomq.open_context() as ctx:
        push = ctx.socket(triomq.PUSH, send_hwm=2, linger=0)
        pull = ctx.socket(triomq.PULL, receive_hwm=2)
        await pull.bind("inproc://many")
        push.connect("inproc://many")
        numbers = [b"%d" % number for number in range(10)]
        for iterator, taken in ((iter(numbers), 4), ((number for number in numbers), 5)):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(push.send_many, iterator)
                await trio.testing.wait_all_tasks_blocked()
                nursery.cancel_scope.cancel()
            assert [bytes(pull.receive_nowait()) for _ in range(4)] == numbers[:4]
            assert list(iterator) == numbers[taken:]


@pytest.mark.parametrize("kind", [list, iter, lambda numbers: (number for number in numbers)])
async def test_as_many_as_there_is_room_for_are_not_waited_for(
    kind: Callable[[list[bytes]], Iterable[bytes]], virtual_network: VirtualNetwork
) -> None:
    """Once the last message is accepted the call returns, though there is room for no other."""
    async with virtual_network.open_context() as ctx:
        push = ctx.socket(triomq.PUSH, send_hwm=5, linger=0)
        push.connect("inproc://nobody")
        with trio.fail_after(1):
            await push.send_many(kind([b"x"] * 5))
        with pytest.raises(trio.TooSlowError), trio.fail_after(1):
            await push.send_many(kind([b"x"]))


async def test_a_req_sends_requests_and_one_at_a_time() -> None:
    async with triomq.open_context() as ctx:
        rep = ctx.socket(triomq.REP)
        await rep.bind("inproc://many")
        req = ctx.socket(triomq.REQ)
        req.connect("inproc://many")
        with pytest.raises(triomq.WrongStateError):
            await req.send_many([b"one", b"too many"])
        assert bytes(rep.receive_nowait()) == b"one"
        await rep.send(b"reply")
        assert bytes(req.receive_nowait()) == b"reply"
        await req.send_many([b"two"])
        assert bytes(rep.receive_nowait()) == b"two"
        assert rep.statistics().messages_dropped == 0
