"""The one door to PyNaCl, the extra ``curve``: it is opened when the first key is needed."""

from __future__ import annotations

from collections.abc import Callable

from ..._errors import RemoteProtocolError


class Sodium:
    """libsodium's boxes.

    Attributes:
      seal: puts data into a box, by a nonce and a key. The binding itself, as each frame is sealed by it.

    Raises:
      ImportError: PyNaCl is not installed; the text says what to do.
    """

    __slots__ = ("_bindings", "_error", "_open", "seal")

    def __init__(self) -> None:
        try:
            import nacl.bindings
            import nacl.exceptions
        except ImportError as exc:
            raise ImportError("CURVE needs PyNaCl, which is not installed: pip install 'triomq[curve]'") from exc
        self._bindings = nacl.bindings
        self.seal: Callable[[bytes, bytes, bytes], bytes] = nacl.bindings.crypto_box_afternm
        self._open = nacl.bindings.crypto_box_open_afternm
        self._error = nacl.exceptions.CryptoError

    def public_key(self, secret: bytes) -> bytes:
        """The public key of a secret one."""
        return self._bindings.crypto_scalarmult_base(secret)

    def shared_key(self, theirs: bytes, ours: bytes) -> bytes:
        """The key that boxes between a public key of theirs and a secret key of ours have in common.

        Raises:
          RemoteProtocolError: their key is one of the few with which everybody knows the result.
        """
        try:
            return self._bindings.crypto_box_beforenm(theirs, ours)
        except self._error as exc:
            raise RemoteProtocolError("a public key that hides nothing") from exc

    def open(self, box: bytes, nonce: bytes, key: bytes) -> bytes | None:
        """What is in a box; None if it was made with another key or nonce, or changed, or is none."""
        try:
            return self._open(box, nonce, key)
        except self._error:
            return None
