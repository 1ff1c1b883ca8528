"""Socket options: what they are called, what they may be, where they mean something.

Times are seconds, sizes bytes, ``math.inf`` is "for ever" or "no bound". Every field carries the
libzmq option it stands for; the table in the reference is generated from these fields.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs

from .._advice import explain_option, refuse_option_change
from .._record import Record
from .._security import Security
from . import _values
from ._pairs import conflate_topics, order_waits, refuse_half_options

_INT_MAX = 2**31 - 1
"""the largest number that the system's calls take"""
_FASTEST = 10_000_000_000
"""bytes in a second: more than any network"""
_SMALLEST_TPDU = 128
"""bytes: room for all headers, and for some data"""
_MULTICAST = "PUB XPUB SUB XSUB"
_KEEPALIVE_SECONDS, _KEEPALIVE_PROBES = 32767, 127
"""seconds and probes: the largest that Linux takes"""


def _option(
    default: Any,
    validator: _values.Validator,
    zmq: str,
    libzmq: str,
    unit: str,
    doc: str,
    types: str = "all",
    converter: Callable[[Any], Any] | None = None,
) -> Any:
    metadata = {"zmq": zmq, "libzmq": libzmq, "unit": unit, "doc": doc, "types": frozenset(types.split())}
    return attrs.field(default=default, validator=validator, converter=converter, metadata=metadata)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Options(Record):
    """The options of one socket, fixed at its creation."""

    send_hwm: int = _option(
        1000, _values.hwm, "ZMQ_SNDHWM", "1000", "messages", "Most messages queued for one peer; 0 is no limit."
    )
    receive_hwm: int = _option(
        1000, _values.hwm, "ZMQ_RCVHWM", "1000", "messages", "Most messages queued from one peer; 0 is no limit."
    )
    linger: float = _option(
        1.0,
        _values.seconds,
        "ZMQ_LINGER",
        "-1 (for ever)",
        "seconds",
        "How long closing goes on sending what is queued.",
    )
    immediate: bool = _option(
        False, _values.flag, "ZMQ_IMMEDIATE", "0", "", "Queue only for peers that are there, not for those to come."
    )
    routing_id: bytes = _option(
        b"", _values.routing_id, "ZMQ_ROUTING_ID", "empty", "bytes", "The name a ROUTER peer knows this socket by."
    )
    mechanism: Security | None = _option(  # noqa: RUF009  # as all others
        None, _values.mechanism, "ZMQ_MECHANISM", "NULL", "",
        "How connections are secured: `Plain`, `Curve`, or a mechanism of your own. None is NULL: not at all.",
    )  # fmt: skip
    accept_from: tuple[str, ...] | None = _option(
        None, _values.accept_from, "ZMQ_TCP_ACCEPT_FILTER", "everywhere", "",
        "The only places that accepted peers may come from: IP addresses, networks, and for ``ipc`` ``uid:N`` and "
        "``gid:N``. Another connection is closed before a byte is written. None is everywhere.",
        converter=_values.as_tuple,
    )  # fmt: skip
    max_message_size: float = _option(
        math.inf, _values.bound("bytes"), "ZMQ_MAXMSGSIZE", "-1 (no bound)", "bytes",
        "A peer that sends more in one message is dropped.",
    )  # fmt: skip
    max_frames: int = _option(
        65_536, _values.at_least(1, "a number of frames"), "", "", "frames",
        "In one message, as a program sends or receives it: `send` refuses more, and a peer that sends more is "
        "dropped. A ROUTER counts the routing id of what it receives; a REQ sends 3 fewer, the frames of an envelope.",
    )  # fmt: skip
    reconnect_interval: float = _option(
        0.1,
        _values.positive_seconds,
        "ZMQ_RECONNECT_IVL",
        "100 ms",
        "seconds",
        "Upper bound of the first wait to reconnect; ``math.inf`` is not to.",
    )
    reconnect_interval_max: float | None = _option(
        None, attrs.validators.optional(_values.seconds), "ZMQ_RECONNECT_IVL_MAX", "0 (no growth)", "seconds",
        "The bound doubles with each failure up to this, and is no less than the attempt took; each wait is drawn "
        "between 0 and the bound. 0 is no growth; None is 1 s for a peer on this machine, and 30 s for any other.",
    )  # fmt: skip
    connect_timeout: float = _option(
        30.0,
        _values.positive_seconds,
        "ZMQ_CONNECT_TIMEOUT",
        "0 (the system's)",
        "seconds",
        "For one attempt to connect.",
    )
    handshake_timeout: float = _option(
        30.0,
        _values.positive_seconds,
        "ZMQ_HANDSHAKE_IVL",
        "30000 ms",
        "seconds",
        "From the connection to the peer's READY.",
    )
    greeting_timeout: float = _option(
        10.0, _values.positive_seconds, "", "", "seconds",
        "From an accepted connection to the end of the peer's greeting; a part of ``handshake_timeout``.",
    )  # fmt: skip
    heartbeat_interval: float = _option(
        0.0, _values.seconds, "ZMQ_HEARTBEAT_IVL", "0 (off)", "seconds", "Between PINGs to a peer; 0 is none."
    )
    heartbeat_timeout: float | None = _option(
        None, attrs.validators.optional(_values.positive_seconds), "ZMQ_HEARTBEAT_TIMEOUT", "the interval", "seconds",
        "A peer silent for so long after a PING is dropped; None is the interval. Needs ``heartbeat_interval``.",
    )  # fmt: skip
    heartbeat_ttl: float = _option(
        0.0, _values.ttl, "ZMQ_HEARTBEAT_TTL", "0 (none)", "seconds",
        "After such a silence the peer shall drop us: choose it above ``heartbeat_interval``, which it needs.",
    )  # fmt: skip
    conflate: bool | str = _option(
        False, _values.conflate, "ZMQ_CONFLATE", "0", "",
        'Keep only the newest message for each peer (True), or the newest of each topic (``"topics"``). PUB and SUB '
        'make ``"topics"`` of True, unless an HWM of 1 is given. See :ref:`conflate`.',
        "DEALER PUB SUB PUSH PULL",
    )  # fmt: skip
    router_mandatory: bool = _option(
        False, _values.flag, "ZMQ_ROUTER_MANDATORY", "0", "",
        "Raise for an unknown routing id and wait for a full peer, instead of dropping.", "ROUTER",
    )  # fmt: skip
    router_handover: bool = _option(
        False, _values.flag, "ZMQ_ROUTER_HANDOVER", "0", "", "A new peer takes over a routing id in use.", "ROUTER"
    )
    probe_router: bool = _option(
        False, _values.flag, "ZMQ_PROBE_ROUTER", "0", "", "Send an empty message to each new peer.", "REQ DEALER ROUTER"
    )
    req_correlate: bool = _option(
        False, _values.flag, "ZMQ_REQ_CORRELATE", "0", "",
        "Put a request id before each request and match replies by it.", "REQ",
    )  # fmt: skip
    req_relaxed: bool = _option(
        False, _values.flag, "ZMQ_REQ_RELAXED", "0", "",
        "Allow a new request before the reply; the old one is given up.", "REQ",
    )  # fmt: skip
    xpub_verbose: bool = _option(
        False,
        _values.flag,
        "ZMQ_XPUB_VERBOSE",
        "0",
        "",
        "Receive every subscription, not only the first to a topic.",
        "XPUB",
    )
    xpub_verboser: bool = _option(
        False, _values.flag, "ZMQ_XPUB_VERBOSER", "0", "",
        "Receive every subscription and every cancellation; ``xpub_verbose`` is part of this.", "XPUB",
    )  # fmt: skip
    xpub_nodrop: bool = _option(
        False, _values.flag, "ZMQ_XPUB_NODROP", "0", "", "Wait while any matching peer is full, instead of dropping.",
        "PUB XPUB",
    )  # fmt: skip
    invert_matching: bool = _option(
        False, _values.flag, "ZMQ_INVERT_MATCHING", "0", "", "Pass what matches no subscription.", "PUB SUB XPUB"
    )
    max_subscriptions: float = _option(
        100_000, _values.bound("topics"), "", "", "topics",
        "Topics of one peer; a peer that subscribes to more is disconnected, and told why.", "PUB XPUB",
    )  # fmt: skip
    max_subscription_bytes: float = _option(
        64 * 1024 * 1024, _values.bound("bytes"), "", "", "bytes", "In all topics of one peer together; likewise.",
        "PUB XPUB",
    )  # fmt: skip
    busy_poll: float = _option(
        0.0, _values.moment, "ZMQ_BUSY_POLL", "0 (the system's)", "seconds",
        "Where this socket has just sent to its only peer: try to read for so long before other tasks run. 0 is not "
        "to. See :ref:`busy-poll`.", "REQ REP DEALER ROUTER PAIR",
    )  # fmt: skip
    ipv6: bool = _option(True, _values.flag, "ZMQ_IPV6", "0", "", "Allow IPv6 beside IPv4.")
    backlog: int = _option(
        65535, _values.between(1, _INT_MAX, "a number of connections"), "ZMQ_BACKLOG", "100", "connections",
        "Most connections that the system keeps until they are accepted. The system lowers it to its own limit: on "
        "Linux ``net.core.somaxconn``, mostly 4096.",
    )  # fmt: skip
    send_buffer: int | None = _option(
        None, _values.system("bytes", _INT_MAX), "ZMQ_SNDBUF", "-1", "bytes",
        "The kernel's send buffer. None is the system's default for tcp, and 2 MiB for ipc.",
    )  # fmt: skip
    receive_buffer: int | None = _option(
        None, _values.system("bytes", _INT_MAX), "ZMQ_RCVBUF", "-1", "bytes", "The kernel's receive buffer."
    )
    tcp_keepalive: bool | None = _option(
        None, attrs.validators.optional(_values.flag), "ZMQ_TCP_KEEPALIVE", "-1", "",
        "Probe idle tcp connections. None is the system's default.",
    )  # fmt: skip
    tcp_keepalive_idle: int | None = _option(
        None, _values.system("seconds", _KEEPALIVE_SECONDS), "ZMQ_TCP_KEEPALIVE_IDLE", "-1", "seconds",
        "Silence before the first probe; needs ``tcp_keepalive=True``.",
    )  # fmt: skip
    tcp_keepalive_interval: int | None = _option(
        None, _values.system("seconds", _KEEPALIVE_SECONDS), "ZMQ_TCP_KEEPALIVE_INTVL", "-1", "seconds",
        "Between probes; needs ``tcp_keepalive=True``.",
    )  # fmt: skip
    tcp_keepalive_count: int | None = _option(
        None, _values.system("probes", _KEEPALIVE_PROBES), "ZMQ_TCP_KEEPALIVE_CNT", "-1", "probes",
        "Unanswered probes before the connection is dead; needs ``tcp_keepalive=True``.",
    )  # fmt: skip
    rate: int = _option(
        1_250_000, _values.between(1000, _FASTEST, "a number of bytes in a second"),
        "ZMQ_RATE", "100 kbit/s", "bytes in a second",
        "The most that a sender sends to a multicast group, headers counted; and as much again of repairs.",
        _MULTICAST,
    )  # fmt: skip
    recovery_interval: float = _option(
        10.0, _values.finite_seconds, "ZMQ_RECOVERY_IVL", "10000 ms", "seconds",
        "For so long a sender to a multicast group can repair what was lost, at the full ``rate``. The product of both "
        "is the memory that a sender, and a receiver for each sender, takes at the most.", _MULTICAST,
    )  # fmt: skip
    multicast_hops: int = _option(
        1, _values.between(1, 255, "a number of networks"), "ZMQ_MULTICAST_HOPS", "1", "networks",
        "How far a multicast datagram goes: 1 is to this network, and each router takes one.", _MULTICAST,
    )  # fmt: skip
    multicast_max_tpdu: int = _option(
        1500, _values.between(_SMALLEST_TPDU, 65535, "a number of bytes"), "ZMQ_MULTICAST_MAXTPDU", "1500", "bytes",
        "The largest multicast datagram, headers counted.", _MULTICAST,
    )  # fmt: skip
    multicast_loop: bool = _option(
        True, _values.flag, "ZMQ_MULTICAST_LOOP", "1 (pgm: always 0)", "",
        "What is sent to a multicast group is received on this machine, too.", _MULTICAST,
    )  # fmt: skip
    ipc_mode: int | None = _option(
        None, _values.ipc_mode, "", "", "",
        "Permission bits of the file of a bound ``ipc://`` path, such as ``0o660``. None is what the umask leaves.",
    )  # fmt: skip
    max_peers: float = _option(
        math.inf,
        _values.bound("connections"),
        "",
        "",
        "peers",
        "Accepted connections at one time; more are closed at once.",
    )
    max_handshakes: int = _option(
        1000, _values.at_least(1, "a number of connections"), "", "", "connections",
        "Accepted ones whose handshake is not complete; one more, and one that has said nothing makes way.",
    )  # fmt: skip
    max_waiting: int = _option(
        100, _values.at_least(1, "a number of connections"), "", "", "connections",
        "Peers that wait for a place, as a second peer of a PAIR or of a routing id in use; one more, and the oldest "
        "makes way.",
    )  # fmt: skip
    waiting_timeout: float = _option(
        7200.0, _values.positive_seconds, "", "", "seconds", "How long such a peer waits before it is disconnected."
    )

    @property
    def send_limit(self) -> float:
        """`send_hwm` as a limit: ``math.inf`` for none."""
        return self.send_hwm or math.inf

    @property
    def receive_limit(self) -> float:
        """`receive_hwm` as a limit: ``math.inf`` for none."""
        return self.receive_hwm or math.inf


ZMQ_NAMES: Final[Mapping[str, str]] = {"hwm": "ZMQ_HWM"} | {
    field.name: field.metadata["zmq"] for field in attrs.fields(Options)
}
"""Each option, and what libzmq calls it; nothing where libzmq has none."""


Options.__setattr__ = Options.__delattr__ = refuse_option_change  # type: ignore[method-assign]  # that of attrs says nothing


def make_options(socket_type: str, arguments: dict[str, Any]) -> Options:
    """Build the options of a new socket from the user's keyword arguments.

    Raises:
      TypeError: there is no such option, or it means nothing for this socket type.
      ValueError: a value is out of range, or two contradict each other.
    """
    given = dict(arguments)
    fields = attrs.fields_dict(Options)
    if "hwm" in given:
        both = given.pop("hwm")
        for name in ("send_hwm", "receive_hwm"):
            if name in given:
                raise ValueError(f"hwm= sets both send_hwm and receive_hwm: give hwm or {name}, not both")
            given[name] = both
    for name in given:
        if name not in fields:
            raise TypeError(f"{socket_type} has no option {name!r}: {_instead(socket_type, name)}")
        if not _applies(fields[name], socket_type):
            types = ", ".join(sorted(fields[name].metadata["types"]))
            raise TypeError(f"option {name!r} means nothing for {socket_type}; it is for {types}")
    options = Options(**given)
    refuse_half_options(options, given)
    return conflate_topics(order_waits(options, given), given, socket_type)


def _instead(socket_type: str, name: str) -> str:
    fields = attrs.fields_dict(Options)
    seconds = [ours for ours, field in fields.items() if field.metadata["unit"] == "seconds"]
    here = ["hwm", *(ours for ours, field in fields.items() if _applies(field, socket_type))]
    return explain_option(name, ZMQ_NAMES, seconds, here)


def _applies(field: attrs.Attribute[Any], socket_type: str) -> bool:
    types = field.metadata["types"]
    return "all" in types or socket_type in types
