"""ZMTP 3.1, sans I/O: one `Connection` for each peer, octets in and events out (RFC 37)."""

from ._compatibility import COMPATIBLE
from ._connection import Connection, State
from ._events import Cancel, Event, HandshakeComplete, PeerInfo, Ping, Pong, Properties, Subscribe
from ._frames import Item, encode_shared
from ._mechanism import Mechanism, Null

__all__ = [
    "COMPATIBLE",
    "Cancel",
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
    "encode_shared",
]
