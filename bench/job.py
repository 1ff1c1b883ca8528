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
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import attrs

from .kinds import Work


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

    @property
    def total(self) -> int:
        """All messages, the last one included."""
        return self.warm + self.count

    @property
    def scheduled(self) -> int:
        """Requests that follow on a schedule, at a share of the rate of the others; so they take as long as those."""
        return int(self.count * self.work.load)

    @property
    def message(self) -> bytes | list[bytes]:
        """Every message but the last: one frame, or a list of frames."""
        return self._message(b"m")

    @property
    def mixed(self) -> list[bytes]:
        """Messages of the work's sizes, in their order."""
        return [b"m" * size for size in self.work.sizes]

    @property
    def last(self) -> bytes | list[bytes]:
        """The last message."""
        return self._message(b"z")

    def _message(self, letter: bytes) -> bytes | list[bytes]:
        frame = letter * self.work.size
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

    def measured(self, seconds: float, last: bytes | Sequence[bytes], count: int | None = None) -> None:
        """Report the time for `count` messages (default: the job's), and show the last one as a proof.

        Raises:
          LostMessageError: `last` is not the last message.
        """
        frames = (last,) if isinstance(last, bytes) else tuple(last)
        wanted = (self.last,) if isinstance(self.last, bytes) else tuple(self.last)
        if frames != wanted:
            raise LostMessageError(f"message {self.total} of {self.total} is {frames[0][:20]!r}…, not the last sent")
        self.report(seconds, **(self.probe.result() if self.probe is not None else {}), count=count)

    def report(self, seconds: float, *, count: int | None = None, **fields: object) -> None:
        """Report a result, without a message for a proof; `fields` are its details, and ``value`` if it is special."""
        self.stop_clock()
        _say(seconds=seconds, count=self.count if count is None else count, **fields)

    def report_cpu(self) -> None:
        """Say how much processor time a message has taken in this process, in µs; None if that makes no sense."""
        self.stop_clock()  # unless it has: what a sender has queued is sent later
        used = self._cpu_used
        _say(cpu=None if used is None else used / self._cpu_messages * 1e6)

    def wait_end(self) -> None:
        """Block until the harness has the result. Asynchronous peers wait for standard input to be readable."""
        sys.stdin.read()
