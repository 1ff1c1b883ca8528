"""What both sides say in a handshake, whichever the mechanism: metadata, and refusals (RFC 37 §2.4, §3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from .._errors import RefusedByPeerError
from ._commands import Command, encode_error, parse_command, parse_error_reason
from ._compatibility import NAMES_ITSELF, explain_incompatible
from ._events import PeerInfo, Properties
from ._frames import COMMAND, encode_frame

TEMPORARY: Final = 300
"""the status of a verdict that may be another one soon (RFC 27)"""
_MEANINGS: Final[Mapping[int, str]] = {
    TEMPORARY: "it cannot tell now whether to let this side in",
    400: "it does not let this side in: the credentials are wrong, or it wants others",
    500: "its authenticator failed",
}


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


def peer_info(
    metadata: Properties, version: tuple[int, int], mechanism: str, user: tuple[str, Mapping[str, bytes]]
) -> PeerInfo:
    """The peer that sent this metadata and was not refused. ``user`` is what the authenticator says of it."""
    return PeerInfo(
        socket_type=metadata["Socket-Type"].decode("ascii"),
        routing_id=metadata.get("Identity", b""),
        metadata=metadata,
        version=version,
        mechanism=mechanism,
        user_id=user[0],
        user_metadata=user[1],
    )


def explain_unfit(flags: int, size: int, limit: int) -> str | None:
    """Why a frame with this header is refused in a handshake; None if it is not. ``limit`` is that of a body's size."""
    if not flags & COMMAND:
        return "a message before the handshake was complete"
    if size > limit:
        return f"a handshake command of {size} octets; {limit} are allowed"
    return None


def parse_handshake(body: bytes, offset: int) -> Command:
    """Parse a command of a handshake, which began at ``offset`` of the stream.

    Raises:
      RefusedByPeerError: it is an ERROR: the peer ends the handshake.
      RemoteProtocolError: it is no command.
    """
    # libzmq 4 misspells its ERROR in PLAIN: the size of the name and the E have become one octet.
    command = parse_command(b"\5E" + body[1:] if body.startswith(b"^RROR") else body, offset)
    if command.name == b"ERROR":
        raise _refusal_by_peer(parse_error_reason(command.data))
    return command


def encode_denial(status: int) -> list[bytes]:
    """Frames that tell a denied peer the status, as libzmq does; none for a temporary one: the peer is to come back."""
    return [] if status == TEMPORARY else [encode_frame(COMMAND, encode_error(str(status)))]


def _refusal_by_peer(reason: str) -> RefusedByPeerError:
    """What an ERROR command means: a status of RFC 27, in three digits as libzmq writes it, or a reason in words."""
    status = int(reason) if reason in map(str, _MEANINGS) else None
    words = reason or "it gave no reason"
    if status is not None:
        words = f"{status}, {_MEANINGS[status]}"
    return RefusedByPeerError(f"the peer refused the handshake: {words}", status=status)
