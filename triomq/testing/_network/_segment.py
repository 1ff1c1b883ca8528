"""What travels over a connection, and what a link asks of the streams at its two ends."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, Protocol, TypeAlias

from .._recorder import THE_END
from ._machine import Machine

SegmentKind: TypeAlias = Literal["data", "end"]
Word: TypeAlias = Literal["open", "answer", "probe"]

WORDS: Final[dict[SegmentKind | Word, str]] = {
    "data": "",
    "end": THE_END,
    "open": "the third step of connecting",
    "answer": "the second step of connecting, again",
    "probe": "a probe",
}
"""How the record calls what is no data."""


class Segment(NamedTuple):
    """What TCP sends until it is acknowledged: bytes, or the end of the stream."""

    kind: SegmentKind
    data: bytes = b""


class End(Protocol):
    """What a link asks of the streams at its two ends.

    Attributes:
      host: where it is.
    """

    host: Machine

    @property
    def is_orphan(self) -> bool:
        """Whether no program has it any more: the kernel is alone with it."""

    def arrive(self, segment: Segment) -> bool:
        """A segment has come from the other end. Returns: whether it is taken; if not, a reset was sent."""

    def hear(self, word: Word) -> bool:
        """Something that no program sees has come from the other end. Returns: as `arrive`."""

    def room_made(self) -> None:
        """The send buffer has room."""

    def fall(self, what: Literal["reset delivered", "timed out"], why: str) -> None:
        """The connection is dead."""
