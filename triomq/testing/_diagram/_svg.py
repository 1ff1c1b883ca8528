"""A diagram as a picture: SVG that stands alone.

The picture brings its own background, so that it can be read on a dark page too. Each arrow and mark has a ``title``,
which says more to a reader who points at it.
"""

from __future__ import annotations

from typing import Final
from xml.sax.saxutils import escape, quoteattr

from .._times import show_gap, show_time, time_digits
from ._items import Arrow, Mark, Span
from ._layout import HALF_BAR, HEAD, LONGEST_MARK, Layout, cut, head_half, label_of
from ._rows import Fold, Sheet
from ._style import LEGEND, STYLE, group_class
from ._text import one_line

_STRIP: Final = 30.0  # pixels: half the width of the shade around a host that is paused or cut off


def draw_svg(sheet: Sheet, title: str) -> str:
    """Draw a sheet."""
    return _Drawing(sheet, title).svg()


def _text(x: float, y: float, words: str, style: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{style}" text-anchor="{anchor}">{escape(one_line(words))}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{style}"/>'


def _cross(x: float, y: float, size: float = 5.0, style: str = "cross") -> str:
    return (
        f'<path class="{style}" d="M{x - size:.1f} {y - size:.1f}l{2 * size:.1f} {2 * size:.1f}'
        f'm0 {-2 * size:.1f}l{-2 * size:.1f} {2 * size:.1f}"/>'
    )


def _head(x: float, y: float, dx: float, dy: float) -> str:
    """An arrow's head with its point at (x, y), for a line that comes along (dx, dy)."""
    length = (dx * dx + dy * dy) ** 0.5 or 1.0
    ux, uy = dx / length, dy / length
    bx, by = x - 9 * ux, y - 9 * uy
    return (
        f'<path class="head" d="M{x:.1f} {y:.1f}L{bx - 3.8 * uy:.1f} {by + 3.8 * ux:.1f}'
        f'L{bx + 3.8 * uy:.1f} {by - 3.8 * ux:.1f}Z"/>'
    )


class _Drawing:
    def __init__(self, sheet: Sheet, title: str) -> None:
        self._sheet = sheet
        self._title = title
        self._above = 16 + (24 if title else 0) + 17 * len(sheet.notes)
        self._at = Layout(sheet, self._above)
        self._digits = time_digits(row.start.time for row in sheet.rows)
        self._words: list[str] = []  # drawn above all lines
        self._seen: set[str] = set()  # the keys that the legend must explain

    def svg(self) -> str:
        at = self._at
        body = [
            *self._spans("partition"), *self._spans("pause"), *self._guides(), *self._lifelines(),
            *self._spans("context"), *self._breaks(), *self._rows(), *self._folds(), *self._words, *self._heads(),
        ]  # fmt: skip
        width = max(at.width, 420.0)
        legend, height = self._legend(at.bottom + HEAD + 26, width)
        name = self._title or "sequence diagram"
        return "\n".join([
            f'<svg xmlns="http://www.w3.org/2000/svg" class="triomq-diagram" width="{width:.0f}" height="{height:.0f}" '
            f'viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label={quoteattr(one_line(name))}>',
            STYLE,
            f'<rect class="paper" x="0.5" y="0.5" width="{width - 1:.0f}" height="{height - 1:.0f}" rx="8"/>',
            *self._words_above(),
            *body,
            *legend,
            "</svg>\n",
        ])  # fmt: skip

    def _words_above(self) -> list[str]:
        parts = [_text(20, 28, self._title, "title")] if self._title else []
        y = 28 if self._title else 4
        for note in self._sheet.notes:
            y += 17
            parts.append(_text(20, y, note, "note"))
        return parts

    # --- what lies below ------------------------------------------------------------------

    def _spans(self, kind: str) -> list[str]:
        return [self._span(span) for span in self._sheet.spans if span.kind == kind]

    def _span(self, span: Span) -> str:
        at = self._at
        self._seen.add(span.kind)
        begin = at.top if span.start.order < self._sheet.start.order else at.y(span.start)
        cut_off = span.stop is None or span.stop.order > self._sheet.end.order
        end = max(at.bottom if cut_off else at.y(span.stop), begin + 4)
        half = HALF_BAR if span.kind == "context" else _STRIP
        stop = "the end" if span.stop is None else f"{show_time(span.stop.time, self._digits)} s"
        words = f"{span.host}: {_SPANS[span.kind]}, {show_time(span.start.time, self._digits)} s to {stop}"
        style = group_class(span.group) if span.kind == "partition" else span.kind
        return (
            f'<rect class="span {style}" data-host={quoteattr(span.host)} x="{at.x[span.host] - half:.1f}" '
            f'y="{begin:.1f}" width="{2 * half:.1f}" height="{end - begin:.1f}"><title>{escape(words)}</title></rect>'
        )

    def _guides(self) -> list[str]:
        parts = [_text(78, self._above + 20, "seconds", "time", "end")]
        before = ""
        for index, row in enumerate(self._sheet.rows):
            time = show_time(row.start.time, self._digits)
            if before != time:
                y = self._at.row_y[index]
                parts.append(_line(84, y, self._at.right + 40, y, "guide"))
                parts.append(_text(78, y + 4, time, "time", "end"))
            before = time
        return parts

    def _lifelines(self) -> list[str]:
        at = self._at
        parts = [_line(x, at.top, x, at.bottom, "life") for x in at.x.values()]
        for span in self._sheet.spans:
            if span.kind == "down":
                x = at.x[span.host]
                begin = at.top if span.start.order < self._sheet.start.order else at.y(span.start)
                end = max(at.y(span.stop), begin)
                parts += [_line(x, begin, x, end, "gone"), _line(x, begin, x, end, "down")]
                self._seen.add("down")
        return parts

    def _breaks(self) -> list[str]:
        at = self._at
        parts = []
        for start, end, gap in at.breaks:
            middle = (start + end) / 2
            parts.append(f'<g class="break"><title>nothing happens for {gap}</title>')
            parts.append(_text(78, middle + 4, f"⋮ {gap}", "gap", "end"))
            for x in at.x.values():
                parts.append(_line(x, start + 6, x, end - 6, "gone"))
                parts.append(
                    f'<path class="slash" d="M{x - 6:.1f} {start + 9:.1f}l12 -6m-12 {end - start - 9:.1f}l12 -6"/>'
                )
            parts.append("</g>")
            self._seen.add("break")
        return parts

    def _folds(self) -> list[str]:
        parts = []
        for index, row in enumerate(self._sheet.rows):
            if isinstance(row, Fold):
                xs = [self._at.x[host] for host in row.hosts if host in self._at.x]
                y = self._at.row_y[index]
                words = f"{row.label}, until {show_time(row.stop.time, self._digits)}"
                left, right = min(xs) - 12, max(max(xs) + 12, min(xs) + 12 + 7.3 * len(words))
                parts.append(
                    f'<g class="fold"><rect x="{left:.1f}" y="{y - 13:.1f}" width="{right - left:.1f}" height="18" '
                    f'rx="9"/>{_text((left + right) / 2, y, "⋮ " + words, "folded", "middle")}</g>'
                )
                self._seen.add("fold")
        return parts

    # --- what happens ---------------------------------------------------------------------

    def _rows(self) -> list[str]:
        parts = []
        for index, row in enumerate(self._sheet.rows):
            if isinstance(row, Arrow):
                parts.append(self._arrow(index, row))
            elif isinstance(row, Mark):
                parts.append(self._mark(index, row))
        return parts

    def _arrow(self, index: int, arrow: Arrow) -> str:
        y1, y2 = self._at.arrow_ends(index, arrow)
        x1, x2 = self._at.x[arrow.source], self._at.x[arrow.target]
        self._seen.update((arrow.kind, arrow.fate))
        if arrow.again:
            self._seen.add("again")
        label = cut(label_of(arrow), self._at.room(arrow))
        if arrow.source == arrow.target:
            shape = self._loop(arrow, x1, y1, y2)
            words = _text(x1 + 44, y1 + 4, label, "label")
        else:
            way = 1 if x2 > x1 else -1
            shape = self._straight(arrow, x1 + way * HALF_BAR, y1, x2 - way * HALF_BAR, y2, self._at.short_of(arrow))
            words = _text(x1 + way * 14, y1 - 5, label, "label", "start" if way > 0 else "end")
        style = f"{arrow.kind} {arrow.fate.replace(' ', '-')}{' again' if arrow.again else ''}"
        told = f"<title>{escape(self._told(arrow))}</title>"
        self._words.append(f'<g class="{style}">{told}{words}</g>')
        return (
            f'<g class="arrow {style}" data-source={quoteattr(arrow.source)} data-target={quoteattr(arrow.target)} '
            f'data-connection="{arrow.connection}" data-units="{arrow.stands_for}">{told}{shape}</g>'
        )

    @staticmethod
    def _straight(arrow: Arrow, x1: float, y1: float, x2: float, y2: float, short: float) -> str:
        if arrow.turn:
            middle = (y1 + y2) / 2
            end = _cross(x2, middle) if arrow.fate == "refused" else _head(x2, middle, x2 - x1, middle - y1)
            return (
                _line(x1, y1, x2, middle, "line") + end
                + _line(x2, middle, x1, y2, "line back") + _head(x1, y2, x1 - x2, y2 - middle)
            )  # fmt: skip
        if arrow.fate == "arrived":
            return _line(x1, y1, x2, y2, "line") + _head(x2, y2, x2 - x1, y2 - y1)
        x, y = short, y1 + (y2 - y1) * (short - x1) / (x2 - x1)
        if arrow.fate == "under way":
            way = 8 if x2 > x1 else -8
            dots = "".join(f'<circle class="head" cx="{x + way * n:.1f}" cy="{y:.1f}" r="1.6"/>' for n in (1, 2, 3))
            return _line(x1, y1, x, y, "line") + dots
        return _line(x1, y1, x, y, "line") + _cross(x, y)

    @staticmethod
    def _loop(arrow: Arrow, x: float, y1: float, y2: float) -> str:
        x += HALF_BAR
        path = f'<path class="line" d="M{x:.1f} {y1:.1f}h30V{y2:.1f}h-30"/>'
        return path + (_head(x, y2, -1, 0) if arrow.fate == "arrived" else _cross(x + 30, (y1 + y2) / 2))

    def _told(self, arrow: Arrow) -> str:
        words = [f"{arrow.source} → {arrow.target}", label_of(arrow)]
        if arrow.stands_for > 1:
            words.append(f"{arrow.stands_for:,} units")
        words += [arrow.more] if arrow.more else []
        words.append(f"sent{' again' if arrow.again else ''} at {show_time(arrow.start.time, 6)} s")
        if arrow.stop is not None and arrow.fate != "held":
            end = {"arrived": "arrived", "lost": "lost", "refused": "refused"}.get(arrow.fate, arrow.fate)
            words.append(f"{end} at {show_time(arrow.stop.time, 6)} s")
            words.append(f"after {show_gap(arrow.stop.time - arrow.start.time)}")
        else:
            words.append({"held": "held back: what was sent before has not arrived"}.get(arrow.fate, arrow.fate))
        if arrow.connection:
            words.append(f"connection {arrow.connection}")
        return "\n".join(map(one_line, words))

    def _mark(self, index: int, mark: Mark) -> str:
        at, y = self._at, self._at.row_y[index]
        self._seen.add("said" if mark.kind in ("dropped", "trouble") else mark.kind)
        told = "\n".join((one_line(mark.label), f"at {show_time(mark.start.time, 6)} s"))
        label = cut(mark.label, LONGEST_MARK)
        if not mark.host:
            shape = _line(at.left - 40, y, max(at.right + 40, at.left + 60), y, "rule")
            words = _text(at.left + 12, y - 5, label, "label")
        else:
            x = at.x[mark.host]
            shape = _cross(x, y, 8, "cross big") if mark.kind == "crash" else _dot(x, y, mark.kind)
            words = _text(x + 14, y + 4, label, "label")
        title = f"<title>{escape(told)}</title>"
        self._words.append(f'<g class="{mark.kind}">{title}{words}</g>')
        return f'<g class="mark {mark.kind}" data-host={quoteattr(mark.host)}>{title}{shape}</g>'

    def _heads(self) -> list[str]:
        parts = []
        for host, x in self._at.x.items():
            half = head_half(host)
            for y in (self._at.top - HEAD, self._at.bottom):
                box = f'x="{x - half:.1f}" y="{y:.1f}" width="{2 * half:.1f}" height="{HEAD - 4:.0f}" rx="5"'
                parts += ['<g class="host">', f"<rect {box}/>", _text(x, y + 17, host, "name", "middle"), "</g>"]
        return parts

    def _legend(self, y: float, width: float) -> tuple[list[str], float]:
        parts = ['<g class="legend">']
        x = 20.0
        for key, sample, words in LEGEND:
            if key not in self._seen:
                continue
            needs = 44 + 6.4 * len(words) + 18
            if x + needs > width - 10 and x > 20:
                x, y = 20.0, y + 20
            parts.append(f'<g transform="translate({x:.0f} {y:.0f})">{sample}{_text(42, 4, words, "key")}</g>')
            x += needs
        return [*parts, "</g>"], y + 20


_SPANS: Final = {
    "context": "a context is open",
    "down": "down",
    "pause": "paused",
    "partition": "cut off by a partition",
}


def _dot(x: float, y: float, kind: str) -> str:
    if kind == "listening":
        return f'<path class="dot" d="M{x - 5:.1f} {y:.1f}l5 -5l5 5l-5 5z"/>'
    return f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="4.5"/>'
