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
NEAREST: Final = 1.0
"""seconds: ``reconnect_interval_max`` where it is not given, to an endpoint on this machine"""
FARTHEST: Final = 30.0
"""seconds: ``reconnect_interval_max`` where it is not given, to any other endpoint"""
REFUSED_FIRST: Final = 10.0
"""seconds: bound of the first wait after a peer has refused this socket"""
REFUSED_MOST: Final = 300.0
"""seconds: bound of the last such waits, if ``reconnect_interval_max`` is not more"""
IDLE: Final = 50e-6
"""seconds without a write; after them the next message is written from within ``send``"""


class Backoff:
    """Waits that grow: each is drawn between 0 and a bound, and the bound doubles.

    The draw over the whole range ("full jitter") keeps a thousand peers of a restarted server from coming back in
    step. It does so only if the range is as long as the time that the peers have in common. So the bound is never
    below the time that the failed attempt took: all of the peers may have run into the same time limit.

    Args:
      first: seconds, the first bound; ``math.inf`` makes each wait one for ever.
      most: seconds, the last bound that doubling leads to.
      rng: draws the waits.
      longest: seconds, the last bound that long attempts lead to; ``most`` if it is not given.
      least: the part of the bound that each wait has at least.
    """

    __slots__ = ("_failures", "_first", "_least", "_longest", "_most", "_random")

    def __init__(
        self, first: float, most: float, rng: random.Random, *, longest: float = 0.0, least: float = 0.0
    ) -> None:
        self._first = first
        self._most = max(first, most)
        self._longest = max(self._most, longest)
        self._random = rng
        self._least = least
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
        bound = max(min(self._longest, attempt), min(self._most, math.ldexp(self._first, doublings)))
        if bound == math.inf:
            return bound  # dice know no such range: they would draw what is no number
        return self._random.uniform(self._least * bound, bound)
