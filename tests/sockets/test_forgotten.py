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
FEW = 10


@pytest.fixture
def told():
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        yield found


def texts(told: list[warnings.WarningMessage]) -> list[str]:
    assert {one.category for one in told} <= {ResourceWarning}
    return [str(one.message) for one in told]


async def publish(ctx: triomq.Context, message: bytes) -> None:
    """What a program should not do: a socket for each message."""
    push = ctx.socket(triomq.PUSH)
    push.connect("inproc://it")
    await push.send(message)


async def test_sockets_that_gather_are_told_of_by_type_and_endpoints(autojump_clock, told):
    async with triomq.open_context() as ctx:
        for number in range(FEW + 3):
            await publish(ctx, b"%d" % number)
        await trio.sleep(MOMENT)
        assert texts(told) == [
            f"<triomq.PUSH inproc://it> was forgotten and is still open, as are {FEW + 2} others of this context: "
            "close each when it is done with, or write 'async with'"
        ] * (FEW + 3)
        await ctx.socket(triomq.REP).bind("inproc://other")
        await trio.sleep(MOMENT)
        assert [text.partition(" was")[0] for text in texts(told)[FEW + 3 :]] == ["<triomq.REP inproc://other>"]
        await trio.sleep(MOMENT)
    gc.collect()
    assert len(told) == FEW + 4, "each once, and not again at the end"


async def test_even_one_is_told_of(autojump_clock, told):
    async with triomq.open_context() as ctx:
        push = ctx.socket(triomq.PUSH, name="reports")
        push.connect("inproc://it")
        del push
        await trio.sleep(MOMENT)
        assert texts(told) == [
            "<triomq.PUSH 'reports' inproc://it> was forgotten and is still open: close each when it is done with, or "
            "write 'async with'"
        ]


async def test_a_task_that_is_cancelled_may_leave_its_socket_to_the_context(autojump_clock, told):
    """That is what a context is for; and the same holds for a task that ends just before."""

    async def serve(ctx: triomq.Context) -> None:
        rep = ctx.socket(triomq.REP)
        await rep.bind("inproc://it")
        await rep.receive()

    async with triomq.open_context() as ctx, trio.open_nursery() as nursery:
        nursery.start_soon(serve, ctx)
        nursery.start_soon(publish, ctx, b"x")
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    gc.collect()
    assert texts(told) == []


async def test_what_they_have_accepted_still_leaves_and_the_context_closes_them(autojump_clock, told):
    async with triomq.open_context() as ctx:
        pull = ctx.socket(triomq.PULL)
        for number in range(FEW + 1):
            await publish(ctx, b"%d" % number)
        await trio.sleep(MOMENT)
        assert len(told) == FEW + 1
        assert [socket.socket_type for socket in ctx.sockets] == ["PULL"] + ["PUSH"] * (FEW + 1)
        await pull.bind("inproc://it")
        got = {bytes(await pull.receive()) for _ in range(FEW + 1)}
        assert got == {b"%d" % number for number in range(FEW + 1)}
    assert ctx.sockets == ()


@pytest.mark.parametrize("ending", ["close", "async with", "held", "unused"])
async def test_what_is_not_forgotten(autojump_clock, told, ending):
    async with triomq.open_context() as ctx:
        held = []
        for _ in range(5 * FEW):
            one = ctx.socket(triomq.PUSH)
            if ending != "unused":  # a socket without endpoints holds nothing open
                one.connect("inproc://it")
            if ending == "close":
                await one.aclose()
            if ending == "async with":
                async with one:
                    pass
            if ending == "held":
                held.append(one)
        del one
        gc.collect()
        await trio.sleep(MOMENT)
        assert len(ctx.sockets) == len(held)
    gc.collect()
    assert texts(told) == []


async def test_a_program_that_ends_drops_its_sockets_in_any_order(autojump_clock, told):
    """Tasks that are cancelled, helpers that return, an exception: and then the context is left."""
    with pytest.raises(ZeroDivisionError):
        async with triomq.open_context() as ctx:

            async def serve(number: int) -> None:
                rep = ctx.socket(triomq.REP)
                await rep.bind(f"inproc://{number}")
                await rep.receive()

            async with trio.open_nursery() as nursery:
                for number in range(2 * FEW):
                    nursery.start_soon(serve, number)
                await trio.testing.wait_all_tasks_blocked()
                nursery.cancel_scope.cancel()
            for _ in range(2 * FEW):
                await publish(ctx, b"x")  # so that leaving takes a second, for the linger
            1 / 0
    gc.collect()
    assert texts(told) == []


async def test_a_task_that_waits_in_a_call_has_its_socket(autojump_clock, told):
    async with triomq.open_context() as ctx, trio.open_nursery() as nursery:
        for _ in range(2 * FEW):
            pull = ctx.socket(triomq.PULL)
            pull.connect("inproc://it")
            nursery.start_soon(pull.receive)
        del pull
        await trio.sleep(MOMENT)
        gc.collect()
        await trio.sleep(MOMENT)
        assert texts(told) == []
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("collector", ["own thread", "another thread"])
async def test_sockets_that_the_garbage_collector_finds(autojump_clock, told, collector):
    def make_garbage() -> None:
        for _ in range(FEW + 1):
            push = ctx.socket(triomq.PUSH)
            push.connect("inproc://it")
            cycle = [push]
            cycle.append(cycle)  # type: ignore[arg-type]

    async with triomq.open_context() as ctx:
        make_garbage()
        if collector == "own thread":
            gc.collect()
        else:
            thread = threading.Thread(target=gc.collect)
            thread.start()
            thread.join()
        await trio.sleep(MOMENT)
        assert len(told) == FEW + 1
        assert {str(socket) for socket in ctx.sockets} == {"<triomq.PUSH inproc://it>"}
        assert len(ctx.sockets) == FEW + 1


async def test_a_warning_that_is_made_an_error_ends_nothing(autojump_clock, monkeypatch):
    raised = []
    monkeypatch.setattr(sys, "unraisablehook", lambda report: raised.append(report.exc_type))
    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        async with triomq.open_context() as ctx:
            for _ in range(FEW + 1):
                await publish(ctx, b"x")
            await trio.sleep(MOMENT)
            assert raised == [ResourceWarning] * (FEW + 1)


async def test_a_socket_that_could_not_be_made_is_not_forgotten(autojump_clock, told):
    async with triomq.open_context() as ctx:
        for _ in range(2 * FEW):
            with pytest.raises(ValueError):
                ctx.socket(triomq.PUSH, linger=-1)
            with pytest.raises(TypeError):
                ctx.socket(triomq.SUB, topics=[7])  # type: ignore[list-item]
        gc.collect()
        await trio.sleep(MOMENT)
        assert ctx.sockets == ()
    assert texts(told) == []


async def test_a_monitor_of_a_forgotten_socket_goes_on_until_the_end(autojump_clock, told):
    """Whoever waits for events waits, though none can come; and such sockets are not counted among those left open."""
    async with triomq.open_context() as ctx:
        monitors = [ctx.socket(triomq.PUSH).monitor() for _ in range(2 * FEW)]
        await trio.sleep(MOMENT)
        with pytest.raises(trio.WouldBlock):
            monitors[0].receive_nowait()
    for monitor in monitors:
        with pytest.raises(trio.EndOfChannel):
            await monitor.receive()
    assert texts(told) == []


async def test_a_monitor_that_is_forgotten_too_keeps_no_socket(autojump_clock, told):
    async with triomq.open_context() as ctx:

        def look() -> None:
            push = ctx.socket(triomq.PUSH)
            monitor = push.monitor()
            assert monitor.dropped == 0

        for _ in range(2 * FEW):
            look()
        gc.collect()
        await trio.sleep(MOMENT)
        assert ctx.sockets == ()
    assert texts(told) == []


@pytest.mark.parametrize("closed", [False, True])
async def test_sockets_that_were_to_bind_when_they_are_entered_and_never_were(autojump_clock, told, closed):
    """They hold nothing open, and count against ``max_sockets`` no longer."""
    async with triomq.open_context(max_sockets=1) as ctx:
        for _ in range(FEW):
            pull = ctx.socket(triomq.PULL, bind="inproc://it")
            if closed:
                await pull.aclose()
            del pull
            await trio.sleep(MOMENT)
        async with ctx.socket(triomq.PULL, bind="inproc://it"):
            assert len(ctx.sockets) == 1
    gc.collect()
    assert texts(told) == []
