"""The works: what is measured, in which unit, and which peer function does it."""

from __future__ import annotations

import enum
from collections.abc import Iterable

import attrs

PUBLISH_BATCH = 100
"""Publications of one topic between two acknowledgements; see `bench.fanout`."""


class Unit(enum.Enum):
    """What a figure is; the value is how it is printed."""

    MESSAGES = "messages/s"
    MEGABYTES = "MB/s"
    MICROSECONDS = "µs"

    @property
    def lower_is_better(self) -> bool:
        """Whether a small figure is a good one."""
        return self is Unit.MICROSECONDS


class Kind(enum.Enum):
    """One pair of functions in each peer. The value is the side that measures: it prints the result."""

    PUSH = ("push", "bind")
    MULTIPART = ("multipart", "bind")
    MANY = ("many", "bind")
    INPROC = ("inproc", "bind")
    REQUEST = ("request", "connect")
    ROUTER = ("router", "connect")
    PUBLISH = ("publish", "connect")

    @property
    def measuring_side(self) -> str:
        """``"bind"`` or ``"connect"``."""
        return self.value[1]

    @property
    def sides(self) -> tuple[str, ...]:
        """The processes of this kind of work."""
        return ("bind",) if self is Kind.INPROC else ("bind", "connect")


@attrs.frozen(kw_only=True)
class Work:
    """One thing to measure.

    Attributes:
      size: octets of each frame.
      frames: frames of each message.
      first_count: messages of the first calibration run, from the slowest peer's point of view.
      max_count: most messages of one measurement; bounds time and what unread queues may take.
      in_flight: requests without a reply at one time.
      subscribers: receiving sockets.
      step: counts are multiples of this.
      compare_with: the work whose peers are the references of this one; its own if None.
    """

    name: str
    kind: Kind
    title: str
    unit: Unit = Unit.MESSAGES
    size: int = 10
    frames: int = 1
    first_count: int = 5_000
    max_count: int = 3_000_000
    in_flight: int = 1
    subscribers: int = 1
    step: int = 1
    compare_with: str | None = None

    def figure(self, count: int, seconds: float) -> float:
        """What `count` messages in `seconds` are in this work's unit."""
        if self.unit is Unit.MICROSECONDS:
            return seconds / count * 1e6
        if self.unit is Unit.MEGABYTES:
            return count * self.size * self.frames / seconds / 1e6
        return count / seconds

    def clamp(self, count: float) -> int:
        """The nearest count this work may be run with."""
        low = max(2 * self.in_flight, 2 * self.step, 20)
        return int(min(max(count, low), self.max_count)) // self.step * self.step


WORKS: tuple[Work, ...] = (
    Work(name="push-10", kind=Kind.PUSH, title="PUSH → PULL, 10 B"),
    Work(name="push-1k", kind=Kind.PUSH, title="PUSH → PULL, 1 kB", size=1_000),
    Work(name="push-10k", kind=Kind.PUSH, title="PUSH → PULL, 10 kB", size=10_000, unit=Unit.MEGABYTES),
    Work(
        name="push-100k", kind=Kind.PUSH, title="PUSH → PULL, 100 kB",
        size=100_000, unit=Unit.MEGABYTES, first_count=500, max_count=100_000,
    ),
    Work(
        name="push-1m", kind=Kind.PUSH, title="PUSH → PULL, 1 MB",
        size=1_000_000, unit=Unit.MEGABYTES, first_count=100, max_count=6_000,
    ),
    Work(name="push-5x10", kind=Kind.MULTIPART, title="PUSH → PULL, five frames of 10 B", frames=5),
    Work(
        name="push-many-10", kind=Kind.MANY, title="PUSH → PULL, 10 B, send_many of 100 and receive_many",
        compare_with="push-10",
    ),
    Work(name="req-10", kind=Kind.REQUEST, title="REQ ⇄ REP round trip, 10 B", unit=Unit.MICROSECONDS, first_count=500),
    Work(name="inproc-10", kind=Kind.INPROC, title="PUSH → PULL in one process, 10 B"),
    Work(
        name="router-100", kind=Kind.ROUTER, title="DEALER ⇄ ROUTER echo, 10 B, 100 requests in flight",
        first_count=2_000, in_flight=100,
    ),
    Work(
        name="pub-to-10", kind=Kind.PUBLISH, title="PUB → 10 SUB, 10 B, each wants one of two topics; deliveries",
        first_count=5_000, subscribers=10, step=10 * PUBLISH_BATCH,
    ),
    Work(
        name="pub-to-100", kind=Kind.PUBLISH, title="PUB → 100 SUB, 10 B, each wants one of two topics; deliveries",
        first_count=20_000, subscribers=100, step=100 * PUBLISH_BATCH,
    ),
)  # fmt: skip


def select(names: Iterable[str] | None) -> list[Work]:
    """The works of these names, or all; a name that ends in ``*`` is a prefix.

    Raises:
      ValueError: a name fits no work.
    """
    if names is None:
        return list(WORKS)
    chosen: list[Work] = []
    for name in names:
        fits = [w for w in WORKS if w.name == name or (name.endswith("*") and w.name.startswith(name[:-1]))]
        if not fits:
            raise ValueError(f"no work {name!r}; there are {', '.join(work.name for work in WORKS)}")
        chosen += [work for work in fits if work not in chosen]
    return chosen


def by_name(name: str) -> Work:
    """The work of this name."""
    return next(work for work in WORKS if work.name == name)
