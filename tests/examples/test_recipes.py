"""Recipes beside the patterns, in virtual time: roll call, mesh, discovery, bridges, envelopes, supervision."""

from __future__ import annotations

from functools import partial

import bridge
import directory
import linefront
import mdbroker
import mdp
import mesh
import psenvpub3
import psenvsub3
import pytest
import rollcallpub
import rollcallsub
import supervisor
import trio
import trio.testing

import triomq

# -- roll call ---------------------------------------------------------------------------------------


@pytest.mark.virtual_seeds(5)
async def test_every_subscriber_of_a_roll_call_gets_everything(virtual_network) -> None:
    """Through a proxy, where the publisher cannot see who is subscribed; the last one is a minute late."""
    net, counts = virtual_network, []

    async def forward(ctx) -> None:
        frontend, backend = ctx.socket(triomq.XSUB, receive_hwm=0), ctx.socket(triomq.XPUB, send_hwm=0)
        frontend.connect("tcp://publisher:5561")
        await backend.bind("tcp://*:5560")
        await triomq.proxy(frontend, backend)

    async def subscribe(host: str, seconds: float) -> None:
        await trio.sleep(seconds)
        async with net.open_context(host) as ctx:
            counts.append(await rollcallsub.count(ctx, "tcp://proxy:5560", "tcp://publisher:5562", host.encode()))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(net.run_on, "proxy", forward)
        async with trio.open_nursery() as programs:
            programs.start_soon(net.run_on, "publisher", rollcallpub.publish, "tcp://*:5561", "tcp://*:5562", 3, 2000)
            for host, seconds in [("one", 0), ("two", 1), ("three", 60)]:
                programs.start_soon(subscribe, host, seconds)
        nursery.cancel_scope.cancel()
    assert counts == [2000] * 3


# -- mesh --------------------------------------------------------------------------------------------

BROKERS = ["north", "south", "west"]


@pytest.fixture
def start_mesh(virtual_network, nursery):
    for host in BROKERS:
        others = [f"tcp://{other}:6003" for other in BROKERS if other != host]
        endpoints = ["tcp://*:6001", "tcp://*:6002", "tcp://*:6003"]
        nursery.start_soon(virtual_network.run_on, host, mesh.broker, *endpoints, others)


async def test_what_is_published_at_one_broker_arrives_once_at_all(virtual_network, triomq_context, start_mesh) -> None:
    subscribers = [triomq_context.socket(triomq.SUB, topics=[b"a"]) for _ in BROKERS]
    for host, subscriber in zip(BROKERS, subscribers, strict=True):
        subscriber.connect(f"tcp://{host}:6002")
    publishers = [triomq_context.socket(triomq.PUB) for _ in BROKERS]
    for host, publisher in zip(BROKERS, publishers, strict=True):
        publisher.connect(f"tcp://{host}:6001")
        await publisher.wait_subscribers(b"a")
    await trio.sleep(5)
    for host, publisher in zip(BROKERS, publishers, strict=True):
        await publisher.send([b"a", host.encode()])
        await publisher.send([b"b", b"for nobody"])
    await trio.sleep(5)
    for subscriber in subscribers:
        assert sorted(await subscriber.receive_many(10)) == [(b"a", host.encode()) for host in sorted(BROKERS)]
        with pytest.raises(trio.WouldBlock):
            subscriber.receive_nowait()


async def test_a_topic_that_nobody_wants_any_more_leaves_no_publisher(
    virtual_network, triomq_context, start_mesh
) -> None:
    """Two brokers wanted it, in turn; the publisher sends again only when one does."""
    publisher = triomq_context.socket(triomq.XPUB)
    publisher.connect("tcp://north:6001")
    subscribers = []
    for host in ("north", "south"):
        subscribers.append(triomq_context.socket(triomq.SUB, topics=[b"a"]))
        subscribers[-1].connect(f"tcp://{host}:6002")
        await trio.sleep(2)
    assert await publisher.receive() == (b"\x01a",)
    for subscriber in subscribers:
        with pytest.raises(trio.WouldBlock):
            publisher.receive_nowait()
        subscriber.unsubscribe(b"a")
        await trio.sleep(2)
    assert publisher.receive_nowait() == (b"\x00a",)


# -- discovery ---------------------------------------------------------------------------------------


async def test_a_client_follows_its_service_to_where_it_is(virtual_network, triomq_context, nursery) -> None:
    net = virtual_network

    async def offer(ctx, host: str) -> None:
        pull = ctx.socket(triomq.PULL)
        await pull.bind("tcp://*:7000")
        await directory.offer(ctx, "tcp://directory:6000", "work", f"tcp://{host}:7000")

    push = triomq_context.socket(triomq.PUSH)
    nursery.start_soon(directory.follow, triomq_context, "tcp://directory:6000", "work", push)
    nursery.start_soon(net.run_on, "directory", directory.serve, "tcp://*:6000")

    def found() -> set[str]:
        return {peer.endpoint for peer in push.peers}

    await trio.sleep(5)
    assert found() == set()
    for host in ("one", "two"):
        nursery.start_soon(net.run_on, host, partial(offer, host=host))
    await trio.sleep(5)
    assert found() == {"tcp://one:7000", "tcp://two:7000"}
    net.crash("one")
    await trio.sleep(2 * directory.TTL)
    assert found() == {"tcp://two:7000"}
    net.crash("directory", how="process")
    await trio.sleep(60)
    assert found() == {"tcp://two:7000"}  # it keeps what it has
    net.restart("directory")
    net.restart("one")
    await trio.sleep(10)
    assert found() == {"tcp://one:7000", "tcp://two:7000"}


# -- bridges -----------------------------------------------------------------------------------------


async def test_a_bridge_between_two_networks(virtual_network, nursery) -> None:
    """What is published inside goes out by PUSH; any two channels will do."""
    net = virtual_network
    async with net.open_context("inside") as inside, net.open_context("outside") as outside:
        publisher, pull = inside.socket(triomq.PUB), outside.socket(triomq.PULL)
        await publisher.bind("tcp://*:5001")
        await pull.bind("tcp://*:5002")
        async with net.open_context("gateway") as ctx:
            subscriber, push = ctx.socket(triomq.SUB, topics=[b""]), ctx.socket(triomq.PUSH)
            subscriber.connect("tcp://inside:5001")
            push.connect("tcp://outside:5002")
            nursery.start_soon(bridge.pump, subscriber, push)
            await publisher.wait_subscribers(b"")
            for number in range(100):
                await publisher.send(b"%d" % number)
            assert [int((await pull.receive()).text()) for _ in range(100)] == list(range(100))
            nursery.cancel_scope.cancel()


@pytest.mark.parametrize("size", [1, 7, 1000])
async def test_lines_become_messages_however_they_are_cut(autojump_clock, size) -> None:
    ours, theirs = trio.testing.memory_stream_pair()
    sender, receiver = trio.open_memory_channel(10)
    text = b"a one\r\nb two words\n\nc\n" + b"cut off"
    async with trio.open_nursery() as nursery:
        nursery.start_soon(bridge.read_lines, sender, theirs)
        for start in range(0, len(text), size):
            await ours.send_all(text[start : start + size])
        await ours.aclose()
    received = [receiver.receive_nowait() for _ in range(4)]
    assert received == [(b"a", b"one"), (b"b", b"two words"), (b"", b""), (b"c", b"")]


async def test_who_sends_no_end_of_a_line_is_cut_off(autojump_clock) -> None:
    ours, theirs = trio.testing.memory_stream_pair()
    sender, _ = trio.open_memory_channel(0)
    with trio.fail_after(1):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(bridge.read_lines, sender, theirs)
            await ours.send_all(b"x" * (bridge.LONGEST + 1))
            assert await ours.receive_some() == b""


@pytest.fixture
async def line(virtual_network, triomq_context, nursery):
    """A connection to the front, and workers behind it."""

    async def echo(body: mdp.Body) -> mdp.Body:
        return body

    nursery.start_soon(virtual_network.run_on, "broker", mdbroker.broker, "tcp://*:5555")
    nursery.start_soon(virtual_network.run_on, "worker", mdp.work, "tcp://broker:5555", b"echo", echo)
    await trio.sleep(1)
    ours, theirs = trio.testing.memory_stream_pair()
    nursery.start_soon(linefront.serve, triomq_context, "tcp://broker:5555", theirs)
    return ours


async def test_the_front_answers_lines(virtual_network, line) -> None:
    await line.send_all(b"echo Hello world\r\necho again\nech")
    await line.send_all(b"o and again\nnobody Hello\n")
    expected = b"OK Hello world\nOK again\nOK and again\nERROR nobody has answered\n"
    received = b""
    while len(received) < len(expected):
        received += await line.receive_some()
    assert received == expected


async def test_the_front_hangs_up_on_a_line_that_is_too_long(virtual_network, line) -> None:
    await line.send_all(b"echo " + b"x" * linefront.LONGEST)
    assert b"".join([data async for data in line]) == b"ERROR that line is too long\n"


# -- envelopes ---------------------------------------------------------------------------------------


async def test_answers_find_the_publisher_that_the_envelope_names(virtual_network, nursery, capsys) -> None:
    net = virtual_network
    for host in ("east", "west"):
        arguments = ["tcp://*:5563", "tcp://*:5564", f"tcp://{host}:5564"]
        nursery.start_soon(net.run_on, host, psenvpub3.publish, *arguments)
    publishers = ["tcp://east:5563", "tcp://west:5563"]
    for name in ("Ann", "Bob"):
        nursery.start_soon(net.run_on, name, psenvsub3.listen, name, publishers)
    await trio.sleep(10)
    lines = capsys.readouterr().out.splitlines()
    assert sorted(line for line in lines if "answers" in line) == [
        *["Ann answers: Thank you"] * 2,  # to each publisher once
        *["Bob answers: Thank you"] * 2,
    ]
    assert {line for line in lines if "says" in line} == {
        f"It rains, says tcp://{host}:5564" for host in ("east", "west")
    }


# -- supervision -------------------------------------------------------------------------------------


async def test_a_program_that_fails_now_and_then_runs_on(autojump_clock) -> None:
    runs = []

    async def fails_every_minute() -> None:
        runs.append(trio.current_time())
        await trio.sleep(20)
        if len(runs) < 100:
            raise OSError("now and then")

    await supervisor.supervise(fails_every_minute, restarts=5, period=60)
    assert len(runs) == 100


async def test_a_program_that_fails_too_often_fails_its_supervisor(autojump_clock) -> None:
    runs = []

    async def fails_at_once() -> None:
        runs.append(trio.current_time())
        raise OSError("always")

    with pytest.raises(OSError, match="always"):
        await supervisor.supervise(fails_at_once, restarts=5, period=60)
    assert len(runs) == 6


async def test_supervisors_are_supervised(autojump_clock, capsys) -> None:
    """A child that fails too often restarts the group above it, which restarts its other children, too."""
    begun = []

    async def steady() -> None:
        begun.append("steady")
        await trio.sleep_forever()

    async def fragile() -> None:
        begun.append("fragile")
        if begun.count("steady") < 3:
            raise OSError("not yet")

    async def group() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(steady)
            await trio.testing.wait_all_tasks_blocked()
            await supervisor.supervise(fragile, restarts=2)
            nursery.cancel_scope.cancel()

    await supervisor.supervise(group)
    assert begun.count("steady") == 3
    assert begun.count("fragile") == 7


async def test_cancellation_is_no_failure(autojump_clock) -> None:
    with trio.move_on_after(5) as scope:
        await supervisor.supervise(trio.sleep_forever)
    assert scope.cancelled_caught
