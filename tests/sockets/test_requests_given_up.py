"""A request that was given up: what the peer sees of that, and where its late reply goes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
import trio.testing

import triomq
from triomq.testing import VirtualNetwork

ENDPOINTS = pytest.mark.parametrize("endpoint", ["tcp://127.0.0.1:0", "inproc://it"])


@asynccontextmanager
async def asking(req: triomq.REQ, question: bytes) -> AsyncIterator[None]:
    """A request that is under way in the block, and given up at its end."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(req.request, question)
        await trio.testing.wait_all_tasks_blocked()
        yield
        nursery.cancel_scope.cancel()


async def answered(req: triomq.REQ, router: triomq.ROUTER, question: bytes) -> None:
    """One more exchange, in which a ROUTER sees the envelope of RFC 28 and nothing else."""
    async with trio.open_nursery() as nursery:

        async def answer() -> None:
            client, delimiter, body = await router.receive()
            assert (delimiter, body) == (b"", question)
            await router.send([client, b"", b"reply to " + body])

        nursery.start_soon(answer)
        with trio.fail_after(60):
            assert await req.request(question) == (b"reply to " + question,)


async def meet(req: Any, other: Any, endpoint: str, *, req_binds: bool) -> None:
    binder, connector = (req, other) if req_binds else (other, req)
    connector.connect(await binder.bind(endpoint))
    await req.wait_peers()
    await other.wait_peers()


@pytest.mark.parametrize("req_binds", [False, True], ids=["connects", "binds"])
@ENDPOINTS
@pytest.mark.parametrize("options", [{}, {"routing_id": b"me"}, {"immediate": True}], ids=str)
@pytest.mark.parametrize("late", ["before", "after", "never"])
async def test_a_router_sees_the_same_envelope_as_ever(
    endpoint: str, req_binds: bool, options: dict[str, Any], late: str, virtual_network: VirtualNetwork
) -> None:
    """And its late reply is nobody's, whether it comes before or after the next request."""
    async with virtual_network.open_context() as ctx:
        req, router = ctx.socket(triomq.REQ, **options), ctx.socket(triomq.ROUTER)
        await meet(req, router, endpoint, req_binds=req_binds)
        for number in range(5):
            async with asking(req, b"first"):
                client, delimiter, body = await router.receive()
                assert (delimiter, body) == (b"", b"first")
            if late == "before":
                await router.send([client, b"", b"late"])
            await answered(req, router, b"%d" % number)
            if late == "after":
                await router.send([client, b"", b"late"])


@ENDPOINTS
async def test_the_late_reply_is_under_way_when_the_request_is_given_up(
    endpoint: str, virtual_network: VirtualNetwork
) -> None:
    """It has left the ROUTER, and nobody at our side has read it."""
    async with virtual_network.open_context() as ctx:
        req, router = ctx.socket(triomq.REQ), ctx.socket(triomq.ROUTER)
        await meet(req, router, endpoint, req_binds=False)
        async with asking(req, b"first"):
            client, delimiter, _ = await router.receive()
            router.send_nowait([client, delimiter, b"late"])
        await answered(req, router, b"second")


@ENDPOINTS
async def test_a_relaxed_req_asks_a_router_again(endpoint: str, virtual_network: VirtualNetwork) -> None:
    """Without waiting, and without taking the first reply for the second."""
    async with virtual_network.open_context() as ctx:
        req, router = ctx.socket(triomq.REQ, req_relaxed=True), ctx.socket(triomq.ROUTER)
        await meet(req, router, endpoint, req_binds=False)
        for number in range(3):
            await req.send(b"first")
            client, *rest = await router.receive()
            assert rest == [b"", b"first"]
            req.send_nowait(b"second")
            await router.send([client, b"", b"late"])
            client, *rest = await router.receive()
            assert rest == [b"", b"second"]
            await router.send([client, b"", b"%d" % number])
            assert bytes(await req.receive()) == b"%d" % number


@ENDPOINTS
async def test_a_correlated_req_keeps_its_connection(endpoint: str, virtual_network: VirtualNetwork) -> None:
    """The id in every request tells the replies apart."""
    async with virtual_network.open_context() as ctx:
        req, router = ctx.socket(triomq.REQ, req_correlate=True), ctx.socket(triomq.ROUTER)
        await meet(req, router, endpoint, req_binds=False)
        monitor = req.monitor()
        clients = set()
        for _ in range(3):
            async with asking(req, b"first"):
                client, number, delimiter, _ = await router.receive()
                clients.add(client)
                assert len(number) == 4
            await router.send([client, number, delimiter, b"late"])
        assert len(clients) == 1
        with pytest.raises(trio.WouldBlock):
            monitor.receive_nowait()


@ENDPOINTS
@pytest.mark.parametrize("req_binds", [False, True])
async def test_a_rep_keeps_its_connection(endpoint: str, req_binds: bool, virtual_network: VirtualNetwork) -> None:
    """Its program does not see what stands before the delimiter, so there is an id from then on."""
    async with virtual_network.open_context() as ctx:
        req, rep = ctx.socket(triomq.REQ), ctx.socket(triomq.REP)
        await meet(req, rep, endpoint, req_binds=req_binds)
        monitor = req.monitor()
        for number in range(3):
            async with asking(req, b"first"):
                assert bytes(await rep.receive()) == b"first"
            async with trio.open_nursery() as nursery:

                async def answer() -> None:
                    await rep.send(b"late")
                    await rep.send(await rep.receive())

                nursery.start_soon(answer)
                assert bytes(await req.request(b"%d" % number)) == b"%d" % number
        with pytest.raises(trio.WouldBlock):
            monitor.receive_nowait()


@ENDPOINTS
async def test_one_of_several_peers_is_left_and_the_others_stay(endpoint: str, virtual_network: VirtualNetwork) -> None:
    """A REQ whose requests go to two ROUTERs in turn, of which one never replies in time."""
    async with virtual_network.open_context() as ctx:
        req, good, slow = ctx.socket(triomq.REQ), ctx.socket(triomq.ROUTER), ctx.socket(triomq.ROUTER)
        req.connect(await good.bind(endpoint))
        req.connect(await slow.bind(endpoint + "2" if "inproc" in endpoint else endpoint))
        await req.wait_peers(2)

        async def serve(router: triomq.ROUTER, seconds: float) -> None:
            async for client, delimiter, body in router:
                await trio.sleep(seconds)
                await router.send([client, delimiter, body])

        got = 0
        async with trio.open_nursery() as nursery:
            nursery.start_soon(serve, good, 0)
            nursery.start_soon(serve, slow, 2)
            for number in range(20):
                with trio.move_on_after(1):
                    assert bytes(await req.request(b"%d" % number)) == b"%d" % number
                    got += 1
            nursery.cancel_scope.cancel()
        assert got == 10
        assert len(good.peers) == 1


@pytest.mark.parametrize("name", [b"", b"me"])
@pytest.mark.parametrize("kind", ["ROUTER", "REP"])
async def test_a_request_given_up_after_its_peer_has_gone(
    kind: str, name: bytes, virtual_network: VirtualNetwork
) -> None:
    """The next peer at the endpoint answers the next request."""
    net = virtual_network
    async with net.open_context() as ctx:
        req = ctx.socket(triomq.REQ, routing_id=name)
        async with net.open_context() as first:
            server = first.socket(getattr(triomq, kind), linger=0)
            endpoint = await server.bind("tcp://127.0.0.1:5555")
            req.connect(endpoint)
            await req.send(b"lost")
            await server.receive()
        while req.peers:
            await req._peers.watchers.wait()
        req._req.give_up()
        router = ctx.socket(triomq.ROUTER)
        await router.bind(endpoint)
        await answered(req, router, b"next")


async def test_a_request_whose_connection_is_gone_costs_no_other_connection(virtual_network: VirtualNetwork) -> None:
    """Its late reply cannot come by the new one, so that stays."""
    net = virtual_network
    async with net.open_context() as ctx:
        async with net.open_context() as first:
            router = first.socket(triomq.ROUTER, linger=0)
            endpoint = await router.bind("tcp://127.0.0.1:5555")
            req = ctx.socket(triomq.REQ)
            req.connect(endpoint)
            await req.send(b"lost")
            await router.receive()
        second = ctx.socket(triomq.ROUTER)
        await second.bind(endpoint)
        await req.wait_peers()
        monitor = req.monitor()
        with trio.move_on_after(1):
            await req.receive()
        req._req.give_up()
        await answered(req, second, b"next")
        with pytest.raises(trio.WouldBlock):
            monitor.receive_nowait()


@pytest.mark.parametrize("options", [{}, {"immediate": True}], ids=str)
@ENDPOINTS
async def test_all_is_forgotten_at_the_end(
    endpoint: str, options: dict[str, Any], virtual_network: VirtualNetwork
) -> None:
    """Whatever is given up, nothing is kept for pipes that are gone."""
    async with virtual_network.open_context() as ctx:
        req, router = ctx.socket(triomq.REQ, **options), ctx.socket(triomq.ROUTER)
        place = await router.bind(endpoint)
        req.connect(place)
        await req.wait_peers()
        for _ in range(3):
            async with asking(req, b"first"):
                await router.receive()
            await answered(req, router, b"next")
        req.disconnect(place)
        await trio.testing.wait_all_tasks_blocked()
        pattern = req._req
        assert not pattern.pipes
        assert [pattern._left, pattern._lasting, pattern._unfinished] == [set(), set(), {}]


@pytest.mark.parametrize("io_thread", [False, True], ids=["", "in halves"])
@pytest.mark.parametrize("how", ["binds", "immediate", "disconnects"])
@pytest.mark.parametrize("again", ["cancelled", "another"])
@pytest.mark.parametrize("routing_id", [b"", b"me"])
async def test_a_request_whose_peer_is_gone_for_good(
    how: str, again: str, routing_id: bytes, io_thread: bool, virtual_network: VirtualNetwork
) -> None:
    """There is nothing to take back, and the next request goes to the next peer."""
    async with virtual_network.open_context(io_thread=io_thread) as ctx:
        immediate = how != "disconnects"
        req = ctx.socket(triomq.REQ, req_relaxed=True, immediate=immediate, routing_id=routing_id)
        router = ctx.socket(triomq.ROUTER)
        await meet(req, router, "tcp://127.0.0.1:5555", req_binds=how == "binds")
        if again == "cancelled":
            async with asking(req, b"lost"):
                await router.receive()
                await part(req, router, how)
        else:
            await req.send(b"lost")
            await router.receive()
            await part(req, router, how)
        async with ctx.socket(triomq.ROUTER) as other:
            await meet(req, other, "tcp://127.0.0.1:6666", req_binds=how == "binds")
            await answered(req, other, b"again")


async def part(req: triomq.REQ, router: triomq.ROUTER, how: str) -> None:
    """End the connection, and let neither side begin another."""
    if how == "disconnects":
        req.disconnect(*req.endpoints)
    else:
        await router.aclose()
    await req.wait_peers(0)
    await trio.sleep(1)


async def test_a_reply_that_comes_while_the_socket_closes() -> None:
    """It belongs to nobody, whether the task of `request` or that of `aclose` runs first."""

    class Replies:
        """Replies in the midst of `aclose`, when the tasks in other calls are woken, and have not run."""

        def __init__(self) -> None:
            self.reply = [b"", b"", b"reply"]

        def made(self, socket: triomq.Socket, count: int) -> None:
            pass

        def event(self, socket: triomq.Socket, event: triomq.MonitorEvent) -> None:
            if isinstance(event, triomq.ListeningStopped):
                router.send_nowait(self.reply)

        def closed(self, socket: triomq.Socket) -> None:
            pass

    async def ask(req: triomq.REQ) -> None:
        with pytest.raises(trio.ClosedResourceError):
            await req.request(b"request")

    async with triomq.open_context() as ctx:
        replies = Replies()
        ctx.observe(replies)
        router = ctx.socket(triomq.ROUTER, connect="inproc://it")
        for _ in range(30):
            req = ctx.socket(triomq.REQ)
            await req.bind("inproc://it")
            async with trio.open_nursery() as nursery:
                nursery.start_soon(ask, req)
                replies.reply = [*(await router.receive())[:-1], b"reply"]
                nursery.start_soon(req.aclose)
