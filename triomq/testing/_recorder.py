"""What happened on a virtual network, in order. Every part of the network tells the recorder."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable
from typing import Final, Literal, TypeAlias, final, get_args

import attrs
import trio

Kind: TypeAlias = Literal[
    "context opened",
    "context closed",
    "listening",
    "listening stopped",
    "no such host",
    "connecting",
    "connecting again",
    "established",
    "refused",
    "gave up",
    "accepted",
    "sent",
    "delivered",
    "lost",
    "sent again",
    "tried again",
    "probe sent",
    "end sent",
    "end delivered",
    "reset sent",
    "reset delivered",
    "timed out",
    "closed",
    "partition",
    "heal",
    "cut",
    "crash",
    "restart",
    "pause",
    "resume",
    "link",
    "note",
    "retry planned",
    "handshake failed",
    "disconnected",
    "dropped",
]
"""What can happen. The last four are what a host's sockets say; the others, what the network does."""

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
"""All of them."""

THE_END = "the end"
"""Stands in the text of a "lost" where the end of the stream was lost."""

FROM_LISTENER = "from the end that accepted"
"""Stands in the text of what travels, inside one host, from the end that accepted to the end that connected."""

_SHOWN = 24  # octets of a segment that its line of text shows


@attrs.frozen
class Happening:
    """One thing that happened.

    Attributes:
      time: the virtual time, in seconds.
      kind: what it was.
      host: where it happened; for what travels, the host that sent it.
      peer: the other host, if one is concerned.
      connection: the number of the connection, counted from 1 in the order of the attempts; 0 if none is concerned.
      data: the octets that travelled.
      text: anything else.
    """

    time: float
    kind: Kind
    host: str = ""
    peer: str = ""
    connection: int = 0
    data: bytes = b""
    text: str = ""

    def __str__(self) -> str:
        who = f"{self.host} > {self.peer}" if self.peer else self.host
        words = [f"{self.time:14.6f}", f"#{self.connection}" if self.connection else "-", who, self.kind]
        if self.data:
            more = "…" if len(self.data) > _SHOWN else ""
            words.append(f"{len(self.data)} {self.data[:_SHOWN]!r}{more}")
        if self.text:
            words.append(self.text)
        return "  ".join(words)


@final
class Recorder:
    """Keeps the newest happenings, and a digest of all.

    Args:
      limit: how many happenings to keep; the digest covers the forgotten ones too.

    Attributes:
      events: the happenings that are kept, oldest first.
      total: how many happenings there have been.
      forgotten: how many of them are not kept any more.
      look: called with host and kind before a happening is recorded; may itself record what went unseen before.
    """

    def __init__(self, limit: int = 100_000) -> None:
        self.events: deque[Happening] = deque(maxlen=limit)
        self.total: int = 0
        self.look: Callable[[str, Kind], None] | None = None
        self._hash = hashlib.sha256()
        self._waiting: dict[trio.Event, tuple[Callable[[Happening], bool], list[Happening]]] = {}

    @property
    def forgotten(self) -> int:
        """How many happenings were dropped for newer ones."""
        return self.total - len(self.events)

    def record(
        self, kind: Kind, host: str = "", peer: str = "", connection: int = 0, data: bytes = b"", text: str = ""
    ) -> None:
        """Note that something happens now."""
        if self.look is not None:
            self.look(host, kind)
        happening = Happening(trio.current_time(), kind, host, peer, connection, data, text)
        self.total += 1
        self.events.append(happening)
        self._hash.update(repr((happening.time, kind, host, peer, connection, data, text)).encode())
        if self._waiting:
            self._tell(happening)

    def _tell(self, happening: Happening) -> None:
        for event, (fits, found) in self._waiting.items():
            if not found and fits(happening):
                found.append(happening)
                event.set()

    async def wait(self, fits: Callable[[Happening], bool]) -> Happening:
        """Wait for the first happening, from now on, of which ``fits(happening)`` is true. Cancellation: no change."""
        event = trio.Event()
        found: list[Happening] = []
        self._waiting[event] = fits, found
        try:
            await event.wait()
        finally:
            del self._waiting[event]
        return found[0]

    def digest(self) -> str:
        """A fingerprint of everything so far, octets and times included: equal for equal runs."""
        return self._hash.hexdigest()

    def of_kind(self, *kinds: Kind) -> list[Happening]:
        """The happenings of some kinds, oldest first."""
        return [happening for happening in self.events if happening.kind in kinds]

    def text(self) -> str:
        """The happenings as text, a line each."""
        lines = [str(happening) for happening in self.events]
        if self.forgotten:
            lines.insert(0, f"({self.forgotten} earlier happenings were not kept)")
        return "\n".join(lines)
