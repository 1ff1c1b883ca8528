"""How long Linux waits before it sends something again, and when it gives up.

tests/testing/against_linux compares these with a kernel.
"""

from __future__ import annotations

from typing import Final

FIRST_RETRY: Final = 0.2  # seconds, on top of the round trip, before a lost segment is sent again (TCP_RTO_MIN)
LONGEST_RETRY: Final = 120.0  # seconds; a pause is doubled up to this (TCP_RTO_MAX)
ORPHANS_GIVE_UP: Final = 102.2  # seconds of silence after which a closed stream is dead (tcp_orphan_retries=8)
_SLACK: Final = 1e-6  # seconds: sums of pauses are not exact


def pause_before(tries: int, round_trip: float) -> float:
    """Seconds from one try to the next, or from the loss to the first.

    The second pause is no longer than the first: the first try is no time-out but a probe for a lost tail (RFC 8985).
    """
    first = FIRST_RETRY + round_trip
    return min(first * 2.0 ** min(max(tries - 1, 0), 20), LONGEST_RETRY)


def tries_within(seconds: float) -> int:
    """How many probes Linux sends to a peer that does not answer, where it retransmits for so many seconds."""
    total = pause = FIRST_RETRY
    tries = 0
    while total < seconds - _SLACK:
        pause = min(2 * pause, LONGEST_RETRY)
        total += pause
        tries += 1
    return max(tries, 1)


ORPHANS_TRIES: Final = tries_within(ORPHANS_GIVE_UP)
"""How many probes Linux sends for a closed stream to a peer that does not answer."""
