"""CURVE against RFC 26, written a second time: what both sides say."""

from __future__ import annotations

import hashlib
from typing import Any

from triomq import Message
from triomq.testing import check_mechanism
from triomq.zmtp import Cancel, HandshakeComplete, Ping, Pong, Subscribe

from .curve_peer import Server
from .curve_sides import CLIENT, SERVER, client_side, encoded, greet, met, server_side, welcomed

# --- in order ---------------------------------------------------------------------------------------


def test_the_server_says_what_the_rfc_says() -> None:
    connection = server_side()
    client = welcomed(connection)
    assert connection.peer is None
    (event,) = connection.receive_data(client.initiate())
    assert event == HandshakeComplete(connection.peer)
    assert connection.peer.routing_id == b"me"
    assert connection.peer.mechanism == "CURVE"
    assert client.take_ready(connection.data_to_send()) == b"\x0bSocket-Type\0\0\0\x06DEALER\x08Identity\0\0\0\0"
    assert connection.receive_data(client.message(3, b"one", 1) + client.message(4, b"")) == [(b"one", b"")]


def test_the_client_says_what_the_rfc_says() -> None:
    connection = client_side(routing_id=b"I")
    server = Server(SERVER)
    server.take_hello(greet(connection))
    assert connection.receive_data(server.welcome(cookie=bytes(range(96)))) == []
    cookie, key, metadata = server.take_initiate(connection.data_to_send())
    assert (cookie, key) == (bytes(range(96)), CLIENT.public_key)
    assert metadata == b"\x0bSocket-Type\0\0\0\x06DEALER\x08Identity\0\0\0\x01I"
    (event,) = connection.receive_data(server.ready())
    assert event == HandshakeComplete(connection.peer)
    assert connection.receive_data(server.message(2, b"x")) == [(b"x",)]


def test_the_same_keys_give_the_same_octets(carry: Any) -> None:
    """A known answer: libzmq understands these octets, and a change of them has to be meant."""
    one, other = client_side(), server_side()
    said = [hashlib.sha256(), hashlib.sha256()]
    for _ in range(4):
        for speaker, listener, digest in ((one, other, said[0]), (other, one, said[1])):
            data = speaker.data_to_send()
            digest.update(data)
            listener.receive_data(data)
    said[0].update(encoded(one, (b"a message", b"of two"), Ping(1.0, b"c")))
    said[1].update(encoded(other, (b"an answer",)))
    assert [digest.hexdigest()[:16] for digest in said] == ["1843af8c16b09f9e", "eaa1c1bd4c406ba6"]


def test_messages_and_commands_inside(carry: Any) -> None:
    one, other = client_side(socket_type="SUB"), server_side(socket_type="XPUB")
    carry(one, other)
    items = [Subscribe(b"a"), Message([b"x" * 300, b"", b"y"]), Cancel(b"a"), Ping(1, b"c"), Message([b"secret"])]
    octets = encoded(one, *items)
    assert b"secret" not in octets
    assert octets[0] == 0, "a MESSAGE travels in an ordinary frame, as libzmq has it"
    assert [event for octet in octets for event in other.receive_data(bytes((octet,)))] == items
    assert one.receive_data(other.data_to_send()) == [Pong(b"c")]


def test_commands_travel_as_libzmq_has_them() -> None:
    """Its flags inside the box are 1 for MORE and 2 for a command."""
    connection = server_side(socket_type="XPUB")
    client = welcomed(connection)
    connection.receive_data(client.initiate(metadata=b"\x0bSocket-Type\0\0\0\x03SUB"))
    events = connection.receive_data(client.message(3, b"\x09SUBSCRIBEa", 2) + client.message(4, b"\4PING\0\1x", 2))
    assert events == [Subscribe(b"a"), Ping(0.1, b"x")]


def test_the_rfcs_own_form_of_message_is_understood() -> None:
    connection = server_side()
    client = met(connection)
    assert connection.receive_data(client.message(3, b"x", outside=4)) == [(b"x",)]


def test_the_kit_finds_nothing() -> None:
    check_mechanism(lambda: client_side()._mechanism, lambda: server_side()._mechanism)


def test_each_connection_has_keys_of_its_own(carry: Any) -> None:
    """The same message to two peers, and twice to one, is never the same octets."""
    seen = set()
    for seed in 1, 2:
        one, other = client_side(seed=seed), server_side(seed=seed + 10)
        carry(one, other)
        seen |= {encoded(one, (b"m",)), encoded(one, (b"m",)), encoded(other, (b"m",))}
    assert len(seen) == 6


def test_what_opens_the_handshake_is_forgotten_with_it(carry: Any) -> None:
    one, other = client_side(), server_side()
    carry(one, other)
    kept = [
        value
        for connection in (one, other)
        for name, value in vars(connection._mechanism).items()
        if name in ("_secret", "_hello_key", "_cookie_key", "_keypair")
    ]
    assert len(kept) == 5
    assert not any(kept)


def test_the_server_keeps_no_key_of_a_client_before_initiate() -> None:
    connection = server_side()
    client = welcomed(connection)
    kept = [value for value in vars(connection._mechanism).values() if isinstance(value, bytes)]
    assert not any(client.short.public_key in value or client.server_short in value for value in kept)
    assert connection._mechanism._key == b""
