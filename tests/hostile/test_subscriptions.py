"""Hostile subscribers: what they subscribe to is bounded for each, and given back; others are served."""

from __future__ import annotations

import pytest
import trio

from triomq.testing import VirtualNetwork

from .raw import command, frame, patience
from .scene import MARK, attacked, measured, until

MIB = 1 << 20


def subscriptions(count: int) -> list[bytes]:
    """To topics of 20 octets, a thousand in a block."""
    topics = [command(b"SUBSCRIBE", b"%020d" % number) for number in range(count)]
    return [b"".join(topics[start : start + 1000]) for start in range(0, count, 1000)]


async def test_subscriptions_take_little() -> None:
    """10,000 topics of 20 octets take 2.5 MB at the most, and all is given back."""
    blocks = subscriptions(10_000)
    async with attacked("PUB") as scene:
        with measured() as memory:
            async with scene.established() as raw:
                await raw.say(*blocks)
                with trio.fail_after(patience()):
                    await scene.victim.wait_subscribers(b"%020d" % 9_999)
                assert 200_000 <= memory.now() <= memory.peak() <= 2_500_000
            await scene.is_alone()
            await until(lambda: memory.now() < MIB // 4)


async def test_subscriptions_without_end() -> None:
    """100,000 topics are taken; one more ends the connection."""
    async with attacked("PUB") as scene, scene.established() as raw:
        await raw.say(*subscriptions(100_000))
        with trio.fail_after(patience()):
            await scene.victim.wait_subscribers(b"%020d" % 99_999)
        again = command(b"SUBSCRIBE", b"%020d" % 0)  # no more topics
        await raw.say(again, again)
        await scene.serve_more(5)
        assert len(scene.victim.peers) == 2
        await raw.say(command(b"SUBSCRIBE", b"one more"))
        await scene.drops(raw, "more than 100000 topics")
        await scene.is_alone()


async def test_subscribing_and_cancelling_without_end() -> None:
    """An XPUB that nobody receives from remembers no more of it than of 10,000 subscriptions."""
    block = b"".join(command(name, b"%020d" % number) for number in range(500) for name in (b"SUBSCRIBE", b"CANCEL"))
    async with attacked("XPUB", pause=None) as scene, scene.established() as raw:
        with measured() as memory:
            for _ in range(30):
                await raw.say(block)
            await raw.say(command(b"PING", b"\0\0live"))
            while not (await raw.hear_frame()).endswith(b"live"):
                pass
            assert memory.peak() <= 3 * MIB


async def test_subscriptions_as_messages_without_end() -> None:
    """What a ZMTP 3.0 peer subscribes to is bounded likewise, and in octets too: 64 MiB, kept in two places."""
    async with attacked("PUB") as scene, scene.established(minor=0) as raw:
        with measured() as memory:
            for number in range(1100):
                if not await raw.say(frame(b"\1%05d" % number + bytes(65_000))):
                    break
            await scene.drops(raw, "67108864")
            assert memory.peak() <= 2 * 64 * MIB + 2 * MIB
            await scene.is_alone()
            await until(lambda: memory.now() < MIB)


@pytest.mark.parametrize("minor", [0, 1])
async def test_a_topic_of_megabytes(minor: int, virtual_network: VirtualNetwork) -> None:
    """A topic has 64 KiB at the most, whichever way it is told."""
    async with attacked("PUB", virtual_network) as scene, scene.established(minor=minor) as raw:
        topic = bytes(4 * MIB)
        await raw.say(command(b"SUBSCRIBE", topic) if minor else frame(b"\1" + topic))
        await scene.drops(raw, "65536" if not minor else "65546")
        await scene.is_alone()


async def test_topics_within_topics(virtual_network: VirtualNetwork) -> None:
    """However deep they are nested, subscribing, publishing, cancelling and leaving stay possible."""
    async with attacked("PUB", virtual_network) as scene, scene.established() as raw:
        for length in range(0, 65_536, 64):
            await raw.say(command(b"SUBSCRIBE", b"t" * length))
        with trio.fail_after(5):
            await scene.victim.wait_subscribers(b"t" * 65_536)
        await scene.victim.send(b"t" * 65_536)
        while await raw.hear_frame() != b"t" * 65_536:
            pass
        for length in range(0, 32_768, 64):
            await raw.say(command(b"CANCEL", b"t" * length))
        await raw.say(command(b"PING", b"\0\0live"))
        while await raw.hear_frame() != b"\4PONGlive":
            pass


async def test_cancelling_what_was_never_subscribed() -> None:
    """It tells nobody anything, and nothing is remembered of it."""
    async with attacked("XPUB") as scene, scene.established() as raw:
        assert (await scene.victim.receive())[0][1:] in (MARK, b"")
        with measured() as memory:
            for number in range(0, 20_000, 100):
                await raw.say(b"".join(command(b"CANCEL", b"topic %d" % (number + i)) for i in range(100)))
            await raw.say(command(b"PING", b"\0\0live"))
            assert await raw.hear_frame() == b"\4PONGlive"
            assert memory.now() <= MIB // 4
        with pytest.raises(trio.WouldBlock):
            scene.victim.receive_nowait()
