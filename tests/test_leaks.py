"""After a context is left, in whatever way, there is no task, descriptor, thread, file or reference cycle of ours."""

from __future__ import annotations

import gc
import os
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

import triomq

from .cancellation.kit import FLOWS, REAL, Flow, endpoint_of, run
from .monitors import next_event

SCHEMES = ["inproc", "shared", *REAL]  # and no virtual network: it is full of cycles of its own


class Deliberate(Exception):
    """Ends a body."""


async def traffic(ctx: triomq.Context, endpoint: str, flow: Flow, watch: Callable[[Any], None]) -> tuple[Any, Any]:
    """Use a pair of sockets for all sorts of things."""
    receiver = ctx.socket(flow.receiver, hwm=0, **flow.receiver_options)
    sender = ctx.socket(flow.sender, hwm=0, reconnect_interval=0.01, **flow.sender_options)
    monitor = sender.monitor()
    sender.connect(await receiver.bind(endpoint))
    await sender.wait_peers()
    await receiver.wait_peers()
    if flow.receiver is triomq.XSUB:
        await receiver.send(b"\1")
    if hasattr(sender, "wait_subscribers"):
        await sender.wait_subscribers(b"")
    for _ in range(10):
        await sender.send(flow.wrap(b"it"))
    await receiver.receive()
    with trio.move_on_after(0):
        await triomq.merge(receiver).receive()
    pipes = [*sender._peers.pipes, *receiver._peers.pipes]
    for thing in (ctx, sender, receiver, monitor, ctx._shared, ctx._shared.runtime, *pipes):
        watch(thing)
    return sender, receiver


async def leave(ctx: triomq.Context, sender: Any, receiver: Any) -> None:
    """Just leave, with messages not received and others not sent."""


async def close(ctx: triomq.Context, sender: Any, receiver: Any) -> None:
    """Close the sockets first."""
    await sender.aclose()
    await receiver.aclose()


async def fail(ctx: triomq.Context, sender: Any, receiver: Any) -> None:
    """Leave by an exception."""
    raise Deliberate


async def be_cancelled(ctx: triomq.Context, sender: Any, receiver: Any) -> None:
    """Be cancelled from within, while blocked."""
    with trio.move_on_after(0.01):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            await sender.wait_peers(5)
    raise trio.TooSlowError


async def undo(ctx: triomq.Context, sender: Any, receiver: Any) -> None:
    """Take back every endpoint."""
    sender.disconnect(sender.endpoints[0])
    await receiver.unbind(receiver.endpoints[0])


async def reconnect(ctx: triomq.Context, sender: Any, receiver: Any) -> None:
    """Lose the peer and look for it in vain."""
    events = sender.monitor()
    await receiver.aclose()
    await next_event(events, triomq.Disconnected)
    if not sender.endpoints[0].startswith("inproc:"):  # where nobody is looked for
        for _ in range(2):
            await next_event(events, triomq.ConnectFailed)


async def meet_strangers(ctx: triomq.Context, sender: Any, receiver: Any) -> None:
    """Fail to shake hands with a socket that does not fit, and keep the events that tell of it."""
    for _ in range(2):
        stranger = ctx.socket(triomq.PULL)
        events = stranger.monitor()
        stranger.connect(receiver.endpoints[0])
        told.append(await next_event(events, triomq.HandshakeFailed))


told: list[triomq.MonitorEvent] = []

ENDINGS = [leave, close, fail, be_cancelled, undo, reconnect, meet_strangers]


async def life(net: Any, endpoint: str, flow: Flow, ending: Callable[..., Any], watch: Callable[[Any], None]) -> None:
    tasks = trio.lowlevel.current_statistics().tasks_living
    try:
        async with net.open_context() as ctx:
            sender, receiver = await traffic(ctx, endpoint, flow, watch)
            await ending(ctx, sender, receiver)
    except (Deliberate, trio.TooSlowError):
        pass
    assert trio.lowlevel.current_statistics().tasks_living == tasks


def resources() -> tuple[list[str], set[str]]:
    threads = {thread.name for thread in threading.enumerate() if not thread.name.startswith("Trio thread ")}
    return sorted(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else [], threads


@pytest.fixture
def no_collector():
    """Only reference counts free anything meanwhile; what was collected as tests is frozen (`conftest`)."""
    gc.collect()
    gc.disable()
    yield
    gc.set_debug(0)
    gc.garbage.clear()
    told.clear()
    gc.enable()


def ours(garbage: list[Any]) -> list[str]:
    return [f"{type(one).__module__}.{type(one).__qualname__}" for one in garbage if is_ours(type(one))]


def is_ours(kind: type) -> bool:
    module = str(kind.__module__)  # of a few builtin types it is a descriptor
    return module.partition(".")[0] == "triomq" and not f"{module}.".startswith("triomq.testing.")


@pytest.mark.parametrize("ending", ENDINGS, ids=lambda one: one.__name__)
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("flow", FLOWS, ids=str)
def test_nothing_is_left(
    flow: Flow, scheme: str, ending: Callable[..., Any], tmp_path: Path, no_collector: None
) -> None:
    """Every object dies with its last user, without the garbage collector; and no cycle of ours is found by it."""
    endpoint = f"ipc://{tmp_path}/it" if scheme == "ipc" else endpoint_of(scheme)
    watched: list[tuple[str, weakref.ref[Any]]] = []

    def watch(thing: Any) -> None:
        try:
            watched.append((type(thing).__name__, weakref.ref(thing)))
        except TypeError:  # a class with slots has no room for one; the collector will tell of it
            pass

    before = resources()
    run(life, endpoint, flow, ending, watch, scheme=scheme)
    assert resources() == before
    assert os.listdir(tmp_path) == []
    assert [name for name, reference in watched if reference() is not None] == []
    gc.set_debug(gc.DEBUG_SAVEALL)
    gc.collect()
    assert ours(gc.garbage) == []


def count_ours() -> int:
    return sum(is_ours(type(one)) for one in gc.get_objects())


def test_the_search_finds_a_cycle_of_ours(no_collector: None) -> None:
    """The test above can fail."""

    class Planted:
        __module__ = "triomq._planted"

    one = Planted()
    one.itself = one  # type: ignore[attr-defined]
    del one
    gc.set_debug(gc.DEBUG_SAVEALL)
    gc.collect()
    assert len(ours(gc.garbage)) == 1


@pytest.mark.parametrize("scheme", ["tcp", "inproc", "io-thread"])
def test_a_socket_and_its_peers_are_freed_while_the_context_lives(scheme: str, no_collector: None) -> None:
    """A program that opens and closes sockets for months does not grow."""

    async def main() -> None:
        async with triomq.open_context(io_thread=scheme == "io-thread") as ctx:
            pull = ctx.socket(triomq.PULL)
            endpoint = await pull.bind(endpoint_of(scheme))
            baseline = 0
            for round_ in range(6):
                for _ in range(5):
                    async with ctx.socket(triomq.PUSH) as push:
                        push.connect(endpoint)
                        await push.send(b"it")
                        assert await pull.receive() == (b"it",)
                    del push
                with trio.fail_after(60):  # until a thread has ended the last connection, too
                    while pull.peers or (round_ > 2 and count_ours() > baseline):
                        await trio.testing.wait_all_tasks_blocked(0.001)
                if round_ <= 2:
                    await trio.testing.wait_all_tasks_blocked(0.01)
                    baseline = max(baseline, count_ours())

    trio.run(main)
