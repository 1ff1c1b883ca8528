"""Sockets with CURVE keep the promises of those without: what is lost, what waits, what is counted, and for whom."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest
import trio
import trio.testing

import triomq
from triomq.testing import VirtualNetwork

from ..zmtp.curve_peer import key_pair
from .played import TOO_MUCH, PlayedPeer

SERVER, CLIENT = key_pair(1), key_pair(2)
SERVING, CONNECTING = triomq.Curve.server(SERVER), triomq.Curve(SERVER.public_key, CLIENT)
settled = trio.testing.wait_all_tasks_blocked


async def test_a_message_that_was_half_written_is_sent_again_whole(virtual_network: VirtualNetwork) -> None:
    """With the keys of the next connection; and what had left whole is not sent twice."""
    async with virtual_network.open_context() as ctx, PlayedPeer(virtual_network, "PULL", SERVING) as stuck:
        push = ctx.socket(triomq.PUSH, mechanism=CONNECTING, reconnect_interval=0.01)
        push.connect(stuck.endpoint)
        await stuck.greet()
        await push.wait_peers()
        sizes = [100, 200, TOO_MUCH, 300, TOO_MUCH, 400]
        for size in sizes:
            await push.send(bytes(size))
        await settled()
        await stuck.read(1000)  # so the first two have left
        await settled()
        assert push.statistics().messages_sent == 2
        await stuck.leave()
        async with ctx.socket(triomq.PULL, mechanism=SERVING) as pull:
            await pull.bind(stuck.endpoint)
            received = [len(bytes(await pull.receive())) for _ in sizes[2:]]
            await trio.sleep(60)
            assert received == sizes[2:]
            with pytest.raises(trio.WouldBlock):
                pull.receive_nowait()
        assert push.statistics().messages_sent == len(sizes)
        await push.aclose()


@pytest.mark.parametrize("kind", [triomq.PUB, triomq.XPUB])
async def test_a_publisher_encrypts_for_each_and_a_stuck_one_alone_misses(
    virtual_network: VirtualNetwork, kind: type[Any]
) -> None:
    async with virtual_network.open_context() as ctx, PlayedPeer(virtual_network, "SUB", CONNECTING) as stuck:
        pub = ctx.socket(kind, mechanism=SERVING, send_hwm=5)
        endpoint = await pub.bind("tcp://127.0.0.1:0")
        subs = [ctx.socket(triomq.SUB, mechanism=CONNECTING, topics=["a"], connect=endpoint) for _ in range(5)]
        await stuck.dial(endpoint)
        await stuck.say(triomq.zmtp.Subscribe(b"a"))
        await pub.wait_subscribers("a", 6)
        body = bytes(TOO_MUCH // 10)
        for number in range(30):
            await pub.send([b"a%d" % number, body])
            await pub.send([b"other", body])
            for sub in subs:
                assert await sub.receive() == (b"a%d" % number, body)
        assert pub.messages_dropped > 0
        rows = {row.address: row.messages_dropped for row in pub.statistics().peers}
        assert sorted(rows.values())[:5] == [0] * 5
        for sub in subs:
            await sub.aclose()


async def test_cancelled_receives_lose_nothing_and_keep_the_order(virtual_network: VirtualNetwork) -> None:
    """Also while the task that receives is the one that reads and decrypts."""
    dice = random.Random(3)
    received: list[int] = []
    async with virtual_network.open_context() as here, virtual_network.open_context() as there:
        pull, push = here.socket(triomq.PULL, mechanism=SERVING), there.socket(triomq.PUSH, mechanism=CONNECTING)
        push.connect(await pull.bind("tcp://localhost:5555"))

        async def send() -> None:
            number = 0
            while number < 300:
                with trio.move_on_after(dice.random() * 0.01) as limit:
                    await push.send([b"%d" % number, bytes(dice.randrange(20_000))])
                number += not limit.cancelled_caught
                await trio.sleep(dice.choice([0, 0, 0.003]))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(send)
            while len(received) < 300:
                with trio.move_on_after(dice.random() * 0.01):
                    received.append(int((await pull.receive())[0]))
        assert received == list(range(300))


async def test_heartbeats_are_answered_inside_and_a_silent_peer_is_found_out(virtual_network: VirtualNetwork) -> None:
    net = virtual_network
    async with net.open_context("a") as here, net.open_context("b") as there:
        pull = here.socket(triomq.PULL, mechanism=SERVING, heartbeat_interval=1)
        push = there.socket(triomq.PUSH, mechanism=CONNECTING)
        monitor = pull.monitor()
        await pull.bind("tcp://*:5555")
        push.connect("tcp://a:5555")
        await pull.wait_peers()
        await trio.sleep(60)
        (row,) = pull.statistics().peers
        assert row.round_trip is not None
        assert len(pull.peers) == 1
        split = net.partition("a", "b")
        begun = trio.current_time()
        await pull.wait_peers(0)
        assert trio.current_time() - begun < 2.5
        net.heal(split)
        await pull.wait_peers()
        errors = [event.error async for event in _so_far(monitor) if isinstance(event, triomq.Disconnected)]
        assert isinstance(errors[0], triomq.SilentPeerError)


async def _so_far(monitor: triomq.Monitor) -> Any:
    while True:
        try:
            yield monitor.receive_nowait()
        except trio.WouldBlock:
            return


async def test_a_full_queue_holds_up_the_sender(virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context() as ctx:
        pull = ctx.socket(triomq.PULL, mechanism=SERVING, receive_hwm=3)
        push = ctx.socket(triomq.PUSH, mechanism=CONNECTING, send_hwm=3)
        push.connect(await pull.bind("tcp://127.0.0.1:0"))
        sent = 0
        with trio.move_on_after(60):
            while sent < 1000:
                await push.send([b"%d" % sent, bytes(100_000)])
                sent += 1
        assert 6 < sent < 100
        for number in range(sent):
            assert (await pull.receive())[0] == b"%d" % number


async def test_what_is_counted(virtual_network: VirtualNetwork) -> None:
    """Messages as the user sees them, and bytes as they are on the wire."""
    async with virtual_network.open_context() as ctx:
        pull, push = ctx.socket(triomq.PULL, mechanism=SERVING), ctx.socket(triomq.PUSH, mechanism=CONNECTING)
        push.connect(await pull.bind("tcp://127.0.0.1:0"))
        await pull.wait_peers()
        await push.wait_peers()
        before = push.statistics()
        await push.send_many([[b"one"], [b"two", b"three"]])
        assert await pull.receive() == (b"one",)
        assert await pull.receive() == (b"two", b"three")
        after = push.statistics()
        assert after.messages_sent == pull.statistics().messages_received == 2
        frames = 3 * (2 + 8 + 8 + 16 + 1) + len(b"onetwothree")
        assert after.bytes_sent - before.bytes_sent == frames


@pytest.mark.parametrize("size", [99, 100, 101])
async def test_the_limit_is_that_of_the_message_and_not_of_its_box(virtual_network: VirtualNetwork, size: int) -> None:
    async with virtual_network.open_context() as ctx:
        pull = ctx.socket(triomq.PULL, mechanism=SERVING, max_message_size=100)
        push = ctx.socket(triomq.PUSH, mechanism=CONNECTING, linger=0)
        push.connect(await pull.bind("tcp://127.0.0.1:0"))
        await push.send(bytes(size))
        with trio.move_on_after(5) as patience:
            assert len(bytes(await pull.receive())) == size
        assert patience.cancelled_caught is (size > 100)
        await push.aclose()


async def test_what_lingers_arrives(virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context() as here, virtual_network.open_context() as there:
        pull = here.socket(triomq.PULL, mechanism=SERVING)
        endpoint = await pull.bind("tcp://localhost:5555")
        async with there.socket(triomq.PUSH, mechanism=CONNECTING, linger=math.inf) as push:
            push.connect(endpoint)
            for number in range(100):
                await push.send([b"%d" % number, bytes(10_000)])
        assert [int((await pull.receive())[0]) for _ in range(100)] == list(range(100))


def test_a_run_is_repeated_byte_for_byte() -> None:
    """The keys of the connections come from the seed of the network."""

    async def play(net: VirtualNetwork) -> str:
        async with net.open_context() as ctx:
            pull, push = ctx.socket(triomq.PULL, mechanism=SERVING), ctx.socket(triomq.PUSH, mechanism=CONNECTING)
            push.connect(await pull.bind("tcp://localhost:5555"))
            await push.send(b"one")
            assert await pull.receive() == (b"one",)
            drawn = ctx._shared.runtime.random_bytes(8)
        return f"{drawn.hex()} {net.trace()}"

    one, other, third = (triomq.testing.run(play, seed=seed) for seed in (1, 1, 2))
    assert one == other
    assert one != third


@pytest.mark.parametrize("secret", ["secret_key", "secret_text"])
async def test_no_secret_key_is_in_a_log_or_an_event(
    virtual_network: VirtualNetwork, caplog: pytest.LogCaptureFixture, secret: str
) -> None:
    caplog.set_level("DEBUG")
    texts = []
    async with virtual_network.open_context() as ctx:
        pull = ctx.socket(triomq.PULL, mechanism=triomq.Curve.server(SERVER, clients=[SERVER.public_key]))
        endpoint = await pull.bind("tcp://127.0.0.1:0")
        monitor = pull.monitor()
        push = ctx.socket(triomq.PUSH, mechanism=CONNECTING, connect=endpoint, linger=0)
        with pytest.raises(triomq.HandshakeRefusedError) as caught:
            await push.wait_peers()
        texts += [repr(event) async for event in _so_far(monitor)]
        texts += [repr(pull.options), repr(push.options), repr(caught.value), repr(caught.value.__cause__), caplog.text]
        await push.aclose()
    assert CLIENT.public_text in "".join(texts), "the server's side says who was refused"
    for keys in (SERVER, CLIENT):
        assert all(str(getattr(keys, secret)) not in text for text in texts)
        assert all(repr(getattr(keys, secret)) not in text for text in texts)


async def test_no_password_is_in_a_log_or_an_event(
    virtual_network: VirtualNetwork, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    texts = []
    async with virtual_network.open_context() as ctx:
        pull = ctx.socket(triomq.PULL, mechanism=triomq.Plain.server({"admin": "opensesame"}))
        endpoint = await pull.bind("tcp://127.0.0.1:0")
        monitor = pull.monitor()
        push = ctx.socket(triomq.PUSH, mechanism=triomq.Plain("admin", "abracadabra"), connect=endpoint, linger=0)
        with pytest.raises(triomq.HandshakeRefusedError) as caught:
            await push.wait_peers()
        texts += [repr(event) async for event in _so_far(monitor)]
        texts += [repr(pull.options), repr(push.options), repr(caught.value), repr(caught.value.__cause__), caplog.text]
        await push.aclose()
    assert "the password is wrong" in "".join(texts)
    assert not any(word in text for word in ("opensesame", "abracadabra") for text in texts)


async def test_two_servers_are_told_at_once(virtual_network: VirtualNetwork) -> None:
    """They would wait for each other's HELLO until ``handshake_timeout`` is over."""
    async with virtual_network.open_context() as ctx:
        pull = ctx.socket(triomq.PULL, mechanism=SERVING)
        monitor = pull.monitor()
        push = ctx.socket(triomq.PUSH, mechanism=SERVING, connect=await pull.bind("tcp://127.0.0.1:0"), linger=0)
        with (
            trio.fail_after(1),
            pytest.raises(triomq.HandshakeRefusedError, match="both sides are the server of"),
        ):
            await push.wait_peers()
        await settled()
        (failed,) = [event async for event in _so_far(monitor) if isinstance(event, triomq.HandshakeFailed)]
        assert "both sides are the server of CURVE" in str(failed.error)
        await push.aclose()
