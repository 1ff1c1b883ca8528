"""Both sides of CURVE as they are, with keys that are always the same."""

from __future__ import annotations

import random
from typing import Any

from triomq.zmtp import Connection, Curve, HandshakeComplete

from .curve_peer import GREETING, Client, Server, key_pair

SERVER, CLIENT, STRANGER = key_pair(1), key_pair(2), key_pair(3)


def server_side(
    clients: Any = None, *, asks: bool = False, seed: int = 5, socket_type: str = "DEALER", **options: Any
) -> Connection:
    mechanism = Curve.server(SERVER, clients=clients).new_mechanism(
        as_server=True, asks=asks, random_bytes=random.Random(seed).randbytes
    )
    return Connection(socket_type, as_server=True, mechanism=mechanism, **options)


def client_side(*, keys: Any = CLIENT, seed: int = 6, socket_type: str = "DEALER", **options: Any) -> Connection:
    security = Curve(SERVER.public_key, keys)
    mechanism = security.new_mechanism(as_server=False, asks=False, random_bytes=random.Random(seed).randbytes)
    return Connection(socket_type, as_server=False, mechanism=mechanism, **options)


def greet(connection: Connection) -> bytes:
    connection.data_to_send()
    connection.receive_data(GREETING)
    return connection.data_to_send()


def encoded(connection: Connection, *items: Any) -> bytes:
    out: list[bytes] = []
    ends: list[int] = []
    total = connection.encode(items, out, ends)
    assert total == sum(map(len, out)) == ends[-1]
    assert len(ends) == len(items)
    return b"".join(out)


def welcomed(connection: Connection, **options: Any) -> Client:
    """A client that has its WELCOME."""
    client = Client(SERVER.public_key, CLIENT, **options)
    assert greet(connection) == b""
    assert connection.receive_data(client.hello()) == []
    client.take_welcome(connection.data_to_send())
    return client


def met(connection: Connection, **options: Any) -> Client:
    """A client that has shaken hands."""
    client = welcomed(connection, **options)
    (event,) = connection.receive_data(client.initiate())
    assert type(event) is HandshakeComplete
    client.take_ready(connection.data_to_send())
    return client


def met_server(connection: Connection) -> Server:
    server = Server(SERVER)
    server.take_hello(greet(connection))
    connection.receive_data(server.welcome())
    server.take_initiate(connection.data_to_send())
    (event,) = connection.receive_data(server.ready())
    assert type(event) is HandshakeComplete
    return server
