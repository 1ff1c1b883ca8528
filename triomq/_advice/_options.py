"""Options by the names that libzmq, pyzmq and habit have for them."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Final, NoReturn

import attrs

from ._libzmq import ABSENT, ALIASES, ELSEWHERE

_TIME_LIMIT: Final = (
    "no call has a time limit of its own: write 'with trio.move_on_after(seconds):' around the call, or "
    "'with trio.fail_after(seconds):'"
)
_CURVE: Final = (
    "write mechanism=triomq.Curve(server_key, keypair) for a client, mechanism=triomq.Curve.server(keypair) for the "
    "server"
)
_PLAIN: Final = (
    "write mechanism=triomq.Plain(username, password) for a client, "
    "mechanism=triomq.Plain.server({username: password}) for the server"
)
_OTHERS: Final = {
    **dict.fromkeys(("curve", "curveserver", "curveserverkey", "curvepublickey", "curvesecretkey"), _CURVE),
    **dict.fromkeys(("serverkey", "publickey", "secretkey", "keypair", "keys"), _CURVE),
    **dict.fromkeys(("plain", "plainserver", "plainusername", "plainpassword", "username", "password"), _PLAIN),
    "timeout": _TIME_LIMIT,
    "recvtimeout": _TIME_LIMIT,
    "receivetimeout": _TIME_LIMIT,
    "sendtimeout": _TIME_LIMIT,
    "rcvtimeout": _TIME_LIMIT,
    "sndtimeout": _TIME_LIMIT,
    "rcvtimeo": _TIME_LIMIT,
    "sndtimeo": _TIME_LIMIT,
    "subscribe": "a SUB is made with topics=['…'], or subscribes with sub.subscribe('…')",
    "unsubscribe": "a SUB takes a subscription back with sub.unsubscribe('…')",
    "subscriptions": "a SUB is made with topics=['…']",
    "topic": "a SUB is made with topics=['…']",
    "filter": "a SUB is made with topics=['…']",
    "endpoint": "write connect='tcp://…' or bind='tcp://…'",
    "address": "write connect='tcp://…' or bind='tcp://…'",
    "addr": "write connect='tcp://…' or bind='tcp://…'",
    "topics": "topics are for a SUB; an XSUB sends its subscriptions",
}
_OUR_NAMES: Final = {
    "id": "routing_id",
    "identity": "routing_id",
    "hwmsend": "send_hwm",
    "recvhwm": "receive_hwm",
    "readhwm": "receive_hwm",
    "writehwm": "send_hwm",
    "highwatermark": "hwm",
    "maxsize": "hwm",
    "queuesize": "hwm",
    "lingerms": "linger",
    "keepalive": "tcp_keepalive",
    "keepaliveidle": "tcp_keepalive_idle",
    "keepaliveinterval": "tcp_keepalive_interval",
    "keepalivecount": "tcp_keepalive_count",
    "heartbeat": "heartbeat_interval",
    "mandatory": "router_mandatory",
    "handover": "router_handover",
    "reconnectintervalmaximum": "reconnect_interval_max",
    "reconnect": "reconnect_interval",
    "maxmessage": "max_message_size",
    "correlate": "req_correlate",
    "relaxed": "req_relaxed",
    "verbose": "xpub_verbose",
    "nodrop": "xpub_nodrop",
    "recvbuffer": "receive_buffer",
    "sendbuf": "send_buffer",
    "recvbuf": "receive_buffer",
}


class _FixedError(attrs.exceptions.FrozenInstanceError):
    """That of attrs, which takes no text, with one."""

    def __init__(self, text: str) -> None:
        AttributeError.__init__(self, text)

    __str__ = AttributeError.__str__


def refuse_option_change(options: object, name: str, _: object = None) -> NoReturn:
    """Refuse to change an option of a socket; the ``__setattr__`` of what holds them."""
    raise _FixedError(
        f"options.{name} cannot be changed: options are given when the socket is made, as in "
        f"ctx.socket(triomq.PUSH, {name}=…)"
    )


def plain(name: str) -> str:
    """A name without what differs between libzmq, pyzmq and here: case, underscores, and the prefix."""
    return name.lower().removeprefix("zmq_").replace("_", "").replace("-", "")


def option_meant(name: str, zmq_names: Mapping[str, str]) -> str | None:
    """Our option that somebody means who calls it by another name.

    Args:
      zmq_names: ours, and for each the name in libzmq or nothing.
    """
    wanted = plain(name)
    for ours, zmq in zmq_names.items():
        if wanted in (plain(ours), plain(zmq) if zmq else None):
            return ours
    for old, new in ALIASES.items():
        if wanted == plain(old) and old != "ZMQ_IPV4ONLY":
            if new in zmq_names.values():
                return next(ours for ours, zmq in zmq_names.items() if zmq == new)
    return _OUR_NAMES.get(wanted)


def instead_of_option(name: str) -> str | None:
    """What there is in place of an option that is none here; None if nobody knows the name."""
    wanted = plain(name)
    if told := _OTHERS.get(wanted):
        return told
    wanted = next((plain(new) for old, new in ALIASES.items() if plain(old) == wanted != "ipv4only"), wanted)
    for zmq, text in (ELSEWHERE | ABSENT).items():
        if wanted == plain(zmq):
            return text.replace("`", "").replace("Not yet: ", "not yet: ").rstrip(".")
    if wanted == "ipv4only":
        return "write ipv6=False for ipv4only=True"
    return None


def explain_option(name: str, zmq_names: Mapping[str, str], seconds: Container[str], here: Sequence[str]) -> str:
    """What to write instead of an option that does not exist.

    Args:
      zmq_names: our options, and for each the name in libzmq or nothing.
      seconds: those that are times.
      here: those that the socket has.
    """
    if (meant := option_meant(name, zmq_names)) is not None:
        return f"you mean {meant!r}" + (", in seconds" if meant in seconds else "")
    if (instead := instead_of_option(name)) is not None:
        return instead
    if near := nearest(name.lower(), here, 0.6):
        return f"you mean {near!r}?"
    return f"there are {', '.join(here)}"


def nearest(name: str, known: Sequence[str], likeness: float = 0.7) -> str | None:
    """The name that somebody may have meant."""
    import difflib  # for those who need it, as it takes time to import

    return next(iter(difflib.get_close_matches(name, known, 1, likeness)), None)
