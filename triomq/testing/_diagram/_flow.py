"""One direction of a connection: which segments carried what, and what became of them.

TCP keeps the order, so the segment that arrives is always the oldest that has not. One that is lost takes with it those
that fly behind it, and those that are sent meanwhile are held; they all are "sent again", in order, when the way is
open. What is drawn are not segments but the units of ZMTP in them: from where the first octet left to where the last
one arrived.
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
    """What was sent at once. ``end`` is for the end of the stream."""

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
        self._latest: _Segment | None = None  # the last that left
        self._stalled = False  # something was lost, and nothing has been sent again yet

    def sent(self, place: Place, data: bytes) -> None:
        """A segment left, or would have if there were not a lost one before it."""
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
        else:
            self._latest = segment
        self._segments.append(segment)

    def sent_again(self, place: Place) -> None:
        """The oldest that is held left."""
        self._stalled = False
        for segment in self._segments:
            if segment.state == "held":
                self._renew(segment, place)
                return

    def delivered(self, place: Place, data: bytes) -> None:
        """The oldest on its way arrived; or, where the record has no beginning, one that it has forgotten."""
        self._stalled = False
        if self._segments and self._segments[0].data == data:
            self._draw(self._segments.popleft(), place, "arrived")

    def lost(self, place: Place, *, at_once: bool) -> None:
        """Something did not arrive.

        Args:
          at_once: the link itself sends it again, without more ado; so only it is late.
        """
        if at_once:
            if self._latest is not None:
                self._draw(self._latest, place, "lost")
                self._renew(self._latest, place)
            return
        self._stalled = True
        for segment in self._segments:
            if segment.state == "flying":
                self._draw(segment, place, "lost")
                segment.state = "held"

    def over(self, *, alive: bool) -> None:
        """The record ends: draw what has no end, and octets that are no unit yet."""
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
        if segment.loads:  # what is sent again leaves as one
            segment.loads = [_Load([unit for load in segment.loads for unit in load.units], place)]
        self._latest = segment

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
    """What a row says of units that left together: like ones are shown by the first and the last."""
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
