"""The rate limit: a bucket of tokens, one for each octet."""

from __future__ import annotations

from typing import Final

_TOLERANCE: Final = 1e-6  # seconds: a clock in floating point cannot name the moment better


class TokenBucket:
    """Fills at a steady rate, and is full at first.

    Args:
      rate: octets in a second.
      size: octets that may go at once after a pause; what is taken at once must be no more.
    """

    def __init__(self, rate: float, size: float, now: float) -> None:
        self._rate = rate
        self._size = size
        self._tokens = size
        self._at = now
        self._least = -max(1.0, rate * _TOLERANCE)

    def take(self, octets: int, now: float) -> bool:
        """Take tokens. Returns: False if there are not enough; then none are taken."""
        self._tokens = min(self._size, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens - octets < self._least:
            return False
        self._tokens -= octets
        return True

    def when(self, octets: int) -> float:
        """When there will be enough tokens, in seconds of the caller's clock."""
        return self._at + max(0.0, octets - self._tokens) / self._rate
