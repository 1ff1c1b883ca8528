"""What is played at two kernels and at two virtual hosts: situations, and the figures that each of them yields."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

import attrs
import trio

from .labs import End, Lab

Figures: TypeAlias = dict[str, float | str | list[float]]
"""By name: a float is a time in seconds, and an int a number of octets."""
Play: TypeAlias = Callable[[Lab], Awaitable[Figures]]

SITUATIONS: Final[dict[str, Situation]] = {}


@attrs.frozen
class Situation:
    """Something that happens between two hosts.

    Attributes:
      title: what happens, for a reader.
      play: let it happen, and measure.
      latency: seconds from one host to the other.
      system: settings of Linux; see `Wire`.
      give_up: that of the virtual link.
    """

    title: str
    play: Play
    latency: float
    system: dict[str, int]
    give_up: float


def situation(title: str, *, latency: float = 0.0005, give_up: float = 924.6, **system: int) -> Callable[[Play], Play]:
    """Add a function to `SITUATIONS`."""

    def add(play: Play) -> Play:
        name = getattr(play, "__name__", "")
        SITUATIONS[name] = Situation(title, play, latency, system, give_up)
        return play

    return add


async def arrival(lab: Lab, end: End, size: int = 1) -> float:
    """Receive so many octets. Returns: when the last one came."""
    while size > 0:
        data = await end.receive(size)
        assert data, "the stream has ended"
        size -= len(data)
    return lab.now()


async def write_on(lab: Lab, end: End, pause: float, seconds: float) -> int:
    """Send an octet now and again. Returns: how many."""
    stop = lab.now() + seconds
    count = 0
    while lab.now() < stop:
        end.send(b"y")
        count += 1
        await trio.sleep(pause)
    return count


async def room(end: End) -> None:
    """Wait until something more is taken."""
    while not end.send(bytes(1000)):  # noqa: ASYNC110  # neither lab has an event for it
        await trio.sleep(0.001)
