"""ZMTP 3.1, sans I/O: one `Connection` for each peer, bytes in and events out (RFC 37)."""

from typing import TYPE_CHECKING

from .._public import later
from ._events import (
    AuthenticationRequested,
    Cancel,
    Event,
    HandshakeComplete,
    PeerInfo,
    Ping,
    Pong,
    Properties,
    Subscribe,
)
from ._frames import LARGE_BODY, Item, encode_alone, encode_shared

if TYPE_CHECKING:  # imported later: what is queued has none of it, and only connections of byte streams need it
    from ._commands import Command, command_body, encode_properties, parse_properties
    from ._compatibility import COMPATIBLE, explain_incompatible
    from ._connection import Connection
    from ._curve import Curve as Curve
    from ._curve import KeyPair as KeyPair
    from ._handshake import TEMPORARY
    from ._mechanism import Mechanism, Null
    from ._plain import Plain as Plain
    from ._protocol import WireProtocol
    from ._state import State
else:
    __getattr__ = later(
        __name__,
        {
            "._commands": ["Command", "command_body", "encode_properties", "parse_properties"],
            "._compatibility": ["COMPATIBLE", "explain_incompatible"],
            "._connection": ["Connection"],
            "._curve": ["Curve", "KeyPair"],
            "._handshake": ["TEMPORARY"],
            "._mechanism": ["Mechanism", "Null"],
            "._plain": ["Plain"],
            "._protocol": ["WireProtocol"],
            "._state": ["State"],
        },
    )

__all__ = [
    "COMPATIBLE",
    "LARGE_BODY",
    "TEMPORARY",
    "AuthenticationRequested",
    "Cancel",
    "Command",
    "Connection",
    "Event",
    "HandshakeComplete",
    "Item",
    "Mechanism",
    "Null",
    "PeerInfo",
    "Ping",
    "Pong",
    "Properties",
    "State",
    "Subscribe",
    "WireProtocol",
    "command_body",
    "encode_alone",
    "encode_properties",
    "encode_shared",
    "explain_incompatible",
    "parse_properties",
]
