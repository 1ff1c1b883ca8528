"""Asking a peer whose window is shut for room: so a sender learns that its peer is gone, or that it missed a word."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, final

import trio

from ._patience import LONGEST_RETRY, ORPHANS_TRIES, pause_before, tries_within
from ._segment import End
from ._wire import Wire


class Waiting(Protocol):
    """What a prober asks of its link."""

    @property
    def is_over(self) -> bool:
        """Whether nothing is sent any more, ever."""

    @property
    def is_recovering(self) -> bool:
        """Whether acknowledgements are missing: then retransmission finds out."""

    def has_room(self) -> bool:
        """Whether the window has opened."""

    def probe(self) -> None:
        """Ask the peer for a word."""


@final
class Prober:
    """Asks again and again, with pauses that grow, answered or not, until the window opens.

    Args:
      opened: called when the window is found open.
    """

    __slots__ = ("_end", "_link", "_number", "_opened", "_pauses", "_unanswered", "_wire")

    def __init__(self, wire: Wire, end: End, link: Waiting, opened: Callable[[], None]) -> None:
        self._wire = wire
        self._end = end
        self._link = link
        self._opened = opened
        self._number = 0  # goes up at each end: what is planned is void then
        self._pauses = 0  # how many there were; 0 while the window is open
        self._unanswered = 0

    def begin(self) -> None:
        """The window is shut, and something waits."""
        if not self._pauses:
            self._unanswered = 0
            self._wait()

    def end(self) -> None:
        """The window is open."""
        if self._pauses:
            self._pauses = 0
            self._number += 1

    def answered(self) -> None:
        """The peer lives."""
        self._unanswered = 0

    def _pause(self) -> float:
        return pause_before(min(self._pauses, self._most_doublings()), self._wire.round_trip)

    def _most_doublings(self) -> int:
        return tries_within(self._wire.path.settings.give_up) + 1  # Linux: tcp_retries2 bounds these, too

    def _wait(self) -> None:
        self._wire.plan(trio.current_time() + self._pause(), self._ask, self._number)
        self._pauses += 1

    def _ask(self, number: int) -> None:
        if number != self._number or self._link.is_over:
            return
        if self._link.has_room():
            self._opened()
        elif self._link.is_recovering:
            self._pauses -= 1
            self._wait()
        elif self._unanswered >= self._most():
            self._end.fall("timed out", "no answer from the peer's host")
        else:
            self._link.probe()
            self._unanswered += 1
            self._wait()

    def _most(self) -> int:
        """How many questions may be without an answer."""
        most = tries_within(self._wire.path.settings.give_up)
        if not self._end.is_orphan:
            return most
        return 0 if self._pause() >= LONGEST_RETRY else min(most, ORPHANS_TRIES)
