"""PLAIN (RFC 24): octets of both sides, and what a liar gets."""

from __future__ import annotations

from typing import Any

import pytest

from triomq import DeniedError, RefusedByPeerError, RemoteProtocolError
from triomq.testing import check_mechanism
from triomq.zmtp import AuthenticationRequested, Connection, HandshakeComplete, Plain

GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x01PLAIN" + bytes(47)
HELLO = b"\4\x13\5HELLO\5admin\6secret"
WELCOME = b"\4\x08\7WELCOME"
METADATA = b"\x0bSocket-Type\0\0\0\4PUSH"
USERS = {"admin": "secret"}


def server_side(passwords: Any = USERS, *, asks: bool = False, socket_type: str = "PULL") -> Connection:
    mechanism = Plain.server(passwords).new_mechanism(as_server=True, asks=asks, random_bytes=bytes)
    return Connection(socket_type, as_server=True, mechanism=mechanism)


def client_side(username: str = "admin", password: str = "secret", socket_type: str = "PUSH") -> Connection:
    mechanism = Plain(username, password).new_mechanism(as_server=False, asks=False, random_bytes=bytes)
    return Connection(socket_type, as_server=False, mechanism=mechanism)


def greet(connection: Connection) -> bytes:
    connection.data_to_send()
    assert connection.receive_data(GREETING) == []
    return connection.data_to_send()


def command(name: bytes, data: bytes = b"") -> bytes:
    body = bytes((len(name),)) + name + data
    return (bytes((4, len(body))) if len(body) < 256 else b"\6" + len(body).to_bytes(8, "big")) + body


def test_the_octets_of_a_server() -> None:
    connection = server_side()
    assert greet(connection) == b""
    assert connection.receive_data(HELLO) == []
    assert connection.data_to_send() == WELCOME
    (event,) = connection.receive_data(command(b"INITIATE", METADATA))
    assert event == HandshakeComplete(connection.peer)
    assert connection.peer.mechanism == "PLAIN"
    assert connection.data_to_send() == command(b"READY", b"\x0bSocket-Type\0\0\0\4PULL")
    assert connection.receive_data(b"\0\1x") == [(b"x",)]
    assert connection.shares_encoding


def test_the_octets_of_a_client() -> None:
    connection = client_side()
    assert greet(connection) == HELLO
    assert connection.receive_data(WELCOME) == []
    assert connection.data_to_send() == command(b"INITIATE", METADATA)
    (event,) = connection.receive_data(command(b"READY", b"\x0bSocket-Type\0\0\0\4PULL"))
    assert event == HandshakeComplete(connection.peer)


def test_the_roles_are_in_the_greeting() -> None:
    assert server_side().data_to_send()[32] == 1
    assert client_side().data_to_send()[32] == 0


def test_the_longest_and_the_shortest(carry: Any) -> None:
    for username, password in (("u" * 255, "p" * 255), ("u", "")):
        seen = carry(client_side(username, password), server_side({username: password}))
        assert [[type(event) for event in events] for events in seen] == [[HandshakeComplete]] * 2


def test_the_kit_finds_nothing() -> None:
    check_mechanism(lambda: client_side()._mechanism, lambda: server_side()._mechanism)


@pytest.mark.parametrize(
    ("username", "password", "why"),
    [("admin", "secreT", "password is wrong"), ("admin", "", "password is wrong"), ("root", "secret", "no such user")],
)
def test_who_is_not_a_user_is_told_just_a_number(username: str, password: str, why: str) -> None:
    one, other = client_side(username, password), server_side()
    other.receive_data(one.data_to_send())
    one.receive_data(other.data_to_send())
    with pytest.raises(DeniedError, match=why) as denied:
        other.receive_data(one.data_to_send())
    assert denied.value.status == 400
    assert "secret" not in str(denied.value).replace("'secreT'", "secret")
    answer = other.data_to_send()
    assert answer == command(b"ERROR", b"\x03400")
    with pytest.raises(RefusedByPeerError, match="400, it does not let this side in") as refused:
        one.receive_data(answer)
    assert refused.value.status == 400


def test_the_error_that_libzmq_misspells() -> None:
    connection = client_side()
    greet(connection)
    with pytest.raises(RefusedByPeerError) as refused:
        connection.receive_data(b"\4\x09^RROR\x03400")  # as libzmq 4.3.5 sends it
    assert refused.value.status == 400


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\5",
        b"\5admi",
        b"\5admin",
        b"\5admin\7secret",
        b"\5admin\6secretx",
        b"\xff",
        b"\0",
        b"\1a\1",
        b"\5admin\6",
    ],
    ids=repr,
)
def test_a_malformed_hello(data: bytes) -> None:
    connection = server_side()
    greet(connection)
    with pytest.raises(RemoteProtocolError, match="just a name and a password"):
        connection.receive_data(command(b"HELLO", data))


def test_a_hello_is_bounded_by_its_header() -> None:
    connection = server_side()
    greet(connection)
    with pytest.raises(RemoteProtocolError, match="519 octets; 518 are allowed"):
        connection.receive_data(b"\6" + (519).to_bytes(8, "big"))


@pytest.mark.parametrize("octets", [b"\0\1x", command(b"READY", METADATA), command(b"INITIATE", METADATA), WELCOME])
@pytest.mark.parametrize("welcomed", [True, False])
def test_what_is_not_due(octets: bytes, welcomed: bool) -> None:
    connection = server_side()
    greet(connection)
    if welcomed:
        connection.receive_data(HELLO)
        if b"INITIATE" in octets:
            octets = HELLO  # a second time
    with pytest.raises(RemoteProtocolError):
        connection.receive_data(octets)
    assert connection.peer is None
    assert b"READY" not in connection.data_to_send()


@pytest.mark.parametrize("octets", [command(b"WELCOME", b"x"), command(b"READY", METADATA), HELLO, b"\0\1x"])
def test_what_a_client_does_not_expect(octets: bytes) -> None:
    connection = client_side()
    greet(connection)
    with pytest.raises(RemoteProtocolError):
        connection.receive_data(octets)
    assert b"INITIATE" not in connection.data_to_send()


def test_the_question_comes_after_the_password_was_found_right() -> None:
    for passwords, asked in ((USERS, True), (None, True), ({"admin": "other"}, False)):
        connection = server_side(passwords, asks=True)
        greet(connection)
        if not asked:
            with pytest.raises(DeniedError):
                connection.receive_data(HELLO)
            continue
        (question,) = connection.receive_data(HELLO + command(b"INITIATE", METADATA) + b"\0\1x")
        assert question == AuthenticationRequested(mechanism="PLAIN", credentials=(b"admin", b"secret"))
        assert "secret" not in repr(question)
        assert connection.data_to_send() == b""
        connection.accept("joe")
        assert connection.data_to_send() == WELCOME
        complete, message = connection.receive_data(b"")
        assert complete.peer.user_id == "joe"
        assert message == (b"x",)


def test_without_users_somebody_has_to_decide() -> None:
    connection = server_side(None, asks=False)
    greet(connection)
    (question,) = connection.receive_data(HELLO)
    assert type(question) is AuthenticationRequested


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: Plain("", "x"), ValueError),
        (lambda: Plain("x" * 256, "secret"), ValueError),
        (lambda: Plain("x", "secret" * 50), ValueError),
        (lambda: Plain(1, "secret"), TypeError),
        (lambda: Plain("x", ("secret",)), TypeError),
        (lambda: Plain.server({}), ValueError),
        (lambda: Plain.server([("x", "secret")]), TypeError),
        (lambda: Plain.server({"x": 5}), TypeError),
        (lambda: Plain.server({"x": "secret" * 50}), ValueError),
    ],
)
def test_what_is_refused_when_it_is_made(make: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="Plain") as caught:
        make()
    assert "secret" not in str(caught.value)


def test_no_repr_shows_a_password() -> None:
    assert repr(Plain("joe", "secret")) == "Plain(b'joe', password=…)"
    assert repr(Plain.server({"joe": "secret"})) == "Plain.server(1 users)"
    assert repr(Plain.server()) == "Plain.server()"
    assert "secret" not in repr(client_side()._mechanism)
