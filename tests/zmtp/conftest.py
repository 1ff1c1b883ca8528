"""Two connections with a wire between them, and one that has shaken hands with a scripted peer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from triomq.zmtp import Connection, HandshakeComplete

GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x01NULL" + bytes(48)


def exchange(left: Connection, right: Connection) -> tuple[list[Any], list[Any]]:
    """Carry what the protocol has to say back and forth until both are silent; what each side reported."""
    seen_left: list[Any] = []
    seen_right: list[Any] = []
    while True:
        to_right, to_left = left.data_to_send(), right.data_to_send()
        if not to_right and not to_left:
            return seen_left, seen_right
        seen_right += right.receive_data(to_right)
        seen_left += left.receive_data(to_left)


def ready_of(socket_type: str, identity: bytes | None = None) -> bytes:
    body = b"\x05READY\x0bSocket-Type" + len(socket_type).to_bytes(4, "big") + socket_type.encode()
    if identity is not None:
        body += b"\x08Identity" + len(identity).to_bytes(4, "big") + identity
    header = bytes((4, len(body))) if len(body) < 256 else b"\x06" + len(body).to_bytes(8, "big")
    return header + body


@pytest.fixture
def link() -> Callable[..., tuple[Connection, Connection]]:
    """Makes two connections that have shaken hands."""

    def make(left: str = "PUSH", right: str = "PULL", **options: Any) -> tuple[Connection, Connection]:
        pair = Connection(left, as_server=False, **options), Connection(right, as_server=True, **options)
        for seen in exchange(*pair):
            assert [type(event) for event in seen] == [HandshakeComplete]
        return pair

    return make


@pytest.fixture
def greeted() -> Callable[..., Connection]:
    """Makes a connection that has had a peer's greeting and nothing else."""

    def make(socket_type: str = "PULL", *, minor: int = 1, **options: Any) -> Connection:
        connection = Connection(socket_type, as_server=True, **options)
        assert connection.receive_data(GREETING[:11] + bytes((minor,)) + GREETING[12:]) == []
        return connection

    return make


@pytest.fixture
def met(greeted: Callable[..., Connection]) -> Callable[..., Connection]:
    """Makes a connection that has shaken hands with a peer of the given type and has nothing to send."""

    def make(socket_type: str = "PULL", peer: str = "PUSH", **options: Any) -> Connection:
        connection = greeted(socket_type, **options)
        (event,) = connection.receive_data(ready_of(peer))
        assert type(event) is HandshakeComplete
        connection.data_to_send()
        return connection

    return make


@pytest.fixture
def ready() -> Callable[..., bytes]:
    """Makes the READY frame of a peer."""
    return ready_of


@pytest.fixture
def greeting() -> bytes:
    """A peer's greeting."""
    return GREETING


@pytest.fixture
def carry() -> Callable[[Connection, Connection], tuple[list[Any], list[Any]]]:
    """The wire."""
    return exchange
