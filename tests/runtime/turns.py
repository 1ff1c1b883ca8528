"""What turns are measured with in these tests."""

from __future__ import annotations


class Stopwatch:
    """A stand-in for the end of turns: how long the turns last already."""

    polled_at = 0.0
    read_at = 0.0
    goes_on = False
    seconds = 0.0

    def now(self) -> float:
        return self.seconds
