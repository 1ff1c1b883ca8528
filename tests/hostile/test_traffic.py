"""Hostile once established: dropped or ignored as the fault deserves, while others are served."""

from __future__ import annotations

import socket
from itertools import pairwise

import pytest
import trio
import trio.testing

import triomq
from triomq.testing import VirtualNetwork

from .raw import command, frame, header, patience, raw_at
from .scene import attacked, measured, until

MIB = 1 << 20

FAULTS = {
    "command-empty": (frame(b"", 4), "no octets"),
    "command-nameless": (frame(b"\0abc", 4), "without a name"),
    "command-name-overrun": (frame(b"\x0aPING", 4), "name of 10"),
    "reserved-bits": (b"\x08\1x", "reserved"),
    "reserved-high-bit": (b"\x80\1x", "reserved"),
    "more-on-a-command": (frame(b"\4PONG", 5), "MORE"),
    "ping-without-ttl": (command(b"PING"), "without a TTL"),
    "ping-with-half-a-ttl": (command(b"PING", b"\0"), "without a TTL"),
    "ping-context-17": (command(b"PING", bytes(19)), "context of 17"),
    "pong-context-17": (command(b"PONG", bytes(17)), "context of 17"),
    "command-of-a-gibibyte": (header(4, 1 << 30) + b"\5READY", "command of"),
}


@pytest.mark.parametrize("kind", ["PULL", "PUB", "ROUTER"])
@pytest.mark.parametrize(("octets", "reason"), FAULTS.values(), ids=FAULTS)
async def test_a_fault(kind: str, octets: bytes, reason: str, virtual_network: VirtualNetwork) -> None:
    """What is not ZMTP ends that connection, with a reason; what came before it was good."""
    async with attacked(kind, virtual_network) as scene, scene.established() as raw:
        await raw.say(frame(b"before") + octets + frame(b"after"))
        await scene.drops(raw, reason)
        await scene.is_alone()
        if kind != "PUB":
            await until(lambda: bool(scene.strange))
            assert [message[-1] for message in scene.strange] == [b"before"]


async def test_claims_of_a_gibibyte() -> None:
    """Ten frames said to have 1 GiB, 16 octets sent of each: memory grows with what comes, not with what is said."""
    async with attacked("PULL") as scene, trio.open_nursery() as nursery:

        async def claim() -> None:
            async with scene.established() as raw:
                await raw.say(header(0, 1 << 30) + bytes(16))
                await trio.sleep_forever()

        with measured() as memory:
            for _ in range(10):
                nursery.start_soon(claim)
            await until(lambda: len(scene.victim.peers) == 11)
            await scene.serve_more(20)
            assert memory.now() <= MIB
            assert memory.peak() <= 2 * MIB  # on a slow machine a quiet connection is looked at: by one read of 1 MiB
        nursery.cancel_scope.cancel()


async def test_a_message_above_the_limit() -> None:
    """max_message_size counts all frames together, and is held against the header that exceeds it."""
    async with attacked("PULL", max_message_size=1024, receive_hwm=1) as scene, scene.established() as raw:
        block = frame(bytes(1024), 1)
        with measured() as memory:
            while await raw.say(block):
                pass
            await scene.drops(raw, "1024 are allowed")
            assert memory.peak() <= MIB
        assert scene.strange == []


async def test_an_unfinished_message() -> None:
    """What is held for one message is what has come of it, and 256 KiB at the most besides."""
    async with attacked("PULL", max_message_size=4 * MIB) as scene, scene.established() as raw:
        octets = header(0, 4 * MIB) + bytes(4 * MIB - 1)
        with measured() as memory:
            await raw.say(octets)
            await scene.serve_more(20)
            assert 4 * MIB - 1 <= memory.now() <= 4 * MIB + 256 * 1024
        await raw.say(b"\0")
        await until(lambda: bool(scene.strange))
        assert scene.strange == [(bytes(4 * MIB),)]


async def test_frames_without_end() -> None:
    """Empty frames count too: a message has 65,536 at the most."""
    async with attacked("PULL") as scene, scene.established() as raw:
        row = frame(b"", 1) * 1024
        assert await raw.say(*[row] * 63)
        assert await raw.say(row[:-2] + frame(b"") + row * 64)
        await until(lambda: bool(scene.strange))
        assert len(scene.strange[0]) == 65_536 - 1024 + 1024
        await raw.say(row)
        await scene.drops(raw, "more than 65536 frames")


async def test_a_full_queue_pushes_back(virtual_network: VirtualNetwork) -> None:
    """While nobody receives, a peer that sends frames without end is not read: its octets stay with it."""
    small = 32 * 1024
    async with attacked("PULL", virtual_network, pause=None, receive_hwm=1, receive_buffer=small) as scene:
        async with scene.established(send_buffer=small) as raw:
            more = frame(bytes(1024), 1) * 64
            await raw.say(frame(b"whole") + more)
            with measured() as memory:
                async with raw.flooding(more, 300_000 // 64) as flood:
                    await trio.sleep(10)
                    assert flood.taken <= 1
                    assert not flood.ended
                assert memory.peak() <= MIB
        assert await scene.victim.receive() == (b"whole",)
        for _ in range(10):
            await scene.serve()


UNWANTED = {
    "PULL": [command(b"SUBSCRIBE", b"topic"), command(b"CANCEL", b"topic")],
    "ROUTER": [command(b"SUBSCRIBE", b""), command(b"READY"), command(b"ERROR", b"\4what")],
    "DEALER": [command(b"SUBSCRIBE", b""), command(b"HELLO", bytes(200)), command(b"\xff\0\n")],
    "SUB": [command(b"SUBSCRIBE", b""), command(b"JOIN", b"group")],
    "PUB": [command(b"LEAVE", b"group"), command(b"READY")],
    "REP": [command(b"ERROR", b"\4what"), command(b"ERROR")],
    "PAIR": [command(b"SUBSCRIBE", b"")],
}


@pytest.mark.parametrize("kind", [kind for kind in UNWANTED if kind != "PAIR"])
async def test_commands_without_meaning(kind: str, virtual_network: VirtualNetwork) -> None:
    """They are thrown away and never delivered; a thousand in a row, with no message between, are enough."""
    nonsense = (UNWANTED[kind] * 1000)[:1000]
    async with attacked(kind, virtual_network) as scene, scene.established() as raw:
        await raw.say(b"".join(nonsense))
        await raw.say(frame(b"", 1) + frame(b"a message"), b"".join(nonsense), command(b"PING", b"\0\0live"))
        while not (await raw.hear_frame()).endswith(b"live"):
            pass
        assert len(scene.victim.peers) == 2
        assert all(message[-1] == b"a message" for message in scene.strange)
        await raw.say(nonsense[0])
        await scene.drops(raw, "more than 1000 commands in a row")


async def test_pings_without_end(virtual_network: VirtualNetwork) -> None:
    """A peer that pings and never reads: it is read on, its answers do not pile up here, and others are served."""
    pings = [command(b"PING", b"\0\0" + b"%08d" % number) for number in range(20_000)]
    async with attacked("PULL", virtual_network, pause=0.1, send_buffer=100) as scene:
        async with scene.established(receive_buffer=100) as raw:
            assert await raw.say(b"".join(pings))
            await scene.serve_more(10)
            answers = [await raw.hear_frame()]
            while not answers[-1].endswith(b"%08d" % 19_999):
                answers.append(await raw.hear_frame())
            assert len(answers) < 20  # what fits into 200 octets, one that waited for room, the last


async def test_the_newest_ping_is_answered(virtual_network: VirtualNetwork) -> None:
    """Of many pings at once at least the last has its answer."""
    async with attacked("PULL", virtual_network) as scene, scene.established() as raw:
        await raw.say(b"".join(command(b"PING", b"\0\0%05d" % number) for number in range(5000)))
        heard: list[bytes] = []
        while b"\4PONG04999" not in heard:
            heard.append(await raw.hear_frame())
        assert len(heard) <= 5000


@pytest.mark.parametrize(("tenths", "seconds"), [(1, 0.1), (656, 65.6), (65_535, 6553.5)])
async def test_a_ttl_ends_its_own_connection(tenths: int, seconds: float, virtual_network: VirtualNetwork) -> None:
    """A PING's TTL means tenths of a second, in its whole range, of silence of that peer alone."""
    async with attacked("PULL", virtual_network, pause=seconds / 50) as scene, scene.established() as raw:
        await raw.say(command(b"PING", tenths.to_bytes(2, "big")))
        await raw.hear_frame()
        began = trio.current_time()
        with trio.fail_after(seconds * 1.1):
            assert await raw.stream.receive_some() == b""
        assert trio.current_time() - began == pytest.approx(seconds, rel=0.02)
        assert isinstance(await scene.why(raw), triomq.SilentPeerError)


async def test_no_ttl_ends_nothing(virtual_network: VirtualNetwork) -> None:
    """TTL 0 asks for nothing, even after one that did."""
    async with attacked("PULL", virtual_network, pause=60) as scene, scene.established() as raw:
        await raw.say(command(b"PING", b"\0\0"))
        await raw.hear_frame()
        await trio.sleep(3600)
        assert len(scene.victim.peers) == 2


async def test_messages_the_wrong_way_to_push() -> None:
    """A PULL that sends is read, so that its heartbeats are answered and its end is noticed, and not believed."""
    block = frame(bytes(1000)) * 1000
    async with attacked("PUSH", pause=None) as scene:
        with measured() as memory:
            async with scene.established() as raw:
                assert await raw.say(*[block] * 20)
                await raw.say(command(b"PING", b"\0\0live"))
                assert await raw.hear_frame() == b"\4PONGlive"
                for number in range(100):
                    await scene.victim.send(b"%d" % number)
                mine = [await raw.hear_frame() for _ in range(50)]
                theirs = [bytes(await scene.honest.receive()) for _ in range(50)]
                assert sorted(map(int, mine + theirs)) == list(range(100))
                assert theirs == sorted(theirs, key=int)
            await scene.is_alone()
            assert memory.peak() <= 4 * MIB  # of 20: one read, what was left of the one before, a turn of messages
        for _ in range(10):
            await scene.serve()


async def test_messages_the_wrong_way_to_a_pub() -> None:
    """A PUB throws away what subscribers say, all of it, and others are served meanwhile."""
    block = frame(b"\2" + bytes(1000)) * 1000
    async with attacked("PUB") as scene:
        async with scene.established() as raw:
            with measured() as memory:
                assert await raw.say(*[block] * 20)
                assert memory.peak() <= 4 * MIB
            await scene.serve_more(10)
        await scene.is_alone()
        assert scene.victim.statistics().messages_dropped >= 20_000


async def test_messages_the_wrong_way_to_an_xpub() -> None:
    """An XPUB keeps what subscribers say up to its HWM and then reads that one no more; others are served meanwhile."""
    small = 64 * 1024
    block = frame(b"\2" + bytes(1000)) * 1000
    async with attacked("XPUB", receive_buffer=small) as scene, scene.established() as raw:
        raw.stream.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, small)
        with measured() as memory:
            async with raw.flooding(block, 20) as flood:
                await until(lambda: any(peer.receive_queue >= peer.receive_hwm for peer in scene.statistics()))
                await scene.serve_more(100)  # it has as many turns to go on reading
                assert not flood.ended
                assert flood.taken <= 3
                assert max(peer.receive_queue for peer in scene.statistics()) <= 1064
            assert memory.now() <= 4 * MIB
            assert memory.peak() <= 6 * MIB  # of 20; where no other test came before, imports count, too


async def test_requests_without_delimiter(virtual_network: VirtualNetwork) -> None:
    """A REP does not see them, nor is it held up by them: what is ready to be received can be received."""
    async with attacked("REP", virtual_network, pause=None) as scene, scene.established() as raw:
        bad = [frame(b"no delimiter"), frame(b"a", 1) + frame(b"b"), frame(b"only a delimiter", 1) + frame(b"")]
        await raw.say(*bad, *(frame(b"", 1) + frame(b"good") for _ in range(1)), *bad)
        assert await scene.victim.receive() == (b"good",)
        await scene.victim.send(b"reply")
        assert [await raw.hear_frame(), await raw.hear_frame()] == [b"", b"reply"]
        await until(lambda: sum(peer.messages_dropped for peer in scene.victim.statistics().peers) == 6)
        with pytest.raises(trio.WouldBlock):
            scene.victim.receive_nowait()
        for _ in range(10):
            await scene.serve()


async def test_replies_nobody_asked_for(virtual_network: VirtualNetwork) -> None:
    """A REQ ignores what comes before it has asked, or from another than it asked."""
    async with attacked("REQ", virtual_network, pause=None) as scene, scene.established() as raw:
        await raw.say(*(frame(b"", 1) + frame(b"unasked") for _ in range(2000)))
        for _ in range(10):
            await scene.victim.send(b"question")
            with trio.move_on_after(0.02):
                assert await scene.honest.receive() == (b"question",)
                await scene.honest.send(b"answer")
                assert await scene.victim.receive() == (b"answer",)
                continue
            assert [await raw.hear_frame(), await raw.hear_frame()] == [b"", b"question"]
            await raw.say(frame(b"no delimiter"), frame(b"", 1) + frame(b"mine"))
            assert (await scene.victim.receive()) in ((b"mine",), (b"unasked",))


async def test_a_subscriber_that_never_reads() -> None:
    """What it does not take is dropped, for it alone, and counted; memory is bounded by its HWM."""
    body = b"news" + bytes(10_000)
    async with attacked("PUB", send_hwm=10) as scene, scene.established() as raw:
        await raw.say(command(b"SUBSCRIBE", b"news"))
        await scene.victim.wait_subscribers(b"news")
        with measured() as memory:
            for _ in range(3000):
                await scene.victim.send(body)
            assert memory.peak() <= 2 * MIB
        lost = sorted(peer.messages_dropped for peer in scene.victim.statistics().peers)
        assert lost[0] == 0
        assert lost[1] > 1000


async def test_a_consumer_that_never_reads(virtual_network: VirtualNetwork) -> None:
    """A PUSH fills it to its HWM and then gives everything to the others; when all are full, it waits."""
    async with (
        attacked("PUSH", virtual_network, pause=None, send_hwm=5, send_buffer=16 * 1024) as scene,
        scene.established() as raw,
    ):
        numbers: list[int] = []

        async def collect() -> None:
            async for message in scene.honest:
                numbers.append(int(message[0]))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(collect)
            with trio.fail_after(5):
                for number in range(2000):
                    await scene.victim.send([b"%d" % number, bytes(10_000)])
            await until(lambda: numbers[-1:] == [1999] or len(numbers) > 1500)
            nursery.cancel_scope.cancel()
        assert all(earlier < later for earlier, later in pairwise(numbers))
        assert len(numbers) > 1000
        assert raw is not None


async def test_five_hundred_established_peers() -> None:
    """An idle one takes 40 KiB at the most; when they leave nothing remains."""
    count = 500
    async with attacked("PULL", backlog=count) as scene, trio.open_nursery() as nursery:

        async def stay() -> None:
            async with raw_at(scene.endpoint) as raw:
                await raw.greet("PUSH")
                await trio.sleep_forever()

        with measured() as memory:
            for _ in range(count):
                nursery.start_soon(stay)
            with trio.fail_after(patience()):
                await scene.victim.wait_peers(1 + count)
            assert memory.now() <= count * 40 * 1024
            nursery.cancel_scope.cancel()
    assert scene.strange == []
