"""What a diagram shows of a story: some hosts, some time, repeated rows folded, and no more rows than a page holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

import attrs

from ._items import Arrow, Item, Mark, Place, Span, Story
from ._words import count

_LONGEST_PERIOD: Final = 32  # rows that may repeat as one
_LEAST_HIDDEN: Final = 3  # rows; a fold that would hide fewer is not made
_LEAST_HEARTBEATS: Final = 3  # rows that become one; a PING and its PONG stay
_AFTER_FAILURE: Final = 4  # where a test failed, at most 1/4 of the rows tells what came after


@attrs.frozen(kw_only=True)
class Fold:
    """Stands in the place of rows: of those that repeat the rows before them, or of heartbeats."""

    start: Place
    stop: Place
    label: str
    hosts: tuple[str, ...]

    @property
    def likeness(self) -> tuple[object, ...]:
        """Equal for folds that may be folded themselves."""
        return ("fold", frozenset(self.hosts))


Row: TypeAlias = Arrow | Mark | Fold


@attrs.frozen(kw_only=True)
class Sheet:
    """Everything that is shown.

    Attributes:
      hosts: a column each, from the left.
      start, end: the part of the axis.
      notes: what was left out.
    """

    hosts: tuple[str, ...]
    rows: list[Row]
    spans: list[Span]
    start: Place
    end: Place
    notes: list[str]


def fold(items: Sequence[Item]) -> list[Row]:
    """Replace rows: heartbeats by their number, and those that repeat. The first and the last repetition stay."""
    return _fold_repeated(_fold_heartbeats(items))


def _fold_heartbeats(items: Iterable[Item]) -> list[Row]:
    rows: list[Row] = []
    run: list[Arrow] = []
    for item in (*items, None):
        if isinstance(item, Arrow) and item.heartbeats:
            run.append(item)
            continue
        rows.extend([_beats(run)] if len(run) >= _LEAST_HEARTBEATS else run)
        rows.extend([] if item is None else [item])
        run = []
    return rows


def _beats(run: Sequence[Arrow]) -> Fold:
    numbers: Counter[str] = Counter()
    for arrow in run:
        numbers += arrow.heartbeats
    label = "heartbeats: " + ", ".join(f"{word} × {number:,}" for word, number in sorted(numbers.items()))
    return Fold(start=run[0].start, stop=_end(run), label=label, hosts=_hosts(run))


def _end(rows: Sequence[Row]) -> Place:
    stops = [row.stop for row in rows if row.stop is not None]
    return max(stops, key=lambda place: place.order, default=rows[-1].start)


def _hosts(rows: Iterable[Row]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(host for row in rows for host in row.hosts))


def _fold_repeated(items: Sequence[Row]) -> list[Row]:
    numbers: dict[tuple[object, ...], int] = {}
    likeness = [numbers.setdefault(item.likeness, len(numbers)) for item in items]
    rows: list[Row] = []
    index = 0
    while index < len(items):
        period, times = _repeats(likeness, index)
        if (times - 2) * period < _LEAST_HIDDEN:
            rows.append(items[index])
            index += 1
            continue
        first, stop = index + period, index + (times - 1) * period
        rows.extend(items[index:first])
        rows.append(_folded(items[first:stop], period, times - 2))
        rows.extend(items[stop : stop + period])
        index = stop + period
    return rows


def _repeats(likeness: list[int], index: int) -> tuple[int, int]:
    """The number of rows that repeat from an index on, and of their repetitions: the two that cover most rows."""
    best = (1, 1)
    for period in range(1, min(_LONGEST_PERIOD, (len(likeness) - index) // 2) + 1):
        stop = index + period
        while stop < len(likeness) and likeness[stop] == likeness[stop - period]:
            stop += 1
        times = (stop - index) // period
        if times > 2 and period * times > best[0] * best[1]:
            best = (period, times)
    return best


def _folded(items: Sequence[Row], period: int, times: int) -> Fold:
    """What stands for a period of rows and its repetitions."""
    first, last = items[0], items[-1]
    if period > 1:
        label = f"these {period} rows × {times:,} more"
    elif first.label == last.label or (isinstance(first, Arrow) and first.kind == "connect"):
        label = f"the same × {times:,} more"
    else:
        label = f"{first.label} … {last.label} × {times:,} more"
    return Fold(start=first.start, stop=_end(items), label=label, hosts=_hosts(items[:period]))


def make_sheet(
    story: Story,
    *,
    hosts: Iterable[str] | None,
    known: Sequence[str],
    start: float | None,
    end: float | None,
    limit: int,
    most_hosts: int,
    forgotten: int,
) -> Sheet:
    """Choose what is shown.

    Args:
      hosts: the columns; None for those of ``known`` that something happens to, ``most_hosts`` at the most.
      start, end: virtual times, in seconds.
      limit: rows; the last ones stay.
      forgotten: happenings that the record has lost.
    """
    notes = [f"the {count(forgotten, 'earliest happening')} were not kept by the recorder"] if forgotten else []
    items = [item for item in story.items if _within(item, start, end)]
    columns = tuple(dict.fromkeys(hosts)) if hosts is not None else _busy_hosts(story, items, known, most_hosts, notes)
    shown = set(columns)
    items = [item for item in items if _concerns(item, shown)]
    rows = fold(items)
    later = _after_failure(rows, limit, notes)
    if len(rows) > limit:
        left_out = len(rows) - limit
        notes.append(f"{count(left_out, 'earlier row')} left out: limit={limit}")
        rows = rows[left_out:]
    cut = start is not None or len(rows) == limit
    first = rows[0].start if rows and cut else Place(0, 0.0 if start is None else start)
    last = story.end
    if rows and (later or end is not None):
        last = max((row.stop or row.start for row in rows), key=lambda place: place.order)
    spans = [
        span
        for span in story.spans
        if span.host in shown
        and span.start.order <= last.order
        and (span.stop is None or span.stop.order >= first.order)
    ]
    return Sheet(hosts=columns, rows=rows, spans=spans, start=first, end=last, notes=notes)


def _after_failure(rows: list[Row], limit: int, notes: list[str]) -> int:
    """Take away rows far behind the one that says where the test failed. Returns: how many."""
    for index, row in enumerate(rows):
        if isinstance(row, Mark) and row.kind == "failed":
            first = index + 1 + limit // _AFTER_FAILURE
            later = len(rows[first:])
            if later:
                notes.append(f"{count(later, 'later row')} left out: the test had failed")
                del rows[first:]
            return later
    return 0


def _within(item: Item, start: float | None, end: float | None) -> bool:
    stop = item.stop or item.start
    return (end is None or item.start.time <= end) and (start is None or stop.time >= start)


def _concerns(item: Item, shown: set[str]) -> bool:
    if isinstance(item, Arrow):
        return item.source in shown and item.target in shown
    return not item.hosts or bool(shown.intersection(item.hosts))


def _busy_hosts(story: Story, items: list[Item], known: Sequence[str], most: int, notes: list[str]) -> tuple[str, ...]:
    weight = {span.host: 0 for span in story.spans if span.kind == "context"}
    for item in items:
        for host in item.hosts:
            weight[host] = weight.get(host, 0) + 1
    names = [name for name in dict.fromkeys((*known, *weight)) if name in weight]
    if len(names) <= most:
        return tuple(names)
    notes.append(f"{count(len(names) - most, 'other host')} left out: choose with hosts=")
    rank = {name: index for index, name in enumerate(names)}
    busiest = sorted(names, key=lambda name: (-weight[name], rank[name]))[:most]
    return tuple(sorted(busiest, key=lambda name: rank[name]))
