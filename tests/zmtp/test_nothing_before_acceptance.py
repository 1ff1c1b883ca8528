"""Whatever a peer says, in whatever pieces: no message, no subscription, and no command of ours before acceptance."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triomq import DeniedError, LocalProtocolError, RemoteProtocolError
from triomq.zmtp import AuthenticationRequested, Connection, Null, Plain, State

from .curve_peer import GREETING, Client, command, message
from .curve_sides import SERVER, server_side

PLAIN_HELLO = command(b"HELLO", b"\5admin\6secret")
METADATA = b"\x0bSocket-Type\0\0\0\4PUSH"
PIECES = [
    PLAIN_HELLO,
    command(b"HELLO", b"\5admin\5wrong"),
    command(b"INITIATE", METADATA),
    command(b"READY", METADATA),
    command(b"WELCOME", b""),
    command(b"SUBSCRIBE", b"topic"),
    command(b"PING", b"\0\0ctx"),
    command(b"ERROR", b"\x03400"),
    command(b"MESSAGE", bytes(40)),
    message(b"a message"),
    message(b"\1topic"),
    message(b"\7MESSAGE" + bytes(40)),
    Client(SERVER.public_key).hello(),
    b"\0\0",
    b"\6",
]


@contextmanager
def nothing_but_faults_of_the_peer() -> Iterator[None]:
    try:
        yield
    except (RemoteProtocolError, LocalProtocolError):
        return


def asking(name: str) -> Connection:
    if name == "CURVE":
        return server_side(asks=True, socket_type="PULL")
    if name == "PLAIN":
        mechanism = Plain.server({"admin": "secret"}).new_mechanism(as_server=True, asks=True, random_bytes=bytes)
    else:
        mechanism = Null(asks=True)
    return Connection("PULL", as_server=True, mechanism=mechanism)


said = st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=40)), max_size=12).map(b"".join)


@pytest.mark.parametrize("name", ["NULL", "PLAIN", "CURVE"])
@given(data=said, cut=st.integers(1, 300), limit=st.sampled_from([0, 1, 1000]))
def test_nothing_before_acceptance(name: str, data: bytes, cut: int, limit: int) -> None:
    connection = asking(name)
    connection.data_to_send()
    connection.receive_data(GREETING.replace(b"CURVE", name.encode().ljust(5, b"\0")))
    events: list[Any] = []
    with nothing_but_faults_of_the_peer():
        for start in range(0, len(data), cut):
            events += connection.receive_data(data[start : start + cut], limit)
        events += connection.receive_data(b"", 1000)
    assert all(type(event) is AuthenticationRequested for event in events)
    assert len(events) <= 1
    assert not connection.established
    assert connection.peer is None
    assert b"READY" not in connection.data_to_send()
    with pytest.raises(LocalProtocolError):
        connection.encode([(b"x",)], [])


@pytest.mark.parametrize("name", ["NULL", "PLAIN"])
@given(data=said)
def test_nothing_after_a_denial(name: str, data: bytes) -> None:
    connection = asking(name)
    connection.receive_data(GREETING.replace(b"CURVE", name.encode().ljust(5, b"\0")))
    (_,) = connection.receive_data(command(b"READY", METADATA) if name == "NULL" else PLAIN_HELLO)
    connection.deny(400, "no")
    with pytest.raises(DeniedError):
        connection.receive_data(data)
    with pytest.raises(LocalProtocolError):
        connection.receive_data(data)
    assert connection.state is State.CLOSED
    assert connection.peer is None


@pytest.mark.parametrize("name", ["NULL", "PLAIN", "CURVE"])
def test_octets_at_random(name: str) -> None:
    dice = random.Random(name)
    for _ in range(2000):
        connection = asking(name)
        connection.receive_data(GREETING.replace(b"CURVE", name.encode().ljust(5, b"\0")))
        with nothing_but_faults_of_the_peer():
            events = connection.receive_data(dice.choice(PIECES) + dice.randbytes(dice.randrange(60)))
            assert all(type(event) is AuthenticationRequested for event in events)
        assert connection.peer is None


def test_nobody_asked() -> None:
    connection = asking("PLAIN")
    for answer in (connection.accept, lambda: connection.deny(400, "no")):
        with pytest.raises(LocalProtocolError, match="nothing was asked"):
            answer()
    connection.receive_data(GREETING.replace(b"CURVE", b"PLAIN"))
    connection.receive_data(PLAIN_HELLO)
    connection.accept()
    with pytest.raises(LocalProtocolError, match="nothing was asked"):
        connection.accept()


def test_null_tells_nothing_before_the_verdict() -> None:
    connection = asking("NULL")
    connection.data_to_send()
    connection.receive_data(GREETING.replace(b"CURVE", b"NULL\0"))
    assert connection.data_to_send() == b""
    (question,) = connection.receive_data(command(b"READY", METADATA) + message(b"early"))
    assert question == AuthenticationRequested(mechanism="NULL", metadata=question.metadata)
    assert connection.data_to_send() == b""
    connection.accept("somebody")
    complete, early = connection.receive_data(b"")
    assert complete.peer.user_id == "somebody"
    assert early == (b"early",)
    assert b"READY" in connection.data_to_send()
