"""Security mechanisms: how two peers come to know each other, and what happens to each frame after.

A mechanism is one class. The connection frames, limits and dispatches; the mechanism only sees
bodies of whole commands. During the handshake the connection calls `Mechanism.start` once the
greetings agree, then `next_command` until it returns None, then `receive_command` for each of the
peer's, and `next_command` again, until `complete`. ERROR commands it handles by itself.

A mechanism that changes frames (``shares_encoding = False``) gets each frame that is sent or received
through `encode_frame` and `decode_frame`. One that does not never meets the hot loops.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

from .._errors import RemoteProtocolError
from ._commands import MAX_HANDSHAKE_COMMAND, Command, command_body, encode_properties, parse_properties
from ._events import Properties


class Mechanism(ABC):
    """One side's half of a security handshake; an instance serves one connection.

    Attributes:
      name: as in the greeting; 1 to 20 ASCII letters, digits or ``-_.+`` (RFC 37 §2.2).
      shares_encoding: frames pass unchanged, so that one encoding serves many peers.
      has_roles: one side is the server, and the greeting says which (its as-server octet).
      overhead: octets by which `encode_frame` makes a frame longer.
    """

    name: str
    shares_encoding: bool = True
    has_roles: bool = False
    overhead: int = 0

    def __init__(self) -> None:
        self.complete = False
        """Both sides have said all they had to: messages may flow."""

    @property
    def command_limit(self) -> int:
        """Longest command body acceptable from the peer now; judged at the frame's header."""
        return MAX_HANDSHAKE_COMMAND

    @abstractmethod
    def start(self, metadata: Mapping[str, bytes], as_server: bool) -> None:
        """The greetings agree; ``metadata`` is what to tell the peer, when it may know."""

    @abstractmethod
    def next_command(self) -> bytes | None:
        """The body of the next command for the peer, or None when it is the peer's turn (or somebody's verdict)."""

    @abstractmethod
    def receive_command(self, command: Command) -> Properties | None:
        """Take a handshake command of the peer.

        Returns: the peer's metadata (see `parse_properties`), if this was the command that brought it.
          The connection checks it before anything more is sent.
        Raises:
          RemoteProtocolError: the command is malformed, or not this one's turn.
        """

    def encode_frame(self, flags: int, body: bytes) -> bytes:
        """What travels in place of a frame; ``flags`` are the frame's MORE (1) and COMMAND (4)."""
        raise NotImplementedError

    def decode_frame(self, body: bytes, offset: int) -> tuple[int, bytes]:
        """The inverse of the peer's `encode_frame`: flags and body.

        Raises:
          RemoteProtocolError: it is not what the peer may have sent; ``offset`` is where it began.
        """
        raise NotImplementedError


class Null(Mechanism):
    """No authentication, no secrecy: one READY each way, in any order (RFC 37 §2.6)."""

    name = "NULL"

    def __init__(self) -> None:
        super().__init__()
        self._ready: bytes | None = None

    def start(self, metadata: Mapping[str, bytes], as_server: bool) -> None:
        self._ready = command_body(b"READY", encode_properties(metadata))

    def next_command(self) -> bytes | None:
        ready, self._ready = self._ready, None
        return ready

    def receive_command(self, command: Command) -> Properties | None:
        if command.name != b"READY":
            raise RemoteProtocolError(f"command {command.name[:32]!r} where READY is due", command.offset)
        metadata = parse_properties(command.data, command.offset)
        self.complete = True
        return metadata
