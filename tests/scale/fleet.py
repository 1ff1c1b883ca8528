"""What the big networks have in common: how long they run, what is done to them, and what is noted down."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from typing import Any, Literal

import attrs
import trio

import triomq
from triomq.testing import VirtualNetwork

HEARTBEATS: dict[str, Any] = {"heartbeat_interval": 5.0, "heartbeat_timeout": 5.0}
NOTICED = 10.0  # seconds after which a silent peer is given up, at the most: the two of them
MOMENT = 1.0  # seconds: far more than a message takes from end to end while all is well

Fault = Literal["none", "partition", "restart"]


class Level(random.Random):
    """Dice whose ``uniform`` always gives the middle: a back-off that waits as long on average, without jitter."""

    def uniform(self, a: float, b: float) -> float:
        return (a + b) / 2


@attrs.frozen(kw_only=True)
class Plan:
    """What shall happen.

    Attributes:
      hosts: subscribers, or clients; the proxies, workers and the publisher come on top.
      fault: nothing; half of the hosts are cut off from the other half; or one in the middle crashes, for a while.
      jitter: whether the waits before reconnecting are drawn, as they are in production.
      start: virtual seconds in which the hosts of the rim come up, one by one; their heartbeats keep that distance.
      before: seconds until the fault.
      away: how long it lasts, in seconds.
      after: and how long everything goes on afterwards.
      connect_timeout, reconnect_interval, reconnect_interval_max: options of everybody who connects.
      backlog: option of everybody who listens.
    """

    hosts: int = 1000
    fault: Fault = "partition"
    seed: int = 0
    jitter: bool = True
    start: float = 5.0
    before: float = 20.0
    away: float = 60.0
    after: float = 40.0
    connect_timeout: float = 3.0
    reconnect_interval: float = 0.1
    reconnect_interval_max: float = 30.0
    backlog: int = 1024

    @property
    def healed(self) -> float:
        """When the fault is over."""
        return self.before + self.away

    @property
    def end(self) -> float:
        """When nothing new is sent any more."""
        return self.healed + self.after

    @property
    def reconnected(self) -> float:
        """When everybody must be back: an attempt may just have begun, and the longest wait follow it."""
        return self.healed + self.connect_timeout + self.reconnect_interval_max + MOMENT

    @property
    def noticed(self) -> float:
        """When everybody knows of the fault, so that nothing more is written to a connection that is dead."""
        return self.before + (NOTICED if self.fault == "partition" else 0.0) + MOMENT

    @property
    def dialling(self) -> dict[str, Any]:
        """Options of everybody who connects."""
        names = "connect_timeout", "reconnect_interval", "reconnect_interval_max"
        return {**HEARTBEATS, **{name: getattr(self, name) for name in names}}

    @property
    def listening(self) -> dict[str, Any]:
        """Options of everybody who binds."""
        return {**HEARTBEATS, "backlog": self.backlog}


@attrs.define
class Diary:
    """What happened to the connections of those who dial: a time for each.

    Attributes:
      ready: when a handshake was complete.
      failed: when an attempt had failed.
      lost: when a connection was lost.
    """

    ready: list[float] = attrs.field(factory=list)
    failed: list[float] = attrs.field(factory=list)
    lost: list[float] = attrs.field(factory=list)

    async def keep(self, monitor: triomq.Monitor) -> None:
        """Note what a socket's monitor tells, until the socket is closed."""
        pages: dict[type, list[float]] = {
            triomq.HandshakeSucceeded: self.ready,
            triomq.HandshakeFailed: self.failed,
            triomq.ConnectFailed: self.failed,
            triomq.Disconnected: self.lost,
        }
        async for event in monitor:
            if (page := pages.get(type(event))) is not None:
                page.append(trio.current_time())


class Fleet:
    """The hosts of one run, each with a program that goes on until the plan is fulfilled.

    Attributes:
      diary: what happened to the connections.
      far: the hosts that are cut off for a while.
    """

    def __init__(self, net: VirtualNetwork, plan: Plan) -> None:
        self.net = net
        self.plan = plan
        self.dice = random.Random(f"fleet {plan.seed}")
        self.diary = Diary()
        self.far: frozenset[str] = frozenset()

    async def run(self) -> None:
        """All of it, from the first connection to the last."""
        async with trio.open_nursery() as nursery:
            self.populate(nursery)
            await trio.sleep_until(self.plan.before)
            self.break_something()
            await trio.sleep_until(self.plan.healed)
            self.repair()
            await trio.sleep_until(self.plan.end + MOMENT)
            nursery.cancel_scope.cancel(reason="the plan is fulfilled")

    def populate(self, nursery: trio.Nursery) -> None:
        """Let every host come up."""
        raise NotImplementedError

    def halves(self) -> Iterable[str]:
        """One half of the hosts, which a partition will cut off from the other."""
        raise NotImplementedError

    middle: str
    """The host that crashes and is restarted."""

    def deliveries(self) -> int:
        """How many messages have arrived where they were to arrive."""
        raise NotImplementedError

    def waiting(self) -> list[tuple[float, int]]:
        """When one more waited for its delivery (1) and when one less (-1), where that can be told."""
        return []

    def faults(self) -> list[str]:
        """What must not have happened and did: a message doubled, out of order, or lost without need."""
        raise NotImplementedError

    def break_something(self) -> None:
        """Let the fault happen."""
        if self.plan.fault == "partition":
            self.far = frozenset(self.halves())
            self.net.partition(self.far)
        elif self.plan.fault == "restart":
            self.net.crash(self.middle, how="process")

    def repair(self) -> None:
        """Let it be over."""
        self.net.heal()
        self.net.restart(self.middle)

    async def serve(self, name: str, program: Callable[[triomq.Context], Awaitable[object]]) -> None:
        """Run a program of the network's middle from the beginning, and again after a crash."""
        await self.net.run_on(name, program)

    async def live(self, name: str, program: Callable[[triomq.Context, str], Awaitable[object]]) -> None:
        """Run a program of the network's rim from some moment of the first seconds on."""
        await trio.sleep(self.dice.uniform(0, self.plan.start))
        rng = None if self.plan.jitter else Level(f"{self.plan.seed} {name}")
        async with self.net.open_context(name, rng=rng) as context:
            await program(context, name)


def most_at_once(times: Iterable[float], width: float = 1.0) -> int:
    """The most of some times that lie within ``width`` seconds."""
    ordered = sorted(times)
    most = first = 0
    for last, time in enumerate(ordered):
        while ordered[first] <= time - width:
            first += 1
        most = max(most, last - first + 1)
    return most


def doubled(things: Iterable[Hashable]) -> list[Hashable]:
    """Those that are there more than once."""
    return [thing for thing, count in Counter(things).items() if count > 1]


def shortened(faults: Sequence[str]) -> list[str]:
    """The first faults, and how many more there are."""
    return [*faults[:10], *([f"and {len(faults) - 10} more"] if len(faults) > 10 else [])]
