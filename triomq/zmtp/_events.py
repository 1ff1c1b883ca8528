"""What a `Connection` reports besides messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

import attrs

from .._record import Record


class Properties(Mapping[str, bytes]):
    """Metadata of a peer. Names are found in upper or lower case, and listed as the peer wrote them (RFC 37 §2.4).

    A peer may send any bytes as a name or a value. Names are read as Latin-1; show both by `repr` only.
    """

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[str, bytes]) -> None:
        self._items = {name.lower(): (name, value) for name, value in items.items()}

    def __getitem__(self, name: str) -> bytes:
        return self._items[name.lower()][1]

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._items.values())

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._items

    def __repr__(self) -> str:
        return f"Properties({dict(self)!r})"


@attrs.frozen(kw_only=True, eq=False, repr=False)
class PeerInfo(Record):
    """The peer, as it described itself in the handshake.

    Attributes:
      socket_type: a type that is compatible with ours.
      routing_id: its Identity: up to 255 bytes, and the first is not zero.
      metadata: all properties that it sent, socket type and Identity among them.
      version: of ZMTP, spoken on the connection: the lower one of both sides'.
      mechanism: name of the security mechanism.
    """

    socket_type: str
    routing_id: bytes
    metadata: Mapping[str, bytes]
    version: tuple[int, int]
    mechanism: str


@attrs.frozen(eq=False, repr=False)
class HandshakeComplete(Record):
    """Messages may be sent and received from now on. It comes once, before all other events."""

    peer: PeerInfo


@attrs.frozen(eq=False, repr=False)
class Subscribe(Record):
    """The peer wants messages that begin with ``topic``; it may say so several times (RFC 37 §2.7)."""

    topic: bytes


@attrs.frozen(eq=False, repr=False)
class Cancel(Record):
    """The peer takes back one `Subscribe` of the same topic."""

    topic: bytes


@attrs.frozen(eq=False, repr=False)
class Ping(Record):
    """A heartbeat (RFC 37 §2.8). The connection itself answers one that it receives.

    Attributes:
      ttl: seconds of silence after which the receiver should take the sender for dead; 0 if the sender
        does not ask for that. It is sent in tenths of a second, up to 6553.5 s.
      context: up to 16 bytes that the PONG brings back.
    """

    ttl: float = 0.0
    context: bytes = b""


@attrs.frozen(eq=False, repr=False)
class Pong(Record):
    """The answer to a `Ping`, with its context."""

    context: bytes = b""


Event: TypeAlias = HandshakeComplete | Subscribe | Cancel | Ping | Pong
"""Everything `Connection.receive_data` returns that is not a `Message`."""
