"""A look at the stream from outside the reader's own task: what it leaves behind, the reader goes on with."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

import triomq

from .raw_peer import accept_as

PING = b"\4\7\4PING\0\0"


@asynccontextmanager
async def met(path: Path) -> AsyncIterator[tuple[triomq.DEALER, socket.socket]]:
    """A DEALER, and its peer, which says what the test says."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        async with triomq.open_context() as ctx:
            dealer = ctx.socket(triomq.DEALER, linger=0, reconnect_interval=60)
            dealer.connect(f"ipc://{path}")
            accepted, _ = await accept_as(listener, "DEALER")
            with accepted as sock:
                await dealer.wait_peers()
                await wait_all_tasks_blocked()
                yield dealer, sock


def look_at(dealer: triomq.DEALER) -> bool:
    (pipe,) = dealer._peers.pipes
    return pipe.inbox.source.look()


@pytest.mark.parametrize("lent", [False, True], ids=["", "lent"])
@pytest.mark.parametrize("before", [b"", b"\0\1m" * 3], ids=["fault alone", "fault behind messages"])
async def test_a_fault_that_a_look_finds_ends_the_connection(tmp_path: Path, before: bytes, lent: bool) -> None:
    """The look has taken all that the system had to tell of, so nothing else wakes the reader, or a task that reads."""
    async with met(tmp_path / "peer") as (dealer, sock), trio.open_nursery() as nursery:
        got: list[triomq.Message] = []

        async def receive() -> None:
            async for message in dealer:
                got.append(message)

        if lent:
            nursery.start_soon(receive)
            await wait_all_tasks_blocked()
        monitor = dealer.monitor()
        sock.sendall(before + b"\xff" * 20)
        assert look_at(dealer)
        with trio.fail_after(10):
            while not isinstance(event := await monitor.receive(), triomq.Disconnected):
                pass
        assert isinstance(event.error, triomq.RemoteProtocolError)
        messages = before.count(b"m")
        got += [dealer.receive_nowait() for _ in range(messages - len(got))]
        assert got == [(b"m",)] * messages
        nursery.cancel_scope.cancel()


async def test_what_a_look_leaves_in_the_buffer_comes_to_the_task_that_reads(tmp_path: Path) -> None:
    """A look takes no more commands at once than a read does; behind those, here, stands a message."""
    async with met(tmp_path / "peer") as (dealer, sock), trio.open_nursery() as nursery:
        got: list[triomq.Message] = []

        async def receive() -> None:
            got.append(await dealer.receive())
            nursery.cancel_scope.cancel()

        nursery.start_soon(receive)
        await wait_all_tasks_blocked()
        sock.sendall(PING * 100 + b"\0\1m")
        assert look_at(dealer)
        with trio.fail_after(10):
            await trio.sleep_forever()
    assert got == [(b"m",)]
