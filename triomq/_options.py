"""Socket options: what they are called, what they may be, where they mean something.

Times are seconds, sizes octets, ``math.inf`` is "for ever" or "no bound". Every field carries the
libzmq option it stands for; the table in the reference is generated from these fields.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypedDict

import attrs

from ._advice import explain_option, refuse_option_change
from ._message import BytesLike
from ._option_pairs import conflate_topics, order_waits, refuse_half_options

_Validator = Callable[[Any, "attrs.Attribute[Any]", Any], None]

_LONGEST = 1_000_000_000
"""seconds, 31 years: the longest finite time; larger ones would overflow when they are added up or doubled"""
_MOST = 2**63
"""the largest finite bound: more than any machine can count up to"""
_INT_MAX = 2**31 - 1
"""the largest number that the system's calls take"""
_KEEPALIVE_SECONDS, _KEEPALIVE_PROBES = 32767, 127
"""seconds and probes: the largest that Linux takes"""


def _fail(field: attrs.Attribute[Any], value: object, wanted: str) -> None:
    raise ValueError(f"option {field.name}={_cut(value)}: it is {wanted}")


def _cut(value: object) -> str:
    """A value as text; Python refuses to write a whole number of thousands of digits."""
    if isinstance(value, int) and value.bit_length() > 256:
        return f"{'-' if value < 0 else ''}2**{value.bit_length() - 1} or more"
    return repr(value)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value == value  # nan equals nothing


def _seconds(_: object, field: attrs.Attribute[Any], value: Any) -> None:
    if not _is_number(value) or value < 0:
        _fail(field, value, "a time in seconds, 0 or more (math.inf for no bound)")
    _refuse_more(field, value, _LONGEST, f"a time in seconds, {_LONGEST} or less, or math.inf for no bound")


def _positive_seconds(_: object, field: attrs.Attribute[Any], value: Any) -> None:
    if not _is_number(value) or value <= 0:
        _fail(field, value, "a time in seconds above 0 (math.inf for no bound)")
    _seconds(_, field, value)


def _refuse_more(field: attrs.Attribute[Any], value: Any, most: int, wanted: str) -> None:
    if most < value != math.inf:
        _fail(field, value, wanted)


def _ttl(_: object, field: attrs.Attribute[Any], value: Any) -> None:
    # 37/ZMTP §2.6.1: a PING carries the TTL as 16 bits of tenths of a second.
    if not _is_number(value) or not 0 <= value <= 6553.5:
        _fail(field, value, "a time in seconds from 0 (none) to 6553.5, the most that a PING can say")


def _bound(what: str) -> _Validator:
    def check(_: object, field: attrs.Attribute[Any], value: Any) -> None:
        if value != math.inf and not _is_whole(value, 0):
            _fail(field, value, f"a whole number of {what}, 0 or more, or math.inf for no bound")
        _refuse_more(field, value, _MOST, f"a whole number of {what}, 2**63 or less, or math.inf for no bound")

    return check


def _is_whole(value: Any, minimum: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= minimum


def _at_least(minimum: int, what: str) -> _Validator:
    def check(_: object, field: attrs.Attribute[Any], value: Any) -> None:
        if not _is_whole(value, minimum):
            _fail(field, value, f"{what}, {minimum} or more")
        _refuse_more(field, value, _MOST, f"{what}, 2**63 or less")

    return check


def _between(minimum: int, maximum: int, what: str) -> _Validator:
    def check(_: object, field: attrs.Attribute[Any], value: Any) -> None:
        if not _is_whole(value, minimum) or value > maximum:
            _fail(field, value, f"{what} from {minimum} to {maximum}")

    return check


def _flag(_: object, field: attrs.Attribute[Any], value: Any) -> None:
    if not isinstance(value, bool):
        _fail(field, value, "True or False")


def _conflate(_: object, field: attrs.Attribute[Any], value: Any) -> None:
    if value != "topics" and not isinstance(value, bool):
        _fail(field, value, 'True, False or "topics"')


def _routing_id(_: object, field: attrs.Attribute[Any], value: Any) -> None:
    if not isinstance(value, bytes) or len(value) > 255:
        _fail(field, value, "bytes, 255 octets at the most")
    if value[:1] == b"\0":
        _fail(field, value, "not allowed to begin with a zero octet: those are the ROUTER's own")


_hwm = _at_least(0, "a number of messages (0 for no limit)")


def _system(what: str, maximum: int) -> _Validator:
    return attrs.validators.optional(
        _between(1, maximum, f"None for the system's default, or a whole number of {what}")
    )


def _ipc_mode(_: object, field: attrs.Attribute[Any], value: Any) -> None:
    if value is None or (_is_whole(value, 0) and value <= 0o777):
        return
    wanted = "None for what the umask leaves, or permission bits from 0 to 0o777"
    if isinstance(value, int) and set(str(value)) <= set("01234567") and len(str(value)) == 3:
        wanted += f"; write 0o{value} for the bits that chmod calls {value}"
    _fail(field, value, wanted)


def _option(default: Any, validator: _Validator, zmq: str, libzmq: str, unit: str, doc: str, types: str = "all") -> Any:
    metadata = {"zmq": zmq, "libzmq": libzmq, "unit": unit, "doc": doc, "types": frozenset(types.split())}
    return attrs.field(default=default, validator=validator, metadata=metadata)


@attrs.frozen(kw_only=True)
class Options:
    """The options of one socket, fixed at its creation."""

    send_hwm: int = _option(
        1000, _hwm, "ZMQ_SNDHWM", "1000", "messages", "Most messages queued for one peer; 0 is no limit."
    )
    receive_hwm: int = _option(
        1000, _hwm, "ZMQ_RCVHWM", "1000", "messages", "Most messages queued from one peer; 0 is no limit."
    )
    linger: float = _option(
        1.0, _seconds, "ZMQ_LINGER", "-1 (for ever)", "seconds", "How long closing goes on sending what is queued."
    )
    immediate: bool = _option(
        False, _flag, "ZMQ_IMMEDIATE", "0", "", "Queue only for peers that are there, not for those to come."
    )
    routing_id: bytes = _option(
        b"", _routing_id, "ZMQ_ROUTING_ID", "empty", "octets", "The name a ROUTER peer knows this socket by."
    )
    max_message_size: float = _option(
        math.inf, _bound("octets"), "ZMQ_MAXMSGSIZE", "-1 (no bound)", "octets",
        "A peer that sends more in one message is dropped.",
    )  # fmt: skip
    max_frames: int = _option(
        65_536, _at_least(1, "a number of frames"), "", "", "frames",
        "In one message: `send` refuses more, and a peer that sends more is dropped.",
    )  # fmt: skip
    reconnect_interval: float = _option(
        0.1, _positive_seconds, "ZMQ_RECONNECT_IVL", "100 ms", "seconds", "Upper bound of the first wait to reconnect."
    )
    reconnect_interval_max: float | None = _option(
        None, attrs.validators.optional(_seconds), "ZMQ_RECONNECT_IVL_MAX", "0 (no growth)", "seconds",
        "The bound doubles with each failure up to this, and is no less than the attempt took; each wait is drawn "
        "between 0 and the bound. 0 is no growth; None is 1 s for a peer on this machine, and 30 s for any other.",
    )  # fmt: skip
    connect_timeout: float = _option(
        30.0, _positive_seconds, "ZMQ_CONNECT_TIMEOUT", "0 (the system's)", "seconds", "For one attempt to connect."
    )
    handshake_timeout: float = _option(
        30.0, _positive_seconds, "ZMQ_HANDSHAKE_IVL", "30000 ms", "seconds", "From the connection to the peer's READY."
    )
    greeting_timeout: float = _option(
        10.0, _positive_seconds, "", "", "seconds",
        "From an accepted connection to the end of the peer's greeting; a part of ``handshake_timeout``.",
    )  # fmt: skip
    heartbeat_interval: float = _option(
        0.0, _seconds, "ZMQ_HEARTBEAT_IVL", "0 (off)", "seconds", "Between PINGs to a peer; 0 is none."
    )
    heartbeat_timeout: float | None = _option(
        None, attrs.validators.optional(_positive_seconds), "ZMQ_HEARTBEAT_TIMEOUT", "the interval", "seconds",
        "A peer silent for so long after a PING is dropped; None is the interval. Needs ``heartbeat_interval``.",
    )  # fmt: skip
    heartbeat_ttl: float = _option(
        0.0, _ttl, "ZMQ_HEARTBEAT_TTL", "0 (none)", "seconds",
        "After such a silence the peer shall drop us: choose it above ``heartbeat_interval``, which it needs.",
    )  # fmt: skip
    conflate: bool | str = _option(
        False, _conflate, "ZMQ_CONFLATE", "0", "",
        'Keep only the newest message for each peer (True), or the newest of each topic (``"topics"``). PUB and SUB '
        'make ``"topics"`` of True, unless an HWM of 1 is given. See :ref:`conflate`.',
        "DEALER PUB SUB PUSH PULL",
    )  # fmt: skip
    router_mandatory: bool = _option(
        False, _flag, "ZMQ_ROUTER_MANDATORY", "0", "",
        "Raise for an unknown routing id and wait for a full peer, instead of dropping.", "ROUTER",
    )  # fmt: skip
    router_handover: bool = _option(
        False, _flag, "ZMQ_ROUTER_HANDOVER", "0", "", "A new peer takes over a routing id in use.", "ROUTER"
    )
    probe_router: bool = _option(
        False, _flag, "ZMQ_PROBE_ROUTER", "0", "", "Send an empty message to each new peer.", "REQ DEALER ROUTER"
    )
    req_correlate: bool = _option(
        False, _flag, "ZMQ_REQ_CORRELATE", "0", "", "Put a request id before each request and match replies by it.",
        "REQ",
    )  # fmt: skip
    req_relaxed: bool = _option(
        False, _flag, "ZMQ_REQ_RELAXED", "0", "", "Allow a new request before the reply; the old one is given up.",
        "REQ",
    )  # fmt: skip
    xpub_verbose: bool = _option(
        False, _flag, "ZMQ_XPUB_VERBOSE", "0", "", "Receive every subscription, not only the first to a topic.", "XPUB"
    )
    xpub_verboser: bool = _option(
        False, _flag, "ZMQ_XPUB_VERBOSER", "0", "",
        "Receive every subscription and every cancellation; ``xpub_verbose`` is part of this.", "XPUB",
    )  # fmt: skip
    xpub_nodrop: bool = _option(
        False, _flag, "ZMQ_XPUB_NODROP", "0", "", "Wait while any matching peer is full, instead of dropping.",
        "PUB XPUB",
    )  # fmt: skip
    invert_matching: bool = _option(
        False, _flag, "ZMQ_INVERT_MATCHING", "0", "", "Pass what matches no subscription.", "PUB SUB XPUB"
    )
    max_subscriptions: float = _option(
        100_000, _bound("topics"), "", "", "topics",
        "Topics of one peer; a peer that subscribes to more is disconnected, and told why.", "PUB XPUB",
    )  # fmt: skip
    max_subscription_bytes: float = _option(
        64 * 1024 * 1024, _bound("octets"), "", "", "octets", "In all topics of one peer together; likewise.",
        "PUB XPUB",
    )  # fmt: skip
    ipv6: bool = _option(True, _flag, "ZMQ_IPV6", "0", "", "Allow IPv6 beside IPv4.")
    backlog: int = _option(
        65535, _between(1, _INT_MAX, "a number of connections"), "ZMQ_BACKLOG", "100", "connections",
        "Most connections that the system keeps until they are accepted. The system lowers it to its own limit: on "
        "Linux ``net.core.somaxconn``, mostly 4096.",
    )  # fmt: skip
    send_buffer: int | None = _option(
        None, _system("octets", _INT_MAX), "ZMQ_SNDBUF", "-1", "octets",
        "The kernel's send buffer. None is the system's default for tcp, and 2 MiB for ipc.",
    )  # fmt: skip
    receive_buffer: int | None = _option(
        None, _system("octets", _INT_MAX), "ZMQ_RCVBUF", "-1", "octets", "The kernel's receive buffer."
    )
    tcp_keepalive: bool | None = _option(
        None, attrs.validators.optional(_flag), "ZMQ_TCP_KEEPALIVE", "-1", "",
        "Probe idle tcp connections. None is the system's default.",
    )  # fmt: skip
    tcp_keepalive_idle: int | None = _option(
        None, _system("seconds", _KEEPALIVE_SECONDS), "ZMQ_TCP_KEEPALIVE_IDLE", "-1", "seconds",
        "Silence before the first probe; needs ``tcp_keepalive=True``.",
    )  # fmt: skip
    tcp_keepalive_interval: int | None = _option(
        None, _system("seconds", _KEEPALIVE_SECONDS), "ZMQ_TCP_KEEPALIVE_INTVL", "-1", "seconds",
        "Between probes; needs ``tcp_keepalive=True``.",
    )  # fmt: skip
    tcp_keepalive_count: int | None = _option(
        None, _system("probes", _KEEPALIVE_PROBES), "ZMQ_TCP_KEEPALIVE_CNT", "-1", "probes",
        "Unanswered probes before the connection is dead; needs ``tcp_keepalive=True``.",
    )  # fmt: skip
    ipc_mode: int | None = _option(
        None, _ipc_mode, "", "", "",
        "Permission bits of the file of a bound ``ipc://`` path, such as ``0o660``. None is what the umask leaves.",
    )  # fmt: skip
    max_peers: float = _option(
        math.inf, _bound("connections"), "", "", "peers", "Accepted connections at one time; more are closed at once."
    )
    max_handshakes: int = _option(
        1000, _at_least(1, "a number of connections"), "", "", "connections",
        "Accepted ones whose handshake is not complete; one more, and one that has said nothing makes way.",
    )  # fmt: skip
    max_waiting: int = _option(
        100, _at_least(1, "a number of connections"), "", "", "connections",
        "Peers that wait for a place, as a second peer of a PAIR or of a routing id in use; one more, and the oldest "
        "makes way.",
    )  # fmt: skip
    waiting_timeout: float = _option(
        7200.0, _positive_seconds, "", "", "seconds", "How long such a peer waits before it is disconnected."
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


class OptionArguments(TypedDict, total=False):
    """The keyword arguments of `Context.socket`; see `Options` for what each means."""

    hwm: int
    send_hwm: int
    receive_hwm: int
    linger: float
    immediate: bool
    routing_id: bytes
    max_message_size: float
    max_frames: int
    reconnect_interval: float
    reconnect_interval_max: float | None
    connect_timeout: float
    handshake_timeout: float
    greeting_timeout: float
    heartbeat_interval: float
    heartbeat_timeout: float | None
    heartbeat_ttl: float
    conflate: bool | str
    router_mandatory: bool
    router_handover: bool
    probe_router: bool
    req_correlate: bool
    req_relaxed: bool
    xpub_verbose: bool
    xpub_verboser: bool
    xpub_nodrop: bool
    invert_matching: bool
    max_subscriptions: float
    max_subscription_bytes: float
    ipv6: bool
    backlog: int
    send_buffer: int | None
    receive_buffer: int | None
    tcp_keepalive: bool | None
    tcp_keepalive_idle: int | None
    tcp_keepalive_interval: int | None
    tcp_keepalive_count: int | None
    ipc_mode: int | None
    max_peers: float
    max_handshakes: int
    max_waiting: int
    waiting_timeout: float
    topics: Iterable[BytesLike | str]


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
