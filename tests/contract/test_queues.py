"""HWMs, drops, turns and counts: what is queued where, exactly."""

from __future__ import annotations

import math
from typing import Any

import pytest
import trio
import trio.testing

import triomq

from ..cancellation.kit import FLOWS, SCHEMES, Flow, context, endpoint_of, run

every_scheme = pytest.mark.parametrize("scheme", SCHEMES)
LARGE = bytes(300_000)


async def settle() -> None:
    """Let everything arrive that can."""
    for _ in range(3):
        await trio.testing.wait_all_tasks_blocked(0.001)


async def fill(sender: Any, *frames: bytes) -> int:
    """Send until nothing more goes; how many were accepted."""
    count = quiet = 0
    while quiet < 3:
        try:
            sender.send_nowait(frames)
        except trio.WouldBlock:
            await settle()
            quiet += 1
        else:
            count, quiet = count + 1, 0
    return count


async def connected(ctx: triomq.Context, scheme: str, sender: Any, *receivers: Any) -> None:
    """Bind each receiver and connect the sender to it."""
    for number, receiver in enumerate(receivers):
        sender.connect(await receiver.bind(endpoint_of(scheme, f"{number}")))
        await receiver.wait_peers()
        await sender.wait_peers(number + 1)
    if isinstance(sender, triomq.PUB):
        await sender.wait_subscribers(b"", len(receivers))


PAIRS = [(triomq.PUSH, triomq.PULL), (triomq.PAIR, triomq.PAIR), (triomq.DEALER, triomq.DEALER)]


@pytest.mark.parametrize("types", PAIRS, ids=lambda pair: pair[0].__name__)
@pytest.mark.parametrize(("send_hwm", "receive_hwm"), [(1, 1), (3, 4), (10, 1), (1000, 1000), (0, 5), (5, 0), (0, 0)])
def test_an_inproc_queue_holds_both_hwms_together(types: tuple[Any, Any], send_hwm: int, receive_hwm: int) -> None:
    """Exactly their sum, and no limit if either has none; whoever binds."""

    async def main(sender_binds: bool) -> None:
        async with context() as ctx:
            sender, receiver = ctx.socket(types[0], send_hwm=send_hwm), ctx.socket(types[1], receive_hwm=receive_hwm)
            if sender_binds:
                receiver.connect(await sender.bind("inproc://it"))
            else:
                sender.connect(await receiver.bind("inproc://it"))
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

    run(main, True)
    run(main, False)


@pytest.mark.parametrize("scheme", ["inproc", "tcp", "wire"])
def test_a_connection_that_never_came_queues_up_to_the_hwm(scheme: str) -> None:
    """Exactly send_hwm messages; with ``immediate`` none at all."""

    async def main() -> None:
        async with context() as ctx:
            endpoint = endpoint_of(scheme).replace(":0", ":9")
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

    run(main)


@pytest.mark.parametrize("scheme", ["tcp", "wire"])
def test_a_peer_that_does_not_read_is_full_at_its_hwm(scheme: str) -> None:
    """The receiver stops at its receive_hwm, the sender at its send_hwm; every message is in one place."""

    async def main() -> None:
        async with context() as ctx:
            push, pull = ctx.socket(triomq.PUSH, send_hwm=7, linger=0), ctx.socket(triomq.PULL, receive_hwm=3)
            await connected(ctx, scheme, push, pull)
            accepted = await fill(push, LARGE)
            (ours,), (theirs,) = push.statistics().peers, pull.statistics().peers
            assert (theirs.receive_queue, theirs.receive_hwm) == (3, 3)
            assert ours.send_queue == 7
            # The rest is written, but for what a narrow connection holds a part of.
            assert accepted == ours.messages_sent + ours.send_queue
            for _ in range(accepted):
                assert await pull.receive() == (LARGE,)
            with pytest.raises(trio.WouldBlock):
                pull.receive_nowait()

    run(main)


@every_scheme
def test_a_full_subscriber_misses_messages_and_nobody_else_does(scheme: str) -> None:
    """PUB never waits; the drops are counted for the peer that is full, and what it has arrives in order."""

    async def main() -> None:
        async with context() as ctx:
            pub = ctx.socket(triomq.PUB, send_hwm=5, linger=0)
            reader = ctx.socket(triomq.SUB, receive_hwm=0 if scheme == "inproc" else 1000, topics=[b""])
            sleeper = ctx.socket(triomq.SUB, receive_hwm=3, topics=[b""])
            await connected(ctx, scheme, pub, reader, sleeper)
            for number in range(60):
                await pub.send([b"%d" % number, LARGE])
                assert await reader.receive() == (b"%d" % number, LARGE)
            awake, asleep = pub.statistics().peers
            assert (awake.messages_sent, awake.messages_dropped) == (60, 0)
            assert asleep.messages_dropped == 60 - asleep.messages_sent - asleep.send_queue > 0
            assert pub.statistics().messages_dropped == asleep.messages_dropped
            if scheme == "inproc":
                assert asleep.messages_dropped == 60 - 8
            got = []
            while len(got) < 60 - asleep.messages_dropped:
                got.append(int((await sleeper.receive())[0]))
            assert got == list(range(len(got)))

    run(main)


@every_scheme
def test_a_publisher_without_subscribers_drops_and_counts_nothing(scheme: str) -> None:
    """Nobody wanted it: that is no drop."""

    async def main() -> None:
        async with context() as ctx:
            pub, sub = ctx.socket(triomq.PUB), ctx.socket(triomq.SUB, topics=[b"wanted"])
            await connected(ctx, scheme, pub)
            sub.connect(await pub.bind(endpoint_of(scheme)))
            await pub.wait_subscribers(b"wanted")
            await pub.send_many([b"unwanted", b"wanted too"])
            assert await sub.receive() == (b"wanted too",)
            statistics = pub.statistics()
            assert (statistics.messages_sent, statistics.messages_dropped) == (1, 0)

    run(main)


@every_scheme
def test_a_router_drops_what_is_for_nobody_or_for_a_full_peer(scheme: str) -> None:
    """And counts it; the message for another peer goes out."""

    async def main() -> None:
        async with context() as ctx:
            router = ctx.socket(triomq.ROUTER, send_hwm=2, linger=0)
            endpoint = await router.bind(endpoint_of(scheme))
            dealers = [ctx.socket(triomq.DEALER, routing_id=name, receive_hwm=2) for name in (b"a", b"b")]
            for dealer in dealers:
                dealer.connect(endpoint)
            await router.wait_peers(2)
            await router.send([b"nobody", b"it"])
            assert router.statistics().messages_dropped == 1
            for _ in range(100):
                await router.send([b"a", LARGE])
                await settle()
            full = next(peer for peer in router.statistics().peers if peer.routing_id == b"a")
            assert full.messages_sent + full.send_queue + full.messages_dropped == 100
            if scheme == "inproc":
                assert full.messages_dropped == 96
            await router.send([b"b", b"it"])
            assert await dealers[1].receive() == (b"it",)
            assert router.statistics().messages_dropped == 1 + full.messages_dropped

    run(main)


@every_scheme
def test_a_mandatory_router_raises_for_nobody_and_waits_for_a_full_peer(scheme: str) -> None:
    """The error names the routing id; the wait ends when the peer reads, or has gone."""

    async def main() -> None:
        async with context() as ctx:
            router = ctx.socket(triomq.ROUTER, send_hwm=1, router_mandatory=True, linger=0)
            endpoint = await router.bind(endpoint_of(scheme))
            dealers = [ctx.socket(triomq.DEALER, routing_id=name, receive_hwm=1) for name in (b"a", b"b")]
            for dealer in dealers:
                dealer.connect(endpoint)
            await router.wait_peers(2)
            with pytest.raises(triomq.UnroutableError, match="nobody") as caught:
                await router.send([b"nobody", b"it"])
            assert caught.value.routing_id == b"nobody"
            accepted = await fill(router, b"a", LARGE)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(router.send, [b"a", b"last"])
                await settle()
                assert router.statistics().tasks_waiting_send == 1
                await router.send([b"b", b"not held up"])
                assert await dealers[1].receive() == (b"not held up",)
                for _ in range(accepted):
                    assert await dealers[0].receive() == (LARGE,)
                assert await dealers[0].receive() == (b"last",)
            await fill(router, b"a", LARGE)

            async def unroutable() -> None:
                with pytest.raises(triomq.UnroutableError):
                    await router.send([b"a", b"too late"])

            async with trio.open_nursery() as nursery:
                nursery.start_soon(unroutable)
                await settle()
                await dealers[0].aclose()

    run(main)


@pytest.mark.parametrize("flow", FLOWS[:3], ids=str)
@every_scheme
def test_who_waits_is_served_in_the_order_of_coming(flow: Flow, scheme: str) -> None:
    """C6: first come, first served, for senders and for receivers."""

    async def main() -> None:
        async with context() as ctx:
            sender, receiver = await flow.open(ctx, scheme, hwm=1)
            got: list[int] = []
            order: list[int] = []

            async def receive(number: int) -> None:
                order.append(number)
                message = await receiver.receive()
                got.append((number, int(message[0])))

            async with trio.open_nursery() as nursery:
                for number in range(10):
                    nursery.start_soon(receive, number)
                await settle()
                for number in range(10):
                    await sender.send(b"%d" % number)
            assert sorted(got, key=lambda one: order.index(one[0])) == [(order[i], i) for i in range(10)]

    run(main)


@every_scheme
def test_requests_go_to_services_in_turn(scheme: str) -> None:
    """The guide's figure: of R1 to R4, R1 and R4 go to service A, R2 to B, R3 to C."""

    async def main() -> None:
        async with context() as ctx:
            req = ctx.socket(triomq.REQ)
            services = [ctx.socket(triomq.REP) for _ in range(3)]
            await connected(ctx, scheme, req, *services)
            served: dict[bytes, str] = {}

            async def serve(name: str, rep: triomq.REP) -> None:
                async for request in rep:
                    served[request[0]] = name
                    await rep.send(request)

            async with trio.open_nursery() as nursery:
                for name, rep in zip("ABC", services, strict=True):
                    nursery.start_soon(serve, name, rep)
                for request in (b"R1", b"R2", b"R3", b"R4"):
                    await req.request(request)
                nursery.cancel_scope.cancel()
            assert served == {b"R1": "A", b"R2": "B", b"R3": "C", b"R4": "A"}

    run(main)


@every_scheme
@pytest.mark.parametrize("types", [(triomq.PUSH, triomq.PULL), (triomq.DEALER, triomq.DEALER)], ids=["PUSH", "DEALER"])
def test_work_goes_to_workers_in_turn_passing_over_the_full(types: tuple[Any, Any], scheme: str) -> None:
    """Message i to worker i mod 3; when one does not read, the others get its share."""

    async def main() -> None:
        async with context() as ctx:
            sender = ctx.socket(types[0], send_hwm=1, linger=0)
            workers = [ctx.socket(types[1], receive_hwm=1) for _ in range(3)]
            await connected(ctx, scheme, sender, *workers)
            for number in range(9):
                await sender.send(b"%d" % number)
                assert await workers[number % 3].receive() == (b"%d" % number,)
            for _ in range(150):  # worker 0 does not read
                await sender.send(LARGE if scheme == "tcp" else bytes(3000))
                for worker in workers[1:]:
                    await settle()
                    try:
                        worker.receive_nowait()
                    except trio.WouldBlock:
                        continue
            lazy, *busy = sender.statistics().peers
            assert lazy.messages_sent + lazy.send_queue < min(peer.messages_sent for peer in busy)

    run(main)


@every_scheme
def test_receiving_takes_turns_between_peers(scheme: str) -> None:
    """However much one peer has sent first, the others are not kept waiting; each peer's order is kept."""

    async def main() -> None:
        async with context() as ctx:
            pull = ctx.socket(triomq.PULL)
            endpoint = await pull.bind(endpoint_of(scheme))
            for name in (b"a", b"b", b"c"):
                push = ctx.socket(triomq.PUSH)
                push.connect(endpoint)
                await push.send_many([name, b"%d" % number] for number in range(10))
                await settle()
            got = [await pull.receive() for _ in range(30)]
            for turn in range(10):
                assert sorted(message[0] for message in got[3 * turn : 3 * turn + 3]) == [b"a", b"b", b"c"]
            for name in (b"a", b"b", b"c"):
                assert [int(message[1]) for message in got if message[0] == name] == list(range(10))

    run(main)


@every_scheme
def test_a_conflating_socket_keeps_the_newest_message(scheme: str) -> None:
    """On the receiving side whatever came before it is dropped, and counted."""

    async def main() -> None:
        async with context() as ctx:
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

    run(main)


@every_scheme
@pytest.mark.parametrize("flow", FLOWS, ids=str)
def test_statistics_are_right_at_each_step(flow: Flow, scheme: str) -> None:
    """Sent, received, queued and waiting: they add up whatever has happened."""

    async def main() -> None:
        async with context() as ctx:
            sender, receiver = await flow.open(ctx, scheme, hwm=100)
            start = sender.statistics().messages_sent, receiver.statistics().messages_received
            taken = 0
            for step in range(1, 13):
                await sender.send(flow.wrap(b"%d" % step))
                await settle()
                if step % 3 == 0:
                    await receiver.receive()
                    taken += 1
                ours, theirs = sender.statistics(), receiver.statistics()
                (near,), (far,) = ours.peers, theirs.peers
                assert ours.messages_sent - start[0] == step == theirs.messages_received - start[1]
                assert (near.send_queue, far.receive_queue) == (0, step - taken)
                assert ours.messages_dropped == theirs.messages_dropped == 0
                assert near.connected
                assert far.connected
            async with trio.open_nursery() as nursery:
                for _ in range(8 + 3):
                    nursery.start_soon(receiver.receive)
                await settle()
                assert receiver.statistics().tasks_waiting_receive == 3
                assert receiver.statistics().peers[0].receive_queue == 0
                for _ in range(3):
                    await sender.send(flow.wrap(b"more"))
            assert receiver.statistics().tasks_waiting_receive == 0
            sent = sender.statistics().messages_sent
            await receiver.aclose()
            await settle()
            assert sender.statistics().messages_sent == sent, "what a peer was sent is not forgotten with the peer"
            assert receiver.statistics().messages_received - start[1] == 15

    run(main)


@every_scheme
@pytest.mark.parametrize("flow", FLOWS, ids=str)
def test_peers_are_those_that_are_connected(flow: Flow, scheme: str) -> None:
    """With type, name and endpoint; and gone when they have gone."""

    async def main() -> None:
        async with context() as ctx:
            sender, receiver = await flow.open(ctx, scheme)
            (near,), (far,) = sender.peers, receiver.peers
            assert (near.socket_type, far.socket_type) == (flow.receiver.__name__, flow.sender.__name__)
            assert near.endpoint == far.endpoint == receiver.endpoints[0] == sender.endpoints[0]
            if flow.before:
                assert near.routing_id == b"it"
            await receiver.aclose()
            await settle()
            assert sender.peers == receiver.peers == ()
            assert sender.endpoints == (near.endpoint,)

    run(main)


@every_scheme
def test_a_reply_is_not_dropped_for_a_requester_that_reads(scheme: str) -> None:
    """A REP drops what does not fit; two replies in one slice are no reason, even with an HWM of one."""

    async def main() -> None:
        async with context() as ctx:
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

    run(main)


@every_scheme
def test_a_publisher_drops_nothing_while_the_connection_takes_all(scheme: str) -> None:
    """A burst above a small HWM is no slow subscriber."""

    async def main() -> None:
        async with context() as ctx:
            pub, sub = ctx.socket(triomq.PUB, send_hwm=2), ctx.socket(triomq.SUB, topics=[b""])
            await connected(ctx, scheme, pub, sub)
            for number in range(40):
                await pub.send(b"%d" % number)
            assert pub.statistics().messages_dropped == 0
            assert [int((await sub.receive())[0]) for _ in range(40)] == list(range(40))

    run(main)
