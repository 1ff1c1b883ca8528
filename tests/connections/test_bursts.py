"""Bursts: one read brings more than is taken apart at once, and nobody can tell."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
import trio

import triomq
from triomq.testing import VirtualNetwork

COUNT = 3000
BURST = [b"%d" % number for number in range(COUNT)]

Choice = Callable[[int], int]


async def receive_somehow(socket: triomq.PULL, choose: Choice) -> list[triomq.Message]:
    way = choose(4)
    if way == 0:
        return await socket.receive_many(1 + choose(700))
    if way == 1:
        await trio.lowlevel.checkpoint()
        try:
            return [socket.receive_nowait()]
        except trio.WouldBlock:
            return []
    return [await socket.receive()]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("hwm", [0, 1, 700])
async def test_received_in_any_way_and_cancelled_at_times_it_comes_whole_and_in_order(
    hwm: int, seed: int, virtual_network: VirtualNetwork
) -> None:
    choose = random.Random(seed).randrange
    async with virtual_network.open_context("a") as a, virtual_network.open_context("b") as b:
        pull = b.socket(triomq.PULL, hwm=hwm)
        push = a.socket(triomq.PUSH, connect=await pull.bind("tcp://*:5555"), hwm=hwm)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(push.send_many, BURST)
            received: list[bytes] = []
            while len(received) < COUNT:
                with trio.move_on_after((0, 0.001, 1)[choose(3)]):
                    messages = await receive_somehow(pull, choose)
                    received += map(bytes, messages)
        assert received == BURST


@pytest.mark.parametrize("peers", [1, 3])
async def test_several_tasks_receive_it_once(peers: int, virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context("a") as a, virtual_network.open_context("b") as b:
        pull = b.socket(triomq.PULL, hwm=0)
        endpoint = await pull.bind("tcp://*:5555")
        received: list[bytes] = []

        async def receive() -> None:
            async for message in pull:
                received.append(bytes(message))

        async with trio.open_nursery() as nursery:
            for _ in range(4):
                nursery.start_soon(receive)
            pushes = [a.socket(triomq.PUSH, connect=endpoint, hwm=0) for _ in range(peers)]
            for push in pushes:
                await push.send_many(BURST)
            await trio.sleep(1)
            nursery.cancel_scope.cancel()
        assert sorted(received) == sorted(BURST * peers)


async def test_what_was_read_is_received_after_disconnecting(virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context("a") as a, virtual_network.open_context("b") as b:
        push = a.socket(triomq.PUSH, hwm=0)
        endpoint = await push.bind("tcp://*:5555")
        pull = b.socket(triomq.PULL, connect=endpoint.replace("*", "a"), hwm=0)
        await pull.wait_peers()
        await push.send_many(BURST)
        received = [bytes(await pull.receive())]
        (peer,) = pull.statistics().peers
        assert peer.receive_queue < COUNT - 1
        for endpoint in pull.endpoints:
            pull.disconnect(endpoint)
        while len(received) < COUNT:
            received.append(bytes(await pull.receive()))
        assert received == BURST


async def test_a_crashed_peers_burst_is_received_as_far_as_it_was_read(virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context("a") as a, virtual_network.open_context("b") as b:
        pull = b.socket(triomq.PULL, hwm=0)
        push = a.socket(triomq.PUSH, connect=await pull.bind("tcp://*:5555"), hwm=0, linger=0)
        await push.send_many(BURST)
        received = [bytes(await pull.receive())]
        virtual_network.crash("a")
        while len(received) < COUNT:
            received.append(bytes(await pull.receive()))
        assert received == BURST
