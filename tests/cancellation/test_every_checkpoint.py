"""Every async method cancelled at its first, second, third … yield, asleep and just woken: all of it or nothing."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

import triomq
from triomq.testing import VirtualNetwork

from .kit import FLOWS, SCHEMES, Flow, Outcome, cancel_at, endpoint_of, examples, run

MOST_YIELDS = 60
Attempt = Callable[[VirtualNetwork, int, bool], Awaitable[Outcome]]


def at_every_yield(attempt: Attempt, scheme: str = "inproc") -> None:
    """Call ``attempt(net, n, woken)`` for n = 0, 1, 2 … until the call gets by with fewer yields."""

    @examples(2)
    @given(seed=st.integers(0, 2**32 - 1))  # and so the order in which trio runs tasks that are ready at once
    def try_one_order(seed: int) -> None:
        for woken in (False, True):
            for at in range(MOST_YIELDS):
                outcome = run(attempt, at, woken, scheme=scheme, seed=seed)
                assert outcome.cancelled or at > 0, "not a cancellation point"
                if not outcome.cancelled and outcome.yields < at:
                    break
            else:
                raise AssertionError(f"still yields after {MOST_YIELDS} of them")

    try_one_order()


@asynccontextmanager
async def opened(
    net: VirtualNetwork, flow: Flow, scheme: str, hwm: int = 1
) -> AsyncIterator[tuple[Any, Any, trio.Nursery]]:
    async with net.open_context() as ctx:
        sender, receiver = await flow.open(ctx, scheme, hwm=hwm)
        async with trio.open_nursery() as nursery:
            yield sender, receiver, nursery


async def fill(sender: Any, flow: Flow) -> int:
    """Send until nothing more goes; returns how many were accepted."""
    count, quiet = 0, False
    while True:
        try:
            sender.send_nowait(flow.wrap(b"%d" % count, bytes(300)))
            count, quiet = count + 1, False
        except trio.WouldBlock:
            if quiet:
                return count
            quiet = True
            await trio.testing.wait_all_tasks_blocked()


async def drain(receiver: Any, flow: Flow) -> list[bytes]:
    """All that arrives until everybody is asleep."""
    got: list[bytes] = []
    while True:
        with trio.move_on_after(1) as scope:
            got.append(flow.unwrap(await receiver.receive())[0])
        if scope.cancelled_caught:
            return got


every_scheme = pytest.mark.parametrize("scheme", SCHEMES)
every_flow = pytest.mark.parametrize("flow", FLOWS, ids=str)


@every_scheme
@every_flow
def test_receive_takes_a_message_or_leaves_it(flow: Flow, scheme: str) -> None:
    """C2: whether the message was there before or comes while the task waits."""
    for early in (True, False):

        async def attempt(net: VirtualNetwork, at: int, woken: bool, early: bool = early) -> Outcome:
            async with opened(net, flow, scheme) as (sender, receiver, nursery):
                if early:
                    await sender.send(flow.wrap(b"it"))
                    await trio.testing.wait_all_tasks_blocked()
                else:
                    nursery.start_soon(sender.send, flow.wrap(b"it"))
                outcome = await cancel_at(at, receiver.receive, woken=woken)
                got = await drain(receiver, flow)
                assert got == ([b"it"] if outcome.cancelled else [])
                return outcome

        at_every_yield(attempt, scheme)


@every_scheme
@every_flow
def test_receive_many_takes_messages_or_leaves_them(flow: Flow, scheme: str) -> None:
    """C2, for several at once."""

    async def attempt(net: VirtualNetwork, at: int, woken: bool) -> Outcome:
        async with opened(net, flow, scheme, hwm=0) as (sender, receiver, nursery):
            nursery.start_soon(sender.send_many, [flow.wrap(b"%d" % number) for number in range(3)])
            outcome = await cancel_at(at, lambda: receiver.receive_many(2), woken=woken)
            got = [flow.unwrap(message)[0] for message in outcome.value or ()] + await drain(receiver, flow)
            assert got == [b"0", b"1", b"2"]
            return outcome

    at_every_yield(attempt, scheme)


@every_scheme
@every_flow
def test_send_is_accepted_or_never_was(flow: Flow, scheme: str) -> None:
    """C1: whether there is room at once or it comes while the task waits."""
    for full in (False, True) if flow.waits and scheme != "tcp" else (False,):

        async def attempt(net: VirtualNetwork, at: int, woken: bool, full: bool = full) -> Outcome:
            async with opened(net, flow, scheme) as (sender, receiver, nursery):
                before = await fill(sender, flow) if full else 0
                if full:
                    nursery.start_soon(receiver.receive)
                outcome = await cancel_at(at, lambda: sender.send(flow.wrap(b"it")), woken=woken)
                await trio.testing.wait_all_tasks_blocked()
                got = await drain(receiver, flow)
                assert got == [b"%d" % number for number in range(full, before)] + [b"it"] * (not outcome.cancelled)
                return outcome

        at_every_yield(attempt, scheme)


@every_scheme
@pytest.mark.parametrize("flow", [flow for flow in FLOWS if flow.many], ids=str)
def test_send_many_accepts_what_it_took_from_the_iterator(flow: Flow, scheme: str) -> None:
    """C1, for several: the iterator stands where to go on."""

    async def attempt(net: VirtualNetwork, at: int, woken: bool) -> Outcome:
        async with opened(net, flow, scheme) as (sender, receiver, nursery):
            messages = iter([flow.wrap(b"%d" % number, bytes(200)) for number in range(8)])
            got: list[bytes] = []

            async def receive() -> None:
                while True:
                    got.append(flow.unwrap(await receiver.receive())[0])

            nursery.start_soon(receive)
            outcome = await cancel_at(at, lambda: sender.send_many(messages), woken=woken)
            await sender.send_many(messages)
            await trio.sleep(1)
            assert got == [b"%d" % number for number in range(8)]
            nursery.cancel_scope.cancel()
            return outcome

    at_every_yield(attempt, scheme)


@every_scheme
def test_merge_takes_a_message_or_leaves_it(scheme: str) -> None:
    """C2: from whichever socket."""
    flow = FLOWS[0]

    async def attempt(net: VirtualNetwork, at: int, woken: bool) -> Outcome:
        async with opened(net, flow, scheme) as (one, first, nursery), opened(net, flow, scheme) as (other, second, _):
            nursery.start_soon(other.send, b"other")
            nursery.start_soon(one.send, b"one")
            outcome = await cancel_at(at, triomq.merge(first, second).receive, woken=woken)
            got = [] if outcome.cancelled else [outcome.value[1][0]]
            got += await drain(first, flow) + await drain(second, flow)
            assert sorted(got) == [b"one", b"other"]
            return outcome

    at_every_yield(attempt, scheme)


@every_scheme
def test_proxy_moves_a_message_or_leaves_it(scheme: str) -> None:
    """C13: no message is in between."""
    flow = FLOWS[0]

    async def attempt(net: VirtualNetwork, at: int, woken: bool) -> Outcome:
        async with (
            opened(net, flow, scheme, hwm=0) as (source, frontend, nursery),
            opened(net, flow, scheme, hwm=0) as (backend, sink, _),
        ):
            await source.send_many([b"%d" % number for number in range(100)])

            async def more() -> None:
                await trio.sleep(1)
                await source.send(b"100")
                await trio.sleep(1)
                running.cancel()

            running = trio.CancelScope()

            async def proxy() -> None:
                with running:
                    await triomq.proxy(frontend, backend)

            nursery.start_soon(more)
            outcome = await cancel_at(at, proxy, woken=woken)
            got = await drain(sink, flow)
            assert got + await drain(frontend, flow) == [b"%d" % number for number in range(101)]
            return outcome

    at_every_yield(attempt, scheme)


@pytest.mark.parametrize("scheme", [*SCHEMES, "ipc", "io-thread"])
def test_bind_leaves_a_listener_or_nothing(scheme: str, tmp_path: Path) -> None:
    """C9: no listener, no name taken, no file."""
    path = tmp_path / "it"

    async def attempt(net: VirtualNetwork, at: int, woken: bool) -> Outcome:
        endpoint = f"ipc://{path}" if scheme == "ipc" else endpoint_of(scheme)
        async with net.open_context() as ctx:
            socket = ctx.socket(triomq.PULL)
            monitor = socket.monitor()
            outcome = await cancel_at(at, lambda: socket.bind(endpoint), woken=woken)
            assert len(socket.endpoints) == (not outcome.cancelled)
            if outcome.cancelled:
                assert not os.listdir(tmp_path)
                with pytest.raises(trio.WouldBlock):
                    monitor.receive_nowait()
                if scheme != "tcp":
                    await ctx.socket(triomq.PULL).bind(endpoint)
        assert not os.listdir(tmp_path)
        return outcome

    at_every_yield(attempt, scheme)


@every_scheme
def test_unbind_is_complete_even_if_cancelled(scheme: str) -> None:
    """C9: the effect is complete or none; here it is complete."""

    async def attempt(net: VirtualNetwork, at: int, woken: bool) -> Outcome:
        async with net.open_context() as ctx:
            socket = ctx.socket(triomq.PULL)
            endpoint = await socket.bind(endpoint_of(scheme))
            outcome = await cancel_at(at, lambda: socket.unbind(endpoint), woken=woken)
            await trio.testing.wait_all_tasks_blocked()
            if socket.endpoints:
                await socket.unbind(endpoint)
            assert socket.endpoints == ()
            await ctx.socket(triomq.PULL).bind(endpoint)
            return outcome

    at_every_yield(attempt, scheme)


@every_scheme
@every_flow
def test_aclose_closes_even_if_cancelled(flow: Flow, scheme: str) -> None:
    """C10: at any moment, and again."""

    async def attempt(net: VirtualNetwork, at: int, woken: bool) -> Outcome:
        async with opened(net, flow, scheme) as (sender, receiver, nursery):
            nursery.start_soon(receive_closed, receiver)
            await trio.testing.wait_all_tasks_blocked()
            for number in range(3):  # something to linger with
                with trio.move_on_after(0):
                    await sender.send(flow.wrap(b"%d" % number, bytes(500)))
            outcome = await cancel_at(at, sender.aclose, woken=woken)
            for socket in (sender, receiver):
                await socket.aclose()
                await socket.aclose()
                assert socket.endpoints == socket.peers == ()
            with pytest.raises(trio.ClosedResourceError):
                await sender.send(flow.wrap(b"x"))
            return outcome

    at_every_yield(attempt, scheme)


async def receive_closed(receiver: Any) -> None:
    with pytest.raises(trio.ClosedResourceError):
        while True:
            await receiver.receive()


@every_scheme
def test_request_gets_its_reply_or_gives_up(scheme: str) -> None:
    """C7: wherever it is cancelled, the next request gets its own reply."""

    async def attempt(net: VirtualNetwork, at: int, woken: bool) -> Outcome:
        flow = Flow(triomq.REQ, triomq.REP)
        async with opened(net, flow, scheme, hwm=10) as (req, rep, nursery):

            async def serve() -> None:
                while True:
                    await rep.send(await rep.receive())

            nursery.start_soon(serve)
            outcome = await cancel_at(at, lambda: req.request(b"first"), woken=woken)
            if not outcome.cancelled:
                assert outcome.value == (b"first",)
            for number in (b"second", b"third"):
                assert await req.request(number) == (number,)
            nursery.cancel_scope.cancel()
            return outcome

    at_every_yield(attempt, scheme)


@every_scheme
def test_lockstep_keeps_its_state(scheme: str) -> None:
    """C7: a REQ cancelled in send may send, in receive awaits its reply; a REP cancelled in send keeps the envelope."""
    flow = Flow(triomq.REQ, triomq.REP)
    for step in range(4):

        async def attempt(net: VirtualNetwork, at: int, woken: bool, step: int = step) -> Outcome:
            async with opened(net, flow, scheme) as (req, rep, _):
                outcome = Outcome(False, None, 0)
                calls = (lambda: req.send(b"a"), rep.receive, lambda: rep.send(b"b"), req.receive)
                for number, call in enumerate(calls):
                    if number == step:
                        outcome = await cancel_at(at, call, woken=woken)
                    if number != step or outcome.cancelled:
                        assert await call() == (None, (b"a",), None, (b"b",))[number]
                return outcome

        at_every_yield(attempt, scheme)


def test_a_monitor_loses_no_event() -> None:
    """C2, for events; and closing it when cancelled closes it."""

    async def attempt(net: VirtualNetwork, at: int, woken: bool) -> Outcome:
        async with net.open_context() as ctx:
            socket = ctx.socket(triomq.PULL)
            monitor = socket.monitor()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(socket.bind, "inproc://it")
                outcome = await cancel_at(at, monitor.receive, woken=woken)
            event = outcome.value or monitor.receive_nowait()
            assert event == triomq.Listening(endpoint="inproc://it")
            return outcome

    at_every_yield(attempt)

    async def attempt_closing(net: VirtualNetwork, at: int, woken: bool) -> Outcome:
        async with net.open_context() as ctx:
            for channel in (ctx.socket(triomq.PULL).monitor(), triomq.merge(ctx.socket(triomq.PULL))):
                outcome = await cancel_at(at, channel.aclose, woken=woken)
                with pytest.raises(trio.ClosedResourceError):
                    channel.receive_nowait()
            return outcome

    at_every_yield(attempt_closing)


@every_scheme
def test_a_context_is_opened_and_left_whole(scheme: str) -> None:
    """C11: cancelled on the way in, in the body or on the way out, it leaves nothing running."""
    flow = FLOWS[0]

    async def life(net: VirtualNetwork) -> None:
        async with net.open_context() as ctx:
            sender, receiver = await flow.open(ctx, scheme)
            await sender.send(b"it")
            assert await receiver.receive() == (b"it",)
            await sender.send(b"not received")

    async def attempt(net: VirtualNetwork, at: int, woken: bool) -> Outcome:
        before = trio.lowlevel.current_statistics().tasks_living
        outcome = await cancel_at(at, lambda: life(net), woken=woken)
        assert trio.lowlevel.current_statistics().tasks_living == before
        return outcome

    at_every_yield(attempt, scheme)
