"""Octets recorded from libzmq 4.3.5 by a plain TCP socket: understood here, and ours are the same."""

from __future__ import annotations

import pytest

from triomq import Message
from triomq.zmtp import Cancel, Connection, HandshakeComplete, Ping, Pong, Subscribe

# libzmq waits for the peer's octets between the three.
GREETING = [b"\xff\0\0\0\0\0\0\0\1\x7f", b"\x03", b"\x01NULL" + bytes(48)]
READY = {
    "PUSH": b"\x04\x1a\x05READY\x0bSocket-Type\0\0\0\x04PUSH",
    "SUB": b"\x04\x19\x05READY\x0bSocket-Type\0\0\0\x03SUB",
    "XSUB": b"\x04\x1a\x05READY\x0bSocket-Type\0\0\0\x04XSUB",
    "REQ": b"\x04&\x05READY\x0bSocket-Type\0\0\0\x03REQ\x08Identity\0\0\0\0",
}
DEALER_GREETING = b"\xff\0\0\0\0\0\0\0\3\x7f\x03\x01NULL" + bytes(48)
DEALER_READY = b"\x04+\x05READY\x0bSocket-Type\0\0\0\x06DEALER\x08Identity\0\0\0\x02me"
METADATA_READY = b"\x04(\x05READY\x0bSocket-Type\0\0\0\x04PUSH\x07X-Key a\0\0\0\x02va"


@pytest.mark.parametrize(("theirs", "ours"), [("PUSH", "PULL"), ("SUB", "XPUB"), ("XSUB", "PUB"), ("REQ", "ROUTER")])
def test_its_handshake_is_understood(theirs: str, ours: str) -> None:
    connection = Connection(ours, as_server=True)
    for piece in GREETING:
        assert connection.receive_data(piece) == []
    (event,) = connection.receive_data(READY[theirs])
    assert isinstance(event, HandshakeComplete)
    assert (event.peer.socket_type, event.peer.version, event.peer.mechanism) == (theirs, (3, 1), "NULL")


@pytest.mark.parametrize("socket_type", READY)
def test_our_ready_is_its_ready(socket_type: str) -> None:
    connection = Connection(socket_type, as_server=False)
    assert len(connection.data_to_send()) == 64
    connection.receive_data(b"".join(GREETING))
    assert connection.data_to_send() == READY[socket_type]


def test_identity_both_ways() -> None:
    connection = Connection("DEALER", as_server=False, routing_id=b"me")
    connection.data_to_send()
    (event,) = connection.receive_data(DEALER_GREETING + DEALER_READY)
    assert isinstance(event, HandshakeComplete)
    assert event.peer.routing_id == b"me"
    assert connection.data_to_send() == DEALER_READY


def test_metadata_with_a_name_outside_the_grammar() -> None:
    connection = Connection("PULL", as_server=False)
    (event,) = connection.receive_data(b"".join(GREETING) + METADATA_READY)
    assert isinstance(event, HandshakeComplete)
    assert event.peer.metadata["x-key A"] == b"va"
    assert dict(event.peer.metadata) == {"Socket-Type": b"PUSH", "X-Key a": b"va"}


MESSAGES = [
    ([b"hi"], b"\0\x02hi"),
    ([b"x" * 300], b"\x02\0\0\0\0\0\0\x01,", b"x" * 300),
    ([b"a", b"", b"b"], b"\x01\x01a\x01\0\0\x01b"),
]


@pytest.mark.parametrize("recorded", MESSAGES, ids=["short", "long", "multi-part"])
def test_messages(recorded: tuple[list[bytes], bytes], met) -> None:
    frames, *octets = recorded
    connection = met("PAIR", "PAIR")
    assert connection.receive_data(b"".join(octets)) == [Message(frames)]
    out: list[bytes] = []
    assert connection.encode([Message(frames)], out) == len(b"".join(octets))
    assert b"".join(out) == b"".join(octets)


COMMANDS = [
    (Subscribe(b"abc"), b"\x04\r\tSUBSCRIBEabc"),
    (Subscribe(b""), b"\x04\n\tSUBSCRIBE"),
    (Cancel(b"abc"), b"\x04\n\x06CANCELabc"),
    (Ping(2.0), b"\x04\x07\x04PING\0\x14"),
    (Pong(b"ab"), b"\x04\x07\x04PONGab"),
]


@pytest.mark.parametrize(("event", "octets"), COMMANDS)
def test_commands(event: object, octets: bytes, met) -> None:
    assert met("XPUB", "SUB").receive_data(octets) == [event]
    out: list[bytes] = []
    met("SUB", "PUB").encode([event], out)
    assert out == [octets]


def test_subscriptions_to_a_3_0_peer_are_messages(met) -> None:
    connection = met("SUB", "PUB", minor=0)
    assert connection.peer.version == (3, 0)
    out: list[bytes] = []
    connection.encode([Subscribe(b"abc"), Cancel(b"abc")], out)
    assert b"".join(out) == b"\0\x04\x01abc" + b"\0\x04\0abc"


def test_its_xsub_sends_subscriptions_as_messages_even_in_3_1(met) -> None:
    assert met("XPUB", "XSUB").receive_data(b"\0\x04\x01abc") == [Message([b"\x01abc"])]


def test_its_heartbeat_may_stand_between_the_frames_of_a_message(met) -> None:
    connection = met()
    octets = b"\x01\x01a" + b"\x04\x07\x04PING\0\x10" + b"\0\x01b"
    assert connection.receive_data(octets) == [Ping(1.6), Message([b"a", b"b"])]
    assert connection.data_to_send() == b"\x04\x05\x04PONG"
