"""The handshake, whichever the mechanism: what both sides say, and how the peer is judged (RFC 37 §2.4, §3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from .._errors import RefusedByPeerError, RemoteProtocolError
from ._commands import Command, encode_error, parse_command, parse_error_reason
from ._compatibility import NAMES_ITSELF, explain_incompatible
from ._events import AuthenticationRequested, PeerInfo, Properties
from ._frame_reader import FrameReader
from ._frames import COMMAND, encode_frame
from ._greeting import VERSION
from ._mechanism import Mechanism

TEMPORARY: Final = 300
"""the status of a verdict that may be another one soon (RFC 27)"""
_MEANINGS: Final[Mapping[int, str]] = {
    TEMPORARY: "it cannot tell now whether to let this side in",
    400: "it does not let this side in: the credentials are wrong, or it wants others",
    500: "its authenticator failed",
}


class Handshake:
    """The handshake of one connection, from the greeting on.

    Args:
      socket_type: of this side.
      told: the properties to tell the peer.
      mechanism: of the connection.

    Attributes:
      question: the event that asks for a verdict on the peer, until the connection has returned it.
    """

    __slots__ = ("_candidate", "_mechanism", "_metadata", "_socket_type", "_told", "_user", "_version", "question")

    def __init__(self, socket_type: str, told: Mapping[str, bytes], mechanism: Mechanism) -> None:
        self.question: AuthenticationRequested | None = None
        self._socket_type = socket_type
        self._told = told
        self._mechanism = mechanism
        self._version = VERSION
        self._metadata: Properties | None = None  # the peer's, not judged yet
        self._user: tuple[str, Mapping[str, bytes]] = ("", {})  # who the peer is, as the authenticator says
        self._candidate: PeerInfo | None = None  # the peer, once its metadata is good; the handshake goes on

    def start(self, version: tuple[int, int], as_server: bool) -> None:
        """The greetings agree; ``version`` is the one to speak."""
        self._version = version
        self._mechanism.start(self._told, as_server)

    def take(self, reader: FrameReader, out: list[bytes]) -> bool:
        """Take one command of the peer's, or judge the metadata that came before a verdict.

        Args:
          out: a peer that is refused is told why there.
        Returns: False if more input is needed.
        Raises:
          RemoteProtocolError: the peer broke the protocol, or refuses this side, or is refused.
        """
        if self._metadata is None:
            frame = reader.take_frame(self._admit)
            if frame is None:
                return False
            _, body, offset = frame
            self._metadata = self._mechanism.receive_command(_parse(body, offset))
            self.question = self._mechanism.question
        if self._metadata is not None and self.question is None:
            metadata, self._metadata = self._metadata, None
            self._meet(metadata, out)
        return True

    def accept(self, user_id: str, user_metadata: Mapping[str, bytes]) -> None:
        """The peer that was asked about may come in."""
        self.question = None
        self._user = user_id, user_metadata
        self._mechanism.accept()

    def advance(self, out: list[bytes]) -> PeerInfo | None:
        """Queue the commands that the mechanism has now. Returns: the peer, if the handshake is complete."""
        while (body := self._mechanism.next_command()) is not None:
            out.append(encode_frame(COMMAND, body))
        return self._candidate if self._mechanism.complete else None

    def _admit(self, flags: int, size: int) -> str | None:
        if not flags & COMMAND:
            return "a message before the handshake was complete"
        if size > self._mechanism.command_limit:
            return f"a handshake command of {size} octets; {self._mechanism.command_limit} are allowed"
        return None

    def _meet(self, metadata: Properties, out: list[bytes]) -> None:
        """Judge the peer's metadata. A peer that is refused is told why, in an ERROR command."""
        mechanism = self._mechanism
        refusal = explain_refusal(self._socket_type, metadata)
        if refusal is not None:
            # In clear text, as every ERROR of a handshake: a mechanism that hides what is sent hides the types, too.
            told = refusal if mechanism.shares_encoding else "the socket types do not match"
            out.append(encode_frame(COMMAND, encode_error(told)))
            raise RemoteProtocolError(refusal)
        self._candidate = PeerInfo(
            socket_type=metadata["Socket-Type"].decode("ascii"),
            routing_id=metadata.get("Identity", b""),
            metadata=metadata,
            version=self._version,
            mechanism=mechanism.name,
            user_id=self._user[0],
            user_metadata=self._user[1],
        )


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


def _parse(body: bytes, offset: int) -> Command:
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
