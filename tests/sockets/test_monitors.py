"""What an event keeps alive: its error, and nothing of the code that the error went through."""

from __future__ import annotations

import gc
import struct
import weakref
from typing import Any

import pytest
import trio
import trio.testing

import triomq
from triomq import zmtp
from triomq._sockets._monitors import Monitors
from triomq.testing import VirtualNetwork

from ..virtual import dial


def connections() -> list[zmtp.Connection]:
    gc.collect()
    return [one for one in gc.get_objects() if isinstance(one, zmtp.Connection)]


async def come_and_break(net: VirtualNetwork, endpoint: str) -> None:
    """Greet, begin a large frame, and go."""
    stream = await dial(net, endpoint)
    connection = zmtp.Connection("PUSH", as_server=False)
    while not connection.established:
        await stream.send_all(connection.data_to_send())
        connection.receive_data(await stream.receive_some(1000))
    await stream.send_all(connection.data_to_send() + b"\2" + struct.pack(">Q", 1 << 40) + bytes(100_000))
    await trio.testing.wait_all_tasks_blocked()
    await trio.aclose_forcefully(stream)
    await trio.testing.wait_all_tasks_blocked()


@pytest.mark.parametrize("closed", [False, True], ids=["unread", "closed"])
async def test_a_monitor_that_nobody_reads_keeps_no_connection(closed: bool, virtual_network: VirtualNetwork) -> None:
    """Nor what had arrived on it."""
    net = virtual_network
    async with net.open_context() as ctx:
        pull = ctx.socket(triomq.PULL)
        endpoint = await pull.bind("tcp://127.0.0.1:0")
        monitor = pull.monitor()
        before = len(connections())
        for _ in range(5):
            await come_and_break(net, endpoint)
        assert not pull.peers
        if closed:
            monitor.close()
        await trio.sleep(1)
        assert len(connections()) <= before + 1  # the last that was written may be known to the flusher still


async def test_a_monitor_that_nobody_has_any_more_is_let_go() -> None:
    """Else whoever opens one for each look, and closes none, has every event told to all of them for ever."""
    async with triomq.open_context() as ctx:
        pull = ctx.socket(triomq.PULL)
        monitors = [pull.monitor() for _ in range(5)]
        dropped = [weakref.ref(monitor) for monitor in monitors[1:]]
        del monitors[1:]
        gc.collect()
        assert [one() for one in dropped] == [None] * 4
        endpoint = await pull.bind("inproc://it")
        assert monitors[0].receive_nowait() == triomq.Listening(endpoint=endpoint)


async def test_a_task_that_waits_has_its_monitor(virtual_network: VirtualNetwork) -> None:
    """Though no variable has the monitor."""
    told = []

    async with virtual_network.open_context() as ctx, trio.open_nursery() as nursery:
        pull = ctx.socket(triomq.PULL)

        async def listen() -> None:
            async for event in pull.monitor():
                told.append(event)

        nursery.start_soon(listen)
        await trio.testing.wait_all_tasks_blocked()
        gc.collect()
        await pull.bind("inproc://it")
        await pull.aclose()
    assert [type(event) for event in told] == [triomq.Listening, triomq.ListeningStopped]


class Held:
    """Something in a frame that an exception went through."""


def from_deep_within(shape: str) -> tuple[Exception, weakref.ref[Held]]:
    held = Held()

    def fail() -> None:
        assert held
        raise OSError("the first of all")

    try:
        try:
            fail()
        except OSError as exc:
            if shape == "cause":
                raise trio.BrokenResourceError("then this") from exc
            if shape == "context":
                raise trio.BrokenResourceError("then this")  # noqa: B904
            if shape == "group":
                raise ExceptionGroup("then these", [ValueError("one"), exc])  # noqa: B904
            raise
    except Exception as exc:
        if shape == "circle":
            other = ValueError("and round")
            other.__cause__, exc.__cause__ = exc, other
        return exc, weakref.ref(held)


class Somebody:
    """Stands in for the socket."""


@pytest.mark.parametrize("shape", ["plain", "cause", "context", "group", "circle"])
def test_an_error_keeps_no_frame_by_what_it_came_from(shape: str) -> None:
    """Causes, contexts, groups; and what it came from can still be read."""
    socket = Somebody()
    monitors = Monitors(socket, [])  # type: ignore[arg-type]  # no observer asks for the socket
    monitor = monitors.open(10)
    error, held = from_deep_within(shape)
    monitors.emit(triomq.Disconnected(endpoint="it", address="it", error=error))
    event: Any = monitor.receive_nowait()
    gc.collect()
    assert held() is None
    assert event.error is error
    if shape == "cause":
        assert isinstance(error.__cause__, OSError)
