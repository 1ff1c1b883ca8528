"""The tables in README.md and in the page on performance: written from the figures, between markers, never by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from . import goals, peers, works
from .figures import Figure, Figures
from .kinds import Kind, Unit, Work
from .report import number

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "explanation" / "performance"
_README = ROOT / "README.md"
_PAGE = ROOT / "docs" / "explanation" / "performance.md"

_TITLES = {
    "triomq": "triomq",
    "triomq-strict": "triomq, strict",
    "triomq-io": "triomq, io_thread",
    "triomq-polling": "triomq, busy_poll",
    "pyzmq": "pyzmq",
    "pyzmq-asyncio": "zmq.asyncio",
    "zmq-anyio": "zmq-anyio",
    "pynng": "pynng",
    "pyomq": "pyomq",
    "trio-stream": "trio stream",
    "trio-channel": "memory channel",
    "sockets": "sockets",
}
_PICTURES = {
    "size": "Messages a second over their size, from 10 octets to a megabyte, for triomq and six other libraries.",
    "connections": "Replies a second over the connections of a ROUTER, and deliveries a second over the subscribers.",
    "subscriptions": "Microseconds for each message over the number of subscriptions, from one to a hundred thousand.",
    "memory": "What the memory of a process with one ROUTER grows by, over its idle connections, up to five thousand.",
    "latency": "Latency, p50, p99 and p99.9, at 10, 50 and 90 per cent load, for triomq and libzmq's bindings.",
}
"""What each picture shows, for those who cannot see it."""
_SECTION = r"(<!-- figures{name} -->\n).*?(<!-- end of figures -->)"
_NO_SECTION = "there is no place for figures{name} in {path}"
_PRICE = ("push-10", "push-many-10", "req-10", "inproc-10")
"""The works that show what strict checkpoints cost."""


def sections(figures: Figures) -> dict[Path, dict[str, str]]:
    """For each file what is to be filled in, by the name of the place."""
    return {
        _README: {"": _readme(figures)},
        _PAGE: {
            ": machine": _machine(figures),
            ": goals": goal_table(figures),
            ": medians": peer_table(figures, _median),
            ": processor": peer_table(figures, _processor),
            ": strict": price_table(figures),
            ": wait": wait_table(figures),
            **{f": {name}": _picture(name, text) for name, text in _PICTURES.items()},
        },
    }


def write(figures: Figures) -> Iterator[Path]:
    """Fill in the files. Returns: their paths.

    Raises:
      ValueError: a place for figures is missing.
    """
    for path, places in sections(figures).items():
        path.write_text(fill(path.read_text(encoding="utf-8"), places, str(path)), encoding="utf-8")
        yield path


def fill(text: str, places: Mapping[str, str], path: str = "the text") -> str:
    """Put each section between ``<!-- figures… -->`` with its name and the next ``<!-- end of figures -->``.

    Raises:
      ValueError: the text has no such place.
    """
    for name, section in places.items():
        place = re.search(_SECTION.format(name=re.escape(name)), text, flags=re.DOTALL)
        if place is None:
            raise ValueError(_NO_SECTION.format(name=name, path=path))
        text = f"{text[: place.start()]}{place[1]}\n{section}\n\n{place[2]}{text[place.end() :]}"
    return text


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """A table; the first row is its head, and all columns but the first are of numbers."""
    head, *others = rows
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, rule, *others])


def _readme(figures: Figures) -> str:
    command = "`nox -s bench -- --plots`"
    return f"{goal_table(figures)}\n\n{_machine(figures)}\nTo repeat it: {command}."


def _with_unit(work: Work, value: float | None) -> str:
    if value is None:
        return "—"
    if work.unit is Unit.MICROSECONDS and work.kind is not Kind.REQUEST and not work.details:
        return f"{number(value, work.unit)} µs each"
    return f"{number(value, work.unit)} {work.unit.value}"


def goal_table(figures: Figures) -> str:
    """A row for each work that has goals, in their order."""
    rows = [["loopback tcp, two processes", "triomq", "goal", "reached"]]
    by_work: dict[str, list[goals.Verdict]] = {}
    for verdict in goals.judge({key: figure.median for key, figure in figures.entries.items()}):
        by_work.setdefault(verdict.goal.work, []).append(verdict)
    for name, verdicts in by_work.items():
        work = works.by_name(name)
        wanted = "<br>".join(_goal(verdict.goal) for verdict in verdicts)
        reached = "<br>".join(_reached(verdict) for verdict in verdicts)
        rows.append([work.title, _with_unit(work, figures.median(name, goals.SUBJECT)), wanted, reached])
    return markdown([*rows, *_without_goal(figures)])


def _without_goal(figures: Figures) -> Iterator[list[str]]:
    """Rows that have no goal: the price of strict checkpoints, how late another task is."""
    for name in ("push-10", "req-10"):
        usual, strict = figures.median(name, "triomq"), figures.median(name, "triomq-strict")
        if usual and strict:
            work = works.by_name(name)
            ratio = f"{strict / usual:.2f} × without"
            yield [f"{work.title}, with `strict_checkpoints=True`", _with_unit(work, strict), "", ratio]
    for work in works.WORKS:
        if work.watched is not None:
            for name in ("triomq", "triomq-strict"):
                figure = figures.entries.get((work.name, name))
                if figure is not None and figure.details:
                    late = [f"{each} {number(figure.details[each], work.unit)} µs" for each in ("p99.9", "worst")]
                    how = ", with `strict_checkpoints=True`" if name.endswith("strict") else ""
                    yield [f"{work.title.removesuffix('; p99.9')}{how}", "<br>".join(late), "", ""]


def _goal(goal: goals.Goal) -> str:
    sign = f"{goal.bound.value} {goal.factor:g}"
    if goal.theirs is None:
        return f"{sign} {works.by_name(goal.work).unit.value}"
    work, peer = goal.theirs
    if peer == goals.SUBJECT:
        return f"{sign} × {_short(works.by_name(work))}"
    if works.by_name(work).kind is Kind.IMPORT:
        return f"{sign} × `import {peers.load(peer).module}`"
    how = f", with {_TITLES[goal.subject].removeprefix('triomq, ')}" if goal.subject != goals.SUBJECT else ""
    return f"{sign} × {_TITLES[peer]}{', one by one' if goal.base else ''}{how}"


def _short(work: Work) -> str:
    return "with no idle ones" if work.kind is Kind.CROWD else "with one topic"


def _reached(verdict: goals.Verdict) -> str:
    value = "failed" if verdict.ratio is None else number(verdict.ratio, Unit.MICROSECONDS)
    return f"{value} {'✓' if verdict.reached else '✗'}"


def peer_table(figures: Figures, cell: Any) -> str:
    """A row for each usual work, a column for each peer that has a figure."""
    shown = [work for work in works.WORKS if any(key[0] == work.name for key in figures.entries)]
    names = [name for name in peers.NAMES if any((work.name, name) in figures.entries for work in shown)]
    rows = [["", *(_TITLES[name] for name in names)]]
    for work in shown:
        cells = [cell(work, figures.entries.get((work.name, name))) for name in names]
        if any(each != "—" for each in cells):
            rows.append([_title(work, cell), *cells])
    return markdown(rows)


def _title(work: Work, cell: Any) -> str:
    """The work, and of its median the unit."""
    return f"{work.title}, {work.unit.value}" if cell is _median else work.title.removesuffix("; p99.9")


def _median(work: Work, figure: Figure | None) -> str:
    return "—" if figure is None or figure.median is None else number(figure.median, work.unit)


def _processor(work: Work, figure: Figure | None) -> str:
    if figure is None or not figure.cpu:
        return "—"
    return " + ".join(number(figure.cpu[side], Unit.MICROSECONDS) for side in work.kind.sides if side in figure.cpu)


def price_table(figures: Figures) -> str:
    """What a checkpoint in every call costs."""
    rows = [["", "amortised", "strict", "strict ÷ amortised"]]
    for name in _PRICE:
        work = works.by_name(name)
        usual, strict = figures.median(name, "triomq"), figures.median(name, "triomq-strict")
        if usual and strict:
            rows.append([work.title, _with_unit(work, usual), _with_unit(work, strict), f"{strict / usual:.2f}"])
    return markdown(rows)


def wait_table(figures: Figures) -> str:
    """How late the other task was."""
    watched = [work for work in works.WORKS if work.watched is not None]
    *late, rate = watched[0].details
    rows = [["", "", *(f"{name}, µs" for name in late), rate]]
    for work in watched:
        beside = work.title.removeprefix("how late another task wakes up while ").removesuffix("; p99.9")
        for name in peers.NAMES:
            figure = figures.entries.get((work.name, name))
            if figure is not None and figure.details:
                details = [number(figure.details[each], Unit.MICROSECONDS) for each in late]
                rows.append([beside, _TITLES[name], *details, number(figure.details[rate], Unit.MESSAGES)])
    return markdown(rows)


def _picture(name: str, text: str) -> str:
    return f"```{{image}} {PICTURES.name}/{name}.svg\n:alt: {text}\n```"


def _machine(figures: Figures) -> str:
    found = figures.environment
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items() if version)
    return (
        f"Medians of {figures.rounds} rounds of about {figures.seconds:g} s each, on {found['cores']} cores,"
        f" {found['python']}, {versions}.\nWhere a unit is a time or KiB, less is better. A ratio is one of two medians"
        " of the same run."
    )
