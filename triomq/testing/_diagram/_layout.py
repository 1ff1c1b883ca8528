"""Where everything of a picture stands, in pixels.

Down: the axis is the order of what is shown. Each thing that begins has a row, and each that ends a smaller step, so
that no two labels meet. The steps are a little larger where more time passes; where nothing happens for long, the axis
is broken and says for how long. Across: each host has a column, and the columns are as far apart as the labels between
them need.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from itertools import pairwise
from typing import Final

from .._times import show_gap
from ._items import Arrow, Mark, Place
from ._rows import Fold, Row, Sheet

# In pixels, where nothing else is said.
CHARACTER: Final = 7.25  # the width of a character of the labels' font
HALF_BAR: Final = 5.0  # half the width of the bar of an open context
HEAD: Final = 30.0  # the height of the boxes with the hosts' names
_ROW: Final = 24.0  # the height of a row, at the least
_CLEAR: Final = 19.0  # from the end of an arrow to a later row, at the least: the height of a label
_BESIDE: Final = 5.0  # words beside a host stand lower by this than the label of an arrow
_FLAT: Final = 8.0  # from the start of an arrow down to its end, at the least
_TURN: Final = 17.0  # the same for an arrow that comes back
_GAP: Final = 1.5  # seconds; as long a time without anything breaks the axis
_BREAK: Final = 24.0  # the height of such a break
_NEAREST, _FARTHEST = 120.0, 340.0  # from one column to the next
_FEW: Final = 3  # hosts; up to so many may be farther apart
_FARTHEST_OF_FEW: Final = 400.0  # from one column to the next, if the hosts are few
_LEFT: Final = 92.0  # the left edge of everything but the times
LONGEST_MARK: Final = 90  # characters of the words beside a host, at the most


def label_of(row: Row) -> str:
    """What stands at a row, in full."""
    if isinstance(row, Arrow):
        again = "↻ " if row.again else ""
        if row.outcome:  # long enough without saying what its colour says too
            return f"{again}{row.label.removeprefix('connect ')} {row.outcome}"
        return again + row.label
    return row.label


class Layout:
    """Where everything of a sheet stands.

    Attributes:
      x: where each host's lifeline stands.
      row_y: where each row stands, in the order of the rows.
      breaks: where the axis is broken: from, to, and for how long.
      top, bottom: the ends of the lifelines.
      width: the width of the whole picture.
    """

    def __init__(self, sheet: Sheet, top: float) -> None:
        self._sheet = sheet
        self.top: float = top + HEAD
        self.x: dict[str, float] = _columns(sheet)
        self.row_y: list[float] = [0.0] * len(sheet.rows)  # 0 until it has a place
        self.breaks: list[tuple[float, float, str]] = []
        self._stop_y: dict[int, float] = {}  # by row
        self._orders: list[int] = []
        self._ys: list[float] = []
        self._run_down()
        self.bottom: float = (self._ys[-1] if self._ys else self.top) + 20
        right = max(self.x.values(), default=_LEFT)
        self.width: float = max([right + 70, *(self._right_of(row) for row in sheet.rows)]) + 16

    @property
    def left(self) -> float:
        """Where the first column stands."""
        return min(self.x.values(), default=_LEFT)

    @property
    def right(self) -> float:
        """Where the last column stands."""
        return max(self.x.values(), default=_LEFT)

    def y(self, place: Place | None) -> float:
        """Where a place of the axis is; None is the end."""
        if place is None:
            return self.bottom
        index = bisect_right(self._orders, place.order)
        return self._ys[index - 1] if index else self.top

    def arrow_ends(self, index: int, arrow: Arrow) -> tuple[float, float]:
        """How high an arrow begins and ends."""
        start = self.row_y[index]
        least = _TURN if arrow.turn else _FLAT
        return start, max(start + least, self._stop_y.get(index, start))  # an arrow may have no end on the sheet

    def _points(self) -> list[tuple[int, int, float, int]]:
        """What stands on the axis: order, -1 for an end or the number of a row, time, the row it is the end of."""
        points = []
        first, last = self._sheet.start.order, self._sheet.end.order
        for index, row in enumerate(self._sheet.rows):
            points.append((row.start.order, index, row.start.time, index))
            if row.stop is not None and row.stop.order <= last and not isinstance(row, Fold):
                points.append((row.stop.order, -1, row.stop.time, index))
        for span in self._sheet.spans:
            ends = [place for place in (span.start, span.stop) if place is not None]
            points += [(place.order, -1, place.time, -1) for place in ends if first <= place.order <= last]
        points.append((last, len(self._sheet.rows), self._sheet.end.time, -1))
        return sorted(points)

    def _run_down(self) -> None:
        y = last_row = self.top + 8
        last_stop = -math.inf
        before: float | None = None
        rows = self._sheet.rows
        for order, number, time, index in self._points():
            passed = 0.0 if before is None else time - before
            before = max(time, before or 0.0)
            if passed >= _GAP:
                y += 10
                self.breaks.append((y, y + _BREAK, show_gap(passed)))
                y += _BREAK + 6
            elif passed > 0:
                y += 2 + 4 * math.log10(1 + 1000 * passed)
            if 0 <= number < len(rows):
                y = max(y, last_row + _ROW, last_stop + _CLEAR)
                self.row_y[number] = y
                last_row = y + (_BESIDE if isinstance(rows[number], Mark) and rows[number].hosts else 0.0)
                if isinstance(fold := rows[number], Fold):
                    before = max(before, fold.stop.time)
            elif index >= 0:
                row = rows[index]
                if isinstance(row, Arrow) and self.row_y[index]:
                    y = max(y, self.row_y[index] + (_TURN if row.turn else _FLAT))
                    self._stop_y[index] = last_stop = y
            self._orders.append(order)
            self._ys.append(y)

    def _right_of(self, row: Row) -> float:
        xs = [self.x[host] for host in row.hosts if host in self.x]
        if isinstance(row, Arrow):
            if row.source != row.target:
                return 0.0
            return xs[0] + 50 + min(LONGEST_MARK, len(label_of(row))) * CHARACTER
        if isinstance(row, Fold):
            return min(xs) + 20 + len(row.label) * CHARACTER + 110
        start = xs[0] if len(row.hosts) == 1 else self.left
        return start + 24 + min(LONGEST_MARK, len(row.label)) * CHARACTER

    def short_of(self, arrow: Arrow) -> float:
        """Where a lost arrow ends: before its target, and behind every host that it was not for."""
        source, target = self.x[arrow.source], self.x[arrow.target]
        between = [x for x in self.x.values() if min(source, target) < x < max(source, target)]
        last = min((source, *between), key=lambda x: abs(x - target))
        return last + 0.62 * (target - last)

    def room(self, arrow: Arrow) -> int:
        """Characters that a label of the arrow may have."""
        if arrow.source == arrow.target:
            return LONGEST_MARK
        return int((abs(self.x[arrow.source] - self.x[arrow.target]) - 34) / CHARACTER)


def head_half(host: str) -> float:
    """Half the width of the box with a host's name."""
    return max(36.0, len(host) * 4.0 + 12)


def cut(text: str, most: int) -> str:
    """Text of ``most`` characters at the most."""
    return text if len(text) <= most else text[: max(0, most - 1)] + "…"


def _columns(sheet: Sheet) -> dict[str, float]:
    """Where the lifelines stand: each gap is as wide as the labels of its arrows, and the hosts' names, need it."""
    hosts = sheet.hosts
    number = {host: index for index, host in enumerate(hosts)}
    gaps = [
        max(_NEAREST if len(hosts) < 8 else 90.0, 20 + CHARACTER * (len(one) + len(other)) / 1.7)
        for one, other in pairwise(hosts)
    ]
    wanted: dict[tuple[int, int], float] = {}
    for row in sheet.rows:
        if isinstance(row, Arrow) and row.source != row.target:
            pair = sorted((number[row.source], number[row.target]))
            key = (pair[0], pair[1])
            wanted[key] = max(wanted.get(key, 0.0), 40 + CHARACTER * len(label_of(row)))
        elif isinstance(row, Arrow) and number[row.source] < len(gaps):
            key = (number[row.source], number[row.source] + 1)
            wanted[key] = max(wanted.get(key, 0.0), 70 + CHARACTER * len(label_of(row)))
    farthest = _FARTHEST if len(hosts) > _FEW else _FARTHEST_OF_FEW
    for (one, other), width in sorted(wanted.items(), key=lambda item: (item[0][1] - item[0][0], item[0])):
        missing = min(width, farthest * (other - one)) - sum(gaps[one:other])
        if missing > 0:
            for index in range(one, other):
                gaps[index] += missing / (other - one)
    x = _LEFT + head_half(hosts[0]) if hosts else _LEFT
    places = {}
    for host, gap in zip(hosts, [*gaps, 0.0], strict=False):
        places[host] = round(x, 1)
        x += gap
    return places
