"""The way from one host to another, which all connections between the two share."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from typing import Protocol, final

import trio

from ._agenda import Agenda
from ._settings import LinkSettings


class Sender(Protocol):
    """What sends over a path: one direction of a connection."""

    def ready(self) -> bool:
        """Whether a segment may leave now."""

    def transmit(self) -> int:
        """Let one segment leave; only called if `ready`. Returns: its bytes."""


@final
class Path:
    """The way from one host to another: settings and, if it has a bound, bandwidth.

    Args:
      source, target: names of the hosts.
      reachable: tells whether what a host sends reaches another one now.
    """

    __slots__ = ("_agenda", "_free_at", "_planned", "_reachable", "_waiting", "settings", "source", "target")

    def __init__(
        self, agenda: Agenda, source: str, target: str, settings: LinkSettings, reachable: Callable[[str, str], bool]
    ) -> None:
        self.source: str = source
        self.target: str = target
        self.settings: LinkSettings = settings
        self._agenda = agenda
        self._reachable = reachable
        self._free_at = 0.0  # the time when the segment that uses the bandwidth has left
        self._planned = False  # `_serve` runs, or the agenda will call it
        self._waiting: deque[Sender] = deque()

    def is_open(self) -> bool:
        """Whether a segment that reaches the path's end now arrives."""
        return self._reachable(self.source, self.target)

    def ask(self, sender: Sender) -> None:
        """Let a sender send what it has. Senders take turns, with one segment each."""
        if sender not in self._waiting and sender.ready():
            self._waiting.append(sender)
            if not self._planned:
                self._serve()

    def pass_datagram(self, size: int) -> float | None:
        """Let a datagram leave behind all that uses the bandwidth.

        Returns: seconds until it has left, or None if there is no room for it.
        """
        settings, now = self.settings, trio.current_time()
        if settings.bandwidth == math.inf:
            return 0.0
        free_at = max(self._free_at, now)
        if (free_at - now) * settings.bandwidth > settings.send_buffer:
            return None
        self._free_at = free_at + size / settings.bandwidth
        return self._free_at - now

    def _serve(self) -> None:
        self._planned = True  # a stream that is told of room may write more, and so call `ask` from in here
        now = trio.current_time()
        while self._waiting and self._free_at <= now:
            sender = self._waiting.popleft()
            if sender.ready():
                self._free_at = now + sender.transmit() / self.settings.bandwidth
                if sender.ready():
                    self._waiting.append(sender)
        self._planned = bool(self._waiting)
        if self._waiting:
            self._agenda.plan(self._free_at, self._serve)
