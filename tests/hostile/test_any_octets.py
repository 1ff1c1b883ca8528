"""Whatever octets a peer sends to a socket of whatever type: the context lives, and others are served."""

from __future__ import annotations

import pytest
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import triomq.testing
from triomq.testing import VirtualNetwork

from ..virtual import listen
from .raw import GREETING, Raw, command, frame, header, raw_at, ready
from .scene import EVERY_TYPE, PARTNERS, Scene, attacked

bodies = st.one_of(st.binary(max_size=12), st.sampled_from([b"", b"\0", b"\1", b"\1honest", b"\0honest", bytes(300)]))
commands = st.builds(
    command,
    st.sampled_from([b"READY", b"ERROR", b"PING", b"PONG", b"SUBSCRIBE", b"CANCEL", b"JOIN", b"HELLO", b""]),
    st.one_of(bodies, st.sampled_from([b"\0\0context", b"\0\1", b"\xff\xff"])),
)
pieces = st.one_of(
    commands,
    st.builds(frame, bodies, st.sampled_from([0, 0, 1])),
    st.builds(header, st.sampled_from([0, 1, 4, 5]), st.sampled_from([0, 1, 255, 256, 65_547, 1 << 30, 1 << 63])),
    st.binary(max_size=20),
)


@st.composite
def streams(draw: st.DrawFn, kind: str) -> bytes:
    """What a peer might say, with a few places of it changed."""
    identity = draw(st.sampled_from([None, b"", b"name", b"\0name"]))
    minor = draw(st.sampled_from([0, 1, 1, 7]))
    start = GREETING[:11] + bytes((minor,)) + GREETING[12:] + ready(PARTNERS[kind], identity)
    octets = bytearray(draw(st.sampled_from([start, start, start, GREETING, b""])))
    octets += b"".join(draw(st.lists(pieces, max_size=20)))
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.integers(0, len(octets)))
        octets[place : place + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return bytes(octets)


@st.composite
def attacks(draw: st.DrawFn, kind: str) -> list[tuple[bytes, int, str]]:
    """For each connection: its octets, how many are sent at once, and how it leaves."""
    attack = st.tuples(streams(kind), st.sampled_from([1, 7, 100_000]), st.sampled_from(["close", "eof", "reset"]))
    return draw(st.lists(attack, min_size=1, max_size=3))


async def attack(scene: Scene, raw: Raw, octets: bytes, size: int, end: str) -> None:
    for start in range(0, len(octets), size):
        if not await raw.say(octets[start : start + size]):
            return
        await trio.lowlevel.checkpoint()
    if end == "reset":
        assert scene.net is not None
        scene.net.cut(raw.stream.host.name, "victim")
    elif end == "eof":
        try:
            await raw.end()
            await raw.hear_end()
        except trio.BrokenResourceError:
            pass


async def at_a_listener(scene: Scene, attacks: list[tuple[bytes, int, str]]) -> None:
    async def visit(host: str, octets: bytes, size: int, end: str) -> None:
        async with raw_at(scene.endpoint, scene.net, host) as raw:
            await attack(scene, raw, octets, size, end)

    async with trio.open_nursery() as nursery:
        for number, one in enumerate(attacks):
            nursery.start_soon(visit, f"evil{number}", *one)


async def at_a_dialer(scene: Scene, attacks: list[tuple[bytes, int, str]]) -> None:
    assert scene.net is not None
    for one in attacks:
        async with await listen(scene.net, "evil") as listener:
            scene.victim.connect(listener.endpoint)
            async with await listener.accept() as stream:
                await attack(scene, Raw(stream), *one)
        scene.victim.disconnect(listener.endpoint)


def run(kind: str, meet: object, attacks: list[tuple[bytes, int, str]], seed: int) -> None:
    async def main(net: VirtualNetwork) -> None:
        async with attacked(kind, net, pause=None, linger=0) as scene:
            await scene.serve()
            await meet(scene, attacks)  # type: ignore[operator]
            await scene.is_alone()
            for _ in range(3):
                await scene.serve()

    triomq.testing.run(main, seed=seed)


seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("kind", EVERY_TYPE)
@few
@given(data=st.data())
def test_from_who_connects(kind: str, data: st.DataObject) -> None:
    """Peers that come say anything and leave anyhow."""
    run(kind, at_a_listener, data.draw(attacks(kind)), data.draw(seeds))


@pytest.mark.parametrize("kind", [kind for kind in EVERY_TYPE if kind != "PAIR"])  # which has one endpoint
@few
@given(data=st.data())
def test_from_who_is_connected_to(kind: str, data: st.DataObject) -> None:
    """Peers that are dialled say anything and leave anyhow."""
    run(kind, at_a_dialer, data.draw(attacks(kind)), data.draw(seeds))
