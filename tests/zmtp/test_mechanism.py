"""A mechanism of one's own is one class: here one with roles, four commands and scrambled frames, built as CURVE is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from triomq import Message
from triomq._errors import LocalProtocolError, RemoteProtocolError
from triomq.zmtp import (
    Cancel,
    Command,
    Connection,
    HandshakeComplete,
    Mechanism,
    Ping,
    Pong,
    Properties,
    Subscribe,
    command_body,
    encode_properties,
    encode_shared,
    parse_properties,
)


class Scramble(Mechanism):
    """HELLO (password) and WELCOME, then INITIATE and READY with metadata; frames inverted, and numbered."""

    name = "SCRAMBLE"
    shares_encoding = False
    has_roles = True
    overhead = 10

    def __init__(self, password: bytes = b"sesame", ask: bool = False) -> None:
        super().__init__()
        self.password = password
        self.verdict = None if ask else True
        self.queue: list[bytes] = []
        self.sent = self.received = 0

    @property
    def command_limit(self) -> int:
        return 100

    def start(self, metadata: Mapping[str, bytes], as_server: bool) -> None:
        self.metadata, self.as_server = encode_properties(metadata), as_server
        if not as_server:
            self.queue.append(command_body(b"HELLO", self.password))

    def next_command(self) -> bytes | None:
        if not self.queue or (not self.verdict and self.queue[0] == b"\x07WELCOME"):
            return None
        command = self.queue.pop(0)
        self.complete = self.complete or command.startswith(b"\x05READY")
        return command

    def receive_command(self, command: Command) -> Properties | None:
        if command.name == b"HELLO" and self.as_server:
            if command.data != self.password:
                raise RemoteProtocolError("wrong password", command.offset)
            self.queue.append(command_body(b"WELCOME"))
            return None
        if command.name == b"WELCOME" and not self.as_server:
            self.queue.append(command_body(b"INITIATE", self.metadata))
            return None
        if command.name == b"INITIATE" and self.as_server:
            self.queue.append(command_body(b"READY", self.metadata))
            return parse_properties(command.data, command.offset)
        if command.name == b"READY" and not self.as_server:
            self.complete = True
            return parse_properties(command.data, command.offset)
        raise RemoteProtocolError("out of turn", command.offset)

    def encode_frame(self, flags: int, body: bytes) -> bytes:
        self.sent += 1
        return b"\x07MESSAGE" + bytes((self.sent % 256, flags)) + bytes(octet ^ 0xFF for octet in body)

    def decode_frame(self, body: bytes, offset: int) -> tuple[int, bytes]:
        self.received += 1
        if len(body) < 10 or body[:9] != b"\x07MESSAGE" + bytes((self.received % 256,)):
            raise RemoteProtocolError("not the next MESSAGE", offset)
        return body[9], bytes(octet ^ 0xFF for octet in body[10:])


@pytest.fixture
def scrambled(carry):
    def make(left: str = "SUB", right: str = "XPUB", **options: Any) -> tuple[Connection, Connection]:
        one = Connection(left, as_server=False, mechanism=Scramble(), **options)
        other = Connection(right, as_server=True, mechanism=Scramble(), **options)
        for seen in carry(one, other):
            assert [type(event) for event in seen] == [HandshakeComplete]
        return one, other

    return make


def encoded(connection: Connection, *items: Any) -> bytes:
    out: list[bytes] = []
    assert connection.encode(items, out) == sum(map(len, out))
    return b"".join(out)


def test_messages_and_commands_both_ways(scrambled) -> None:
    one, other = scrambled()
    assert not one.shares_encoding
    assert one.peer.mechanism == "SCRAMBLE"
    items = [Subscribe(b"a"), Message([b"x" * 300, b"", b"y"]), Cancel(b"a"), Ping(1, b"c"), Message([b"secret"])]
    octets = encoded(one, *items)
    assert b"secret" not in octets
    assert octets[0] == 0  # commands look like messages
    assert [event for octet in octets for event in other.receive_data(bytes((octet,)))] == items
    assert one.receive_data(other.data_to_send()) == [Pong(b"c")]


def test_limits_are_those_of_what_is_inside(scrambled) -> None:
    one, other = scrambled("PUSH", "PULL", max_message_size=70_000)
    exact = Message([bytes(30_000), bytes(40_000)])
    assert other.receive_data(encoded(one, exact)) == [exact]
    with pytest.raises(RemoteProtocolError, match="70001 octets or more"):
        other.receive_data(b"\x02" + (70_011).to_bytes(8, "big"))
    one, other = scrambled("PUSH", "PULL", max_message_size=10)
    with pytest.raises(RemoteProtocolError, match="11 octets or more"):
        other.receive_data(encoded(one, (bytes(5), bytes(6))))


def test_what_is_not_the_peers_is_refused(scrambled) -> None:
    one, other = scrambled("PUSH", "PULL")
    octets = encoded(one, (b"a",))
    assert other.receive_data(octets) == [(b"a",)]
    with pytest.raises(RemoteProtocolError, match="not the next MESSAGE"):
        other.receive_data(octets)


def test_nothing_shared_is_sent(scrambled) -> None:
    one, _ = scrambled("PUSH", "PULL")
    with pytest.raises(LocalProtocolError, match="SCRAMBLE peers cannot share"):
        one.encode([encode_shared([b"a"])], [])


def test_roles_are_in_the_greeting() -> None:
    for as_server in (False, True):
        greeting = Connection("PUSH", as_server=as_server, mechanism=Scramble()).data_to_send()
        assert greeting[32] == as_server
        assert Connection("PUSH", as_server=as_server).data_to_send()[32] == 0


def test_the_mechanism_bounds_its_commands() -> None:
    one, other = (Connection("PAIR", as_server=bool(i), mechanism=Scramble()) for i in range(2))
    other.receive_data(one.data_to_send())
    with pytest.raises(RemoteProtocolError, match="101 octets; 100 are allowed"):
        other.receive_data(b"\x04\x65")


def test_a_wrong_password_ends_the_handshake(carry) -> None:
    one = Connection("PAIR", as_server=False, mechanism=Scramble(b"wrong"))
    other = Connection("PAIR", as_server=True, mechanism=Scramble())
    with pytest.raises(RemoteProtocolError, match="wrong password"):
        carry(one, other)


def test_a_verdict_may_come_later(carry) -> None:
    guard = Scramble(ask=True)
    one = Connection("PAIR", as_server=False, mechanism=Scramble())
    other = Connection("PAIR", as_server=True, mechanism=guard)
    assert carry(one, other) == ([], [])
    assert not one.established
    assert other.peer is None
    guard.verdict = True
    seen = carry(one, other)
    assert [[type(event) for event in events] for events in seen] == [[HandshakeComplete]] * 2
