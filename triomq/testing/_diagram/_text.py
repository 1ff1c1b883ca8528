"""A diagram of characters: a row is a line, a host a column, time stands at the left.

│  a host      ┃  with a context open      ╎ ╏  cut off by a partition      ░  paused      ·  down
"""

from __future__ import annotations

from typing import Final

from .._times import show_gap, show_time, time_digits
from ._items import Arrow, Mark, Place
from ._rows import Fold, Row, Sheet
from ._states import States

_NARROWEST, _WIDEST = 12, 30  # characters from one column to the next
_GAP: Final = 1.5  # seconds; as long a time without a row gets a line of its own
_SHORT: Final = 4  # characters between the end of a lost arrow and its target
_LINES: Final = {"connect": "┄", "end": "╌", "reset": "╌"}
_LEGEND: Final = "│ host  ┃ context open  ╎ ╏ partitioned  ░ paused  · down  ✗ lost or refused  ↻ sent again"


def draw_text(sheet: Sheet, title: str, width: int) -> str:
    """Draw a sheet."""
    return "\n".join(_TextDrawing(sheet, width).lines(title))


class _TextDrawing:
    def __init__(self, sheet: Sheet, width: int) -> None:
        self._sheet = sheet
        self._states = States(sheet.spans)
        self._digits = time_digits(row.start.time for row in sheet.rows)
        times = [show_time(place.time, self._digits) for place in (sheet.start, sheet.end)]
        self._margin = max(8, *map(len, times)) + 3
        count = max(1, len(sheet.hosts))
        step = (width - self._margin) // count
        longest = max((len(host) + 2 for host in sheet.hosts), default=0)
        self._step = max(_NARROWEST, longest, min(_WIDEST, step))
        self._columns = {host: self._margin + index * self._step for index, host in enumerate(sheet.hosts)}
        self._right = self._margin + (count - 1) * self._step + 3  # the column of words that belong to a whole row

    def lines(self, title: str) -> list[str]:
        """Everything."""
        lines = [title] if title else []
        lines += [f"({note})" for note in self._sheet.notes]
        heads = [" "] * (self._right + self._step)
        for host, x in self._columns.items():
            heads[x : x + len(host)] = host
        lines.append(f"{'seconds':>{self._margin - 3}}" + "".join(heads)[self._margin - 3 :].rstrip())
        before: Place | None = None
        shown = ""
        for row in self._sheet.rows:
            if before is not None and row.start.time - before.time >= _GAP:
                gap = f"… {show_gap(row.start.time - before.time)}"
                lines.append(self._finish(gap, self._lifelines(row.start.order - 1), ""))
            time = show_time(row.start.time, self._digits)
            lines.append(self._row(row, "" if time == shown else time))
            shown = time
            before = row.stop if isinstance(row, Fold) else row.start
        if before is None:
            lines.append("nothing happened")
        elif self._sheet.end.time - before.time >= _GAP:
            gap = f"… {show_gap(self._sheet.end.time - before.time)}"
            lines.append(self._finish(gap, self._lifelines(self._sheet.end.order), ""))
        return [*lines, _LEGEND]

    def _finish(self, time: str, cells: list[str], beside: str) -> str:
        return (f"{time:>{self._margin - 3}}" + "".join(cells)[self._margin - 3 :] + beside).rstrip()

    def _lifelines(self, order: int) -> list[str]:
        cells = [" "] * self._right
        for host, x in self._columns.items():
            cells[x] = self._state(host, order)
        return cells

    def _state(self, host: str, order: int) -> str:
        states = self._states.at(host, order)
        if "down" in states:
            return "·"
        if "pause" in states:
            return "░"
        if "partition" in states:
            return "╏" if "context" in states else "╎"
        return "┃" if "context" in states else "│"

    def _row(self, row: Row, time: str) -> str:
        cells = self._lifelines(row.start.order)
        if isinstance(row, Arrow):
            beside = self._arrow(row, cells)
        elif isinstance(row, Mark):
            beside = self._mark(row, cells)
        else:
            beside = row.label + f", until {show_time(row.stop.time, self._digits)}"
            for host in row.hosts:
                if host in self._columns:
                    cells[self._columns[host]] = "⋮"
        return self._finish(time, cells, beside)

    def _mark(self, mark: Mark, cells: list[str]) -> str:
        label = one_line(mark.label)
        if not mark.host:
            for index in range(self._margin - 1, self._right):
                if cells[index] == " ":
                    cells[index] = "━" if mark.kind == "failed" else "┈"
            return " " + label
        x = self._columns[mark.host]
        if mark.kind == "crash":
            cells[x] = "╳"
        space = self._step - 3 if x + self._step < self._right else 10_000
        if len(label) > space:
            return f"{mark.host}: {label}"
        cells[x + 2 : x + 2 + len(label)] = label
        return ""

    def _arrow(self, arrow: Arrow, cells: list[str]) -> str:
        label = ("↻ " if arrow.again else "") + one_line(arrow.label)
        beside = _beside(arrow)
        one, other = self._columns[arrow.source], self._columns[arrow.target]
        if one == other:
            cells[one + 1] = "↺" if arrow.fate == "arrived" else "✗"
            return f"{label}  {beside}" if beside else label
        left, right = min(one, other) + 1, max(one, other) - 1
        to_right = one < other
        if arrow.fate in ("lost", "held", "under way"):  # the arrow does not reach its target
            left, right = (left, right - _SHORT) if to_right else (left + _SHORT, right)
        line = _LINES.get(arrow.kind, "─")
        head = {"arrived": "><"[not to_right], "refused": "✗", "lost": "✗", "held": "✗", "under way": "…"}[arrow.fate]
        room = right - left
        body = f" {label} " if len(label) + 4 <= room else ""
        text = f"{body:{line}^{room}}"
        cells[left : right + 1] = text + head if to_right else head + text
        return "  ".join(filter(None, ("" if body else label, beside)))


def _beside(arrow: Arrow) -> str:
    if arrow.fate in ("held", "lost"):
        return arrow.fate
    if arrow.outcome:
        return arrow.outcome
    if arrow.fate == "under way" or arrow.stop is None:
        return "no answer" if arrow.kind == "connect" else "under way"
    return f"+{show_gap(arrow.stop.time - arrow.start.time)}"


def one_line(text: str) -> str:
    """The text, with every character escaped that would break the line or could not be seen."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
