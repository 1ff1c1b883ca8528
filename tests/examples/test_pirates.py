"""The pirates in virtual time: clients get every reply, whatever happens to servers, workers and queues."""

from __future__ import annotations

import random
from functools import partial

import lpclient
import lpserver
import ppqueue
import ppworker
import pytest
import spqueue
import spworker
import trio

import triomq

from .trouble import trouble

QUEUE = "tcp://queue:5555", "tcp://queue:5556"


# -- lazy pirate -------------------------------------------------------------------------------------


@pytest.mark.virtual_seeds(10)
async def test_the_lazy_pirate_gets_its_replies_from_a_server_in_trouble(
    virtual_network, triomq_context, triomq_seed, nursery
) -> None:
    nursery.start_soon(virtual_network.run_on, "server", partial(lpserver.serve, endpoint="tcp://*:5555", work=0.1))
    nursery.start_soon(trouble, virtual_network, triomq_seed, ["server"], 2)
    await lpclient.count(triomq_context, "tcp://server:5555", 50, seconds=1, tries=10)


@pytest.mark.virtual_seeds(10)
async def test_the_lazy_pirates_server_crashes_when_its_dice_say_so(
    virtual_network, triomq_context, triomq_seed, nursery
) -> None:
    crashes = []

    async def start_again_and_again(ctx) -> None:
        dice = random.Random(triomq_seed)
        while True:
            await lpserver.serve(ctx, "tcp://*:5555", 0.1, dice)
            crashes.append(trio.current_time())

    nursery.start_soon(virtual_network.run_on, "server", start_again_and_again)
    await lpclient.count(triomq_context, "tcp://server:5555", 60, seconds=1)
    assert crashes


async def test_the_lazy_pirate_gives_up_in_time(virtual_network, triomq_context) -> None:
    req = lpclient.connect(triomq_context, "tcp://nobody:5555")
    start = trio.current_time()
    with pytest.raises(trio.TooSlowError, match=r"no reply in 3 × 2\.5 s"):
        await lpclient.ask(req, b"?")
    assert trio.current_time() - start == pytest.approx(7.5)


async def test_a_late_reply_is_not_taken_for_the_next_one(virtual_network, triomq_context, nursery) -> None:
    async def late(ctx) -> None:
        async with ctx.socket(triomq.REP) as rep:
            await rep.bind("tcp://*:5555")
            await rep.receive()
            await trio.sleep(1.5)
            await rep.send(b"late")
            async for request in rep:
                await rep.send(b"to " + bytes(request))

    nursery.start_soon(virtual_network.run_on, "server", late)
    req = lpclient.connect(triomq_context, "tcp://server:5555")
    assert bytes(await lpclient.ask(req, b"one", seconds=1)) == b"to one"
    assert bytes(await lpclient.ask(req, b"two", seconds=1)) == b"to two"


# -- simple pirate -----------------------------------------------------------------------------------


@pytest.mark.virtual_seeds(10)
async def test_the_simple_pirate_survives_what_happens_to_workers(
    virtual_network, triomq_context, triomq_seed, nursery
) -> None:
    net = virtual_network
    nursery.start_soon(net.run_on, "queue", spqueue.queue, "tcp://*:5555", "tcp://*:5556")
    workers = ["one", "two", "three"]
    for host in workers:
        nursery.start_soon(net.run_on, host, partial(spworker.work, endpoint=QUEUE[1], seconds=0.1))
    nursery.start_soon(trouble, net, triomq_seed, workers, 2)
    await lpclient.count(triomq_context, QUEUE[0], 50, seconds=2, tries=10)


async def test_a_worker_that_has_left_costs_no_request(virtual_network, triomq_context, nursery) -> None:
    """The client does not even notice: its first try is answered."""
    net = virtual_network
    nursery.start_soon(net.run_on, "queue", spqueue.queue, "tcp://*:5555", "tcp://*:5556")
    for host in ("one", "two", "three"):
        nursery.start_soon(net.run_on, host, partial(spworker.work, endpoint=QUEUE[1], seconds=0.1))
        await net.happens("established", host=host)
    await trio.sleep(1)
    net.crash("one", how="process")
    net.crash("two", how="process")
    await trio.sleep(1)
    req = lpclient.connect(triomq_context, QUEUE[0])
    for _ in range(3):
        assert bytes(await lpclient.ask(req, b"?", seconds=1, tries=1)) == b"?"


async def test_workers_take_turns_and_a_busy_one_gets_nothing(virtual_network, triomq_context, nursery) -> None:
    net, done = virtual_network, []

    async def worker(ctx, name: bytes, seconds: float) -> None:
        async with ctx.socket(triomq.REQ) as req:
            req.connect(QUEUE[1])
            request = await req.request(b"\x01")
            while True:
                await trio.sleep(seconds)
                done.append(name)
                request = await req.request([request[0], b"", name])

    async def ask_once() -> None:
        async with lpclient.connect(triomq_context, QUEUE[0]) as client:
            await client.request(b"?")

    nursery.start_soon(net.run_on, "queue", spqueue.queue, "tcp://*:5555", "tcp://*:5556")
    nursery.start_soon(net.run_on, "slow", worker, b"slow", 10.0)
    await net.happens("established", host="slow")
    nursery.start_soon(net.run_on, "fast", worker, b"fast", 0.1)
    await trio.sleep(1)
    async with trio.open_nursery() as clients:
        for _ in range(10):
            clients.start_soon(ask_once)
    assert done == [b"fast"] * 9 + [b"slow"]


# -- paranoid pirate ---------------------------------------------------------------------------------


@pytest.fixture
def start_paranoid(virtual_network, nursery):
    def start(*workers: str, seconds: float = 0.1) -> None:
        net = virtual_network
        nursery.start_soon(net.run_on, "queue", ppqueue.queue, "tcp://*:5555", "tcp://*:5556")
        for host in workers:
            nursery.start_soon(net.run_on, host, partial(ppworker.work, endpoint=QUEUE[1], seconds=seconds))

    return start


@pytest.mark.virtual_seeds(10)
async def test_the_paranoid_pirate_survives_what_happens_to_anybody(
    virtual_network, triomq_context, triomq_seed, nursery, start_paranoid
) -> None:
    """The queue as well: workers notice, and come back. What one fault costs is bounded by the client's patience."""
    start_paranoid("one", "two", "three")
    nursery.start_soon(trouble, virtual_network, triomq_seed, ["queue", "one", "two", "three"], 5)
    await lpclient.count(triomq_context, QUEUE[0], 50, seconds=2, tries=50)


async def test_a_dead_idle_worker_gets_no_request_after_three_heartbeats(
    virtual_network, triomq_context, start_paranoid
) -> None:
    net = virtual_network
    start_paranoid("one", "two")
    await trio.sleep(2)
    net.crash("one")  # its power: nobody is told
    await trio.sleep(4.5)
    req = lpclient.connect(triomq_context, QUEUE[0])
    for _ in range(4):
        assert bytes(await lpclient.ask(req, b"?", seconds=1, tries=1)) == b"?"


async def test_a_worker_that_works_longer_than_heartbeats_last_is_not_lost(
    virtual_network, triomq_context, start_paranoid
) -> None:
    start_paranoid("one", seconds=20)
    req = lpclient.connect(triomq_context, QUEUE[0])
    await trio.sleep(1)
    start = trio.current_time()
    for _ in range(3):
        await req.request(b"?")
    assert trio.current_time() - start == pytest.approx(60, abs=1)


async def test_a_worker_waits_longer_and_longer_for_a_queue(virtual_network, start_paranoid, capsys) -> None:
    start_paranoid("one")
    await trio.sleep(2)
    virtual_network.crash("queue", how="process")
    await trio.sleep(200)
    waits = [int(line.split()[-2]) for line in capsys.readouterr().out.splitlines() if "silent" in line]
    assert waits == [1, 2, 4, 8, 16, 32, 32, 32, 32, 32]
