"""The newest message of each topic, or in all: at either end, on every transport."""

from __future__ import annotations

from typing import Any

import pytest
import trio

import triomq
from triomq.testing import VirtualNetwork

from ..cancellation.kit import SCHEMES, endpoint_of, run
from .filling import connected, large, settle

every_scheme = pytest.mark.parametrize("scheme", SCHEMES)
sides = pytest.mark.parametrize("publisher_binds", [True, False])


async def subscribed(ctx: triomq.Context, scheme: str, pub: Any, sub: Any, *, publisher_binds: bool) -> None:
    if publisher_binds:
        sub.connect(await pub.bind(endpoint_of(scheme)))
    else:
        pub.connect(await sub.bind(endpoint_of(scheme)))
    await pub.wait_subscribers("")


async def quotes(pub: triomq.PUB, rounds: int, topics: str = "ABC", *, body: bytes = b"") -> None:
    for number in range(rounds):
        for topic in topics:
            await pub.send([topic.encode(), b"%d" % number, body])
            await settle()


def taken(sub: Any) -> list[str]:
    """What can be received now: the first two frames of each."""
    found = []
    while True:
        try:
            found.append(b"".join(sub.receive_nowait()[:2]).decode())
        except trio.WouldBlock:
            return found


@every_scheme
@sides
@pytest.mark.parametrize("conflate", [True, "topics"])
def test_a_subscriber_keeps_the_newest_of_each_topic(scheme: str, publisher_binds: bool, conflate: Any) -> None:
    async def main(net: VirtualNetwork) -> None:
        async with net.open_context() as ctx:
            pub, sub = ctx.socket(triomq.PUB), ctx.socket(triomq.SUB, topics=[""], conflate=conflate)
            await subscribed(ctx, scheme, pub, sub, publisher_binds=publisher_binds)
            await quotes(pub, 5)
            await pub.send(b"one frame")
            await pub.send(b"another")
            await settle()
            assert taken(sub) == ["A4", "B4", "C4", "another"]
            statistics = sub.statistics()
            assert (statistics.messages_received, statistics.messages_dropped) == (17, 13)
            assert pub.messages_dropped == 0
            await quotes(pub, 1, "B")
            assert taken(sub) == ["B0"]

    run(main, scheme=scheme)


@every_scheme
@sides
def test_a_publisher_keeps_the_newest_of_each_topic_for_one_that_does_not_read(
    scheme: str, publisher_binds: bool
) -> None:
    """The other subscribers get everything."""

    async def main(net: VirtualNetwork) -> None:
        async with net.open_context() as ctx:
            pub = ctx.socket(triomq.PUB, conflate="topics", linger=0)
            slow = ctx.socket(triomq.SUB, topics=[""], receive_hwm=1)
            await subscribed(ctx, scheme, pub, slow, publisher_binds=publisher_binds)
            await quotes(pub, 30, body=large(scheme))
            got: list[str] = []
            while new := taken(slow):
                got += new
                await settle()
            for topic in "ABC":
                numbers = [int(each[1:]) for each in got if each[0] == topic]
                assert numbers == sorted(set(numbers))
                assert numbers[-1] == 29
            assert len(got) + pub.messages_dropped + slow.messages_dropped == 90
            assert len(got) < 60

    run(main, scheme=scheme)


@every_scheme
@sides
def test_the_hwm_is_how_many_topics_wait(scheme: str, publisher_binds: bool) -> None:
    """The topic that stands first makes way. An HWM of one is the newest message in all."""

    async def main(net: VirtualNetwork) -> None:
        async with net.open_context() as ctx:
            for options, left in (
                ({"conflate": "topics", "receive_hwm": 2}, ["C2", "D2"]),
                ({"conflate": "topics", "receive_hwm": 0}, ["A2", "B2", "C2", "D2"]),
                ({"conflate": True, "hwm": 1}, ["D2"]),
                ({"conflate": "topics", "hwm": 1}, ["D2"]),
            ):
                pub, sub = ctx.socket(triomq.PUB), ctx.socket(triomq.SUB, topics=[""], **options)
                await subscribed(ctx, scheme, pub, sub, publisher_binds=publisher_binds)
                await quotes(pub, 3, "ABCD")
                assert taken(sub) == left
                await sub.aclose()
                await pub.aclose()

    run(main, scheme=scheme)


@every_scheme
@pytest.mark.parametrize("types", [(triomq.PUSH, triomq.PULL), (triomq.DEALER, triomq.DEALER)])
def test_other_types_have_topics_when_they_are_asked_to(scheme: str, types: tuple[Any, Any]) -> None:
    """With True they keep one message, however many frames it has."""

    async def main(net: VirtualNetwork) -> None:
        async with net.open_context() as ctx:
            for conflate, left in (("topics", ["A4", "B4"]), (True, ["B4"])):
                sender, receiver = ctx.socket(types[0]), ctx.socket(types[1], conflate=conflate)
                await connected(ctx, scheme, sender, receiver)
                for number in range(5):
                    for topic in (b"A", b"B"):
                        await sender.send([topic, b"%d" % number])
                        await settle()
                assert taken(receiver) == left
                await sender.aclose()
                await receiver.aclose()

    run(main, scheme=scheme)


@every_scheme
def test_what_waits_for_a_peer_to_come_is_the_newest_of_each_topic(scheme: str) -> None:
    """The socket that has accepted the others counts them as dropped, and the peer knows of none."""

    async def main(net: VirtualNetwork) -> None:
        async with net.open_context() as ctx:
            pull = ctx.socket(triomq.PULL)
            endpoint = await pull.bind(endpoint_of(scheme))
            await pull.unbind(endpoint)
            push = ctx.socket(triomq.PUSH, conflate="topics", send_hwm=2)
            push.connect(endpoint)
            for number in range(5):
                for topic in (b"A", b"B", b"C"):
                    push.send_nowait([topic, b"%d" % number])
            await settle()
            statistics = push.statistics()
            assert statistics.messages_dropped == statistics.peers[0].messages_dropped == 13
            await pull.bind(endpoint)
            got = [b"".join(await pull.receive()).decode() for _ in range(2)]
            assert got == ["B4", "C4"]
            assert taken(pull) == []
            assert (push.messages_dropped, pull.messages_dropped) == (13, 0)
            assert push.statistics().messages_sent == pull.statistics().messages_received == 2

    run(main, scheme=scheme)


async def test_what_true_stands_for() -> None:
    async with triomq.open_context() as ctx:
        for kind, options, stands_for in (
            (triomq.SUB, {}, "topics"),
            (triomq.PUB, {}, "topics"),
            (triomq.SUB, {"receive_hwm": 1}, True),
            (triomq.PULL, {}, True),
            (triomq.DEALER, {}, True),
        ):
            assert ctx.socket(kind, conflate=True, **options).options.conflate == stands_for
        with pytest.raises(ValueError, match=r"^option receive_hwm=5: .*or give conflate='topics', and the HWM is how"):
            ctx.socket(triomq.SUB, conflate=True, receive_hwm=5)
        with pytest.raises(ValueError, match=r"^option xpub_nodrop=True: a peer is never full with conflate='topics'"):
            ctx.socket(triomq.PUB, conflate="topics", xpub_nodrop=True)
        with pytest.raises(TypeError, match="means nothing for XPUB"):
            ctx.socket(triomq.XPUB, conflate="topics")
