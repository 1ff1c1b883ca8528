"""Turns and counts: who comes after whom, and what the statistics say of it."""

from __future__ import annotations

from typing import Any

import pytest
import trio
import trio.testing

import triomq
from triomq.testing import VirtualNetwork

from ..cancellation.kit import FLOWS, SCHEMES, Flow, endpoint_of, run
from .filling import connected, large, settle

every_scheme = pytest.mark.parametrize("scheme", SCHEMES)


@pytest.mark.parametrize("flow", FLOWS[:3], ids=str)
@every_scheme
def test_who_waits_is_served_in_the_order_of_coming(flow: Flow, scheme: str) -> None:
    """C6: first come, first served, for senders and for receivers."""

    async def main(net: VirtualNetwork) -> None:
        async with net.open_context() as ctx:
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

    run(main, scheme=scheme)


@every_scheme
def test_requests_go_to_services_in_turn(scheme: str) -> None:
    """The guide's figure: of R1 to R4, R1 and R4 go to service A, R2 to B, R3 to C."""

    async def main(net: VirtualNetwork) -> None:
        async with net.open_context() as ctx:
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

    run(main, scheme=scheme)


@every_scheme
@pytest.mark.parametrize("types", [(triomq.PUSH, triomq.PULL), (triomq.DEALER, triomq.DEALER)], ids=["PUSH", "DEALER"])
def test_work_goes_to_workers_in_turn_passing_over_the_full(types: tuple[Any, Any], scheme: str) -> None:
    """Message i to worker i mod 3; when one does not read, the others get its share."""

    async def main(net: VirtualNetwork) -> None:
        async with net.open_context() as ctx:
            sender = ctx.socket(types[0], send_hwm=1, linger=0)
            workers = [ctx.socket(types[1], receive_hwm=1) for _ in range(3)]
            await connected(ctx, scheme, sender, *workers)
            for number in range(9):
                await sender.send(b"%d" % number)
                assert await workers[number % 3].receive() == (b"%d" % number,)
            for _ in range(150):  # worker 0 does not read
                await sender.send(large(scheme))
                for worker in workers[1:]:
                    await settle()
                    try:
                        worker.receive_nowait()
                    except trio.WouldBlock:
                        continue
            lazy, *busy = sender.statistics().peers
            assert lazy.messages_sent + lazy.send_queue < min(peer.messages_sent for peer in busy)

    run(main, scheme=scheme)


@every_scheme
def test_receiving_takes_turns_between_peers(scheme: str) -> None:
    """However much one peer has sent first, the others are not kept waiting; each peer's order is kept."""

    async def main(net: VirtualNetwork) -> None:
        async with net.open_context() as ctx:
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

    run(main, scheme=scheme)


@every_scheme
@pytest.mark.parametrize("flow", FLOWS, ids=str)
def test_statistics_are_right_at_each_step(flow: Flow, scheme: str) -> None:
    """Sent, received, queued and waiting: they add up whatever has happened."""

    async def main(net: VirtualNetwork) -> None:
        async with net.open_context() as ctx:
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

    run(main, scheme=scheme)


@every_scheme
@pytest.mark.parametrize("flow", FLOWS, ids=str)
def test_peers_are_those_that_are_connected(flow: Flow, scheme: str) -> None:
    """With type, name and endpoint; and gone when they have gone."""

    async def main(net: VirtualNetwork) -> None:
        async with net.open_context() as ctx:
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

    run(main, scheme=scheme)
