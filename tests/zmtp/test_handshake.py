"""Greeting and READY, and every way a peer can get them wrong."""

from __future__ import annotations

from typing import Any

import pytest

from triomq import RefusedByPeerError
from triomq._errors import LocalProtocolError, RemoteProtocolError
from triomq.zmtp import COMPATIBLE, Connection, HandshakeComplete, State
from triomq.zmtp._commands import encode_error, parse_error_reason


def fault_of(connection: Connection, octets: bytes) -> RemoteProtocolError:
    with pytest.raises(RemoteProtocolError) as caught:
        connection.receive_data(octets)
    assert connection.state is State.CLOSED
    assert not connection.established
    with pytest.raises(LocalProtocolError):
        connection.receive_data(b"")
    return caught.value


@pytest.mark.parametrize(("left", "right"), [(a, b) for a in COMPATIBLE for b in sorted(COMPATIBLE[a])])
def test_compatible_types_shake_hands(left: str, right: str, link) -> None:
    one, other = link(left, right)
    assert one.established
    assert other.established
    assert (one.peer.socket_type, other.peer.socket_type) == (right, left)


def test_compatibility_is_mutual() -> None:
    assert all(a in COMPATIBLE[b] for a in COMPATIBLE for b in COMPATIBLE[a])


@pytest.mark.parametrize("socket_type", COMPATIBLE)
def test_incompatible_types_are_told_why(socket_type: str, ready) -> None:
    wrong = next(theirs for theirs in COMPATIBLE if theirs not in COMPATIBLE[socket_type])
    ours, theirs = Connection(socket_type, as_server=True), Connection(wrong, as_server=False)
    theirs.receive_data(ours.data_to_send())
    ours.receive_data(theirs.data_to_send()[:64])
    ours.data_to_send()  # our READY gets lost, or the other side would be the first to refuse
    with pytest.raises(RemoteProtocolError, match=f"{socket_type} does not talk to {wrong}; it talks to"):
        ours.receive_data(ready(wrong))
    with pytest.raises(RefusedByPeerError, match=f"{socket_type} does not talk to {wrong}; it talks to"):
        theirs.receive_data(ours.data_to_send())


def test_the_reason_names_what_would_do(greeted, ready) -> None:
    connection = greeted("PULL")
    connection.data_to_send()
    fault = fault_of(connection, ready("PUB"))
    assert str(fault).startswith("PULL does not talk to PUB; it talks to PUSH")
    reason = b"PULL+does+not+talk+to+PUB;+it+talks+to+PUSH"  # 0*255VCHAR, which no space is
    assert connection.data_to_send() == bytes((4, 7 + len(reason))) + b"\x05ERROR" + bytes((len(reason),)) + reason


def test_an_unknown_type_is_shown_harmlessly(greeted, ready) -> None:
    fault = fault_of(greeted("PULL"), ready("\x1b[2J" + "A" * 60))
    assert "the unknown type '\\x1b[2JAAAA" in str(fault)
    assert len(str(fault)) < 160


GREETING_FAULTS = [
    (b"G", 0, "not a ZMTP 3 greeting"),
    (b"\xff" + bytes(8) + b"\x7e", 9, "ZMTP 1.0"),
    (b"\xff" + bytes(8) + b"\x7f\x01", 10, "ZMTP 2.0"),
    (b"\xff" + bytes(8) + b"\x7f\x02", 10, "ZMTP 2.0"),
    (
        b"\xff" + bytes(8) + b"\x7f\x03\x01PLAIN" + bytes(15),
        12,
        "mechanism 'PLAIN', this side NULL; give both the same",
    ),
    (b"\xff" + bytes(8) + b"\x7f\x03\x01NULLX" + bytes(15), 12, "NULLX"),
    (b"\xff" + bytes(8) + b"\x7f\x03\x01null" + bytes(16), 12, "null"),
    (b"\xff" + bytes(8) + b"\x7f\x03\x01NULL\0X" + bytes(14), 12, "NULL"),
]


@pytest.mark.parametrize(("octets", "offset", "text"), GREETING_FAULTS)
def test_greeting_faults_show_at_once(octets: bytes, offset: int, text: str) -> None:
    connection = Connection("PULL", as_server=True)
    # Every octet before the last is still fine.
    for octet in octets[:-1]:
        assert connection.receive_data(bytes((octet,))) == []
    fault = fault_of(connection, octets[-1:])
    assert fault.offset == offset
    assert text in str(fault)
    assert len(connection.data_to_send()) == 64  # the greeting, and no ERROR to whoever that is


@pytest.mark.parametrize(
    ("major", "minor", "version"), [(3, 0, (3, 0)), (3, 1, (3, 1)), (3, 9, (3, 1)), (4, 0, (3, 1))]
)
def test_the_lower_version_is_spoken(major: int, minor: int, version: tuple[int, int], greeting, ready) -> None:
    connection = Connection("PULL", as_server=True)
    (event,) = connection.receive_data(greeting[:10] + bytes((major, minor)) + greeting[12:] + ready("PUSH"))
    assert isinstance(event, HandshakeComplete)
    assert event.peer.version == version


def test_padding_filler_and_as_server_do_not_matter(ready) -> None:
    octets = b"\xffABCDEFGH\x01\x03\x01NULL" + bytes(16) + b"\x01" + b"Z" * 31
    (event,) = Connection("PULL", as_server=True).receive_data(octets + ready("PUSH"))
    assert isinstance(event, HandshakeComplete)


def test_nothing_but_greeting_and_ready_goes_out_before_the_peers_ready(greeting, ready) -> None:
    connection = Connection("SUB", as_server=False)
    assert len(connection.data_to_send()) == 64
    assert connection.data_to_send() == b""
    for piece in (greeting[:10], greeting[10:11], greeting[11:]):
        assert connection.data_to_send() == b""
        connection.receive_data(piece)
    assert connection.data_to_send().startswith(b"\x04\x19\x05READY")
    with pytest.raises(LocalProtocolError, match="HANDSHAKE"):
        connection.encode([(b"early",)], [])
    connection.receive_data(ready("PUB"))
    assert connection.data_to_send() == b""


def prop(name: bytes, value: bytes) -> bytes:
    return bytes((len(name),)) + name + len(value).to_bytes(4, "big") + value


def command(body: bytes) -> bytes:
    return (bytes((4, len(body))) if len(body) < 256 else b"\x06" + len(body).to_bytes(8, "big")) + body


PUSH = prop(b"Socket-Type", b"PUSH")
READY_FAULTS = [
    (b"\0\x01", 0, "a message before the handshake"),
    (b"\x05", 0, "MORE"),
    (b"\x0c", 0, "reserved bits"),
    (b"\x80", 0, "reserved bits"),
    (b"\x04\0", 2, "no octets"),
    (b"\x04\x01\0", 2, "without a name"),
    (b"\x04\x05\x05READ", 2, "a command name of 5 octets in a command of 5"),
    (b"\x06" + (65_537).to_bytes(8, "big"), 0, "65537 octets; 65536 are allowed"),
    (b"\x06\x80" + bytes(7), 1, "highest bit"),
    (command(b"\x05HELLO"), 8, "b'HELLO' where READY is due"),
    (command(b"\x05READY"), None, "no Socket-Type"),
    (command(b"\x05READY" + PUSH[:-1]), 8, "runs over the end"),
    (command(b"\x05READY" + PUSH + b"\x03X-"), 8 + 20, "runs over the end"),
    (command(b"\x05READY" + PUSH + b"\x03X-Y\0\0"), 8 + 20, "runs over the end"),
    (command(b"\x05READY" + PUSH + prop(b"", b"1")), 8 + 20, "without a name"),
    (command(b"\x05READY" + PUSH + prop(b"SOCKET-type", b"PULL")), 8 + 20, "two Socket-Type"),
    (command(b"\x05READY" + prop(b"Identity", b"1") + prop(b"identity", b"1") + PUSH), 8 + 14, "two Identity"),
    (command(b"\x05READY" + PUSH + prop(b"X", b"") * 64), 15 + 20 + 63 * 6, "more than 64 metadata properties"),
]


@pytest.mark.parametrize(("octets", "offset", "text"), READY_FAULTS, ids=[fault[2] for fault in READY_FAULTS])
@pytest.mark.parametrize("size", [1, 1000])
def test_handshake_faults(octets: bytes, offset: int | None, text: str, size: int, greeted) -> None:
    connection = greeted("PULL")
    pieces = [octets[i : i + size] for i in range(0, len(octets), size)]
    for piece in pieces[:-1]:
        assert connection.receive_data(piece) == []
    fault = fault_of(connection, pieces[-1])
    assert fault.offset == (None if offset is None else 64 + offset)
    assert text in str(fault)


IDENTITIES = [(b"x" * 256, "an Identity of 256 octets"), (b"\0a", "begins with a zero octet")]


@pytest.mark.parametrize(("identity", "fault"), IDENTITIES)
@pytest.mark.parametrize("socket_type", ["PULL", "SUB", "REP", "DEALER", "PAIR", "XPUB", "ROUTER"])
def test_an_identity_is_judged_by_a_router_alone(
    socket_type: str, identity: bytes, fault: str, greeted: Any, ready: Any
) -> None:
    """All others ignore it, whatever it is."""
    partner = min(COMPATIBLE[socket_type])
    octets = ready(partner, identity)
    if socket_type == "ROUTER":
        assert fault in str(fault_of(greeted(socket_type), octets))
    else:
        (event,) = greeted(socket_type).receive_data(octets)
        assert isinstance(event, HandshakeComplete)
        assert event.peer.socket_type == partner


@pytest.mark.parametrize("reason", ["two words", "", "\n\x1b[2J", "é ü", "x" * 300, "~!"])
def test_the_reason_of_an_error_is_visible_characters(reason: str) -> None:
    body = encode_error(reason)
    assert body[:6] == b"\5ERROR"
    assert body[6] == len(body) - 7 == min(len(reason), 255)
    assert all(0x21 <= octet <= 0x7E for octet in body[7:])


def test_limits_of_the_handshake_are_not_below_what_is_promised(greeted) -> None:
    body = b"\x05READY" + PUSH + prop(b"identity", b"x" * 255) + prop(b"X", b"") * 61
    body += prop(b"Y", bytes(65_536 - len(body) - 6))
    assert len(body) == 65_536
    (event,) = greeted("PULL").receive_data(command(body))
    assert isinstance(event, HandshakeComplete)
    assert event.peer.routing_id == b"x" * 255
    assert len(event.peer.metadata["Y"]) > 64_000


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (b"\x04\x0a\x05ERROR\x03bad", "bad"),
        (b"\x04\x09^RROR\x03bad", "bad"),
        (b"\x04\x06\x05ERROR", "it gave no reason"),
        (b"\x04\x09\x05ERROR\xffno", "no"),
        (b"\x04\x0a\x05ERROR\x03\x1b\n\xff", r"\x1b\n\xff"),
    ],
)
def test_the_peer_refuses(octets: bytes, reason: str, greeted) -> None:
    fault = fault_of(greeted("PULL"), octets)
    assert isinstance(fault, RefusedByPeerError)
    assert f"refused the handshake: {reason}" in str(fault)


def test_own_mistakes_are_value_errors() -> None:
    with pytest.raises(ValueError, match="no such socket type"):
        Connection("STREAM", as_server=False)
    with pytest.raises(ValueError, match="routing id"):
        Connection("REQ", as_server=False, routing_id=b"\0")
    with pytest.raises(ValueError, match="routing id"):
        Connection("REQ", as_server=False, routing_id=bytes(256))
    with pytest.raises(ValueError, match="identity"):
        Connection("REQ", as_server=False, metadata={"identity": b""})


def test_own_metadata_reaches_the_peer(link) -> None:
    one, other = link("REQ", "REP", metadata={"X-Colour": b"blue"})
    assert one.peer.metadata["x-colour"] == b"blue"
    assert "X-COLOUR" in other.peer.metadata
    assert 5 not in other.peer.metadata
    assert other.peer.metadata["Identity"] == b""
    assert "Properties({" in repr(other.peer)


def test_a_reason_is_read_as_it_was_meant() -> None:
    """Words, and the names of options, which have underscores."""
    reason = "more than 10 topics, the publisher's max_subscriptions"
    assert parse_error_reason(encode_error(reason)[6:]) == reason
