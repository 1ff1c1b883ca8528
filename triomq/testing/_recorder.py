"""What happened on a virtual network, in order. Every part of the network tells the recorder."""

from __future__ import annotations

import hashlib
import itertools
from collections import deque
from collections.abc import Callable
from typing import Final, Literal, TypeAlias, final, get_args

import attrs
import trio

from .._events import MonitorEvent

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
    "failed",
    "retry planned",
    "handshake failed",
    "disconnected",
    "dropped",
    "socket event",
]
"""What can happen. The last five are what a host's sockets say; the others, what the network does."""

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
"""All of them."""

THE_END = "the end"
"""Stands in the text of a "lost" where the end of the stream was lost."""

FROM_LISTENER = "from the end that accepted"
"""Stands in the text of what travels, inside one host, from the end that accepted to the end that connected."""

_SHOWN = 24  # bytes of a segment that its line of text shows


@attrs.frozen
class Happening:
    """One thing that happened.

    Attributes:
      time: the virtual time, in seconds.
      kind: what it was.
      host: where it happened; for what travels, the host that sent it.
      peer: the other host, if one is concerned.
      connection: the number of the connection, counted from 1 in the order of the attempts; 0 if none is concerned.
      data: the bytes that travelled.
      text: anything else.
      event: if a socket has said it, the class of the event. The event itself is not kept: its error may hold on to
        whatever was under way.
    """

    time: float
    kind: Kind
    host: str = ""
    peer: str = ""
    connection: int = 0
    data: bytes = b""
    text: str = ""
    event: type[MonitorEvent] | None = None

    def __str__(self) -> str:
        who = f"{self.host} > {self.peer}" if self.peer else self.host
        words = [f"{self.time:14.6f}", f"#{self.connection}" if self.connection else "-", who, self.kind]
        if self.data:
            more = "…" if len(self.data) > _SHOWN else ""
            words.append(f"{len(self.data)} {self.data[:_SHOWN]!r}{more}")
        if self.text:
            words.append(self.text)
        return "  ".join(words)


@attrs.define(eq=False)
class _Wait:
    """A task that waits for a happening."""

    fits: Callable[[Happening], bool]
    words: str
    found: Happening | None = None
    error: Exception | None = None  # of the function, which is the waiting task's, and not the network's
    event: trio.Event = attrs.field(factory=trio.Event)

    def look_at(self, happening: Happening) -> None:
        if self.event.is_set():
            return
        try:
            if not self.fits(happening):
                return
            self.found = happening
        except Exception as exc:
            self.error = exc
        self.event.set()

    def result(self) -> Happening:
        error, self.error = self.error, None
        if error is not None:
            try:
                raise error
            finally:
                del error  # its traceback refers to this frame: no cycle through it
        assert self.found is not None
        return self.found


@final
class Recorder:
    """Keeps the newest happenings, and a digest of all.

    Args:
      limit: how many happenings to keep; the digest covers the forgotten ones too.

    Attributes:
      events: the happenings that are kept, oldest first.
      total: how many happenings there have been.
      forgotten: how many of them are not kept any more.
      looks: called with host and kind before a happening is recorded; may record what went unseen before.
    """

    def __init__(self, limit: int = 100_000) -> None:
        self.events: deque[Happening] = deque(maxlen=limit)
        self.total: int = 0
        self.looks: list[Callable[[str, Kind], None]] = []
        self._hash = hashlib.sha256()
        self._waiting: dict[trio.Event, _Wait] = {}

    @property
    def forgotten(self) -> int:
        """How many happenings were dropped for newer ones."""
        return self.total - len(self.events)

    def record(
        self,
        kind: Kind,
        host: str = "",
        peer: str = "",
        connection: int = 0,
        data: bytes = b"",
        text: str = "",
        event: type[MonitorEvent] | None = None,
    ) -> None:
        """Note that something happens now."""
        for look in self.looks:
            look(host, kind)
        happening = Happening(trio.current_time(), kind, host, peer, connection, data, text, event)
        self.events.append(happening)
        self._count(happening)
        for wait in self._waiting.values():
            wait.look_at(happening)

    def insert(self, place: int, happening: Happening) -> None:
        """Note what is known only now, behind the first ``place`` happenings of the run."""
        place -= self.forgotten
        if len(self.events) == self.events.maxlen:
            self.events.popleft()
            place -= 1
        self.events.insert(max(0, place), happening)
        self._count(happening)

    def _count(self, it: Happening) -> None:
        self.total += 1
        self._hash.update(repr((it.time, it.kind, it.host, it.peer, it.connection, it.data, it.text)).encode())

    async def wait(
        self, fits: Callable[[Happening], bool], *, since: float | None = None, words: str = "something"
    ) -> Happening:
        """Wait for the first happening of which ``fits(happening)`` is true.

        Args:
          since: take one that the record has already, from this virtual time on. None: only what happens from now on.
          words: what is waited for, for `awaited`.
        Cancellation: nothing has changed.
        Raises: what ``fits`` raises.
        """
        wait = _Wait(fits, words)
        if since is not None:
            for happening in self._since(since):
                wait.look_at(happening)
        event = wait.event
        self._waiting[event] = wait
        try:
            await event.wait()
        finally:
            del self._waiting[event]
        return wait.result()

    def _since(self, time: float) -> list[Happening]:
        newest_first = itertools.takewhile(lambda happening: happening.time >= time, reversed(self.events))
        return list(newest_first)[::-1]

    @property
    def awaited(self) -> list[str]:
        """What tasks wait for in `wait`, in words, the oldest first."""
        return [wait.words for wait in self._waiting.values() if not wait.event.is_set()]

    def digest(self) -> str:
        """A fingerprint of everything so far, bytes and times included: equal for equal runs."""
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
