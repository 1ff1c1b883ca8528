"""Two sockets meet over inproc: what the one that is bound says at once finds the other one ready."""

from __future__ import annotations

import pytest
import trio
import trio.testing

import triomq

ENDPOINT = "inproc://it"


@pytest.mark.parametrize("immediate", [False, True])
async def test_a_router_that_connects_knows_who_waited_to_send(immediate: bool) -> None:
    """The message of a task that has waited for a peer has the routing id before it, and can be answered."""
    async with triomq.open_context() as ctx, trio.open_nursery() as nursery:
        dealer, router = ctx.socket(triomq.DEALER, routing_id=b"me"), ctx.socket(triomq.ROUTER, immediate=immediate)
        await dealer.bind(ENDPOINT)
        nursery.start_soon(dealer.send, b"it")
        await trio.testing.wait_all_tasks_blocked()
        router.connect(ENDPOINT)
        assert await router.receive() == (b"me", b"it")
        await router.send([b"me", b"the answer"])
        assert await dealer.receive() == (b"the answer",)
        assert dealer.statistics().hwm_reached == 0


@pytest.mark.parametrize("immediate", [False, True])
async def test_a_router_that_connects_knows_who_probes(immediate: bool) -> None:
    async with triomq.open_context() as ctx:
        bound = ctx.socket(triomq.ROUTER, routing_id=b"me", probe_router=True)
        connected = ctx.socket(triomq.ROUTER, immediate=immediate)
        await bound.bind(ENDPOINT)
        connected.connect(ENDPOINT)
        assert await connected.receive() == (b"me", b"")


@pytest.mark.parametrize("immediate", [False, True])
async def test_a_publisher_that_connects_knows_what_is_subscribed_to(immediate: bool) -> None:
    async with triomq.open_context() as ctx:
        sub, pub = ctx.socket(triomq.SUB, topics=["a"]), ctx.socket(triomq.PUB, immediate=immediate)
        await sub.bind(ENDPOINT)
        pub.connect(ENDPOINT)
        await pub.send_many([b"a1", b"b", b"a2"])
        assert [sub.receive_nowait(), sub.receive_nowait()] == [(b"a1",), (b"a2",)]


@pytest.mark.parametrize("probes", [False, True])
async def test_nothing_is_taken_for_a_socket_that_finds_no_place(probes: bool) -> None:
    """A ROUTER has a peer of that name already: the task waits on, and its message comes when there is a place."""
    async with triomq.open_context() as ctx, trio.open_nursery() as nursery:
        first = ctx.socket(triomq.DEALER, routing_id=b"me")
        second = ctx.socket(triomq.DEALER, routing_id=b"me", probe_router=probes)
        router = ctx.socket(triomq.ROUTER)
        await first.bind("inproc://first")
        await second.bind("inproc://second")
        router.connect("inproc://first")
        nursery.start_soon(second.send, b"it")
        await trio.testing.wait_all_tasks_blocked()
        router.connect("inproc://second")
        await trio.testing.wait_all_tasks_blocked()
        assert second.statistics().tasks_waiting_send == 1
        router.disconnect("inproc://first")
        if probes:
            assert await router.receive() == (b"me", b"")
        assert await router.receive() == (b"me", b"it")
