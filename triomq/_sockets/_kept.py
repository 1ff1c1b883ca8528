"""Endpoints that accept nobody any more, and whose peers stay."""

from __future__ import annotations

from .._connections import Binding


class Kept:
    """What `Socket.unbind` was told to keep the peers of."""

    __slots__ = ("bindings",)

    def __init__(self) -> None:
        self.bindings: list[Binding] = []

    def add(self, binding: Binding) -> None:
        """Keep a binding that accepts nobody any more, for as long as somebody is there."""
        self.bindings = [one for one in self.bindings if not one.finished or one.unfinished_handshakes]
        self.bindings.append(binding)

    def take(self, endpoint: str) -> list[Binding]:
        """Those of an endpoint, which are not kept any longer."""
        taken = [one for one in self.bindings if one.endpoint == endpoint]
        self.bindings = [one for one in self.bindings if one.endpoint != endpoint]
        return taken
