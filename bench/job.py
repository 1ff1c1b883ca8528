"""What a peer's function is given: how much to do, and how to report it.

A worker writes one JSON object per line to its standard output: ``{"endpoints": […]}`` from the side that
binds, ``{"seconds": …, "count": …}`` from the side that measures. It is told to end by the end of its standard input.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

import attrs

from .works import Work


class LostMessageError(Exception):
    """The message at the last position is not the last message sent: one was lost, doubled, or overtaken."""


def _say(**fields: object) -> None:
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()


@attrs.frozen(kw_only=True)
class Job:
    """One measurement, as one of its processes sees it.

    Attributes:
      warm: messages before the clock starts.
      count: messages the clock sees. Deliveries, for publications.
      endpoints: where to connect; empty on the side that binds.
    """

    work: Work
    warm: int
    count: int
    endpoints: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """All messages, the last one included."""
        return self.warm + self.count

    @property
    def message(self) -> bytes | list[bytes]:
        """Every message but the last: one frame, or a list of frames."""
        return self._message(b"m")

    @property
    def last(self) -> bytes | list[bytes]:
        """The last message."""
        return self._message(b"z")

    def _message(self, letter: bytes) -> bytes | list[bytes]:
        frame = letter * self.work.size
        return frame if self.work.frames == 1 else [frame] * self.work.frames

    def announce(self, *endpoints: object) -> None:
        """Say where the other side can connect."""
        _say(endpoints=[e.decode() if isinstance(e, bytes) else str(e) for e in endpoints])

    def measured(self, seconds: float, last: bytes | Sequence[bytes], count: int | None = None) -> None:
        """Report the time for `count` messages (default: the job's), and show the last one as a proof.

        Raises:
          LostMessageError: `last` is not the last message.
        """
        frames = (last,) if isinstance(last, bytes) else tuple(last)
        wanted = (self.last,) if isinstance(self.last, bytes) else tuple(self.last)
        if frames != wanted:
            raise LostMessageError(f"message {self.total} of {self.total} is {frames[0][:20]!r}…, not the last sent")
        _say(seconds=seconds, count=self.count if count is None else count)

    def wait_end(self) -> None:
        """Block until the harness has the result. Asynchronous peers wait for standard input to be readable."""
        sys.stdin.read()
