"""What a diagram is made of. Its axis is the order of the happenings: an item stands at the place of its happening."""

from __future__ import annotations

from collections import Counter
from typing import Final, Literal, TypeAlias

import attrs

ArrowKind: TypeAlias = Literal["connect", "handshake", "command", "message", "octets", "end", "reset"]
Fate: TypeAlias = Literal["arrived", "refused", "lost", "held", "under way"]
"""What became of what was sent; ``held`` was not even sent: the kernel kept it for later."""
MarkKind: TypeAlias = Literal[
    "opened",
    "closed",
    "listening",
    "crash",
    "restart",
    "partition",
    "pause",
    "reset",
    "trouble",
    "dropped",
    "note",
    "failed",
]
SpanKind: TypeAlias = Literal["context", "down", "pause", "partition"]

_HEARTBEATS: Final = {"PING", "PONG"}


@attrs.frozen
class Place:
    """A point of the axis: the number of a happening and, for the eye, its virtual time in seconds."""

    order: int
    time: float


@attrs.frozen(kw_only=True)
class Arrow:
    """Something that travels.

    Attributes:
      stop: where it arrived or was lost; None if the record ends before.
      again: it was sent before, in vain.
      stands_for: how many units of the wire it shows.
      outcome: how it came out, if there is more to say than its fate.
      more: what else is known; a picture says it to a reader who points at the arrow.
      turn: for an attempt to connect: the stop is the place where the answer came back.
    """

    start: Place
    stop: Place | None
    source: str
    target: str
    kind: ArrowKind
    label: str
    fate: Fate
    connection: int = 0
    again: bool = False
    stands_for: int = 1
    outcome: str = ""
    more: str = ""
    turn: bool = False

    @property
    def hosts(self) -> tuple[str, ...]:
        """Those it concerns."""
        return (self.source, self.target)

    @property
    def heartbeats(self) -> Counter[str]:
        """How many of PING and PONG it is, if it is nothing else and has arrived at the first try."""
        words = Counter(self.label.split(", "))
        if self.kind != "command" or self.fate != "arrived" or self.again or words.keys() - _HEARTBEATS:
            return Counter()
        return words

    @property
    def likeness(self) -> tuple[object, ...]:
        """Equal for arrows that differ in nothing but their words: those may be folded."""
        word = self.label.partition(" ")[0] if self.kind in ("command", "handshake") else ""
        return ("arrow", self.source, self.target, self.kind, self.fate, self.again, word)


@attrs.frozen(kw_only=True)
class Mark:
    """Something that happens at a host, or, without one, to the network.

    Attributes:
      concerns: the hosts, for what happens to several.
    """

    start: Place
    kind: MarkKind
    label: str
    host: str = ""
    concerns: tuple[str, ...] = ()

    @property
    def stop(self) -> Place | None:
        """Where it stands."""
        return self.start

    @property
    def hosts(self) -> tuple[str, ...]:
        """Those it concerns."""
        return (self.host,) if self.host else self.concerns

    @property
    def likeness(self) -> tuple[object, ...]:
        """Equal for marks that may be folded."""
        return ("mark", self.host, self.kind, self.label if self.kind == "note" else "")


Item: TypeAlias = Arrow | Mark


@attrs.frozen(kw_only=True)
class Span:
    """A time in which something holds for a host.

    Attributes:
      stop: its end; None if it holds at the end of the record.
      group: for a partition: hosts of different groups cannot reach each other.
    """

    start: Place
    stop: Place | None
    kind: SpanKind
    host: str
    group: int = 0


@attrs.frozen(kw_only=True)
class Story:
    """Everything that a record tells.

    Attributes:
      items: ordered by their start.
      end: the last happening.
    """

    items: list[Item]
    spans: list[Span]
    end: Place
