"""Sockets that the program drops without closing them."""

from __future__ import annotations

import gc
import sys
import threading
import warnings

import pytest
import trio
import trio.testing

import triomq

MOMENT = 0.2  # seconds, virtual; longer than the moment of grace


@pytest.fixture
def told():
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        yield found


def texts(told: list[warnings.WarningMessage]) -> list[str]:
    assert {one.category for one in told} <= {ResourceWarning}
    return [str(one.message) for one in told]


async def test_a_forgotten_socket_is_told_of_by_type_and_endpoints(autojump_clock, told):
    async with triomq.open_context() as ctx:
        pull = ctx.socket(triomq.PULL)
        await pull.bind("inproc://it")
        ctx.socket(triomq.PUSH).connect("inproc://it")
        await trio.sleep(MOMENT)
        assert texts(told) == [
            "<triomq.PUSH inproc://it> was forgotten and is still open; close it, or write 'async with'"
        ]
        await trio.sleep(MOMENT)
    assert len(told) == 1, "once, and not again at the end"


async def test_what_it_has_accepted_still_leaves_and_the_context_closes_it(autojump_clock, told):
    async with triomq.open_context() as ctx:
        pull = ctx.socket(triomq.PULL)

        async def publish(message: bytes) -> None:
            push = ctx.socket(triomq.PUSH)
            push.connect("inproc://it")
            await push.send(message)

        for number in range(5):
            await publish(b"%d" % number)
        await trio.sleep(MOMENT)
        assert len(told) == 5
        assert [socket.socket_type for socket in ctx.sockets] == ["PULL"] + ["PUSH"] * 5
        await pull.bind("inproc://it")
        assert sorted([await pull.receive() for _ in range(5)]) == [(b"%d" % number,) for number in range(5)]
    assert ctx.sockets == ()


@pytest.mark.parametrize("ending", ["close", "async with", "held", "unused"])
async def test_what_is_not_forgotten(autojump_clock, told, ending):
    async with triomq.open_context() as ctx:
        one = ctx.socket(triomq.PUSH)
        if ending != "unused":  # a socket without endpoints holds nothing open
            one.connect("inproc://it")
        if ending == "close":
            await one.aclose()
        if ending == "async with":
            async with one:
                pass
        if ending != "held":
            del one
            gc.collect()
        await trio.sleep(MOMENT)
        assert len(ctx.sockets) == (ending == "held")
    gc.collect()
    assert texts(told) == []


async def test_a_program_that_ends_drops_its_sockets_in_any_order(autojump_clock, told):
    """A task that is cancelled, a helper that returns, an exception: and then the context is left."""
    with pytest.raises(ZeroDivisionError):
        async with triomq.open_context() as ctx:

            async def serve() -> None:
                rep = ctx.socket(triomq.REP)
                await rep.bind("inproc://it")
                await rep.receive()

            async def ask() -> None:
                req = ctx.socket(triomq.REQ)
                req.connect("inproc://it")
                await trio.lowlevel.checkpoint()

            async with trio.open_nursery() as nursery:
                nursery.start_soon(serve)
                await trio.testing.wait_all_tasks_blocked()
                nursery.cancel_scope.cancel()
            await ask()
            push = ctx.socket(triomq.PUSH, linger=10)
            push.connect("inproc://nobody")
            await push.send(b"x")  # so that leaving takes long
            del push
            1 / 0
    gc.collect()
    assert texts(told) == []


async def test_a_task_that_waits_in_a_call_has_its_socket(autojump_clock, told):
    async with triomq.open_context() as ctx, trio.open_nursery() as nursery:
        await ctx.socket(triomq.PUSH).bind("inproc://it")
        pull = ctx.socket(triomq.PULL)
        pull.connect("inproc://it")
        nursery.start_soon(pull.receive)
        del pull
        await trio.sleep(MOMENT)
        assert [text.partition(" was")[0] for text in texts(told)] == ["<triomq.PUSH inproc://it>"]
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("collector", ["own thread", "another thread"])
async def test_a_socket_that_the_garbage_collector_finds(autojump_clock, told, collector):
    async with triomq.open_context() as ctx:
        cycle: list[object] = [ctx.socket(triomq.PUSH)]
        cycle[0].connect("inproc://it")  # type: ignore[attr-defined]
        cycle.append(cycle)
        del cycle
        if collector == "own thread":
            gc.collect()
        else:
            thread = threading.Thread(target=gc.collect)
            thread.start()
            thread.join()
        await trio.sleep(MOMENT)
        assert len(told) == 1
        assert [str(socket) for socket in ctx.sockets] == ["<triomq.PUSH inproc://it>"]


async def test_a_warning_that_is_made_an_error_ends_nothing(autojump_clock, monkeypatch):
    raised = []
    monkeypatch.setattr(sys, "unraisablehook", lambda report: raised.append(report.exc_value))
    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        async with triomq.open_context() as ctx:
            ctx.socket(triomq.PUSH).connect("inproc://it")
            await trio.sleep(MOMENT)
            assert [type(error) for error in raised] == [ResourceWarning]
            raised.clear()


async def test_a_socket_that_could_not_be_made_is_not_forgotten(autojump_clock, told):
    async with triomq.open_context() as ctx:
        with pytest.raises(ValueError):
            ctx.socket(triomq.PUSH, linger=-1)
        with pytest.raises(TypeError):
            ctx.socket(triomq.SUB, topics=[7])  # type: ignore[list-item]
        gc.collect()
        await trio.sleep(MOMENT)
        assert ctx.sockets == ()
    assert texts(told) == []


async def test_a_monitor_outlives_a_forgotten_socket_without_endpoints(autojump_clock, told):
    """It ends, as when the socket is closed."""
    async with triomq.open_context() as ctx:
        monitor = ctx.socket(triomq.PUSH).monitor()
        await trio.sleep(MOMENT)
        with pytest.raises(trio.EndOfChannel):
            await monitor.receive()
    assert texts(told) == []
