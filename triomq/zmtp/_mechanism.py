"""Security mechanisms: how two peers come to know each other, and what is done to each frame afterwards.

A mechanism is one class. The connection cuts frames, checks limits and sorts commands; the mechanism
sees bodies of whole commands only. When the greetings agree, the connection calls `Mechanism.start`;
then `next_command` until it returns None; then `receive_command` for each command of the peer, and
`next_command` again after each; until ``complete``. It handles ERROR commands by itself.

A mechanism that changes frames (``shares_encoding = False``) is given each frame that is sent or
received, by `encode_frame` and `decode_frame`. The hot loops are only for mechanisms that do not.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

from .._errors import RemoteProtocolError
from ._commands import MAX_HANDSHAKE_COMMAND, Command, command_body, encode_properties, parse_properties
from ._events import Properties


class Mechanism(ABC):
    """One side of a security handshake. An instance serves one connection.

    Attributes:
      name: as in the greeting: 1 to 20 ASCII letters, digits or ``-_.+`` (RFC 37 §2.2).
      shares_encoding: frames are sent unchanged, so a message can be encoded once for many peers.
      has_roles: one side is the server, and the as-server octet of the greeting says which.
      overhead: bytes by which `encode_frame` makes a frame longer.
    """

    name: str
    shares_encoding: bool = True
    has_roles: bool = False
    overhead: int = 0

    def __init__(self) -> None:
        self.complete = False
        """Both sides have sent all their commands: messages may be sent and received."""

    @property
    def command_limit(self) -> int:
        """Bytes: the longest body of a command that the peer may send now. It is checked when the header has come."""
        return MAX_HANDSHAKE_COMMAND

    @abstractmethod
    def start(self, metadata: Mapping[str, bytes], as_server: bool) -> None:
        """Begin: the greetings agree. ``metadata`` is for the peer, at the point where the mechanism may reveal it."""

    @abstractmethod
    def next_command(self) -> bytes | None:
        """The body of the next command for the peer; None to wait for the peer, or for a verdict from elsewhere."""

    @abstractmethod
    def receive_command(self, command: Command) -> Properties | None:
        """Take a handshake command of the peer.

        Returns: the peer's metadata (see `parse_properties`), if this command brought it. The connection
          checks it before it sends anything more.
        Raises:
          RemoteProtocolError: the command is malformed, or another one is due.
        """

    def encode_frame(self, flags: int, body: bytes) -> bytes:
        """The body that is sent in place of a frame; ``flags`` are the frame's MORE (1) and COMMAND (4)."""
        raise NotImplementedError

    def decode_frame(self, body: bytes, offset: int) -> tuple[int, bytes]:
        """The frame that the peer's `encode_frame` was given: its flags and its body.

        Args:
          offset: where ``body`` began in the peer's stream, for the text of errors.
        Raises:
          RemoteProtocolError: the peer cannot have sent this.
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
