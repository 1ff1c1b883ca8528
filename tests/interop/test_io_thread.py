"""Connections in a thread of their own, with peers of libzmq: while the program computes, and otherwise."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import pytest
import trio

import triomq

from ..monitors import drain
from .libzmq import Peer
from .pairs import PAIRINGS, Pairing, couple

pytestmark = pytest.mark.interop

SOON = 0.3  # seconds of silence after which libzmq drops a peer that is to be dropped
LIMIT = 3.0  # the same for one that is to stay: no process waits that long for its turn


@pytest.fixture
async def ctx() -> AsyncIterator[triomq.Context]:
    async with triomq.open_context(io_thread=True) as ctx:
        yield ctx


def compute(seconds: float) -> int:
    """Compute in Python, and let nothing else of this thread run."""
    until, result = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        result += sum(range(1000))
    return result


@pytest.mark.parametrize("we_bind", [True, False], ids=["we-bind", "we-connect"])
@pytest.mark.parametrize("ours_first", [True, False], ids=["we-begin", "they-begin"])
@pytest.mark.parametrize("pairing", PAIRINGS, ids=str)
async def test_messages_pass(
    ctx: triomq.Context, peer: Peer, endpoint: str, pairing: Pairing, ours_first: bool, we_bind: bool
) -> None:
    pair = await couple(ctx, peer, pairing, endpoint, ours_first=ours_first, we_bind=we_bind)
    await pair.exchange(b"one")
    await pair.exchange(b"several", b"", b"frames" * 100)
    await pair.exchange(b"again")


async def ends_while_computing(ctx: triomq.Context, peer: Peer, patience: float, seconds: float) -> list[object]:
    """The connections that have ended while the program computed, with a peer that pings and is this patient."""
    dealer = ctx.socket(triomq.DEALER, receive_hwm=100)
    other = await peer.socket(
        "DEALER", heartbeat_ivl=100, heartbeat_timeout=int(patience * 1000), reconnect_ivl=20, sndhwm=1000
    )
    await other.connect(await dealer.bind("tcp://127.0.0.1:*"))
    await dealer.wait_peers()
    monitor = dealer.monitor()
    await other.call("send_numbers", start=0, stop=500, envelope=[])
    compute(seconds)
    with trio.fail_after(60):
        for number in range(500):
            assert await dealer.receive() == (b"%d" % number,)
        await dealer.wait_peers()
        await other.send(b"still there?")
        assert await dealer.receive() == (b"still there?",)
    return [event for event in drain(monitor) if isinstance(event, triomq.Disconnected)]


@pytest.mark.slow
async def test_a_program_that_computes_is_not_given_up(ctx: triomq.Context, peer: Peer) -> None:
    """Not for twice the time that the peer would wait; and what the peer has sent is all there."""
    assert await ends_while_computing(ctx, peer, LIMIT, 2 * LIMIT) == []


async def test_without_the_thread_it_is_given_up(peer: Peer) -> None:
    """Which shows that the test above can fail: libzmq ends such a connection, and makes another."""
    async with triomq.open_context() as ctx:
        pull = ctx.socket(triomq.DEALER)
        other = await peer.socket("DEALER", heartbeat_ivl=100, heartbeat_timeout=int(SOON * 1000), reconnect_ivl=20)
        await other.connect(await pull.bind("tcp://127.0.0.1:*"))
        await pull.wait_peers()
        monitor = pull.monitor()
        compute(2.0)
        while not isinstance(await monitor.receive(), triomq.Disconnected):
            pass
