"""Promise 5, heartbeats: a peer that is only slow, or only busy, is not taken for dead, and a dead one is."""

from __future__ import annotations

import pytest
import trio

import triomq

from ..monitors import next_event
from .actors import pad, receive_into
from .liar import GREETING, dial, frame, hear_end, ready
from .promises import promise

pytestmark = pytest.mark.virtual_seeds(4)

SMALL = {"send_buffer": 4096, "receive_buffer": 4096}
PING_AT_ONCE = b"\x04\x07\x04PING"


async def no_disconnection(monitor: triomq.Monitor) -> None:
    """Fail as soon as the socket loses its peer."""
    event = await next_event(monitor, triomq.Disconnected)
    pytest.fail(f"a healthy peer was dropped: {event.error}")


@promise(5, 4)
async def test_a_queue_that_is_never_empty_does_not_make_a_reading_peer_look_silent(net, dice) -> None:
    """Our PINGs stand behind the queue, and the peer, which only reads, says nothing else."""
    net.link("a", "b", latency=dice.uniform(0.01, 0.1), bandwidth=dice.choice([10_000, 40_000]))
    received: list[int] = []
    async with net.open_context("a") as here, net.open_context("b") as there, trio.open_nursery() as nursery:
        pull = there.socket(triomq.PULL, receive_hwm=5, **SMALL)
        await pull.bind("tcp://*:5555")
        nursery.start_soon(receive_into, pull, received)
        push = here.socket(
            triomq.PUSH, send_hwm=dice.choice([10, 100]), heartbeat_interval=0.5, heartbeat_timeout=2.0, **SMALL
        )
        push.connect("tcp://b:5555")
        await push.wait_peers()
        nursery.start_soon(no_disconnection, push.monitor())
        sent = 0
        with trio.move_on_after(60):
            while True:
                await push.send(pad(400)(sent))
                sent += 1
        await trio.sleep(60)
        assert received == list(range(sent))
        nursery.cancel_scope.cancel()


@promise(5)
@pytest.mark.parametrize("fault", ["partition", "power"])
async def test_a_peer_that_takes_nothing_and_says_nothing_is_noticed_behind_a_full_queue(net, dice, fault) -> None:
    """Though our PING cannot leave."""
    timeout = dice.uniform(0.5, 5)
    async with net.open_context("a") as here, net.open_context("b") as there:
        pull = there.socket(triomq.PULL, receive_hwm=2, **SMALL)
        await pull.bind("tcp://*:5555")
        push = here.socket(triomq.PUSH, send_hwm=3, heartbeat_interval=1.0, heartbeat_timeout=timeout, **SMALL)
        push.connect("tcp://b:5555")
        await push.wait_peers()
        if fault == "partition":
            net.partition("a", "b")
        else:
            net.crash("b")
        start = trio.current_time()
        monitor = push.monitor()
        with trio.move_on_after(0.5):
            while True:
                await push.send(pad(300)(0))
        event = await next_event(monitor, triomq.Disconnected)
        assert isinstance(event.error, triomq.SilentPeerError)
        assert trio.current_time() - start <= 0.5 + 1.0 + 2 * timeout + 0.1
        net.heal()


@promise(5, 7)
@pytest.mark.parametrize("more", ["message", "a long ttl", "no ttl", "nothing"])
async def test_the_ttl_of_a_ping_is_over_when_something_follows(net, dice, more) -> None:
    """Only the last PING counts, and only until the peer says something else."""
    ttl = dice.choice([2, 5, 30])  # tenths of a second
    following = {
        "message": frame(b"m"),
        "a long ttl": PING_AT_ONCE + b"\xff\xff",
        "no ttl": PING_AT_ONCE + b"\x00\x00",
        "nothing": b"",
    }[more]
    async with net.open_context("b") as ctx:
        pull = ctx.socket(triomq.PULL)
        await pull.bind("tcp://*:5555")
        async with dial(net, "a", "b:5555") as stream:
            await stream.send_all(GREETING + ready(b"PUSH"))
            await pull.wait_peers()
            monitor = pull.monitor()
            await stream.send_all(PING_AT_ONCE + ttl.to_bytes(2, "big"))
            await trio.sleep(ttl / 10 * dice.uniform(0.1, 0.8))
            start = trio.current_time()
            if following:
                await stream.send_all(following)
                await trio.sleep(100)
                assert len(pull.peers) == 1
            else:
                await hear_end(stream)
                event = await next_event(monitor, triomq.Disconnected)
                assert isinstance(event.error, triomq.SilentPeerError)
                assert trio.current_time() - start <= ttl / 10 + 1
