"""What tests ask of a monitor."""

from __future__ import annotations

import trio

import triomq


def drain(monitor: triomq.Monitor) -> list[triomq.MonitorEvent]:
    """What was told so far, and was not received yet."""
    events = []
    while True:
        try:
            events.append(monitor.receive_nowait())
        except trio.WouldBlock:
            return events
