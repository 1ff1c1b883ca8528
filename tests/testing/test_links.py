"""Latency, bandwidth, windows and buffers, to the microsecond and the octet."""

from __future__ import annotations

import pytest
import trio

from triomq.testing import LinkSettings, VirtualNetwork


async def drain(stream, size: int) -> float:
    """Receive so many octets. Returns: when the last one came."""
    while size > 0:
        size -= len(await stream.receive_some())
    assert size == 0
    return trio.current_time()


async def test_connecting_takes_a_round_trip_and_octets_half_of_one(net: VirtualNetwork, connect) -> None:
    net.link("a", "b", latency=0.25)
    start = trio.current_time()
    near, far = await connect()
    assert trio.current_time() - start == 0.75  # the accepting side has it when the third step has arrived
    await near.send_all(b"x")
    assert await drain(far, 1) - start == 1.0


async def test_each_way_may_be_different(net: VirtualNetwork, connect) -> None:
    net.link("a", "b", latency=0.25)
    net.link("b", "a", latency=1.0, both_ways=False)
    near, far = await connect()
    start = trio.current_time()
    await near.send_all(b"x")
    assert await drain(far, 1) - start == 0.25
    await far.send_all(b"y")
    assert await drain(near, 1) - start == 1.25


async def test_bandwidth_is_shared_by_the_connections_of_a_path(net: VirtualNetwork, connect) -> None:
    net.link("a", "b", latency=0.5, bandwidth=1024.0, segment_size=512)
    one, other = await connect(), await connect()
    start = trio.current_time()
    ends = []

    async def receive(stream) -> None:
        ends.append(await drain(stream, 2048) - start)

    await one[0].send_all(bytes(2048))
    await other[0].send_all(bytes(2048))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(receive, one[1])
        nursery.start_soon(receive, other[1])
    # A segment each, in turns, but for the two that the first one sends before the second one comes: 4096 octets at
    # 1024 a second, and the latency.
    assert ends == [3.5, 4.5]


async def test_what_nobody_reads_fills_both_buffers(net: VirtualNetwork, connect) -> None:
    net.link("a", "b", send_buffer=1000, receive_buffer=300)
    near, far = await connect()
    assert near.send_nowait([b"x" * 5000]) == 1000  # 300 of them leave at once
    assert near.send_nowait([b"x" * 5000]) == 300
    assert near.send_nowait([b"x" * 5000]) == 0
    await trio.sleep(10)
    assert near.send_nowait([b"x" * 5000]) == 0
    assert len(far.receive_nowait(100)) == 100
    await trio.sleep(1)
    assert near.send_nowait([b"x" * 5000]) == 100


async def test_the_socket_options_set_the_buffers(net: VirtualNetwork, connect) -> None:
    near, _ = await connect(send_buffer=40, receive_buffer=60)
    taken = 0
    while more := near.send_nowait([b"x" * 5000]):
        taken += more
    assert taken == 100


async def test_a_window_is_what_a_round_trip_carries(net: VirtualNetwork, connect) -> None:
    net.link("a", "b", latency=0.5, receive_buffer=1000, send_buffer=10_000)
    near, far = await connect()
    start = trio.current_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(near.send_all, bytes(10_000))
        assert await drain(far, 10_000) - start == 9.5  # ten windows, a second apart, the first after half a second


async def test_jitter_and_loss_delay_and_never_disorder(net: VirtualNetwork, connect) -> None:
    net.link("a", "b", latency=0.1, jitter=0.5, loss=0.3, fragmentation=0.8, send_buffer=10_000, segment_size=100)
    near, far = await connect()
    start = trio.current_time()
    sent = bytes(range(256)) * 40
    received, reads = b"", 0
    async with trio.open_nursery() as nursery:
        nursery.start_soon(near.send_all, sent)
        while len(received) < len(sent):
            received += await far.receive_some()
            reads += 1
    assert received == sent
    assert reads > 10
    assert trio.current_time() - start > 0.3
    assert net.recorder.of_kind("lost")


async def test_inside_a_host_there_is_no_latency(net: VirtualNetwork, connect) -> None:
    start = trio.current_time()
    near, far = await connect("a", "a")
    await near.send_all(b"x")
    assert await drain(far, 1) == start


@pytest.mark.parametrize(
    "settings",
    [{"latency": -1}, {"bandwidth": 0}, {"loss": 2}, {"jitter": "1"}, {"send_buffer": 0}, {"receive_buffer": 1.5}],
    ids=str,
)
def test_settings_out_of_range_are_refused(settings) -> None:
    with pytest.raises(ValueError, match=next(iter(settings))):
        LinkSettings(**settings)
