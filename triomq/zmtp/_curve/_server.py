"""The server of CURVE: it proves its key to everybody who knows that, and sees the client's."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Final

from ..._errors import DeniedError, RemoteProtocolError
from ..._security import z85_encode
from .._commands import MAX_HANDSHAKE_COMMAND, Command, command_body, encode_properties, parse_properties
from .._events import AuthenticationRequested, Properties
from .._mechanism import not_due, server_too
from ._boxes import BOX, COOKIE, LONG_NONCE, SHORT_NONCE, VOUCH, CurveMechanism, check_size, same
from ._keys import KEY_SIZE, KeyPair

_VERSION: Final = b"\1\0"
_HELLO: Final = 194
_ZEROS: Final = bytes(64)


class CurveServer(CurveMechanism):
    """One connection of a server.

    Between WELCOME and INITIATE all that it keeps of the two is the key of the cookie, which is the server's state.

    Args:
      keypair: the server's own.
      clients: the public keys that are let in; None for all.
      asks: wait for a verdict on each client whose key is let in.
      random_bytes: what the keys of this connection are drawn from.
    """

    def __init__(
        self, keypair: KeyPair, clients: Collection[bytes] | None, *, asks: bool, random_bytes: Callable[[int], bytes]
    ) -> None:
        super().__init__(b"S", b"C")
        self._keypair: KeyPair | None = keypair
        self._clients = clients
        self._asks = asks
        self._random_bytes = random_bytes
        self._cookie_key = b""
        self._due = b"HELLO"
        self._next: bytes | None = None
        self._metadata = b""

    @property
    def command_limit(self) -> int:
        return 1 + len("HELLO") + _HELLO if self._due == b"HELLO" else MAX_HANDSHAKE_COMMAND

    def start(self, metadata: Mapping[str, bytes], as_server: bool) -> None:
        self._metadata = encode_properties(metadata)

    def next_command(self) -> bytes | None:
        command, self._next = self._next, None
        self.complete = self.complete or (command is not None and command.startswith(b"\5READY"))
        return command

    def receive_command(self, command: Command) -> Properties | None:
        if command.name != self._due:
            raise not_due(command, self._due, self.name)
        if self._due == b"HELLO":
            self._receive_hello(command)
            return None
        return self._receive_initiate(command)

    def accept(self) -> None:
        super().accept()
        number = self._next_nonce()
        box = self._boxes.seal(self._metadata, b"CurveZMQREADY---" + number, self._key)
        self._next = command_body(b"READY", number + box)
        self._metadata = b""

    def explain_silence(self) -> str:
        return server_too(self.name) if self._due == b"HELLO" else ""

    def explain_end(self) -> str:
        return self.explain_silence()

    # --- HELLO and WELCOME ------------------------------------------------------------------

    def _receive_hello(self, command: Command) -> None:
        assert self._keypair is not None
        check_size(command, _HELLO)
        data, offset = command.data, command.offset
        if data[:2] != _VERSION:
            raise RemoteProtocolError(f"a HELLO of CurveZMQ {data[0]}.{data[1]}; 1.0 is spoken here", offset)
        if data[2:74].strip(b"\0"):
            raise RemoteProtocolError("a HELLO whose padding is not zero", offset + 2)
        client, number, box = data[74:106], data[106:114], data[114:]
        self._check_nonce(number, offset)
        key = self._boxes.shared_key(client, self._keypair.secret_key)
        zeros = self._boxes.open(box, b"CurveZMQHELLO---" + number, key)
        if zeros is None:
            raise RemoteProtocolError("a HELLO for another key: the client was given a wrong server_key", offset)
        if not same(zeros, _ZEROS):
            raise RemoteProtocolError("a HELLO whose box does not hold zeros", offset)
        self._next = self._welcome(client, key)
        self._due = b"INITIATE"

    def _welcome(self, client: bytes, key: bytes) -> bytes:
        boxes, random_bytes = self._boxes, self._random_bytes
        secret = random_bytes(KEY_SIZE)  # of S': it goes into the cookie, and is forgotten
        self._cookie_key = random_bytes(KEY_SIZE)
        cookie_nonce, nonce = random_bytes(LONG_NONCE), random_bytes(LONG_NONCE)
        cookie = cookie_nonce + boxes.seal(client + secret, b"COOKIE--" + cookie_nonce, self._cookie_key)
        box = boxes.seal(boxes.public_key(secret) + cookie, b"WELCOME-" + nonce, key)
        return command_body(b"WELCOME", nonce + box)

    # --- INITIATE and READY -----------------------------------------------------------------

    def _receive_initiate(self, command: Command) -> Properties:
        check_size(command, COOKIE + SHORT_NONCE + KEY_SIZE + VOUCH + BOX, or_more=True)
        data, offset = command.data, command.offset
        cookie, number, box = data[:COOKIE], data[COOKIE : COOKIE + SHORT_NONCE], data[COOKIE + SHORT_NONCE :]
        self._check_nonce(number, offset)
        client, secret = self._open_cookie(cookie, offset)
        self._key = self._boxes.shared_key(client, secret)
        inside = self._boxes.open(box, b"CurveZMQINITIATE" + number, self._key)
        if inside is None:
            raise RemoteProtocolError("an INITIATE whose box does not open", offset)
        name, vouch, metadata = inside[:KEY_SIZE], inside[KEY_SIZE : KEY_SIZE + VOUCH], inside[KEY_SIZE + VOUCH :]
        self._check_vouch(name, vouch, client, secret, offset)
        properties = parse_properties(metadata, offset)
        self._due = b"nothing"
        self._keypair = None
        if self._clients is not None and name not in self._clients:
            raise DeniedError(f"CURVE key {z85_encode(name)} was not let in: it is not one of the clients", 400, offset)
        if self._asks:
            self.question = AuthenticationRequested(mechanism=self.name, credentials=(name,), metadata=properties)
        else:
            self.accept()
        return properties

    def _open_cookie(self, cookie: bytes, offset: int) -> tuple[bytes, bytes]:
        """The client's public key and the server's secret key of this connection.

        Raises:
          RemoteProtocolError: it is not the cookie of this connection.
        """
        nonce, box = cookie[:LONG_NONCE], cookie[LONG_NONCE:]
        data = self._boxes.open(box, b"COOKIE--" + nonce, self._cookie_key)
        self._cookie_key = b""
        if data is None:
            raise RemoteProtocolError("an INITIATE with a cookie that is not from this connection", offset)
        return data[:KEY_SIZE], data[KEY_SIZE:]

    def _check_vouch(self, name: bytes, vouch: bytes, client: bytes, secret: bytes, offset: int) -> None:
        """Check that the client has the secret key of the public key that it shows, and meant this server.

        Raises:
          RemoteProtocolError: one of them is not so.
        """
        assert self._keypair is not None
        key = self._boxes.shared_key(name, secret)
        data = self._boxes.open(vouch[LONG_NONCE:], b"VOUCH---" + vouch[:LONG_NONCE], key)
        if data is None:
            raise RemoteProtocolError("an INITIATE whose vouch does not open: the key is not the client's", offset)
        if not same(data, client + self._keypair.public_key):
            raise RemoteProtocolError("an INITIATE whose vouch is for another connection or server", offset)
