"""What tests ask of a monitor."""

from __future__ import annotations

from typing import TypeVar

import trio

import triomq

Event = TypeVar("Event", bound=triomq.MonitorEvent)


def drain(monitor: triomq.Monitor) -> list[triomq.MonitorEvent]:
    """What was told so far, and was not received yet."""
    events = []
    while True:
        try:
            events.append(monitor.receive_nowait())
        except (trio.WouldBlock, trio.EndOfChannel):
            return events


async def next_event(monitor: triomq.Monitor, kind: type[Event]) -> Event:
    """The next event of that kind; those before it are gone."""
    async for event in monitor:
        if isinstance(event, kind):
            return event
    raise AssertionError("the monitor ended")
