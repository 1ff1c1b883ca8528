"""How much is written at once: no longer than other tasks can wait, however much is queued."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import trio
from trio.testing import MockClock

import triomq
from triomq import zmtp
from triomq.testing import VirtualNetwork

from .passes import LongestPass

PLENTY = 100_000_000  # bytes
NUMBER = 10_000


@pytest.fixture
def slow_encoding(monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock) -> None:
    encode = zmtp.Connection.encode

    def take_time(
        self: zmtp.Connection, messages: Sequence[zmtp.Item], out: list[bytes], ends: list[int] | None = None
    ) -> int:
        autojump_clock.jump(1e-6 * len(messages))
        return encode(self, messages, out, ends)

    monkeypatch.setattr(zmtp.Connection, "encode", take_time)


@pytest.mark.parametrize("size", [10, 300])
@pytest.mark.usefixtures("slow_encoding")
async def test_messages_that_waited_for_the_peer_leave_a_thousand_at_a_time(
    size: int, virtual_network: VirtualNetwork, autojump_clock: MockClock
) -> None:
    async with virtual_network.open_context() as ctx:
        push = ctx.socket(triomq.PUSH, send_hwm=0, send_buffer=PLENTY)
        push.connect("tcp://localhost:5555")
        await push.send_many([bytes(size)] * NUMBER)
        trio.lowlevel.add_instrument(longest := LongestPass())
        pull = ctx.socket(triomq.PULL, receive_hwm=0, receive_buffer=PLENTY)
        await pull.bind("tcp://localhost:5555")
        for _ in range(NUMBER):
            await pull.receive()
        trio.lowlevel.remove_instrument(longest)
    assert 0.1e-3 < longest.seconds < 1.2e-3


@pytest.mark.usefixtures("slow_encoding")
async def test_so_do_subscriptions(virtual_network: VirtualNetwork, autojump_clock: MockClock) -> None:
    async with virtual_network.open_context() as ctx:
        pub = ctx.socket(triomq.PUB, receive_buffer=PLENTY)
        sub = ctx.socket(triomq.SUB, send_buffer=PLENTY)
        sub.connect(await pub.bind("tcp://localhost:5555"))
        await sub.wait_peers()
        trio.lowlevel.add_instrument(longest := LongestPass())
        for number in range(NUMBER):
            sub.subscribe(b"%d" % number)
        await pub.wait_subscribers(b"%d" % (NUMBER - 1))
        trio.lowlevel.remove_instrument(longest)
    assert 0.1e-3 < longest.seconds < 1.2e-3
