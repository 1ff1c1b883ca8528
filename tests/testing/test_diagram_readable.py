"""What makes a long run readable: heartbeats in one row, hosts in their order, partitions in one direction."""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.etree import ElementTree

import pytest
import trio

import triomq
from triomq.testing import VirtualNetwork, run

SEEDS = range(12)


async def serve(ctx: triomq.Context) -> None:
    rep = ctx.socket(triomq.REP)
    await rep.bind("tcp://*:5555")
    async for question in rep:
        await rep.send(question)


async def asks(net: VirtualNetwork, seconds: float, host: str = "client", **options: float) -> None:
    """Two questions, and a pause between."""
    async with net.open_context(host) as ctx:
        req = ctx.socket(triomq.REQ, **options)
        req.connect("tcp://server:5555")
        await req.request(b"one")
        await trio.sleep(seconds)
        await req.request(b"two")


def drawn(function: Callable[[VirtualNetwork], object], seed: int = 0) -> list[str]:
    async def main(net: VirtualNetwork) -> list[str]:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(net.run_on, "server", serve)
            await function(net)
            nursery.cancel_scope.cancel()
        return net.diagram().text().splitlines()

    return run(main, seed=seed)


def test_heartbeats_are_one_row_with_their_numbers() -> None:
    lines = drawn(lambda net: asks(net, 3600, heartbeat_interval=1.0))
    (row,) = [number for number, line in enumerate(lines) if "heartbeats" in line]
    assert lines[row].endswith("⋮  heartbeats: PING × 3,600, PONG × 3,600, until 3600.006")
    assert lines[row][11] == "⋮"
    assert "one" in lines[row - 1]
    assert "two" in lines[row + 1]
    assert sum("PING" in line for line in lines) == 1


def test_one_heartbeat_stays() -> None:
    lines = drawn(lambda net: asks(net, 1.5, heartbeat_interval=1.0))
    beats = [re.sub("[─ ]+", " ", line[11:]) for line in lines if re.search("PING|PONG", line)]
    assert beats == ["┃< PING ┃ +1 ms", "┃ PONG >┃ +1 ms"]


def test_heartbeats_of_several_connections_are_one_row() -> None:
    async def both(net: VirtualNetwork) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(asks, net, 9.5, "a")
            for host in "ab":
                nursery.start_soon(lambda host=host: asks(net, 9.5, host, heartbeat_interval=1.0))

    lines = drawn(both)
    (row,) = [line for line in lines if "heartbeats" in line]
    assert row.endswith("heartbeats: PING × 18, PONG × 18, until 9.006")
    assert row.count("⋮") == 3


def test_repeated_exchanges_with_heartbeats_between_are_folded() -> None:
    async def many(net: VirtualNetwork) -> None:
        async with net.open_context("client") as ctx:
            req = ctx.socket(triomq.REQ, heartbeat_interval=1.0)
            req.connect("tcp://server:5555")
            for _ in range(20):
                await req.request(b"?")
                await trio.sleep(10)

    lines = drawn(many)
    assert sum("heartbeats" in line for line in lines) <= 4
    assert any(re.search(r"these \d+ rows × \d+ more", line) for line in lines)


def test_a_lost_heartbeat_has_a_row_of_its_own() -> None:
    async def cut_off(net: VirtualNetwork) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lambda: asks(net, 20, heartbeat_interval=1.0, heartbeat_timeout=3.0))
            await trio.sleep(10.5)
            net.partition("client")
            await trio.sleep(1.1)
            net.heal()

    lines = drawn(cut_off)
    assert [line.split()[-1] for line in lines if re.search("─ PING ─", line)][:1] == ["lost"]
    assert any("↻ PING" in line for line in lines)
    assert sum("heartbeats" in line for line in lines) == 2


def test_a_partition_in_one_direction() -> None:
    async def one_way(net: VirtualNetwork) -> None:
        async with net.open_context("client") as ctx:
            req = ctx.socket(triomq.REQ)
            req.connect("tcp://server:5555")
            await req.request(b"one")
            split = net.partition("server", "client", both_ways=False)
            await req.send(b"two")
            await net.happens("lost", host="server")
            net.heal(split)
            await req.receive()

    lines = drawn(one_way)
    (start,) = [number for number, line in enumerate(lines) if "partition" in line and "one way" in line]
    assert [line[11:] for line in lines[start : start + 5]] == [
        "╏┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┃┈┈ partition, one way: server > client",
        '╏<────── [b"", b"two"] ───────┃  +1 ms',
        '╏──── [b"", b"two"] ─────✗    ┃  lost',
        "┃┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┃┈┈ heal, one way: server > client",
        '┃───── ↻ [b"", b"two"] ──────>┃  +1 ms',
    ]


@pytest.mark.parametrize("both_ways", [True, False])
async def test_a_picture_shades_who_is_cut_off(virtual_network: VirtualNetwork, both_ways: bool) -> None:
    net = virtual_network
    async with net.open_context("a"), net.open_context("b"):
        net.partition("a", "b", both_ways=both_ways)
        await trio.sleep(1)
        net.heal()
    picture = ElementTree.fromstring(net.diagram().svg())
    rects = picture.iter("{http://www.w3.org/2000/svg}rect")
    shades = [rect.get("data-host") for rect in rects if "partition" in rect.get("class", "")]
    assert shades == (["a", "b"] if both_ways else ["a"])
    words = "".join(picture.itertext())
    assert ("partition, one way: a > b" in words) != both_ways


# -- the order of hosts ------------------------------------------------------------------------------


def columns(function: Callable[[VirtualNetwork], object]) -> set[str]:
    """The heads of the columns with each of some seeds."""

    async def main(net: VirtualNetwork) -> str:
        await function(net)
        return net.diagram().text().splitlines()[1].removeprefix(" seconds").strip()

    return {re.sub(" +", " ", run(main, seed=seed)) for seed in SEEDS}


def test_hosts_stand_as_the_test_names_them() -> None:
    async def program() -> None:
        async with triomq.open_context():
            await trio.sleep(1)

    async def main(net: VirtualNetwork) -> None:
        async with trio.open_nursery() as nursery:
            for host in "zeta", "alpha", "mid":
                nursery.start_soon(net.run_program, host, program)
            async with net.running("omega", program), net.open_context("beta"):
                net.partition(["q", "p"], {"n", "m"})
                net.link("alpha", "last", latency=0.1)

    assert columns(main) == {"zeta alpha mid omega beta q p m n last"}


def test_hosts_that_tasks_name_stand_as_the_tasks_were_started() -> None:
    async def task(net: VirtualNetwork, host: str) -> None:
        async with net.open_context(host):
            await trio.sleep(1)

    async def main(net: VirtualNetwork) -> None:
        async with trio.open_nursery() as nursery:
            for host in "dbca":
                nursery.start_soon(task, net, host)
            await trio.sleep(0.5)
            nursery.start_soon(task, net, "A-late-one")

    assert columns(main) == {"d b c a A-late-one"}


def test_traffic_does_not_change_the_order() -> None:
    async def main(net: VirtualNetwork) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(asks, net, 1)
            await trio.sleep(0.5)
            nursery.start_soon(net.run_on, "server", serve)
            await trio.sleep(9)
            nursery.cancel_scope.cancel()

    assert columns(main) == {"client server"}
