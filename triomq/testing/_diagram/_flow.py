"""One direction of a connection: which segments carried what, and what became of them.

TCP keeps the order: the segment that arrives is always the oldest of those on their way. When a segment is lost, so are
those that fly behind it, and those that are sent meanwhile are held. When the way is open again, all of them are "sent
again", in order. A diagram shows no segments but the units of ZMTP in them, each from the place where its first octet
left to the place where its last octet arrived.
"""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import Final, Literal

import attrs

from ._items import Arrow, ArrowKind, Fate, Place
from ._words import Unit, Words, count

_KINDS: Final[dict[str, ArrowKind]] = {
    "greeting": "handshake",
    "handshake": "handshake",
    "command": "command",
    "message": "message",
    "octets": "octets",
}


@attrs.define
class _Load:
    """Units that one segment completes, and where the first octet of them left."""

    units: list[Unit]
    start: Place


@attrs.define
class _Segment:
    """What was sent at once: octets, or the end of the stream."""

    start: Place
    data: bytes
    loads: list[_Load]
    end: bool = False
    again: bool = False
    state: Literal["flying", "held"] = "flying"


class Flow:
    """Turns what a link told about one direction into arrows.

    Args:
      whole: the record has it from its first octet on.
    """

    def __init__(self, source: str, target: str, connection: int, arrows: list[Arrow], *, whole: bool) -> None:
        self._arrow = partial(Arrow, source=source, target=target, connection=connection)
        self._arrows = arrows
        self._words = Words(whole=whole)
        self._segments: deque[_Segment] = deque()
        self._begun: deque[tuple[int, Place]] = deque()  # offset and place of the segments of an unfinished unit
        self._stalled = False  # something was lost, and nothing has been sent again yet

    def sent(self, place: Place, data: bytes) -> None:
        """A segment left; or it is held, behind a lost one."""
        self._begun.append((self._words.read, place))
        loads: list[_Load] = []
        for unit in self._words.feed(data):
            while len(self._begun) > 1 and self._begun[1][0] <= unit.start:
                self._begun.popleft()
            start = self._begun[0][1]
            if loads and loads[-1].start is start:
                loads[-1].units.append(unit)
            else:
                loads.append(_Load([unit], start))
        while len(self._begun) > 1 and self._begun[1][0] <= self._words.done:
            self._begun.popleft()
        if self._words.done == self._words.read:
            self._begun.clear()
        self._add(_Segment(place, data, loads))

    def end_sent(self, place: Place) -> None:
        """The end of the stream left."""
        self._add(_Segment(place, b"", [], end=True))

    def _add(self, segment: _Segment) -> None:
        if self._stalled:
            segment.state = "held"
            self._draw(segment, segment.start, "held")
        self._segments.append(segment)

    def sent_again(self, place: Place) -> None:
        """The oldest of the held segments left."""
        self._stalled = False
        for segment in self._segments:
            if segment.state == "held":
                self._renew(segment, place)
                return

    def delivered(self, place: Place, data: bytes) -> None:
        """The oldest segment on its way arrived; or one that left before the record begins."""
        self._stalled = False
        if self._segments and self._segments[0].data == data:
            self._draw(self._segments.popleft(), place, "arrived")

    def lost(self, place: Place) -> None:
        """The oldest segment on its way did not arrive, and so those behind it will not."""
        self._stalled = True
        for segment in self._segments:
            if segment.state == "flying":
                self._draw(segment, place, "lost")
                segment.state = "held"

    def over(self, *, alive: bool) -> None:
        """The record ends: draw the segments that are still on their way, and octets that are no unit yet."""
        for segment in self._segments:
            if segment.state == "flying":
                self._draw(segment, None, "under way" if alive else "lost")
        missing = self._words.read - self._words.done
        if missing and self._begun:
            self._arrows.append(
                self._arrow(
                    start=self._begun[0][1],
                    stop=self._begun[-1][1],
                    kind="octets",
                    label=f"{count(missing, 'octet')}, unfinished",
                    fate="under way" if alive else "lost",
                )
            )

    def _renew(self, segment: _Segment, place: Place) -> None:
        segment.state = "flying"
        segment.again = True
        segment.start = place
        if segment.loads:  # a segment that is sent again leaves in one piece
            segment.loads = [_Load([unit for load in segment.loads for unit in load.units], place)]

    def _draw(self, segment: _Segment, stop: Place | None, fate: Fate) -> None:
        draw = partial(self._arrow, stop=stop, fate=fate, again=segment.again)
        if segment.end:
            self._arrows.append(draw(start=segment.start, kind="end", label="end"))
        for load in segment.loads:
            kind = _KINDS[load.units[-1].kind]
            size = count(load.units[-1].stop - load.units[0].start, "octet")
            self._arrows.append(
                draw(start=load.start, kind=kind, label=label(load.units), stands_for=len(load.units), more=size)
            )


def label(units: list[Unit]) -> str:
    """What a row says of units that left together. Of many messages it shows the first and the last."""
    words: list[str] = []
    index = 0
    while index < len(units):
        stop = index + 1
        while stop < len(units) and units[stop].kind == units[index].kind == "message":
            stop += 1
        if stop - index > 2:
            words.append(f"{units[index].label} … {units[stop - 1].label} × {stop - index:,}")
        else:
            words.extend(unit.label for unit in units[index:stop])
        index = stop
    if len(words) > 4:
        words[2:-1] = [f"… {len(words) - 3} more"]
    return ", ".join(words)
