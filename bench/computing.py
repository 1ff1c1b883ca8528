"""The work of a program that computes: in slices, between which it lets its library have a turn."""

from __future__ import annotations

import select
import sys
import time

_SLICE = 0.1
"""Seconds."""


def has_ended() -> bool:
    """The harness has the result."""
    return bool(select.select([sys.stdin], [], [], 0)[0])


def compute() -> int:
    """Compute for a slice, in Python."""
    until, result = time.monotonic() + _SLICE, 0
    while time.monotonic() < until:
        result += sum(range(100))
    return result
