"""A message of more frames than a peer would take is refused at the call, and never sent."""

from __future__ import annotations

from typing import Any

import pytest
import trio
import trio.testing

import triomq
from triomq.testing import VirtualNetwork

ENDPOINTS = pytest.mark.parametrize("endpoint", ["tcp://127.0.0.1:0", "inproc://it"])
PAIRS = [("PUSH", "PULL", 0), ("DEALER", "ROUTER", 0), ("ROUTER", "DEALER", 1), ("REQ", "REP", -3), ("PAIR", "PAIR", 0)]


@ENDPOINTS
@pytest.mark.parametrize("most", [10, 65_536])
@pytest.mark.parametrize(("sender", "receiver", "further"), PAIRS)
async def test_the_most_frames_arrive_and_one_more_is_refused(
    endpoint: str, most: int, sender: str, receiver: str, further: int, virtual_network: VirtualNetwork
) -> None:
    """Whichever call sends them; what an envelope adds or takes away is counted."""
    room: dict[str, Any] = {"max_frames": most + 1} if receiver == "ROUTER" else {}  # for what a ROUTER adds
    async with virtual_network.open_context() as ctx:
        options: dict[str, Any] = {} if most == 65_536 else {"max_frames": most}
        one = ctx.socket(getattr(triomq, sender), **options)
        named: dict[str, Any] = {"routing_id": b"it"} if further == 1 else {}
        other = ctx.socket(getattr(triomq, receiver), **{**options, **named, **room})
        one.connect(await other.bind(endpoint))
        await one.wait_peers()
        message = [b"it"] + [b""] * (most + further - 1)
        for refused in ([*message, b""], triomq.Message([*message, b""])):
            for call in (one.send, lambda it: one.send_many([it]), lambda it: one.send_many(x for x in [it])):
                with pytest.raises(ValueError, match=f"max_frames={most}"):
                    await call(refused)
            with pytest.raises(ValueError, match=f"max_frames={most}"):
                one.send_nowait(refused)
        await one.send(message)
        assert len(await other.receive()) == {0: most, 1: most, -3: most - 3}[further] + (receiver == "ROUTER")
        assert one.peers


async def test_a_reply_counts_without_its_envelope(virtual_network: VirtualNetwork) -> None:
    """The peer has made the envelope, and must not be able to end the program that replies."""
    async with virtual_network.open_context() as ctx:
        dealer, rep = ctx.socket(triomq.DEALER), ctx.socket(triomq.REP, max_frames=10)
        dealer.connect(await rep.bind("tcp://127.0.0.1:0"))
        await dealer.send([*[b"envelope"] * 8, b"", b"question"])
        await rep.receive()
        with pytest.raises(ValueError, match="11 frames; 10 are allowed here by max_frames=10"):
            await rep.send([b""] * 11)
        await rep.send([b""] * 10)
        assert len(await dealer.receive()) == 19


@ENDPOINTS
async def test_no_peer_ends_a_broker_by_the_number_of_its_frames(
    endpoint: str, virtual_network: VirtualNetwork
) -> None:
    """A broker of the user's own passes on what a ROUTER receives, with the frame that the ROUTER has added."""
    async with virtual_network.open_context() as ctx, trio.open_nursery() as nursery:
        router, dealer = (ctx.socket(kind, max_frames=10) for kind in (triomq.ROUTER, triomq.DEALER))
        right, wrong = (ctx.socket(triomq.DEALER, max_frames=most) for most in (10, 11))
        worker = ctx.socket(triomq.DEALER, max_frames=10)
        worker.connect(await dealer.bind(endpoint))
        await dealer.wait_peers()
        bound = await router.bind("tcp://127.0.0.1:0")

        @nursery.start_soon
        async def broker() -> None:
            async for message in router:
                await dealer.send(message)

        for client in (wrong, right):
            client.connect(bound)
        async with router.monitor() as events:
            await wrong.send([b"it"] * 10)
            async for event in events:
                if isinstance(event, triomq.Disconnected):
                    break
        assert "a message of more than 9 frames" in str(event.error)
        await right.send([b"it"] * 9)
        with trio.fail_after(1):
            assert len(await worker.receive()) == 10
        nursery.cancel_scope.cancel()


async def test_those_before_one_that_is_refused_are_sent(virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context() as ctx:
        push, pull = ctx.socket(triomq.PUSH, max_frames=2), ctx.socket(triomq.PULL)
        push.connect(await pull.bind("tcp://127.0.0.1:0"))
        with pytest.raises(ValueError, match="max_frames=2"):
            await push.send_many([[b"1"], [b"2", b"2"], [b"3", b"3", b"3"], [b"4"]])
        assert [await pull.receive() for _ in range(2)] == [(b"1",), (b"2", b"2")]
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(trio.WouldBlock):
            pull.receive_nowait()


async def test_a_peer_that_sends_more_is_dropped_and_a_limit_may_be_raised(virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context() as ctx:
        push, strict, lax = (
            ctx.socket(triomq.PUSH, max_frames=70_000),
            ctx.socket(triomq.PULL, max_frames=10),
            ctx.socket(triomq.PULL, max_frames=70_000),
        )
        monitor = strict.monitor()
        push.connect(await lax.bind("tcp://127.0.0.1:0"))
        await push.send([b""] * 70_000)
        assert len(await lax.receive()) == 70_000
        push.disconnect(push.endpoints[0])
        push.connect(await strict.bind("tcp://127.0.0.1:0"))
        await push.send([b""] * 11)
        async for event in monitor:
            if isinstance(event, triomq.Disconnected):
                break
        assert "a message of more than 10 frames" in str(event.error)
