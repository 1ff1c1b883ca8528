"""What a `Connection` reports besides messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

import attrs


class Properties(Mapping[str, bytes]):
    """Metadata of a peer: names are looked up in any case and listed as the peer wrote them (RFC 37 §2.4).

    Names are octets read as Latin-1 and values are octets, both as the peer pleased: show them by `repr`.
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


@attrs.frozen(kw_only=True)
class PeerInfo:
    """Who is at the other end, as it said in the handshake.

    Attributes:
      socket_type: one that is compatible with ours.
      routing_id: its Identity, 0 to 255 octets, never beginning with a zero octet.
      metadata: every property it sent, these two among them.
      version: the ZMTP version spoken on the connection: the lower of its and ours.
      mechanism: name of the security mechanism.
    """

    socket_type: str
    routing_id: bytes
    metadata: Mapping[str, bytes]
    version: tuple[int, int]
    mechanism: str


@attrs.frozen
class HandshakeComplete:
    """Messages may flow from here on. Comes once, before anything else."""

    peer: PeerInfo


@attrs.frozen
class Subscribe:
    """The peer wants messages that begin with ``topic``, once more than before (RFC 37 §2.7)."""

    topic: bytes


@attrs.frozen
class Cancel:
    """Takes back one `Subscribe` of the same topic."""

    topic: bytes


@attrs.frozen
class Ping:
    """A heartbeat (RFC 37 §2.8); a received one is answered by the connection itself.

    Attributes:
      ttl: seconds of silence after which the receiver should take the sender for dead; 0 for no
        such wish. Travels in tenths of a second, up to 6553.5.
      context: up to 16 octets that the PONG brings back.
    """

    ttl: float = 0.0
    context: bytes = b""


@attrs.frozen
class Pong:
    """The answer to a `Ping`, with its context."""

    context: bytes = b""


Event: TypeAlias = HandshakeComplete | Subscribe | Cancel | Ping | Pong
"""Everything `Connection.receive_data` returns that is not a `Message`."""
