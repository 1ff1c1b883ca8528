"""disconnect, unbind and aclose: what still goes where, and what does not."""

from __future__ import annotations

import math

import pytest
import trio
import trio.testing

import triomq
from triomq.testing import VirtualNetwork

from .played import TOO_MUCH, PlayedPeer

settled = trio.testing.wait_all_tasks_blocked


async def test_nothing_more_goes_to_an_endpoint_that_was_disconnected() -> None:
    """What was queued for it does, for up to ``linger``; who waited for room waits for another peer."""
    async with triomq.open_context() as ctx:
        pull = ctx.socket(triomq.PULL)
        push = ctx.socket(triomq.PUSH, send_hwm=2, linger=math.inf)
        push.connect("inproc://it")
        await push.send_many([b"1", b"2"])
        async with trio.open_nursery() as nursery:
            nursery.start_soon(push.send, b"too late")
            await settled()
            push.disconnect("inproc://it")
            await pull.bind("inproc://it")
            assert [await pull.receive(), await pull.receive()] == [(b"1",), (b"2",)]
            await settled()
            assert push.statistics().tasks_waiting_send == 1
            assert push.statistics().peers == ()
            nursery.cancel_scope.cancel()


async def test_disconnect_lingers_with_immediate_too(virtual_network: VirtualNetwork) -> None:
    """The peer is there, and gets what was accepted for it."""
    async with virtual_network.open_context() as ctx:
        pull = ctx.socket(triomq.PULL, receive_hwm=1)
        push = ctx.socket(triomq.PUSH, immediate=True, linger=math.inf)
        endpoint = await pull.bind("tcp://127.0.0.1:0")
        push.connect(endpoint)
        await push.send_many([bytes(100_000)] * 100)
        push.disconnect(endpoint)
        with trio.fail_after(60):
            for _ in range(100):
                await pull.receive()


async def test_immediate_queues_for_nobody_when_the_binder_has_gone() -> None:
    """What would be accepted then would be for nobody."""
    async with triomq.open_context() as ctx:
        push, pull = ctx.socket(triomq.PUSH, immediate=True), ctx.socket(triomq.PULL)
        push.connect("inproc://it")
        for _ in range(2):
            with pytest.raises(trio.WouldBlock):
                push.send_nowait(b"for nobody")
            await pull.bind("inproc://it")
            push.send_nowait(b"for somebody")
            assert await pull.receive() == (b"for somebody",)
            await pull.unbind("inproc://it")


async def test_a_closed_socket_waits_for_no_inproc_name() -> None:
    """Not even one that was disconnected, and closed before it had sent what it had."""
    async with triomq.open_context() as ctx:
        push, pull = ctx.socket(triomq.PUSH, linger=math.inf), ctx.socket(triomq.PULL)
        monitor = pull.monitor()
        push.connect("inproc://it")
        await push.send(b"for nobody")
        push.disconnect("inproc://it")
        with trio.CancelScope() as scope:
            scope.cancel()
            await push.aclose()
        await pull.bind("inproc://it")
        assert isinstance(monitor.receive_nowait(), triomq.Listening)


async def test_a_closing_socket_that_has_sent_all_does_not_come_back(
    virtual_network: VirtualNetwork,
) -> None:
    """One peer is slow to go; another, which has gone, is not called again, and closing ends with the slow one."""
    async with virtual_network.open_context() as ctx, PlayedPeer(virtual_network, "PULL") as slow:
        quick = ctx.socket(triomq.PULL)
        monitor = quick.monitor()
        push = ctx.socket(triomq.PUSH, linger=math.inf, reconnect_interval=1e-6)
        push.connect(slow.endpoint)
        await slow.greet()
        push.connect(await quick.bind("tcp://127.0.0.1:0"))
        await push.wait_peers(2)
        await push.send_many([b"1", b"2"])
        async with trio.open_nursery() as nursery:
            nursery.start_soon(push.aclose)
            async for event in monitor:
                if isinstance(event, triomq.Disconnected):
                    break
            await trio.sleep(3600)
            await slow.leave()
        with pytest.raises(trio.WouldBlock):
            monitor.receive_nowait()


async def test_a_pair_with_a_peer_connects_to_no_second_one() -> None:
    """Else every other message would wait for a peer that is turned away."""
    async with triomq.open_context() as ctx:
        bound, connected = ctx.socket(triomq.PAIR), ctx.socket(triomq.PAIR)
        endpoint = await bound.bind("inproc://pair")
        connected.connect(endpoint)
        with pytest.raises(triomq.WrongStateError, match="has its peer already, by inproc://pair"):
            bound.connect("inproc://other")
        await bound.send(b"1")
        await bound.send(b"2")
        assert [await connected.receive(), await connected.receive()] == [(b"1",), (b"2",)]


@pytest.mark.parametrize("endpoint", ["tcp://127.0.0.1:0", "inproc://it"])
async def test_what_is_published_after_disconnect_is_not_for_that_peer(
    virtual_network: VirtualNetwork, endpoint: str
) -> None:
    """The peer's subscriptions end with `disconnect`, though its queue still leaves."""
    async with virtual_network.open_context() as ctx:
        sub = ctx.socket(triomq.SUB, topics=["a"], receive_hwm=1)
        xpub = ctx.socket(triomq.XPUB, linger=math.inf, xpub_verboser=True)
        endpoint = await sub.bind(endpoint)
        xpub.connect(endpoint)
        await xpub.wait_subscribers("a")
        messages = [b"a%d" % number + bytes(100_000) for number in range(100)]
        for message in messages:
            await xpub.send(message)
        xpub.disconnect(endpoint)
        sub.subscribe("b")  # too late
        await trio.sleep(1)
        assert [await xpub.receive(), await xpub.receive()] == [(b"\1a",), (b"\0a",)]
        with pytest.raises(trio.WouldBlock):
            xpub.receive_nowait()
        await xpub.send(b"a: too late")
        with trio.move_on_after(60):
            for message in messages:
                assert await sub.receive() == (message,)
            await sub.receive()
            pytest.fail("it was published after disconnect")


async def test_a_closing_socket_goes_on_with_its_heartbeats(virtual_network: VirtualNetwork) -> None:
    """A peer that takes nothing and says nothing is given up, and what is queued leaves by the next connection."""
    async with virtual_network.open_context() as ctx, PlayedPeer(virtual_network, "PULL") as peer:
        push = ctx.socket(triomq.PUSH, linger=math.inf, heartbeat_interval=1, heartbeat_timeout=2)
        monitor = push.monitor()
        push.connect(peer.endpoint)
        await peer.greet()
        await push.send_many([bytes(TOO_MUCH)] * 2)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(push.aclose)
            with trio.fail_after(10):
                await peer.greet()
            await peer.read(2 * TOO_MUCH)
            await peer.leave()
        ends = [event async for event in monitor if isinstance(event, triomq.Disconnected)]
        assert isinstance(ends[0].error, triomq.SilentPeerError)


@pytest.mark.parametrize("answers", [triomq.zmtp.Pong(), triomq.Message([b"it"])])
async def test_a_peer_that_answers_a_closing_socket_is_kept(
    answers: triomq.zmtp.Item, virtual_network: VirtualNetwork
) -> None:
    """Even if it takes nothing for long: what it says is thrown away, but heard."""
    async with virtual_network.open_context() as ctx, PlayedPeer(virtual_network, "DEALER") as peer:
        dealer = ctx.socket(triomq.DEALER, linger=26, heartbeat_interval=1, heartbeat_timeout=2)
        monitor = dealer.monitor()
        dealer.connect(peer.endpoint)
        await peer.greet()
        await dealer.send_many([bytes(TOO_MUCH)] * 2)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(dealer.aclose)
            for _ in range(25):
                await trio.sleep(1)
                await peer.say(answers)
        ends = [event async for event in monitor if isinstance(event, triomq.Disconnected)]
        assert [end.error for end in ends] == [None]
