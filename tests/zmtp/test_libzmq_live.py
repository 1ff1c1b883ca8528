"""A real libzmq at the other end of a plain blocking socket."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from triomq import Message
from triomq.zmtp import Cancel, Connection, HandshakeComplete, Ping, Pong, Subscribe

zmq = pytest.importorskip("zmq")

PATIENCE = 5.0  # seconds


class Wire:
    """A connection and the socket it talks over."""

    def __init__(self, connection: Connection, endpoint: str) -> None:
        host, _, port = endpoint.removeprefix("tcp://").rpartition(":")
        self.connection = connection
        self.socket = socket.create_connection((host, int(port)), PATIENCE)
        self.seen: list[Any] = []

    def until(self, condition: Callable[[list[Any]], bool]) -> list[Any]:
        while not condition(self.seen):
            self.socket.sendall(self.connection.data_to_send())
            data = self.socket.recv(65_536)
            assert data, "libzmq closed the connection"
            self.seen += self.connection.receive_data(data)
        self.socket.sendall(self.connection.data_to_send())
        seen, self.seen = self.seen, []
        return seen

    def send(self, *items: Any) -> None:
        out: list[bytes] = []
        self.connection.encode(items, out)
        self.socket.sendall(b"".join(out))


@pytest.fixture
def reach() -> Iterator[Callable[..., tuple[Any, Wire]]]:
    """Binds a socket of libzmq and shakes hands with it."""
    context = zmq.Context()
    opened: list[Any] = []

    def make(theirs: str, ours: str, **options: Any) -> tuple[Any, Wire]:
        bound = context.socket(getattr(zmq, theirs))
        bound.linger, bound.rcvtimeo, bound.sndtimeo = 0, int(PATIENCE * 1000), int(PATIENCE * 1000)
        for name, value in options.items():
            setattr(bound, name, value)
        bound.bind("tcp://127.0.0.1:*")
        wire = Wire(Connection(ours, as_server=False, routing_id=b"us"), bound.last_endpoint.decode())
        opened.extend((bound, wire.socket))
        (event,) = wire.until(bool)
        assert type(event) is HandshakeComplete
        assert event.peer.socket_type == theirs
        return bound, wire

    yield make
    for one in opened:
        one.close()
    context.term()


MESSAGES = [
    Message([b"x" * size for size in sizes])
    for sizes in ([0], [10], [255], [256], [8192], [300_000], [0, 5, 256, 9000])
]


def test_messages_arrive_whole_both_ways(reach) -> None:
    pair, wire = reach("PAIR", "PAIR")
    wire.send(*MESSAGES)
    assert [Message(pair.recv_multipart()) for _ in MESSAGES] == MESSAGES
    for message in MESSAGES:
        pair.send_multipart(message)
    assert wire.until(lambda seen: len(seen) == len(MESSAGES)) == MESSAGES


def test_identity_is_what_its_router_sees(reach) -> None:
    router, wire = reach("ROUTER", "DEALER")
    wire.send((b"hello",))
    assert router.recv_multipart() == [b"us", b"hello"]
    router.send_multipart([b"us", b"", b"reply"])
    assert wire.until(bool) == [(b"", b"reply")]


def test_subscriptions_reach_its_publisher(reach) -> None:
    publisher, wire = reach("XPUB", "SUB")
    wire.send(Subscribe(b"a"))
    assert publisher.recv() == b"\x01a"
    publisher.send(b"b1")
    publisher.send(b"a1")
    assert wire.until(bool) == [(b"a1",)]
    wire.send(Cancel(b"a"))
    assert publisher.recv() == b"\0a"


def test_heartbeats_both_ways(reach) -> None:
    _, wire = reach("PULL", "PUSH", heartbeat_ivl=50, heartbeat_timeout=5000, heartbeat_ttl=2000)
    wire.send(Ping(1.5, b"context"))
    seen = wire.until(lambda seen: Pong(b"context") in seen and seen.count(Ping(2.0)) >= 2)
    assert {type(event) for event in seen} == {Ping, Pong}
