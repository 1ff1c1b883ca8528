"""What to write on a socket instead of the names of pyzmq, of other libraries, and of other socket types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_PICKLE: Final = (
    "nothing does that, since unpickling bytes from a network runs any code that the sender chose; send "
    "Message.from_json(value), or use triomq.codec(socket, codec) with a codec of your own"
)
_CODEC: Final = "triomq.codec(socket, codec), with a codec of your own"
_FRAMES: Final = "await socket.send([frame, frame])"
_STRING: Final = "await socket.send(Message.from_text(text)), or triomq.codec(socket, str)"
_JSON: Final = "await socket.send(Message.from_json(value)), or triomq.codec(socket, 'json')"
_RECEIVE: Final = "await socket.receive()"
_READ_FRAMES: Final = "await socket.receive(), which gives all frames of a message"
_READ_STRING: Final = "(await socket.receive()).text(), or triomq.codec(socket, str)"
_READ_JSON: Final = "(await socket.receive()).json(), or triomq.codec(socket, 'json')"

SENDING: Final[Mapping[str, str]] = {
    **dict.fromkeys(("send_string", "send_unicode", "send_text", "send_str"), _STRING),
    "send_json": _JSON,
    **dict.fromkeys(("send_multipart", "send_frames", "sendmsg"), _FRAMES),
    "send_pyobj": _PICKLE,
    "send_serialized": _CODEC,
    **dict.fromkeys(
        ("put", "write", "publish", "sendall", "send_all", "send_bytes", "send_message", "asend", "snd", "emit"),
        "await socket.send(message)",
    ),
    **dict.fromkeys(("put_nowait", "try_send", "send_noblock"), "socket.send_nowait(message)"),
    "sendmany": "await socket.send_many(messages)",
}
"""Names that mean sending, and what to write."""

RECEIVING: Final[Mapping[str, str]] = {
    **dict.fromkeys(("recv", "get_message", "read", "arecv", "recv_bytes", "receive_message", "next"), _RECEIVE),
    **dict.fromkeys(("recv_multipart", "receive_multipart", "recv_frames", "recvmsg"), _READ_FRAMES),
    **dict.fromkeys(("recv_string", "recv_unicode", "recv_text", "receive_string", "receive_text"), _READ_STRING),
    **dict.fromkeys(("recv_json", "receive_json"), _READ_JSON),
    "recv_pyobj": _PICKLE,
    "recv_serialized": _CODEC,
    "recv_into": "await socket.receive(), and copy the frame yourself",
    **dict.fromkeys(("get_nowait", "recv_nowait", "try_recv", "try_receive"), "socket.receive_nowait()"),
    "recv_many": "await socket.receive_many(max)",
    **dict.fromkeys(("on_recv", "subscribe_callback"), "async for message in socket, in a task of its own"),
}
"""Names that mean receiving, and what to write."""

_AT_CREATION: Final = (
    "options are given when the socket is made, as in ctx.socket(triomq.{type}, linger=0), and read as "
    "socket.options.linger"
)
_CLOSE: Final = "await socket.aclose(), or async with socket:"
_WAIT: Final = (
    "with trio.move_on_after(seconds): around a call that waits, socket.receive_nowait(), or triomq.merge(a, b) for "
    "several sockets"
)
_TIME_LIMIT: Final = "with trio.move_on_after(seconds): around the call that waits"
_ENDPOINTS: Final = "socket.endpoints; await socket.bind('tcp://127.0.0.1:0') returns the one with its real port"
ALWAYS: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        (
            "setsockopt", "getsockopt", "setsockopt_string", "getsockopt_string", "setsockopt_unicode", "sockopt",
            "getsockopt_unicode", "set", "get", "set_string", "get_string", "set_hwm", "get_hwm", "setopt", "getopt",
            "set_option", "get_option", "hwm", "option",
        ),
        _AT_CREATION,
    ),
    **dict.fromkeys(("close", "term", "destroy", "stop", "shutdown", "disconnect_all"), _CLOSE),
    "closed": "nothing asks that; a call on a closed socket raises trio.ClosedResourceError",
    "poll": _WAIT,
    **dict.fromkeys(("settimeout", "timeout", "wait"), _TIME_LIMIT),
    "setblocking": "socket.send_nowait and socket.receive_nowait, which do not wait",
    **dict.fromkeys(("bind_to_random_port", "bind_random", "listen"), "await socket.bind('tcp://127.0.0.1:0')"),
    **dict.fromkeys(("last_endpoint", "getsockname", "port", "address", "endpoint"), _ENDPOINTS),
    **dict.fromkeys(("get_monitor_socket", "disable_monitor", "on_event", "events"), "async with socket.monitor():"),
    **dict.fromkeys(("fileno", "fd"), "a task that waits in socket.receive(); there is no descriptor to watch"),
    **dict.fromkeys(("connect_async", "dial", "open"), "socket.connect(endpoint), without await"),
    **dict.fromkeys(("wait_connected", "wait_for_peers", "wait_connection"), "await socket.wait_peers()"),
    **dict.fromkeys(("stats", "statistic", "get_statistics"), "socket.statistics()"),
    "type": "socket.socket_type, or isinstance(socket, triomq.PUSH)",
    "context": "the ctx of your async with triomq.open_context() as ctx:",
    **dict.fromkeys(("shadow", "underlying"), "nothing: there is no libzmq below"),
    "copy_threshold": "nothing: a frame that is bytes is never copied",
    "rcvmore": "await socket.receive(), which gives all frames of a message",
    **dict.fromkeys(("join", "leave"), "nothing yet: triomq has no DISH"),
    **dict.fromkeys(("start", "run", "serve"), "a task of your own: nursery.start_soon(…)"),
}  # fmt: skip
"""Other names, and what to write; ``{type}`` is the socket type."""

ONLY: Final[Mapping[str, str]] = {
    "subscribe": "SUB",
    "unsubscribe": "SUB",
    "request": "REQ",
    "wait_subscribers": "PUB and XPUB",
}
"""Methods that some socket types have, and which."""

_COUNTERPARTS: Final = {"PULL": "PUSH", "PUSH": "PULL", "SUB": "PUB", "PUB": "SUB"}
_SENDERS: Final = ("send", "send_nowait", "send_many")
_RECEIVERS: Final = ("receive", "receive_nowait", "receive_many")

SOCKET_NAMES: Final = (*SENDING, *RECEIVING, *ALWAYS, *ONLY, *_SENDERS, *_RECEIVERS)
"""All names that `instead_on_socket` knows, besides those of options."""


def instead_on_socket(socket_type: str, sends: bool, receives: bool, name: str) -> str | None:
    """What to write on a socket of this type instead of ``name``; None if nobody knows the name."""
    if (name in SENDING or name in _SENDERS) and not sends:
        return _one_way(socket_type, "receives", "sends")
    if (name in RECEIVING or name in _RECEIVERS) and not receives:
        return _one_way(socket_type, "sends", "receives")
    if name in ONLY:
        more = "; an XSUB sends its subscriptions, as b'\\x01topic'" if socket_type == "XSUB" else ""
        return f"{ONLY[name]} {'have' if ' and ' in ONLY[name] else 'has'} that{more}"
    for known in (SENDING, RECEIVING, ALWAYS):
        if name in known:
            return "write " + known[name].replace("{type}", socket_type)
    return None


def _one_way(socket_type: str, does: str, other: str) -> str:
    counterpart = _COUNTERPARTS.get(socket_type)
    return f"a {socket_type} only {does}" + (f"; its peer, a {counterpart}, {other}" if counterpart else "")
