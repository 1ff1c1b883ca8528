"""Hostile in the greeting and the handshake: it ends there, in time, with a reason, and costs next to nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import trio
import trio.testing

import triomq
from triomq.testing import VirtualNetwork

from ..virtual import listen
from .raw import GREETING, command, frame, header, metadata, ready
from .scene import EVERY_TYPE, PARTNERS, attacked, measured, until

KIB = 1024

NOT_ZMTP = {
    "http": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)),
    "zeros": bytes(1000),
    "zmtp-1": b"\x01\x00",
    "zmtp-1-long": b"\xff" + bytes(8) + b"\x00" * 56,
    "zmtp-2": b"\xff" + bytes(8) + b"\x7f\x01\x00",
    "mechanism": GREETING[:12] + b"CURVE" + GREETING[17:],
    "mechanism-odd": GREETING[:12] + b"\xe2\x98\x83\n\x1b[31m" + GREETING[20:],
}

BAD_HANDSHAKES = {
    "message": frame(b"hello"),
    "empty": frame(b"", 4),
    "no-name": frame(b"\0", 4),
    "name-overrun": frame(b"\x09READY", 4),
    "reserved-bits": b"\x0c\x06\x05READY",
    "more": b"\x05\x06\x05READY",
    "hello": command(b"HELLO", bytes(200)),
    "unknown": command(b"\x1b[2J\n"),
    "subscribe": command(b"SUBSCRIBE", b"topic"),
    "no-type": command(b"READY"),
    "unknown-type": ready("\x1b[31mTELEPATH\n"),
    "type-of-megabytes": header(4, 1 << 20) + b"\5READY",
    "property-overrun": command(b"READY", b"\x0bSocket-Type\x7f\xff\xff\xffPUSH"),
    "property-cut": command(b"READY", b"\x0bSocket-Type\0\0"),
    "property-nameless": command(b"READY", metadata(b"", b"x")),
    "type-twice": command(b"READY", metadata(b"Socket-Type", b"PUSH") + metadata(b"SOCKET-TYPE", b"PULL")),
    "identity-twice": ready("DEALER", b"a", metadata(b"identity", b"b")),
    "identity-256": ready("DEALER", b"i" * 256),
    "identity-zero": ready("DEALER", b"\0\0\0\0\1"),
    "properties-65": ready("DEALER", further=b"".join(metadata(b"x%d" % i, b"") for i in range(64))),
    "command-64-mib": header(4, 64 << 20) + b"\5READY",
}


@pytest.mark.parametrize("octets", NOT_ZMTP.values(), ids=NOT_ZMTP)
async def test_another_protocol(octets: bytes, virtual_network: VirtualNetwork) -> None:
    """Whoever does not speak ZMTP 3 is dropped as soon as that shows, without waiting for any deadline."""
    async with attacked("ROUTER", virtual_network) as scene, scene.attacker() as raw:
        await raw.say(octets)
        await raw.hear_end()
        assert isinstance(await scene.why(raw), triomq.RemoteProtocolError)


@pytest.mark.parametrize("octets", BAD_HANDSHAKES.values(), ids=BAD_HANDSHAKES)
async def test_a_bad_handshake(octets: bytes, virtual_network: VirtualNetwork) -> None:
    """A handshake that is not in order ends the connection; the reason names it, fit to be printed."""
    async with attacked("ROUTER", virtual_network) as scene, scene.attacker() as raw:
        await raw.say(GREETING, octets)
        await raw.hear_end()
        assert isinstance(await scene.why(raw), triomq.RemoteProtocolError)
        assert scene.strange == []


@pytest.mark.parametrize("flags", [2, 6], ids=["message", "command"])
@pytest.mark.parametrize("size", [1 << 63, (1 << 64) - 1, (1 << 64) - 8192])
@pytest.mark.parametrize("greeted", [True, False], ids=["established", "handshake"])
async def test_a_length_beyond_63_bits(size: int, flags: int, greeted: bool, virtual_network: VirtualNetwork) -> None:
    """It is refused at the ninth octet of the header, and not before; no body is waited for."""
    async with attacked("PULL", virtual_network) as scene, scene.attacker() as raw:
        if greeted:
            await raw.greet("PUSH")
        else:
            await raw.say(GREETING)
            await raw.hear(64)
            await raw.hear_frame()
        claim = header(flags, size)
        assert len(claim) == 9
        await raw.say(claim[:8])
        with trio.move_on_after(0.05):
            assert await raw.stream.receive_some() is None, "dropped too early"
        await raw.say(claim[8:])
        await scene.drops(raw, "at octet")


async def test_ready_of_eleven_megabytes() -> None:
    """20,000 properties, five times over: refused at the header, before they take memory."""
    octets = ready("DEALER", further=b"".join(metadata(b"name-%d" % i, bytes(540)) for i in range(20_000)))
    assert len(octets) > 11_000_000
    async with attacked("ROUTER") as scene:
        with measured() as memory:
            for _ in range(5):
                async with scene.attacker() as raw:
                    await raw.say(GREETING, octets)
                    await scene.drops(raw, "65536 are allowed")
            assert memory.peak() < 1 << 20


async def test_identities_of_a_mebibyte() -> None:
    """Fifty connections, each with an identity of 1 MiB: they are refused before they take memory."""
    octets = ready("DEALER", bytes(1 << 20))
    async with attacked("ROUTER") as scene:
        with measured() as memory:
            for _ in range(50):
                async with scene.attacker() as raw:
                    await raw.say(GREETING, octets)
                    await scene.drops(raw, "65536 are allowed")
            assert memory.peak() < 1 << 20


async def test_the_longest_identity_is_well(virtual_network: VirtualNetwork) -> None:
    """255 octets name a peer; so do any octets, if the first is not zero."""
    for identity in (b"\xff" * 255, b"\n\x1b[0m\0"):
        async with attacked("ROUTER", virtual_network) as scene, scene.established(identity) as raw:
            await raw.say(frame(b"mine"))
            await until(lambda: bool(scene.strange))
            assert scene.strange == [(identity, b"mine")]


async def test_an_identity_in_use(virtual_network: VirtualNetwork) -> None:
    """The second of a name is told of, and does not get what is for the first."""
    async with (
        attacked("ROUTER", virtual_network) as scene,
        scene.established(b"name") as first,
        scene.attacker() as second,
    ):
        await second.greet("DEALER", b"name")
        assert isinstance(await scene.why(second), triomq.PeerUnwantedError)
        await scene.victim.send([b"name", b"secret"])
        assert await first.hear_frame() == b"secret"
        assert await second.hear_frame() == b"\x04PONGtriomq: waiting"
        with trio.move_on_after(0.05):
            assert await second.stream.receive_some() is None
        await second.say(frame(b"not me"))
        assert scene.strange == []


async def test_an_identity_in_use_is_handed_over(virtual_network: VirtualNetwork) -> None:
    """With router_handover the second gets the name, and what is for the name; the first is known by another one."""
    async with attacked("ROUTER", virtual_network, router_handover=True) as scene, scene.established(b"name") as first:
        async with scene.attacker() as second:
            await second.greet("DEALER", b"name")
            await until(lambda: len(scene.victim.peers) == 3)
            await scene.victim.send([b"name", b"for the second"])
            assert await second.hear_frame() == b"for the second"
            await first.say(frame(b"from the first"))
            await until(lambda: bool(scene.strange))
            ((name, body),) = scene.strange
            assert (name[:1], body) == (b"\0", b"from the first")


async def test_a_hundred_peers_of_one_name() -> None:
    """Those who are turned away stay few in memory, whatever they send, and leave without a trace."""
    flood = frame(bytes(1000)) * 1000
    async with attacked("ROUTER") as scene, scene.established(b"name"):
        with measured() as memory:
            async with trio.open_nursery() as nursery:

                async def insist(task_status: trio.TaskStatus[None]) -> None:
                    async with scene.attacker() as raw:
                        await raw.greet("DEALER", b"name")
                        async with raw.flooding(flood, 10):
                            task_status.started()
                            await trio.sleep_forever()

                for _ in range(100):
                    await nursery.start(insist)
                await scene.serve_more(50)
                assert memory.peak() < 100 * 128 * 1024
                nursery.cancel_scope.cancel()
        await until(lambda: len(scene.victim.peers) == 2)
        assert scene.strange == []


def drip_greeting() -> Iterator[bytes]:
    yield from (GREETING[i : i + 1] for i in range(64))


def drip_ready() -> Iterator[bytes]:
    yield GREETING
    octets = ready("DEALER", further=metadata(b"X-Slow", bytes(200)))
    yield from (octets[i : i + 1] for i in range(len(octets)))


def say_nothing() -> Iterator[bytes]:
    yield from ()


@pytest.mark.parametrize("drip", [say_nothing, drip_greeting, drip_ready])
@pytest.mark.parametrize("limit", [30.0, 5.0])
async def test_the_handshake_deadline_is_a_total(drip: object, limit: float, virtual_network: VirtualNetwork) -> None:
    """One octet every half second does not put it off: the peer is dropped to the second.

    After handshake_timeout, or after greeting_timeout while it has not finished its greeting.
    """
    greets = drip is drip_ready
    ends = limit if greets else min(limit, 10.0)
    async with (
        attacked("ROUTER", virtual_network, pause=0.25, handshake_timeout=limit) as scene,
        scene.attacker() as raw,
    ):
        began = trio.current_time()

        async def dribble() -> None:
            for piece in drip():  # type: ignore[operator]
                if not await raw.say(piece):
                    return
                await trio.sleep(0.5)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(dribble)
            try:
                while await raw.stream.receive_some():
                    pass
            except trio.BrokenResourceError:
                pass
            lasted = trio.current_time() - began
            nursery.cancel_scope.cancel()
        assert abs(lasted - ends) <= 1
        error = await scene.why(raw)
        assert isinstance(error, trio.TooSlowError)
        name = "handshake_timeout" if greets or limit < 10.0 else "greeting_timeout"
        assert f"{name}={ends}" in str(error)


async def test_a_peer_that_reads_nothing_in_the_handshake(virtual_network: VirtualNetwork) -> None:
    """It has until the deadline, even if the greeting cannot be written."""
    async with (
        attacked("ROUTER", virtual_network, pause=0.25, send_buffer=1) as scene,
        scene.attacker(receive_buffer=1) as raw,
    ):
        await raw.say(GREETING[:30])
        await trio.sleep(29)
        heard = [event.data for event in virtual_network.recorder.of_kind("delivered") if event.peer == "evil"]
        assert heard == [b"\xff"]
        assert len(scene.victim.peers) == 1
        await trio.sleep(2)
        assert isinstance(await scene.why(raw), trio.TooSlowError)


@pytest.mark.parametrize("kind", EVERY_TYPE)
async def test_every_type_refuses_what_does_not_fit(kind: str, virtual_network: VirtualNetwork) -> None:
    """A peer whose type does not go with the socket's is told why, and the monitor too."""
    wrong = next(other for other in ("PULL", "PAIR", "PUB") if other not in (PARTNERS[kind], kind))
    async with attacked(kind, virtual_network) as scene, scene.attacker() as raw:
        await raw.say(GREETING, ready(wrong))
        assert b"\5ERROR" in await raw.hear_end()
        error = await scene.why(raw)
        assert isinstance(error, triomq.RemoteProtocolError)
        assert kind in str(error)
        assert wrong in str(error)


async def test_a_refusal_is_quoted_harmlessly(virtual_network: VirtualNetwork) -> None:
    """The reason in a peer's ERROR command is in the event, without its control characters."""
    async with virtual_network.open_context() as ctx, trio.open_nursery() as nursery:
        listener = await listen(virtual_network, "evil")
        pull = ctx.socket(triomq.PULL)
        monitor = pull.monitor()
        pull.connect(listener.endpoint)
        async with listener, await listener.accept() as stream:
            reason = b"\x1b[31m\nINFO all is well" + b"\xff" * 200
            await stream.send_all(GREETING + command(b"ERROR", bytes((len(reason),)) + reason))
            with trio.fail_after(5):
                async for event in monitor:
                    if isinstance(event, triomq.HandshakeFailed):
                        break
        assert isinstance(event.error, triomq.RefusedByPeerError)
        assert "all is well" in str(event.error)
        assert str(event.error).isprintable()
        assert str(event.error).isascii()
        nursery.cancel_scope.cancel()


async def test_a_listener_that_answers_garbage_once(virtual_network: VirtualNetwork) -> None:
    """The connecting side reports it, dials again, and what was queued for the peer arrives then."""
    async with virtual_network.open_context() as ctx:
        listener = await listen(virtual_network)
        push = ctx.socket(triomq.PUSH, reconnect_interval=0.01)
        monitor = push.monitor()
        push.connect(listener.endpoint)
        await push.send(b"kept")
        garbage = [b"garbage", GREETING + frame(b"", 4), GREETING + ready("PUB"), GREETING[:20], b""]
        async with listener:
            for octets in garbage:
                async with await listener.accept() as stream:
                    await stream.send_all(octets)
                    stream.end_sending()
                    async for _ in stream:
                        pass
        pull = ctx.socket(triomq.PULL)
        await pull.bind(listener.endpoint)
        with trio.fail_after(5):
            assert await pull.receive() == (b"kept",)
        seen = []
        with pytest.raises(trio.WouldBlock):
            while True:
                seen.append(monitor.receive_nowait())
        assert len([event for event in seen if isinstance(event, triomq.HandshakeFailed)]) == len(garbage)


FULL = GREETING + ready("DEALER", further=b"".join(metadata(b"%d" % i, bytes(1000)) for i in range(60)))
COSTLY = {
    "one-property": GREETING + header(4, 65_536) + b"\5READY\1x\0\0\xff\0" + bytes(65_000),
    "unfinished": FULL[:-1],
    "drop-by-drop": FULL[:-1],
}


@pytest.mark.parametrize("case", COSTLY)
async def test_a_stranger_costs_little(case: str) -> None:
    """A connection that is not yet established takes no more than 128 KiB, whatever it sends."""
    octets = COSTLY[case]
    step = 1000 if case == "drop-by-drop" else len(octets)
    async with attacked("ROUTER", pause=None) as scene, scene.attacker() as raw:  # whose own reads are not counted
        await scene.serve()
        with measured() as memory:
            for start in range(0, len(octets), step):
                await raw.say(octets[start : start + step])
                await trio.lowlevel.checkpoint()
            await until(lambda: memory.now() > len(octets))
            assert memory.peak() <= 128 * KIB
        await scene.serve()


@pytest.mark.parametrize("octets", [FULL, FULL[:-1], b""], ids=["full", "unfinished", "silent"])
async def test_many_strangers_cost_little_each(octets: bytes) -> None:
    """So do many at once, one by one; a silent one takes 16 KiB."""
    count = 50
    async with attacked("ROUTER") as scene, trio.open_nursery() as nursery:

        async def appear() -> None:
            async with scene.attacker() as raw:
                await raw.say(octets)
                await trio.sleep_forever()

        with measured() as memory:
            for _ in range(count):
                nursery.start_soon(appear)
            await scene.serve_more(50)
            assert memory.peak() <= count * (128 if octets else 16) * KIB
        nursery.cancel_scope.cancel()
