"""Socket types that do not talk: refused with a reason, and nobody else notices."""

from __future__ import annotations

import pytest
import trio

import triomq
from triomq.zmtp._compatibility import COMPATIBLE

from .libzmq import Peer
from .pairs import PAIRINGS, Couple, Pairing, ours_of, theirs_of

pytestmark = pytest.mark.interop

CORE = ("REQ", "REP", "DEALER", "ROUTER", "PUB", "SUB", "XPUB", "XSUB", "PUSH", "PULL", "PAIR")


def wrong_for(kind: str) -> list[str]:
    """The types that do not talk with this one."""
    return [other for other in CORE if other not in COMPATIBLE[kind]]


def right_for(kind: str) -> tuple[Pairing, bool]:
    """A pairing for it, and whether it is the first of the two."""
    for pairing in PAIRINGS:
        if kind in (pairing.first, pairing.second):
            return pairing, kind == pairing.first
    raise AssertionError(kind)


async def failures(monitor: triomq.Monitor, count: int) -> list[str]:
    """The reasons of the next failed handshakes.

    libzmq judges our type before it tells its own, and hangs up, when it finds our READY together with our greeting.
    There is nothing to be named then; as it was we who connected, the next attempt tells.
    """
    reasons: list[str] = []
    while len(reasons) < count:
        event = await monitor.receive()
        if isinstance(event, triomq.HandshakeFailed):
            if isinstance(event.error, trio.BrokenResourceError):
                assert str(event.error) == "the peer closed the connection during the handshake"
            else:
                assert isinstance(event.error, triomq.RemoteProtocolError)
                reasons.append(str(event.error))
    return reasons


def check_reasons(reasons: list[str], kind: str, wrong: list[str]) -> None:
    """Each wrong type is named once, beside ours."""
    expected = sorted(f"{kind} does not talk to {other}; " for other in wrong)
    assert [reason[: len(start)] for reason, start in zip(sorted(reasons), expected, strict=True)] == expected
    assert all(", ".join(sorted(COMPATIBLE[kind])) in reason for reason in reasons)


@pytest.mark.parametrize("kind", CORE)
async def test_the_wrong_types_connect_to_us(ctx: triomq.Context, peer: Peer, endpoint: str, kind: str) -> None:
    """Each is refused with a reason, once, and never as a peer; the right one is served before and after."""
    pairing, first = right_for(kind)
    ours = ours_of(ctx, kind, first=first)
    monitor = ours.monitor()
    place = await ours.bind(endpoint)
    theirs = await theirs_of(peer, pairing.second if first else pairing.first, first=not first)
    await theirs.connect(place)
    pair = Couple(pairing, ours, theirs, first)
    await pair.get_ready()
    await pair.exchange(b"before")
    for other in wrong_for(kind):
        await (await peer.socket(other, reconnect_ivl=1)).connect(place)
    check_reasons(await failures(monitor, len(wrong_for(kind))), kind, wrong_for(kind))
    assert len(ours.peers) == 1
    await pair.exchange(b"after")
    late = wrong_for(kind)[0]
    await (await peer.socket(late)).connect(place)
    check_reasons(await failures(monitor, 1), kind, [late])
    with pytest.raises(trio.WouldBlock):  # libzmq does not come again, be it after a millisecond
        monitor.receive_nowait()


@pytest.mark.parametrize("kind", [kind for kind in CORE if kind != "PAIR"])  # which connects to one endpoint only
async def test_we_connect_to_the_wrong_types(ctx: triomq.Context, peer: Peer, endpoint: str, kind: str) -> None:
    """Each is told of with a reason, again at each attempt; the one endpoint that is right is served all the while."""
    pairing, first = right_for(kind)
    ours = ours_of(ctx, kind, first=first, immediate=True, linger=0, reconnect_interval_max=0.1)
    monitor = ours.monitor()
    theirs = await theirs_of(peer, pairing.second if first else pairing.first, first=not first)
    for other in wrong_for(kind):
        ours.connect(await (await peer.socket(other)).bind(endpoint))
    ours.connect(await theirs.bind(endpoint))
    pair = Couple(pairing, ours, theirs, first)
    await pair.get_ready()
    seen: set[str] = set()
    while len(seen) < len(wrong_for(kind)):
        seen.update(await failures(monitor, 1))
    check_reasons(list(seen), kind, wrong_for(kind))
    await pair.exchange(b"right")
    assert len(ours.peers) == 1


async def test_a_pair_connects_to_the_wrong_type(ctx: triomq.Context, peer: Peer, endpoint: str) -> None:
    """A PAIR is told as well, and can go elsewhere."""
    ours = ctx.socket(triomq.PAIR, reconnect_interval_max=0.1)
    monitor = ours.monitor()
    wrong = await (await peer.socket("PULL")).bind(endpoint)
    ours.connect(wrong)
    check_reasons(await failures(monitor, 1), "PAIR", ["PULL"])
    ours.disconnect(wrong)
    right = await peer.socket("PAIR")
    ours.connect(await right.bind(endpoint))
    await ours.send(b"hello")
    assert await right.receive() == (b"hello",)
