"""The works: what is measured."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs

from .kinds import PUBLISH_BATCH, Kind, Unit, Work


def _subscriptions(number: int, label: str) -> Work:
    topics = "one topic" if number == 1 else f"{number:,} topics".replace(",", " ")
    return Work(
        name=f"subs-{label}", kind=Kind.SUBSCRIPTIONS, title=f"PUB → SUB that wants {topics}, 10 B",
        unit=Unit.MICROSECONDS, subscriptions=number, step=PUBLISH_BATCH, group="subs",
    )  # fmt: skip


def _publish(subscribers: int, how: str = "", **more: Any) -> Work:
    """To so many; `how` is ``many-`` or ``mixed-``."""
    words = {"": "", "many-": ", receive_many", "mixed-": ""}
    size = "10 B to 300 B in turn" if how == "mixed-" else "10 B"
    return Work(**{
        "name": f"pub-{how}to-{subscribers}", "kind": Kind.PUBLISH, "group": f"pub-{subscribers}",
        "title": f"PUB → {subscribers} SUB, {size}, each wants one of two topics{words[how]}; deliveries",
        "first_count": max(1_000, 200 * subscribers), "subscribers": subscribers, "step": subscribers * PUBLISH_BATCH,
        **more,
    })  # fmt: skip


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


_HEAVY: dict[str, Any] = {
    "size": 1_000_000, "mutable": True, "hwm": 64, "min_count": 200, "max_count": 2_000, "first_count": 200,
}  # fmt: skip


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


def _mixed(number: int, unit: int = 10) -> tuple[int, ...]:
    """Each size from one unit to so many, in octets, none beside its neighbour. 7 must be no divisor of the number."""
    return tuple(unit * (1 + 7 * index % number) for index in range(number))


_MIXED = _mixed(30)
_SHORT = _mixed(25)
"""What `bench.neutral` can send: a length is one octet, and none is the letter that is looked for at the end."""
_IN_TURN = "10 B to 300 B in turn"
_BOTH = ("triomq", "pyzmq")
"""Who is measured at the twin of a work: that is enough to see what only equal sizes, or one peer, made quick."""


def _twin(name: str, of: Work, title: str, sizes: tuple[int, ...] = _MIXED, **more: Any) -> Work:
    """The same work with mixed sizes, or with several connections. It takes turns with the work."""
    return attrs.evolve(of, **{"name": name, "title": title, "sizes": sizes, "peers": _BOTH, **more})


def _wait(name: str, kind: Kind, watched: str, title: str, **more: Any) -> Work:
    return Work(**{
        "name": f"wait-{name}", "kind": kind, "watched": watched, "unit": Unit.MICROSECONDS, "group": f"wait-{name}",
        "title": f"how late another task wakes up while {title}; p99.9", "min_count": 2_000,
        "details": ("p50", "p99", "p99.9", "worst", "messages/s"), "peers": ("triomq", "trio-stream"), **more,
    })  # fmt: skip


_MANY = "send_many of 100 and receive_many"
_PUSH = Work(name="push-10", kind=Kind.PUSH, title="PUSH → PULL, 10 B", group="push-10")
_PUSH_MANY = Work(
    name="push-many-10", kind=Kind.MANY, title=f"PUSH → PULL, 10 B, {_MANY}", group="push-10", base="push-10",
)  # fmt: skip
_FRAMES = Work(
    name="push-5x10", kind=Kind.MULTIPART, title="PUSH → PULL, five frames of 10 B", frames=5, group="push-5",
)  # fmt: skip
_REQUEST = Work(
    name="req-10", kind=Kind.REQUEST, title="REQ ⇄ REP round trip, 10 B", unit=Unit.MICROSECONDS, first_count=500,
    group="req",
)  # fmt: skip
_ROUTER = Work(
    name="router-100", kind=Kind.ROUTER, title="DEALER ⇄ ROUTER echo, 10 B, 100 requests in flight",
    first_count=2_000, in_flight=100, group="router",
)  # fmt: skip
_INPROC = Work(name="inproc-10", kind=Kind.INPROC, title="PUSH → PULL in one process, 10 B", group="inproc")
_INPROC_MANY = Work(
    name="inproc-many-10", kind=Kind.INPROC_MANY, title=f"PUSH → PULL in one process, 10 B, {_MANY}",
    group="inproc", base="inproc-10",
)  # fmt: skip
_THREADS = Work(
    name="threads-10", kind=Kind.THREADS, title="PUSH → PULL between two threads, 10 B", group="threads",
)  # fmt: skip
_THREADS_MANY = Work(
    name="threads-many-10", kind=Kind.THREADS_MANY, group="threads", base="threads-10",
    title=f"PUSH → PULL between two threads, 10 B, {_MANY}",
)  # fmt: skip
_PROXY = Work(
    name="proxy-10x3", kind=Kind.PROXY, title="ROUTER/DEALER proxy, 10 clients, 3 workers, 100 requests in flight",
    first_count=2_000, in_flight=100, clients=10, workers=3, group="proxy",
)  # fmt: skip
_CURVE = Work(
    name="curve-10k", kind=Kind.PUSH, title="PUSH → PULL with CURVE, 10 kB", size=10_000, unit=Unit.MEGABYTES,
    secure=True, peers=_BOTH, first_count=1_000, max_count=100_000, group="curve",
)  # fmt: skip

WORKS: tuple[Work, ...] = (
    _PUSH,
    _twin("push-mixed", _PUSH, f"PUSH → PULL, {_IN_TURN}"),
    _twin("push-10x4", _PUSH, "PUSH → PULL over four connections, 10 B", (), connections=4),
    _PUSH_MANY,
    _twin("push-many-mixed", _PUSH_MANY, f"PUSH → PULL, {_IN_TURN}, {_MANY}", base="push-mixed"),
    _push(1_000, "1k", Unit.MESSAGES),
    _push(10_000, "10k"),
    _push(100_000, "100k"),
    _push(1_000_000, "1m"),
    _twin("push-mixed-100k", _push(100_000, "100k"), "PUSH → PULL, 10 kB to 100 kB in turn", _mixed(10, 10_000)),
    _FRAMES,
    _twin("push-5xmixed", _FRAMES, f"PUSH → PULL, five frames of {_IN_TURN}"),
    _REQUEST,
    _twin("req-mixed", _REQUEST, f"REQ ⇄ REP round trip, {_IN_TURN}"),
    _ROUTER,
    _twin("router-mixed", _ROUTER, f"DEALER ⇄ ROUTER echo, {_IN_TURN}, 100 requests in flight"),
    _publish(10),
    _publish(100),
    _publish(100, "many-", kind=Kind.PUBLISH_MANY, base="pub-to-100"),
    _publish(100, "mixed-", sizes=_MIXED, peers=_BOTH),
    Work(
        name="fan-100", kind=Kind.FANOUT, title="PUB → 100 plain sockets, 10 B, each wants one of two; deliveries",
        first_count=20_000, subscribers=100, step=100 * PUBLISH_BATCH,
    ),
    _subscriptions(1, "1"),
    _subscriptions(100_000, "100k"),
    _INPROC,
    _twin("inproc-mixed", _INPROC, f"PUSH → PULL in one process, {_IN_TURN}"),
    _INPROC_MANY,
    _twin(
        "inproc-many-mixed", _INPROC_MANY, f"PUSH → PULL in one process, {_IN_TURN}, {_MANY}", base="inproc-mixed",
    ),
    _THREADS,
    _twin("threads-mixed", _THREADS, f"PUSH → PULL between two threads, {_IN_TURN}"),
    _THREADS_MANY,
    _twin(
        "threads-many-mixed", _THREADS_MANY, f"PUSH → PULL between two threads, {_IN_TURN}, {_MANY}",
        base="threads-mixed",
    ),
    Work(
        name="threads-req-10", kind=Kind.THREADS_REQUEST, title="PAIR ⇄ PAIR round trip between two threads, 10 B",
        unit=Unit.MICROSECONDS, first_count=500,
    ),
    _PROXY,
    _twin("proxy-mixed", _PROXY, "ROUTER/DEALER proxy, the same with 10 B to 250 B in turn", _SHORT),
    _CURVE,
    _twin("curve-mixed", _CURVE, f"PUSH → PULL with CURVE, {_IN_TURN}", size=10, unit=Unit.MESSAGES),
    Work(
        name="curve-handshakes", kind=Kind.HANDSHAKES, title="CURVE handshake, with all of its connection",
        unit=Unit.MICROSECONDS, secure=True, peers=_BOTH, first_count=100, min_count=100, max_count=1_000,
    ),
    _crowd(10, 0, "idle-0", "idle"),
    _crowd(10, 5_000, "idle-5000", "idle"),
    _memory(5_000),
    _wait("1ms", Kind.WAIT, "bind", "a PULL receives at full rate", group="wait", peers=None),
    _wait("push-10", Kind.PUSH, "connect", "a PUSH sends 10 B at full rate"),
    _wait("push-1m", Kind.PUSH, "connect", "a PUSH sends bytearrays of 1 MB", **_HEAVY),
    _wait("push-many-1m", Kind.MANY, "connect", "a PUSH sends lists of bytearrays of 1 MB", **_HEAVY),
    _wait(
        "pub-100", Kind.FANOUT, "bind", "a PUB sends to 100 SUB at full rate",
        first_count=20_000, subscribers=100, step=100 * PUBLISH_BATCH,
    ),
    _wait(
        "proxy", Kind.PROXY, "bind", "a proxy has 100 requests in flight", in_flight=100, clients=10, workers=3,
    ),
    _wait(
        "curve-10k", Kind.PUSH, "bind", "a PULL receives 10 kB with CURVE at full rate",
        size=10_000, secure=True, peers=("triomq",), max_count=100_000,
    ),
    _wait(
        "curve-push-10k", Kind.PUSH, "connect", "a PUSH sends 10 kB with CURVE at full rate",
        size=10_000, secure=True, peers=("triomq",), max_count=100_000,
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
