"""Groups of PUB and SUB sockets, on a virtual network that loses, delays and mixes up datagrams."""

from __future__ import annotations

import math

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

import triomq
from triomq import PUB, SUB, XPUB, XSUB
from triomq.testing import VirtualNetwork

from ..monitors import drain

GROUP = "epgm://eth0;239.192.1.1:5555"


def numbered(count: int, size: int = 0) -> list[tuple[bytes, bytes]]:
    return [(b"topic", b"%d" % number + b"x" * size) for number in range(count)]


async def take(socket: triomq.ReceiveSocket, count: int) -> list[triomq.Message]:
    return [await socket.receive() for _ in range(count)]


async def join(socket: triomq.Socket, how: str = "connect", endpoint: str = GROUP) -> None:
    if how == "bind":
        assert await socket.bind(endpoint) == endpoint
    else:
        socket.connect(endpoint)
    assert socket.endpoints == (endpoint,)


@pytest.mark.parametrize("how", ["bind", "connect"])
@pytest.mark.parametrize("receiving", [SUB, XSUB])
@pytest.mark.parametrize("sending", [PUB, XPUB])
async def test_everybody_gets_everything(virtual_network: VirtualNetwork, sending, receiving, how: str) -> None:
    net = virtual_network
    async with net.open_context("a") as a, net.open_context("b") as b, net.open_context("c") as c:
        publisher = a.socket(sending)
        subscribers = [ctx.socket(receiving) for ctx in (a, b, c, c)]
        for subscriber in subscribers:
            if isinstance(subscriber, SUB):
                subscriber.subscribe(b"")
            else:
                await subscriber.send(b"\1")
            await join(subscriber, how)
        await join(publisher, how)
        await publisher.wait_subscribers(b"any topic")
        for message in numbered(100):
            await publisher.send(message)
        for subscriber in subscribers:
            assert await take(subscriber, 100) == numbered(100)
        assert publisher.statistics().messages_sent == 100
        assert [subscriber.statistics().messages_received for subscriber in subscribers] == [100] * 4
        assert publisher.messages_dropped == 0


@pytest.mark.parametrize("seed", range(3))
async def test_on_a_bad_network_everything_arrives_in_order(seed: int, autojump_clock) -> None:
    async with VirtualNetwork(seed) as net, net.open_context("a") as a, net.open_context("b") as b:
        publisher, subscriber = a.socket(PUB, send_hwm=0), b.socket(SUB, topics=[""])
        await join(publisher)
        await join(subscriber)
        await subscriber.wait_peers() if seed == 0 else await trio.sleep(0.1)
        await publisher.send(b"first")
        assert bytes(await subscriber.receive()) == b"first"
        net.link("a", "b", loss=0.2, jitter=0.05)
        for message in numbered(200, 500):
            await publisher.send(message)
        assert await take(subscriber, 200) == numbered(200, 500)
        (row,) = subscriber.statistics().peers
        assert row.details["lost"] == row.messages_dropped == 0
        assert row.details["repairs"] > 5
        assert row.details["naks"] >= row.details["repairs"]
        (row,) = publisher.statistics().peers
        assert row.details["repairs"] > 5


async def test_what_is_lost_for_good_is_counted(virtual_network: VirtualNetwork) -> None:
    net = virtual_network
    async with net.open_context("a") as a, net.open_context("b") as b:
        publisher, subscriber = a.socket(PUB, recovery_interval=0, multicast_max_tpdu=200), b.socket(SUB, topics=[""])
        monitor = subscriber.monitor()
        await join(publisher)
        await join(subscriber)
        await publisher.send(b"first")
        assert bytes(await subscriber.receive()) == b"first"
        cut = net.partition("a", "b")
        for number in range(3):
            await publisher.send(b"lost %d" % number + b"x" * 100)
            await trio.sleep(0.01)
        net.heal(cut)
        await publisher.send(b"last" + b"x" * 100)
        assert bytes(await subscriber.receive()).startswith(b"last")
        (row,) = subscriber.statistics().peers
        assert (row.details["lost"], row.messages_dropped) == (3, 1)
        await wait_all_tasks_blocked()
        events = [event for event in drain(monitor) if isinstance(event, triomq.MessageDropped)]
        assert [(event.reason, event.count) for event in events] == [("lost", 1)]


async def test_a_late_joiner_hears_what_is_said_from_now_on(virtual_network: VirtualNetwork) -> None:
    net = virtual_network
    async with net.open_context("a") as a, net.open_context("b") as b:
        publisher = a.socket(PUB)
        await join(publisher)
        await publisher.send(b"early")
        await trio.sleep(1)
        subscriber = b.socket(SUB, topics=[""])
        await join(subscriber)
        await publisher.send(b"late")
        assert bytes(await subscriber.receive()) == b"late"


async def test_the_rate_is_kept_and_the_rest_waits_and_is_dropped_at_the_mark(virtual_network: VirtualNetwork) -> None:
    net = virtual_network
    async with net.open_context("a") as a, net.open_context("b") as b:
        publisher = a.socket(PUB, rate=100_000, send_hwm=50, linger=60)
        subscriber = b.socket(SUB, topics=[""])
        await join(subscriber)
        await join(publisher)
        began = trio.current_time()
        for number in range(100):
            await publisher.send(b"%d" % number + b"x" * 1400)
        (row,) = publisher.statistics().peers
        assert row.messages_sent + row.send_queue == row.messages_sent + 50
        assert row.messages_sent + row.send_queue + row.messages_dropped == 100
        assert row.messages_dropped == publisher.messages_dropped
        kept = 100 - row.messages_dropped
        got = await take(subscriber, kept)
        assert [int(bytes(message).rstrip(b"x")) for message in got] == list(range(kept))
        assert trio.current_time() - began == pytest.approx(50 * 1480 / 100_000, rel=0.2)
        assert row.send_hwm == 50


async def test_with_nodrop_a_sender_waits_and_a_cancelled_one_was_not_accepted(virtual_network: VirtualNetwork) -> None:
    net = virtual_network
    async with net.open_context("a") as a, net.open_context("b") as b:
        publisher = a.socket(XPUB, rate=100_000, send_hwm=5, xpub_nodrop=True, linger=60)
        subscriber = b.socket(SUB, topics=[""])
        await join(subscriber)
        await join(publisher)
        cancelled = 0
        for number in range(100):
            with trio.move_on_after(0.01) as patience:
                await publisher.send(b"%d" % number + b"x" * 1400)
            if patience.cancelled_caught:
                cancelled += 1
                await publisher.send(b"%d" % number + b"x" * 1400)
        got = await take(subscriber, 100)
        assert [int(bytes(message).rstrip(b"x")) for message in got] == list(range(100))
        assert cancelled > 10
        assert publisher.messages_dropped == 0


@pytest.mark.parametrize("linger", [math.inf, 0.3, 0])
async def test_closing_lingers_for_the_whole_backlog(virtual_network: VirtualNetwork, linger: float) -> None:
    net = virtual_network
    async with net.open_context("b") as b:
        subscriber = b.socket(SUB, topics=[""])
        await join(subscriber)
        async with net.open_context("a") as a:
            publisher = a.socket(PUB, rate=100_000, linger=linger)
            await join(publisher)
            for number in range(100):
                await publisher.send(b"%d" % number + b"x" * 1400)
            began = trio.current_time()
        took = trio.current_time() - began
        await trio.sleep(1)
        got = subscriber.statistics().messages_received
        assert got + publisher.messages_dropped == 100
        if linger == math.inf:
            assert got == 100
            assert took == pytest.approx(1.4 + 0.2, rel=0.1)
        else:
            assert took == pytest.approx(linger)
            assert got < 60


async def test_a_loss_of_the_last_datagram_is_repaired_although_the_publisher_closes(
    virtual_network: VirtualNetwork,
) -> None:
    net = virtual_network
    async with net.open_context("b") as b:
        subscriber = b.socket(SUB, topics=[""])
        await join(subscriber)
        async with net.open_context("a") as a:
            publisher = a.socket(PUB)
            await join(publisher)
            await publisher.send(b"first")
            assert bytes(await subscriber.receive()) == b"first"
            cut = net.partition("a", "b")
            await publisher.send(b"last")
            await wait_all_tasks_blocked()
            await trio.sleep(0.002)
            net.heal(cut)
        assert bytes(await subscriber.receive()) == b"last"


async def test_a_slow_subscriber_is_waited_for_by_nobody_and_misses_nothing(virtual_network: VirtualNetwork) -> None:
    net = virtual_network
    async with net.open_context("a") as a, net.open_context("b") as b:
        publisher, slow = a.socket(PUB), b.socket(SUB, topics=[""], receive_hwm=4)
        quick = b.socket(SUB, topics=[""])
        for socket in (slow, quick, publisher):
            await join(socket)
        for message in numbered(50):
            await publisher.send(message)
        assert await take(quick, 50) == numbered(50)
        await wait_all_tasks_blocked()
        (row,) = slow.statistics().peers
        assert (row.receive_queue, row.receive_hwm) == (4, 4)
        assert await take(slow, 50) == numbered(50)
        assert slow.messages_dropped == 0


async def test_conflate_keeps_the_newest(virtual_network: VirtualNetwork) -> None:
    net = virtual_network
    async with net.open_context("a") as a, net.open_context("b") as b:
        publisher, subscriber = a.socket(PUB), b.socket(SUB, topics=[""], conflate=True, receive_hwm=1)
        await join(subscriber)
        await join(publisher)
        for number in range(10):
            await publisher.send(b"%d" % number)
        await trio.sleep(1)
        assert bytes(await subscriber.receive()) == b"9"


async def test_a_message_that_is_too_large_is_skipped_and_counted(virtual_network: VirtualNetwork) -> None:
    net = virtual_network
    async with net.open_context("a") as a, net.open_context("b") as b:
        publisher, subscriber = a.socket(PUB), b.socket(SUB, topics=[""], max_message_size=100)
        await join(subscriber)
        await join(publisher)
        for size in (10, 5000, 20):
            await publisher.send(b"x" * size)
        assert [len(bytes(message)) for message in await take(subscriber, 2)] == [10, 20]
        assert subscriber.messages_dropped == 1


async def test_two_publishers_of_one_host_and_port_are_both_repaired(autojump_clock) -> None:
    """What is for this host comes to one of their ports by chance; it finds the right one."""
    async with VirtualNetwork(3) as net, net.open_context("a") as a, net.open_context("b") as b:
        publishers = [a.socket(PUB, send_hwm=0) for _ in range(4)]
        subscriber = b.socket(SUB, topics=[""])
        await join(subscriber)
        for publisher in publishers:
            await join(publisher)
        await subscriber.wait_peers(4)
        net.link("a", "b", loss=0.2)
        for number in range(50):
            for name, publisher in enumerate(publishers):
                await publisher.send([b"%d" % name, b"%d" % number])
                await trio.sleep(0.001)
        got = await take(subscriber, 200)
        for name in range(4):
            assert [int(body) for sender, body in got if int(sender) == name] == list(range(50))
        assert len({peer.address for peer in subscriber.peers}) == 4


async def test_monitors_tell_who_comes_and_goes(virtual_network: VirtualNetwork) -> None:
    net = virtual_network
    async with net.open_context("b") as b:
        subscriber = b.socket(SUB, topics=[""])
        monitor = subscriber.monitor()
        await join(subscriber, "bind")
        async with net.open_context("a") as a:
            publisher = a.socket(PUB)
            await join(publisher)
            await publisher.send(b"one")
            assert bytes(await subscriber.receive()) == b"one"
            (peer,) = subscriber.peers
            assert peer.socket_type == "PUB"
        await trio.sleep(11)
        assert subscriber.peers == ()
        events = [monitor.receive_nowait() for _ in range(4)]
        kinds = [triomq.Listening, triomq.Connected, triomq.HandshakeSucceeded, triomq.Disconnected]
        assert [type(event) for event in events] == kinds
        assert events[3].error is None
        assert {event.endpoint for event in events} == {GROUP}


async def test_a_silent_sender_is_forgotten_and_what_it_sent_is_received(virtual_network: VirtualNetwork) -> None:
    net = virtual_network
    async with net.open_context("b") as b:
        subscriber = b.socket(SUB, topics=[""])
        await join(subscriber)
        async with net.open_context("a") as a:
            publisher = a.socket(PUB)
            await join(publisher)
            await publisher.send(b"one")
            await trio.sleep(200)
            assert len(subscriber.peers) == 1  # it tells of itself every half minute
            monitor = subscriber.monitor()
            net.partition("a", "b")
            await trio.sleep(301)
            assert subscriber.peers == ()
            event = monitor.receive_nowait()
            assert isinstance(event, triomq.Disconnected)
            assert isinstance(event.error, triomq.SilentPeerError)
            assert bytes(await subscriber.receive()) == b"one"


async def test_a_crashed_publisher_comes_back_as_a_new_one(virtual_network: VirtualNetwork) -> None:
    net = virtual_network
    async with net.open_context("b") as b:
        subscriber = b.socket(SUB, topics=[""])
        await join(subscriber)
        for number in range(2):
            async with net.open_context("a") as a:
                publisher = a.socket(PUB)
                await join(publisher)
                await publisher.send(b"%d" % number)
                assert bytes(await subscriber.receive()) == b"%d" % number
                net.crash("a")
                await trio.sleep_forever()
            net.restart("a")
        assert len({peer.address for peer in subscriber.peers}) == 2


async def test_disconnecting_sends_what_is_queued_and_leaves(virtual_network: VirtualNetwork) -> None:
    net = virtual_network
    async with net.open_context("a") as a, net.open_context("b") as b:
        publisher, subscriber = a.socket(PUB, linger=60, rate=100_000), b.socket(SUB, topics=[""])
        await join(subscriber)
        await join(publisher)
        for number in range(40):
            await publisher.send(b"%d" % number + b"x" * 1400)
        publisher.disconnect(GROUP)
        assert publisher.endpoints == ()
        got = await take(subscriber, 40)
        assert [int(bytes(message).rstrip(b"x")) for message in got] == list(range(40))
        subscriber.disconnect(GROUP)
        assert subscriber.peers == ()
        await trio.sleep(1)
        assert publisher.peers == ()


@pytest.mark.parametrize("late", [False, True])
async def test_a_cancelled_receive_takes_nothing(virtual_network: VirtualNetwork, late: bool) -> None:
    net = virtual_network
    async with net.open_context("a") as a, net.open_context("b") as b:
        publisher, subscriber = a.socket(PUB), b.socket(SUB, topics=[""])
        await join(subscriber)
        await join(publisher)
        got: list[triomq.Message] = []
        for number in range(30):
            async with trio.open_nursery() as nursery:

                async def receive() -> None:
                    got.append(await subscriber.receive())

                nursery.start_soon(receive)
                await wait_all_tasks_blocked()
                await publisher.send(b"%d" % number)
                if late:
                    await trio.sleep(0.001)  # the datagram arrives about now
                nursery.cancel_scope.cancel()
            if len(got) <= number:
                got.append(await subscriber.receive())
        assert [bytes(message) for message in got] == [b"%d" % number for number in range(30)]
