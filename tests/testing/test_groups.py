"""Virtual hosts in multicast groups."""

from __future__ import annotations

import pytest
import trio

import triomq
from triomq import PUB, SUB
from triomq.testing import VirtualNetwork, run

GROUP = "239.192.1.1:5555"


async def heard(sub: triomq.SUB, seconds: float = 1.0) -> list[bytes]:
    """What arrives within some time."""
    got = []
    with trio.move_on_after(seconds):
        while True:
            got.append(bytes(await sub.receive()))
    return got


async def test_with_a_loopback_address_nothing_leaves_the_host(virtual_network: VirtualNetwork) -> None:
    net = virtual_network
    async with net.open_context("a") as a, net.open_context("b") as b:
        near, far, pub = a.socket(SUB, topics=[""]), b.socket(SUB, topics=[""]), a.socket(PUB)
        for socket in (near, far, pub):
            socket.connect(f"epgm://127.0.0.1;{GROUP}")
        await pub.send(b"one")
        assert await heard(near) == [b"one"]
        assert await heard(far) == []


async def test_without_loop_the_own_host_hears_nothing(virtual_network: VirtualNetwork) -> None:
    net = virtual_network
    async with net.open_context("a") as a, net.open_context("b") as b:
        near, far = a.socket(SUB, topics=[""]), b.socket(SUB, topics=[""])
        pub = a.socket(PUB, multicast_loop=False)
        for socket in (near, far, pub):
            socket.connect(f"epgm://{GROUP}")
        await pub.send(b"one")
        assert await heard(near) == []
        assert await heard(far) == [b"one"]


@pytest.mark.parametrize("other", ["epgm://239.192.1.2:5555", "epgm://239.192.1.1:5556"])
async def test_groups_and_ports_are_kept_apart(virtual_network: VirtualNetwork, other: str) -> None:
    net = virtual_network
    async with net.open_context("a") as a, net.open_context("b") as b:
        sub, pub = b.socket(SUB, topics=[""]), a.socket(PUB)
        sub.connect(other)
        pub.connect(f"epgm://{GROUP}")
        await pub.send(b"one")
        assert await heard(sub) == []
        assert sub.peers == ()


async def test_a_paused_host_gets_what_its_buffer_holds_and_the_rest_is_repaired(
    virtual_network: VirtualNetwork,
) -> None:
    net = virtual_network
    net.link("b", "b", receive_buffer=5000)
    async with net.open_context("a") as a, net.open_context("b") as b:
        sub, pub = b.socket(SUB, topics=[""]), a.socket(PUB)
        sub.connect(f"epgm://{GROUP}")
        pub.connect(f"epgm://{GROUP}")
        await pub.send(b"first")
        assert bytes(await sub.receive()) == b"first"
        net.pause("b")
        for number in range(20):
            await pub.send(b"%d" % number + b"x" * 1000)
        await trio.sleep(1)
        assert sub.statistics().messages_received == 1
        net.resume("b")
        assert [int(one.rstrip(b"x")) for one in await heard(sub)] == list(range(20))
        (row,) = sub.statistics().peers
        assert row.details["repairs"] > 10
        assert "the buffer of b is full" in net.trace()


async def test_a_crashed_host_hears_no_more(virtual_network: VirtualNetwork) -> None:
    net = virtual_network
    async with net.open_context("a") as a:
        pub = a.socket(PUB)
        pub.connect(f"epgm://{GROUP}")
        async with net.open_context("b") as b:
            sub = b.socket(SUB, topics=[""])
            sub.connect(f"epgm://{GROUP}")
            await pub.send(b"one")
            assert bytes(await sub.receive()) == b"one"
            net.crash("b")
            await trio.sleep_forever()
        await pub.send(b"two")
        await trio.sleep(0.1)
        net.restart("b")
        async with net.open_context("b") as b:
            sub = b.socket(SUB, topics=[""])
            sub.connect(f"epgm://{GROUP}")
            await pub.send(b"three")
            assert await heard(sub) == [b"three"]


def test_the_same_seed_gives_the_same_run() -> None:
    def digest(seed: int) -> str:
        async def main(net: VirtualNetwork) -> str:
            async with net.open_context("a") as a, net.open_context("b") as b:
                sub, pub = b.socket(SUB, topics=[""]), a.socket(PUB)
                sub.connect(f"epgm://{GROUP}")
                pub.connect(f"epgm://{GROUP}")
                net.link("a", "b", loss=0.3, jitter=0.1)
                for number in range(30):
                    await pub.send(b"%d" % number)
                    await trio.sleep(0.01)
                net.note(repr(await heard(sub, 5)))
            return net.digest()

        return run(main, seed=seed)

    assert digest(1) == digest(1)
    assert digest(1) != digest(2)


@pytest.mark.parametrize("share", [0.3, 1.0])
async def test_datagrams_arrive_twice_and_messages_once(virtual_network: VirtualNetwork, share: float) -> None:
    net = virtual_network
    net.link("a", "b", duplication=share, jitter=0.05, loss=0.1)
    async with net.open_context("a") as a, net.open_context("b") as b:
        sub, pub = b.socket(SUB, topics=[""]), a.socket(PUB)
        sub.connect(f"epgm://{GROUP}")
        pub.connect(f"epgm://{GROUP}")
        await sub.wait_peers()
        for number in range(100):
            await pub.send(b"%d" % number)
            await trio.sleep(0.01)
        got = [int(one) for one in await heard(sub, 10)]
        assert got == list(range(got[0], 100))
        (row,) = sub.statistics().peers
        (sent,) = pub.statistics().peers
        assert row.bytes_received > sent.bytes_sent * (1 + share / 2)


async def test_datagrams_share_the_bandwidth_and_what_the_queue_has_no_room_for_is_lost(
    virtual_network: VirtualNetwork,
) -> None:
    net = virtual_network
    async with net.open_context("a") as a, net.open_context("b") as b:
        sub, pub = b.socket(SUB, topics=[""]), a.socket(PUB, send_hwm=0, linger=0)
        sub.connect(f"epgm://{GROUP}")
        pub.connect(f"epgm://{GROUP}")
        await sub.wait_peers()
        net.link("a", "b", both_ways=False, bandwidth=100_000, send_buffer=20_000)
        began = trio.current_time()
        for number in range(200):
            await pub.send(b"%d" % number + b"x" * 1400)
        for number in range(200):
            assert bytes(await sub.receive()) == b"%d" % number + b"x" * 1400
        assert trio.current_time() - began > 200 * 1400 / 100_000
        assert "is lost: the link from a to b is full" in net.trace()


async def test_a_stream_goes_slower_beside_datagrams(virtual_network: VirtualNetwork) -> None:
    net = virtual_network
    net.link("a", "b", both_ways=False, bandwidth=100_000)

    async def duration(*, beside: bool) -> float:
        async with net.open_context("a") as a, net.open_context("b") as b:
            pull, push = b.socket(triomq.PULL), a.socket(triomq.PUSH)
            pub = a.socket(PUB, send_hwm=0, rate=50_000, linger=0)
            push.connect(await pull.bind("tcp://b:5556"))
            await pull.wait_peers()
            pub.connect(f"epgm://{GROUP}")
            sub = b.socket(SUB, topics=[""])
            sub.connect(f"epgm://{GROUP}")
            for _ in range(200 if beside else 0):
                await pub.send(b"x" * 1400)
            began = trio.current_time()
            await push.send(b"x" * 200_000)
            await pull.receive()
            return trio.current_time() - began

    assert await duration(beside=True) > 1.5 * await duration(beside=False)
