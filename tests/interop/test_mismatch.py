"""libzmq peers that do not fit, or do not read; and what publishers and subscribers hear of each other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

import triomq

from ..monitors import next_event
from .libzmq import Peer, Theirs, own_process
from .pairs import until

pytestmark = pytest.mark.interop

SUBSCRIBED, CANCELLED = b"\1", b"\0"


async def hears_no_more(xpub: triomq.XPUB, sub: Theirs) -> None:
    """What this subscriber says now is the next thing that the publisher hears."""
    await sub.set("subscribe", b"mark")
    assert await xpub.receive() == (SUBSCRIBED + b"mark",)
    await sub.set("unsubscribe", b"mark")
    assert await xpub.receive() == (CANCELLED + b"mark",)


SECURITY = {
    "plain-client": {"plain_username": b"user", "plain_password": b"secret"},
    "plain-server": {"plain_server": 1},
    "curve-client": {
        "curve_serverkey": b"rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7",
        "curve_publickey": b"Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID",
        "curve_secretkey": b"D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs",
    },
}


@pytest.mark.parametrize("we_bind", [True, False], ids=["we-bind", "we-connect"])
@pytest.mark.parametrize("options", SECURITY.values(), ids=SECURITY)
async def test_another_mechanism(ctx: triomq.Context, peer: Peer, options: dict[str, Any], we_bind: bool) -> None:
    """A peer that wants to authenticate is told of, with a reason, and is no peer; one that does not is served."""
    pull = ctx.socket(triomq.PULL)
    monitor = pull.monitor()
    wrong, right = await peer.socket("PUSH", **options), await peer.socket("PUSH")
    if we_bind:
        endpoint = await pull.bind("tcp://127.0.0.1:*")
        await right.connect(endpoint)
        await wrong.connect(endpoint)
    else:
        pull.connect(await right.bind("tcp://127.0.0.1:*"))
        pull.connect(await wrong.bind("tcp://127.0.0.1:*"))
    failed = await next_event(monitor, triomq.HandshakeFailed)
    # libzmq sends its greeting in pieces, and none any more when it sees that ours is wrong.
    assert str(failed.error).startswith("the peer closed the connection during the greeting")
    await right.send(b"hello")
    assert await pull.receive() == (b"hello",)
    assert len(pull.peers) == 1


@pytest.mark.parametrize("transport", ["tcp", "ipc"])
async def test_both_bind(ctx: triomq.Context, peer: Peer, transport: str) -> None:
    """The second to bind an endpoint is told so, whichever it is, and the first goes on."""
    wildcard = "tcp://127.0.0.1:*" if transport == "tcp" else "ipc://*"
    theirs = await peer.socket("PULL")
    taken = await theirs.bind(wildcard)
    push = ctx.socket(triomq.PUSH)
    with pytest.raises(triomq.AddressInUseError):
        await push.bind(taken)
    push.connect(taken)
    await push.send(b"still there")
    assert await theirs.receive() == (b"still there",)


async def test_two_that_only_bind_never_meet(ctx: triomq.Context, peer: Peer) -> None:
    """Two listeners are no mistake that shows: nothing is raised, and connecting mends it."""
    pull, push = ctx.socket(triomq.PULL), await peer.socket("PUSH")
    await push.bind("tcp://127.0.0.1:*")
    endpoint = await pull.bind("tcp://127.0.0.1:*")
    assert pull.peers == ()
    await push.connect(endpoint)
    await push.send(b"now")
    assert await pull.receive() == (b"now",)
    assert len(pull.peers) == 1


async def test_two_that_only_connect_meet_when_one_binds(ctx: triomq.Context, peer: Peer) -> None:
    """Both connect to a place where nobody is; the third that binds there serves them both."""
    pull = ctx.socket(triomq.PULL)
    place = await pull.bind("tcp://127.0.0.1:*")
    await pull.unbind(place)
    push, theirs = ctx.socket(triomq.PUSH), await peer.socket("PUSH")
    monitor = push.monitor()
    push.connect(place)
    await theirs.connect(place)
    await push.send(b"ours")
    await theirs.send(b"theirs")
    await next_event(monitor, triomq.ConnectFailed)
    await pull.bind(place)
    assert {bytes(await pull.receive()), bytes(await pull.receive())} == {b"ours", b"theirs"}


# -- who subscribes to what ---------------------------------------------------------------------------


@asynccontextmanager
async def leaving_by_disconnecting(sub: Theirs, endpoint: str) -> AsyncIterator[None]:
    await sub.disconnect(endpoint)
    async with sub.attentive():  # its own thread has a part in it
        yield


@asynccontextmanager
async def leaving_by_closing(sub: Theirs, _: str) -> AsyncIterator[None]:
    await sub.aclose()
    yield


@pytest.mark.parametrize("leaving", [leaving_by_disconnecting, leaving_by_closing])
async def test_an_xpub_hears_of_libzmq_subscriptions(
    ctx: triomq.Context, peer: Peer, endpoint: str, leaving: Callable[[Theirs, str], AbstractAsyncContextManager[None]]
) -> None:
    """The first subscription to a topic, the last cancellation, and one for each topic of a peer that leaves."""
    xpub = ctx.socket(triomq.XPUB)
    endpoint = await xpub.bind(endpoint)
    first, second = await peer.socket("SUB", subscribe=b"a"), await peer.socket("SUB")
    await first.connect(endpoint)
    assert await xpub.receive() == (SUBSCRIBED + b"a",)
    await second.connect(endpoint)
    await second.set("subscribe", b"a")
    await second.set("subscribe", b"b")
    assert await xpub.receive() == (SUBSCRIBED + b"b",)
    await first.set("unsubscribe", b"a")
    await second.set("subscribe", b"c")
    assert await xpub.receive() == (SUBSCRIBED + b"c",)
    await second.set("unsubscribe", b"b")
    assert await xpub.receive() == (CANCELLED + b"b",)
    async with leaving(second, endpoint):
        left = {await xpub.receive(), await xpub.receive()}
    assert left == {(CANCELLED + b"a",), (CANCELLED + b"c",)}
    await hears_no_more(xpub, first)


async def test_a_killed_subscriber_is_cancelled(ctx: triomq.Context, peer: Peer) -> None:
    """The subscriptions of a process that dies are taken back, and those of others stay."""
    xpub = ctx.socket(triomq.XPUB)
    endpoint = await xpub.bind("tcp://127.0.0.1:*")
    stays = await peer.socket("SUB", subscribe=b"both")
    await stays.connect(endpoint)
    assert await xpub.receive() == (SUBSCRIBED + b"both",)
    async with own_process() as doomed:
        dies = await doomed.socket("SUB", subscribe=b"both")
        await dies.set("subscribe", b"its own")
        await dies.connect(endpoint)
        assert await xpub.receive() == (SUBSCRIBED + b"its own",)
        doomed.kill()
        assert await xpub.receive() == (CANCELLED + b"its own",)
    await xpub.send(b"both of you")
    assert await stays.receive() == (b"both of you",)
    await hears_no_more(xpub, stays)


@pytest.mark.parametrize("option", ["xpub_verbose", "xpub_verboser"])
async def test_every_subscription_is_told(ctx: triomq.Context, peer: Peer, option: str) -> None:
    """With xpub_verbose each peer's subscription is received, with xpub_verboser each cancellation too."""
    xpub = ctx.socket(triomq.XPUB, **{option: True})
    endpoint = await xpub.bind("tcp://127.0.0.1:*")
    subs = [await peer.socket("SUB", subscribe=b"topic") for _ in range(3)]
    for sub in subs:
        await sub.connect(endpoint)
        assert await xpub.receive() == (SUBSCRIBED + b"topic",)
    for number, sub in enumerate(subs):
        await sub.set("unsubscribe", b"topic")
        if option == "xpub_verboser" or number == 2:
            assert await xpub.receive() == (CANCELLED + b"topic",)
        await hears_no_more(xpub, sub)


async def test_an_xsub_subscribes_at_a_libzmq_xpub(ctx: triomq.Context, peer: Peer, endpoint: str) -> None:
    """What is sent by an XSUB as 01 and 00 subscribes and cancels there, and what else is sent arrives as it is."""
    xpub, xsub = await peer.socket("XPUB"), ctx.socket(triomq.XSUB)
    xsub.connect(await xpub.bind(endpoint))
    await xsub.send(SUBSCRIBED + b"news")
    assert await xpub.receive() == (SUBSCRIBED + b"news",)
    await xpub.send([b"other", b"1"])
    await xpub.send([b"news", b"2"])
    assert await xsub.receive() == (b"news", b"2")
    await xsub.send(b"a word to the publisher")
    assert await xpub.receive() == (b"a word to the publisher",)
    await xsub.send(SUBSCRIBED + b"other")
    assert await xpub.receive() == (SUBSCRIBED + b"other",)
    await xsub.send(CANCELLED + b"news")
    assert await xpub.receive() == (CANCELLED + b"news",)
    await xpub.send([b"news", b"3"])
    await xpub.send([b"other", b"4"])
    assert await xsub.receive() == (b"other", b"4")


async def test_a_sub_subscribes_and_leaves_at_a_libzmq_xpub(ctx: triomq.Context, peer: Peer, endpoint: str) -> None:
    """libzmq's XPUB hears of a SUB's topics once each, and of their end when it is closed."""
    xpub, sub = await peer.socket("XPUB"), ctx.socket(triomq.SUB, topics=[b"a"])
    sub.connect(await xpub.bind(endpoint))
    assert await xpub.receive() == (SUBSCRIBED + b"a",)
    sub.subscribe(b"b")
    assert await xpub.receive() == (SUBSCRIBED + b"b",)
    sub.subscribe(b"b")
    sub.unsubscribe(b"b")
    sub.unsubscribe(b"a")
    assert await xpub.receive() == (CANCELLED + b"a",)
    await sub.aclose()
    assert await xpub.receive() == (CANCELLED + b"b",)


# -- a subscriber that does not read -------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["PUB", "XPUB"])
async def test_only_who_does_not_read_misses_messages(
    ctx: triomq.Context, peer: Peer, endpoint: str, kind: str
) -> None:
    """Drops are counted at the publisher, for the subscriber that does not read; another gets everything, in order."""
    count, body = 3000, bytes(4096)
    pub = ctx.socket(getattr(triomq, kind), send_hwm=50)
    endpoint = await pub.bind(endpoint)
    options = {"rcvhwm": 1, "rcvbuf": 4096}
    lazy = await peer.socket("SUB", subscribe=b"", **options)
    await lazy.connect(endpoint)
    await pub.wait_subscribers(b"")
    eager = await peer.socket("SUB", subscribe=b"", rcvhwm=0)
    await eager.connect(endpoint)
    await pub.wait_subscribers(b"", 2)
    lazy_peer, eager_peer = range(2)  # the places in the statistics
    for number in range(count):
        await pub.send([b"%d" % number, body])
        if number % 25 == 24:
            await until(lambda: pub.statistics().peers[eager_peer].send_queue == 0)
    peers = pub.statistics().peers
    assert peers[eager_peer].messages_dropped == 0
    dropped = peers[lazy_peer].messages_dropped
    assert dropped > 0
    assert pub.statistics().messages_dropped == dropped
    assert [int(head) for head in await eager.call("receive_prefixes", count=count)] == list(range(count))
    got = [int(head) for head in await lazy.call("receive_prefixes", count=count - dropped)]
    assert got == sorted(set(got))
    await pub.send(b"for both again")
    assert await lazy.receive() == await eager.receive() == (b"for both again",)
