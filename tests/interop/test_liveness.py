"""Heartbeats between the libraries: whoever lives is kept however busy, whoever is stopped is dropped."""

from __future__ import annotations

import math
import time
from typing import Any

import pytest
import trio

import triomq

from .libzmq import Peer, own_process
from .pairs import PAIRINGS, Couple, bring_together, ours_of, theirs_of

pytestmark = pytest.mark.interop

QUICK = {"reconnect_interval_max": 0.1}
WE_BIND = pytest.mark.parametrize("we_bind", [True, False], ids=["we-bind", "we-connect"])


async def nothing_ends(monitor: triomq.Monitor, seconds: float) -> None:
    """No connection ends within so many seconds."""
    with trio.move_on_after(seconds):
        while True:
            event = await monitor.receive()
            assert not isinstance(event, (triomq.Disconnected, triomq.HandshakeFailed)), event


async def end_of(monitor: triomq.Monitor) -> triomq.Disconnected:
    """The next event of that class."""
    with trio.fail_after(5):
        while not isinstance(event := await monitor.receive(), triomq.Disconnected):
            pass
    return event


@WE_BIND
async def test_both_ping(ctx: triomq.Context, peer: Peer, we_bind: bool) -> None:
    """With heartbeats of both an idle connection outlasts many intervals, and messages pass after as before."""
    pairs = []
    for pairing in PAIRINGS:
        ours = ours_of(ctx, pairing.first, heartbeat_interval=0.05, heartbeat_timeout=0.5, heartbeat_ttl=0.5)
        theirs = await theirs_of(
            peer, pairing.second, first=False, heartbeat_ivl=50, heartbeat_timeout=500, heartbeat_ttl=500
        )
        await bring_together(ours, theirs, "tcp://127.0.0.1:*", we_bind=we_bind)
        pairs.append(Couple(pairing, ours, theirs, ours_first=True))
    for pair in pairs:
        await pair.get_ready()
        await pair.exchange(b"before")
    monitors = [pair.ours.monitor() for pair in pairs]
    await trio.sleep(1.2)
    for pair, monitor in zip(pairs, monitors, strict=True):
        await nothing_ends(monitor, 0.02)
        await pair.exchange(b"after")


@pytest.mark.parametrize(("we_bind", "ttl"), [(True, 0), (False, 500)], ids=["we-bind", "we-connect-ttl"])
async def test_a_full_consumer_is_no_dead_one(ctx: triomq.Context, peer: Peer, we_bind: bool, ttl: int) -> None:
    """libzmq keeps a PULL that takes nothing for many intervals, also when it pings with a TTL."""
    pull = ctx.socket(triomq.PULL, receive_hwm=1, **QUICK)
    push = await theirs_of(peer, "PUSH", heartbeat_ivl=50, heartbeat_timeout=500, heartbeat_ttl=ttl)
    await bring_together(pull, push, "tcp://127.0.0.1:*", we_bind=we_bind)
    await pull.wait_peers()
    monitor = pull.monitor()
    await nothing_ends(monitor, 0.3)
    await push.call("send_numbers", start=0, stop=500, envelope=[])
    await nothing_ends(monitor, 1.2)
    for number in range(500):
        assert await pull.receive() == (b"%d" % number,)
    await nothing_ends(monitor, 0.3)
    await push.send(b"afterwards")
    assert await pull.receive() == (b"afterwards",)


@WE_BIND
@pytest.mark.parametrize("who_pings", ["we", "they"])
async def test_a_stopped_process_is_dropped(ctx: triomq.Context, who_pings: str, we_bind: bool) -> None:
    """Within interval and timeout, or within the TTL it asked for; it is served again when it goes on."""
    limit = 0.5
    if who_pings == "we":
        ours, theirs = {"heartbeat_interval": 0.1, "heartbeat_timeout": 0.4}, {}
    else:
        ours, theirs = {}, {"heartbeat_ivl": 50, "heartbeat_timeout": 5000, "heartbeat_ttl": 500}
    async with own_process() as process:
        dealer, other = ctx.socket(triomq.DEALER, **ours, **QUICK), await process.socket("DEALER", **theirs)
        await bring_together(dealer, other, "tcp://127.0.0.1:*", we_bind=we_bind)
        await dealer.wait_peers()
        monitor = dealer.monitor()
        await nothing_ends(monitor, 0.3)
        process.stop()
        stopped = trio.current_time()
        event = await end_of(monitor)
        silence = trio.current_time() - stopped
        assert isinstance(event.error, triomq.SilentPeerError)
        assert limit - 0.15 < silence < limit + 1
        process.go_on()
        await dealer.wait_peers()
        await dealer.send(b"still there?")
        assert await other.receive() == (b"still there?",)
        await other.send(b"yes")
        assert await dealer.receive() == (b"yes",)


@WE_BIND
@pytest.mark.parametrize("means", ["our-ttl", "their-timeout"])
async def test_we_are_dropped_when_we_stop(ctx: triomq.Context, peer: Peer, means: str, we_bind: bool) -> None:
    """libzmq drops us as our TTL or its own timeout says, once our thread stands still; then both are back."""
    ours: dict[str, Any] = {"heartbeat_interval": 0.05, "heartbeat_timeout": 5, "heartbeat_ttl": 0.4}
    theirs: dict[str, Any] = {}
    if means == "their-timeout":
        ours, theirs = {}, {"heartbeat_ivl": 50, "heartbeat_timeout": 350}
    dealer, other = ctx.socket(triomq.DEALER, **ours, **QUICK), await peer.socket("DEALER", reconnect_ivl=20, **theirs)
    await bring_together(dealer, other, "tcp://127.0.0.1:*", we_bind=we_bind)
    await dealer.wait_peers()
    monitor = dealer.monitor()
    await nothing_ends(monitor, 0.3)
    time.sleep(0.8)  # noqa: ASYNC251  # the thread is to stand still
    event = await end_of(monitor)
    assert not isinstance(event.error, triomq.SilentPeerError)
    await dealer.wait_peers()
    await other.send(b"still there?")
    assert await dealer.receive() == (b"still there?",)
    await dealer.send(b"yes")
    assert await other.receive() == (b"yes",)


@pytest.mark.parametrize("options", [{}, {"heartbeat_interval": math.inf}], ids=["off", "for-ever"])
async def test_without_heartbeats_a_stopped_process_is_kept(ctx: triomq.Context, options: dict[str, Any]) -> None:
    """Nobody is dropped for silence that was not asked about; what was sent meanwhile arrives."""
    async with own_process() as process:
        push, pull = ours_of(ctx, "PUSH", **options), await theirs_of(process, "PULL")
        await bring_together(push, pull, "tcp://127.0.0.1:*", we_bind=False)
        await push.wait_peers()
        monitor = push.monitor()
        process.stop()
        await push.send_many([b"one", b"two"])
        await nothing_ends(monitor, 0.4)
        process.go_on()
        assert [await pull.receive(), await pull.receive()] == [(b"one",), (b"two",)]
