"""Long-term keys of CURVE: 32 octets each, or 40 characters of Z85."""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable
from typing import Final, Self

from ..._security import z85_decode, z85_encode
from ._sodium import Sodium

KEY_SIZE: Final = 32
"""octets"""


def read_key(what: str, key: object) -> bytes:
    """A key, given as octets or as Z85.

    Args:
      what: which key it is, for the errors, which do not show it.
    Raises:
      TypeError, ValueError: it is no key.
    """
    if not isinstance(key, (str, bytes)):
        raise TypeError(f"{what} is 32 bytes, or 40 characters of Z85, not {type(key).__name__}")
    if isinstance(key, bytes) and len(key) == KEY_SIZE:
        return key
    if len(key) != KEY_SIZE * 5 // 4:
        kind = "characters" if isinstance(key, str) else "bytes"
        raise ValueError(f"{what} is 32 bytes, or 40 characters of Z85, not {len(key)} {kind}")
    try:
        return z85_decode(key)
    except ValueError as exc:
        raise ValueError(f"{what}: {exc}") from None


class KeyPair:
    """A key pair of CURVE. The public key may be known to everybody, the secret key to nobody else.

    Args:
      public_key: 32 bytes, or 40 characters of Z85.
      secret_key: likewise. ``KeyPair(*zmq.curve_keypair())`` takes what pyzmq makes.

    Attributes:
      public_key: 32 bytes.

    Raises:
      TypeError, ValueError: one of them is no key, or they are no pair. The text does not show the secret key.
      ImportError: PyNaCl is not installed.
    """

    __slots__ = ("_secret", "public_key")

    def __init__(self, public_key: str | bytes, secret_key: str | bytes) -> None:
        self.public_key: bytes = read_key("KeyPair: the public key", public_key)
        self._secret = read_key("KeyPair: the secret key", secret_key)
        if not hmac.compare_digest(Sodium().public_key(self._secret), self.public_key):
            raise ValueError("KeyPair: the public key is not the one of this secret key")

    @classmethod
    def generate(cls, random_bytes: Callable[[int], bytes] = os.urandom) -> Self:
        """A new key pair.

        Args:
          random_bytes: what the secret key is drawn from: so many octets that nobody can guess. Only a test gives
            something else than the system's source.
        Raises:
          ImportError: PyNaCl is not installed.
        """
        secret = random_bytes(KEY_SIZE)
        return cls(Sodium().public_key(secret), secret)

    @property
    def public_text(self) -> str:
        """The public key as 40 characters of Z85."""
        return z85_encode(self.public_key)

    @property
    def secret_key(self) -> bytes:
        """The secret key, 32 bytes: for where it is kept."""
        return self._secret

    @property
    def secret_text(self) -> str:
        """The secret key as 40 characters of Z85: for where it is kept."""
        return z85_encode(self._secret)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, KeyPair):
            return NotImplemented
        return self.public_key == other.public_key and hmac.compare_digest(self._secret, other._secret)

    def __hash__(self) -> int:
        return hash(self.public_key)

    def __repr__(self) -> str:
        return f"<triomq.KeyPair {self.public_text}>"
