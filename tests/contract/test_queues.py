"""HWMs and drops: what is queued where, exactly."""

from __future__ import annotations

import math
from typing import Any

import pytest
import trio
import trio.testing

import triomq
from triomq.testing import VirtualNetwork

from ..cancellation.kit import BY_NAME, NOBODY, SCHEMES, endpoint_of, fill, run
from .filling import connected, large, settle

every_scheme = pytest.mark.parametrize("scheme", SCHEMES)
PAIRS = [(triomq.PUSH, triomq.PULL), (triomq.PAIR, triomq.PAIR), (triomq.DEALER, triomq.DEALER)]


@pytest.mark.parametrize("types", PAIRS, ids=lambda pair: pair[0].__name__)
@pytest.mark.parametrize(("send_hwm", "receive_hwm"), [(1, 1), (3, 4), (10, 1), (1000, 1000), (0, 5), (5, 0), (0, 0)])
@pytest.mark.parametrize("scheme", BY_NAME)
def test_an_inproc_queue_holds_both_hwms_together(
    types: tuple[Any, Any], send_hwm: int, receive_hwm: int, scheme: str
) -> None:
    """Exactly their sum, and no limit if either has none; whoever binds."""

    async def main(net: VirtualNetwork, sender_binds: bool) -> None:
        async with net.open_context() as ctx:
            sender, receiver = ctx.socket(types[0], send_hwm=send_hwm), ctx.socket(types[1], receive_hwm=receive_hwm)
            if sender_binds:
                receiver.connect(await sender.bind("inproc://it"))
            else:
                sender.connect(await receiver.bind("inproc://it"))
            await settle()
            unlimited = not send_hwm or not receive_hwm
            limit = math.inf if unlimited else send_hwm + receive_hwm
            (peer,) = sender.statistics().peers
            assert peer.send_hwm == limit
            if unlimited:
                for _ in range(3000):
                    sender.send_nowait(b"it")
            else:
                assert await fill(sender, b"it") == limit
                receiver.receive_nowait()
                assert await fill(sender, b"it") == 1

    run(main, True, scheme=scheme)
    run(main, False, scheme=scheme)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_connection_that_never_came_queues_up_to_the_hwm(scheme: str) -> None:
    """Exactly send_hwm messages; with ``immediate`` none at all."""

    async def main(net: VirtualNetwork) -> None:
        async with net.open_context() as ctx:
            endpoint = "inproc://nobody" if scheme in BY_NAME else NOBODY
            push = ctx.socket(triomq.PUSH, send_hwm=5, linger=0)
            push.connect(endpoint)
            assert await fill(push, b"it") == 5
            (peer,) = push.statistics().peers
            assert (peer.connected, peer.send_queue, peer.send_hwm) == (False, 5, 5)
            immediate = ctx.socket(triomq.PUSH, immediate=True)
            immediate.connect(endpoint)
            assert await fill(immediate, b"it") == 0
            with trio.move_on_after(5) as scope:
                await immediate.send(b"it")
            assert scope.cancelled_caught

    run(main, scheme=scheme)


@pytest.mark.parametrize("scheme", ["tcp", "narrow"])
def test_a_peer_that_does_not_read_is_full_at_its_hwm(scheme: str) -> None:
    """The receiver stops at its receive_hwm, the sender at its send_hwm; every message is in one place."""

    async def main(net: VirtualNetwork) -> None:
        async with net.open_context() as ctx:
            push, pull = ctx.socket(triomq.PUSH, send_hwm=7, linger=0), ctx.socket(triomq.PULL, receive_hwm=3)
            await connected(ctx, scheme, push, pull)
            accepted = await fill(push, large(scheme))
            (ours,), (theirs,) = push.statistics().peers, pull.statistics().peers
            assert (theirs.receive_queue, theirs.receive_hwm) == (3, 3)
            assert ours.send_queue == 7
            # The rest is written, but for what a narrow connection holds a part of.
            assert accepted == ours.messages_sent + ours.send_queue
            for _ in range(accepted):
                assert await pull.receive() == (large(scheme),)
            with pytest.raises(trio.WouldBlock):
                pull.receive_nowait()

    run(main, scheme=scheme)


@every_scheme
def test_a_full_subscriber_misses_messages_and_nobody_else_does(scheme: str) -> None:
    """PUB never waits; the drops are counted for the peer that is full, and what it has arrives in order."""

    async def main(net: VirtualNetwork) -> None:
        async with net.open_context() as ctx:
            pub = ctx.socket(triomq.PUB, send_hwm=5, linger=0)
            reader = ctx.socket(triomq.SUB, receive_hwm=0 if scheme in BY_NAME else 1000, topics=[b""])
            sleeper = ctx.socket(triomq.SUB, receive_hwm=3, topics=[b""])
            await connected(ctx, scheme, pub, reader, sleeper)
            for number in range(60):
                await pub.send([b"%d" % number, large(scheme)])
                assert await reader.receive() == (b"%d" % number, large(scheme))
            awake, asleep = pub.statistics().peers
            assert (awake.messages_sent, awake.messages_dropped) == (60, 0)
            assert asleep.messages_dropped == 60 - asleep.messages_sent - asleep.send_queue > 0
            assert pub.statistics().messages_dropped == asleep.messages_dropped
            if scheme in BY_NAME:
                assert asleep.messages_dropped == 60 - 8
            got = []
            while len(got) < 60 - asleep.messages_dropped:
                got.append(int((await sleeper.receive())[0]))
            assert got == list(range(len(got)))

    run(main, scheme=scheme)


@every_scheme
def test_a_publisher_without_subscribers_drops_and_counts_nothing(scheme: str) -> None:
    """Nobody wanted it: that is no drop."""

    async def main(net: VirtualNetwork) -> None:
        async with net.open_context() as ctx:
            pub, sub = ctx.socket(triomq.PUB), ctx.socket(triomq.SUB, topics=[b"wanted"])
            await connected(ctx, scheme, pub)
            sub.connect(await pub.bind(endpoint_of(scheme)))
            await pub.wait_subscribers(b"wanted")
            await pub.send_many([b"unwanted", b"wanted too"])
            assert await sub.receive() == (b"wanted too",)
            statistics = pub.statistics()
            assert (statistics.messages_sent, statistics.messages_dropped) == (1, 0)

    run(main, scheme=scheme)


@every_scheme
def test_a_router_drops_what_is_for_nobody_or_for_a_full_peer(scheme: str) -> None:
    """And counts it; the message for another peer goes out."""

    async def main(net: VirtualNetwork) -> None:
        async with net.open_context() as ctx:
            router = ctx.socket(triomq.ROUTER, send_hwm=2, linger=0)
            endpoint = await router.bind(endpoint_of(scheme))
            dealers = [ctx.socket(triomq.DEALER, routing_id=name, receive_hwm=2) for name in (b"a", b"b")]
            for dealer in dealers:
                dealer.connect(endpoint)
            await router.wait_peers(2)
            await router.send([b"nobody", b"it"])
            assert router.statistics().messages_dropped == 1
            for _ in range(100):
                await router.send([b"a", large(scheme)])
                await settle()
            full = next(peer for peer in router.statistics().peers if peer.routing_id == b"a")
            assert full.messages_sent + full.send_queue + full.messages_dropped == 100
            if scheme in BY_NAME:
                assert full.messages_dropped == 96
            await router.send([b"b", b"it"])
            assert await dealers[1].receive() == (b"it",)
            assert router.statistics().messages_dropped == 1 + full.messages_dropped

    run(main, scheme=scheme)


@every_scheme
def test_a_mandatory_router_raises_for_nobody_and_waits_for_a_full_peer(scheme: str) -> None:
    """The error names the routing id; the wait ends when the peer reads, or has gone."""

    async def main(net: VirtualNetwork) -> None:
        async with net.open_context() as ctx:
            router = ctx.socket(triomq.ROUTER, send_hwm=1, router_mandatory=True, linger=0)
            endpoint = await router.bind(endpoint_of(scheme))
            dealers = [ctx.socket(triomq.DEALER, routing_id=name, receive_hwm=1) for name in (b"a", b"b")]
            for dealer in dealers:
                dealer.connect(endpoint)
            await router.wait_peers(2)
            with pytest.raises(triomq.UnroutableError, match="nobody") as caught:
                await router.send([b"nobody", b"it"])
            assert caught.value.routing_id == b"nobody"
            accepted = await fill(router, b"a", large(scheme))
            async with trio.open_nursery() as nursery:
                nursery.start_soon(router.send, [b"a", b"last"])
                await settle()
                assert router.statistics().tasks_waiting_send == 1
                await router.send([b"b", b"not held up"])
                assert await dealers[1].receive() == (b"not held up",)
                for _ in range(accepted):
                    assert await dealers[0].receive() == (large(scheme),)
                assert await dealers[0].receive() == (b"last",)
            await fill(router, b"a", large(scheme))

            async def unroutable() -> None:
                with pytest.raises(triomq.UnroutableError):
                    await router.send([b"a", b"too late"])

            async with trio.open_nursery() as nursery:
                nursery.start_soon(unroutable)
                await settle()
                await dealers[0].aclose()

    run(main, scheme=scheme)


@every_scheme
def test_a_conflating_socket_keeps_the_newest_message(scheme: str) -> None:
    """On the receiving side whatever came before it is dropped, and counted."""

    async def main(net: VirtualNetwork) -> None:
        async with net.open_context() as ctx:
            push, pull = ctx.socket(triomq.PUSH), ctx.socket(triomq.PULL, conflate=True)
            await connected(ctx, scheme, push, pull)
            for number in range(10):
                await push.send(b"%d" % number)
                await settle()
            assert pull.receive_nowait() == (b"9",)
            with pytest.raises(trio.WouldBlock):
                pull.receive_nowait()
            statistics = pull.statistics()
            assert (statistics.messages_received, statistics.messages_dropped) == (10, 9)

    run(main, scheme=scheme)


@every_scheme
def test_a_reply_is_not_dropped_for_a_requester_that_reads(scheme: str) -> None:
    """A REP drops what does not fit; two replies in one slice are no reason, even with an HWM of one."""

    async def main(net: VirtualNetwork) -> None:
        async with net.open_context() as ctx:
            rep = ctx.socket(triomq.REP, hwm=1)
            dealer = ctx.socket(triomq.DEALER, hwm=10)
            await connected(ctx, scheme, dealer, rep)
            await dealer.send_many([[b"", b"%d" % number] for number in range(5)])
            got = []

            async def receive() -> None:
                while len(got) < 5:
                    got.append(int((await dealer.receive())[1]))

            async with trio.open_nursery() as nursery:
                nursery.start_soon(receive)
                for _ in range(5):
                    await rep.send(await rep.receive())
            assert got == list(range(5))

    run(main, scheme=scheme)


@pytest.mark.parametrize("scheme", ["inproc", "tcp"])
def test_a_publisher_drops_nothing_while_the_connection_takes_all(scheme: str) -> None:
    """A burst above a small HWM is no slow subscriber."""

    async def main(net: VirtualNetwork) -> None:
        async with net.open_context() as ctx:
            pub, sub = ctx.socket(triomq.PUB, send_hwm=2), ctx.socket(triomq.SUB, topics=[b""])
            await connected(ctx, scheme, pub, sub)
            for number in range(40):
                await pub.send(b"%d" % number)
            assert pub.statistics().messages_dropped == 0
            assert [int((await sub.receive())[0]) for _ in range(40)] == list(range(40))

    run(main, scheme=scheme)
