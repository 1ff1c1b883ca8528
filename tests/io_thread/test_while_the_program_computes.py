"""What goes on while the user's run does nothing: each test is a peer that blocks the thread of that run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import closing

import pytest
import trio

import triomq
from triomq import zmtp

from .blocking_peer import BlockingListener, BlockingPeer

QUICK = {"reconnect_interval": 0.01, "reconnect_interval_max": 0.02}


@pytest.fixture
async def ctx() -> AsyncIterator[triomq.Context]:
    async with triomq.open_context(io_thread=True) as ctx:
        yield ctx


@pytest.fixture
def listener() -> Iterator[BlockingListener]:
    with closing(BlockingListener()) as listener:
        yield listener


def is_pong(context: bytes) -> object:
    return lambda heard: any(isinstance(one, zmtp.Pong) and one.context == context for one in heard)


async def numbers(socket: triomq.PULL | triomq.SUB, count: int) -> list[bytes]:
    with trio.fail_after(30):
        return [bytes(await socket.receive()) for _ in range(count)]


async def test_peers_shake_hands_and_heartbeats_are_answered(ctx: triomq.Context) -> None:
    pull = ctx.socket(triomq.PULL)
    endpoint = await pull.bind("tcp://127.0.0.1:0")
    with closing(BlockingPeer.dial(endpoint, "PUSH")) as peer:
        for number in range(3):
            peer.say(zmtp.Ping(ttl=1.0, context=b"%d" % number))
            peer.hear(is_pong(b"%d" % number))  # type: ignore[arg-type]
        assert not pull.peers, "the user's run has not heard of the peer"
        await pull.wait_peers()


async def test_messages_arrive_up_to_the_hwm_and_not_beyond(ctx: triomq.Context) -> None:
    pull = ctx.socket(triomq.PULL, receive_hwm=10)
    endpoint = await pull.bind("tcp://127.0.0.1:0")
    with closing(BlockingPeer.dial(endpoint, "PUSH")) as peer:
        peer.say(*[(b"%d" % number,) for number in range(10)], zmtp.Ping(ttl=0.0, context=b"taken"))
        peer.say(*[(b"%d" % number,) for number in range(10, 30)], zmtp.Ping(ttl=0.0, context=b"all"))
        heard = peer.hear(lambda heard: any(isinstance(one, zmtp.Pong) for one in heard))
        assert not any(isinstance(one, zmtp.Pong) and one.context == b"all" for one in heard)
        await pull.wait_peers()
        assert pull.statistics().peers[0].receive_queue <= 10
        assert await numbers(pull, 30) == [b"%d" % number for number in range(30)]
        with trio.fail_after(30):
            await trio.to_thread.run_sync(peer.hear, is_pong(b"all"))


async def test_what_is_queued_leaves(ctx: triomq.Context, listener: BlockingListener) -> None:
    push = ctx.socket(triomq.PUSH, send_hwm=100)
    push.connect(listener.endpoint)
    for number in range(100):
        push.send_nowait(b"%d" % number)
    with pytest.raises(trio.WouldBlock):
        push.send_nowait(b"one more")
    with closing(listener.accept("PULL")) as peer:
        assert peer.messages(100) == [b"%d" % number for number in range(100)]
        await push.flush()
        assert push.statistics().messages_sent == 100
        await push.send(b"there is room")
        assert peer.messages(1) == [b"there is room"]


async def test_a_lost_connection_heals(ctx: triomq.Context, listener: BlockingListener) -> None:
    push = ctx.socket(triomq.PUSH, **QUICK)
    monitor = push.monitor()
    push.connect(listener.endpoint)
    for number in range(3):
        with closing(listener.accept("PULL")) as peer:
            push.send_nowait(b"%d" % number)
            assert peer.messages(1) == [b"%d" % number]
    with closing(listener.accept("PULL")) as peer:
        happened = []
        with trio.fail_after(30):
            while happened.count(triomq.HandshakeSucceeded) < 4:
                happened.append(type(await monitor.receive()))
    seen = [event for event in happened if event in (triomq.HandshakeSucceeded, triomq.Disconnected)]
    assert seen == [triomq.HandshakeSucceeded, triomq.Disconnected] * 3 + [triomq.HandshakeSucceeded]
    assert push.statistics().reconnects == 3


async def test_a_new_publisher_is_told_the_topics(ctx: triomq.Context, listener: BlockingListener) -> None:
    """Those that hold when it comes, whether or not they held when the last one came; each once."""
    sub = ctx.socket(triomq.SUB, topics=[b"a", b"b"], **QUICK)
    sub.connect(listener.endpoint)

    def topics(peer: BlockingPeer) -> set[bytes]:
        peer.say((b"c end",))
        peer.say(zmtp.Ping(ttl=0.0, context=b"told"))
        heard = peer.hear(is_pong(b"told"))  # type: ignore[arg-type]
        told = [one.topic for one in heard if isinstance(one, zmtp.Subscribe)]
        assert len(told) == len(set(told))
        return set(told)

    with closing(listener.accept("PUB")) as peer:
        assert topics(peer) == {b"a", b"b"}
        sub.unsubscribe(b"b")
        sub.subscribe(b"c")
        heard = peer.hear(lambda heard: len(heard) >= 2)
        cancelled, subscribed = heard
        assert isinstance(cancelled, zmtp.Cancel)
        assert isinstance(subscribed, zmtp.Subscribe)
        assert (cancelled.topic, subscribed.topic) == (b"b", b"c")
    with closing(listener.accept("PUB")) as peer:
        assert topics(peer) == {b"a", b"c"}
        assert await numbers(sub, 1) == [b"c end"]


async def test_a_topic_of_before_the_endpoint_is_told(ctx: triomq.Context, listener: BlockingListener) -> None:
    """However often it was subscribed to: it ends with the last of them."""
    sub = ctx.socket(triomq.SUB)
    sub.subscribe(b"x")
    sub.subscribe(b"x")
    sub.connect(listener.endpoint)
    with closing(listener.accept("PUB")) as peer:
        peer.hear(lambda heard: len(heard) == 1)
        sub.unsubscribe(b"x")
        sub.unsubscribe(b"x")
        (heard,) = peer.hear(lambda heard: len(heard) >= 1)
        assert isinstance(heard, zmtp.Cancel)


async def test_a_name_in_use_is_waited_for(ctx: triomq.Context) -> None:
    """What a peer would notice is decided without the user's run: the second of a name is told to wait."""
    router = ctx.socket(triomq.ROUTER)
    endpoint = await router.bind("tcp://127.0.0.1:0")
    with (
        closing(BlockingPeer.dial(endpoint, "DEALER", b"me")) as first,
        closing(BlockingPeer.dial(endpoint, "DEALER", b"me")) as second,
    ):
        second.hear(is_pong(b"triomq: waiting"))  # type: ignore[arg-type]
        second.say((b"of the second",))
        first.say((b"of the first",))
        with trio.fail_after(30):
            assert await router.receive() == (b"me", b"of the first")
        first.close()
        second.hear(is_pong(b"triomq: admitted"))  # type: ignore[arg-type]
        with trio.fail_after(30):
            assert await router.receive() == (b"me", b"of the second")
        await router.send([b"me", b"welcome"])
        assert second.messages(1) == [b"welcome"]


async def test_a_probe_is_sent_once(ctx: triomq.Context, listener: BlockingListener) -> None:
    dealer = ctx.socket(triomq.DEALER, probe_router=True, **QUICK)
    dealer.connect(listener.endpoint)
    for _ in range(2):
        with closing(listener.accept("ROUTER")) as peer:
            assert peer.messages(1) == [b""]
            await trio.testing.wait_all_tasks_blocked(0.01)
            dealer.send_nowait(b"it")
            assert peer.messages(1) == [b"it"]


@pytest.mark.parametrize("known", ["the one before", "nobody"])
async def test_a_reply_that_is_not_wanted_any_more(ctx: triomq.Context, listener: BlockingListener, known: str) -> None:
    """To a request that a connection has got of which the user's run had not heard when it gave the request up."""
    req = ctx.socket(triomq.REQ, req_relaxed=True, **QUICK)
    req.connect(listener.endpoint)

    def answer(peer: BlockingPeer, reply: bytes) -> list[object]:
        (request,) = peer.hear(lambda heard: len(heard) == 1)
        peer.say((b"", reply))
        return [request]

    with closing(listener.accept("ROUTER")):
        await req.wait_peers()
    if known == "nobody":
        with trio.fail_after(30):
            await req.wait_peers(0)
    with closing(listener.accept("ROUTER")) as second:
        req.send_nowait(b"given up")
        assert answer(second, b"not wanted") == [(b"", b"given up")]
        req.send_nowait(b"asked")
        with closing(listener.accept("ROUTER")) as third:
            assert answer(third, b"wanted") == [(b"", b"asked")]
            with trio.fail_after(30):
                assert await req.receive() == (b"wanted",)
