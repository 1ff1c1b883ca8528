"""The guard: ratios of this run beside those of the committed table.

A ratio has noise from four medians: ours and theirs, then and now. The spread of each is half of what lies between
its quartiles, as a share of the median; for a bell curve that is 0.67 standard deviations. The median of seven samples
is known to half a standard deviation, which is 0.7 spreads; so the ratio of ratios is known to 0.7 times the root of
the sum of the four squared spreads. Twice that would be exceeded by chance in one of twenty comparisons; we allow
nearly three times that, for there are many comparisons and a failure has to mean something. At least 15 % are allowed,
which is what quiet runs on another day differ by; and never more than half, or noise could hide everything.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import attrs

from . import works
from .figures import Figure, Figures
from .goals import GOALS, SUBJECT

FLOOR = 0.15
CEILING = 0.5
_SPREADS = 2.0


@attrs.frozen
class Pair:
    """A figure of triomq and the one it is compared with, each as work and peer; None for a figure on its own."""

    ours: tuple[str, str]
    theirs: tuple[str, str] | None

    def __str__(self) -> str:
        if self.theirs is None:
            return self.ours[0]
        work, peer = self.theirs
        return f"{self.ours[0]} ÷ {peer}" + ("" if work == self.ours[0] else f" at {work}")


def pairs() -> list[Pair]:
    """What the goals compare, and every usual work beside pyzmq."""
    found = {Pair(goal.ours, goal.theirs): None for goal in GOALS}
    found |= {Pair((work.name, SUBJECT), (work.name, "pyzmq")): None for work in works.WORKS}
    return list(found)


@attrs.frozen
class Comparison:
    """One pair, then and now.

    Attributes:
      before, now: the ratio; None if a measurement failed.
      allowed: by what share it may have become worse.
      lower_is_better: whether a greater ratio is worse.
    """

    pair: Pair
    before: float
    now: float | None
    allowed: float
    lower_is_better: bool

    @property
    def drop(self) -> float:
        """By what share it has become worse; negative if it is better."""
        if self.now is None:
            return 1.0
        return 1 - (self.before / self.now if self.lower_is_better else self.now / self.before)

    @property
    def failed(self) -> bool:
        """Whether that is more than noise."""
        return self.drop > self.allowed

    def __str__(self) -> str:
        now = "failed" if self.now is None else f"{self.now:.3g}"
        change = f"{'worse' if self.drop > 0 else 'better'} by {abs(self.drop):.0%}, {self.allowed:.0%} allowed"
        return f"{'DROPPED' if self.failed else 'kept   '}  {self.pair}: {self.before:.3g} then, {now} now; {change}"


def noise(*figures: Figure) -> float:
    """By what share a ratio may differ between two runs of the same program; from the medians that it is made of."""
    return min(CEILING, max(FLOOR, _SPREADS * math.sqrt(sum(figure.spread**2 for figure in figures))))


def compare(committed: Figures, measured: Figures) -> Iterator[Comparison]:
    """All pairs that both have; a measurement that was tried now and has failed counts as measured."""
    for pair in pairs():
        keys = [pair.ours] if pair.theirs is None else [pair.ours, pair.theirs]
        if not all(key in committed.entries and key in measured.entries for key in keys):
            continue
        then, now = [committed.entries[key] for key in keys], [measured.entries[key] for key in keys]
        before = _ratio(then)
        if before is not None:
            lower = works.by_name(pair.ours[0]).unit.lower_is_better
            yield Comparison(pair, before, _ratio(now), noise(*then, *now), lower)


def _ratio(figures: list[Figure]) -> float | None:
    ours, *others = (figure.median for figure in figures)
    theirs = others[0] if others else 1.0
    return ours / theirs if ours and theirs else None
