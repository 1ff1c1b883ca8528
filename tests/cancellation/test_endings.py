"""Closing and leaving, in every state and whatever happens meanwhile (C9 to C11), in bounded time."""

from __future__ import annotations

import random
from typing import Any

import pytest
import trio
import trio.testing

import triomq
from triomq._connections._session import Session
from triomq.testing import VirtualNetwork, VirtualStream
from triomq.testing._network import VirtualTcp

from .kit import FLOWS, NOBODY, SCHEMES, Flow, endpoint_of, fill, run

every_scheme = pytest.mark.parametrize("scheme", SCHEMES)
LARGE = bytes(200_000)


@every_scheme
@pytest.mark.parametrize("flow", FLOWS, ids=str)
def test_a_task_blocked_in_a_call_of_a_socket_gets_closed_at_once(flow: Flow, scheme: str) -> None:
    """C10: in receive, receive_many and, where it waits, send and send_many; without lingering first."""

    async def main(net: VirtualNetwork) -> None:
        async with net.open_context() as ctx:
            sender, receiver = await flow.open(ctx, scheme)
            told: list[float] = []

            async def blocked(call: Any, *arguments: Any) -> None:
                with pytest.raises(trio.ClosedResourceError):
                    await call(*arguments)
                told.append(trio.current_time())

            async with trio.open_nursery() as nursery:
                nursery.start_soon(blocked, receiver.receive)
                nursery.start_soon(blocked, receiver.receive_many, 5)
                nursery.start_soon(blocked, receiver.wait_peers, 2)
                await trio.testing.wait_all_tasks_blocked()
                start = trio.current_time()
                await receiver.aclose()
            assert told == [start] * 3
            if flow.waits and flow.sender is not triomq.ROUTER and not flow.sender_options:
                told.clear()
                await fill(sender, *flow.wrap(b"it", LARGE))
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(blocked, sender.send, flow.wrap(b"it"))
                    nursery.start_soon(blocked, sender.send_many, [flow.wrap(b"it")] * 2)
                    await trio.testing.wait_all_tasks_blocked()
                    start = trio.current_time()
                    await sender.aclose()
                assert told == [start] * 2

    run(main, scheme=scheme)


@pytest.mark.parametrize("scheme", ["tcp", "narrow"])
@pytest.mark.parametrize("linger", [0, 2.5])
def test_lingering_is_bounded_and_given_up_when_cancelled(scheme: str, linger: float) -> None:
    """C10: with a peer that does not read, aclose waits exactly ``linger``, or not at all when cancelled."""

    async def main(net: VirtualNetwork) -> None:
        for cancelled in (False, True):
            async with net.open_context() as ctx:
                pull, push = ctx.socket(triomq.PULL, hwm=1), ctx.socket(triomq.PUSH, hwm=2, linger=linger)
                push.connect(await pull.bind(endpoint_of(scheme)))
                await push.wait_peers()
                await fill(push, b"it", LARGE)
                start = trio.current_time()
                with trio.CancelScope() as scope:
                    if cancelled:
                        scope.cancel()
                    await push.aclose()
                assert scope.cancelled_caught is cancelled
                assert trio.current_time() - start == (0 if cancelled else linger)
                await push.aclose()
                assert push.statistics().messages_dropped > 0
                assert repr(push) == "<triomq.PUSH closed>"

    run(main, scheme=scheme)


@pytest.mark.parametrize("scheme", ["tcp", "narrow"])
def test_what_was_accepted_is_sent_while_the_socket_lingers(scheme: str) -> None:
    """Promise 6: aclose, and leaving the context, send what is queued, to a peer that reads."""

    async def main(net: VirtualNetwork, leave: bool) -> None:
        got: list[int] = []

        async def receive() -> None:
            while len(got) < 200:
                got.append(int((await pull.receive())[0]))

        async with net.open_context() as outer:
            pull = outer.socket(triomq.PULL, hwm=1)
            endpoint = await pull.bind(endpoint_of(scheme))
            async with trio.open_nursery() as nursery:
                nursery.start_soon(receive)
                async with net.open_context() as inner:
                    push = inner.socket(triomq.PUSH, linger=60)
                    push.connect(endpoint)
                    await push.send_many([[b"%d" % number, bytes(1000)] for number in range(200)])
                    if not leave:
                        await push.aclose()
            assert got == list(range(200))

    run(main, False, scheme=scheme)
    run(main, True, scheme=scheme)


def test_what_was_half_written_goes_out_again_whole() -> None:
    """Promise 5, C4: a connection that breaks within a message loses none that had not left in full, and tears none."""

    async def main(net: VirtualNetwork) -> None:
        async with net.open_context("a") as there, net.open_context("b") as ctx:
            pull, push = there.socket(triomq.PULL, receive_hwm=2), ctx.socket(triomq.PUSH)
            push.connect(await pull.bind("tcp://*:5555"))
            await push.wait_peers()
            await push.send_many([b"%d" % number, bytes(90)] for number in range(20))
            await trio.sleep(1)
            net.cut("a", "b")
            await trio.testing.wait_all_tasks_blocked()
            arrived, left = pull.statistics().messages_received, push.statistics().messages_sent
            assert 0 < arrived < left < 20
            await trio.sleep(100)
            got = []
            with trio.move_on_after(100):
                while True:
                    number, body = await pull.receive()
                    assert body == bytes(90)
                    got.append(int(number))
            # To the one who binds, the new connection is another peer, and takes turns with what the old one left.
            old = [number for number in got if number < left]
            assert old == list(range(len(old)))
            assert arrived <= len(old) <= left
            assert [number for number in got if number >= left] == list(range(left, 20))

    for seed in range(4):
        run(main, scheme="narrow", seed=seed)


def test_a_connection_that_never_came_is_lingered_for() -> None:
    """Leaving waits ``linger`` for a peer that may still come, and then no longer."""

    async def main(net: VirtualNetwork) -> None:
        start = trio.current_time()
        async with net.open_context() as ctx:
            push = ctx.socket(triomq.PUSH, linger=7)
            push.connect(NOBODY)
            await push.send(b"it")
        assert trio.current_time() - start == 7

    run(main)


def test_sockets_linger_together() -> None:
    """Leaving a context takes as long as its longest linger, not their sum."""

    async def main(net: VirtualNetwork) -> None:
        start = trio.current_time()
        async with net.open_context() as ctx:
            for linger in (3, 5, 4):
                push = ctx.socket(triomq.PUSH, linger=linger)
                push.connect(NOBODY)
                await push.send(b"it")
        assert trio.current_time() - start == 5

    run(main)


class Deliberate(BaseException):
    """Thrown by the tests."""


ERRORS = [
    ValueError("it"),
    KeyError("it"),
    ExceptionGroup("mine", [ValueError("a"), TypeError("b")]),
    BaseExceptionGroup("mine", [KeyboardInterrupt()]),
    KeyboardInterrupt(),
    SystemExit(3),
    Deliberate("it"),
    StopIteration("it"),
    StopAsyncIteration("it"),
    GeneratorExit("it"),
]


@every_scheme
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_the_users_exception_comes_out_as_it_was(error: BaseException, scheme: str) -> None:
    """C11: the very object, in no group of ours, while sockets were busy; and no context is added to it."""

    async def main(net: VirtualNetwork) -> None:
        with pytest.raises(type(error)) as caught:
            async with net.open_context() as ctx:
                sender, _ = await FLOWS[0].open(ctx, scheme)
                await sender.send(b"it")
                raise error
        if not isinstance(error, (StopIteration, StopAsyncIteration, GeneratorExit)):
            assert caught.value is error
        assert caught.value.__context__ is None

    run(main, scheme=scheme)


@every_scheme
def test_a_cancelled_body_ends_without_lingering(scheme: str) -> None:
    """Promise 6: a cancelled scope stops at once, sockets and all, and Cancelled is all that is raised."""

    async def main(net: VirtualNetwork) -> None:
        start = trio.current_time()
        with trio.move_on_after(3) as scope:
            async with net.open_context() as ctx:
                push = ctx.socket(triomq.PUSH, linger=100)
                push.connect(NOBODY)
                await push.send(b"it")
                await trio.sleep_forever()
        assert scope.cancelled_caught
        assert trio.current_time() - start == 3

    run(main, scheme=scheme)


def test_a_cancelled_linger_of_the_context_ends() -> None:
    """The same when the cancellation comes while the context is being left."""

    async def main(net: VirtualNetwork) -> None:
        start = trio.current_time()
        with trio.move_on_after(3) as scope:
            async with net.open_context() as ctx:
                push = ctx.socket(triomq.PUSH, linger=100)
                push.connect(NOBODY)
                await push.send(b"it")
        assert scope.cancelled_caught
        assert trio.current_time() - start == 3

    run(main)


class Bug(Exception):
    """Raised in a place where nothing may be raised."""


def plant_a_bug(monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    """Let a session fail as it begins, or a stream in the middle of it."""
    connect = VirtualTcp.connect

    def broken(*_: object) -> Any:
        raise Bug

    async def connect_badly(self: VirtualTcp, address: str, options: triomq.Options) -> Any:
        stream = await connect(self, address, options)
        await trio.sleep(5)
        monkeypatch.setattr(VirtualStream, "receive_nowait", broken)
        monkeypatch.setattr(VirtualStream, "send_nowait", broken)
        return stream

    if where == "session":
        monkeypatch.setattr(Session, "_attach", broken)
    else:
        monkeypatch.setattr(VirtualTcp, "connect", connect_badly)


@pytest.mark.parametrize("where", ["session", "stream"])
@pytest.mark.parametrize("body", ["waits", "raises", "leaves"])
def test_a_crash_of_an_internal_task_is_an_internal_error(
    where: str, body: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug ends the context, loudly, with the cause attached; whatever the body does, in bounded time."""
    plant_a_bug(monkeypatch, where)

    async def main(net: VirtualNetwork) -> None:
        with pytest.raises(triomq.InternalError) as caught:
            async with net.open_context() as ctx:
                pull, push = ctx.socket(triomq.PULL), ctx.socket(triomq.PUSH, linger=100)
                push.connect(await pull.bind("tcp://*:5555"))
                await push.send(b"it")
                if body == "waits":
                    await push.wait_peers(2)
                elif body == "raises":
                    try:
                        await trio.sleep_forever()
                    finally:
                        raise ValueError("while it unwinds")
                else:
                    await trio.sleep(0.5)  # and lingers, until it meets the crash
        causes = [caught.value.__cause__]
        while isinstance(causes[-1], BaseExceptionGroup):
            causes.append(causes[-1].exceptions[0])
        assert isinstance(causes[-1], Bug)

    run(main)


@every_scheme
def test_contexts_nest_and_stand_side_by_side(scheme: str) -> None:
    """Each has its own sockets and inproc names; leaving the inner one leaves the outer one alone."""

    async def main(net: VirtualNetwork) -> None:
        async with net.open_context() as outer:
            sender, receiver = await FLOWS[0].open(outer, scheme)
            async with net.open_context() as inner:
                pair = await FLOWS[0].open(inner, scheme)
                await pair[0].send(b"inner")
                assert await pair[1].receive() == (b"inner",)
                await sender.send(b"outer")
            with pytest.raises(trio.ClosedResourceError):
                inner.socket(triomq.PUSH)
            with pytest.raises(trio.ClosedResourceError):
                await pair[0].send(b"x")
            assert await receiver.receive() == (b"outer",)

    run(main, scheme=scheme)


@pytest.mark.parametrize("scheme", ["tcp", "inproc"])
@pytest.mark.parametrize("seed", range(4))
def test_cancelling_a_busy_context_at_random_leaves_no_task(scheme: str, seed: int) -> None:
    """C11: nothing of ours survives, at whatever moment it is cancelled."""

    async def busy(net: VirtualNetwork, rng: random.Random) -> None:
        async with net.open_context() as ctx, trio.open_nursery() as nursery:
            pull = ctx.socket(triomq.PULL, hwm=2)
            endpoint = await pull.bind(endpoint_of(scheme))
            for _ in range(3):
                push = ctx.socket(triomq.PUSH, hwm=2)
                push.connect(endpoint)
                nursery.start_soon(push.send_many, [bytes(rng.randrange(5000)) for _ in range(1000)])
            while True:
                await pull.receive()

    async def main(net: VirtualNetwork) -> None:
        rng = random.Random(seed)
        before = trio.lowlevel.current_statistics().tasks_living
        for steps in range(0, 200, 7):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(busy, net, rng)
                for _ in range(steps):
                    await trio.lowlevel.checkpoint()
                nursery.cancel_scope.cancel()
            assert trio.lowlevel.current_statistics().tasks_living == before

    run(main, scheme=scheme)
