"""Events in words: one line each, of bounded length, in which no byte of a peer does harm."""

from __future__ import annotations

import math
import re
from typing import Final

from .._errors import RemoteProtocolError
from .._events import MessageDropped
from .._sockets import Socket
from .._statistics import Peer

_LONGEST: Final = 300  # characters of one thing in a line
_SAID_BEFORE: Final = ("the peer refused the handshake: ", "the peer ended the connection: ")
"""beginnings of errors that a line says in its own words"""
_OCTET: Final = re.compile(r" \(at octet \d+\)$")
"""the end of what a peer of triomq gives as its reason"""


def plain(text: str) -> str:
    """A text without line ends and control characters, and not too long."""
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]}..."
    return text if text.isprintable() else "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


def readable_id(routing_id: bytes) -> str:
    """A routing id as text: what is no printable ASCII is escaped."""
    return repr(routing_id)[2:-1]


def who(peer: Peer | None, address: str, endpoint: str) -> str:
    """A peer: its type, where it is if that says more than the endpoint, and its name if it has one."""
    known = address != endpoint
    if peer is None:
        return short(address) if known else "the peer"
    where = f"{peer.socket_type} at {short(address)}" if known else f"a {peer.socket_type}"
    return f"{where} (routing id '{readable_id(peer.routing_id)}')" if peer.routing_id else where


def short(address: str) -> str:
    """An address as people write it."""
    return plain(address.removeprefix("tcp://"))


def why(error: Exception | None, endpoint: str = "") -> str:
    """An error as a reason: without the numbers that only help whoever reads the bytes."""
    if error is None:
        return "the connection was closed"
    said: str | None = error.reason if isinstance(error, RemoteProtocolError) else getattr(error, "strerror", None)
    text = said or str(error)
    if not text and error.__cause__ is not None:
        text = str(error.__cause__)
    for known in (f"cannot connect to {endpoint}: ", *_SAID_BEFORE):
        text = text.removeprefix(known)
    return plain(_OCTET.sub("", text)) or type(error).__name__


def again(retry_in: float | None) -> str:
    """What comes next."""
    if retry_in == math.inf:
        return "; there is no further attempt, as reconnect_interval says"
    return "" if retry_in is None else f"; next attempt in {retry_in:.2g} s"


def messages(count: int) -> str:
    """A number of messages, in words."""
    return "1 message" if count == 1 else f"{count:,} messages"


def dropped(socket: Socket, event: MessageDropped) -> str:
    """What was dropped, and why."""
    peer = who(event.peer, event.address, event.endpoint)
    many, one = messages(event.count), event.count == 1
    is_dropped, was = ("is dropped", "was") if one else ("are dropped", "were")
    linger = f"linger={socket.options.linger:g} s"
    to = f"{many} for {peer}" if event.peer is not None else many
    nobody = "" if event.peer is not None else ": nobody was connected"
    match event.reason:
        case "full":
            return f"{to} {is_dropped}: its queue is full (send_hwm={socket.options.send_hwm})"
        case "malformed":
            wants = "wants an empty frame before the body of a request"
            return f"{many} from {peer} {is_dropped}: a {socket.socket_type} {wants}"
        case "lost":
            return f"{many} or more from {peer} {was} lost by the network, and will not be repaired"
        case "cut off":
            size = f"of {event.size:,} bytes " if event.size is not None else ""
            return f"1 message {size}is dropped: {peer} hung up at it each time: {why(event.error)}"
        case "unroutable":
            to = readable_id(event.routing_id)
            return f"{many} {is_dropped}: nobody has the routing id that {'it' if one else 'the last'} was for, '{to}'"
        case "peer left":
            return f"{to} {is_dropped}: it has left"
        case "disconnected":
            return f"{to} {was} not sent within {linger} after the disconnection, and {is_dropped}{nobody}"
        case "linger":
            return f"{to} {was} not sent within {linger}, and {is_dropped}{nobody}"
        case "cancelled":
            return f"{to} {was} not sent before closing was cancelled, and {is_dropped}{nobody}"
