"""Filling queues, and waiting until nothing moves."""

from __future__ import annotations

from typing import Any

import trio
import trio.testing

import triomq

from ..cancellation.kit import endpoint_of

settle = trio.testing.wait_all_tasks_blocked  # on a network without latency everything has arrived then


def large(scheme: str) -> bytes:
    """More than a connection holds."""
    return bytes({"narrow": 3_000, "halves": 10_000}.get(scheme, 300_000))


async def connected(ctx: triomq.Context, scheme: str, sender: Any, *receivers: Any) -> None:
    """Bind each receiver and connect the sender to it."""
    for number, receiver in enumerate(receivers):
        sender.connect(await receiver.bind(endpoint_of(scheme, f"{number}")))
        await receiver.wait_peers()
        await sender.wait_peers(number + 1)
    if isinstance(sender, triomq.PUB):
        await sender.wait_subscribers(b"", len(receivers))
