"""The works: what is measured."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .kinds import PUBLISH_BATCH, Kind, Unit, Work


def _subscriptions(number: int, label: str) -> Work:
    topics = "one topic" if number == 1 else f"{number:,} topics".replace(",", " ")
    return Work(
        name=f"subs-{label}", kind=Kind.SUBSCRIPTIONS, title=f"PUB → SUB that wants {topics}, 10 B",
        unit=Unit.MICROSECONDS, subscriptions=number, step=PUBLISH_BATCH, group="subs",
    )  # fmt: skip


def _publish(subscribers: int) -> Work:
    return Work(
        name=f"pub-to-{subscribers}", kind=Kind.PUBLISH,
        title=f"PUB → {subscribers} SUB, 10 B, each wants one of two topics; deliveries",
        first_count=max(1_000, 200 * subscribers), subscribers=subscribers, step=subscribers * PUBLISH_BATCH,
    )  # fmt: skip


def _crowd(clients: int, idle: int, name: str, group: str) -> Work:
    among = f" among {idle:,} idle ones".replace(",", " ") if idle else ""
    return Work(
        name=name, kind=Kind.CROWD, title=f"ROUTER echo, 10 B, {clients} active connections{among}",
        unit=Unit.MICROSECONDS, first_count=2_000, in_flight=max(100, clients), clients=clients, idle=idle, group=group,
    )  # fmt: skip


def _memory(connections: int) -> Work:
    return Work(
        name=f"memory-{connections}", kind=Kind.MEMORY, unit=Unit.KIB, idle=connections, group="memory",
        title=f"memory of a ROUTER's process for each of {connections:,} idle connections".replace(",", " "),
        min_count=connections, max_count=connections, first_count=connections,
    )  # fmt: skip


def _latency(percent: int) -> Work:
    return Work(
        name=f"latency-{percent}", kind=Kind.LATENCY, unit=Unit.MICROSECONDS, load=percent / 100, in_flight=100,
        title=f"ROUTER echo, 10 B, requests on schedule at {percent} % of the greatest rate; p99",
        first_count=2_000, min_count=1_000, group="latency", details=("p50", "p99", "p99.9", "worst"),
    )  # fmt: skip


_LARGE: dict[int, dict[str, Any]] = {
    100_000: {"first_count": 500, "max_count": 100_000},
    1_000_000: {"first_count": 100, "max_count": 6_000},
}


def _octets(size: int) -> str:
    for factor, unit in ((1_000_000, "MB"), (1_000, "kB")):
        if size >= factor:
            return f"{size // factor} {unit}"
    return f"{size} B"


def _push(size: int, label: str, unit: Unit = Unit.MEGABYTES, group: str | None = None) -> Work:
    return Work(
        name=f"push-{label}", kind=Kind.PUSH, title=f"PUSH → PULL, {_octets(size)}",
        size=size, unit=unit, group=group, **_LARGE.get(size, {}),
    )  # fmt: skip


_MIXED = tuple(10 + 10 * (7 * number % 30) for number in range(30))
"""Octets: each size from 10 to 300 in tens, none beside its neighbour."""

WORKS: tuple[Work, ...] = (
    Work(name="push-10", kind=Kind.PUSH, title="PUSH → PULL, 10 B", group="push-10"),
    Work(
        name="push-many-10", kind=Kind.MANY, title="PUSH → PULL, 10 B, send_many of 100 and receive_many",
        group="push-10",
    ),
    _push(1_000, "1k", Unit.MESSAGES),
    _push(10_000, "10k"),
    _push(100_000, "100k"),
    _push(1_000_000, "1m"),
    Work(name="push-mixed", kind=Kind.MIXED, title="PUSH → PULL, 10 B to 300 B in turn", sizes=_MIXED),
    Work(name="push-5x10", kind=Kind.MULTIPART, title="PUSH → PULL, five frames of 10 B", frames=5),
    Work(name="req-10", kind=Kind.REQUEST, title="REQ ⇄ REP round trip, 10 B", unit=Unit.MICROSECONDS, first_count=500),
    Work(
        name="router-100", kind=Kind.ROUTER, title="DEALER ⇄ ROUTER echo, 10 B, 100 requests in flight",
        first_count=2_000, in_flight=100,
    ),
    _publish(10),
    _publish(100),
    Work(
        name="fan-100", kind=Kind.FANOUT, title="PUB → 100 plain sockets, 10 B, each wants one of two; deliveries",
        first_count=20_000, subscribers=100, step=100 * PUBLISH_BATCH,
    ),
    _subscriptions(1, "1"),
    _subscriptions(100_000, "100k"),
    Work(name="inproc-10", kind=Kind.INPROC, title="PUSH → PULL in one process, 10 B"),
    Work(name="threads-10", kind=Kind.THREADS, title="PUSH → PULL between two threads, 10 B", group="threads"),
    Work(
        name="threads-many-10", kind=Kind.THREADS_MANY, group="threads",
        title="PUSH → PULL between two threads, 10 B, send_many of 100 and receive_many",
    ),
    Work(
        name="threads-req-10", kind=Kind.THREADS_REQUEST, title="PAIR ⇄ PAIR round trip between two threads, 10 B",
        unit=Unit.MICROSECONDS, first_count=500,
    ),
    Work(
        name="proxy-10x3", kind=Kind.PROXY, title="ROUTER/DEALER proxy, 10 clients, 3 workers, 100 requests in flight",
        first_count=2_000, in_flight=100, clients=10, workers=3,
    ),
    _crowd(10, 0, "idle-0", "idle"),
    _crowd(10, 5_000, "idle-5000", "idle"),
    _memory(5_000),
    Work(
        name="wait-1ms", kind=Kind.WAIT, unit=Unit.MICROSECONDS, group="wait",
        title="how late another task wakes up while a PULL receives at full rate; p99.9",
        min_count=2_000, details=("p50", "p99", "p99.9", "worst", "messages/s"),
    ),
    Work(
        name="busy", kind=Kind.BUSY, unit=Unit.MICROSECONDS, group="busy", first_count=20, max_count=200,
        title="how late a PING is answered by a program that computes, in slices of 0.1 s; p99",
        details=("p50", "p99", "worst"),
    ),
    Work(
        name="import", kind=Kind.IMPORT, title="import, in a fresh process", unit=Unit.MILLISECONDS,
        first_count=3, min_count=3, max_count=50,
    ),
)  # fmt: skip
"""What is measured unless works are named."""

SWEEPS: tuple[Work, ...] = (
    _push(100, "100", Unit.MESSAGES),
    _publish(1),
    _publish(300),
    *(_crowd(clients, 0, f"clients-{clients}", "clients") for clients in (1, 10, 100, 1_000)),
    _subscriptions(100, "100"),
    _subscriptions(10_000, "10k"),
    *(_memory(connections) for connections in (500, 1_000, 2_000)),
    *(_latency(percent) for percent in (10, 50, 90)),
)
"""What the pictures need besides."""

ALL = WORKS + SWEEPS


def select(names: Iterable[str] | None) -> list[Work]:
    """The works of these names, or the usual ones; a name that ends in ``*`` is a prefix.

    Raises:
      ValueError: a name fits no work.
    """
    if names is None:
        return list(WORKS)
    chosen: list[Work] = []
    for name in names:
        fits = [w for w in ALL if w.name == name or (name.endswith("*") and w.name.startswith(name[:-1]))]
        if not fits:
            raise ValueError(f"no work {name!r}; there are {', '.join(work.name for work in ALL)}")
        chosen += [work for work in fits if work not in chosen]
    return chosen


def groups(chosen: Iterable[Work]) -> list[list[Work]]:
    """The works in rows that take turns, in the order of the first of each."""
    found: dict[str, list[Work]] = {}
    for work in chosen:
        found.setdefault(work.group or work.name, []).append(work)
    return list(found.values())


def by_name(name: str) -> Work:
    """The work of this name."""
    return next(work for work in ALL if work.name == name)
