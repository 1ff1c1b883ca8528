"""Options that mean something only beside others.

libzmq takes every pair, and does nothing, or something else, without a word. Here a pair that can do nothing is
refused, and where one of two was given the other one gives way.
"""

from __future__ import annotations

import math
from collections.abc import Container
from typing import TYPE_CHECKING, NoReturn

import attrs

if TYPE_CHECKING:
    from ._options import Options


def refuse_half_options(options: Options, given: Container[str]) -> None:
    """Refuse an option that does nothing beside the others, instead of silently leaving it out.

    libzmq takes all of these.

    Raises:
      ValueError: one does nothing, or contradicts another.
    """

    def refuse(name: str, why: str) -> NoReturn:
        raise ValueError(f"option {name}={getattr(options, name)!r}: {why}")

    interval = options.heartbeat_interval
    for name in ("heartbeat_timeout", "heartbeat_ttl"):
        if getattr(options, name) and interval in (0, math.inf):
            refuse(name, "it does nothing without PINGs; give heartbeat_interval= too")
    for name in ("tcp_keepalive_idle", "tcp_keepalive_interval", "tcp_keepalive_count"):
        if getattr(options, name) is not None and not options.tcp_keepalive:
            refuse(name, "it does nothing unless probes are switched on; give tcp_keepalive=True too")
    if options.conflate:
        for name in ("send_hwm", "receive_hwm"):
            if name in given and getattr(options, name) != 1:
                refuse(name, "conflate=True keeps one message for each peer; give no HWM beside it")
        if options.xpub_nodrop:
            refuse("xpub_nodrop", "a peer is never full with conflate=True, which replaces the message that waits")


def order_waits(options: Options, given: Container[str]) -> Options:
    """Make of the two options for reconnecting, if only one was given, a pair that fits: the default one gives way.

    Raises:
      ValueError: both were given, and contradict each other.
    """
    first, most = options.reconnect_interval, options.reconnect_interval_max
    if not most or most >= first:
        return options
    if "reconnect_interval" not in given:
        return attrs.evolve(options, reconnect_interval=most)
    if "reconnect_interval_max" not in given:
        return attrs.evolve(options, reconnect_interval_max=first)
    raise ValueError(
        f"option reconnect_interval_max={most!r}: it is the bound that reconnect_interval={first!r} grows up to, "
        "so it is no less than that, or 0 for no growth"
    )
