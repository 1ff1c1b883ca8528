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


_ONE_MESSAGE = (
    "conflate=True keeps one message for each peer; give no HWM beside it, or give conflate='topics', and the HWM is "
    "how many topics may wait"
)


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
    if options.conflate is True:
        for name in ("send_hwm", "receive_hwm"):
            if name in given and getattr(options, name) != 1:
                refuse(name, _ONE_MESSAGE)
    if options.conflate and options.xpub_nodrop:
        why = f"a peer is never full with conflate={options.conflate!r}, which replaces the message that waits"
        refuse("xpub_nodrop", why)


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


def conflate_topics(options: Options, given: Container[str], socket_type: str) -> Options:
    """Where messages have topics, keep the newest of each; an HWM of 1, which `refuse_half_options` lets pass, is one.

    libzmq's option is for messages of one frame, and there both are the same.
    """
    if options.conflate is not True or socket_type not in ("PUB", "SUB"):
        return options
    if "send_hwm" in given or "receive_hwm" in given:
        return options
    return attrs.evolve(options, conflate="topics")
