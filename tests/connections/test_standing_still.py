"""A program that computes lets its connections stand still; what happened to them meanwhile is looked at first."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

import triomq
from triomq._connections import _writer
from triomq._runtime import _turn_end

from .raw_peer import accept_as


@pytest.fixture
def always_after_a_stall(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every write comes after the program stood still: nothing has to be computed for that."""
    monkeypatch.setattr(_turn_end, "LATE", 0.0)


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[socket.socket]:
    """A peer whose end of the stream is there as soon as it hangs up: a socket of the system's own."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "it"))
        listening.listen()
        yield listening


async def greet(listener: socket.socket) -> trio.SocketStream:
    """Accept a PUSH, as a PULL."""
    sock, _ = await accept_as(listener, "PULL")
    return trio.SocketStream(trio.socket.from_stdlib_socket(sock))


def stand_still_until(condition: Callable[[], bool]) -> None:
    """Let no task run until the system has got so far."""
    for _ in range(10_000):
        if condition():
            return
        time.sleep(0.001)
    pytest.fail("the system did not get there within 10 s")


@pytest.mark.usefixtures("always_after_a_stall")
@pytest.mark.parametrize("messages", [1, 5], ids=["at once", "gathered"])
async def test_what_is_sent_to_a_peer_that_hung_up_waits_for_the_next_connection(
    listener: socket.socket, messages: int
) -> None:
    async with triomq.open_context() as ctx:
        push = ctx.socket(triomq.PUSH, reconnect_interval=0.001)
        push.connect(f"ipc://{listener.getsockname()}")
        first = await greet(listener)
        await push.wait_peers()
        await wait_all_tasks_blocked()
        first.socket.close()
        for number in range(messages):
            push.send_nowait(b"%d" % number)
        await trio.lowlevel.checkpoint()
        assert push.statistics().messages_sent == 0
        second = await greet(listener)
        received = b""
        with trio.fail_after(60):
            while len(received) < 3 * messages:
                received += await second.receive_some()
        assert received == b"".join(b"\0\1%d" % number for number in range(messages))
        await second.aclose()


@pytest.mark.usefixtures("always_after_a_stall")
async def test_over_tcp_too_where_the_system_would_take_the_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket of UNIX refuses a write to a peer that hung up; TCP takes it, and nobody ever has it."""
    monkeypatch.setattr(_writer, "IDLE", 0.0)  # the write is made from within ``send``, before the reader's task runs
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        async with triomq.open_context() as ctx:
            push = ctx.socket(triomq.PUSH, reconnect_interval=0.001)
            push.connect(f"tcp://127.0.0.1:{listener.getsockname()[1]}")
            first, _ = await accept_as(listener, "PULL")
            await push.wait_peers()
            await wait_all_tasks_blocked()
            (pipe,) = push._peers.pipes
            first.close()
            stand_still_until(pipe.inbox.source._stream.peer_ended)
            push.send_nowait(b"result")
            assert push.statistics().messages_sent == 0
            second, _ = await accept_as(listener, "PULL")
            with second:
                assert await trio.to_thread.run_sync(second.recv, 100) == b"\0\6result"


@pytest.mark.usefixtures("always_after_a_stall")
async def test_what_the_peer_said_before_it_hung_up_is_received(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_writer, "IDLE", 0.0)  # every write is made from within ``send``, on any machine
    async with triomq.open_context() as ctx:
        dealer = ctx.socket(triomq.DEALER, linger=0)
        dealer.connect(f"ipc://{listener.getsockname()}")
        sock, peer = await accept_as(listener, "DEALER")
        await dealer.wait_peers()
        await wait_all_tasks_blocked()
        octets: list[bytes] = []
        peer.encode([(b"last words",)] * 3, octets)
        sock.sendall(b"".join(octets))
        sock.close()
        dealer.send_nowait(b"too late for this connection")
        assert dealer.statistics().messages_sent == 0
        assert [bytes(dealer.receive_nowait()) for _ in range(3)] == [b"last words"] * 3


@pytest.mark.usefixtures("always_after_a_stall")
@pytest.mark.parametrize("before", [b"", b"\0\1m" * 3], ids=["fault alone", "fault behind messages"])
async def test_a_fault_that_is_found_by_looking_is_the_peers(listener: socket.socket, before: bytes) -> None:
    """Not the sender's: the message waits for the next connection, and the monitor tells why."""
    async with triomq.open_context() as ctx:
        dealer = ctx.socket(triomq.DEALER, linger=0, reconnect_interval=60)
        monitor = dealer.monitor()
        dealer.connect(f"ipc://{listener.getsockname()}")
        sock, _ = await accept_as(listener, "DEALER")
        await dealer.wait_peers()
        await wait_all_tasks_blocked()
        sock.sendall(before + b"\xff" * 20)
        dealer.send_nowait(b"for a better peer")
        assert dealer.statistics().messages_sent == 0
        async for event in monitor:
            if isinstance(event, triomq.Disconnected):
                break
        assert isinstance(event.error, triomq.RemoteProtocolError)
        assert dealer.statistics().peers[0].send_queue == 1
        assert [bytes(dealer.receive_nowait()) for _ in range(before.count(b"m"))] == [b"m"] * before.count(b"m")
        sock.close()


def test_a_connection_is_late_for_a_long_pass_and_the_next() -> None:
    clock = MockClock()

    async def main() -> None:
        with _turn_end.turn_end() as turn_end:

            def is_late() -> bool:
                return trio.current_time() >= turn_end.late_from

            await trio.lowlevel.checkpoint()
            assert not is_late()
            clock.jump(0.5)
            assert is_late()
            await trio.lowlevel.checkpoint()
            assert is_late()  # other tasks have not had their turns since trio looked
            await trio.lowlevel.checkpoint()
            assert not is_late()

    trio.run(main, clock=clock)
