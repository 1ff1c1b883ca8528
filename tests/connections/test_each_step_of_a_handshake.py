"""Something happens at each step of a handshake, and of trio's scheduler within it; there is a verdict to wait for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from itertools import product
from typing import Any

import pytest
import trio

import triomq
import triomq.testing
from triomq.testing import VirtualNetwork

from .test_authenticator import SIDES

WAYS = 8  # that something goes over the network, 1 ms each, until the message is there
STEPS = (0, 3)  # of the scheduler, after each of them
ENDPOINT = "tcp://server:5555"
Happening = Callable[[triomq.PULL, triomq.PUSH, VirtualNetwork], Awaitable[Any]]


async def disconnect(pull: triomq.PULL, push: triomq.PUSH, net: VirtualNetwork) -> None:
    push.disconnect(ENDPOINT)


async def unbind(pull: triomq.PULL, push: triomq.PUSH, net: VirtualNetwork) -> None:
    await pull.unbind(ENDPOINT)


async def close(pull: triomq.PULL, push: triomq.PUSH, net: VirtualNetwork) -> None:
    await pull.aclose()


async def part(pull: triomq.PULL, push: triomq.PUSH, net: VirtualNetwork) -> None:
    for peer in (*pull.peers, *push.peers):
        peer.disconnect()


async def cut(pull: triomq.PULL, push: triomq.PUSH, net: VirtualNetwork) -> None:
    net.cut("server", "client")


def who_is_up(monitor: triomq.Monitor) -> Counter[str]:
    """The addresses of connections that were told to be up, and not to have ended."""
    up: Counter[str] = Counter()
    while True:
        try:
            event = monitor.receive_nowait()
        except (trio.WouldBlock, trio.EndOfChannel):
            return +up
        if isinstance(event, triomq.HandshakeSucceeded):
            up[event.address] += 1
        elif isinstance(event, triomq.Disconnected):
            up[event.address] -= 1
        assert up.keys() == {address for address, count in up.items() if count in (0, 1)}


@pytest.mark.parametrize("io_thread", [False, True], ids=["", "in halves"])
@pytest.mark.parametrize("happening", [disconnect, unbind, close, part, cut], ids=lambda one: one.__name__)
@pytest.mark.parametrize("mechanism", ["NULL", "CURVE"])
def test_each(mechanism: str, happening: Happening, io_thread: bool) -> None:
    """Each message is counted once, nobody is a peer at an endpoint that was given up, and events tell who is there."""
    server, client, _ = SIDES[mechanism]

    async def main(net: VirtualNetwork, ways: int, steps: int) -> None:
        ready, asking = trio.Event(), 0

        async def judge(request: triomq.AuthenticationRequest) -> triomq.Accept:
            nonlocal asking
            asking += 1
            try:
                await ready.wait()
            finally:
                asking -= 1
            return triomq.Accept("joe")

        async with (
            net.open_context("server", io_thread=io_thread) as here,
            net.open_context("client", io_thread=io_thread) as there,
        ):
            here.authenticator(judge)
            pull = here.socket(triomq.PULL, mechanism=server, linger=0)
            push = there.socket(triomq.PUSH, mechanism=client, linger=0)
            monitors = [socket.monitor() for socket in (pull, push)]
            await pull.bind(ENDPOINT)
            push.connect(ENDPOINT)
            await push.send(b"it")
            await trio.sleep(ways / 1000)
            for step in range(steps):
                if step % 2:
                    ready.set()
                await trio.lowlevel.checkpoint()
            await happening(pull, push, net)
            ready.set()
            await trio.sleep(20)
            for socket, monitor in zip((pull, push), monitors, strict=True):
                assert sorted(who_is_up(monitor)) == sorted(peer.address for peer in socket.peers)
            if happening in (unbind, close, disconnect):
                assert pull.peers == ()
            assert asking == 0
            statistics = push.statistics()
            queued = sum(peer.send_queue for peer in statistics.peers)
            assert statistics.messages_sent + statistics.messages_dropped + queued == 1

    for ways, steps in product(range(WAYS), STEPS):
        triomq.testing.run(main, ways, steps, seed=steps)
