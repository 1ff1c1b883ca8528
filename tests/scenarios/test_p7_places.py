"""Promises 5 and 7: crowds that squat, messages that a peer will not take, servers that hang up."""

from __future__ import annotations

from itertools import pairwise

import pytest
import trio

import triomq

from ..monitors import next_event
from .actors import bound_pull
from .liar import GREETING, dial, ready, say, tcp
from .promises import promise

pytestmark = pytest.mark.virtual_seeds(4)


def named(socket_type: bytes, name: bytes) -> bytes:
    """A READY command with an Identity."""
    plain = ready(socket_type)
    identity = b"\x08Identity" + len(name).to_bytes(4, "big") + name
    return bytes((4, plain[1] + len(identity))) + plain[2:] + identity


@promise(7, 4)
async def test_crowds_that_say_nothing_or_wait_for_a_place_keep_nobody_out(net, dice) -> None:
    """They come in any number, stay, leave and come again; whoever means it is served in a moment."""
    words = [b"", GREETING[: dice.randrange(1, 64)], GREETING, GREETING + named(b"DEALER", b"taken")]
    words[-1] += b"\2" + (150_000).to_bytes(8, "big") + bytes(150_000)
    async with trio.open_nursery() as nursery, net.open_context("b") as ctx, net.open_context("a") as there:
        router = ctx.socket(triomq.ROUTER, max_handshakes=10, max_waiting=5, receive_buffer=1 << 20)
        await router.bind("tcp://*:5555")
        holder = there.socket(triomq.DEALER, routing_id=b"taken")
        holder.connect("tcp://b:5555")
        await router.wait_peers()

        async def squat(host: str) -> None:
            while True:
                async with dial(net, host, "b:5555") as stream:
                    await say(stream, dice.choice(words))
                    with trio.move_on_after(dice.uniform(0, 60)):
                        try:
                            while await stream.receive_some():
                                pass
                        except trio.BrokenResourceError:
                            pass  # it had to make way
                await trio.sleep(dice.uniform(0.5, 2))

        for number in range(30):
            nursery.start_soon(squat, f"evil{number % 3}")
        await trio.sleep(dice.uniform(5, 30))
        for number in range(5):
            async with there.socket(triomq.DEALER, linger=1) as dealer:
                dealer.connect("tcp://b:5555")
                await dealer.send(b"%d" % number)
                with trio.fail_after(1):
                    while (await router.receive())[1:] != (b"%d" % number,):
                        pass
            await trio.sleep(dice.uniform(0, 10))
        assert len(net._fabric.hosts["b"].streams) <= 1 + 1 + 10 + 5
        nursery.cancel_scope.cancel()


@promise(5, 4, 7)
async def test_messages_that_the_peer_will_not_take_hold_up_none_of_the_others(net, dice) -> None:
    """Each is dropped, counted and told; the good ones before and behind them arrive, in order and once."""
    total = 40
    bad = set(dice.sample(range(1, total), 3))
    async with net.open_context("a") as here, net.open_context("b") as there:
        pull = there.socket(triomq.PULL, max_message_size=1000, receive_buffer=2000)
        await pull.bind("tcp://*:5555")
        push = here.socket(triomq.PUSH, send_buffer=2000, linger=0)
        monitor = push.monitor(10_000)
        push.connect("tcp://b:5555")
        await push.wait_peers()
        received: list[int] = []

        async def receive_all() -> None:
            async for message in pull:
                received.append(int(bytes(message)))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(receive_all)
            for number in range(total):
                if number in bad:
                    await push.send(bytes(dice.randrange(100_000, 500_000)))
                else:
                    await push.send(b"%d" % number)
                    await trio.sleep(dice.choice([0, 0.2]))
                # What the kernel has taken behind a bad one is lost with the connection: that is TCP's.
                while push.statistics().peers[0].send_queue:  # noqa: ASYNC110  # nothing tells
                    await trio.sleep(0.05)
            await trio.sleep(1)
            nursery.cancel_scope.cancel()
        assert received == [number for number in range(total) if number not in bad]
        assert push.messages_dropped == len(bad)
        for _ in bad:
            assert (await next_event(monitor, triomq.MessageDropped)).size >= 100_000


@promise(5, 7)
async def test_a_server_that_hangs_up_after_its_ready_is_not_hammered(net, dice) -> None:
    """And a real server that takes its place is found within the longest wait."""
    async with net.open_context("a") as ctx, trio.open_nursery() as nursery:
        push = ctx.socket(triomq.PUSH, reconnect_interval_max=10.0, linger=0)
        push.connect("tcp://b:5555")
        with trio.move_on_after(dice.uniform(100, 200)):
            async with await tcp(net, "b").listen("*:5555", triomq.Options()) as listener:
                while True:
                    stream = await listener.accept()
                    await say(stream, GREETING, ready(b"PULL"))
                    heard = 0
                    while heard < len(GREETING) + len(ready(b"PUSH")):
                        heard += len(await stream.receive_some())
                    stream.close()
        times = [event.time for event in net.recorder.of_kind("connecting")]
        gaps = [later - earlier for earlier, later in pairwise(times)]
        assert len(times) < 80
        assert max(gaps) > 5
        received: list[int] = []
        nursery.start_soon(net.run_on, "b", bound_pull, received)
        await push.send(b"1")
        await trio.sleep(11)
        assert received == [1]
        nursery.cancel_scope.cancel()
