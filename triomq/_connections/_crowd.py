"""The connections of a bound endpoint that are no peers yet, and which of them makes way for a newcomer.

Theory of operation

A connection that was accepted is in one of these lines until it is a peer:

    silent     it has said nothing yet
    talking    it has said something, and its handshake is not complete
    waiting    its handshake is complete, and its place is taken; see `triomq._sockets._vacancies`

Each line is in order of the last sign of life. ``silent`` and ``talking`` together are bounded, ``waiting`` is bounded
apart. The first to come has no right to stay: a thousand connections that say nothing would keep everybody out. So a
newcomer is always let in where somebody can make way:

* one that has said nothing goes first: of the address that has most of them, the oldest;
* where all of those have just come, and are fewer than those that have begun to talk, one that talks goes: of the
  address that has most of them, the one that has been quiet for longest. Else a thousand that said one word would let
  newcomers push out nobody but each other.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Final, Generic, TypeVar

GRACE: Final = 0.25
"""seconds; a connection that has stood for less has had no time to say anything"""

C = TypeVar("C")


class _Origin(Generic[C]):
    """The connections of one address, each with the time of its last sign of life, the longest quiet first."""

    __slots__ = ("silent", "talking")

    def __init__(self) -> None:
        self.silent: dict[C, float] = {}
        self.talking: dict[C, float] = {}


class Crowd(Generic[C]):
    """The connections that are no peers yet.

    Attributes:
      greeting: how many are silent or talking.
      waiting: how many wait for a place.
    """

    def __init__(self) -> None:
        self.greeting: int = 0
        self.waiting: int = 0
        self._origin_of: dict[C, str] = {}  # of those that are silent or talking
        self._origins: dict[str, _Origin[C]] = {}
        self._place_of: dict[C, tuple[str, bytes]] = {}  # of those that wait: where from, and for which routing id
        self._places: dict[tuple[str, bytes], dict[C, float]] = {}

    def arrived(self, who: C, address: str, now: float) -> None:
        """A connection was accepted."""
        origin = self._origin_of[who] = origin_of(address)
        self._origins.setdefault(origin, _Origin()).silent[who] = now
        self.greeting += 1

    def heard(self, who: C, now: float) -> None:
        """A connection has said something."""
        origin = self._origins[self._origin_of[who]]
        origin.silent.pop(who, None)
        origin.talking.pop(who, None)
        origin.talking[who] = now

    def waits(self, who: C, address: str, routing_id: bytes, now: float) -> None:
        """A connection has to wait for its place."""
        self.left(who)
        place = self._place_of[who] = (origin_of(address), routing_id)
        self._places.setdefault(place, {})[who] = now
        self.waiting += 1

    def left(self, who: C) -> None:
        """A connection has ended, or is a peer now."""
        name = self._origin_of.pop(who, None)
        if name is not None:
            origin = self._origins[name]
            origin.silent.pop(who, None)
            origin.talking.pop(who, None)
            self.greeting -= 1
            if not (origin.silent or origin.talking):
                del self._origins[name]
        place = self._place_of.pop(who, None)
        if place is not None:
            del self._places[place][who]
            self.waiting -= 1
            if not self._places[place]:
                del self._places[place]

    def who_makes_way(self, now: float) -> C | None:
        """Of those that are silent or talking, the one that makes way for a newcomer."""
        silent = [origin.silent for origin in self._origins.values() if origin.silent]
        talking = [origin.talking for origin in self._origins.values() if origin.talking]
        if silent:
            just_come = now - min(map(_first_time, silent)) < GRACE
            if just_come and sum(map(len, silent)) < sum(map(len, talking)):
                silent = []
        return next(iter(_longest_line(silent or talking)), None)

    def who_waits_no_longer(self) -> C | None:
        """Of those that wait, the one that makes way: where most wait from one address for one name, the oldest."""
        return next(iter(_longest_line(self._places.values())), None)


def _first_time(line: dict[C, float]) -> float:
    return next(iter(line.values()))


def _longest_line(lines: Iterable[dict[C, float]]) -> dict[C, float]:
    """The line with most connections; of two the one whose first is older."""
    return max(lines, key=lambda line: (len(line), -_first_time(line)), default={})


def origin_of(address: str) -> str:
    """What an address tells of the host behind it: the address without its port, or the network of an IPv6 host.

    A host with one IPv6 address mostly has all 2**64 of its network.
    """
    host, _, port = address.rpartition(":")
    if not port.isdigit():
        return address
    scheme, bracket, number = host.partition("[")
    if not bracket:
        return host
    try:
        return f"{scheme}[{int(ipaddress.IPv6Address(number[:-1])) >> 64:016x}]"
    except ValueError:
        return host  # another notation: two of them are two
