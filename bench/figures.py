"""The figures of a run, as they are kept in ``figures.json``: the committed table."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import attrs

from . import works
from .harness import Series, Settings

FILE = Path(__file__).with_name("figures.json")
_CHANGES = "load"
"""The part of the environment that is another one each time."""


def _rounded(value: float) -> float:
    """Five digits that count: more than any measurement has, and a file that can be read."""
    return float(f"{value:.5g}")


def quartiles(values: list[float]) -> tuple[float, float]:
    """The first and the third; of a single value, twice that."""
    if len(values) < 2:
        return values[0], values[0]
    first, _, third = statistics.quantiles(values, n=4, method="inclusive")
    return first, third


@attrs.frozen(kw_only=True)
class Figure:
    """What is known of one peer at one work, in the work's unit; `median` is None if each measurement failed."""

    median: float | None
    low: float = 0.0
    high: float = 0.0
    cpu: dict[str, float] = attrs.field(factory=dict)
    details: dict[str, float] = attrs.field(factory=dict)

    @classmethod
    def of(cls, series: Series) -> Figure:
        """The figure of a series."""
        if series.median is None:
            return cls(median=None)
        low, high = quartiles(series.figures)
        cpu = {side: used for side in series.work.kind.sides if (used := series.cpu(side)) is not None}
        names = dict.fromkeys(name for sample in series.samples for name in sample.details)
        details = {name: value for name in names if (value := series.detail(name)) is not None}
        return cls(
            median=_rounded(series.median),
            low=_rounded(low),
            high=_rounded(high),
            cpu={side: _rounded(used) for side, used in cpu.items()},
            details={name: _rounded(value) for name, value in details.items()},
        )

    @property
    def spread(self) -> float:
        """Half of what lies between the quartiles, as a share of the median."""
        return (self.high - self.low) / 2 / self.median if self.median else 0.0


@attrs.frozen(kw_only=True)
class Figures:
    """All of a run, by name of the work and of the peer."""

    environment: Mapping[str, Any]
    rounds: int
    seconds: float
    entries: Mapping[tuple[str, str], Figure]

    @classmethod
    def of(cls, environment: Mapping[str, Any], settings: Settings, results: Iterable[Series]) -> Figures:
        """The figures of what was measured."""
        entries = {(series.work.name, series.peer): Figure.of(series) for series in results}
        return cls(environment=environment, rounds=settings.rounds, seconds=settings.seconds, entries=entries)

    @classmethod
    def load(cls, path: Path = FILE) -> Figures | None:
        """Read the file, if it is there."""
        if not path.exists():
            return None
        found = json.loads(path.read_text(encoding="utf-8"))
        entries = {
            (work, peer): Figure(**fields) for work, row in found.pop("works").items() for peer, fields in row.items()
        }
        return cls(**found, entries=entries)

    def save(self, path: Path = FILE) -> None:
        """Write the file."""
        rows: dict[str, dict[str, Any]] = {}
        for (work, peer), figure in self.entries.items():
            rows.setdefault(work, {})[peer] = attrs.asdict(figure)
        found = {"environment": dict(self.environment), "rounds": self.rounds, "seconds": self.seconds, "works": rows}
        path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    def median(self, work: str, peer: str) -> float | None:
        """The median, if there is one."""
        figure = self.entries.get((work, peer))
        return None if figure is None else figure.median

    def same_environment(self, other: Figures) -> bool:
        """Whether both are of machines and versions that are the same, as far as we know."""
        mine, theirs = dict(self.environment), dict(other.environment)
        mine.pop(_CHANGES, None)
        theirs.pop(_CHANGES, None)
        return mine == theirs

    def over(self, older: Figures | None) -> Figures:
        """These figures, and those of an older run for works that were not measured now.

        Works that take turns are replaced together, for only what was measured in one run can be compared. What was
        measured elsewhere, or with other versions, does not stay.
        """
        if older is None or not self.same_environment(older):
            return self
        measured = {_group(work) for work, _ in self.entries}
        kept = {key: figure for key, figure in older.entries.items() if _group(key[0]) not in measured}
        order = {work.name: number for number, work in enumerate(works.ALL)}
        together = sorted({**kept, **self.entries}.items(), key=lambda item: order.get(item[0][0], len(order)))
        return attrs.evolve(self, entries=dict(together))


def _group(work: str) -> str:
    found = next((each for each in works.ALL if each.name == work), None)
    return work if found is None else found.group or work
