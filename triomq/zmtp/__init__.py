"""ZMTP 3.1, sans I/O: one `Connection` for each peer, bytes in and events out (RFC 37)."""

from typing import TYPE_CHECKING

from .._public import later
from ._commands import Command, command_body, encode_properties, parse_properties
from ._compatibility import COMPATIBLE, explain_incompatible
from ._connection import Connection
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
from ._handshake import TEMPORARY
from ._mechanism import Mechanism, Null
from ._protocol import WireProtocol
from ._state import State

if TYPE_CHECKING:  # imported later: few programs have both, and many have none
    from ._curve import Curve as Curve
    from ._curve import KeyPair as KeyPair
    from ._plain import Plain as Plain
else:
    __getattr__ = later(__name__, {"._curve": ["Curve", "KeyPair"], "._plain": ["Plain"]})

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
