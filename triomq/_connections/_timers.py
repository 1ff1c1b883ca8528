"""Every time limit of a connection that is not an option, and the wait between two attempts to connect.

The options are ``connect_timeout``, ``handshake_timeout``, ``heartbeat_interval``, ``heartbeat_timeout``,
``heartbeat_ttl``, ``reconnect_interval``, ``reconnect_interval_max`` and ``linger``.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import random

GOODBYE: Final = 1.0
"""seconds for a refused peer to take the ERROR command"""
SHORTAGE_WAIT: Final = 0.1
"""seconds without accepting when descriptors or memory ran out; as `trio.serve_listeners`"""
KEEPALIVE: Final = 1.0
"""seconds: the PING interval assumed for a peer that has not sent a PING yet"""
IDLE: Final = 50e-6
"""seconds without a write; after them the next message is written from within ``send``"""


class Backoff:
    """Waits that grow: each is drawn between 0 and a bound, and the bound doubles.

    The draw over the whole range ("full jitter") keeps a thousand peers of a restarted server from coming back in
    step. It does so only if the range is as long as the time that the peers have in common. So the bound is never
    below the time that the failed attempt took: all of the peers may have run into the same time limit.
    """

    def __init__(self, first: float, most: float, rng: random.Random) -> None:
        self._first = first
        self._most = max(first, most)
        self._random = rng
        self._failures = 0

    def reset(self) -> None:
        """Begin again with the first bound."""
        self._failures = 0

    def next_wait(self, attempt: float = 0.0) -> float:
        """Seconds to wait after one more failure.

        Args:
          attempt: seconds that the failed attempt took.
        """
        doublings = min(self._failures, 64)
        self._failures += 1
        return self._random.uniform(0, min(self._most, max(attempt, math.ldexp(self._first, doublings))))
