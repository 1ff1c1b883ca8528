"""A look at the stream from outside the reader's own task: what it leaves behind, the reader goes on with."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

import triomq

from .raw_peer import accept_as


@pytest.mark.parametrize("before", [b"", b"\0\1m" * 3], ids=["fault alone", "fault behind messages"])
async def test_a_fault_that_a_look_finds_ends_the_connection(tmp_path: Path, before: bytes) -> None:
    """The look has taken all that the system had to tell of, so nothing else wakes the reader."""
    path = str(tmp_path / "peer")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        async with triomq.open_context() as ctx:
            dealer = ctx.socket(triomq.DEALER, linger=0, reconnect_interval=60)
            monitor = dealer.monitor()
            dealer.connect(f"ipc://{path}")
            accepted, _ = await accept_as(listener, "DEALER")
            with accepted as sock:
                await dealer.wait_peers()
                await wait_all_tasks_blocked()
                (pipe,) = dealer._peers.pipes
                sock.sendall(before + b"\xff" * 20)
                assert pipe.inbox.source.look()
                with trio.fail_after(10):
                    while not isinstance(event := await monitor.receive(), triomq.Disconnected):
                        pass
                assert isinstance(event.error, triomq.RemoteProtocolError)
                messages = before.count(b"m")
                assert [bytes(dealer.receive_nowait()) for _ in range(messages)] == [b"m"] * messages
