"""Whether a PAIR has its peer is asked of who is there, not of what is queued or being given up."""

from __future__ import annotations

import math

import pytest
import trio
import trio.testing

import triomq
from triomq.testing import VirtualNetwork

ENDPOINTS = pytest.mark.parametrize("endpoint", ["tcp://127.0.0.1:{}", "inproc://{}"])
FIRST, SECOND = 5555, 5556


async def numbers(pair: triomq.PAIR, count: int) -> list[int]:
    with trio.fail_after(50):
        return [int(bytes(await pair.receive())) for _ in range(count)]


@ENDPOINTS
@pytest.mark.parametrize("there", [True, False], ids=["there", "yet-to-come"])
async def test_connected_again_while_it_still_sends(
    endpoint: str, there: bool, virtual_network: VirtualNetwork
) -> None:
    """All that was queued before and after arrives, in order, and the PAIR can be talked to."""
    async with virtual_network.open_context() as ctx:
        bound, pair = ctx.socket(triomq.PAIR), ctx.socket(triomq.PAIR, linger=math.inf)
        place = endpoint.format(FIRST)
        if there:
            await bound.bind(place)
        for number in range(30):
            if number % 3 == 0:
                pair.connect(place)
            await pair.send(b"%d" % number)
            if number % 3 == 2 and number < 29:
                pair.disconnect(place)
        if not there:
            await trio.sleep(100)
            await bound.bind(place)
        assert await numbers(bound, 30) == list(range(30))
        await bound.send(b"30")
        assert await numbers(pair, 1) == [30]
        assert pair.messages_dropped == bound.messages_dropped == 0
        assert pair.endpoints == (place,)


@ENDPOINTS
async def test_off_a_dead_endpoint_to_a_living_one(endpoint: str, virtual_network: VirtualNetwork) -> None:
    """What is queued for the dead one keeps nobody waiting, however long it may be queued."""
    async with virtual_network.open_context() as ctx:
        bound, pair = ctx.socket(triomq.PAIR), ctx.socket(triomq.PAIR, linger=math.inf)
        await bound.bind(endpoint.format(SECOND))
        pair.connect(endpoint.format(FIRST))
        await pair.send(b"0")
        pair.disconnect(endpoint.format(FIRST))
        pair.connect(endpoint.format(SECOND))
        with trio.fail_after(1):
            await pair.wait_peers()
        await pair.send(b"1")
        assert await numbers(bound, 1) == [1]
        late = ctx.socket(triomq.PAIR)  # the dead endpoint comes to life
        await late.bind(endpoint.format(FIRST))
        assert await numbers(late, 1) == [0]
        await pair.send(b"2")
        assert await numbers(bound, 1) == [2]
        assert pair.messages_dropped == 0


@pytest.mark.parametrize("first", [0, 1, 2])
async def test_each_of_several_has_its_turn(first: int, virtual_network: VirtualNetwork) -> None:
    """By whatever transports they come: whoever leaves makes room for all kinds of peers."""
    async with virtual_network.open_context() as ctx:
        bound = ctx.socket(triomq.PAIR)
        places = ["tcp://127.0.0.1:5555", "inproc://one", "inproc://two"]
        for place in places:
            await bound.bind(place)
        waiting = {}
        for place in places[first:] + places[:first]:
            pair = ctx.socket(triomq.PAIR)
            pair.connect(place)
            await pair.send(place.encode())
            waiting[place] = pair
            await trio.sleep(1)
        while waiting:
            with trio.fail_after(10):
                place = (await bound.receive()).text()
            pair = waiting.pop(place)
            await bound.send(b"7")
            assert await numbers(pair, 1) == [7]
            await pair.aclose()


async def test_inproc_peers_have_their_turns_in_the_order_in_which_they_came() -> None:
    async with triomq.open_context() as ctx:
        bound = ctx.socket(triomq.PAIR)
        await bound.bind("inproc://it")
        pairs = [ctx.socket(triomq.PAIR) for _ in range(5)]
        for number, pair in enumerate(pairs):
            pair.connect("inproc://it")
            await pair.send(b"%d" % number)
        for number, pair in enumerate(pairs):
            assert await numbers(bound, 1) == [number]
            pair.disconnect("inproc://it")
        await trio.testing.wait_all_tasks_blocked()
        assert not bound.peers


async def test_two_that_have_their_peers_wait_for_both() -> None:
    """Neither the one that has bound nor the one that has connected takes the other before its own has left."""
    async with triomq.open_context() as ctx:
        one, other, ones, others = (ctx.socket(triomq.PAIR) for _ in range(4))
        await one.bind("inproc://one")
        await other.bind("inproc://other")
        ones.connect("inproc://one")
        other.connect("inproc://one")  # its place is taken
        others.connect("inproc://other")
        await trio.testing.wait_all_tasks_blocked()
        assert len(one.peers) == len(other.peers) == len(others.peers) == 1
        ones.disconnect("inproc://one")
        await trio.testing.wait_all_tasks_blocked()
        assert not one.peers
        others.disconnect("inproc://other")
        await trio.testing.wait_all_tasks_blocked()
        await other.send(b"7")
        assert await numbers(one, 1) == [7]


@ENDPOINTS
async def test_a_place_is_free_when_it_is_given_up(endpoint: str, virtual_network: VirtualNetwork) -> None:
    """Though much is still queued for who had it."""
    async with virtual_network.open_context() as ctx:
        pair, slow = ctx.socket(triomq.PAIR, linger=math.inf, hwm=0), ctx.socket(triomq.PAIR, hwm=1)
        await slow.bind("tcp://127.0.0.1:5557")
        pair.connect("tcp://127.0.0.1:5557")
        await pair.wait_peers()
        for _ in range(100):
            await pair.send(bytes(100_000))
        await trio.testing.wait_all_tasks_blocked()
        pair.disconnect("tcp://127.0.0.1:5557")
        assert pair._peers.pipes
        place = await pair.bind(endpoint.format(FIRST))
        newcomer = ctx.socket(triomq.PAIR)
        newcomer.connect(place)
        await newcomer.send(b"1")
        assert await numbers(pair, 1) == [1]
        await pair.send(b"2")
        assert await numbers(newcomer, 1) == [2]
        for _ in range(100):
            assert len(bytes(await slow.receive())) == 100_000


@ENDPOINTS
async def test_unbound_it_may_connect(endpoint: str, virtual_network: VirtualNetwork) -> None:
    """At once, and bind again as well."""
    async with virtual_network.open_context() as ctx:
        pair, old, new = (ctx.socket(triomq.PAIR) for _ in range(3))
        await new.bind(endpoint.format(SECOND))
        old.connect(await pair.bind(endpoint.format(FIRST)))
        await pair.wait_peers()
        for _ in range(3):
            await pair.unbind(endpoint.format(FIRST))
            pair.connect(endpoint.format(SECOND))
            await pair.send(b"1")
            assert await numbers(new, 1) == [1]
            await new.send(b"2")
            assert await numbers(pair, 1) == [2]
            pair.disconnect(endpoint.format(SECOND))
            await pair.bind(endpoint.format(FIRST))
            await old.send(b"3")
            assert await numbers(pair, 1) == [3]


@ENDPOINTS
async def test_accepted_before_the_connected_one_is_there(endpoint: str, virtual_network: VirtualNetwork) -> None:
    """Who is there is the peer, and gets what is sent; the other one keeps its queue, and has its turn afterwards."""
    async with virtual_network.open_context() as ctx, trio.open_nursery() as nursery:
        pair, accepted, connected = ctx.socket(triomq.PAIR), ctx.socket(triomq.PAIR), ctx.socket(triomq.PAIR)
        place = await pair.bind(endpoint.format(FIRST))
        pair.connect(endpoint.format(SECOND))
        await pair.send(b"0")
        accepted.connect(place)
        await pair.wait_peers()
        for number in range(1, 6):
            await pair.send(b"%d" % number)
        assert await numbers(accepted, 5) == [1, 2, 3, 4, 5]
        await connected.bind(endpoint.format(SECOND))
        nursery.start_soon(connected.send, b"8")
        await trio.sleep(100)
        assert len(pair.peers) == 1
        await accepted.send(b"7")
        assert await numbers(pair, 1) == [7]
        await accepted.aclose()
        assert await numbers(pair, 1) == [8]
        await pair.send(b"6")
        assert await numbers(connected, 2) == [0, 6]
        assert pair.messages_dropped == 0
