"""Requests and replies by the way they came: hops, echoes, and a PAIR that has its peer already."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest
import trio

import triomq

from .libzmq import Peer
from .pairs import bring_together, ours_of, theirs_of

pytestmark = pytest.mark.interop

QUICK = {"reconnect_interval_max": 0.05}


# A ROUTER of libzmq that has connected comes back with late replies, and only an id can tell them apart.
@pytest.mark.parametrize(
    ("options", "we_bind"),
    [({}, False), ({"req_relaxed": True}, False), ({"req_correlate": True}, False), ({"req_correlate": True}, True)],
    ids=str,
)
async def test_cancelled_requests_at_an_echo(
    ctx: triomq.Context, peer: Peer, endpoint: str, we_bind: bool, options: dict[str, Any]
) -> None:
    """However many requests are given up, at whatever moment, a reply is that to its own request."""
    req, router = ctx.socket(triomq.REQ, **options, **QUICK), await peer.socket("ROUTER")
    await bring_together(req, router, endpoint, we_bind=we_bind)
    await router.call("echo")
    rng = random.Random(4)
    answered = 0
    for number in range(400):
        question = b"%d" % number
        with trio.move_on_after(rng.choice((0, 0.0001, 0.0002, 0.0004, 0.0008, math.inf))):
            assert await req.request(question) == (question,)
            answered += 1
    assert await req.request(b"at last") == (b"at last",)
    assert answered >= 30


@pytest.mark.parametrize("hops", [1, 2, 3])
@pytest.mark.parametrize("ours_asks", [True, False], ids=["we-ask", "they-ask"])
async def test_through_hops_of_libzmq(
    ctx: triomq.Context, peer: Peer, endpoint: str, hops: int, ours_asks: bool
) -> None:
    """A request reaches our REP through ROUTERs and DEALERs, and its reply finds the way back to who asked."""
    frontend = await peer.socket("ROUTER")
    first = await frontend.bind(endpoint)
    for _ in range(hops - 1):
        backend, following = await peer.socket("DEALER"), await peer.socket("ROUTER")
        await backend.connect(await following.bind(endpoint))
        await peer.call("proxy", frontend=frontend.name, backend=backend.name)
        frontend = following
    backend = await peer.socket("DEALER")
    place = await backend.bind(endpoint)
    await peer.call("proxy", frontend=frontend.name, backend=backend.name)
    rep = ctx.socket(triomq.REP)
    rep.connect(place)
    asking: list[Any] = []
    for number in range(3):
        asking.append(ours_of(ctx, "REQ", routing_id=b"%d" % number) if ours_asks else await peer.socket("REQ"))
        connected = asking[-1].connect(first)
        if connected is not None:
            await connected
    for turn in range(3):
        for number, req in enumerate(asking):
            await req.send([b"%d asks" % number, b"", b"%d" % turn])
        for _ in asking:
            who, empty, count = await rep.receive()
            assert (empty, count) == (b"", b"%d" % turn)
            await rep.send([b"to " + who, b"", count])
        for number, req in enumerate(asking):
            assert await req.receive() == (b"to %d asks" % number, b"", b"%d" % turn)


@pytest.mark.parametrize("we_bind", [True, False], ids=["we-bind", "we-connect"])
async def test_any_envelope(ctx: triomq.Context, peer: Peer, endpoint: str, we_bind: bool) -> None:
    """REP returns what stands before the first empty frame, octet for octet; what has none it does not receive."""
    rep, dealer = ctx.socket(triomq.REP), await theirs_of(peer, "DEALER")
    await bring_together(rep, dealer, endpoint, we_bind=we_bind)
    for envelope in ([], [b"a"], [b"\0", b"x" * 300, b"\0\1\2\3\4"], [b"%d" % hop for hop in range(1, 100)]):
        await dealer.send([b"no delimiter", b"at all"])
        await dealer.send(b"alone")
        await dealer.send([*envelope, b"", b"", b"body"])
        assert await rep.receive() == (b"", b"body")
        await rep.send([b"", b"reply", b""])
        assert await dealer.receive() == (*envelope, b"", b"", b"reply", b"")


async def test_a_second_pair_at_ours(ctx: triomq.Context, peer: Peer, endpoint: str) -> None:
    """The first stays; the second is told of with a reason, kept waiting, and has its turn when the first leaves."""
    pair = ctx.socket(triomq.PAIR)
    monitor = pair.monitor()
    place = await pair.bind(endpoint)
    first, second = [await peer.socket("PAIR") for _ in range(2)]
    await first.connect(place)
    await pair.wait_peers()
    await second.connect(place)
    await second.send(b"from the second")
    while not isinstance(event := await monitor.receive(), triomq.HandshakeFailed):
        pass
    assert isinstance(event.error, triomq.PeerUnwantedError)
    await first.send(b"from the first")
    await pair.send(b"to the first")
    assert await pair.receive() == (b"from the first",)
    assert await first.receive() == (b"to the first",)
    assert len(pair.peers) == 1
    await first.aclose()
    assert await pair.receive() == (b"from the second",)
    await pair.send(b"to the second")
    assert await second.receive() == (b"to the second",)


async def test_a_second_pair_of_ours(ctx: triomq.Context, peer: Peer, endpoint: str) -> None:
    """libzmq goes on with the first. The second, which it keeps without hearing it, is heard once it connects anew."""
    theirs = await peer.socket("PAIR")
    place = await theirs.bind(endpoint)
    first, second = (ctx.socket(triomq.PAIR, linger=0) for _ in range(2))
    first.connect(place)
    await first.send(b"from the first")
    assert await theirs.receive() == (b"from the first",)
    second.connect(place)
    await second.wait_peers()
    await second.send(b"not heard")
    await first.send(b"again")
    assert await theirs.receive() == (b"again",)
    await theirs.send(b"to the first")
    assert await first.receive() == (b"to the first",)
    await first.aclose()
    await theirs.call("until_alone")
    second.disconnect(place)
    second.connect(place)
    await second.send(b"from the second")
    assert await theirs.receive() == (b"from the second",)
    await theirs.send(b"to the second")
    assert await second.receive() == (b"to the second",)


async def test_a_pair_that_is_connected_again_while_it_sends(ctx: triomq.Context, peer: Peer, endpoint: str) -> None:
    """libzmq's PAIR would hang up on a second connection: all goes by the first."""
    pair, theirs = ctx.socket(triomq.PAIR, linger=5), await peer.socket("PAIR")
    place = await theirs.bind(endpoint)
    for number in range(4):
        pair.connect(place)
        await pair.send(b"%d" % number)
        pair.disconnect(place)
    pair.connect(place)
    for number in range(4):
        assert await theirs.receive() == (b"%d" % number,)
    await theirs.send(b"and back")
    assert await pair.receive() == (b"and back",)
