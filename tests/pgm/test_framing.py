"""Messages in the datagrams of a stream."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triomq import Message, RemoteProtocolError
from triomq.pgm._framing import StreamDecoder, StreamEncoder

sizes = st.one_of(st.integers(0, 20), st.sampled_from([252, 253, 254, 255, 256, 1000]))
frames = st.tuples(sizes, st.integers(0, 255)).map(lambda pair: bytes([pair[1]]) * pair[0])
messages = st.lists(st.lists(frames, min_size=1, max_size=4).map(tuple), min_size=1, max_size=12)


def cut(messages: list[tuple[bytes, ...]], most: int) -> list[bytes]:
    encoder = StreamEncoder()
    for message in messages:
        encoder.put(message)
    payloads = []
    while encoder.waiting:
        payloads.append(encoder.take(most))
    assert encoder.finished == len(messages)
    return payloads


def test_the_stream_of_libzmq() -> None:
    """Captured: one message of two frames in three datagrams."""
    first, second, third = cut([(b"000000", b"y" * 4000)], 1428)
    assert first[:19].hex() == "00000701" + b"000000".hex() + "ff0000000000000fa1" + ""
    assert first[19:] == b"\0" + b"y" * (1428 - 20)
    assert second[:2].hex() == third[:2].hex() == "ffff"
    assert set(second[2:] + third[2:]) == {ord("y")}


@given(messages, st.integers(3, 1500))
def test_what_is_cut_is_put_together(messages, most: int) -> None:
    payloads = cut(messages, most)
    assert all(len(payload) <= most for payload in payloads)
    decoder = StreamDecoder(math.inf, math.inf)
    assert [message for payload in payloads for message in decoder.feed(payload)] == messages


@given(messages, st.integers(3, 300), st.data())
def test_after_a_loss_it_goes_on_with_the_next_message_that_is_whole(messages, most: int, data) -> None:
    payloads = cut(messages, most)
    lost = data.draw(st.integers(0, len(payloads) - 1))
    decoder = StreamDecoder(math.inf, math.inf)
    before = [message for payload in payloads[:lost] for message in decoder.feed(payload)]
    decoder.leave()
    after = [message for payload in payloads[lost + 1 :] for message in decoder.feed(payload)]
    assert messages[: len(before)] == before
    assert messages[len(messages) - len(after) :] == after
    assert len(before) + len(after) < len(messages)


def test_an_offset_at_the_end_of_the_data_names_a_message_to_come() -> None:
    decoder = StreamDecoder(math.inf, math.inf)
    assert decoder.feed(b"\0\3abc") == []
    assert decoder.feed(b"\xff\xff\2\0x") == [(b"x",)]


def test_a_frame_without_flags_is_none_and_the_next_message_is_found() -> None:
    decoder = StreamDecoder(math.inf, math.inf)
    with pytest.raises(RemoteProtocolError, match="length 0"):
        decoder.feed(b"\0\0\0\0")
    assert decoder.feed(b"\xff\xff\2\0x") == []
    assert decoder.feed(b"\0\1x\2\0y") == [(b"y",)]


@pytest.mark.parametrize("most", [3, 10, 50, 1000])
def test_a_message_that_is_too_large_is_skipped_and_takes_no_memory(most: int) -> None:
    messages = [(b"a",), (b"b" * 300, b"c"), (b"d",), (b"e", b"f" * 120), (b"g" * 100,), (b"h",) * 9, (b"i",)]
    decoder = StreamDecoder(100, 8)
    got = []
    for payload in cut(messages, most):
        got += decoder.feed(payload)
        assert len(decoder._buffer) <= 1000
    assert got == [(b"a",), (b"d",), (b"g" * 100,), (b"i",)]
    assert decoder.skipped == 3


def test_a_length_that_nobody_has_memory_for_takes_none() -> None:
    decoder = StreamDecoder(math.inf, math.inf)
    assert decoder.feed(b"\0\0\xff" + (2**62).to_bytes(8) + b"\0abc") == []
    assert len(decoder._buffer) < 20
    with pytest.raises(RemoteProtocolError, match="is none"):
        StreamDecoder(math.inf, math.inf).feed(b"\0\0\xff" + (2**64 - 1).to_bytes(8) + b"\0abc")


def test_the_buffer_of_a_message_does_not_change_with_it() -> None:
    decoder = StreamDecoder(math.inf, math.inf)
    (message,) = decoder.feed(b"\0\0\2\0x")
    assert isinstance(message, Message)
    assert type(message[0]) is bytes
