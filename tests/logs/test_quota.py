"""How many lines there may be, and how little is kept of those who would have more."""

from __future__ import annotations

import pytest
import trio

import triomq
from triomq._logs._quota import Quota
from triomq.testing import VirtualNetwork

from ..virtual import dial
from .lines import written


def test_different_things_at_once_the_same_ones_once_a_minute() -> None:
    quota = Quota()
    assert [quota.admits(text, 1, 0.0) for text in "aabac"] == [True, False, True, False, True]
    assert quota.take_left_out() == 2
    assert quota.take_left_out() == 0
    assert [quota.admits("a", 10, now) for now in (59.9, 60.0, 60.1, 119.9, 120.0)] == [False, True, False, False, True]
    assert quota.take_left_out() == 30


def test_no_more_than_four_a_minute_and_no_more_memory() -> None:
    quota = Quota()
    assert sum(quota.admits(f"reason {number}", 1, 1.0) for number in range(10_000)) == 4
    assert quota.take_left_out() == 9_996
    assert len(quota._said) == 4


@pytest.mark.parametrize(("count", "told"), [(1, "1 more peer was turned away"), (2, "2 more peers were turned away")])
async def test_the_rest_is_told_at_the_end(count: int, told: str, virtual_network: VirtualNetwork) -> None:
    net = virtual_network
    async with net.open_context() as ctx:
        pull = ctx.socket(triomq.PULL, name="sink")
        endpoint = await pull.bind("tcp://127.0.0.1:0")
        with written() as lines:
            for _ in range(1 + count):
                stream = await dial(net, endpoint)
                await stream.send_all(bytes(64))
                await trio.sleep(0.01)
                await trio.aclose_forcefully(stream)
            assert len(lines.texts()) == 1
            await pull.aclose()
            assert lines.texts() == [f"WARNING triomq: PULL 'sink': {told}"]


async def test_a_thousand_strangers(virtual_network: VirtualNetwork) -> None:
    """Each from another address, each with another fault."""
    net = virtual_network
    async with net.open_context() as ctx:
        pull = ctx.socket(triomq.PULL, name="sink")
        endpoint = await pull.bind("tcp://127.0.0.1:0")
        with written() as lines:
            for number in range(1000):
                stream = await dial(net, endpoint)
                await stream.send_all(b"%08d" % number * 8)
                await trio.sleep(0.01)
                await trio.aclose_forcefully(stream)
            assert len(lines.texts()) == 4
            await trio.sleep(60)
            stream = await dial(net, endpoint)
            await stream.send_all(bytes(64))
            await trio.sleep(1)
            await trio.aclose_forcefully(stream)
            (text,) = lines.texts()
            assert text.endswith(" (and 996 more since the last line on that)")
            for _ in range(7):
                stream = await dial(net, endpoint)
                await stream.send_all(bytes(64))
                await trio.sleep(0.01)
                await trio.aclose_forcefully(stream)
            await pull.aclose()
            assert lines.texts() == ["WARNING triomq: PULL 'sink': 7 more peers were turned away"]


@pytest.mark.parametrize("count", [3, 100])
async def test_many_slow_subscribers(count: int, virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context() as ctx:
        pub = ctx.socket(triomq.PUB, send_hwm=1)
        endpoint = await pub.bind("inproc://it")
        subs = [ctx.socket(triomq.SUB, topics=[b""], receive_hwm=1) for _ in range(count)]
        for sub in subs:
            sub.connect(endpoint)
        await pub.wait_subscribers(b"", count)
        with written() as lines:
            await pub.send_many([b"x"] * 4)
            await trio.sleep(1)
            await pub.aclose()
            told = [record.count for record in lines.records]  # type: ignore[attr-defined]
        assert len(told) <= 5
        assert sum(told) == 2 * count, "each of them dropped two"
