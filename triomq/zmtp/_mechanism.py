"""Security mechanisms: how two peers come to know each other, and what is done to each frame afterwards.

A mechanism is one class. The connection cuts frames, checks limits and sorts commands; the mechanism
sees bodies of whole commands only. When the greetings agree, the connection calls `Mechanism.start`;
then `next_command` until it returns None; then `receive_command` for each command of the peer, and
`next_command` again after each; until ``complete``. It handles ERROR commands by itself.

A mechanism may have to wait for a verdict on the peer: it sets ``question``. From then on the connection looks at
nothing that the peer says, and asks for no command, until it has called `Mechanism.accept`. A peer that is denied gets
an ERROR command, and the mechanism is not called again.

A mechanism that changes frames (``shares_encoding = False``) is given each frame that is sent or
received, by `encode_frame` and `decode_frame`. The hot loops are only for mechanisms that do not.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

from .._errors import MechanismMismatchError, RemoteProtocolError
from ._commands import MAX_HANDSHAKE_COMMAND, Command, command_body, encode_properties, parse_properties
from ._events import AuthenticationRequested, Properties


class Mechanism(ABC):
    """One side of a security handshake. An instance serves one connection.

    Attributes:
      name: as in the greeting: 1 to 20 ASCII letters, digits or ``-_.+`` (RFC 37 §2.2).
      shares_encoding: frames are sent unchanged, so a message can be encoded once for many peers.
      has_roles: one side is the server, and the as-server octet of the greeting says which.
      overhead: bytes by which `encode_frame` makes a frame longer.
      question: the verdict that this side waits for; `receive_command` sets it, and `accept` takes it back.
    """

    name: str
    shares_encoding: bool = True
    has_roles: bool = False
    overhead: int = 0
    question: AuthenticationRequested | None = None

    def __init__(self) -> None:
        self.complete: bool = False
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
          DeniedError: the peer is not let in, as its password is wrong. It is told the status.
        """

    def accept(self) -> None:
        """The peer that ``question`` is about may come in: go on."""
        self.question = None

    def explain_end(self) -> str:
        """Why the peer hung up at this point of the handshake, without a word, if that is how such peers refuse.

        A peer may hang up for other reasons, too. So a side that connects takes it for a refusal when it has happened
        three times in a row.

        Returns: what the peer probably is, and what to do; an empty text if such peers do not refuse so.
        """
        return ""

    def explain_silence(self) -> str:
        """Why the peer has said nothing at this point of the handshake until its time was up, if such peers do that.

        Returns: what the peer probably is, and what to do; an empty text if nothing is known of such peers.
        """
        return ""

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


def server_too(mechanism: str) -> str:
    """What a peer of a server is that does not say HELLO. libzmq's greeting is the same for a server and a client."""
    return f"it is probably a server of {mechanism}, too, as a libzmq does not say; one of them has to be its client"


def not_due(command: Command, due: bytes, mechanism: str) -> RemoteProtocolError:
    """What is wrong with a peer of a mechanism with roles that sends another command than the one that is due."""
    if (command.name, due) == (b"HELLO", b"WELCOME"):
        text = f"both sides are clients of {mechanism}; one of them has to be its server"
        return MechanismMismatchError(text, mechanism.encode("ascii"), mechanism, command.offset)
    return RemoteProtocolError(f"command {command.name[:32]!r} where {due.decode()} is due", command.offset)


class Null(Mechanism):
    """No authentication, no secrecy: one READY each way, in any order (RFC 37 §2.6).

    Args:
      asks: wait for a verdict on the peer's address, and tell the peer nothing before that. Only one of two sides may
        do so, as each waits for the other's READY first: the side that accepted the connection.
    """

    name = "NULL"

    def __init__(self, *, asks: bool = False) -> None:
        super().__init__()
        self._asks = asks
        self._ready: bytes | None = None

    def start(self, metadata: Mapping[str, bytes], as_server: bool) -> None:
        self._ready = command_body(b"READY", encode_properties(metadata))

    def next_command(self) -> bytes | None:
        if self._asks:
            return None
        ready, self._ready = self._ready, None
        return ready

    def accept(self) -> None:
        super().accept()
        self._asks = False
        self.complete: bool = True

    def receive_command(self, command: Command) -> Properties | None:
        if command.name != b"READY":
            raise RemoteProtocolError(f"command {command.name[:32]!r} where READY is due", command.offset)
        metadata = parse_properties(command.data, command.offset)
        if self._asks:
            question = AuthenticationRequested(mechanism=self.name, metadata=metadata)
            self.question: AuthenticationRequested | None = question
        else:
            self.complete = True
        return metadata
