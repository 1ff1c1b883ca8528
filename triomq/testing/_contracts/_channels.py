"""What trio and triomq promise of a channel, as checks of anybody's channel."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeAlias

import trio
import trio.abc
import trio.testing

from ..._message import Message
from ._requirements import PATIENCE, first_fault, must_raise, require

Channels: TypeAlias = "tuple[trio.abc.SendChannel[Any], trio.abc.ReceiveChannel[Any]]"
MakeChannels: TypeAlias = Callable[[], AbstractAsyncContextManager[Channels]]
"""Opens a fresh sender and a receiver that gets what it sends, connected."""

_MANY = 100  # messages of one check


def _numbered(number: int) -> Any:
    return Message([b"%d" % number])


async def check_send_channel(
    make: MakeChannels, *, message: Callable[[int], Any] = _numbered, settle: float = 1.0, limit: int = 100_000
) -> None:
    """Check that the first channel of a pair keeps the promises of a `trio.abc.SendChannel`, and triomq's.

    Order is kept; a cancelled ``send`` was not accepted, one that returned was; every ``send`` is a cancellation
    point; closing ends a blocked ``send`` with `trio.ClosedResourceError`, is idempotent, and works when cancelled.

    Args:
      make: opens a fresh pair.
      message: the message of a number; messages must be comparable.
      settle: seconds after which what was sent has arrived. Free on a mock clock.
      limit: messages to send at the most until ``send`` blocks. Of a channel that never blocks, a blocked ``send`` is
        not checked.
    Raises:
      AssertionError: a promise is broken; the text says which.
    """
    with first_fault():
        async with make() as (sender, receiver):
            await _check_order(sender, receiver, message)
        async with make() as (sender, receiver):
            await _check_cancelled_send(sender, receiver, message)
        async with make() as (sender, receiver):
            await _check_blocked_send(sender, receiver, message, settle, limit)
        async with make() as (sender, _):
            await _check_close_under_send(sender, message, settle, limit)
        async with make() as (sender, _):
            await _check_closed(sender, lambda: sender.send(message(0)), "send")


async def check_receive_channel(
    make: MakeChannels, *, message: Callable[[int], Any] = _numbered, settle: float = 1.0
) -> None:
    """Check that the second channel of a pair keeps the promises of a `trio.abc.ReceiveChannel`, and triomq's.

    A cancelled ``receive`` took nothing, however close the message was; every ``receive`` is a cancellation point;
    iteration keeps order; closing as in `check_send_channel`.

    Args and raises: see `check_send_channel`.
    """
    with first_fault():
        async with make() as (sender, receiver):
            await _check_cancelled_receive(sender, receiver, message, settle)
        async with make() as (sender, receiver):
            await _check_iteration(sender, receiver, message)
        async with make() as (_, receiver):
            await _check_close_under_receive(receiver)
        async with make() as (_, receiver):
            await _check_closed(receiver, receiver.receive, "receive")


async def _expect(receiver: trio.abc.ReceiveChannel[Any], wanted: Any, why: str) -> None:
    with trio.move_on_after(PATIENCE) as patience:
        found = await receiver.receive()
        require(found == wanted, f"{why}: received {found!r} where {wanted!r} was next")
    require(not patience.cancelled_caught, f"{why}: {wanted!r} did not arrive within {PATIENCE} s")


async def _check_order(
    sender: trio.abc.SendChannel[Any], receiver: trio.abc.ReceiveChannel[Any], message: Callable[[int], Any]
) -> None:
    async def send() -> None:
        for number in range(_MANY):
            await sender.send(message(number))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(send)
        for number in range(_MANY):
            await _expect(receiver, message(number), "messages arrive once, in the order they were sent")


async def _check_cancelled_send(
    sender: trio.abc.SendChannel[Any], receiver: trio.abc.ReceiveChannel[Any], message: Callable[[int], Any]
) -> None:
    for number in range(_MANY):
        with trio.CancelScope() as scope:
            scope.cancel()
            await sender.send(message(2 * number))
        require(scope.cancelled_caught, "send is a cancellation point on every call")
        await sender.send(message(2 * number + 1))
        await _expect(receiver, message(2 * number + 1), "a cancelled send was not accepted")


async def _fill(sender: trio.abc.SendChannel[Any], message: Callable[[int], Any], settle: float, limit: int) -> int:
    """Send until it blocks. Returns: how many were accepted; ``limit`` if it never did."""
    accepted = 0
    while accepted < limit:
        with trio.move_on_after(settle) as patience:
            await sender.send(message(accepted))
            accepted += 1
        if patience.cancelled_caught:
            break
    return accepted


async def _check_blocked_send(
    sender: trio.abc.SendChannel[Any],
    receiver: trio.abc.ReceiveChannel[Any],
    message: Callable[[int], Any],
    settle: float,
    limit: int,
) -> None:
    accepted = await _fill(sender, message, settle, limit)
    for number in range(accepted):
        await _expect(receiver, message(number), "what send accepted before it blocked arrives")
    if accepted < limit:
        await sender.send(message(accepted + 1))
        await _expect(receiver, message(accepted + 1), "the blocked send that was cancelled was not accepted")


async def _check_close_under_send(
    sender: trio.abc.SendChannel[Any], message: Callable[[int], Any], settle: float, limit: int
) -> None:
    accepted = await _fill(sender, message, settle, limit)
    if accepted == limit:
        return

    async def blocked() -> None:
        with must_raise(trio.ClosedResourceError, "closing ends a send that is blocked"):
            await sender.send(message(accepted))

    with trio.move_on_after(PATIENCE) as patience:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(blocked)
            await trio.sleep(settle)
            await trio.aclose_forcefully(sender)
    require(not patience.cancelled_caught, "a send that was blocked when the channel was closed hangs")


async def _check_cancelled_receive(
    sender: trio.abc.SendChannel[Any],
    receiver: trio.abc.ReceiveChannel[Any],
    message: Callable[[int], Any],
    settle: float,
) -> None:
    taken: list[Any] = []

    async def take(scope: trio.CancelScope) -> None:
        with scope:
            taken.append(await receiver.receive())

    for number in range(_MANY):
        async with trio.open_nursery() as nursery:
            scope = trio.CancelScope(deadline=trio.current_time() + settle * number / _MANY)
            nursery.start_soon(take, scope)
            await trio.lowlevel.checkpoint()
            await sender.send(message(number))
            if number % 2:
                scope.cancel()
    while len(taken) < _MANY:
        with trio.CancelScope() as cancelled:
            cancelled.cancel()
            await receiver.receive()
        require(cancelled.cancelled_caught, "receive is a cancellation point on every call")
        with trio.move_on_after(PATIENCE) as patience:
            taken.append(await receiver.receive())
        require(not patience.cancelled_caught, f"a cancelled receive lost a message: {len(taken)} of {_MANY} arrived")
    wanted = [message(number) for number in range(_MANY)]
    require(taken == wanted, "cancelled receives left order and number of messages as they were")


async def _check_iteration(
    sender: trio.abc.SendChannel[Any], receiver: trio.abc.ReceiveChannel[Any], message: Callable[[int], Any]
) -> None:
    async def send() -> None:
        for number in range(_MANY):
            await sender.send(message(number))

    number = 0
    async with trio.open_nursery() as nursery:
        nursery.start_soon(send)
        async for found in receiver:
            require(found == message(number), f"iteration gave {found!r} where {message(number)!r} was next")
            number += 1
            if number == _MANY:
                break


async def _check_close_under_receive(receiver: trio.abc.ReceiveChannel[Any]) -> None:
    async def blocked() -> None:
        with must_raise(trio.ClosedResourceError, "closing ends a receive that is blocked"):
            await receiver.receive()

    with trio.move_on_after(PATIENCE) as patience:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(blocked)
            await trio.testing.wait_all_tasks_blocked()
            await receiver.aclose()
    require(not patience.cancelled_caught, "a receive that was blocked when the channel was closed hangs")


async def _check_closed(channel: trio.abc.AsyncResource, call: Callable[[], Awaitable[Any]], name: str) -> None:
    with trio.CancelScope() as scope:
        scope.cancel()
        await channel.aclose()
    with must_raise(trio.ClosedResourceError, f"{name} on a channel that was closed, if only by a cancelled aclose"):
        await call()
    await channel.aclose()  # again is no fault
    with must_raise(trio.ClosedResourceError, f"{name} on a closed channel"):
        await call()
