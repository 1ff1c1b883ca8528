"""The client of CURVE: it knows the server's key, and proves its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from ..._errors import RemoteProtocolError
from ..._security import z85_encode
from .._commands import MAX_HANDSHAKE_COMMAND, Command, command_body, encode_properties, parse_properties
from .._events import Properties
from .._mechanism import not_due
from ._boxes import BOX, COOKIE, LONG_NONCE, SHORT_NONCE, CurveMechanism, check_size
from ._keys import KEY_SIZE, KeyPair

_VERSION: Final = b"\1\0"
_PADDING: Final = bytes(72)  # so that WELCOME is no longer than HELLO, and nobody can have it sent to somebody else
_WELCOME: Final = LONG_NONCE + KEY_SIZE + COOKIE + BOX


class CurveClient(CurveMechanism):
    """One connection of a client.

    Args:
      server_key: the server's public key.
      keypair: the client's own.
      random_bytes: what the keys of this connection are drawn from.
    """

    def __init__(self, server_key: bytes, keypair: KeyPair, random_bytes: Callable[[int], bytes]) -> None:
        super().__init__(b"C", b"S")
        self._server_key = server_key
        self._keypair: KeyPair | None = keypair
        self._random_bytes = random_bytes
        self._secret = random_bytes(KEY_SIZE)  # of C'
        self._public = self._boxes.public_key(self._secret)
        self._hello_key = self._boxes.shared_key(server_key, self._secret)
        self._due = b"WELCOME"
        self._next: bytes | None = None
        self._metadata = b""

    @property
    def command_limit(self) -> int:
        if self._due == b"WELCOME":
            return 1 + len("WELCOME") + max(_WELCOME, 255)  # or an ERROR
        return MAX_HANDSHAKE_COMMAND

    def start(self, metadata: Mapping[str, bytes], as_server: bool) -> None:
        self._metadata = encode_properties(metadata)
        number = self._next_nonce()
        box = self._boxes.seal(bytes(64), b"CurveZMQHELLO---" + number, self._hello_key)
        self._next = command_body(b"HELLO", _VERSION + _PADDING + self._public + number + box)

    def next_command(self) -> bytes | None:
        command, self._next = self._next, None
        return command

    def receive_command(self, command: Command) -> Properties | None:
        if command.name != self._due:
            raise not_due(command, self._due, self.name)
        if self._due == b"WELCOME":
            self._receive_welcome(command)
            return None
        return self._receive_ready(command)

    def explain_end(self) -> str:
        if self._due == b"WELCOME":
            key = z85_encode(self._server_key)
            return f"it is probably not the server of the given server_key, {key}; compare that with its public key"
        return ""

    def _receive_welcome(self, command: Command) -> None:
        check_size(command, _WELCOME)
        nonce, box = command.data[:LONG_NONCE], command.data[LONG_NONCE:]
        data = self._boxes.open(box, b"WELCOME-" + nonce, self._hello_key)
        if data is None:
            key = z85_encode(self._server_key)
            raise RemoteProtocolError(f"a WELCOME that was not made by the server of key {key}", command.offset)
        server, cookie = data[:KEY_SIZE], data[KEY_SIZE:]
        self._key = self._boxes.shared_key(server, self._secret)
        self._next = self._initiate(server, cookie)
        self._due = b"READY"
        # Nothing needs these any more, and who gets hold of this process later shall not find them.
        self._secret = self._hello_key = self._metadata = b""
        self._keypair = None

    def _initiate(self, server: bytes, cookie: bytes) -> bytes:
        assert self._keypair is not None
        boxes, keypair = self._boxes, self._keypair
        vouch_nonce = self._random_bytes(LONG_NONCE)
        vouch_key = boxes.shared_key(server, keypair.secret_key)
        vouch = vouch_nonce + boxes.seal(self._public + self._server_key, b"VOUCH---" + vouch_nonce, vouch_key)
        number = self._next_nonce()
        data = keypair.public_key + vouch + self._metadata
        return command_body(b"INITIATE", cookie + number + boxes.seal(data, b"CurveZMQINITIATE" + number, self._key))

    def _receive_ready(self, command: Command) -> Properties:
        check_size(command, SHORT_NONCE + BOX, or_more=True)
        number, box = command.data[:SHORT_NONCE], command.data[SHORT_NONCE:]
        self._check_nonce(number, command.offset)
        data = self._boxes.open(box, b"CurveZMQREADY---" + number, self._key)
        if data is None:
            raise RemoteProtocolError("a READY whose box does not open: it was changed", command.offset)
        self._due = b"nothing"
        self.complete = True
        return parse_properties(data, command.offset)
