"""What a receiver has of one sender's data, what it lacks, and whom it asks for that (RFC 3208 §6).

Theory of operation

Numbers up to ``known`` are looked after. Each of them, from ``next`` on, is *held* (it came, and something before it
did not), *missing* (it is asked for), or neither: then it is lost. What lies behind ``known`` and up to ``lead`` is
known of and not looked after yet, as there is a bound on what is held and on what is missing: so nobody can take
memory by a number that is far away. Where the sender's window has passed numbers that nobody looked after, ``known``
leaps over all of them, and a leap is noted as its two ends: so nobody can take time by such a number either.

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
_MOST_MISSING: Final = 1024
_OWN: Final = 65536  # octets that a sender may take where all of them together have filled the store
_EACH: Final = 200
"""octets of memory that a datagram takes beside its data, about; else very many small ones would take very much"""

BACKING_OFF: Final = "backing off"
ASKED: Final = "asked"
CONFIRMED: Final = "confirmed"


class Store:
    """What the windows of all senders hold together.

    Args:
      most: octets of memory; beyond it, each sender has room for a little all the same.

    Attributes:
      held: octets of memory, about.
    """

    def __init__(self, most: float = math.inf) -> None:
        self.held: int = 0
        self.most: Final = most


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
      most: octets of memory for what is held while something before it is missing.
      rng: draws how long to back off.
      store: what is held counts here, too.

    Attributes:
      next: the number to be handed up next.
      known: numbers up to this one are looked after.
      lead: the newest number that is known of.
      lost: numbers that will never come.
      held: octets of memory for what is held, about.
    """

    def __init__(self, first: int, most: int, rng: random.Random, store: Store) -> None:
        self.next: int = first
        self.lead: int = first - 1
        self.lost: int = 0
        self.held: int = 0
        self.known = first - 1
        self._most = most
        self._random = rng
        self._store = store
        self._items: dict[int, bytes] = {}
        self._missing: dict[int, _Missing] = {}
        self._timers: list[tuple[float, int]] = []
        self._leaps: dict[int, int] = {}  # from the first number of a leap to the one behind its last
        self._newest = first - 1  # that ever came

    # --- what is heard ----------------------------------------------------------------------

    # On the path of every datagram.
    def put(self, number: int, payload: bytes, now: float) -> bool:
        """Take in data. Returns: whether it is new here; else it is forgotten."""
        if number == self.known + 1 and not self._is_full():
            self.known = number
        elif number > self.known:
            self._look_after(number - 1, now)
            if number != self.known + 1 or self._is_full():
                self.lead = max(self.lead, number)
                return False
            self.known = number
        elif self._missing.pop(number, None) is None:
            return False
        self.lead = max(self.lead, number)
        self._newest = max(self._newest, number)
        self._items[number] = payload
        self._count(len(payload) + _EACH)
        return True

    def _is_full(self) -> bool:
        store = self._store
        return self.held >= self._most or (store.held >= store.most and self.held >= _OWN)

    def _count(self, octets: int) -> None:
        self.held += octets
        self._store.held += octets

    def clear(self) -> None:
        """Let go of what is held: the sender is forgotten."""
        self._items.clear()
        self._count(-self.held)

    def advance(self, trail: int, lead: int, now: float) -> None:
        """The sender keeps the numbers from ``trail`` to ``lead``: what is missing before is lost."""
        self.lead = max(self.lead, lead)
        if trail > self.next:
            for number in [number for number in self._missing if number < trail]:
                del self._missing[number]
            self._leap_to(trail)
            self.lead = max(self.lead, trail - 1)
        self._look_after(self.lead, now)

    def _leap_to(self, trail: int) -> None:
        """All behind the newest that came, and before the trail, is lost: so there are no more leaps than items."""
        if trail - 1 > self.known:
            self._leaps[max(self.next, self._newest + 1)] = trail
            self.known = trail - 1

    def confirm(self, numbers: Iterable[int], now: float) -> None:
        """The sender will repair these."""
        for number in numbers:
            missing = self._missing.get(number)
            if missing is not None and missing.state is not CONFIRMED:
                self._set(number, missing, CONFIRMED, now + _REPAIR)

    def _look_after(self, last: int, now: float) -> None:
        """Ask for what is new up to ``last``, as far as there is room; with one back-off, so that one NAK will do."""
        if last <= self.known or self._is_full():
            return
        last = min(last, self.known + _MOST_MISSING - len(self._missing))
        at = now + self._random.uniform(0, _BACK_OFF)
        for number in range(self.known + 1, last + 1):
            self._missing[number] = _Missing(at)
            heappush(self._timers, (at, number))
        self.known = max(self.known, last)

    # --- time -------------------------------------------------------------------------------

    def due(self, now: float, *, may_ask: bool) -> list[int]:
        """Go on with what has waited for long enough.

        Args:
          may_ask: it is known where NAKs go; otherwise they wait.
        Returns: the numbers to ask for now, in order.
        """
        numbers = []
        timers = self._timers
        again = math.inf  # one time for all that is asked for again, so that lists of NAKs stay lists
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
            if again == math.inf:
                again = now + (self._random.uniform(0, _BACK_OFF) if may_ask else _CONFIRMATION)
            self._set(number, missing, BACKING_OFF, again)
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
        return self.next <= self.known and self.next not in self._missing

    def skip_lost(self) -> int:
        """Go past what is lost, up to what is held, missing, or not known of. Returns: how many numbers."""
        number = self.next
        while number <= self.known and number not in self._items and number not in self._missing:
            number = self._leaps.pop(number, number + 1)
        lost, self.next = number - self.next, number
        self.lost += lost
        return lost

    def pop(self) -> bytes | None:
        """The data of `next`, if it is held."""
        payload = self._items.pop(self.next, None)
        if payload is not None:
            self.next += 1
            self._count(-len(payload) - _EACH)
        return payload

    def go_on(self, now: float) -> None:
        """After `pop` has made room: ask for what was known of, and not looked after."""
        self._look_after(self.lead, now)
