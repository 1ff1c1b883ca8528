"""What a peer's function is given: how much to do, and how to report it.

A worker writes one JSON object per line to its standard output: ``{"endpoints": […], "pid": …}`` from the side that
binds, ``{"seconds": …, "count": …}`` from the side that measures, and from each side at its end ``{"cpu": …}``. It is
told to end by the end of its standard input.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle, islice
from typing import Any, Protocol, TypeAlias

import attrs

from .kinds import Work

Body: TypeAlias = bytes | bytearray | list[bytes]
"""A message: one frame, or a list of frames."""


class LostMessageError(Exception):
    """The message at the last position is not the last message sent: one was lost, doubled, or overtaken."""


class Probe(Protocol):
    """Something that measures while the clock runs."""

    def start(self) -> None:
        """The clock starts."""

    def result(self) -> dict[str, Any]:
        """Fields for the report: the details, and the ``value`` if it is the figure."""


def _say(**fields: object) -> None:
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()


@attrs.define(kw_only=True)
class Job:
    """One measurement, as one of its processes sees it.

    Attributes:
      warm: messages before the clock starts.
      count: messages the clock sees. Deliveries, for publications.
      endpoints: where to connect; empty on the side that binds.
      server: the process that binds; 0 in that process.
      module: what the peer is imported as.
      options: how the peer is to be set up.
      probe: measures besides, while the clock runs.
    """

    work: Work
    warm: int
    count: int
    endpoints: tuple[str, ...] = ()
    server: int = 0
    module: str | None = None
    options: Mapping[str, Any] = attrs.field(factory=dict)
    probe: Probe | None = None
    _cpu_before: float | None = None
    _cpu_used: float | None = None
    _cpu_messages: int = 0
    _probed: Mapping[str, Any] = attrs.field(factory=dict)

    @property
    def total(self) -> int:
        """All messages, the last one included."""
        return self.warm + self.count

    @property
    def scheduled(self) -> int:
        """Requests that follow on a schedule, at a share of the rate of the others; so they take as long as those."""
        return int(self.count * self.work.load)

    @property
    def is_watched(self) -> bool:
        """Whether another task of this process is to tell how late it wakes up."""
        return self.work.watched == ("connect" if self.endpoints else "bind")

    @property
    def message(self) -> bytes:
        """The first message, of one frame."""
        return b"m" * self.work.size

    def bodies(self) -> list[Body]:
        """One message of each size, in the order in which they are sent; the last message is not among them."""
        sizes = self.work.sizes or (self.work.size,)
        frames = [b"m" * size for size in sizes]
        if self.work.mutable:
            return [bytearray(frame) for frame in frames]
        if self.work.frames == 1:
            return [*frames]
        number = len(sizes)
        return [[frames[(first + n) % number] for n in range(self.work.frames)] for first in range(number)]

    def messages(self) -> Iterator[Body]:
        """The messages, without an end: all alike, or of the work's sizes in turn."""
        return cycle(self.bodies())

    def lists(self, length: int) -> Iterator[list[Body]]:
        """The same, in lists."""
        messages = self.messages()
        return cycle([[*islice(messages, length)] for _ in self.work.sizes or (0,)])

    @property
    def last(self) -> bytes | list[bytes]:
        """The last message."""
        frame = b"z" * self.work.size
        return frame if self.work.frames == 1 else [frame] * self.work.frames

    def announce(self, *endpoints: object) -> None:
        """Say where the other side can connect."""
        _say(endpoints=[e.decode() if isinstance(e, bytes) else str(e) for e in endpoints], pid=os.getpid())

    def start_clock(self, *, with_warm_up: bool = False) -> float:
        """The warm-up is over, on this side; return the time.

        From here to `stop_clock`, or to the end, counts as processor time of the job's messages. A side that cannot
        tell where the warm-up ends counts that as well.
        """
        if self.probe is not None:
            self.probe.start()
        self._cpu_messages = self.scheduled + (self.total if with_warm_up else self.count)
        self._cpu_before = time.process_time()
        return time.perf_counter()

    def stop_clock(self) -> None:
        """All messages are through: what follows is the closing, and counts for nobody. The first call counts."""
        if self._cpu_before is not None and self._cpu_used is None:
            self._cpu_used = time.process_time() - self._cpu_before
            if self.probe is not None:
                self._probed = self.probe.result()

    def measured(self, seconds: float, last: bytes | Sequence[bytes], count: int | None = None) -> None:
        """Report the time for `count` messages (default: the job's), and show the last one as a proof.

        Several connections keep no order between them, so there the number has to do: no message may be lost.

        Raises:
          LostMessageError: `last` is not the last message.
        """
        frames = (last,) if isinstance(last, bytes) else tuple(last)
        wanted = (self.last,) if isinstance(self.last, bytes) else tuple(self.last)
        if frames != wanted and self.work.connections == 1:
            raise LostMessageError(f"message {self.total} of {self.total} is {frames[0][:20]!r}…, not the last sent")
        self.report(seconds, count=count)

    def report(self, seconds: float, *, count: int | None = None, **fields: object) -> None:
        """Report a result, without a message for a proof; `fields` are its details, and ``value`` if it is special."""
        self.stop_clock()
        _say(seconds=seconds, count=self.count if count is None else count, **fields)

    def report_cpu(self) -> None:
        """Say how much processor time a message has taken in this process, in µs, and what the probe has found.

        The processor time is None if it makes no sense.
        """
        self.stop_clock()  # unless it has: what a sender has queued is sent later
        used = self._cpu_used
        _say(cpu=None if used is None else used / self._cpu_messages * 1e6, **self._probed)

    def wait_end(self) -> None:
        """Block until the harness has the result. Asynchronous peers wait for standard input to be readable."""
        sys.stdin.read()
