"""Filling queues, and waiting until nothing moves."""

from __future__ import annotations

from typing import Any

import trio
import trio.testing

import triomq

from ..cancellation.kit import endpoint_of

LARGE = bytes(300_000)


async def settle() -> None:
    """Let everything arrive that can."""
    for _ in range(3):
        await trio.testing.wait_all_tasks_blocked(0.001)


async def fill(sender: Any, *frames: bytes) -> int:
    """Send until nothing more goes; how many were accepted."""
    count = quiet = 0
    while quiet < 3:
        try:
            sender.send_nowait(frames)
        except trio.WouldBlock:
            await settle()
            quiet += 1
        else:
            count, quiet = count + 1, 0
    return count


async def connected(ctx: triomq.Context, scheme: str, sender: Any, *receivers: Any) -> None:
    """Bind each receiver and connect the sender to it."""
    for number, receiver in enumerate(receivers):
        sender.connect(await receiver.bind(endpoint_of(scheme, f"{number}")))
        await receiver.wait_peers()
        await sender.wait_peers(number + 1)
    if isinstance(sender, triomq.PUB):
        await sender.wait_subscribers(b"", len(receivers))
