"""Routing ids between the libraries: announced, given, unknown, taken, handed over; probes."""

from __future__ import annotations

from typing import Any

import pytest
import trio

import triomq

from .libzmq import Peer, PeerError
from .pairs import bring_together, until

pytestmark = pytest.mark.interop

IDS = {"one": b"A", "text": b"client", "octets": bytes(range(255, 0, -1)), "high": b"\xff\0\r\n"}
PLACE = "tcp://127.0.0.1:*"


@pytest.mark.parametrize("we_bind", [True, False], ids=["we-bind", "we-connect"])
@pytest.mark.parametrize("kind", ["REQ", "DEALER", "ROUTER"])
@pytest.mark.parametrize("routing_id", IDS.values(), ids=IDS)
async def test_our_id_at_their_router(
    ctx: triomq.Context, peer: Peer, routing_id: bytes, kind: str, we_bind: bool
) -> None:
    """libzmq's ROUTER knows us by the id we announce, whatever its octets."""
    ours: Any = ctx.socket(getattr(triomq, kind), routing_id=routing_id)
    router = await peer.socket("ROUTER", routing_id=b"server", router_mandatory=1)
    await bring_together(ours, router, PLACE, we_bind=we_bind)
    await ours.wait_peers()
    envelope = (b"",) if kind == "REQ" else ()
    own = (b"server",) if kind == "ROUTER" else ()
    await ours.send([*own, b"hello"])
    assert await router.receive() == (routing_id, *envelope, b"hello")
    await router.send([routing_id, *envelope, b"hello yourself"])
    assert await ours.receive() == (*own, b"hello yourself")


@pytest.mark.parametrize("we_bind", [True, False], ids=["we-bind", "we-connect"])
@pytest.mark.parametrize("kind", ["REQ", "DEALER", "ROUTER"])
@pytest.mark.parametrize("routing_id", IDS.values(), ids=IDS)
async def test_their_id_at_our_router(
    ctx: triomq.Context, peer: Peer, routing_id: bytes, kind: str, we_bind: bool
) -> None:
    """Our ROUTER knows libzmq by the id it announces, and says so in ``peers``."""
    router = ctx.socket(triomq.ROUTER, routing_id=b"server", router_mandatory=True)
    theirs = await peer.socket(kind, routing_id=routing_id, **({"router_mandatory": 1} if kind == "ROUTER" else {}))
    await bring_together(router, theirs, PLACE, we_bind=we_bind)
    await router.wait_peers()
    assert [(known.routing_id, known.socket_type) for known in router.peers] == [(routing_id, kind)]
    envelope = (b"",) if kind == "REQ" else ()
    own = (b"server",) if kind == "ROUTER" else ()
    await theirs.send([*own, b"hello"])
    assert await router.receive() == (routing_id, *envelope, b"hello")
    await router.send([routing_id, *envelope, b"hello yourself"])
    assert await theirs.receive() == (*own, b"hello yourself")


@pytest.mark.parametrize("we_route", [True, False], ids=["we-route", "they-route"])
async def test_peers_without_an_id_are_given_one(
    ctx: triomq.Context, peer: Peer, endpoint: str, we_route: bool
) -> None:
    """Nameless peers get ids of five octets that begin with zero, all different, and are reached by them."""
    router: Any = ctx.socket(triomq.ROUTER) if we_route else await peer.socket("ROUTER")
    place = await router.bind(endpoint)
    dealers: list[Any] = []
    for number in range(5):
        if we_route:
            dealers.append(await peer.socket("DEALER"))
            await dealers[-1].connect(place)
        else:
            dealers.append(ctx.socket(triomq.DEALER))
            dealers[-1].connect(place)
        await dealers[-1].send(b"%d" % number)
    ids = {}
    for _ in dealers:
        routing_id, number_text = await router.receive()
        ids[number_text] = routing_id
    assert len(set(ids.values())) == len(dealers)
    assert all(len(routing_id) == 5 and routing_id[0] == 0 for routing_id in ids.values())
    for number, dealer in enumerate(dealers):
        await router.send([ids[b"%d" % number], b"you are %d" % number])
        assert await dealer.receive() == (b"you are %d" % number,)


async def test_an_unknown_id(ctx: triomq.Context, peer: Peer, endpoint: str) -> None:
    """A mandatory ROUTER raises for an id that nobody has, or has any more, as libzmq does; others drop and count."""
    mandatory, plain = ctx.socket(triomq.ROUTER, router_mandatory=True), ctx.socket(triomq.ROUTER)
    for router in (mandatory, plain):
        dealer = await peer.socket("DEALER", routing_id=b"known")
        await dealer.connect(await router.bind(endpoint))
        await router.wait_peers()
        await router.send([b"known", b"hello"])
        assert await dealer.receive() == (b"hello",)
        await dealer.aclose()
        await until(lambda router=router: not router.peers)
    for unknown in (b"known", b"never"):
        with pytest.raises(triomq.UnroutableError, match="no peer has the routing id") as raised:
            await mandatory.send([unknown, b"hello"])
        assert raised.value.routing_id == unknown
        await plain.send([unknown, b"hello"])
    assert mandatory.statistics().messages_dropped == 0
    assert plain.statistics().messages_dropped == 2
    theirs = await peer.socket("ROUTER", router_mandatory=1)
    await theirs.bind(endpoint)
    with pytest.raises(PeerError, match="Host unreachable"):
        await theirs.call("send_once", message=["never", "hello"])


async def test_a_full_peer_of_a_mandatory_router(ctx: triomq.Context, peer: Peer) -> None:
    """It is waited for; another is served meanwhile, and nothing is lost or out of order."""
    router = ctx.socket(triomq.ROUTER, router_mandatory=True, send_hwm=1)
    place = await router.bind(PLACE)
    idle = await peer.socket("DEALER", routing_id=b"idle", rcvhwm=1, rcvbuf=64 * 1024)
    quick = await peer.socket("DEALER", routing_id=b"quick")
    for dealer in (idle, quick):
        await dealer.connect(place)
    await router.wait_peers(2)
    sent = 0
    while True:
        with trio.move_on_after(0.3) as waited:
            await router.send([b"idle", b"%d" % sent, bytes(256 * 1024)])
            sent += 1
        if waited.cancelled_caught:
            break
    await router.send([b"quick", b"still served"])
    assert await quick.receive() == (b"still served",)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(router.send, [b"idle", b"%d" % sent])
        got = [await idle.call("receive_prefix") for _ in range(sent + 1)]
    assert got == [str(number) for number in range(sent + 1)]
    assert router.statistics().messages_dropped == 0


async def test_the_first_of_two_keeps_its_id_at_ours(ctx: triomq.Context, peer: Peer, endpoint: str) -> None:
    """The second is told of with a reason and waits; once the first has left, it has its turn and nothing is lost."""
    router = ctx.socket(triomq.ROUTER)
    monitor = router.monitor()
    place = await router.bind(endpoint)
    first, second = [await peer.socket("DEALER", routing_id=b"same") for _ in range(2)]
    await first.connect(place)
    await router.wait_peers()
    await second.connect(place)
    await second.send(b"from the second")
    while not isinstance(event := await monitor.receive(), triomq.HandshakeFailed):
        pass
    assert isinstance(event.error, triomq.PeerUnwantedError)
    assert str(event.error) == "the routing id b'same' is in use; router_handover would pass it on"
    await first.send(b"from the first")
    assert await router.receive() == (b"same", b"from the first")
    await router.send([b"same", b"hello"])
    assert await first.receive() == (b"hello",)
    assert await second.receive_within(0.05) is None
    await first.aclose()
    assert await router.receive() == (b"same", b"from the second")
    await router.send([b"same", b"hello again"])
    assert await second.receive() == (b"hello again",)


async def test_the_first_of_two_keeps_its_id_at_theirs(ctx: triomq.Context, peer: Peer, endpoint: str) -> None:
    """libzmq's ROUTER talks on to the first of two DEALERs of ours with one id."""
    router = await peer.socket("ROUTER", router_mandatory=1)
    place = await router.bind(endpoint)
    first, second = (ctx.socket(triomq.DEALER, routing_id=b"same", linger=0) for _ in range(2))
    first.connect(place)
    await first.send(b"one")
    assert await router.receive() == (b"same", b"one")
    second.connect(place)
    await second.wait_peers()
    await first.send(b"two")
    assert await router.receive() == (b"same", b"two")
    await router.send([b"same", b"hello"])
    assert await first.receive() == (b"hello",)
    with pytest.raises(trio.WouldBlock):
        second.receive_nowait()


async def test_handover_at_ours(ctx: triomq.Context, peer: Peer, endpoint: str) -> None:
    """A new peer takes an id over from the one that has it, which stays connected under an id that we made."""
    router = ctx.socket(triomq.ROUTER, router_handover=True)
    place = await router.bind(endpoint)
    monitor = router.monitor()
    first, second = [await peer.socket("DEALER", routing_id=b"same") for _ in range(2)]
    for dealer, name in ((first, b"first"), (second, b"second")):
        await dealer.connect(place)
        await dealer.send(name)
        assert await router.receive() == (b"same", name)
    await router.send([b"same", b"hello"])
    assert await second.receive() == (b"hello",)
    assert await first.receive_within(0.3) is None
    await first.send(b"I am still here")
    name, body = await router.receive()
    assert (name[:1], body) == (b"\0", b"I am still here")
    await router.send([name, b"so I see"])
    assert await first.receive() == (b"so I see",)
    seen = [monitor.receive_nowait() for _ in range(4)]
    assert [type(event) for event in seen] == [triomq.Connected, triomq.HandshakeSucceeded] * 2
    with pytest.raises(trio.WouldBlock):
        monitor.receive_nowait()


async def test_handover_at_theirs(ctx: triomq.Context, peer: Peer, endpoint: str) -> None:
    """libzmq's ROUTER talks to the second DEALER of ours; the first it neither hears any more nor disconnects."""
    router = await peer.socket("ROUTER", router_handover=1, router_mandatory=1)
    place = await router.bind(endpoint)
    first, second = (ctx.socket(triomq.DEALER, routing_id=b"same", linger=0) for _ in range(2))
    for dealer, name in ((first, b"first"), (second, b"second")):
        dealer.connect(place)
        await dealer.send(name)
        assert await router.receive() == (b"same", name)
    await router.send([b"same", b"hello"])
    assert await second.receive() == (b"hello",)
    await first.send(b"does anybody hear me?")
    await second.send(b"I am heard")
    assert await router.receive() == (b"same", b"I am heard")
    with pytest.raises(trio.WouldBlock):
        first.receive_nowait()


@pytest.mark.parametrize("we_bind", [True, False], ids=["we-bind", "we-connect"])
@pytest.mark.parametrize("kind", ["REQ", "DEALER", "ROUTER"])
@pytest.mark.parametrize("we_probe", [True, False], ids=["we-probe", "they-probe"])
async def test_a_probe(ctx: triomq.Context, peer: Peer, we_probe: bool, kind: str, we_bind: bool) -> None:
    """With probe_router a ROUTER learns of its peer by an empty message, and can speak first."""
    prober: Any
    router: Any
    if we_probe:
        prober = ctx.socket(getattr(triomq, kind), routing_id=b"prober", probe_router=True)
        router = await peer.socket("ROUTER", routing_id=b"server", router_mandatory=1)
        await bring_together(prober, router, PLACE, we_bind=we_bind)
    else:
        prober = await peer.socket(kind, routing_id=b"prober", probe_router=1)
        router = ctx.socket(triomq.ROUTER, routing_id=b"server", router_mandatory=True)
        await bring_together(router, prober, PLACE, we_bind=we_bind)
    if we_probe:
        assert await router.receive() == (b"prober", b"")
    else:
        async with prober.attentive():
            assert await router.receive() == (b"prober", b"")
    if kind != "REQ":
        await router.send([b"prober", b"go"])
        assert (await prober.receive())[-1] == b"go"
    else:
        await prober.send(b"still a request")
        assert await router.receive() == (b"prober", b"", b"still a request")


@pytest.mark.parametrize("next_name", [b"", b"other", b"first"], ids=["nameless", "renamed", "the-same"])
async def test_the_next_tenant_of_an_endpoint(ctx: triomq.Context, peer: Peer, next_name: bytes) -> None:
    """Our ROUTER connects; what it has queued for one DEALER of libzmq does not reach the next one there."""
    router = ctx.socket(triomq.ROUTER, router_mandatory=True, reconnect_interval_max=0.05)
    first = await peer.socket("DEALER", routing_id=b"first")
    place = await first.bind("tcp://127.0.0.1:*")
    router.connect(place)
    await router.wait_peers()
    await router.send([b"first", b"hello"])
    assert await first.receive() == (b"hello",)
    await first.aclose()
    while router.peers:
        await router._peers.watchers.wait()
    await router.send([b"first", b"queued"])
    second = await peer.socket("DEALER", **({"routing_id": next_name} if next_name else {}))
    with trio.fail_after(5):
        while True:
            try:
                await second.bind(place)
                break
            except PeerError:  # the port is not free yet
                await trio.sleep(0.02)
    await router.wait_peers()
    if next_name == b"first":
        assert await second.receive() == (b"queued",)
    else:
        with pytest.raises(triomq.UnroutableError):
            await router.send([b"first", b"too late"])
        assert await second.receive_within(0.1) is None
        assert router.messages_dropped == 1
        await second.send(b"who am I?")
        name, _ = await router.receive()
        assert name == next_name if next_name else name[:1] == b"\0"


@pytest.mark.parametrize("own", [b"", b"own"])
async def test_our_name_for_their_peer(ctx: triomq.Context, peer: Peer, own: bytes) -> None:
    """The name that our ROUTER gives by ``connect`` counts, as with libzmq's CONNECT_ROUTING_ID."""
    router = ctx.socket(triomq.ROUTER, router_mandatory=True)
    dealer = await peer.socket("DEALER", **({"routing_id": own} if own else {}))
    endpoint = await dealer.bind(PLACE)
    router.connect(endpoint, routing_id=b"named")
    await router.send([b"named", b"before it is there"])
    assert await dealer.receive() == (b"before it is there",)
    await dealer.send(b"hello")
    assert await router.receive() == (b"named", b"hello")
    with pytest.raises(triomq.UnroutableError):
        await router.send([b"own", b"it"])
