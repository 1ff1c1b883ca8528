"""SocketStream: a trio stream, and the calls that do not wait."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Awaitable, Callable

import pytest
import trio
import trio.testing

from triomq._transports import SocketStream

Pair = tuple[SocketStream, SocketStream]


async def unix_pair() -> Pair:
    left, right = socket.socketpair()
    return SocketStream(left, "ipc://right"), SocketStream(right, "ipc://left")


async def tcp_pair() -> Pair:
    with socket.create_server(("127.0.0.1", 0)) as server:
        left = socket.create_connection(server.getsockname())
        right, _ = server.accept()
    return SocketStream(left, "tcp://right"), SocketStream(right, "tcp://left")


def fill(stream: SocketStream) -> int:
    """Write until the kernel takes not one octet more."""
    total = 0
    for size in (65536, 1024, 1):
        while sent := stream.send_nowait([b"x" * size]):
            total += sent
    return total


async def clogged_pair() -> Pair:
    """Neither end can write: a Unix socket's octets are with the other end at once, so that it stays so."""
    left, right = await unix_pair()
    assert fill(left) > 0
    assert fill(right) > 0
    return left, right


@pytest.mark.parametrize("maker", [unix_pair, tcp_pair])
async def test_it_is_a_trio_stream(maker):
    await trio.testing.check_two_way_stream(maker, clogged_pair)


async def test_reading_without_waiting():
    left, right = await unix_pair()
    async with left, right:
        with pytest.raises(trio.WouldBlock):
            right.receive_nowait(10)
        assert left.send_nowait([b"hello"]) == 5
        await right.wait_receivable()
        assert right.receive_nowait(2) == b"he"
        assert right.receive_nowait(10) == b"llo"
        left.close()
        await right.wait_receivable()
        assert right.receive_nowait(10) == b""
        assert right.receive_nowait(10) == b""


@pytest.mark.parametrize("buffers", [[b"a", b"bc"], [b"abc"], [bytearray(b"a"), memoryview(b"bc"), b""], (b"ab", b"c")])
async def test_writing_several_buffers_at_once(buffers):
    left, right = await unix_pair()
    async with left, right:
        assert left.send_nowait(buffers) == 3
        assert await right.receive_some() == b"abc"


async def test_writing_several_buffers_where_there_is_no_sendmsg(monkeypatch):
    monkeypatch.setattr("triomq._transports._stream._HAS_SENDMSG", False)
    left, right = await unix_pair()
    async with left, right:
        assert left.send_nowait([b"a", bytearray(b"bc"), memoryview(b"d")]) == 4
        assert await right.receive_some() == b"abcd"


async def test_more_buffers_than_one_system_call_takes():
    left, right = await unix_pair()
    async with left, right:
        assert left.send_nowait([b"x"] * 3000) == 1024


@pytest.mark.parametrize("has_sendmsg", [True, False])
@pytest.mark.parametrize(
    "buffers",
    [
        [b"abcdefg"],
        [memoryview(b"abcdefg")],
        [b"ab", bytearray(b"cdefg")],
        [b"abcde", b"fg"],
        (b"abcd", b"", memoryview(b"efg"), b"hi"),
    ],
)
async def test_one_system_call_is_given_no_more_than_others_can_wait_for(buffers, has_sendmsg, monkeypatch):
    monkeypatch.setattr("triomq._transports._stream._MOST_SENT", 5)
    monkeypatch.setattr("triomq._transports._stream._HAS_SENDMSG", has_sendmsg)
    left, right = await unix_pair()
    async with left, right:
        assert left.send_nowait(buffers) == 5
        assert right.receive_nowait(10) == b"abcde"


async def test_a_full_stream_takes_nothing_and_says_when_it_takes_more():
    left, right = await unix_pair()
    async with left, right:
        sent = fill(left)
        assert left.send_nowait([b"x", b"y"]) == 0
        async with trio.open_nursery() as nursery:

            @nursery.start_soon
            async def drain() -> None:
                received = 0
                while received < sent:
                    received += len(await right.receive_some(1 << 20))

            await left.wait_send_all_might_not_block()
            # While one task waits to write, another may still write without waiting.
        assert left.send_nowait([b"x"]) == 1


async def test_send_all_sends_more_than_the_kernel_holds():
    left, right = await tcp_pair()
    data = os.urandom(8 << 20)
    received = bytearray()
    async with left, right, trio.open_nursery() as nursery:
        nursery.start_soon(left.send_all, memoryview(data))
        while len(received) < len(data):
            received += await right.receive_some(1 << 20)
    assert received == data


async def test_nobody_writes_into_the_middle_of_send_all():
    left, right = await clogged_pair()
    async with left, right, trio.open_nursery() as nursery:
        nursery.start_soon(left.send_all, b"whole")
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(trio.BusyResourceError, match="ipc://right"):
            left.send_nowait([b"x"])
        nursery.cancel_scope.cancel()


async def test_a_cancelled_write_leaves_the_stream_usable_to_others():
    left, right = await clogged_pair()
    async with left, right:
        for wait in (left.wait_send_all_might_not_block, lambda: left.send_all(b"x")):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(wait)
                await trio.testing.wait_all_tasks_blocked()
                nursery.cancel_scope.cancel()
        assert left.send_nowait([b"x"]) == 0  # no BusyResourceError


async def test_two_readers_are_one_too_many():
    left, right = await unix_pair()
    async with left, right, trio.open_nursery() as nursery:
        nursery.start_soon(left.wait_receivable)
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(trio.BusyResourceError):
            await left.wait_receivable()
        nursery.cancel_scope.cancel()


async def test_closing_wakes_who_waits():
    left, right = await clogged_pair()
    with pytest.raises(trio.WouldBlock):
        while left.receive_nowait(1 << 20):
            pass
    woken = []

    async def expect_closed(wait: Callable[[], Awaitable[object]]) -> None:
        with pytest.raises(trio.ClosedResourceError):
            await wait()
        woken.append(wait)

    async with right, trio.open_nursery() as nursery:
        nursery.start_soon(expect_closed, left.wait_receivable)
        nursery.start_soon(expect_closed, left.wait_send_all_might_not_block)
        await trio.testing.wait_all_tasks_blocked()
        assert not woken
        left.close()
    assert len(woken) == 2


async def test_a_closed_stream():
    left, right = await unix_pair()
    async with right:
        assert left.fileno() >= 0
        assert "fd=" in repr(left)
        left.close()
        left.close()
        assert left.fileno() == -1
        assert left.peer == "ipc://right"
        assert "closed" in repr(left)
        with pytest.raises(trio.ClosedResourceError, match="ipc://right was closed"):
            left.send_nowait([b"x"])
        with pytest.raises(trio.ClosedResourceError):
            left.send_nowait([b"x", b"y"])
        with pytest.raises(trio.ClosedResourceError):
            left.receive_nowait(1)
        with pytest.raises(trio.ClosedResourceError):
            await left.wait_receivable()


async def test_waiting_on_a_closed_stream_does_not_touch_who_has_its_number_now():
    left, right = await unix_pair()
    number = left.fileno()
    left.close()
    other, another = socket.socketpair()
    with other, another:
        assert number in (other.fileno(), another.fileno())
        with pytest.raises(trio.ClosedResourceError):
            await left.wait_receivable()
        with pytest.raises(trio.ClosedResourceError):
            await left.wait_send_all_might_not_block()
    right.close()


async def test_a_dead_connection_is_broken_with_its_cause():
    left, right = await tcp_pair()
    async with left, right:
        left.send_nowait([b"unread"])
        await right.wait_receivable()
        right.close()  # with something unread: the kernel resets the connection
        await left.wait_receivable()
        with pytest.raises(trio.BrokenResourceError, match="tcp://right broke") as caught:
            left.receive_nowait(10)
        assert isinstance(caught.value.__cause__, ConnectionResetError)
        for buffers in ([b"x"], [b"x", b"y"]):
            with pytest.raises(trio.BrokenResourceError) as caught:
                left.send_nowait(buffers)
            assert caught.value.__cause__.errno == errno.EPIPE


async def test_waiting_is_always_a_schedule_point():
    left, right = await unix_pair()
    async with left, right:
        left.send_nowait([b"x"])
        with trio.testing.assert_checkpoints():
            await right.wait_receivable()
        with trio.CancelScope() as scope:
            scope.cancel()
            await right.wait_receivable()
        assert scope.cancelled_caught
        assert right.receive_nowait(10) == b"x"
