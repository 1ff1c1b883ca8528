"""A virtual stream is what trio says a stream is, and what a kernel makes of one."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from triomq.testing import VirtualNetwork


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"latency": 0.0},
        {"latency": 0.2, "jitter": 0.3, "fragmentation": 0.5},
        {"bandwidth": 10_000_000.0, "loss": 0.05},
        {"send_buffer": 1000, "receive_buffer": 2000, "segment_size": 700},
    ],
    ids=["plain", "no latency", "jitter and cuts", "narrow and lossy", "small buffers"],
)
async def test_it_is_a_stream(net: VirtualNetwork, connect, settings) -> None:
    net.link("a", "b", **settings)

    async def make():
        near, far = await connect()
        return near, far

    async def make_blocked():
        near, far = await connect()
        for stream in near, far:
            while stream.send_nowait([b"x" * 65536]):
                pass
        return near, far

    await trio.testing.check_two_way_stream(make, make_blocked)


async def test_the_end_comes_after_the_data_and_the_other_way_stays_open(connect) -> None:
    near, far = await connect()
    await near.send_all(b"question")
    assert near.end_sending()
    assert near.end_sending()  # again is no fault
    with pytest.raises(trio.BrokenResourceError):
        near.send_nowait([b"more"])
    assert [await far.receive_some(), await far.receive_some()] == [b"question", b""]
    await far.send_all(b"answer")
    await far.aclose()
    assert [await near.receive_some(), await near.receive_some()] == [b"answer", b""]


async def test_closing_sends_what_the_kernel_has_taken(connect) -> None:
    near, far = await connect()
    taken = near.send_nowait([b"x" * 50_000, b"y" * 50_000])
    near.close()
    received = b""
    while data := await far.receive_some():
        received += data
    assert (taken, received) == (65536, b"x" * 50_000 + b"y" * 15536)


async def test_closing_with_something_unread_resets(connect) -> None:
    near, far = await connect()
    await far.send_all(b"never read")
    await trio.sleep(1)
    await near.send_all(b"read")
    near.close()
    await trio.sleep(1)
    assert far.receive_nowait(100) == b"read"  # what has arrived before the RST can be read, as on Linux
    for attempt in (lambda: far.receive_nowait(100), lambda: far.send_nowait([b"x"]), far.end_sending):
        with pytest.raises(trio.BrokenResourceError, match="reset"):
            attempt()


async def test_writing_to_who_has_closed_breaks_when_the_reset_is_back(connect) -> None:
    near, far = await connect()
    far.close()
    assert await near.receive_some() == b""
    await near.send_all(b"into the void")
    await trio.sleep(0.0019)
    near.send_nowait([b"still"])
    await trio.sleep(0.0002)
    with pytest.raises(trio.BrokenResourceError):
        near.send_nowait([b"no more"])


async def test_two_at_once_are_refused(connect) -> None:
    near, _ = await connect()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(near.wait_receivable)
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(trio.BusyResourceError):
            await near.receive_some(1)
        nursery.cancel_scope.cancel()
    while near.send_nowait([b"x" * 1000]):
        pass
    async with trio.open_nursery() as nursery:
        nursery.start_soon(near.send_all, b"y")
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(trio.BusyResourceError):
            near.send_nowait([b"z"])
        with pytest.raises(trio.BusyResourceError):
            await near.wait_send_all_might_not_block()
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("size", [0, -1, 1.5, "2"])
async def test_a_size_is_a_whole_number(connect, size) -> None:
    near, _ = await connect()
    with pytest.raises((TypeError, ValueError), match="max_bytes"):
        await near.receive_some(size)
