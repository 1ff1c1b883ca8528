"""PLAIN: a name and a password, in clear text (RFC 24). Who can read the connection can read both.

    client                         server
    HELLO name password      -->
                             <--   WELCOME            or ERROR
    INITIATE metadata        -->
                             <--   READY metadata

The metadata is sent only after the password was found right. libzmq misspells ERROR here; the connection knows that.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from typing import Final

from .._errors import DeniedError, RemoteProtocolError
from .._security import Security
from ._commands import MAX_HANDSHAKE_COMMAND, Command, command_body, encode_properties, parse_properties
from ._events import AuthenticationRequested, Properties
from ._mechanism import Mechanism, not_due, server_too

_MOST: Final = 255  # octets in a name, and in a password
_HELLO_LIMIT: Final = 1 + len("HELLO") + 2 * (1 + _MOST)


class Plain(Security):
    """A name and a password in clear text (RFC 24), for networks where nobody listens.

    ``Plain(username, password)`` is for the client, ``Plain.server(…)`` for the server. Who can read the connection
    can read the password, and everything else; `Curve` hides both.

    Args:
      username: 1 to 255 octets; a str is sent as UTF-8.
      password: up to 255 octets; likewise.

    Raises:
      TypeError, ValueError: one of them is not as it must be. The text does not show it.
    """

    name = "PLAIN"
    as_server: bool = False

    def __init__(self, username: str | bytes, password: str | bytes) -> None:
        self._username = _octets("username", username)
        self._password = _octets("password", password)
        if not self._username:
            raise ValueError("Plain(username=…): a name has at least one octet")

    @staticmethod
    def server(passwords: Mapping[str, str] | Mapping[bytes, bytes] | None = None) -> Security:
        """The server's side of PLAIN.

        Args:
          passwords: of each user. Who is not among them is refused; if the context has an authenticator, it must agree
            as well. None: the authenticator decides alone, and a context that has none lets nobody in, as in libzmq.

        Raises:
          TypeError, ValueError: a name or a password is not as it must be. The text does not show it.
        """
        return _PlainServing(passwords)

    def new_mechanism(self, *, as_server: bool, asks: bool, random_bytes: Callable[[int], bytes]) -> Mechanism:
        """See `triomq.abc.Security`."""
        return _PlainClient(self._username, self._password)

    def __repr__(self) -> str:
        return f"Plain({self._username!r}, password=…)"


class _PlainServing(Security):
    """What `Plain.server` returns."""

    name = "PLAIN"
    as_server = True

    def __init__(self, passwords: Mapping[str, str] | Mapping[bytes, bytes] | None) -> None:
        if passwords is not None and not isinstance(passwords, Mapping):
            raise TypeError(f"Plain.server takes a mapping of names to passwords, not {type(passwords).__name__}")
        self._passwords: dict[bytes, bytes] | None = None
        if passwords is not None:
            self._passwords = {_octets("username", name): _octets("password", one) for name, one in passwords.items()}
        if passwords is not None and not passwords:
            raise ValueError("Plain.server({}): no user could come in; give None, and an authenticator decides")

    def new_mechanism(self, *, as_server: bool, asks: bool, random_bytes: Callable[[int], bytes]) -> Mechanism:
        """See `triomq.abc.Security`."""
        return _PlainServer(self._passwords, asks=asks)

    def __repr__(self) -> str:
        who = "" if self._passwords is None else f"{len(self._passwords)} users"
        return f"Plain.server({who})"


def _octets(what: str, value: object) -> bytes:
    """A name or a password as it is sent. No error shows it: a password may stand in the wrong place."""
    if isinstance(value, str):
        value = value.encode()
    if not isinstance(value, bytes):
        raise TypeError(f"Plain: a {what} is str or bytes, not {type(value).__name__}")
    if len(value) > _MOST:
        raise ValueError(f"Plain: a {what} has {_MOST} octets at the most, this one {len(value)} (RFC 24)")
    return value


class _PlainClient(Mechanism):
    """The side that shows its name and password."""

    name = "PLAIN"
    has_roles = True

    def __init__(self, username: bytes, password: bytes) -> None:
        super().__init__()
        credentials = b"".join(bytes((len(one),)) + one for one in (username, password))
        self._next: bytes | None = command_body(b"HELLO", credentials)
        self._due = b"WELCOME"
        self._metadata: Mapping[str, bytes] = {}

    def start(self, metadata: Mapping[str, bytes], as_server: bool) -> None:
        self._metadata = metadata

    def next_command(self) -> bytes | None:
        command, self._next = self._next, None
        return command

    def receive_command(self, command: Command) -> Properties | None:
        if command.name != self._due:
            raise not_due(command, self._due, self.name)
        if command.name == b"READY":
            self.complete = True
            return parse_properties(command.data, command.offset)
        if command.data:
            raise RemoteProtocolError("a WELCOME that holds something", command.offset)
        self._due = b"READY"
        self._next = command_body(b"INITIATE", encode_properties(self._metadata))
        return None


class _PlainServer(Mechanism):
    """The side that checks name and password."""

    name = "PLAIN"
    has_roles = True

    def __init__(self, passwords: Mapping[bytes, bytes] | None, *, asks: bool) -> None:
        super().__init__()
        self._passwords = passwords
        self._asks = asks or passwords is None
        self._next: bytes | None = None
        self._due = b"HELLO"
        self._metadata: Mapping[str, bytes] = {}

    @property
    def command_limit(self) -> int:
        return _HELLO_LIMIT if self._due == b"HELLO" else MAX_HANDSHAKE_COMMAND

    def start(self, metadata: Mapping[str, bytes], as_server: bool) -> None:
        self._metadata = metadata

    def next_command(self) -> bytes | None:
        command, self._next = self._next, None
        self.complete = self.complete or (command is not None and command.startswith(b"\5READY"))
        return command

    def receive_command(self, command: Command) -> Properties | None:
        if command.name != self._due:
            raise not_due(command, self._due, self.name)
        if command.name == b"INITIATE":
            self._due = b"nothing"
            metadata = parse_properties(command.data, command.offset)
            self._next = command_body(b"READY", encode_properties(self._metadata))
            return metadata
        self._due = b"INITIATE"
        username, password = _parse_hello(command)
        if self._passwords is not None:
            self._check(username, password, command.offset)
        if self._asks:
            self.question = AuthenticationRequested(mechanism=self.name, credentials=(username, password))
        else:
            self.accept()
        return None

    def accept(self) -> None:
        super().accept()
        self._next = command_body(b"WELCOME")

    def explain_silence(self) -> str:
        return server_too(self.name) if self._due == b"HELLO" else ""

    def explain_end(self) -> str:
        return self.explain_silence()

    def _check(self, username: bytes, password: bytes, offset: int) -> None:
        assert self._passwords is not None
        known = self._passwords.get(username)
        # Always one comparison, so that the time does not tell which names there are.
        right = hmac.compare_digest(password, password + b"." if known is None else known)
        if not right:
            why = "the password is wrong" if known is not None else "there is no such user"
            raise DeniedError(f"PLAIN user {username[:64]!r}: {why}", 400, offset)


def _parse_hello(command: Command) -> tuple[bytes, bytes]:
    data = command.data
    middle = 1 + data[0] if data else 0
    end = middle + 1 + data[middle] if 0 < middle < len(data) else 0
    if not end or end != len(data):
        raise RemoteProtocolError("a HELLO that does not hold just a name and a password", command.offset)
    return data[1:middle], data[middle + 1 :]
