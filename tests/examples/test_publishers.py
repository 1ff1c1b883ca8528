"""Last value cache and suicidal snail, in virtual time."""

from __future__ import annotations

import random

import lvcache
import pathopub
import pytest
import suisnail
import trio

import triomq

from .trouble import trouble

CACHE = "tcp://cache:5558"
SUBSCRIBER = {"heartbeat_interval": 1, "heartbeat_timeout": 1, "connect_timeout": 1, "reconnect_interval_max": 1}


@pytest.fixture
async def publisher(virtual_network, nursery) -> triomq.PUB:
    """A publisher that the cache has subscribed to, by hand."""
    net = virtual_network
    nursery.start_soon(net.run_on, "cache", lvcache.cache, "tcp://publisher:5557", "tcp://*:5558")
    async with net.open_context("publisher") as ctx:
        publisher = ctx.socket(triomq.PUB)
        await publisher.bind("tcp://*:5557")
        await publisher.wait_subscribers(b"")
        yield publisher


async def test_a_late_subscriber_of_any_topic_gets_its_last_value_at_once(
    virtual_network, triomq_context, nursery
) -> None:
    net = virtual_network
    nursery.start_soon(net.run_on, "cache", lvcache.cache, "tcp://publisher:5557", "tcp://*:5558")
    nursery.start_soon(net.run_on, "publisher", pathopub.publish, "tcp://*:5557", random.Random(1), 3600)
    await trio.sleep(10)
    start = trio.current_time()
    for topic in (b"000", b"042", b"999"):
        async with triomq_context.socket(triomq.SUB, topics=[topic]) as subscriber:
            subscriber.connect(CACHE)
            assert await subscriber.receive() == (topic, b"Save Roger")
    assert trio.current_time() - start < 0.1


async def test_the_newest_counts_and_a_prefix_gets_all_below_it(publisher, triomq_context) -> None:
    for value in (b"old", b"new"):
        for topic in (b"a.x", b"a.y", b"b"):
            await publisher.send([topic, value])
    await trio.sleep(1)
    subscriber = triomq_context.socket(triomq.SUB, topics=[b"a."])
    subscriber.connect(CACHE)
    assert {await subscriber.receive() for _ in range(2)} == {(b"a.x", b"new"), (b"a.y", b"new")}
    await trio.sleep(1)
    with pytest.raises(trio.WouldBlock):
        subscriber.receive_nowait()


async def test_the_second_subscriber_of_a_topic_gets_it_too(publisher, triomq_context) -> None:
    await publisher.send([b"a", b"1"])
    subscribers = []
    for _ in range(3):  # the first ones stay
        subscribers.append(triomq_context.socket(triomq.SUB, topics=[b"a"]))
        subscribers[-1].connect(CACHE)
        with trio.fail_after(1):
            assert await subscribers[-1].receive() == (b"a", b"1")


@pytest.mark.virtual_seeds(10)
async def test_what_a_subscriber_knows_never_goes_back_and_becomes_right(
    virtual_network, publisher, triomq_context, triomq_seed
) -> None:
    """Whatever happens between it and the cache."""
    subscriber = triomq_context.socket(triomq.SUB, topics=[b"count"], **SUBSCRIBER)
    subscriber.connect(CACHE)
    seen = [-1]

    async def listen() -> None:
        async for _, value in subscriber:
            assert int(value) >= seen[-1]
            seen.append(int(value))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(listen)
        async with trio.open_nursery() as bad:
            bad.start_soon(trouble, virtual_network, triomq_seed, ["localhost"], 3, "cut off", "stand still")
            for number in range(100):
                await publisher.send([b"count", b"%d" % number])
                await trio.sleep(0.5)
            bad.cancel_scope.cancel()
        virtual_network.heal()
        virtual_network.resume("localhost")
        await trio.sleep(10)
        assert seen[-1] == 99
        nursery.cancel_scope.cancel()


# -- suicidal snail ----------------------------------------------------------------------------------


async def test_the_snail_ends_when_it_is_a_second_behind(virtual_network, triomq_context, nursery) -> None:
    nursery.start_soon(virtual_network.run_on, "publisher", suisnail.publish, "tcp://*:5556", trio.current_time, 0.01)
    start = trio.current_time()
    with pytest.raises(trio.TooSlowError, match=r"a message is 1\.\d s old"):
        await suisnail.crawl(triomq_context, "tcp://publisher:5556", 0.02, trio.current_time)
    assert trio.current_time() - start == pytest.approx(2, abs=0.2)  # it loses one second in two


async def test_a_quick_subscriber_lives(virtual_network, triomq_context, nursery) -> None:
    nursery.start_soon(virtual_network.run_on, "publisher", suisnail.publish, "tcp://*:5556", trio.current_time, 0.01)
    with trio.move_on_after(10) as scope:
        await suisnail.crawl(triomq_context, "tcp://publisher:5556", 0.005, trio.current_time)
    assert scope.cancelled_caught


async def test_what_stood_still_for_too_long_ends_too(virtual_network, triomq_context, nursery) -> None:
    nursery.start_soon(virtual_network.run_on, "publisher", suisnail.publish, "tcp://*:5556", trio.current_time, 0.01)

    async def stand_still() -> None:
        await trio.sleep(1)
        virtual_network.pause("localhost")
        await trio.sleep(1.5)
        virtual_network.resume("localhost")

    nursery.start_soon(stand_still)
    with trio.fail_after(5), pytest.raises(trio.TooSlowError, match="cannot keep up"):
        await suisnail.crawl(triomq_context, "tcp://publisher:5556", 0.005, trio.current_time)
