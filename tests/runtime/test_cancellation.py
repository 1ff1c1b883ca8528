"""The look whether a task is cancelled says what trio's own checkpoint would do."""

from __future__ import annotations

import math
import signal
import threading
from typing import Any

import pytest
import trio
import trio.testing

import triomq
from triomq._runtime import MESSAGES_PER_TURN, _cancellation, is_cancelled
from triomq._sockets import _receive_socket, _send_socket
from triomq.testing import VirtualNetwork


def agree() -> bool:
    """What the look says, after asking whether trio says the same in public."""
    said = is_cancelled()
    assert said is (trio.current_effective_deadline() == -math.inf)
    return said


def test_this_trio_can_be_asked() -> None:
    assert is_cancelled is _cancellation._look


async def test_the_look_follows_the_scopes_around_the_task() -> None:
    assert not agree()
    with trio.CancelScope() as outer:  # noqa: ASYNC100  # nothing here may wait
        outer.cancel()
        assert agree()
        with trio.CancelScope(shield=True) as inner:  # noqa: ASYNC100
            assert not agree()
            inner.cancel()
            assert agree()
    assert not agree()


async def test_the_look_is_at_the_task_that_runs() -> None:
    said: dict[str, bool] = {}

    async def look(name: str, scope: trio.CancelScope) -> None:
        with scope:
            said[name] = agree()

    async with trio.open_nursery() as nursery:
        cancelled = trio.CancelScope()
        cancelled.cancel()
        nursery.start_soon(look, "cancelled", cancelled)
        nursery.start_soon(look, "not", trio.CancelScope())
    assert said == {"cancelled": True, "not": False}


async def test_a_deadline_is_seen_when_trio_has_seen_it(autojump_clock: trio.testing.MockClock) -> None:
    with trio.move_on_after(1):
        assert not agree()
        with trio.CancelScope(shield=True):
            await trio.sleep(2)
        assert agree()


@pytest.mark.parametrize("call", ["send", "receive"])
async def test_a_call_after_ones_own_cancel_does_nothing(call: str, virtual_network: VirtualNetwork) -> None:
    """Each of them, wherever in its turn."""
    async with virtual_network.open_context() as ctx:
        push, pull = ctx.socket(triomq.PUSH, hwm=1000), ctx.socket(triomq.PULL, hwm=1000)
        push.connect(await pull.bind("inproc://look"))
        for place in range(2 * MESSAGES_PER_TURN):
            await push.send(b"before")
            with trio.CancelScope() as scope:
                scope.cancel()
                await (push.send(b"never") if call == "send" else pull.receive())
            assert scope.cancelled_caught, place
        assert [*map(bytes, await pull.receive_many(1000))] == [b"before"] * 2 * MESSAGES_PER_TURN


@pytest.mark.parametrize(("name", "value"), [("Task", object), ("_place", None)])
def test_a_trio_that_lacks_one_of_the_two_is_not_asked(
    name: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _cancellation._trio_tells()
    monkeypatch.setattr(_cancellation, name, value)
    assert not _cancellation._trio_tells()


def test_outside_of_trio_the_real_function_is_left_to_complain() -> None:
    assert is_cancelled()


async def test_a_trio_that_cannot_be_asked_is_awaited_in_each_call(
    monkeypatch: pytest.MonkeyPatch, virtual_network: VirtualNetwork
) -> None:
    awaited = 0

    async def checkpoint_if_cancelled() -> None:
        nonlocal awaited
        awaited += 1
        await trio.lowlevel.checkpoint_if_cancelled()

    for module in (_send_socket, _receive_socket):
        monkeypatch.setattr(module, "is_cancelled", _cancellation._cannot_tell)
        monkeypatch.setattr(module, "checkpoint_if_cancelled", checkpoint_if_cancelled)
    async with virtual_network.open_context() as ctx:
        push, pull = ctx.socket(triomq.PUSH), ctx.socket(triomq.PULL)
        push.connect(await pull.bind("inproc://look"))
        for _ in range(100):
            await push.send(b"it")
            await pull.receive()
        assert awaited == 200
        with trio.CancelScope() as scope:
            scope.cancel()
            await push.send(b"never")
        assert scope.cancelled_caught


@pytest.mark.skipif(threading.current_thread() is not threading.main_thread(), reason="signals come to the main thread")
@pytest.mark.parametrize("call", ["send", "receive"])
def test_ctrl_c_is_seen_within_a_turn(call: str) -> None:
    """Though it comes while trio must not raise it, and though no call waits."""

    @trio.lowlevel.enable_ki_protection
    async def press(work: Any) -> int:
        signal.raise_signal(signal.SIGINT)
        for calls in range(10 * MESSAGES_PER_TURN):
            try:
                await work()
            except KeyboardInterrupt:
                return calls
        raise AssertionError("nobody saw Ctrl-C")

    async def main() -> int:
        async with triomq.open_context() as ctx:
            push, pull = ctx.socket(triomq.PUSH, hwm=0), ctx.socket(triomq.PULL, hwm=0)
            push.connect(await pull.bind("inproc://ctrl-c"))
            for _ in range(20 * MESSAGES_PER_TURN):
                await push.send(b"it")
            work = pull.receive if call == "receive" else lambda: push.send(b"it")
            return await press(work)

    handler = signal.signal(signal.SIGINT, signal.default_int_handler)  # tests in the background may ignore it
    try:
        assert trio.run(main) <= MESSAGES_PER_TURN
    finally:
        signal.signal(signal.SIGINT, handler)
