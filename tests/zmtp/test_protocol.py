"""What `WireProtocol` promises to a session: kept by ZMTP, and by a framing without a greeting."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from triomq import Message
from triomq._errors import LocalProtocolError, RemoteProtocolError
from triomq.zmtp import Connection, HandshakeComplete, PeerInfo, Ping, Pong, WireProtocol

from .conftest import exchange

PEER = PeerInfo(socket_type="PAIR", routing_id=b"", metadata={}, version=(3, 1), mechanism="NULL")
LAST, MORE, PING, PONG = b"LMPO"


class Records(WireProtocol):
    """A letter and a size before each frame, no greeting, no handshake: the least that a protocol can be."""

    __slots__ = (
        "_fault", "_frames", "_input", "_to_send", "between_messages", "established", "has_buffered", "messages_only",
        "peer", "shares_encoding",
    )  # fmt: skip

    def __init__(self) -> None:
        self.peer = PEER
        self.established = True
        self.has_buffered = False
        self.messages_only = False
        self.between_messages = False
        self.shares_encoding = False
        self._input = b""
        self._frames: list[bytes] = []
        self._to_send = b""
        self._fault: RemoteProtocolError | None = None

    def data_to_send(self) -> bytes:
        data, self._to_send = self._to_send, b""
        return data

    def encode(self, messages: Sequence[Any], out: list[bytes], ends: list[int] | None = None) -> int:
        if not self.established:
            raise LocalProtocolError("nothing can be sent after a fault")
        buffers = [b"".join(self._records(item)) for item in messages]
        out += buffers
        return sum(map(len, buffers))

    def _records(self, item: Any) -> list[bytes]:
        if isinstance(item, (Ping, Pong)):
            return [self._record(PING if isinstance(item, Ping) else PONG, item.context)]
        if not isinstance(item, tuple):
            raise LocalProtocolError(f"{type(item).__name__} cannot be sent")
        *front, last = item
        return [*(self._record(MORE, frame) for frame in front), self._record(LAST, last)]

    def _record(self, letter: int, body: bytes) -> bytes:
        return bytes((letter,)) + len(body).to_bytes(4, "big") + body

    def receive_data(self, data: bytes, limit: int = sys.maxsize) -> list[Any]:
        events: list[Any] = []
        self._input += data
        try:
            if not self.established:
                fault, self._fault = self._fault, None
                raise fault or LocalProtocolError("the fault has been raised")
            while len(events) < limit and self._take(events):
                pass
        except RemoteProtocolError as fault:
            self.established = False
            if not events:
                self.has_buffered = False
                raise
            self._fault = fault
        self.has_buffered = self._fault is not None or (len(events) >= limit and bool(self._input))
        return events

    def _take(self, events: list[Any]) -> bool:
        if len(self._input) < 5:
            return False
        letter, size = self._input[0], int.from_bytes(self._input[1:5], "big")
        if letter not in (LAST, MORE, PING, PONG) or size > 1000:
            raise RemoteProtocolError(f"no record begins with {self._input[:5]!r}", 0)
        body = self._input[5 : 5 + size]
        if len(body) < size:
            return False
        self._input = self._input[5 + size :]
        if letter in (LAST, MORE):
            self._frames.append(body)
            if letter == LAST:
                events.append(Message(self._frames))
                self._frames = []
            return True
        if letter == PING:
            self._to_send += self._record(PONG, body)
        events.append(Ping(0, body) if letter == PING else Pong(body))
        return True

    def receive_hint(self) -> int:
        return 0


def zmtp_pair() -> tuple[WireProtocol, WireProtocol]:
    pair = Connection("PAIR", as_server=False), Connection("PAIR", as_server=True)
    for seen in exchange(*pair):
        assert [type(event) for event in seen] == [HandshakeComplete]
    return pair


def records_pair() -> tuple[WireProtocol, WireProtocol]:
    return Records(), Records()


Make = Callable[[], tuple[WireProtocol, WireProtocol]]
each_protocol = pytest.mark.parametrize("make", [zmtp_pair, records_pair])
ITEMS = [Message([b"a"]), Message([b"id", b"", b"b" * 300]), Ping(0, b"c"), Message([b"d"]), Pong(b"e"), Message([b""])]


def encoded(protocol: WireProtocol, items: Sequence[Any]) -> bytes:
    out: list[bytes] = [b"before"]
    count = protocol.encode(items, out)
    assert out[0] == b"before"
    assert count == sum(map(len, out[1:]))
    return b"".join(out[1:])


def receive_all(protocol: WireProtocol, data: bytes, limit: int) -> list[Any]:
    seen: list[Any] = []
    while True:
        events = protocol.receive_data(data, limit)
        assert len(events) <= limit
        assert not protocol.messages_only or all(type(event) is Message for event in events)
        seen += events
        if not protocol.has_buffered:
            return seen
        data = b""


@each_protocol
def test_every_attribute_is_there_from_the_beginning(make: Make) -> None:
    for protocol in make():
        assert all(hasattr(protocol, name) for name in WireProtocol.__annotations__)
        assert protocol.established
        assert isinstance(protocol.peer, PeerInfo)


def test_a_method_that_is_missing_is_noticed() -> None:
    class Deaf(Records):
        receive_data = WireProtocol.receive_data  # type: ignore[assignment]

    with pytest.raises(TypeError, match="receive_data"):
        Deaf()


@each_protocol
@pytest.mark.parametrize("limit", [1, 2, 100])
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_any_cut_and_any_limit(make: Make, limit: int, size: int) -> None:
    one, other = make()
    data = encoded(one, ITEMS)
    pieces = [data[i : i + size] for i in range(0, len(data), size)]
    seen = []
    for piece in pieces:
        seen += receive_all(other, piece, limit)
        assert not (other.between_messages and other.receive_hint())
    assert seen == ITEMS
    assert receive_all(one, other.data_to_send(), 1) == [Pong(b"c")]
    assert other.data_to_send() == b""


@each_protocol
def test_no_room_and_more_input(make: Make) -> None:
    one, other = make()
    data = encoded(one, ITEMS)
    for octet in data:
        assert other.receive_data(bytes((octet,)), 0) == []
    assert other.has_buffered
    assert receive_all(other, b"", 2) == ITEMS


@each_protocol
def test_to_encode_again_takes_the_same_size(make: Make) -> None:
    one, other = make()
    sizes = [one.encode([item], []) for item in ITEMS]
    data = encoded(one, ITEMS)
    assert sum(sizes) == len(data)
    assert receive_all(other, data, 100) == ITEMS


@each_protocol
def test_the_events_before_a_fault_come_first_and_the_fault_once(make: Make) -> None:
    one, other = make()
    assert other.receive_data(encoded(one, ITEMS[:2]) + b"\xff" * 9) == ITEMS[:2]
    assert other.has_buffered
    assert not other.established
    with pytest.raises(LocalProtocolError):
        other.encode([(b"",)], [])
    with pytest.raises(RemoteProtocolError):
        other.receive_data(b"", 1)
    assert not other.has_buffered
    with pytest.raises(LocalProtocolError):
        other.receive_data(b"")
