"""Messages of two frames: the short cut for them gives what reading and writing frame by frame gives."""

from __future__ import annotations

from typing import Any

import pytest

from triomq import Message
from triomq._errors import RemoteProtocolError
from triomq.zmtp import Connection, Item, Ping, encode_shared

PAIRS = [Message([b"id%d" % number, b"body" * number]) for number in range(20)]
OCTETS = b"".join(map(encode_shared, PAIRS))


def connected(**options: Any) -> tuple[Connection, Connection]:
    sender, receiver = Connection("PUSH", as_server=False), Connection("PULL", as_server=True, **options)
    sender.receive_data(receiver.data_to_send())
    receiver.receive_data(sender.data_to_send())
    sender.receive_data(receiver.data_to_send())
    return sender, receiver


@pytest.mark.parametrize("place", [0, 1, 10, 19, 20])
@pytest.mark.parametrize(
    "other",
    [
        Message([b"", b""]),
        (b"\xff" * 255, b"\xff" * 255),
        Message([b"lone"]),
        (b"id", b"", b"three"),
        (b"id", bytes(256)),
        (bytes(256), b"body"),
        (b"id", bytes(9000)),
        b"\0\x02an",
        b"\0\0",
        Ping(),
    ],
    ids=lambda other: f"{type(other).__name__}{[*map(len, other)] if isinstance(other, tuple) else ''}",
)
def test_pairs_and_something_else_are_encoded_as_each_by_itself(other: Item, place: int) -> None:
    sender, receiver = connected()
    items: list[Item] = [*PAIRS]
    items.insert(place, other)
    together: list[bytes] = []
    size = sender.encode(items, together)
    alone: list[bytes] = []
    for item in items:
        sender.encode([item], alone)
    assert b"".join(together) == b"".join(alone)
    assert size == len(b"".join(alone))
    read = [event for event in receiver.receive_data(b"".join(together)) if isinstance(event, Message)]
    assert len(read) == len(items) - isinstance(other, Ping)
    assert [event for event in read if event in PAIRS] == PAIRS


def test_nothing_and_one_pair_are_encoded() -> None:
    sender, _ = connected()
    out: list[bytes] = []
    assert sender.encode([], out) == 0
    assert sender.encode([PAIRS[3]], out) == len(encode_shared(PAIRS[3]))
    assert b"".join(out) == encode_shared(PAIRS[3])


@pytest.mark.parametrize("place", range(len(OCTETS) + 1))
def test_pairs_are_received_wherever_they_are_cut(place: int) -> None:
    _, receiver = connected()
    events = [*receiver.receive_data(OCTETS[:place]), *receiver.receive_data(OCTETS[place:])]
    assert events == PAIRS
    assert all(type(event) is Message for event in events)


@pytest.mark.parametrize("limit", [1, 2, 7, 20, 21])
def test_no_more_pairs_are_taken_than_asked_for(limit: int) -> None:
    _, receiver = connected()
    events = receiver.receive_data(OCTETS, limit)
    assert events == PAIRS[:limit]
    while receiver.has_buffered:
        events += receiver.receive_data(b"", limit)
    assert events == PAIRS


@pytest.mark.parametrize("options", [{"max_frames": 1}, {"max_message_size": 4}])
def test_limits_hold_for_pairs(options: dict[str, int]) -> None:
    _, receiver = connected(**options)
    fits = encode_shared((b"four",))
    assert receiver.receive_data(fits + encode_shared((b"id", b"xyz"))) == [(b"four",)]
    with pytest.raises(RemoteProtocolError):
        receiver.receive_data(b"")


@pytest.mark.parametrize("second", [0x05, 0x08, 0x40, 0x80])
def test_a_fault_in_the_second_frame_has_its_place(second: int) -> None:
    _, receiver = connected()
    start = receiver._reader.position
    assert receiver.receive_data(OCTETS + b"\x01\x02id" + bytes([second]) + b"\x01x") == PAIRS
    with pytest.raises(RemoteProtocolError) as caught:
        receiver.receive_data(b"")
    assert caught.value.offset == start + len(OCTETS) + 4
