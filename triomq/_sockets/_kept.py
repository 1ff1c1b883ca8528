"""Endpoints that accept nobody any more, and whose peers stay."""

from __future__ import annotations

from collections.abc import Iterable

from .._connections import Binding
from .._pipes import Pipe


class Kept:
    """What `Socket.unbind` was told to keep the peers of."""

    __slots__ = ("bindings",)

    def __init__(self) -> None:
        self.bindings: list[Binding] = []

    def add(self, binding: Binding, pipes: Iterable[Pipe]) -> None:
        """Keep a binding that accepts nobody any more, for as long as somebody is there.

        Args:
          pipes: of the socket. Where nothing has to end in good order, as over inproc, they alone tell who is there.
        """
        there = {pipe.endpoint for pipe in pipes if not pipe.dialled}
        self.bindings = [
            one for one in self.bindings if one.endpoint in there or not one.finished or one.unfinished_handshakes
        ]
        self.bindings.append(binding)

    def take(self, endpoint: str) -> list[Binding]:
        """Those of an endpoint, which are not kept any longer."""
        taken = [one for one in self.bindings if one.endpoint == endpoint]
        self.bindings = [one for one in self.bindings if one.endpoint != endpoint]
        return taken
