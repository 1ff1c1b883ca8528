"""What a receiver has of one sender's data, what it lacks, and whom it asks for that (RFC 3208 §6).

Theory of operation

Numbers up to ``known`` are looked after. Each of them, from ``next`` on, is *held* (it came, and something before it
did not), *missing* (it is asked for), or neither: then it is lost. What lies behind ``known`` and up to ``lead`` is
known of and not looked after yet, as there is a bound on what is held and on what is missing: so nobody can take
memory by a number that is far away.

What is missing goes round in a circle, until it comes:

    BACKING_OFF ── random time is over: a NAK is sent ──> ASKED ── NCF ──> CONFIRMED
         ^  └───── NCF: somebody else has asked ────────────│────────────────> │
         └──────────────── no NCF, or no repair, in time: one try less <───────┘

An NCF is believed while backing off: so one NAK of one receiver serves the whole group.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable
from heapq import heappop, heappush
from typing import Final

_BACK_OFF: Final = 0.05  # seconds; the longest, and each is drawn (libzmq has the same times)
_CONFIRMATION: Final = 0.2  # seconds from a NAK to its NCF
_REPAIR: Final = 0.2  # seconds from an NCF to the data
_TRIES: Final = 50
_MOST_MISSING: Final = 4096

BACKING_OFF: Final = "backing off"
ASKED: Final = "asked"
CONFIRMED: Final = "confirmed"


class _Missing:
    """One number that is asked for: its state, and when this state ends."""

    __slots__ = ("at", "state", "tries")

    def __init__(self, at: float) -> None:
        self.state = BACKING_OFF
        self.at = at
        self.tries = 0


class ReceiveWindow:
    """One sender's data.

    Args:
      first: the number of the data that is handed up first.
      most: octets to hold while something before them is missing.
      rng: draws how long to back off.

    Attributes:
      next: the number to be handed up next.
      lead: the newest number that is known of.
      lost: numbers that will never come.
      held: octets that are held.
    """

    def __init__(self, first: int, most: int, rng: random.Random) -> None:
        self.next: int = first
        self.lead: int = first - 1
        self.lost: int = 0
        self.held: int = 0
        self._known = first - 1
        self._most = most
        self._random = rng
        self._items: dict[int, bytes] = {}
        self._missing: dict[int, _Missing] = {}
        self._timers: list[tuple[float, int]] = []

    # --- what is heard ----------------------------------------------------------------------

    # On the path of every datagram.
    def put(self, number: int, payload: bytes, now: float) -> bool:
        """Take in data. Returns: whether it is new here; else it is forgotten."""
        if number == self._known + 1 and self.held < self._most:
            self._known = number
        elif number > self._known:
            self._look_after(number - 1, now)
            if number != self._known + 1 or self.held >= self._most:
                self.lead = max(self.lead, number)
                return False
            self._known = number
        elif self._missing.pop(number, None) is None:
            return False
        self.lead = max(self.lead, number)
        self._items[number] = payload
        self.held += len(payload)
        return True

    def advance(self, trail: int, lead: int, now: float) -> None:
        """The sender keeps the numbers from ``trail`` to ``lead``: what is missing before is lost."""
        self.lead = max(self.lead, lead)
        if trail > self.next:
            for number in [number for number in self._missing if number < trail]:
                del self._missing[number]
            self._known = max(self._known, trail - 1)
            self.lead = max(self.lead, trail - 1)
        self._look_after(self.lead, now)

    def confirm(self, numbers: Iterable[int], now: float) -> None:
        """The sender will repair these."""
        for number in numbers:
            missing = self._missing.get(number)
            if missing is not None and missing.state is not CONFIRMED:
                self._set(number, missing, CONFIRMED, now + _REPAIR)

    def _look_after(self, last: int, now: float) -> None:
        """Ask for what is new up to ``last``, as far as there is room; with one back-off, so that one NAK will do."""
        if last <= self._known or self.held >= self._most:
            return
        last = min(last, self._known + _MOST_MISSING - len(self._missing))
        at = now + self._random.uniform(0, _BACK_OFF)
        for number in range(self._known + 1, last + 1):
            self._missing[number] = _Missing(at)
            heappush(self._timers, (at, number))
        self._known = max(self._known, last)

    # --- time -------------------------------------------------------------------------------

    def due(self, now: float, *, may_ask: bool) -> list[int]:
        """Go on with what has waited for long enough.

        Args:
          may_ask: it is known where NAKs go; otherwise they wait.
        Returns: the numbers to ask for now, in order.
        """
        numbers = []
        timers = self._timers
        while timers and timers[0][0] <= now:
            at, number = heappop(timers)
            missing = self._missing.get(number)
            if missing is None or missing.at != at:
                continue
            if missing.state is BACKING_OFF and may_ask:
                numbers.append(number)
                self._set(number, missing, ASKED, now + _CONFIRMATION)
                continue
            missing.tries += 1
            if missing.tries >= _TRIES:
                del self._missing[number]
                continue
            pause = self._random.uniform(0, _BACK_OFF) if may_ask else _CONFIRMATION
            self._set(number, missing, BACKING_OFF, now + pause)
        if not self._missing:
            timers.clear()
        self._look_after(self.lead, now)
        return sorted(numbers)

    def deadline(self) -> float:
        """When `due` has something to do."""
        timers = self._timers
        while timers:
            at, number = timers[0]
            missing = self._missing.get(number)
            if missing is not None and missing.at == at:
                return at
            heappop(timers)
        return math.inf

    def _set(self, number: int, missing: _Missing, state: str, at: float) -> None:
        missing.state, missing.at = state, at
        heappush(self._timers, (at, number))

    # --- handing up -------------------------------------------------------------------------

    @property
    def has_next(self) -> bool:
        """`pop` and `skip_lost` have something to do."""
        return self.next <= self._known and self.next not in self._missing

    def skip_lost(self) -> int:
        """Go past what is lost, up to what is held, missing, or not known of. Returns: how many numbers."""
        if self.next > self._known or self.next in self._items or self.next in self._missing:
            return 0
        first = min(min(self._items, default=math.inf), min(self._missing, default=math.inf), self._known + 1)
        lost, self.next = int(first) - self.next, int(first)
        self.lost += lost
        return lost

    def pop(self) -> bytes | None:
        """The data of `next`, if it is held."""
        payload = self._items.pop(self.next, None)
        if payload is not None:
            self.next += 1
            self.held -= len(payload)
        return payload

    def go_on(self, now: float) -> None:
        """After `pop` has made room: ask for what was known of, and not looked after."""
        self._look_after(self.lead, now)
