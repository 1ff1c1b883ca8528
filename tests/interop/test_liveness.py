"""Heartbeats between the libraries: whoever lives is kept however busy, whoever is stopped is dropped."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from typing import Any

import pytest
import trio

import triomq

from .libzmq import Peer, own_process
from .overheard import Overheard
from .pairs import PAIRINGS, Couple, bring_together, ours_of, theirs_of

pytestmark = pytest.mark.interop

QUICK = {"reconnect_interval_max": 0.1}
LIMIT = 3.0  # seconds of silence after which the living would be dropped; no process waits that long for its turn
SOON = 1.0  # the same for those who are to be dropped
WE_BIND = pytest.mark.parametrize("we_bind", [True, False], ids=["we-bind", "we-connect"])


@pytest.fixture
def tcp() -> Overheard:
    return Overheard()


@pytest.fixture
async def ctx(tcp: Overheard) -> AsyncIterator[triomq.Context]:
    async with triomq.open_context(transports={"tcp": tcp}) as ctx:
        yield ctx


def nothing_ended(monitor: triomq.Monitor) -> None:
    """No connection has ended until now."""
    with pytest.raises(trio.WouldBlock):
        while True:
            event = monitor.receive_nowait()
            assert not isinstance(event, (triomq.Disconnected, triomq.HandshakeFailed)), event


async def end_of(monitor: triomq.Monitor) -> triomq.Disconnected:
    """The next event of that class."""
    while not isinstance(event := await monitor.receive(), triomq.Disconnected):
        pass
    return event


async def test_both_ping(ctx: triomq.Context, peer: Peer, tcp: Overheard) -> None:
    """With heartbeats of both an idle connection outlasts many intervals, and messages pass after as before."""
    pairs = []
    for we_bind in (True, False):
        for pairing in PAIRINGS:
            ours = ours_of(ctx, pairing.first, heartbeat_interval=0.05, heartbeat_timeout=LIMIT, heartbeat_ttl=LIMIT)
            options = {"heartbeat_ivl": 50, "heartbeat_timeout": int(LIMIT * 1000), "heartbeat_ttl": int(LIMIT * 1000)}
            theirs = await theirs_of(peer, pairing.second, first=False, **options)
            await bring_together(ours, theirs, "tcp://127.0.0.1:*", we_bind=we_bind)
            pairs.append(Couple(pairing, ours, theirs, ours_first=True))
    for pair in pairs:
        await pair.get_ready()
        await pair.exchange(b"before")
    monitors = [pair.ours.monitor() for pair in pairs]
    async with trio.open_nursery() as nursery:
        for name in ("PING", "PONG"):
            nursery.start_soon(tcp.heard, name, 3 * len(pairs))
        await trio.sleep(LIMIT + 0.5)
    for pair, monitor in zip(pairs, monitors, strict=True):
        nothing_ended(monitor)
        await pair.exchange(b"after")


async def test_a_full_consumer_is_no_dead_one(ctx: triomq.Context, peer: Peer, tcp: Overheard) -> None:
    """libzmq keeps a PULL that takes nothing for many intervals, also when it pings with a TTL."""
    couples = []
    for we_bind, ttl in ((True, 0.0), (False, LIMIT)):
        pull = ctx.socket(triomq.PULL, receive_hwm=1, **QUICK)
        push = await theirs_of(
            peer, "PUSH", heartbeat_ivl=50, heartbeat_timeout=int(LIMIT * 1000), heartbeat_ttl=int(ttl * 1000)
        )
        await bring_together(pull, push, "tcp://127.0.0.1:*", we_bind=we_bind)
        await pull.wait_peers()
        couples.append((pull, push, pull.monitor()))
        await tcp.heard("PING", 5)
    for _, push, _ in couples:
        await push.call("send_numbers", start=0, stop=500, envelope=[])
    await trio.sleep(LIMIT + 0.5)
    for pull, push, monitor in couples:
        for number in range(500):
            assert await pull.receive() == (b"%d" % number,)
        await tcp.heard("PING", 5)
        nothing_ended(monitor)
        await push.send(b"afterwards")
        assert await pull.receive() == (b"afterwards",)


@WE_BIND
@pytest.mark.parametrize("who_pings", ["we", "they"])
async def test_a_stopped_process_is_dropped(ctx: triomq.Context, tcp: Overheard, who_pings: str, we_bind: bool) -> None:
    """When interval and timeout are over, or the TTL it asked for; it is served again when it goes on."""
    if who_pings == "we":
        ours, theirs = {"heartbeat_interval": 0.25, "heartbeat_timeout": SOON - 0.25}, {}
    else:
        ours, theirs = {}, {"heartbeat_ivl": 50, "heartbeat_timeout": 60_000, "heartbeat_ttl": int(SOON * 1000)}
    async with own_process() as process:
        dealer, other = ctx.socket(triomq.DEALER, **ours, **QUICK), await process.socket("DEALER", **theirs)
        await bring_together(dealer, other, "tcp://127.0.0.1:*", we_bind=we_bind)
        await dealer.wait_peers()
        monitor = dealer.monitor()
        await tcp.heard("PONG" if who_pings == "we" else "PING")
        process.stop()
        event = await end_of(monitor)
        assert isinstance(event.error, triomq.SilentPeerError)
        ours, theirs = f"within {SOON - 0.25} s after a heartbeat", f"{SOON} s that its heartbeat promised"
        why = ours if who_pings == "we" else theirs
        assert why in str(event.error)
        process.go_on()
        await dealer.wait_peers()
        await dealer.send(b"still there?")
        assert await other.receive() == (b"still there?",)
        await other.send(b"yes")
        assert await dealer.receive() == (b"yes",)


@WE_BIND
@pytest.mark.parametrize("means", ["our-ttl", "their-timeout"])
async def test_we_are_dropped_when_we_stop(
    ctx: triomq.Context, peer: Peer, tcp: Overheard, means: str, we_bind: bool
) -> None:
    """libzmq drops us as our TTL or its own timeout says, once our thread stands still; then both are back."""
    ours: dict[str, Any] = {"heartbeat_interval": 0.05, "heartbeat_timeout": 60, "heartbeat_ttl": SOON}
    theirs: dict[str, Any] = {}
    if means == "their-timeout":
        ours, theirs = {}, {"heartbeat_ivl": 50, "heartbeat_timeout": int(SOON * 1000)}
    dealer, other = ctx.socket(triomq.DEALER, **ours, **QUICK), await peer.socket("DEALER", reconnect_ivl=20, **theirs)
    await bring_together(dealer, other, "tcp://127.0.0.1:*", we_bind=we_bind)
    await dealer.wait_peers()
    monitor = dealer.monitor()
    await tcp.heard("PONG" if means == "our-ttl" else "PING")
    await other.call("watch")
    peer.call_standing_still("until_disconnected", name=other.name)
    event = await end_of(monitor)
    assert not isinstance(event.error, triomq.SilentPeerError)
    await dealer.wait_peers()
    await other.send(b"still there?")
    assert await dealer.receive() == (b"still there?",)
    await dealer.send(b"yes")
    assert await other.receive() == (b"yes",)


@pytest.mark.parametrize("options", [{}, {"heartbeat_interval": math.inf}], ids=["off", "for-ever"])
async def test_without_heartbeats_a_stopped_process_is_kept(ctx: triomq.Context, options: dict[str, Any]) -> None:
    """What is sent meanwhile arrives, over the same connection."""
    async with own_process() as process:
        push, pull = ours_of(ctx, "PUSH", **options), await theirs_of(process, "PULL")
        await bring_together(push, pull, "tcp://127.0.0.1:*", we_bind=False)
        await push.wait_peers()
        monitor = push.monitor()
        process.stop()
        await push.send_many([b"one", b"two"])
        process.go_on()
        assert [await pull.receive(), await pull.receive()] == [(b"one",), (b"two",)]
        nothing_ended(monitor)


@pytest.mark.parametrize("endpoint", ["tcp://127.0.0.1:0", "ipc://*"])
async def test_who_waits_for_a_place_is_answered(ctx: triomq.Context, peer: Peer, endpoint: str) -> None:
    """libzmq keeps the connection as long as it has to wait, and what it sent at first arrives."""
    router, first = ctx.socket(triomq.ROUTER), ctx.socket(triomq.DEALER, routing_id=b"name")
    endpoint = await router.bind(endpoint)
    first.connect(endpoint)
    await router.wait_peers()
    monitor = router.monitor()
    timeout = int(SOON * 1000)
    second = await peer.socket("DEALER", routing_id=b"name", heartbeat_ivl=50, heartbeat_timeout=timeout)
    await second.connect(endpoint)
    await second.send(b"early")
    while not isinstance(await monitor.receive(), triomq.HandshakeFailed):
        pass
    await trio.sleep(SOON + 0.5)
    nothing_ended(monitor)
    await first.aclose()
    assert await router.receive() == (b"name", b"early")
