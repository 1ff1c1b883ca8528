"""What the option ``mechanism=`` takes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar


class Security(ABC):
    """How the connections of a socket are secured: what the option ``mechanism=`` takes.

    `triomq.Plain` and `triomq.Curve` are such classes. A user's own is one more. An object is validated when it is
    made, does not change, and may serve any number of sockets. Its ``repr`` shows no secret.

    Attributes:
      name: of the mechanism, as in the greeting, such as ``"CURVE"``.
      as_server: this side is the server of the mechanism, whoever binds and whoever connects. None: the side that
        accepts a connection is its server.
    """

    name: ClassVar[str]
    as_server: bool | None = None

    @abstractmethod
    def new_mechanism(self, *, as_server: bool, asks: bool, random_bytes: Callable[[int], bytes]) -> Any:
        """Make the mechanism of one connection: a fresh `triomq.zmtp.Mechanism`.

        Args:
          as_server: this side is the server on this connection.
          asks: the context has an authenticator. The server then asks, by `triomq.zmtp.Mechanism` and its
            ``question``, before it lets a peer in.
          random_bytes: what keys and nonces are drawn from: so many bytes that nobody can guess. Only a test gives
            something else than the system's source.
        """
