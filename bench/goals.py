"""What triomq has to reach, as data. ``python -m bench --check`` fails when it does not."""

from __future__ import annotations

import enum
from collections.abc import Mapping

import attrs

SUBJECT = "triomq"
"""The peer that the goals are about."""


class Bound(enum.Enum):
    """Which side of the bound is good; the value is its sign."""

    AT_LEAST = "≥"
    AT_MOST = "≤"


@attrs.frozen
class Goal:
    """In this work, triomq's median is at least, or at most, `factor` times that of the peer `against`."""

    work: str
    bound: Bound
    factor: float
    against: str

    def __str__(self) -> str:
        return f"{self.work}: {SUBJECT} {self.bound.value} {self.factor:g} × {self.against}"


GOALS: tuple[Goal, ...] = (
    Goal("push-10", Bound.AT_LEAST, 0.35, "pyzmq"),
    Goal("push-10", Bound.AT_LEAST, 8.0, "zmq-anyio"),
    Goal("push-100k", Bound.AT_LEAST, 1.0, "pyzmq"),
    Goal("req-10", Bound.AT_MOST, 1.6, "trio-stream"),
)


@attrs.frozen
class Verdict:
    """A goal, and the ratio that was measured; None if one of the two has no figure."""

    goal: Goal
    ratio: float | None

    @property
    def reached(self) -> bool:
        """Whether the figures are there and good enough."""
        if self.ratio is None:
            return False
        return self.ratio >= self.goal.factor if self.goal.bound is Bound.AT_LEAST else self.ratio <= self.goal.factor

    def __str__(self) -> str:
        measured = "not measured" if self.ratio is None else f"{self.ratio:.2f}"
        return f"{'reached' if self.reached else 'MISSED '}  {self.goal}: {measured}"


Medians = Mapping[tuple[str, str], float | None]
"""By name of the work and of the peer; None where the measurement failed."""


def judge(medians: Medians) -> list[Verdict]:
    """The verdicts on all goals whose two measurements were asked for. A failed measurement is a missed goal."""
    verdicts = []
    for goal in GOALS:
        ours, theirs = (goal.work, SUBJECT), (goal.work, goal.against)
        if ours in medians and theirs in medians:
            mine, other = medians[ours], medians[theirs]
            verdicts.append(Verdict(goal, mine / other if mine and other else None))
    return verdicts
