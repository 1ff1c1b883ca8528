"""A consumer that is only slow is not taken for dead, by a peer with heartbeats."""

from __future__ import annotations

import pytest
import trio

import triomq
from triomq.testing import VirtualNetwork, VirtualStream

from ..virtual import dial


class Pinger:
    """A peer that pings, and gives up when nothing comes back in time."""

    def __init__(self, stream: VirtualStream) -> None:
        self.stream = stream
        self.connection = triomq.zmtp.Connection("PUSH", as_server=False)
        self.heard: list[float] = []

    async def shake_hands(self) -> None:
        while not self.connection.established:
            await self.stream.send_all(self.connection.data_to_send())
            self.connection.receive_data(await self.stream.receive_some())
        await self.stream.send_all(self.connection.data_to_send())

    async def send(self, *items: triomq.zmtp.Item) -> None:
        buffers: list[bytes] = []
        self.connection.encode(items, buffers)
        await self.stream.send_all(b"".join(buffers))

    async def listen(self) -> None:
        async for data in self.stream:
            self.connection.receive_data(data)
            self.heard.append(trio.current_time())


async def pinger_at(net: VirtualNetwork, endpoint: str) -> Pinger:
    pinger = Pinger(await dial(net, endpoint))
    await pinger.shake_hands()
    return pinger


async def test_a_full_inbox_does_not_look_like_death(virtual_network: VirtualNetwork) -> None:
    """While nothing is received, a peer that pings hears from us at least as often as it pings."""
    async with virtual_network.open_context() as ctx, trio.open_nursery() as nursery:
        pull = ctx.socket(triomq.PULL, receive_hwm=1)
        pinger = await pinger_at(virtual_network, await pull.bind("tcp://127.0.0.1:0"))
        nursery.start_soon(pinger.listen)
        for _ in range(3):
            await pinger.send(triomq.zmtp.Ping())
            await trio.sleep(2)
        await pinger.send(triomq.zmtp.Ping(), triomq.Message([b"one"]), triomq.Message([b"two"]))
        await trio.sleep(60)  # two messages are here, and the inbox takes one
        gaps = [later - earlier for earlier, later in zip(pinger.heard, pinger.heard[1:], strict=False)]
        assert len(pinger.heard) > 30
        assert max(gaps) <= 2
        assert [bytes(await pull.receive()) for _ in range(2)] == [b"one", b"two"]
        nursery.cancel_scope.cancel()
    await pinger.stream.aclose()


@pytest.mark.parametrize(("interval", "signs"), [(0, 20), (0.2, 102), (30, 20)])
async def test_nor_when_the_inbox_was_full_before_the_first_ping(
    interval: float, signs: int, virtual_network: VirtualNetwork
) -> None:
    """A peer that has had no occasion to ping yet hears from us every half second, or more often than we ping."""
    async with virtual_network.open_context() as ctx, trio.open_nursery() as nursery:
        pull = ctx.socket(triomq.PULL, receive_hwm=1, heartbeat_interval=interval)
        pinger = await pinger_at(virtual_network, await pull.bind("tcp://127.0.0.1:0"))
        nursery.start_soon(pinger.listen)
        await pinger.send(triomq.Message([b"one"]), triomq.Message([b"two"]))
        await trio.sleep(10.25)
        assert len(pinger.heard) == signs
        nursery.cancel_scope.cancel()
    await pinger.stream.aclose()


async def test_a_reader_with_room_says_nothing_unasked(virtual_network: VirtualNetwork) -> None:
    """Who can read PINGs answers them, and sends nothing of its own accord."""
    async with virtual_network.open_context() as ctx, trio.open_nursery() as nursery:
        pull = ctx.socket(triomq.PULL)
        pinger = await pinger_at(virtual_network, await pull.bind("tcp://127.0.0.1:0"))
        nursery.start_soon(pinger.listen)
        await pinger.send(triomq.Message([b"one"]), triomq.Message([b"two"]))
        await trio.sleep(60)
        assert pinger.heard == []
        nursery.cancel_scope.cancel()
    await pinger.stream.aclose()
