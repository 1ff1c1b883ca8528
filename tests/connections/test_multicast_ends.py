"""What becomes of messages whose publisher has gone before a slow subscriber took them; what is counted at first."""

from __future__ import annotations

import pytest
import trio

from triomq import PUB, SUB
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
