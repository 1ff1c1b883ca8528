"""Whoever waits for a socket has its turn as soon as there is room, or a message, for it."""

from __future__ import annotations

import pytest
import trio
import trio.testing

import triomq
from triomq.testing import VirtualNetwork

settled = trio.testing.wait_all_tasks_blocked


async def full_publisher(ctx: triomq.Context) -> tuple[triomq.PUB, triomq.SUB]:
    """A PUB that drops nothing, and its subscriber to ``a``, whose queue is full; another is subscribed to ``b``."""
    pub = ctx.socket(triomq.PUB, xpub_nodrop=True, send_hwm=1, linger=0)
    await pub.bind("inproc://pub")
    full = ctx.socket(triomq.SUB, topics=["a"], receive_hwm=1)
    free = ctx.socket(triomq.SUB, topics=["b"], receive_hwm=1)
    for sub in (full, free):
        sub.connect("inproc://pub")
    for _ in range(2):
        await pub.send(b"a")
    return pub, full


async def test_nodrop_waits_for_those_who_want_the_message(virtual_network: VirtualNetwork) -> None:
    """Somebody else's full queue holds up nobody, whether or not the one who waits for it gives up."""
    async with virtual_network.open_context() as ctx:
        pub, _ = await full_publisher(ctx)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(pub.send, b"a")
            await settled()
            with trio.fail_after(1):
                await pub.send(b"b")
                await pub.send_many(iter([b"b"]))
            nursery.cancel_scope.cancel()


async def test_nodrop_does_not_wait_for_one_who_has_unsubscribed() -> None:
    """Nobody wants the message any more, so it is dropped, as any that nobody wants."""
    async with triomq.open_context() as ctx:
        pub, full = await full_publisher(ctx)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(pub.send, b"a")
            await settled()
            full.unsubscribe("a")
            await settled()
            assert pub.statistics().tasks_waiting_send == 0


async def test_inverted_subscribers_are_waited_for(virtual_network: VirtualNetwork) -> None:
    """With ``invert_matching`` it is a cancellation that brings them."""
    async with virtual_network.open_context() as ctx:
        pub = ctx.socket(triomq.PUB, invert_matching=True)
        sub = ctx.socket(triomq.SUB, invert_matching=True, topics=["a"])
        sub.connect(await pub.bind("inproc://pub"))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(pub.wait_subscribers, "a")
            await settled()
            with trio.fail_after(1):
                sub.unsubscribe("a")
                while nursery.child_tasks:
                    await settled()


async def test_both_ends_wait_when_a_name_is_bound() -> None:
    """The receiver's message makes room for the sender's next one, which is for the receiver after it."""
    async with triomq.open_context() as ctx:
        push, pull = ctx.socket(triomq.PUSH, send_hwm=1), ctx.socket(triomq.PULL)
        push.connect("inproc://later")
        await push.send(b"1")
        received: list[triomq.Message] = []

        async def receive() -> None:
            received.append(await pull.receive())

        async with trio.open_nursery() as nursery:
            nursery.start_soon(push.send, b"2")
            await settled()
            nursery.start_soon(receive)
            await settled()
            await pull.bind("inproc://later")
        assert [*received, pull.receive_nowait()] == [(b"1",), (b"2",)]
        assert push.statistics().messages_sent == pull.statistics().messages_received == 2


async def test_who_waits_comes_after_what_was_gathered() -> None:
    """A name is bound again: the ROUTER's waiting message is behind those that wait for the binder."""
    async with triomq.open_context() as ctx:
        router = ctx.socket(triomq.ROUTER, router_mandatory=True, send_hwm=2)
        dealer = ctx.socket(triomq.DEALER, routing_id=b"id")
        await dealer.bind("inproc://again")
        router.connect("inproc://again")
        await dealer.unbind("inproc://again")
        await router.send_many([b"id", body] for body in (b"1", b"2"))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(router.send, [b"id", b"3"])
            await settled()
            await dealer.bind("inproc://again")
        assert [bytes(await dealer.receive()) for _ in range(3)] == [b"1", b"2", b"3"]


@pytest.mark.parametrize("endpoint", ["inproc://nobody", "tcp://127.0.0.1:9"])
async def test_one_request_relieves_another_while_both_wait(endpoint: str, virtual_network: VirtualNetwork) -> None:
    """With ``req_relaxed`` the second takes the first one's place, and is queued once."""
    async with virtual_network.open_context() as ctx:
        req = ctx.socket(triomq.REQ, req_relaxed=True, send_hwm=1, linger=0)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(req.send, b"first")
            await settled()
            nursery.start_soon(req.send, b"second")
            await settled()
            req.connect(endpoint)
        assert req.statistics().peers[0].send_queue == 1


async def test_a_peer_without_a_peer_has_not_sent() -> None:
    """Over inproc as elsewhere: what waits for the peer is queued, and what is thrown away was never sent."""
    async with triomq.open_context() as ctx:
        push = ctx.socket(triomq.PUSH, linger=0)
        push.connect("inproc://nobody")
        await push.send(b"1")
        statistics = push.statistics()
        assert (statistics.messages_sent, statistics.peers[0].send_queue) == (0, 1)
        push.disconnect("inproc://nobody")
        assert (push.statistics().messages_sent, push.statistics().messages_dropped) == (0, 1)
