"""The guide's patterns (examples/patterns) with peers of libzmq that say what the guide's programs say."""

from __future__ import annotations

import socket
from contextlib import ExitStack

import bstar
import clonesrv6
import flclient3
import flserver3
import lpclient
import lvcache
import mdbroker
import mdp
import ppqueue
import ppworker
import pytest
import spqueue
import spworker
import titanic
import trio
from clone import Server
from clonecli6 import Clone
from mdp import CLIENT, WORKER, Command

import triomq

from .libzmq import Peer, Theirs
from .pairs import until

pytestmark = pytest.mark.interop


@pytest.fixture
async def background():
    """Our programs, which run until the test is over."""
    async with trio.open_nursery() as nursery:
        yield nursery
        nursery.cancel_scope.cancel()


@pytest.fixture
def free():
    """So many endpoints that were free a moment ago."""

    def find(n: int) -> list[str]:
        with ExitStack() as stack:
            sockets = [stack.enter_context(socket.socket()) for _ in range(n)]
            for sock in sockets:
                sock.bind(("127.0.0.1", 0))
            return [f"tcp://127.0.0.1:{sock.getsockname()[1]}" for sock in sockets]

    return find


async def connected(peer: Peer, kind: str, endpoint: str, **options: object) -> Theirs:
    theirs = await peer.socket(kind, **options)
    await theirs.connect(endpoint)
    return theirs


async def bound(peer: Peer, kind: str, endpoint: str, **options: object) -> Theirs:
    theirs = await peer.socket(kind, **options)
    await theirs.bind(endpoint)
    return theirs


async def but_for(theirs: Theirs, *unwanted: bytes) -> tuple[bytes, ...]:
    """The next message that does not end with one of these: a heartbeat comes when it comes."""
    while (message := await theirs.receive())[-1] in unwanted:
        pass
    return message


# -- pirates -----------------------------------------------------------------------------------------


async def test_a_simple_pirate_worker_and_client_of_libzmq(ctx, peer, background, free) -> None:
    frontend, backend = free(2)
    background.start_soon(spqueue.queue, ctx, frontend, backend)
    client, worker = await connected(peer, "REQ", frontend), await connected(peer, "REQ", backend)
    await worker.send(spqueue.READY)
    for body in (b"1", b"2"):
        await client.send(body)
        name, delimiter, request = await worker.receive()
        assert (delimiter, request) == (b"", body)
        await worker.send([name, b"", b"reply to " + body])
        assert await client.receive() == (b"reply to " + body,)


async def test_a_simple_pirate_queue_of_libzmq(ctx, peer, background, free) -> None:
    (backend,) = free(1)
    queue = await bound(peer, "ROUTER", backend)
    background.start_soon(spworker.work, ctx, backend, 0.0)
    worker, *ready = await queue.receive()
    assert ready == [b"", spworker.READY]
    await queue.send([worker, b"", b"client", b"", b"request"])
    assert await queue.receive() == (worker, b"", b"client", b"", b"request")


async def test_a_paranoid_pirate_worker_of_libzmq(ctx, peer, background, free) -> None:
    frontend, backend = free(2)
    background.start_soon(ppqueue.queue, ctx, frontend, backend)
    worker = await connected(peer, "DEALER", backend)
    await worker.send(ppqueue.READY)
    assert await worker.receive() == (ppqueue.HEARTBEAT,)
    await worker.send(ppqueue.HEARTBEAT)
    client = await connected(peer, "REQ", frontend)
    await client.send(b"request")
    name, delimiter, body = await but_for(worker, ppqueue.HEARTBEAT)
    assert (delimiter, body) == (b"", b"request")
    await worker.send([name, b"", b"reply"])
    assert await client.receive() == (b"reply",)


async def test_a_paranoid_pirate_queue_of_libzmq(ctx, peer, background, free) -> None:
    (backend,) = free(1)
    queue = await bound(peer, "ROUTER", backend)
    background.start_soon(ppworker.work, ctx, backend, 0.0)
    worker, ready = await queue.receive()
    assert ready == ppworker.READY
    assert await queue.receive() == (worker, ppworker.HEARTBEAT)
    await queue.send([worker, ppworker.HEARTBEAT])
    await queue.send([worker, b"client", b"", b"request"])
    assert await but_for(queue, ppworker.HEARTBEAT) == (worker, b"client", b"", b"request")


# -- Majordomo and Titanic ---------------------------------------------------------------------------


async def test_a_majordomo_worker_and_client_of_libzmq(ctx, peer, background, free) -> None:
    (endpoint,) = free(1)
    background.start_soon(mdbroker.broker, ctx, endpoint)
    worker, client = await connected(peer, "DEALER", endpoint), await connected(peer, "REQ", endpoint)
    await worker.send([b"", WORKER, Command.READY, b"echo"])
    assert await worker.receive() == (b"", WORKER, Command.HEARTBEAT)
    await client.send([CLIENT, b"mmi.service", b"echo"])
    assert await client.receive() == (CLIENT, b"mmi.service", b"200")
    await client.send([CLIENT, b"echo", b"request"])
    *envelope, name, delimiter, body = await but_for(worker, Command.HEARTBEAT)
    assert (envelope, delimiter, body) == ([b"", WORKER, Command.REQUEST], b"", b"request")
    await worker.send([b"", WORKER, Command.REPLY, name, b"", b"reply"])
    assert await client.receive() == (CLIENT, b"echo", b"reply")


async def test_a_majordomo_broker_of_libzmq(ctx, peer, background, free) -> None:
    (endpoint,) = free(1)
    broker = await bound(peer, "ROUTER", endpoint)

    async def handle(body: mdp.Body) -> mdp.Body:
        return [*body, b"done"]

    background.start_soon(mdp.work, ctx, endpoint, b"echo", handle)
    worker, *ready = await broker.receive()
    assert ready == [b"", WORKER, Command.READY, b"echo"]
    await broker.send([worker, b"", WORKER, Command.HEARTBEAT])
    assert await broker.receive() == (worker, b"", WORKER, Command.HEARTBEAT)
    await broker.send([worker, b"", WORKER, Command.REQUEST, b"client", b"", b"request"])
    assert await but_for(broker, Command.HEARTBEAT) == (
        worker, b"", WORKER, Command.REPLY, b"client", b"", b"request", b"done"
    )  # fmt: skip
    await broker.send([worker, b"", WORKER, Command.DISCONNECT])
    again, *ready = await but_for(broker, Command.HEARTBEAT)
    assert ready == [b"", WORKER, Command.READY, b"echo"]
    assert again != worker  # a new connection


async def test_a_majordomo_client_at_a_broker_of_libzmq(ctx, peer, background, free) -> None:
    (endpoint,) = free(1)
    broker = await bound(peer, "ROUTER", endpoint)
    replies = []

    async def ask() -> None:
        async with mdp.connect(ctx, endpoint) as client:
            replies.append(await mdp.ask(client, b"echo", [b"a", b"b"], seconds=60))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask)
        client, *request = await broker.receive()
        assert request == [b"", CLIENT, b"echo", b"a", b"b"]
        await broker.send([client, b"", CLIENT, b"echo", b"reply"])
    assert replies == [[b"reply"]]


async def test_a_titanic_client_of_libzmq(ctx, peer, background, free, tmp_path) -> None:
    (endpoint,) = free(1)

    async def echo(body: mdp.Body) -> mdp.Body:
        return body

    background.start_soon(mdbroker.broker, ctx, endpoint)
    background.start_soon(titanic.serve, ctx, endpoint, tmp_path)
    background.start_soon(mdp.work, ctx, endpoint, b"echo", echo)
    client = await connected(peer, "REQ", endpoint)

    async def ask(service: bytes, *body: bytes) -> tuple[bytes, ...]:
        await client.send([CLIENT, service, *body])
        header, name, *reply = await client.receive()
        assert (header, name) == (CLIENT, service)
        return tuple(reply)

    ok, number = await ask(b"titanic.request", b"echo", b"Hello")
    assert ok == b"200"
    reply = None
    while reply is None or reply == (b"300",):
        reply = await ask(b"titanic.reply", number)
    assert reply == (b"200", b"Hello")
    assert await ask(b"titanic.close", number) == (b"200",)
    assert await ask(b"titanic.reply", number) == (b"400",)


# -- freelance and binary star -----------------------------------------------------------------------


async def test_a_freelance_server_of_libzmq(ctx, peer, background, free) -> None:
    (endpoint,) = free(1)
    server = await bound(peer, "ROUTER", endpoint, routing_id=endpoint.encode())
    freelance = flclient3.Freelance(ctx, [endpoint])
    background.start_soon(freelance.run)
    client, ping = await server.receive()
    assert ping == b"PING"
    await server.send([client, b"PONG"])
    answers = []

    async def ask() -> None:
        answers.append(await freelance.ask(b"request"))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask)
        client, number, body = await but_for(server, b"PING")
        assert (number, body) == (b"1", b"request")
        await server.send([client, number, b"OK"])
    assert answers == [[b"OK"]]


async def test_a_freelance_client_of_libzmq(ctx, peer, background, free) -> None:
    (endpoint,) = free(1)
    name = endpoint.encode()
    background.start_soon(flserver3.serve, ctx, endpoint, endpoint)
    client = await connected(peer, "ROUTER", endpoint, router_mandatory=1)
    await client.send([name, b"PING"])
    assert await client.receive() == (name, b"PONG")
    await client.send([name, b"1", b"request"])
    assert await client.receive() == (name, b"1", b"OK")


async def test_a_binary_star_peer_of_libzmq(ctx, peer, background, free) -> None:
    ours, theirs = free(2)
    publisher, subscriber = await bound(peer, "PUB", theirs), await connected(peer, "SUB", ours)
    await subscriber.set("SUBSCRIBE", b"")
    star = bstar.BinaryStar(primary=True)
    background.start_soon(star.run, ctx, ours, theirs)
    assert await subscriber.receive() == (b"1",)
    while star.state is bstar.State.PRIMARY:
        await publisher.send(b"2")
        await trio.sleep(0.05)
    assert star.state is bstar.State.ACTIVE
    assert await but_for(subscriber, b"1") == (b"3",)


# -- last value cache and clone ----------------------------------------------------------------------


async def test_a_last_value_cache_between_sockets_of_libzmq(ctx, peer, background, free) -> None:
    source, sink = free(2)
    publisher = await bound(peer, "PUB", source)
    background.start_soon(lvcache.cache, ctx, source, sink)
    early = await connected(peer, "SUB", sink)
    await early.set("SUBSCRIBE", b"")
    message = None
    while message is None:  # until the cache has subscribed, and the subscriber at the cache
        await publisher.send([b"topic", b"value"])
        message = await early.receive_within(0.1)
    assert message == (b"topic", b"value")
    late = await connected(peer, "SUB", sink)
    await late.set("SUBSCRIBE", b"top")
    assert await late.receive() == (b"topic", b"value")


async def test_a_clone_client_of_libzmq(ctx, peer, background, free) -> None:
    ours, states = Server(*free(3)), free(2)
    background.start_soon(lambda: clonesrv6.serve(ctx, ours, Server(*free(3)), tuple(states), primary=True))
    updates = await connected(peer, "SUB", ours.updates)
    for topic in (b"/a/", b"HUGZ"):
        await updates.set("SUBSCRIBE", topic)
    assert (await updates.receive())[0] == b"HUGZ"
    snapshots, publisher = await connected(peer, "DEALER", ours.snapshots), await peer.socket("PUB")
    await publisher.connect(ours.collector)
    reply = None
    while reply is None:  # until the server is sure to be alone
        await snapshots.send([b"ICANHAZ?", b"/a/"])
        reply = await snapshots.receive_within(0.5)
    assert reply == (b"KTHXBAI", bytes(8), b"", b"", b"/a/")
    message = None
    while message is None or message[0] == b"HUGZ":  # until the server has subscribed
        await publisher.send([b"/a/key", bytes(8), b"u" * 16, b"ttl=30\n", b"value"])
        message = await updates.receive_within(0.5)
    key, sequence, uuid, ttl, value = message
    assert (key, uuid, ttl, value) == (b"/a/key", b"u" * 16, b"ttl=30\n", b"value")
    assert int.from_bytes(sequence, "big") >= 1
    await snapshots.send([b"ICANHAZ?", b"/a/"])
    key, _, _, _, value = await but_for(snapshots, b"/a/")  # answers to the first requests
    assert (key, value) == (b"/a/key", b"value")


async def test_a_clone_server_of_libzmq(ctx, peer, background, free) -> None:
    theirs = Server(*free(3))
    snapshots, publisher = await bound(peer, "ROUTER", theirs.snapshots), await bound(peer, "PUB", theirs.updates)
    collector = await bound(peer, "SUB", theirs.collector)
    await collector.set("SUBSCRIBE", b"")
    clone = Clone(ctx, [theirs], b"/a/")
    background.start_soon(clone.run)
    requests = []
    while not requests:  # until the client hears the hugs
        await publisher.send([b"HUGZ", bytes(8), b"", b"", b""])
        request = await snapshots.receive_within(0.2)
        requests += [request] if request else []
    client, *request = requests[0]
    assert request == [b"ICANHAZ?", b"/a/"]
    await snapshots.send([client, b"/a/1", (4).to_bytes(8, "big"), b"", b"", b"one"])
    await snapshots.send([client, b"KTHXBAI", (6).to_bytes(8, "big"), b"", b"", b"/a/"])
    await publisher.send([b"/a/2", (7).to_bytes(8, "big"), b"u" * 16, b"", b"two"])
    await until(lambda: len(clone.values) == 2)
    assert (clone.values, clone.values.sequence) == ({b"/a/1": b"one", b"/a/2": b"two"}, 7)
    async with collector.attentive():
        await clone.set(b"/a/3", b"three", ttl=10)
    key, sequence, uuid, ttl, value = await collector.receive()
    assert (key, sequence, len(uuid), ttl, value) == (b"/a/3", bytes(8), 16, b"ttl=10\n", b"three")


async def test_a_lazy_pirate_at_a_server_of_libzmq_that_was_too_slow(ctx, peer, free) -> None:
    (endpoint,) = free(1)
    server = await bound(peer, "REP", endpoint)
    replies: list[triomq.Message] = []

    async def ask() -> None:
        async with lpclient.connect(ctx, endpoint) as client:
            replies.append(await lpclient.ask(client, b"one", seconds=0.2, tries=2))
            replies.append(await lpclient.ask(client, b"two", seconds=60))

    with pytest.RaisesGroup(trio.TooSlowError):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask)
            assert await server.receive() == (b"one",)
    assert replies == []  # it gave up
    async with lpclient.connect(ctx, endpoint) as client, trio.open_nursery() as nursery:

        async def serve() -> None:
            await server.send(b"late, and to nobody")
            while (request := await server.receive()) == (b"one",):  # it was asked twice
                await server.send(b"to nobody")
            await server.send(b"to " + request[0])

        nursery.start_soon(serve)
        assert await lpclient.ask(client, b"two", seconds=60) == (b"to two",)
