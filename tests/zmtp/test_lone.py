"""A message that comes by itself takes a short way; what is no such message must come out as on the long way."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triomq import Message
from triomq._errors import RemoteProtocolError
from triomq.zmtp import Cancel, Connection, Ping, Pong, Subscribe, encode_alone, encode_shared
from triomq.zmtp._frames import encode_items, take_lone, take_messages

from .test_rows import connect

FRAMES = st.lists(st.binary(max_size=3) | st.sampled_from([255, 256, 8192]).map(bytes), min_size=1, max_size=4)
# The octets of headers, so that many of the buffers are whole messages, or nearly so.
HEADERS = st.lists(st.sampled_from([0, 0, 1, 1, 2, 3, 4, 255]), max_size=9).map(bytes)


@given(HEADERS | FRAMES.map(encode_shared))
def test_the_short_way_takes_what_the_long_way_takes(buffer: bytes) -> None:
    messages: list[Any] = []
    end = take_messages(buffer, 0, 2, 1_000_000, 1_000, messages)
    lone = take_lone(buffer)
    if lone is not None:
        assert (messages, end) == ([lone], len(buffer))
        assert type(lone) is tuple


@pytest.mark.parametrize("sizes", [(0,), (255,), (0, 0), (0, 10), (255, 255)])
def test_the_short_way_takes_short_frames(sizes: tuple[int, ...]) -> None:
    message = Message(map(bytes, sizes))
    assert take_lone(encode_shared(message)) == message


@given(FRAMES, st.booleans())
def test_a_message_encoded_by_itself_is_the_same_octets(frames: list[bytes], as_message: bool) -> None:
    buffers: list[bytes] = []
    item = Message(frames) if as_message else tuple(frames)
    assert encode_items([item], buffers, lambda event: b"") == sum(map(len, buffers))
    assert b"".join(buffers) == encode_shared(tuple(frames))


@given(FRAMES, st.booleans())
def test_one_or_two_short_frames_are_encoded_alone_and_nothing_else(frames: list[bytes], as_message: bool) -> None:
    alone = encode_alone(Message(frames) if as_message else tuple(frames))
    assert alone == (encode_shared(frames) if len(frames) < 3 and max(map(len, frames)) < 256 else None)


@pytest.mark.parametrize("item", [b"\0\0", Subscribe(b"t"), Cancel(b"t"), Ping(), Pong()])
def test_what_is_no_message_is_not_encoded_alone(item: Any) -> None:
    assert encode_alone(item) is None


@pytest.mark.parametrize("options", [{"max_message_size": 9}, {"max_frames": 1}])
def test_limits_hold_for_a_message_by_itself(options: dict[str, Any]) -> None:
    receiver = connect(**options)
    with pytest.raises(RemoteProtocolError):
        receiver.receive_data(encode_shared((b"", bytes(10))))


def test_a_message_by_itself_waits_for_room(link: Any) -> None:
    _, receiver = link()
    assert receiver.receive_data(encode_shared((b"", b"body")), 0) == []
    assert receiver.has_buffered
    assert receiver.receive_data(b"", 1) == [Message((b"", b"body"))]


def test_only_what_is_one_whole_message_is_taken_as_lone(link: Any) -> None:
    _, receiver = link()
    octets = encode_shared((b"", b"body"))
    assert receiver.receive_lone(octets) == (b"", b"body")
    assert receiver.receive_lone(octets + octets) is None
    assert receiver.receive_lone(octets[:3]) is None
    assert receiver.receive_lone(b"") is None
    assert receiver.receive_data(octets) == [Message((b"", b"body"))]  # nothing was kept of what was not taken
    receiver.receive_data(octets[:3])
    assert receiver.receive_lone(octets) is None  # a part of a message stands before it
    assert receiver.receive_data(octets[3:]) == [Message((b"", b"body"))]


@pytest.mark.parametrize("options", [{"max_message_size": 9}, {"max_frames": 1}])
def test_a_message_near_a_limit_is_not_taken_as_lone(options: dict[str, Any]) -> None:
    assert connect(**options).receive_lone(encode_shared((b"", bytes(10)))) is None


def test_before_the_handshake_is_complete_there_is_no_message() -> None:
    assert Connection("PULL", as_server=True).receive_lone(encode_shared((b"body",))) is None


def test_a_fault_behind_messages_by_themselves_has_its_place(link: Any) -> None:
    receiver: Connection = link()[1]
    before = encode_shared((b"", b"body"))
    started = receiver._reader.before
    for _ in range(3):
        receiver.receive_data(before)
    assert receiver._reader.before == started + 3 * len(before)
