"""What is lost, and when it is sent again; tests/testing/against_linux has the figures of a kernel for the same."""

from __future__ import annotations

import contextlib
import errno
import random

import pytest
import trio

import triomq
from triomq.testing import VirtualNetwork

OPTIONS = triomq.Options()


async def arrival(stream, size: int = 1) -> float:
    """Receive so many octets. Returns: when the last one came."""
    while size > 0:
        size -= len(await stream.receive_some(size))
    return trio.current_time()


async def write_on(stream, pause: float, seconds: float) -> None:
    with trio.move_on_after(seconds):
        while True:
            stream.send_nowait([b"y"])
            await trio.sleep(pause)


# --- what starts the pauses over ------------------------------------------------------------


@pytest.mark.parametrize("pause", [0.05, 0.5, 7.0, 1000.0])
async def test_no_write_starts_the_pauses_over(net: VirtualNetwork, connect, pause: float) -> None:
    near, far = await connect()
    start = trio.current_time()
    net.partition("a", "b")
    near.send_nowait([b"x"])
    await write_on(near, pause, 30)
    net.heal()
    assert await arrival(far) - start == pytest.approx(51.7, abs=0.1)  # 0.202 s, doubled eight times


async def test_neither_does_what_is_written_after_healing(net: VirtualNetwork, connect) -> None:
    near, far = await connect()
    net.partition("a", "b")
    near.send_nowait([b"x"])
    await trio.sleep(30)
    net.heal()
    await write_on(near, 0.5, 10)
    with pytest.raises(trio.WouldBlock):
        far.receive_nowait(1)
    assert await arrival(far, 21) == pytest.approx(51.7, abs=0.1)


async def test_nor_what_the_peer_says(net: VirtualNetwork, connect) -> None:
    """As on Linux: it does not acknowledge what was lost."""
    near, far = await connect()
    net.partition("a", "b")
    near.send_nowait([b"x"])
    await trio.sleep(30)
    net.heal()
    far.send_nowait([b"z"])
    assert await arrival(near) < 30.1
    assert await arrival(far) == pytest.approx(51.7, abs=0.1)


async def test_nor_a_short_healing_between_two_tries(net: VirtualNetwork, connect) -> None:
    near, far = await connect()
    net.partition("a", "b")
    near.send_nowait([b"x"])
    for _ in range(4):
        await trio.sleep(6.5)  # tries are at 6.5, 12.9, 25.9
        net.heal()
        await trio.sleep(0.3)
        net.partition("a", "b")
    net.heal()
    assert await arrival(far) == pytest.approx(51.7, abs=0.1)


async def test_an_acknowledgement_does(net: VirtualNetwork, connect) -> None:
    near, far = await connect()
    for _ in range(2):
        start = trio.current_time()
        net.partition("a", "b")
        near.send_nowait([b"x"])
        await trio.sleep(30)
        net.heal()
        assert await arrival(far) - start == pytest.approx(51.7, abs=0.1)
        await trio.sleep(1)


async def test_what_arrives_behind_a_gap_mends_it_at_once(net: VirtualNetwork, connect) -> None:
    net.link("a", "b", latency=0.05)
    near, far = await connect()
    start = trio.current_time()
    net.partition("a", "b")
    near.send_nowait([b"x"])
    await trio.sleep(0.1)
    net.heal()
    near.send_nowait([b"y"])
    assert await arrival(far, 2) - start == pytest.approx(0.25)  # there, back, and there again


async def test_a_program_without_heartbeats_waits_for_tcp_and_one_with_them_does_not(net: VirtualNetwork) -> None:
    back: dict[float, float] = {}
    for interval in (0.0, 1.0):
        async with net.open_context("a") as a, net.open_context("b") as b:
            pull = b.socket(triomq.PULL)
            options = {"heartbeat_interval": interval, "connect_timeout": 2, "reconnect_interval_max": 1}
            push = a.socket(triomq.PUSH, linger=0, **options)
            push.connect(await pull.bind("tcp://*:0"))
            await push.wait_peers()
            await trio.sleep(1)
            net.partition("a", "b")
            for _ in range(60):
                await push.send(b"tick")
                await trio.sleep(0.5)
            net.heal()
            start = trio.current_time()
            await pull.receive()
            back[interval] = trio.current_time() - start
    assert back[0.0] > 20
    assert back[1.0] < 10


async def test_what_is_behind_a_gap_never_arrives_where_the_gap_stays(net: VirtualNetwork, connect) -> None:
    """The sender resets, or its machine dies, before it has sent again."""
    net.link("a", "b", latency=0.05)
    for end in ("reset", "power"):
        near, far = await connect()
        far.send_nowait([b"unread"])
        await trio.sleep(0.1)
        net.partition("a", "b")
        near.send_nowait([b"x"])
        await trio.sleep(0.06)
        net.heal()
        near.send_nowait([b"y"])
        if end == "reset":
            near.close()
            with pytest.raises(trio.BrokenResourceError, match="reset"):
                await far.receive_some()
        else:
            net.crash("a")
            net.restart("a")
            with trio.move_on_after(100) as scope:
                await far.receive_some()
            assert scope.cancelled_caught


@pytest.mark.virtual_seeds(10)
async def test_what_flies_when_the_sender_resets_arrives_up_to_the_first_loss(net: VirtualNetwork, connect) -> None:
    near, far = await connect()
    far.send_nowait([b"unread"])
    await trio.sleep(1)
    net.link("a", "b", latency=0.1, loss=0.2, segment_size=1, both_ways=False)
    sent = bytes(range(100))
    near.send_nowait([sent])
    near.close()
    received = b""
    with trio.move_on_after(10), contextlib.suppress(trio.BrokenResourceError):
        while octets := await far.receive_some():
            received += octets
    assert sent.startswith(received)
    assert len(received) < len(sent)


# --- loss by chance -------------------------------------------------------------------------


async def test_where_everything_is_lost_nothing_arrives(net: VirtualNetwork, connect) -> None:
    near, far = await connect()
    start = trio.current_time()
    net.link("a", "b", loss=1.0)
    near.send_nowait([b"x"])
    with pytest.raises(trio.BrokenResourceError, match="no answer"):
        await near.receive_some()
    assert trio.current_time() - start == pytest.approx(924.6, abs=0.01)
    with pytest.raises(trio.WouldBlock):
        far.receive_nowait(1)


async def test_where_everything_is_lost_nobody_connects_and_nobody_is_refused(net: VirtualNetwork, tcp) -> None:
    await tcp("b").listen("*:5555", OPTIONS)
    for source, target in (("a", "b"), ("b", "a")):
        net.link("a", "b", loss=0.0)
        net.link(source, target, loss=1.0, both_ways=False)
        for port in (5555, 1):
            start = trio.current_time()
            with pytest.raises(TimeoutError):
                await tcp("a").connect(f"b:{port}", OPTIONS)
            assert trio.current_time() - start == 127


async def test_a_loss_that_is_mended_lets_the_next_try_through(net: VirtualNetwork, connect) -> None:
    near, far = await connect()
    net.link("a", "b", loss=1.0)
    near.send_nowait([b"x"])
    await trio.sleep(5)
    net.link("a", "b", loss=0.0)
    assert await arrival(far) == pytest.approx(6.5, abs=0.1)


async def test_a_reset_can_be_lost_and_another_one_comes(net: VirtualNetwork, connect) -> None:
    near, far = await connect()
    far.close()
    assert await near.receive_some() == b""
    net.link("b", "a", loss=1.0, both_ways=False)
    near.send_nowait([b"x"])
    await trio.sleep(5)
    near.send_nowait([b"y"])  # it does not know yet
    net.link("b", "a", loss=0.0, both_ways=False)
    await trio.sleep(3)
    with pytest.raises(trio.BrokenResourceError, match="reset"):
        near.send_nowait([b"z"])


@pytest.mark.virtual_seeds(5)
async def test_half_of_everything_is_lost_and_all_arrives_in_order(net: VirtualNetwork, connect) -> None:
    net.link("a", "b", segment_size=10)
    near, far = await connect()
    net.link("a", "b", loss=0.5)
    near.send_nowait([bytes(range(200))])
    received = b""
    while len(received) < 200:
        received += await far.receive_some()
    assert received == bytes(range(200))
    assert trio.current_time() > 0.2


# --- one way only ---------------------------------------------------------------------------


async def test_one_way_octets_arrive_and_their_acknowledgements_do_not(net: VirtualNetwork, connect) -> None:
    near, far = await connect()
    start = trio.current_time()
    net.partition("b", "a", both_ways=False)
    near.send_nowait([b"x"])
    assert await arrival(far) - start == pytest.approx(0.001)
    await trio.sleep(10)
    near.send_nowait([b"y"])  # is not even sent: the kernel waits for an acknowledgement
    with pytest.raises(trio.BrokenResourceError, match="no answer"):
        await near.receive_some()
    assert trio.current_time() - start == pytest.approx(924.6, abs=0.01)
    with pytest.raises(trio.WouldBlock):
        far.receive_nowait(1)


async def test_one_way_what_the_peer_says_acknowledges(net: VirtualNetwork, connect) -> None:
    near, far = await connect()
    split = net.partition("b", "a", both_ways=False)
    near.send_nowait([b"x"])
    await trio.sleep(10)
    near.send_nowait([b"y"])
    net.heal(split)
    far.send_nowait([b"z"])
    assert await arrival(far, 2) < 10.1


async def test_one_way_nobody_connects(net: VirtualNetwork, tcp) -> None:
    await tcp("b").listen("*:5555", OPTIONS)
    for source, target in (("a", "b"), ("b", "a")):
        split = net.partition(source, target, both_ways=False)
        with trio.move_on_after(100) as scope:
            await tcp("a").connect("b:5555", OPTIONS)
        assert scope.cancelled_caught
        net.heal(split)
    await tcp("a").connect("b:5555", OPTIONS)


async def test_one_group_alone_is_heard_by_nobody(net: VirtualNetwork, connect) -> None:
    near, far = await connect()
    net.partition("a", both_ways=False)
    near.send_nowait([b"x"])
    far.send_nowait([b"y"])
    assert await arrival(near) < 0.1
    with trio.move_on_after(100) as scope:
        await far.receive_some()
    assert scope.cancelled_caught
    assert "partition, one way: a > all others" in net.diagram().text()


# --- ends -----------------------------------------------------------------------------------


async def test_the_errors_have_the_systems_numbers(net: VirtualNetwork, connect) -> None:
    near, _ = await connect()
    net.cut("a", "b")
    with pytest.raises(trio.BrokenResourceError) as caught:
        await near.receive_some()
    assert isinstance(caught.value.__cause__, ConnectionResetError)
    net.link("a", "b", give_up=5.0)
    near, _ = await connect()
    net.partition("a", "b")
    near.send_nowait([b"x"])
    with pytest.raises(trio.BrokenResourceError) as caught:
        await near.receive_some()
    assert isinstance(caught.value.__cause__, TimeoutError)
    assert caught.value.__cause__.errno == errno.ETIMEDOUT


async def test_a_closed_stream_is_given_up_after_two_minutes(net: VirtualNetwork, connect) -> None:
    near, far = await connect()
    net.partition("a", "b")
    near.send_nowait([b"x"])
    near.close()
    await trio.sleep(110)
    net.heal()
    with trio.move_on_after(1000) as scope:
        await far.receive_some()
    assert scope.cancelled_caught
    assert [happening.time for happening in net.recorder.of_kind("timed out")] == [pytest.approx(102.2, abs=0.1)]


async def test_who_is_forgotten_within_the_handshake_is_reset_when_it_writes(net: VirtualNetwork, tcp) -> None:
    net.link("a", "b", latency=0.1)
    await tcp("b").listen("*:5555", OPTIONS)
    stream = await tcp("a").connect("b:5555", OPTIONS)
    net.partition("a", "b")  # the third step is on its way
    await trio.sleep(100)
    net.heal()
    stream.send_nowait([b"x"])
    with pytest.raises(trio.BrokenResourceError, match="reset"):
        await stream.receive_some()


async def test_the_second_step_is_sent_again_where_the_third_is_lost(net: VirtualNetwork, tcp) -> None:
    net.link("a", "b", latency=0.1)
    listener = await tcp("b").listen("*:5555", OPTIONS)
    await tcp("a").connect("b:5555", OPTIONS)
    net.partition("a", "b")
    await trio.sleep(2)  # it is sent at 0.1, 1.1 and 3.1
    net.heal()
    await listener.accept()
    assert trio.current_time() == pytest.approx(3.3)


# --- all of it ------------------------------------------------------------------------------


@pytest.mark.virtual_seeds(10)
async def test_whatever_is_lost_what_arrives_is_what_was_sent(net: VirtualNetwork, connect, triomq_seed: int) -> None:
    dice = random.Random(triomq_seed)
    net.link("a", "b", latency=0.02, jitter=0.05, segment_size=50, send_buffer=400, receive_buffer=300)
    near, far = await connect()
    sent = bytes(range(250)) * 8
    received = {near: b"", far: b""}
    broken: list[trio.BrokenResourceError] = []

    async def send(stream) -> None:
        with contextlib.suppress(trio.BrokenResourceError):
            for start in range(0, len(sent), 40):
                await stream.send_all(sent[start : start + 40])
                await trio.sleep(dice.choice([0, 0.01, 1]))

    async def receive(stream) -> None:
        try:
            while len(received[stream]) < len(sent):
                received[stream] += await stream.receive_some(100)
                await trio.sleep(dice.choice([0, 0, 0.1, 5]))
        except trio.BrokenResourceError as exc:
            broken.append(exc)

    async def trouble() -> None:
        for _ in range(20):
            one, other = dice.sample(["a", "b"], 2)
            split = net.partition(one, other, both_ways=dice.random() < 0.5)
            await trio.sleep(dice.choice([0.05, 0.3, 2]))
            net.heal(split)
            net.link(one, other, loss=dice.choice([0.0, 0.2, 0.5]), both_ways=False)
            await trio.sleep(dice.choice([0.05, 0.3, 2, 10]))
        net.link("a", "b", loss=0.0)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(trouble)
        for stream in near, far:
            nursery.start_soon(send, stream)
            nursery.start_soon(receive, stream)
    assert all(sent.startswith(octets) for octets in received.values())
    assert broken or list(received.values()) == [sent, sent]
