"""A proxy of the one library between ends of the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest
import trio

import triomq

from .libzmq import Peer, Theirs
from .pairs import until

pytestmark = pytest.mark.interop

ENDS = 3  # clients, workers, producers, subscribers
EACH = 20  # messages of each
BODY = (b"", b"body", b"\0" * 300)


@asynccontextmanager
async def proxying(*sockets: Any) -> AsyncIterator[triomq.ProxyHandle]:
    """Our proxy, for as long as the block lasts."""
    async with trio.open_nursery() as nursery:
        handle = await nursery.start(triomq.proxy, *sockets)
        yield handle
        handle.terminate()


async def their_proxy(peer: Peer, frontend: str, backend: str, endpoint: str) -> tuple[str, str]:
    """libzmq's proxy between two bound sockets. Returns: where they are."""
    sockets = [await peer.socket(kind) for kind in (frontend, backend)]
    places = [await socket.bind(endpoint) for socket in sockets]
    await peer.call("proxy", frontend=sockets[0].name, backend=sockets[1].name)
    return places[0], places[1]


@pytest.mark.parametrize("client_kind", ["REQ", "DEALER"])
@pytest.mark.parametrize("worker_kind", ["REP", "ROUTER", "DEALER"])
async def test_requests_through_libzmq(
    ctx: triomq.Context, peer: Peer, endpoint: str, client_kind: str, worker_kind: str
) -> None:
    """Every client gets the answers to its own requests, in order; every worker has its share."""
    front, back = await their_proxy(peer, "ROUTER", "DEALER", endpoint)
    before = (b"",) if client_kind == "DEALER" else ()
    served: Counter[int] = Counter()

    async def work(worker: Any, number: int) -> None:
        while True:
            request = await worker.receive()
            served[number] += 1
            await worker.send([*request, b"from %d" % number])

    async def ask(client: Any, number: int) -> None:
        for serial in range(EACH):
            request = (*before, b"%d" % number, b"%d" % serial, *BODY)
            await client.send(request)
            *answer, by = await client.receive()
            assert tuple(answer) == request
            assert by.startswith(b"from ")

    workers = [ctx.socket(getattr(triomq, worker_kind)) for _ in range(ENDS)]
    for worker in workers:
        worker.connect(back)
        await worker.wait_peers()
    async with trio.open_nursery() as working:
        for number, worker in enumerate(workers):
            working.start_soon(work, worker, number)
        async with trio.open_nursery() as asking:
            for number in range(ENDS):
                client = ctx.socket(getattr(triomq, client_kind))
                client.connect(front)
                asking.start_soon(ask, client, number)
        working.cancel_scope.cancel()
    assert sum(served.values()) == ENDS * EACH
    assert len(served) == ENDS


async def publish_and_check(publishers: Sequence[Any], subscribers: Sequence[Any]) -> None:
    """Every publisher hears of all topics, and every subscriber gets from each what it has asked for, in order.

    Subscriber number n has asked for the topics ``all`` and n.
    """
    topics = [b"all", *(b"%d" % number for number in range(ENDS))]
    for publisher in publishers:
        assert sorted([await publisher.receive() for _ in topics]) == sorted((b"\1" + topic,) for topic in topics)
    for place, publisher in enumerate(publishers):
        for serial in range(EACH):
            for topic in (b"nobody", *topics):
                await publisher.send([topic, b"%d" % place, b"%d" % serial, *BODY])
    for number, subscriber in enumerate(subscribers):
        got = [await subscriber.receive() for _ in range(2 * ENDS * EACH)]
        for place in range(ENDS):
            assert [message for message in got if message[1] == b"%d" % place] == [
                (topic, b"%d" % place, b"%d" % serial, *BODY)
                for serial in range(EACH)
                for topic in (b"all", b"%d" % number)
            ]


async def test_publishing_through_libzmq(ctx: triomq.Context, peer: Peer, endpoint: str) -> None:
    """Subscribers of ours get from every publisher of ours what they have asked for, in order, until they cancel."""
    front, back = await their_proxy(peer, "XSUB", "XPUB", endpoint)
    publishers = [ctx.socket(triomq.XPUB) for _ in range(ENDS)]
    subscribers = [ctx.socket(triomq.SUB, topics=[b"%d" % number, b"all"]) for number in range(ENDS)]
    for publisher in publishers:
        publisher.connect(front)
    for subscriber in subscribers:
        subscriber.connect(back)
    await publish_and_check(publishers, subscribers)
    for number, subscriber in enumerate(subscribers):
        subscriber.unsubscribe(b"%d" % number)
    for publisher in publishers:
        assert {await publisher.receive() for _ in range(ENDS)} == {(b"\0%d" % number,) for number in range(ENDS)}


@pytest.mark.parametrize("worker_kind", ["REP", "ROUTER"])
@pytest.mark.parametrize("client_kind", ["REQ", "DEALER"])
async def test_requests_through_ours(
    ctx: triomq.Context, peer: Peer, endpoint: str, client_kind: str, worker_kind: str
) -> None:
    """Every client of libzmq gets the answer to its request, each worker has its share; the capture is told all."""
    frontend, backend, capture = ctx.socket(triomq.ROUTER), ctx.socket(triomq.DEALER), ctx.socket(triomq.PUSH)
    front, back = await frontend.bind(endpoint), await backend.bind(endpoint)
    clients = [await peer.socket(client_kind, routing_id=b"client %d" % number) for number in range(ENDS)]
    workers = [await peer.socket(worker_kind) for _ in range(ENDS)]
    record = await peer.socket("PULL")
    await record.connect(await capture.bind(endpoint))
    for client in clients:
        await client.connect(front)
    for worker in workers:
        await worker.connect(back)
    await frontend.wait_peers(ENDS)
    await backend.wait_peers(ENDS)
    await capture.wait_peers()
    before = (b"",) if client_kind == "DEALER" else ()
    async with proxying(frontend, backend, capture) as handle:
        recorded = []
        for serial in range(3):
            for number, client in enumerate(clients):
                await client.send([*before, b"%d" % number, b"%d" % serial, *BODY])
            for worker in workers:  # each has one of as many
                await worker.send([*await worker.receive(), b"done"])
            for number, client in enumerate(clients):
                request = (b"%d" % number, b"%d" % serial, *BODY)
                assert await client.receive() == (*before, *request, b"done")
                envelope = (b"client %d" % number, b"")
                recorded += [(*envelope, *request), (*envelope, *request, b"done")]
        assert sorted([await record.receive() for _ in recorded]) == sorted(recorded)
        assert handle.statistics().messages_forward == handle.statistics().messages_backward == 3 * ENDS
        assert handle.statistics().messages_dropped == 0


async def test_a_pipeline_through_ours(ctx: triomq.Context, peer: Peer, endpoint: str) -> None:
    """Every message of every producer reaches one consumer, once; each pair of them keeps the order."""
    frontend, backend = ctx.socket(triomq.PULL), ctx.socket(triomq.PUSH)
    front, back = await frontend.bind(endpoint), await backend.bind(endpoint)
    producers = [await peer.socket("PUSH") for _ in range(ENDS)]
    consumers = [await peer.socket("PULL") for _ in range(ENDS)]
    for producer in producers:
        await producer.connect(front)
    for consumer in consumers:
        await consumer.connect(back)
    await backend.wait_peers(ENDS)
    async with proxying(frontend, backend):
        for number, producer in enumerate(producers):
            envelope = [f"{number}", "", "x" * 300]
            await producer.call("send_numbers", start=0, stop=100 * ENDS, envelope=envelope)
        got = await Theirs.receive_shared(consumers, 100 * ENDS * ENDS)
    assert all(got)
    for messages in got:
        order = [(int(message[0]), int(message[-1])) for message in messages]
        for number in range(ENDS):
            mine = [serial for producer, serial in order if producer == number]
            assert mine == sorted(mine)
    assert sorted(message for messages in got for message in messages) == sorted(
        (b"%d" % number, b"", b"x" * 300, b"%d" % serial) for number in range(ENDS) for serial in range(100 * ENDS)
    )


async def test_publishing_through_ours(ctx: triomq.Context, peer: Peer, endpoint: str) -> None:
    """libzmq's subscribers get of every publisher what they asked for, in order; what they say reaches publishers."""
    frontend, backend = ctx.socket(triomq.XSUB), ctx.socket(triomq.XPUB)
    front, back = await frontend.bind(endpoint), await backend.bind(endpoint)
    publishers = [await peer.socket("XPUB") for _ in range(ENDS)]
    subscribers = [await peer.socket("XSUB") for _ in range(ENDS)]
    async with proxying(frontend, backend):
        for publisher in publishers:
            await publisher.connect(front)
        for number, subscriber in enumerate(subscribers):
            await subscriber.connect(back)
            for topic in (b"all", b"%d" % number):
                await subscriber.send(b"\1" + topic)
        await publish_and_check(publishers, subscribers)
        for subscriber in subscribers:
            # No frame of it begins with 00 or 01: libzmq takes any such for a subscription, not only the first.
            await subscriber.send([b"upstream", b"", b"body"])
            for publisher in publishers:
                assert await publisher.receive() == (b"upstream", b"", b"body")


END = "end"  # a topic that everybody wants, so that the publisher is told of it once


@attrs.frozen
class Stream:
    """A publisher of libzmq before our proxy, which tells every subscription, and whoever subscribes behind it."""

    peer: Peer
    backend: triomq.XPUB
    upstream: Theirs
    back: str

    async def listener(self, *topics: bytes) -> Theirs:
        """One more subscriber."""
        listener = await self.peer.socket("SUB", subscribe=END.encode())
        for topic in topics:
            await listener.set("subscribe", topic)
        await listener.connect(self.back)
        return listener

    async def told(self, *events: bytes, by: Theirs) -> None:
        """The publisher has been told this since the last time, and nothing else."""
        await by.set("subscribe", b"mark")
        await by.set("unsubscribe", b"mark")
        for event in (*events, b"\1mark", b"\0mark"):
            assert await self.upstream.receive() == (event,)

    async def heard(self, listeners: dict[Theirs, str]) -> None:
        """Of the messages A, B and C, each listener gets these."""
        for topic in ("A", "B", "C", END):
            await self.upstream.send([topic.encode(), *BODY])
        for listener, topics in listeners.items():
            for topic in (*topics, END):
                assert await listener.receive() == (topic.encode(), *BODY)


@pytest.fixture
async def stream(ctx: triomq.Context, peer: Peer, endpoint: str) -> AsyncIterator[Stream]:
    frontend, backend = ctx.socket(triomq.XSUB), ctx.socket(triomq.XPUB)
    upstream = await peer.socket("XPUB", xpub_verboser=1)
    frontend.connect(await upstream.bind(endpoint))
    back = await backend.bind(endpoint)
    await frontend.wait_peers()
    keeper = await peer.socket("SUB", subscribe=END.encode())
    await keeper.connect(back)
    async with proxying(frontend, backend):
        assert await upstream.receive() == (b"\1" + END.encode(),)
        yield Stream(peer, backend, upstream, back)


async def test_the_publisher_is_told_what_is_wanted(stream: Stream) -> None:
    """One subscription for the first that wants a topic, one cancellation for the last; late ones count as others."""
    early = await stream.listener(b"A")
    await stream.told(b"\1A", by=early)
    await stream.heard({early: "A"})

    late = await stream.listener(b"A")
    await stream.told(by=late)
    await late.set("subscribe", b"B")
    await stream.told(b"\1B", by=late)
    await stream.heard({early: "A", late: "AB"})

    await early.set("unsubscribe", b"A")
    await stream.told(by=early)
    await stream.heard({early: "", late: "AB"})
    await late.set("unsubscribe", b"B")
    await stream.told(b"\0B", by=late)
    await late.set("unsubscribe", b"A")
    await stream.told(b"\0A", by=late)
    await stream.heard({early: "", late: ""})

    await early.set("subscribe", b"")
    await stream.told(b"\1", by=early)
    await stream.heard({early: "ABC", late: ""})


@pytest.mark.parametrize("way", ["disconnect", "close"])
async def test_whoever_goes_cancels(stream: Stream, way: str) -> None:
    """With a subscriber that goes, the publisher is told to cancel what nobody else wants, and only that."""
    stays = await stream.listener(b"A")
    await stream.told(b"\1A", by=stays)
    goes = await stream.listener(b"A", b"B", b"C")
    await stream.told(b"\1B", b"\1C", by=goes)
    await stream.heard({stays: "A", goes: "ABC"})
    if way == "close":
        await goes.aclose()
    else:
        await goes.disconnect(stream.back)
        async with goes.attentive():  # libzmq disconnects no sooner than its own thread is in a call
            await until(lambda: len(stream.backend.peers) == 2)
    await until(lambda: len(stream.backend.peers) == 2)
    cancelled = {await stream.upstream.receive() for _ in range(2)}
    assert cancelled == {(b"\0B",), (b"\0C",)}
    await stream.told(by=stays)
    await stream.heard({stays: "A"})
    if way == "disconnect":
        await goes.connect(stream.back)
        again = {await stream.upstream.receive() for _ in range(2)}
        assert again == {(b"\1B",), (b"\1C",)}
        await stream.told(by=goes)
        await stream.heard({stays: "A", goes: "ABC"})


async def test_a_late_publisher_is_told_what_is_wanted_now(ctx: triomq.Context, peer: Peer, endpoint: str) -> None:
    """A publisher that comes when subscriptions have come and gone is told those that stand, each once."""
    frontend, backend = ctx.socket(triomq.XSUB), ctx.socket(triomq.XPUB)
    front, back = await frontend.bind(endpoint), await backend.bind(endpoint)
    async with proxying(frontend, backend):
        upstream = await peer.socket("XPUB", xpub_verboser=1)
        await upstream.connect(front)
        for _ in range(2):
            subscriber = await peer.socket("SUB", subscribe=b"A")
            await subscriber.connect(back)
        for topic in (b"B", b"C"):
            await subscriber.set("subscribe", topic)
        await subscriber.set("unsubscribe", b"B")
        for event in (b"\1A", b"\1B", b"\1C", b"\0B"):
            assert await upstream.receive() == (event,)
        late = await peer.socket("XPUB", xpub_verboser=1)
        await late.connect(front)
        assert {await late.receive() for _ in range(2)} == {(b"\1A",), (b"\1C",)}
        await subscriber.set("subscribe", b"mark")
        assert await late.receive() == await upstream.receive() == (b"\1mark",)
