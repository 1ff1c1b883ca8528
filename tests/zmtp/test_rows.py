"""Rows of messages of one shape: the short cut gives what reading octet by octet gives, wherever the row breaks."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triomq import Message
from triomq._errors import RemoteProtocolError
from triomq.zmtp import Connection, Ping, encode_shared

ROW = 600

shapes = st.lists(st.sampled_from([0, 1, 7, 10, 255, 256, 300]), min_size=1, max_size=3)
rows = st.lists(st.tuples(shapes, st.integers(0, ROW)), max_size=4)


def connect(**options: Any) -> Connection:
    sender, receiver = Connection("PUSH", as_server=False), Connection("PULL", as_server=True, **options)
    sender.receive_data(receiver.data_to_send())
    receiver.receive_data(sender.data_to_send())
    return receiver


def message(shape: list[int], number: int) -> Message:
    return Message([(b"%d|" % number * size)[:size] for size in shape])


@given(rows, st.integers(1, 2 * ROW), st.integers(0, 5000))
def test_rows(plan: list[tuple[list[int], int]], limit: int, place: int) -> None:
    sent = [message(shape, i) for shape, count in plan for i in range(count)]
    octets = b"".join(map(encode_shared, sent))
    receiver = connect()
    seen: list[Any] = []
    for piece in (octets[:place], octets[place:]):
        got = receiver.receive_data(piece, limit)
        seen += got
        while receiver.has_buffered:
            assert len(got) == limit
            got = receiver.receive_data(b"", limit)
            seen += got
        assert len(got) <= limit
    assert seen == sent
    assert all(type(one) is Message for one in seen)


@pytest.mark.parametrize("shape", [[10], [0], [300], [3, 10], [3, 300], [256, 255], [1] * 16, [1] * 17])
@pytest.mark.parametrize("place", [0, 1, 7, 8, 9, 255, 256, 257, ROW - 1])
def test_a_row_with_something_else_within(shape: list[int], place: int) -> None:
    row = [message(shape, i) for i in range(ROW)]
    octets = [encode_shared(one) for one in row]
    for other, event in (
        (b"\0\x02xy", Message([b"xy"])),
        (b"\x01\0\0\0", Message([b"", b""])),
        (b"\x02" + (300).to_bytes(8, "big") + bytes(300), Message([bytes(300)])),
        (b"\x04\x07\x04PING\0\0", Ping()),
    ):
        expected = [*row[:place], event, *row[place:]]
        assert connect().receive_data(b"".join([*octets[:place], other, *octets[place:]])) == expected


@pytest.mark.parametrize("place", [0, 1, 8, 255, 256, 300])
def test_a_fault_within_a_row_has_its_place(place: int) -> None:
    octets = [b"\x01\x01a\0\x02bc"] * ROW
    octets[place] = b"\x01\x01a\x40\x02bc"
    receiver = connect()
    start = receiver._reader.position
    if place:
        assert len(receiver.receive_data(b"".join(octets))) == place
    with pytest.raises(RemoteProtocolError, match="reserved bits") as caught:
        receiver.receive_data(b"" if place else b"".join(octets))
    assert caught.value.offset == start + 7 * place + 3


@pytest.mark.parametrize("place", [0, 1, 8, 255, 256, 300])
@pytest.mark.parametrize(
    ("flags", "size", "words"),
    [(2, 1 << 63, "the highest bit must be 0"), (0x22, 1, "reserved bits"), (2, 1 << 62, "a message of .* or more")],
)
def test_a_fault_in_a_long_header_has_its_place(place: int, flags: int, size: int, words: str) -> None:
    octets = [b"\2" + (300).to_bytes(8, "big") + bytes(300)] * ROW
    octets[place] = bytes((flags,)) + size.to_bytes(8, "big") + bytes(300)
    receiver = connect(max_message_size=1 << 20)
    seen: list[Any] = []
    with pytest.raises(RemoteProtocolError, match=words):
        while True:
            seen += receiver.receive_data(b"" if seen else b"".join(octets))
    assert seen == [Message([bytes(300)])] * place


@pytest.mark.parametrize("size", [10, 11, 12, 13])
def test_limits_hold_for_rows(size: int) -> None:
    octets = b"\0\x0b" + bytes(11)
    receiver = connect(max_message_size=size)
    if size >= 11:
        assert len(receiver.receive_data(octets * ROW)) == ROW
    else:
        with pytest.raises(RemoteProtocolError, match="a message of 11 octets or more; 10 are allowed"):
            receiver.receive_data(octets * ROW)
    long = b"\2" + (300).to_bytes(8, "big") + bytes(300)
    assert len(connect(max_message_size=300).receive_data(long * ROW)) == ROW
    with pytest.raises(RemoteProtocolError, match="a message of 300 octets or more; 299 are allowed"):
        connect(max_message_size=299).receive_data(long * ROW)
    assert len(connect(max_frames=3).receive_data(b"\x01\x01a\x01\x01a\0\x01a" * ROW)) == ROW
    with pytest.raises(RemoteProtocolError, match="more than 2 frames"):
        connect(max_frames=2).receive_data(b"\x01\x01a\x01\x01a\0\x01a" * ROW)
