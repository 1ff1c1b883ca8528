"""Boxes, nonces and the frames of an established connection: what client and server of CURVE have in common."""

from __future__ import annotations

import hmac
import struct
from typing import Final

from ..._errors import LocalProtocolError, RemoteProtocolError
from .._commands import Command
from .._mechanism import Mechanism
from ._sodium import Sodium

LONG_NONCE: Final = 16  # octets, drawn
SHORT_NONCE: Final = 8  # octets, counted
BOX: Final = 16  # octets by which a box is longer than what it holds
COOKIE: Final = LONG_NONCE + 64 + BOX
VOUCH: Final = LONG_NONCE + 64 + BOX

_pack, _unpack = struct.Struct(">Q").pack, struct.Struct(">Q").unpack
_MESSAGE: Final = b"\x07MESSAGE"
_HEAD: Final = len(_MESSAGE) + SHORT_NONCE
_LEAST: Final = _HEAD + BOX + 1
_LAST_NONCE: Final = 2**64 - 1
_KINDS: Final = {0: 0, 1: 1, 2: 4}  # flags inside a box, of libzmq, to flags of a frame: none, MORE, COMMAND
_INSIDE: Final = {frame: bytes((inside,)) for inside, frame in _KINDS.items()}


class CurveMechanism(Mechanism):
    """What both sides do after the handshake, and how they count.

    The nonces of one side's commands strictly increase, from HELLO or READY on: what comes a second time, or in another
    order, is refused (RFC 26: "SHALL disconnect clients that reuse a short nonce").

    Args:
      ours, theirs: the ends of the prefixes of MESSAGE nonces: ``C`` or ``S``.
    """

    name = "CURVE"
    shares_encoding = False
    has_roles = True
    overhead = _LEAST

    def __init__(self, ours: bytes, theirs: bytes) -> None:
        super().__init__()
        self._boxes = Sodium()
        self._key = b""  # of the boxes of this connection
        self._said = 0  # the nonce of our last command
        self._heard = -1  # and of the peer's
        self._our_prefix = b"CurveZMQMESSAGE" + ours
        self._their_prefix = b"CurveZMQMESSAGE" + theirs

    def encode_frame(self, flags: int, body: bytes) -> bytes:
        number = self._next_nonce()
        return _MESSAGE + number + self._boxes.seal(_INSIDE[flags] + body, self._our_prefix + number, self._key)

    def decode_frame(self, body: bytes, offset: int) -> tuple[int, bytes]:
        if body[:8] != _MESSAGE:
            raise RemoteProtocolError("a frame that is no MESSAGE of CURVE", offset)
        if len(body) < _LEAST:
            raise RemoteProtocolError(f"a MESSAGE of {len(body)} octets; the shortest has {_LEAST}", offset)
        number = body[8:_HEAD]
        self._check_nonce(number, offset)
        data = self._boxes.open(body[_HEAD:], self._their_prefix + number, self._key)
        if data is None:
            raise RemoteProtocolError("a MESSAGE whose box does not open: it was changed, or is not the peer's", offset)
        flags = _KINDS.get(data[0])
        if flags is None:
            raise RemoteProtocolError(f"a MESSAGE with flags {data[0]:#04x}, of which some mean nothing", offset)
        return flags, data[1:]

    def _next_nonce(self) -> bytes:
        """The next number of ours.

        Raises:
          LocalProtocolError: there is none.
        """
        if self._said == _LAST_NONCE:
            raise LocalProtocolError("all nonces of this connection are used up")
        self._said += 1
        return _pack(self._said)

    def _check_nonce(self, number: bytes, offset: int) -> None:
        """Take the number of a command of the peer.

        Raises:
          RemoteProtocolError: it is not above that of the command before.
        """
        (value,) = _unpack(number)
        if value <= self._heard:
            raise RemoteProtocolError("a nonce that was used before: this command was replayed, or reordered", offset)
        self._heard = value


def same(one: bytes, other: bytes) -> bool:
    """Compare, in a time that does not tell where they differ."""
    return hmac.compare_digest(one, other)


def check_size(command: Command, size: int, *, or_more: bool = False) -> None:
    """Check the size of a command's data.

    Raises:
      RemoteProtocolError: it is another one.
    """
    if len(command.data) != size and not (or_more and len(command.data) > size):
        wanted = f"{size} or more" if or_more else size
        raise RemoteProtocolError(
            f"a {command.name.decode()} that holds {len(command.data)} octets; {wanted} are due", command.offset
        )
