"""Clone in virtual time: every client ends up with what the active server has, whatever happened meanwhile."""

from __future__ import annotations

import random
from functools import partial

import clonesrv6
import pytest
import trio
from clone import HUGZ, ICANHAZ, KTHXBAI, SILENCE, Hashmap, Server, Update
from clonecli6 import Clone

import triomq

from .trouble import kill, lose_power

pytestmark = pytest.mark.usefixtures("seeded_uuids")

SERVERS = [Server.at("primary", 5556), Server.at("backup", 5556)]
PEER = {"primary": "backup", "backup": "primary"}


async def serve(ctx, host: str) -> None:
    states = "tcp://*:5003", f"tcp://{PEER[host]}:5003"
    here, there = Server.at("*", 5556), Server.at(PEER[host], 5556)
    await clonesrv6.serve(ctx, here, there, states, primary=host == "primary")


@pytest.fixture
def start(virtual_network, nursery):
    def start(*hosts: str) -> None:
        for host in hosts:
            nursery.start_soon(virtual_network.run_on, host, partial(serve, host=host))

    return start


@pytest.fixture
def clone_on(virtual_network, nursery):
    """Run a clone on a host. Returns: the clone."""

    async def start_clone(host: str, subtree: bytes = b"", servers: list[Server] = SERVERS) -> Clone:
        started = trio.Event()
        clones = []

        async def run(ctx) -> None:
            clones.append(Clone(ctx, servers, subtree))
            started.set()
            await clones[0].run()

        nursery.start_soon(virtual_network.run_on, host, run)
        await started.wait()
        return clones[0]

    return start_clone


async def test_clients_share_their_values(start, clone_on) -> None:
    start("primary", "backup")
    first, second = await clone_on("first"), await clone_on("second")
    await trio.sleep(10)
    await first.set(b"a", b"1")
    await second.set(b"b", b"2")
    await trio.sleep(1)
    assert first.values == second.values == {b"a": b"1", b"b": b"2"}
    late = await clone_on("late")
    await trio.sleep(10)
    assert late.values == first.values
    await late.set(b"a", b"")
    await trio.sleep(1)
    assert first.values == second.values == late.values == {b"b": b"2"}


async def test_a_client_of_a_subtree_gets_nothing_else(start, clone_on) -> None:
    start("primary", "backup")
    everything, part = await clone_on("everything"), await clone_on("part", b"/part/")
    await everything.set(b"/else/x", b"1")
    await everything.set(b"/part/x", b"1")
    await trio.sleep(10)
    await everything.set(b"/else/y", b"2")
    await everything.set(b"/part/y", b"2")
    await trio.sleep(1)
    assert len(everything.values) == 4
    assert part.values == {b"/part/x": b"1", b"/part/y": b"2"}


async def test_a_value_goes_by_itself_also_when_its_server_has_died(virtual_network, start, clone_on) -> None:
    start("primary", "backup")
    clone = await clone_on("client")
    await trio.sleep(10)
    await clone.set(b"short", b"1", ttl=5)
    await clone.set(b"long", b"1", ttl=60)
    await clone.set(b"for ever", b"1")
    await trio.sleep(4)
    assert set(clone.values) == {b"short", b"long", b"for ever"}
    await trio.sleep(3)
    assert set(clone.values) == {b"long", b"for ever"}
    virtual_network.crash("primary")
    await trio.sleep(40)
    assert set(clone.values) == {b"long", b"for ever"}
    await trio.sleep(20)
    assert set(clone.values) == {b"for ever"}


@pytest.mark.parametrize("how", ["process", "power"])
async def test_the_backup_has_it_all_and_so_has_who_comes_back(virtual_network, start, clone_on, how) -> None:
    net = virtual_network
    start("primary", "backup")
    clone = await clone_on("client")
    await trio.sleep(10)
    for number in range(100):
        await clone.set(b"%d" % number, b"x")
    net.crash("primary", how=how)  # before it has published anything of that, or anybody knows
    await trio.sleep(15)
    assert len(clone.values) == 100
    net.restart("primary")
    await trio.sleep(15)
    await clone.set(b"more", b"y")
    await trio.sleep(1)
    net.crash("backup", how=how)
    await trio.sleep(15)
    assert len(clone.values) == 101


@pytest.mark.virtual_seeds(5)
async def test_nothing_old_comes_back_when_a_server_takes_over(virtual_network, start, clone_on) -> None:
    """A server that has just begun is told of updates that its peer has published already."""
    net = virtual_network
    start("primary", "backup")
    clone = await clone_on("client")
    await trio.sleep(10)
    net.crash("backup", how="process")
    net.restart("backup")
    for number in range(100):
        await clone.set(b"key", b"old %d" % number)
        await trio.sleep(0.03)
    await trio.sleep(5)
    await clone.set(b"key", b"new")
    await trio.sleep(5)
    net.crash("primary", how="process")
    await trio.sleep(15)
    assert clone.values == {b"key": b"new"}


@pytest.mark.virtual_seeds(10)
async def test_all_agree_after_any_crashes(virtual_network, triomq_seed, start, clone_on) -> None:
    """One server at a time, and clients: numbers never go back while a server lives, and in the end all are equal."""
    net, dice = virtual_network, random.Random(triomq_seed)
    start("primary", "backup")
    clones = [await clone_on(host) for host in ("one", "two", "three")]

    async def crash_in_turns() -> None:
        while True:
            await trio.sleep(dice.uniform(5, 30))
            fault, host = dice.choice([kill, lose_power]), dice.choice(["primary", "backup"])
            await fault(net, host, dice.uniform(0.1, 20))

    async def write(clone: Clone) -> None:
        for number in range(50):
            await clone.set(b"%d" % dice.randrange(20), b"%d" % number if dice.random() < 0.8 else b"")
            await trio.sleep(dice.uniform(0, 3))

    async with trio.open_nursery() as crashes:
        crashes.start_soon(crash_in_turns)
        async with trio.open_nursery() as writers:
            for clone in clones:
                writers.start_soon(write, clone)
        crashes.cancel_scope.cancel()
    for host in PEER:
        net.restart(host)
    await trio.sleep(60)
    for number, clone in enumerate(clones):
        await clone.set(b"last of %d" % number, b"x")
    late = await clone_on("late")
    await trio.sleep(20)
    values = [dict(clone.values) for clone in [*clones, late]]
    assert values[0] == values[1] == values[2] == values[3]
    assert {b"last of 0", b"last of 1", b"last of 2"} <= set(values[0])


async def test_a_client_that_missed_an_update_begins_again(virtual_network, triomq_context, clone_on, capsys) -> None:
    """The server by hand: after a snapshot at 7 it publishes 8, and then 10."""
    async with virtual_network.open_context("server") as ctx:
        publisher, snapshots = ctx.socket(triomq.PUB), ctx.socket(triomq.ROUTER)
        await publisher.bind("tcp://*:5557")
        await snapshots.bind("tcp://*:5556")
        clone = await clone_on("client", servers=[Server.at("server", 5556)])
        for sequence in (7, 10):
            await publisher.wait_subscribers(HUGZ)
            await publisher.send(Update(HUGZ, sequence=sequence).frames())
            client, *request = await snapshots.receive()
            assert request == [ICANHAZ, b""]
            await snapshots.send([client, *Update(b"key", b"%d" % sequence, sequence - 3).frames()])
            await snapshots.send([client, *Update(KTHXBAI, b"", sequence).frames()])
            await trio.sleep(1)
            assert clone.values == {b"key": b"%d" % sequence}
            if sequence == 7:
                await publisher.send(Update(b"key", b"6", 6).frames())  # older than the snapshot
                await publisher.send(Update(b"key", b"8", 8).frames())
                await publisher.send(Update(HUGZ, sequence=8).frames())
                await trio.sleep(1)
                assert clone.values == {b"key": b"8"}
                await publisher.send(Update(b"else", b"10", 10).frames())
                await trio.sleep(1)
                assert b"else" not in clone.values


async def test_no_update_falls_between_subscription_and_snapshot(virtual_network, clone_on) -> None:
    """The way to the publisher is long; an update is published at the moment of the snapshot, and never again."""
    net = virtual_network
    net.link("client", "far", latency=0.3)
    async with net.open_context("far") as far, net.open_context("near") as near, trio.open_nursery() as nursery:
        publisher, snapshots = far.socket(triomq.PUB), near.socket(triomq.ROUTER)
        await publisher.bind("tcp://*:5557")
        await snapshots.bind("tcp://*:5556")
        clone = await clone_on("client", servers=[Server("tcp://near:5556", "tcp://far:5557", "tcp://far:5558")])

        async def hug() -> None:
            while True:
                await publisher.send(Update(HUGZ).frames())
                await trio.sleep(1)

        nursery.start_soon(hug)
        client, *_ = await snapshots.receive()
        await publisher.send(Update(b"key", b"6", 6).frames())
        await snapshots.send([client, *Update(KTHXBAI, b"", 5).frames()])
        await trio.sleep(2)
        assert clone.values == {b"key": b"6"}
        nursery.cancel_scope.cancel()


async def test_a_silent_server_is_left(virtual_network, start, clone_on) -> None:
    start("backup")
    virtual_network.link("primary", "backup")
    clone = await clone_on("client")
    await trio.sleep(3 * SILENCE)
    assert clone.values == {}  # the backup alone does not know whether it may answer
    start("primary")
    await trio.sleep(4 * SILENCE)
    await clone.set(b"a", b"1")
    await trio.sleep(1)
    assert clone.values == {b"a": b"1"}


@pytest.mark.parametrize(
    "nonsense",
    [
        [b"x"],
        *([b"k", b"", b"u", b"ttl=" + ttl, b"v"] for ttl in (b"soon", b"-1", b"inf", b"nan")),
        Update(HUGZ, b"x").frames(),
        Update(KTHXBAI, b"x").frames(),
    ],
)
async def test_what_a_client_makes_up_changes_nothing(triomq_context, start, clone_on, nonsense) -> None:
    start("primary", "backup")
    clone = await clone_on("client")
    await trio.sleep(10)
    publisher = triomq_context.socket(triomq.PUB)
    publisher.connect(SERVERS[0].collector)
    await publisher.wait_subscribers(b"")
    await publisher.send(nonsense)
    await clone.set(b"a", b"1")
    await trio.sleep(1)
    assert clone.values == {b"a": b"1"}


async def test_an_update_as_the_standard_has_it(autojump_clock) -> None:
    update = Update(b"key", b"value", 258, b"u" * 16, 30)
    assert update.frames() == [b"key", b"\0\0\0\0\0\0\1\2", b"u" * 16, b"ttl=30\n", b"value"]
    assert Update.parse(triomq.Message(update.frames())) == update
    hashmap = Hashmap()
    hashmap.store(update)
    hashmap.store(update._replace(sequence=259, ttl=0))
    assert (hashmap, hashmap.sequence, hashmap.expiry) == ({b"key": b"value"}, 259, {})
