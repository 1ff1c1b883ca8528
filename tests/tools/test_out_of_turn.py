"""A REP and a REQ send and receive by turns: what merge and proxy make of that, and which pairs a proxy takes."""

from __future__ import annotations

from typing import Any

import pytest
import trio
import trio.testing

import triomq
from triomq.testing import VirtualNetwork

ENDPOINTS = pytest.mark.parametrize("endpoint", ["tcp://127.0.0.1:0", "inproc://it"])

TABLE = """
         PUB  SUB  XPUB XSUB PUSH PULL REQ  REP  DEALER ROUTER PAIR
PUB      no   yes  yes  yes  no   yes  no   no   yes    yes    yes
SUB      yes  no   yes  yes  yes  no   no   no   yes    yes    yes
XPUB     yes  yes  yes  yes  yes  yes  yes  yes  yes    yes    yes
XSUB     yes  yes  yes  yes  yes  yes  yes  yes  yes    yes    yes
PUSH     no   yes  yes  yes  no   yes  no   no   yes    yes    yes
PULL     yes  no   yes  yes  yes  no   no   no   yes    yes    yes
REQ      no   no   yes  yes  no   no   no   yes  yes    yes    yes
REP      no   no   yes  yes  no   no   yes  no   yes    yes    yes
DEALER   yes  yes  yes  yes  yes  yes  yes  yes  yes    yes    yes
ROUTER   yes  yes  yes  yes  yes  yes  yes  yes  yes    yes    yes
PAIR     yes  yes  yes  yes  yes  yes  yes  yes  yes    yes    yes
"""
"""Frontend by backend: whether a proxy takes them."""
KINDS = TABLE.split()[:11]
PEERS = {
    "PUB": "SUB", "SUB": "PUB", "XPUB": "XSUB", "XSUB": "XPUB", "PUSH": "PULL", "PULL": "PUSH", "REQ": "REP",
    "REP": "REQ", "DEALER": "DEALER", "ROUTER": "DEALER", "PAIR": "PAIR",
}  # fmt: skip


def pairs(answer: str) -> list[tuple[str, str]]:
    rows = [line.split() for line in TABLE.strip().splitlines()[1:]]
    return [(row[0], kind) for row in rows for kind, said in zip(KINDS, row[1:], strict=True) if said == answer]


def test_the_table_is_whole() -> None:
    assert len(pairs("yes")) + len(pairs("no")) == 121


@pytest.mark.parametrize(("frontend", "backend"), pairs("no"))
async def test_a_pair_that_can_never_work_is_refused_at_once(frontend: str, backend: str) -> None:
    async with triomq.open_context() as ctx:
        with pytest.raises(TypeError, match=r"proxy\(\): "):
            await triomq.proxy(ctx.socket(getattr(triomq, frontend)), ctx.socket(getattr(triomq, backend)))


@pytest.mark.parametrize(("frontend", "backend"), pairs("yes"))
async def test_no_message_of_a_peer_ends_a_proxy(frontend: str, backend: str, virtual_network: VirtualNetwork) -> None:
    """Whatever comes, at either side, and whosever turn it is."""
    async with virtual_network.open_context() as ctx, trio.open_nursery() as nursery:
        sockets: list[Any] = []
        peers: list[Any] = []
        for kind in (frontend, backend):
            socket = ctx.socket(getattr(triomq, kind))
            sockets.append(socket)
            options = {"topics": [""]} if PEERS[kind] == "SUB" else {}
            if PEERS[kind] in ("REQ", "REP"):  # the way to speak out of turn
                options = {"routing_id": b"me"}
            peer_kind = {"REQ": "DEALER", "REP": "ROUTER"}.get(PEERS[kind], PEERS[kind])
            peer = ctx.socket(getattr(triomq, peer_kind), **options)
            peer.connect(await socket.bind("tcp://127.0.0.1:0"))
            await peer.wait_peers()
            peers.append(peer)
            if kind in ("SUB", "XSUB"):
                socket.subscribe(b"") if kind == "SUB" else await socket.send(b"\1")
        await trio.testing.wait_all_tasks_blocked()
        handle = await nursery.start(triomq.proxy, *sockets)
        for _ in range(3):
            for socket, peer in zip(sockets, peers, strict=True):
                if not isinstance(peer, triomq.SendSocket):
                    continue
                for message in ([b"one"], [b"\1topic"], [b"nobody", b"", b"one"], [b"", b"body"], [b"", b"me", b"x"]):
                    if peer.socket_type == "ROUTER":
                        message = [socket.peers[0].routing_id, *message]
                    if peer.socket_type != "ROUTER" or socket.options.routing_id:
                        await peer.send(message)
            await trio.testing.wait_all_tasks_blocked(0.01)
            assert handle.statistics().messages_forward >= 0
        handle.terminate()


@ENDPOINTS
async def test_rep_and_req_in_lock_step(endpoint: str, virtual_network: VirtualNetwork) -> None:
    """Several clients at once; each gets its own reply."""
    async with virtual_network.open_context() as ctx, trio.open_nursery() as nursery:
        frontend, backend, server = ctx.socket(triomq.REP), ctx.socket(triomq.REQ), ctx.socket(triomq.REP)
        place = await frontend.bind(endpoint)
        backend.connect(await server.bind(endpoint + "2" if "inproc" in endpoint else endpoint))
        nursery.start_soon(triomq.proxy, frontend, backend)

        async def serve() -> None:
            async for request in server:
                await server.send([b"reply to", *request])

        nursery.start_soon(serve)

        async def ask(who: int) -> None:
            req = ctx.socket(triomq.REQ)
            req.connect(place)
            for number in range(100):
                body = b"%d.%d" % (who, number)
                assert await req.request(body) == (b"reply to", body)

        with trio.fail_after(60):
            async with trio.open_nursery() as clients:
                for who in range(3):
                    clients.start_soon(ask, who)
        nursery.cancel_scope.cancel()


@ENDPOINTS
@pytest.mark.parametrize("swapped", [False, True])
async def test_what_waits_for_its_turn_is_moved_when_that_comes(
    endpoint: str, swapped: bool, virtual_network: VirtualNetwork
) -> None:
    """A DEALER's messages for a REP wait for a request, one for each; nothing else has to happen."""
    async with virtual_network.open_context() as ctx, trio.open_nursery() as nursery:
        rep, dealer = ctx.socket(triomq.REP), ctx.socket(triomq.DEALER)
        client, worker = ctx.socket(triomq.REQ), ctx.socket(triomq.DEALER)
        client.connect(await rep.bind(endpoint))
        worker.connect(await dealer.bind(endpoint + "2" if "inproc" in endpoint else endpoint))
        nursery.start_soon(triomq.proxy, *((dealer, rep) if swapped else (rep, dealer)))
        for number in range(3):
            await worker.send(b"%d" % number)
        await trio.testing.wait_all_tasks_blocked()
        for number in range(3):
            with trio.fail_after(1):
                assert bytes(await client.request(b"hello")) == b"%d" % number
                assert bytes(await worker.receive()) == b"hello"
        nursery.cancel_scope.cancel()


async def test_a_request_that_is_for_nobody_leaves_the_rep_free(virtual_network: VirtualNetwork) -> None:
    """It is dropped, and the next request is served."""
    async with virtual_network.open_context() as ctx, trio.open_nursery() as nursery:
        rep, router, worker = (
            ctx.socket(triomq.REP),
            ctx.socket(triomq.ROUTER, router_mandatory=True),
            ctx.socket(triomq.DEALER, routing_id=b"w"),
        )
        worker.connect(await router.bind("inproc://inside"))
        place = await rep.bind("inproc://it")
        handle = await nursery.start(triomq.proxy, rep, router)
        for request in ([b"one frame"], [b"nobody", b"x"], [b"w", b"hello"]):
            req = ctx.socket(triomq.REQ)
            req.connect(place)
            await req.send(request)
        assert bytes(await worker.receive()) == b"hello"
        assert handle.statistics().messages_dropped >= 1
        handle.terminate()


@ENDPOINTS
async def test_merged_a_rep_is_passed_over_until_it_has_replied(endpoint: str, virtual_network: VirtualNetwork) -> None:
    """And then its next request wakes whoever waits."""
    async with virtual_network.open_context() as ctx, trio.open_nursery() as nursery:
        rep, pull = ctx.socket(triomq.REP), ctx.socket(triomq.PULL)
        place = await rep.bind(endpoint)
        merged = triomq.merge(rep, pull)
        for number in range(2):
            req = ctx.socket(triomq.REQ)
            req.connect(place)
            await req.send(b"%d" % number)
        await trio.testing.wait_all_tasks_blocked()
        socket, first = await merged.receive()
        assert socket is rep
        with pytest.raises(trio.WouldBlock):
            merged.receive_nowait()
        woken: list[bytes] = []

        async def wait() -> None:
            woken.append(bytes((await merged.receive())[1]))

        nursery.start_soon(wait)
        await trio.testing.wait_all_tasks_blocked()
        assert not woken
        await rep.send(b"reply")
        await trio.testing.wait_all_tasks_blocked()
        assert sorted([bytes(first), *woken]) == [b"0", b"1"]


@ENDPOINTS
async def test_merged_a_req_is_passed_over_until_it_has_asked(endpoint: str, virtual_network: VirtualNetwork) -> None:
    """Its reply comes with the messages of the others."""
    async with virtual_network.open_context() as ctx, trio.open_nursery() as nursery:
        req, rep, pair = ctx.socket(triomq.REQ), ctx.socket(triomq.REP), ctx.socket(triomq.PAIR)
        req.connect(await rep.bind(endpoint))
        merged = triomq.merge(req, pair)
        with pytest.raises(trio.WouldBlock):
            merged.receive_nowait()
        woken: list[Any] = []

        async def wait() -> None:
            woken.append(await merged.receive())

        for number in range(3):
            nursery.start_soon(wait)
            await trio.testing.wait_all_tasks_blocked()
            await req.send(b"%d" % number)
            await rep.send(await rep.receive())
            await trio.testing.wait_all_tasks_blocked()
            assert woken.pop() == (req, (b"%d" % number,))


async def test_merged_sockets_that_are_closed_say_so() -> None:
    async with triomq.open_context() as ctx:
        rep, req = ctx.socket(triomq.REP), ctx.socket(triomq.REQ)
        merged = triomq.merge(rep, req)
        await req.aclose()
        with pytest.raises(trio.ClosedResourceError):
            merged.receive_nowait()
        with pytest.raises(trio.ClosedResourceError):
            await merged.receive()


async def test_a_capture_that_is_told_the_direction(virtual_network: VirtualNetwork) -> None:
    """Each copy begins with it, so a subscriber can ask for one direction; what is moved is as ever."""
    async with virtual_network.open_context() as ctx, trio.open_nursery() as nursery:
        frontend, backend, capture = ctx.socket(triomq.REP), ctx.socket(triomq.REQ), ctx.socket(triomq.PUB)
        client, server = ctx.socket(triomq.REQ), ctx.socket(triomq.REP)
        client.connect(await frontend.bind("inproc://front"))
        backend.connect(await server.bind("inproc://back"))
        place = await capture.bind("inproc://capture")
        both, back = ctx.socket(triomq.SUB, topics=[b""]), ctx.socket(triomq.SUB, topics=[b"backward"])
        both.connect(place)
        back.connect(place)
        await capture.wait_subscribers(b"backward", 2)

        async def run() -> None:
            await triomq.proxy(frontend, backend, capture, capture_direction=True)

        nursery.start_soon(run)
        await client.send([b"question", b"mark"])
        assert await server.receive() == (b"question", b"mark")
        await server.send(b"answer")
        assert await client.receive() == (b"answer",)
        assert await both.receive_many(5) == [(b"forward", b"question", b"mark"), (b"backward", b"answer")]
        assert await back.receive_many(5) == [(b"backward", b"answer")]
        nursery.cancel_scope.cancel()
