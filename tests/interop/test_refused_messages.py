"""libzmq peers that refuse a message, or that want a place that is taken."""

from __future__ import annotations

import pytest
import trio

import triomq

from .libzmq import Peer, own_process

pytestmark = pytest.mark.interop


async def test_a_message_larger_than_a_libzmq_peer_takes_holds_up_none_behind_it(
    ctx: triomq.Context, peer: Peer, endpoint: str
) -> None:
    """libzmq hangs up at its header; after five times it is dropped, and the rest arrives."""
    pull = await peer.socket("PULL", maxmsgsize=1000)
    push = ctx.socket(triomq.PUSH, linger=0)
    monitor = push.monitor()
    push.connect(await pull.bind(endpoint))
    await push.send(b"before")
    assert await pull.receive() == (b"before",)
    await push.send(bytes(20_000_000))
    await push.send(b"behind")
    assert await pull.receive_within(10) == (b"behind",)
    events = []
    with pytest.raises(trio.WouldBlock):
        while True:
            events.append(monitor.receive_nowait())
    (dropped,) = [event for event in events if isinstance(event, triomq.MessageDropped)]
    assert dropped.size == 20_000_000
    assert push.messages_dropped == 1


async def test_a_libzmq_peer_that_waits_for_its_place_is_seen_to_leave(ctx: triomq.Context, peer: Peer) -> None:
    """Its process dies after it has sent much; the name's holder is served all the time."""
    router = ctx.socket(triomq.ROUTER)
    monitor = router.monitor()
    bound = await router.bind("tcp://127.0.0.1:*")
    holder = await peer.socket("DEALER", routing_id=b"same")
    await holder.connect(bound)
    await holder.send(b"1")
    assert await router.receive() == (b"same", b"1")
    async with own_process() as other:
        double = await other.socket("DEALER", routing_id=b"same")
        await double.connect(bound)
        for _ in range(20):
            await double.send(bytes(10_000))
        while not isinstance(event := await monitor.receive(), triomq.HandshakeFailed):
            pass
        assert isinstance(event.error, triomq.PeerUnwantedError)
        other.kill()
        while not isinstance(event := await monitor.receive(), triomq.HandshakeFailed):
            pass
        assert "left while another had its place" in str(event.error)
    await holder.send(b"2")
    assert await router.receive() == (b"same", b"2")
    await router.send([b"same", b"3"])
    assert await holder.receive() == (b"3",)


async def test_a_libzmq_peer_is_not_disturbed_by_the_reason_of_a_refusal(
    ctx: triomq.Context, peer: Peer, endpoint: str
) -> None:
    """It ignores the ERROR command that says why it was dropped, comes back, and is served."""
    pull = ctx.socket(triomq.PULL, max_message_size=1000)
    monitor = pull.monitor()
    bound = await pull.bind(endpoint)
    push = await peer.socket("PUSH")
    await push.connect(bound)
    await push.send(bytes(1001))
    while not isinstance(await monitor.receive(), triomq.Disconnected):
        pass
    while not isinstance(await monitor.receive(), triomq.HandshakeSucceeded):
        pass
    await push.send(b"small")
    assert await pull.receive() == (b"small",)
