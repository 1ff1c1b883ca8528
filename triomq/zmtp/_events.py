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
        written = {name.lower(): name for name in items}
        self._items = {name: items[name] for name in written.values()}

    # A peer has few properties, and they are looked for once: a second dict would only take memory.
    def __getitem__(self, name: str) -> bytes:
        wanted = name.lower()
        for written, value in self._items.items():
            if written.lower() == wanted:
                return value
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and any(written.lower() == name.lower() for written in self._items)

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
      user_id: who the peer is, as the authenticator says.
      user_metadata: what else the authenticator says of the peer.
    """

    socket_type: str
    routing_id: bytes
    metadata: Mapping[str, bytes]
    version: tuple[int, int]
    mechanism: str
    user_id: str = ""
    user_metadata: Mapping[str, bytes] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class AuthenticationRequested(Record):
    """The peer has shown its credentials: call `Connection.accept` or `Connection.deny`. Nothing happens before that.

    Attributes:
      mechanism: by which it showed them.
      credentials: as in RFC 27: a public key of 32 octets for CURVE, name and password for PLAIN, nothing for NULL.
      metadata: what the peer has said of itself so far; nothing, if the mechanism asks before it is told.
    """

    mechanism: str
    credentials: tuple[bytes, ...] = attrs.field(default=(), repr=False)
    metadata: Mapping[str, bytes] = attrs.field(factory=dict)


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


Event: TypeAlias = AuthenticationRequested | HandshakeComplete | Subscribe | Cancel | Ping | Pong
"""Everything `Connection.receive_data` returns that is not a `Message`."""
