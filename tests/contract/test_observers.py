"""What an observer of a context is told."""

from __future__ import annotations

import trio

import triomq
import triomq.abc
from triomq.testing import VirtualNetwork


class Diary(triomq.abc.Observer):
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.entries: list[tuple[triomq.Socket, str]] = []

    def event(self, socket, event) -> None:
        self.entries.append((socket, type(event).__name__))

    def closed(self, socket) -> None:
        self.entries.append((socket, "closed"))

    def of(self, socket: triomq.Socket) -> list[str]:
        return [word for who, word in self.entries if who is socket]


async def test_an_observer_is_told_of_sockets_present_and_to_come(virtual_network: VirtualNetwork) -> None:
    diary = Diary()
    async with virtual_network.open_context("a") as ctx:
        early = ctx.socket(triomq.PULL)
        ctx.observe(diary)
        late = ctx.socket(triomq.PUSH)
        late.connect(await early.bind("tcp://*:5555"))
        await late.wait_peers()
        assert diary.of(early)[0] == "Listening"
        await late.aclose()
        assert diary.of(late) == ["Connected", "HandshakeSucceeded", "Disconnected", "closed"]
        await trio.sleep(1)
        assert diary.of(early)[-1] == "Disconnected"
    assert diary.of(early)[-1] == "closed"
    assert diary.of(early).count("closed") == 1


async def test_a_contexts_open_sockets_are_in_the_order_in_which_they_were_made(virtual_network) -> None:
    async with virtual_network.open_context("a") as ctx:
        one, two, three = (ctx.socket(kind) for kind in (triomq.PUSH, triomq.SUB, triomq.REQ))
        assert ctx.sockets == (one, two, three)
        await two.aclose()
        assert ctx.sockets == (one, three)
        assert not ctx.closed
    assert ctx.sockets == ()
    assert ctx.closed


async def test_dropped_messages_of_past_and_present_peers(virtual_network) -> None:
    async with virtual_network.open_context("a") as ctx:
        push = ctx.socket(triomq.PUSH, linger=0)
        push.connect("tcp://a:5555")
        await push.send_many([b"x"] * 3)
        assert push.messages_dropped == 0
        push.disconnect("tcp://a:5555")
        assert push.messages_dropped == 3 == push.statistics().messages_dropped
