"""What triomq has to reach, as data. Each run ends with a verdict on the goals whose figures it has."""

from __future__ import annotations

import enum
from collections.abc import Mapping

import attrs

SUBJECT = "triomq"
"""The peer that the goals are about, but for those that name another."""


class Bound(enum.Enum):
    """Which side of the bound is good; the value is its sign."""

    AT_LEAST = "≥"
    AT_MOST = "≤"


@attrs.frozen
class Goal:
    """In this work, the subject's median is at least, or at most, `factor` times another.

    Attributes:
      work: what the subject does.
      factor: a ratio; or the figure itself, in the work's unit, if there is nothing it is compared with.
      against: the peer whose median is the other one; None if there is none.
      base: the work of the other one; the same if None.
      subject: the peer that is judged.
    """

    work: str
    bound: Bound
    factor: float
    against: str | None
    base: str | None = None
    subject: str = SUBJECT

    def __str__(self) -> str:
        return f"{self.work}: {self.subject} {self.bound.value} {self.factor:g}{self.of}"

    @property
    def of(self) -> str:
        """What the factor is a multiple of, as it is printed."""
        if self.against is None:
            return ""
        return f" × {self.against}" + (f" at {self.base}" if self.base else "")

    @property
    def ours(self) -> tuple[str, str]:
        """Work and peer of the figure that is judged."""
        return self.work, self.subject

    @property
    def theirs(self) -> tuple[str, str] | None:
        """Work and peer of the figure it is compared with."""
        return None if self.against is None else (self.base or self.work, self.against)


_MORE, _LESS = Bound.AT_LEAST, Bound.AT_MOST

GOALS: tuple[Goal, ...] = (
    Goal("push-10", _MORE, 0.9, "pyzmq"),
    Goal("push-10", _MORE, 8.0, "pyzmq-asyncio"),
    Goal("push-10", _MORE, 20.0, "zmq-anyio"),
    Goal("push-many-10", _MORE, 2.0, "pyzmq", base="push-10"),
    Goal("push-1k", _MORE, 1.3, "pyzmq"),
    Goal("push-10k", _MORE, 1.5, "pyzmq"),
    Goal("push-100k", _MORE, 1.5, "pyzmq"),
    Goal("push-1m", _MORE, 1.5, "pyzmq"),
    Goal("push-mixed", _MORE, 0.7, "pyzmq"),
    Goal("push-5x10", _MORE, 5.0, "pyzmq"),
    Goal("req-10", _LESS, 0.83, "pyzmq"),
    Goal("req-10", _LESS, 1.03, "trio-stream"),
    Goal("req-10", _LESS, 0.6, "trio-stream", subject="triomq-polling"),
    Goal("router-100", _MORE, 1.3, "pyzmq"),
    Goal("router-100", _MORE, 5.0, "pyzmq-asyncio"),
    Goal("pub-to-100", _MORE, 0.3, "pyzmq"),
    Goal("pub-many-to-100", _MORE, 1.0, "pyzmq", base="pub-to-100"),
    Goal("fan-100", _MORE, 1.0, "pyzmq"),
    Goal("subs-100k", _LESS, 2.0, SUBJECT, base="subs-1"),
    Goal("inproc-10", _MORE, 5.0, "trio-channel"),
    Goal("inproc-10", _MORE, 0.75, "pyzmq"),
    Goal("inproc-many-10", _MORE, 2.0, "pyzmq", base="inproc-10"),
    Goal("threads-10", _MORE, 1.0, "pyzmq"),
    Goal("threads-many-10", _MORE, 2.0, "pyzmq", base="threads-10"),
    Goal("proxy-10x3", _MORE, 0.8, "pyzmq"),
    Goal("curve-10k", _MORE, 0.7, "pyzmq"),
    Goal("curve-handshakes", _LESS, 2.0, "pyzmq"),
    Goal("memory-5000", _LESS, 12.0, None),
    # "No measurable cost": a tenth is what the medians of two equal works differ by now and then.
    Goal("idle-5000", _LESS, 1.1, SUBJECT, base="idle-0"),
    Goal("import", _LESS, 1.25, "trio-stream"),
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
    """The verdicts on all goals whose measurements were asked for. A failed measurement is a missed goal."""
    verdicts = []
    for goal in GOALS:
        asked = [goal.ours] if goal.theirs is None else [goal.ours, goal.theirs]
        if all(each in medians for each in asked):
            mine, *others = (medians[each] for each in asked)
            other = others[0] if others else 1.0
            verdicts.append(Verdict(goal, mine / other if mine and other else None))
    return verdicts
