"""``reconnect_interval=math.inf``: a socket that dials an endpoint once; and long waits, which no refusal shortens."""

from __future__ import annotations

import math
from typing import Any

import pytest
import trio

import triomq
from triomq.testing import VirtualNetwork

HOUR = 3600.0


async def ended(monitor: triomq.Monitor) -> Any:
    """The next event that says how long the socket waits until it dials again."""
    while True:
        event = await monitor.receive()
        if isinstance(event, triomq.ConnectFailed | triomq.HandshakeFailed | triomq.Disconnected):
            return event


async def test_where_nobody_is_there_nobody_is_dialled_again(virtual_network: VirtualNetwork) -> None:
    net = virtual_network
    async with net.open_context("a") as ctx, net.open_context("b") as there:
        push = ctx.socket(triomq.PUSH, reconnect_interval=math.inf, linger=0)
        monitor = push.monitor()
        push.connect("tcp://b:5555")
        event = await ended(monitor)
        assert isinstance(event, triomq.ConnectFailed)
        assert event.retry_in == math.inf
        pull = there.socket(triomq.PULL)
        await pull.bind("tcp://*:5555")
        await trio.sleep(HOUR)
        assert not pull.peers
        push.disconnect("tcp://b:5555")
        push.connect("tcp://b:5555")
        await push.send(b"by hand")
        assert await pull.receive() == (b"by hand",)


async def test_a_connection_that_has_ended_is_not_made_again(virtual_network: VirtualNetwork) -> None:
    net = virtual_network
    async with net.open_context("a") as ctx, net.open_context("b") as there:
        push, pull = ctx.socket(triomq.PUSH, reconnect_interval=math.inf, linger=0), there.socket(triomq.PULL)
        monitor = push.monitor()
        endpoint = await pull.bind("tcp://*:5555")
        push.connect("tcp://b:5555")
        await push.send(b"one")
        assert await pull.receive() == (b"one",)
        await pull.unbind(endpoint)
        assert (await ended(monitor)).retry_in == math.inf
        await pull.bind(endpoint)
        await trio.sleep(HOUR)
        assert not pull.peers


@pytest.mark.parametrize(("interval", "least"), [(math.inf, math.inf), (600, 300)])
async def test_a_refusal_shortens_no_wait(virtual_network: VirtualNetwork, interval: float, least: float) -> None:
    net = virtual_network
    async with net.open_context("a") as ctx, net.open_context("b") as there:
        push, wrong = ctx.socket(triomq.PUSH, reconnect_interval=interval), there.socket(triomq.PUB)
        monitor = push.monitor()
        await wrong.bind("tcp://*:5555")
        push.connect("tcp://b:5555")
        event = await ended(monitor)
        assert isinstance(event.error, triomq.RemoteProtocolError)
        assert event.retry_in is not None
        assert event.retry_in >= least
