"""What the peers on trio share."""

from __future__ import annotations

import sys

import trio


async def end() -> None:
    """Wait until the harness has the result."""
    await trio.lowlevel.wait_readable(sys.stdin.fileno())
