"""What becomes of messages whose publisher has gone before a slow subscriber took them; what is counted at first."""

from __future__ import annotations

import pytest
import trio

from triomq import PUB, SUB, AddressInUseError
from triomq.testing import VirtualNetwork

GROUP = "epgm://eth0;239.192.1.1:5555"


@pytest.mark.parametrize("crashes", [False, True])
async def test_a_slow_subscriber_gets_what_arrived_although_the_publisher_is_gone(
    virtual_network: VirtualNetwork, crashes: bool
) -> None:
    net = virtual_network
    async with net.open_context("b") as b:
        slow = b.socket(SUB, topics=[""], receive_hwm=4)
        slow.connect(GROUP)
        async with net.open_context("a") as a:
            publisher = a.socket(PUB)
            publisher.connect(GROUP)
            for number in range(50):
                await publisher.send(b"%d" % number)
            await trio.sleep(1)
            if crashes:
                net.crash("a")
        await trio.sleep(1000)
        with trio.fail_after(1):
            got = [await slow.receive() for _ in range(50)]
        assert got == [(b"%d" % number,) for number in range(50)]
        await trio.sleep(1000)
        assert slow.peers == ()
        assert slow.messages_dropped == 0


async def test_what_is_counted_is_there_from_the_beginning(virtual_network: VirtualNetwork) -> None:
    net = virtual_network
    async with net.open_context("a") as a, net.open_context("b") as b:
        publisher, subscriber = a.socket(PUB), b.socket(SUB, topics=[""])
        subscriber.connect(GROUP)
        publisher.connect(GROUP)
        (row,) = publisher.statistics().peers
        assert row.details == {"naks": 0, "repairs": 0, "unrepaired": 0}
        await subscriber.wait_peers()
        (row,) = subscriber.statistics().peers
        assert row.details == {"naks": 0, "repairs": 0, "lost": 0}


async def test_of_two_tasks_that_bind_a_socket_to_a_group_one_does(virtual_network: VirtualNetwork) -> None:
    """The socket has one place there, and gets each message once; with `unbind` it has none."""
    net = virtual_network
    refused = []

    async def bind(socket: SUB) -> None:
        try:
            await socket.bind(GROUP)
        except AddressInUseError as exc:
            refused.append(exc)

    async with net.open_context("a") as a, net.open_context("b") as b:
        publisher, subscriber = a.socket(PUB), b.socket(SUB, topics=[""])
        async with trio.open_nursery() as nursery:
            nursery.start_soon(bind, subscriber)
            nursery.start_soon(bind, subscriber)
        assert len(refused) == 1
        await publisher.bind(GROUP)
        await publisher.send_many([b"1", b"2"])
        assert await subscriber.receive_many(10) == [(b"1",), (b"2",)]
        await subscriber.unbind(GROUP)
        assert subscriber.endpoints == ()
        await publisher.send(b"3")
        await trio.sleep(1)
        assert subscriber.statistics().messages_received == 2
