"""What a work is: its kind, which says who does what in which process, its unit, and its numbers."""

from __future__ import annotations

import enum

import attrs

PUBLISH_BATCH = 100
"""Publications of one topic between two acknowledgements; see `bench.fanout`."""


class Unit(enum.Enum):
    """What a figure is; the value is how it is printed."""

    MESSAGES = "messages/s"
    MEGABYTES = "MB/s"
    MICROSECONDS = "µs"
    MILLISECONDS = "ms"
    KIB = "KiB"

    @property
    def lower_is_better(self) -> bool:
        """Whether a small figure is a good one."""
        return self not in (Unit.MESSAGES, Unit.MEGABYTES)


@attrs.frozen
class _Roles:
    """Who does what in a kind of work.

    Attributes:
      measures: the side that has the clock and prints the result.
      sides: the processes.
      neutral: the side that no peer brings along, since it is the same for all: see `bench.neutral`.
    """

    name: str
    measures: str
    sides: tuple[str, ...] = ("bind", "connect")
    neutral: str | None = None


class Kind(enum.Enum):
    """What a peer has functions for, one for each side that is not neutral."""

    PUSH = _Roles("push", "bind")
    MULTIPART = _Roles("multipart", "bind")
    MANY = _Roles("many", "bind")
    INPROC = _Roles("inproc", "bind", ("bind",))
    INPROC_MANY = _Roles("inproc-many", "bind", ("bind",))
    THREADS = _Roles("threads", "bind", ("bind",))
    THREADS_MANY = _Roles("threads-many", "bind", ("bind",))
    THREADS_REQUEST = _Roles("threads-request", "bind", ("bind",))
    REQUEST = _Roles("request", "connect")
    ROUTER = _Roles("router", "connect")
    PUBLISH = _Roles("publish", "connect")
    PUBLISH_MANY = _Roles("publish-many", "connect")
    FANOUT = _Roles("subscribers", "connect", neutral="connect")
    SUBSCRIPTIONS = _Roles("subscriptions", "connect")
    PROXY = _Roles("proxy", "connect", neutral="connect")
    CROWD = _Roles("crowd", "connect", neutral="connect")
    MEMORY = _Roles("memory", "connect", neutral="connect")
    LATENCY = _Roles("latency", "connect", neutral="connect")
    WAIT = _Roles("wait", "bind")
    HANDSHAKES = _Roles("handshakes", "connect")
    BUSY = _Roles("busy", "connect", neutral="connect")
    IMPORT = _Roles("importing", "bind", ("bind",), neutral="bind")

    @property
    def measuring_side(self) -> str:
        """``"bind"`` or ``"connect"``."""
        return self.value.measures

    @property
    def sides(self) -> tuple[str, ...]:
        """The processes of this kind of work."""
        return self.value.sides

    @property
    def neutral(self) -> str | None:
        """The side that is the same for all peers, if there is one."""
        return self.value.neutral


@attrs.frozen(kw_only=True)
class Sample:
    """One measurement.

    Attributes:
      count: messages that the clock saw.
      seconds: how long they took.
      value: the figure itself, where it is not made of the two.
      cpu: for each side, the processor time of one message in µs, user and system, all threads together.
      details: what else was measured.
    """

    count: int
    seconds: float
    value: float | None = None
    cpu: dict[str, float] = attrs.field(factory=dict)
    details: dict[str, float] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class Work:
    """One thing to measure.

    Attributes:
      size: octets of each frame; where there are `sizes`, of the last message's.
      sizes: octets of one frame after another, again and again, where they are not all of one size.
      frames: frames of each message.
      mutable: whether the messages are of a type that has to be copied, since it may change.
      secure: whether connections are encrypted, by CURVE.
      connections: of the one socket to the other.
      hwm: messages that each socket queues; None for what is usual.
      watched: the side in which another task tells how late it wakes up.
      first_count: messages of the first calibration run, from the slowest peer's point of view.
      min_count, max_count: fewest and most messages of one measurement; the latter bounds time and what unread queues
        may take.
      in_flight: requests without a reply at one time, of all clients together.
      subscribers: receiving sockets.
      subscriptions: topics that the one subscriber wants; None where many subscribers want one of two.
      clients: connections that send requests.
      workers: connections that answer them, behind a proxy.
      idle: connections that do nothing.
      load: the share of the greatest rate at which requests are scheduled.
      step: counts are multiples of this.
      group: works of one group take turns, so that they can be compared; by default a work is alone.
      base: the work that is as near to this one as others offer: their figures there are compared with ours here.
      peers: who is measured; None for all that offer the kind.
      details: what else is measured and shown.
    """

    name: str
    kind: Kind
    title: str
    unit: Unit = Unit.MESSAGES
    size: int = 10
    sizes: tuple[int, ...] = ()
    frames: int = 1
    mutable: bool = False
    secure: bool = False
    connections: int = 1
    hwm: int | None = None
    watched: str | None = None
    first_count: int = 5_000
    min_count: int = 20
    max_count: int = 3_000_000
    in_flight: int = 1
    subscribers: int = 1
    subscriptions: int | None = None
    clients: int = 1
    workers: int = 0
    idle: int = 0
    load: float = 0.0
    step: int = 1
    group: str | None = None
    base: str | None = None
    peers: tuple[str, ...] | None = None
    details: tuple[str, ...] = ()

    def wants(self, peer: str) -> bool:
        """Whether this peer is to be measured, if it offers the work."""
        return self.peers is None or peer in self.peers

    @property
    def octets(self) -> float:
        """Of a message, on average."""
        sizes = self.sizes or (self.size,)
        return sum(sizes) / len(sizes) * self.frames

    def figure(self, sample: Sample) -> float:
        """What a sample is in this work's unit."""
        if sample.value is not None:
            return sample.value
        if self.unit is Unit.MICROSECONDS:
            return sample.seconds / sample.count * 1e6
        if self.unit is Unit.MEGABYTES:
            return sample.count * self.octets / sample.seconds / 1e6
        return sample.count / sample.seconds

    @property
    def is_fixed(self) -> bool:
        """Whether there is nothing to calibrate: how many there are is what the work is about."""
        return self.min_count == self.max_count

    def clamp(self, count: float) -> int:
        """The nearest count this work may be run with."""
        low = max(2 * self.in_flight, 2 * self.step, self.min_count)
        return int(min(max(count, low), self.max_count)) // self.step * self.step
