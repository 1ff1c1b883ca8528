"""What a user makes for the option ``mechanism=``."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ..._security import Security, z85_encode
from .._mechanism import Mechanism
from ._client import CurveClient
from ._keys import KeyPair, read_key
from ._server import CurveServer


class Curve(Security):
    """Encryption, and proof of who is there (RFC 25, RFC 26).

    ``Curve(server_key=…, keypair=…)`` is for the client, ``Curve.server(keypair)`` for the server. Nobody else can
    read, change, replay or inject anything, nor read later what was recorded. The client talks to nobody but the
    server that has this key. It needs PyNaCl: ``pip install 'triomq[curve]'``.

    Args:
      server_key: the server's public key: 32 bytes, or 40 characters of Z85.
      keypair: the client's own, by which the server knows it. None makes one that nobody knows.

    Raises:
      TypeError, ValueError: one of them is not as it must be.
      ImportError: PyNaCl is not installed.
    """

    name = "CURVE"
    as_server: bool = False

    def __init__(self, server_key: str | bytes, keypair: KeyPair | None = None) -> None:
        self._server_key = read_key("Curve: server_key", server_key)
        self._keypair = KeyPair.generate() if keypair is None else _keypair("Curve", keypair)

    @staticmethod
    def server(keypair: KeyPair, *, clients: Iterable[str | bytes] | None = None) -> Security:
        """The server's side of CURVE.

        Args:
          keypair: the server's own. Its public key is what clients are given as ``server_key``.
          clients: the public keys that are let in. None lets every client in that knows the server's key, unless the
            context has an authenticator, which then decides. With both, both must agree.

        Raises:
          TypeError, ValueError: one of them is not as it must be.
          ImportError: PyNaCl is not installed.
        """
        return _CurveServing(keypair, clients)

    def new_mechanism(self, *, as_server: bool, asks: bool, random_bytes: Callable[[int], bytes]) -> Mechanism:
        """See `triomq.abc.Security`."""
        return CurveClient(self._server_key, self._keypair, random_bytes)

    def __repr__(self) -> str:
        return f"Curve(server_key={z85_encode(self._server_key)!r}, keypair={self._keypair!r})"


class _CurveServing(Security):
    """What `Curve.server` returns."""

    name = "CURVE"
    as_server = True

    def __init__(self, keypair: KeyPair, clients: Iterable[str | bytes] | None) -> None:
        self._keypair = _keypair("Curve.server", keypair)
        if isinstance(clients, (str, bytes)):
            raise TypeError("Curve.server(clients=…) takes several public keys, such as a set, not one")
        self._clients: frozenset[bytes] | None = None
        if clients is not None:
            self._clients = frozenset(read_key("Curve.server: a key of clients", key) for key in clients)

    def new_mechanism(self, *, as_server: bool, asks: bool, random_bytes: Callable[[int], bytes]) -> Mechanism:
        """See `triomq.abc.Security`."""
        return CurveServer(self._keypair, self._clients, asks=asks, random_bytes=random_bytes)

    def __repr__(self) -> str:
        who = "" if self._clients is None else f", clients={len(self._clients)} keys"
        return f"Curve.server({self._keypair!r}{who})"


def _keypair(what: str, keypair: object) -> KeyPair:
    if not isinstance(keypair, KeyPair):
        raise TypeError(f"{what}: keypair is a triomq.KeyPair, not {type(keypair).__name__}")
    return keypair
