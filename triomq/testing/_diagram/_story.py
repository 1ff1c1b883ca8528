"""From happenings to the items of a diagram."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import Final, final

import attrs

from .._recorder import FROM_LISTENER, THE_END, Happening, Kind
from ._flow import Flow
from ._items import Arrow, Fate, Item, Mark, MarkKind, Place, Span, SpanKind, Story

_ONE_WAY: Final = " > "  # in the text of a `Partition`
_ACTS = {"sent", "connecting", "accepted", "listening"}


@attrs.define
class _Attempt:
    start: Place
    source: str
    target: str
    label: str
    again: bool = False


@final
class Narrator:
    """Reads a record.

    Args:
      whole: the record has the run from its beginning.
    """

    def __init__(self, happenings: Iterable[Happening], *, whole: bool = True) -> None:
        self._whole = whole
        self._here = self._first = Place(0, 0.0)
        self._arrows: list[Arrow] = []
        self._marks: list[Mark] = []
        self._spans: list[Span] = []
        self._attempts: dict[int, _Attempt] = {}
        # By host: the time when attempts failed last, and the numbers of these attempts among the arrows.
        self._failed: dict[str, tuple[float, deque[int]]] = {}
        self._unknown: set[int] = set()  # orders of the happenings right behind a "no such host"
        self._flows: dict[tuple[int, str, str, str], Flow] = {}
        self._resets: dict[tuple[int, str, str], tuple[Place, str]] = {}
        self._begun: set[int] = set()
        self._dead: set[int] = set()
        self._open: dict[tuple[SpanKind, str, str], Place] = {}
        self._contexts: Counter[str] = Counter()
        self._ghosts: Counter[str] = Counter()  # contexts of crashed hosts, which are still to be closed
        self._tell = self._telling()
        shown = (happening for happening in happenings if happening.kind != "socket event")
        for order, happening in enumerate(shown):
            self._here = Place(order, happening.time)
            if not order:
                self._first = self._here
            if not whole and happening.kind in _ACTS:
                self._assume_context(happening.host)
            self._tell[happening.kind](happening)

    def story(self) -> Story:
        """Everything, in order; only once."""
        for attempt in self._attempts.values():
            self._arrows.append(_call(attempt, None, "under way"))
        for (connection, source, *_), flow in self._flows.items():
            flow.over(alive=connection not in self._dead and ("down", source, "") not in self._open)
        for (connection, source, target), (start, why) in self._resets.items():
            self._arrows.append(_reset(start, None, source, target, connection, why))
        for kind, host, groups in list(self._open):
            self._end_span(kind, host, groups, None)
        items: list[Item] = [*self._arrows, *self._marks]
        items.sort(key=lambda item: item.start.order)
        return Story(items=items, spans=self._spans, end=self._here)

    # --- how each kind is told ------------------------------------------------------------

    def _telling(self) -> dict[Kind, Callable[[Happening], None]]:
        return {
            "context opened": self._context_opened,
            "context closed": self._context_closed,
            "listening": lambda it: self._mark("listening", f"bind {it.text}", it),
            "listening stopped": self._listening_stopped,
            "no such host": self._no_such_host,
            "connecting": self._connecting,
            "connecting again": self._connecting_again,
            "established": partial(self._answered, "arrived"),
            "refused": partial(self._answered, "refused"),
            "gave up": self._gave_up,
            "accepted": _nothing,  # follows from what the host sends
            "sent": lambda it: self._flow(it).sent(self._here, it.data),
            "delivered": lambda it: self._flow(it).delivered(self._here, it.data),
            "lost": self._lost,
            "sent again": lambda it: self._flow(it).sent_again(self._here),
            "tried again": _nothing,  # its arrow says already that it is lost
            "probe sent": _nothing,  # no program sees it
            "end sent": lambda it: self._flow(it).end_sent(self._here),
            "end delivered": lambda it: self._flow(it).delivered(self._here, it.data),
            "reset sent": self._reset_sent,
            "reset delivered": self._reset_delivered,
            "timed out": self._timed_out,
            "closed": _nothing,  # follows from the end or the reset that it sends
            "partition": self._partition,
            "heal": self._heal,
            "cut": self._cut,
            "crash": self._crash,
            "restart": partial(self._span_ends, "down", "restart"),
            "pause": self._pause,
            "resume": partial(self._span_ends, "pause", "pause"),
            "link": self._link,
            "note": lambda it: self._mark("note", it.text, it),
            "failed": lambda it: self._mark("failed", f"✗ the test failed here: {it.text}", it),
            "retry planned": self._retry_planned,
            "handshake failed": lambda it: self._mark("trouble", f"handshake failed: {it.text}", it),
            "disconnected": lambda it: self._mark("trouble", f"disconnected: {it.text}", it),
            "dropped": lambda it: self._mark("dropped", it.text, it),
            "socket event": _nothing,  # what the network does shows it
        }

    def _mark(self, kind: MarkKind, label: str, it: Happening, concerns: tuple[str, ...] = ()) -> None:
        host = "" if concerns else it.host
        self._marks.append(Mark(start=self._here, kind=kind, label=label, host=host, concerns=concerns))

    # --- what lasts -----------------------------------------------------------------------

    def _end_span(self, kind: SpanKind, host: str, groups: str, stop: Place | None) -> None:
        start = self._open.pop((kind, host, groups), None)
        if start is None:
            return
        if kind == "partition":
            for number, group in enumerate(_shaded(groups)):
                for name in group.split():
                    self._spans.append(Span(start=start, stop=stop, kind=kind, host=name, group=number))
        else:
            self._spans.append(Span(start=start, stop=stop, kind=kind, host=host))

    def _context_opened(self, it: Happening) -> None:
        self._contexts[it.host] += 1
        self._open.setdefault(("context", it.host, ""), self._here)

    def _context_closed(self, it: Happening) -> None:
        if self._ghosts[it.host]:
            self._ghosts[it.host] -= 1
            return
        if not self._whole:
            self._assume_context(it.host)
        self._contexts[it.host] -= 1
        if not self._contexts[it.host]:
            self._end_span("context", it.host, "", self._here)

    def _assume_context(self, host: str) -> None:
        """A host that does something had a context before the record begins."""
        if not self._contexts[host] and ("down", host, "") not in self._open:
            self._contexts[host] = 1
            self._open["context", host, ""] = self._first

    def _crash(self, it: Happening) -> None:
        self._mark("crash", f"crash ({it.text})", it)
        self._ghosts[it.host] += self._contexts.pop(it.host, 0)
        self._end_span("context", it.host, "", self._here)
        self._end_span("pause", it.host, "", self._here)
        self._open["down", it.host, ""] = self._here

    def _pause(self, it: Happening) -> None:
        self._mark("pause", "pause", it)
        self._open["pause", it.host, ""] = self._here

    def _span_ends(self, span: SpanKind, mark: MarkKind, it: Happening) -> None:
        self._mark(mark, it.kind, it)
        self._end_span(span, it.host, "", self._here)

    def _partition(self, it: Happening) -> None:
        self._mark("partition", f"partition{_way(it.text)}: {it.text}", it, _names(it.text))
        self._open.setdefault(("partition", "", it.text), self._here)

    def _heal(self, it: Happening) -> None:
        self._mark("partition", f"heal{_way(it.text)}: {it.text}", it, _names(it.text))
        self._end_span("partition", "", it.text, self._here)

    def _link(self, it: Happening) -> None:
        label, back = f"link {it.host} > {it.peer}: {it.text}", f"link {it.peer} > {it.host}: {it.text}"
        if self._marks and self._marks[-1].label == back and self._marks[-1].start.order == self._here.order - 1:
            both = f"link {it.peer} - {it.host}: {it.text}"
            self._marks[-1] = attrs.evolve(self._marks[-1], label=both)
        else:
            self._mark("note", label, it, (it.host, it.peer))

    def _listening_stopped(self, it: Happening) -> None:
        if ("down", it.host, "") not in self._open:  # or the crash has told it
            self._mark("listening", f"unbind {it.text}", it)

    # --- connecting -----------------------------------------------------------------------

    def _no_such_host(self, it: Happening) -> None:
        self._mark("trouble", it.text, it)
        self._unknown.add(self._here.order + 1)

    def _connecting(self, it: Happening) -> None:
        self._begun.add(it.connection)
        self._attempts[it.connection] = _Attempt(self._here, it.host, it.peer, f"connect {it.text}")

    def _connecting_again(self, it: Happening) -> None:
        if attempt := self._attempts.get(it.connection):
            attempt.start, attempt.again = self._here, True

    def _answered(self, fate: Fate, it: Happening) -> None:
        if attempt := self._attempts.pop(it.connection, None):
            if fate == "refused":
                if self._failed.get(it.host, (-1.0,))[0] != it.time:
                    self._failed[it.host] = it.time, deque()
                self._failed[it.host][1].append(len(self._arrows))
            self._arrows.append(_call(attempt, self._here, fate, it.connection))

    def _gave_up(self, it: Happening) -> None:
        self._attempts.pop(it.connection, None)
        self._mark("trouble", f"gave up connecting to {it.peer}", it)

    def _retry_planned(self, it: Happening) -> None:
        if self._here.order in self._unknown:  # "no such host" says enough, and in the same words: so the rows fold
            return
        time, failed = self._failed.get(it.host, (0.0, deque()))
        if failed and time == it.time:
            number = failed.popleft()
            again = it.text.partition(":")[0]
            self._arrows[number] = attrs.evolve(self._arrows[number], outcome=f"refused, {again}")
        else:
            self._mark("trouble", f"not connected, {it.text}", it)

    # --- what travels ---------------------------------------------------------------------

    def _flow(self, it: Happening) -> Flow:
        key = (it.connection, it.host, it.peer, FROM_LISTENER if FROM_LISTENER in it.text else "")
        if key not in self._flows:
            whole = self._whole or it.connection in self._begun
            self._flows[key] = Flow(it.host, it.peer, it.connection, self._arrows, whole=whole)
        return self._flows[key]

    def _lost(self, it: Happening) -> None:
        if attempt := self._attempts.get(it.connection):
            self._arrows.append(_call(attempt, self._here, "lost", it.connection))
        elif it.data or THE_END in it.text:  # and not what no program sees
            self._flow(it).lost(self._here)

    def _reset_sent(self, it: Happening) -> None:
        self._resets[it.connection, it.host, it.peer] = self._here, it.text.replace(FROM_LISTENER, "")

    def _reset_delivered(self, it: Happening) -> None:
        self._dead.add(it.connection)
        if sent := self._resets.pop((it.connection, it.peer, it.host), None):
            start, why = sent
            self._arrows.append(_reset(start, self._here, it.peer, it.host, it.connection, why))
        else:
            self._mark("reset", "connection reset", it)

    def _timed_out(self, it: Happening) -> None:
        self._dead.add(it.connection)
        self._mark("reset", f"connection to {it.peer} timed out", it)

    def _cut(self, it: Happening) -> None:
        self._mark("reset", f"cut {it.host} - {it.peer}: {it.text}", it, (it.host, it.peer))


def _nothing(it: Happening) -> None:
    """Something else tells this."""


def _names(groups: str) -> tuple[str, ...]:
    return tuple(name for group in _groups(groups) for name in group.split())


def _groups(text: str) -> list[str]:
    """The groups of a `Partition`, from its text."""
    return text.removesuffix(f"{_ONE_WAY}all others").replace(_ONE_WAY, " | ").split(" | ")


def _shaded(text: str) -> list[str]:
    """The groups that a partition cuts off; in one direction, only the one that sends in vain."""
    return _groups(text)[:1] if _ONE_WAY in text else _groups(text)


def _way(text: str) -> str:
    return ", one way" if _ONE_WAY in text else ""


def _call(attempt: _Attempt, stop: Place | None, fate: Fate, connection: int = 0) -> Arrow:
    return Arrow(
        start=attempt.start,
        stop=stop,
        source=attempt.source,
        target=attempt.target,
        kind="connect",
        label=attempt.label,
        fate=fate,
        connection=connection,
        again=attempt.again,
        outcome="refused" if fate == "refused" else "",
        turn=fate in ("arrived", "refused"),
    )


def _reset(start: Place, stop: Place | None, source: str, target: str, connection: int, why: str) -> Arrow:
    return Arrow(
        start=start,
        stop=stop,
        source=source,
        target=target,
        kind="reset",
        label="reset",
        fate="lost" if stop is None else "arrived",
        connection=connection,
        more=why,
    )
