"""The proxy: what it takes, when it writes, whom it waits for, and whom it lets have their turn."""

from __future__ import annotations

from typing import Any

import pytest
import trio
import trio.testing

import triomq
from triomq.testing import VirtualNetwork

ENDPOINTS = pytest.mark.parametrize("endpoint", ["tcp://127.0.0.1:0", "inproc://"])


class Line:
    """Sockets of one context, in pairs that are connected."""

    def __init__(self, ctx: triomq.Context, endpoint: str) -> None:
        self._ctx = ctx
        self._endpoint = endpoint
        self._number = 0

    async def pair(self, bound: type[Any], connected: type[Any], **options: Any) -> tuple[Any, Any]:
        """A socket, and another one connected to it that has subscribed where it could."""
        one = self._ctx.socket(bound, **options)
        other = await self.connect(connected, one, **{key: options[key] for key in options if key == "hwm"})
        return one, other

    async def connect(self, type_: type[Any], to: Any, **options: Any) -> Any:
        """A socket connected to that one."""
        if not to.endpoints:
            self._number += 1
            await to.bind(f"{self._endpoint}{self._number}" if self._endpoint == "inproc://" else self._endpoint)
        if type_ is triomq.SUB:
            options["topics"] = [""]
        socket = self._ctx.socket(type_, **options)
        socket.connect(to.endpoints[0])
        await socket.wait_peers()
        await trio.testing.wait_all_tasks_blocked()
        return socket


def taken(socket: Any) -> list[bytes]:
    """What can be received at once: the last frame of each."""
    found: list[bytes] = []
    try:
        while True:
            found.append(socket.receive_nowait()[-1])
    except trio.WouldBlock:
        return found


def numbers(*limits: int) -> list[bytes]:
    return [b"%d" % number for number in range(*limits)]


async def settle() -> None:
    await trio.testing.wait_all_tasks_blocked(0.01)


# --- a destination that is full --------------------------------------------------------------------


@ENDPOINTS
async def test_a_full_subscriber_that_leaves_is_waited_for_no_longer(
    endpoint: str, virtual_network: VirtualNetwork
) -> None:
    virtual_network.link("localhost", "localhost", send_buffer=100, receive_buffer=100)
    async with virtual_network.open_context() as ctx:
        line = Line(ctx, endpoint)
        frontend, source = await line.pair(triomq.PULL, triomq.PUSH, hwm=0)
        backend, slow = await line.pair(triomq.XPUB, triomq.SUB, hwm=2, xpub_nodrop=True)
        quick = await line.connect(triomq.SUB, backend, hwm=0)
        await source.send_many(numbers(200))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(triomq.proxy, frontend, backend)
            await trio.sleep(5)
            before = taken(quick)
            assert len(before) < 200
            await slow.aclose()
            await trio.sleep(5)
            assert before + taken(quick) == numbers(200)
            nursery.cancel_scope.cancel()


@ENDPOINTS
async def test_a_full_peer_of_a_router_that_leaves_is_waited_for_no_longer(
    endpoint: str, virtual_network: VirtualNetwork
) -> None:
    """What is for it is dropped then, and counted, and what is for others moves on."""
    virtual_network.link("localhost", "localhost", send_buffer=100, receive_buffer=100)
    async with virtual_network.open_context() as ctx:
        line = Line(ctx, endpoint)
        frontend, source = await line.pair(triomq.DEALER, triomq.DEALER, hwm=0)
        backend = ctx.socket(triomq.ROUTER, hwm=2, router_mandatory=True)
        slow = await line.connect(triomq.DEALER, backend, hwm=2, routing_id=b"slow")
        quick = await line.connect(triomq.DEALER, backend, hwm=0, routing_id=b"quick")
        for number in numbers(200):
            await source.send([b"slow", number])
        await source.send([b"quick", b"it"])
        async with trio.open_nursery() as nursery:
            handle = await nursery.start(triomq.proxy, frontend, backend)
            await trio.sleep(5)
            assert not taken(quick)
            await slow.aclose()
            await trio.sleep(5)
            assert taken(quick) == [b"it"]
            statistics = handle.statistics()
            assert statistics.messages_dropped > 0
            assert statistics.messages_forward + statistics.messages_dropped == 201
            nursery.cancel_scope.cancel()
