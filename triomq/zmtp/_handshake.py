"""The metadata that both sides exchange in the handshake, whichever the mechanism (RFC 37 §2.4, §3)."""

from __future__ import annotations

from collections.abc import Mapping

from ._compatibility import NAMES_ITSELF, explain_incompatible
from ._events import PeerInfo, Properties


def own_metadata(socket_type: str, routing_id: bytes, further: Mapping[str, bytes]) -> dict[str, bytes]:
    """The properties that we tell a peer: its mandatory ones, and ``further`` ones of the user.

    Raises:
      ValueError: the routing id or the name of a property is not allowed.
    """
    if len(routing_id) > 255 or routing_id[:1] == b"\0":
        raise ValueError("a routing id is 255 octets at the most and does not begin with a zero octet")
    metadata = {"Socket-Type": socket_type.encode("ascii")}
    if socket_type in NAMES_ITSELF:
        metadata["Identity"] = routing_id
    for name, value in further.items():
        if not 0 < len(name) < 256 or not name.isascii() or name.lower() in ("socket-type", "identity"):
            raise ValueError(f"not a name for a metadata property: {name!r}")
        metadata[name] = value
    return metadata


def explain_refusal(socket_type: str, theirs: Properties) -> str | None:
    """Why a ``socket_type`` refuses a peer with this metadata; None if it does not. The text fits an ERROR command."""
    if "Socket-Type" not in theirs:
        return "no Socket-Type in the metadata"
    if socket_type == "ROUTER":  # all others ignore it (RFC 37 §3)
        routing_id = theirs.get("Identity", b"")
        if len(routing_id) > 255:
            return f"an Identity of {len(routing_id)} octets; 255 are allowed"
        if routing_id[:1] == b"\0":
            return "an Identity that begins with a zero octet"
    return explain_incompatible(socket_type, theirs["Socket-Type"].decode("latin-1"))


def peer_info(metadata: Properties, version: tuple[int, int], mechanism: str) -> PeerInfo:
    """The peer that sent this metadata and was not refused."""
    return PeerInfo(
        socket_type=metadata["Socket-Type"].decode("ascii"),
        routing_id=metadata.get("Identity", b""),
        metadata=metadata,
        version=version,
        mechanism=mechanism,
    )
