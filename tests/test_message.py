"""What a message is, and what may be sent as one."""

from __future__ import annotations

import array
import copy
import io
import json
import pathlib
import pickle
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triomq._message import Message, as_message, new_message

FRAMES = st.lists(st.binary(max_size=40), min_size=1, max_size=6)


class Body(bytes):
    """A subclass of bytes: a frame is exactly bytes."""


# -- what is accepted --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "frames"),
    [
        (b"x", [b"x"]),
        (b"", [b""]),
        (Body(b"x"), [b"x"]),
        (bytearray(b"x"), [b"x"]),
        (memoryview(b"xyz")[1:], [b"yz"]),
        (memoryview(b"a-b-c")[::2], [b"abc"]),
        (memoryview(array.array("H", [1])), [(1).to_bytes(2, sys.byteorder)]),
        ([b"a", b"b"], [b"a", b"b"]),
        ((b"a", bytearray(b"b"), memoryview(b"c"), Body(b"d")), [b"a", b"b", b"c", b"d"]),
        ([b""], [b""]),
        (Message([b"a", b""]), [b"a", b""]),
    ],
)
def test_what_may_be_sent(value, frames: list[bytes]) -> None:
    message = as_message(value)
    assert type(message) is (Message if type(value) is Message else tuple)
    assert list(message) == frames
    assert all(type(frame) is bytes for frame in message)


def test_a_generator_is_taken_once() -> None:
    assert as_message(frame for frame in (b"a", b"b")) == (b"a", b"b")


def test_a_message_and_its_bytes_are_not_copied() -> None:
    frame = b"large" * 1000
    message = as_message(frame)
    assert message[0] is frame
    assert as_message(message) is message
    assert as_message([frame])[0] is frame


@pytest.mark.parametrize("buffer", [bytearray(b"abc"), memoryview(bytearray(b"abc"))], ids=["bytearray", "memoryview"])
def test_what_may_change_later_is_copied(buffer) -> None:
    alone, among = as_message(buffer), as_message([buffer])
    buffer[0] = 0
    assert alone == among == (b"abc",)


@given(FRAMES)
def test_any_frames_make_the_same_message(frames: list[bytes]) -> None:
    assert list(Message(frames)) == frames
    assert as_message(frames) == Message(frames) == new_message(tuple(frames)) == tuple(frames)


# -- what is refused ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value", [1, None, 1.5, True, object(), len], ids=["int", "None", "float", "bool", "object", "function"]
)
def test_what_is_not_bytes_is_refused_with_a_way_out(value: object) -> None:
    with pytest.raises(TypeError, match=rf"^a message is bytes.*not {type(value).__name__}: encode it .*from_json"):
        as_message(value)


@pytest.mark.parametrize("value", [[1], [b"a", None], [object()], range(3)], ids=["int", "None", "object", "range"])
def test_a_frame_that_is_not_bytes_is_refused(value) -> None:
    with pytest.raises(TypeError, match=r"^a frame is bytes, .*: encode it first"):
        as_message(value)


@pytest.mark.parametrize(
    ("value", "what"), [("x", "a message"), ("", "a message"), (["x"], "a frame"), ([b"", ""], "a frame")]
)
def test_text_is_refused_and_told_what_to_do(value, what: str) -> None:
    with pytest.raises(TypeError, match=rf"^{what} is made of bytes, not str: use Message\.from_text\(text\)"):
        as_message(value)


@pytest.mark.parametrize("value", [[], (), iter(()), Message([b"a"])[1:]], ids=["list", "tuple", "iterator", "slice"])
def test_no_frame_at_all_is_refused(value) -> None:
    with pytest.raises(ValueError, match=r"at least one frame; send b'' for an empty one"):
        as_message(value)


async def a_coroutine() -> bytes:
    return b"x"


async def an_async_generator():
    yield b"x"


@pytest.mark.parametrize(
    ("value", "instead"),
    [
        ({b"a": 1}, "not dict: use Message.from_json(value), or give the frames in the order that you choose"),
        ({}, "not dict: use Message.from_json(value)"),
        ({b"x", b"y"}, "not set: a set has no order: give the frames in the order that you choose, in a list"),
        (frozenset((b"x",)), "not frozenset: a set has no order"),
        ({b"a": 1}.keys(), "not dict_keys: a set has no order"),
        (io.BytesIO(b"1"), "not BytesIO: send what is in it, file.read(), opened in binary mode"),
        (io.StringIO("1"), "not StringIO: send what is in it, file.read(), opened in binary mode"),
        (array.array("d", [1.0]), "not array: send its bytes: memoryview(value), or value.tobytes()"),
        (pathlib.PurePath("a"), "PurePosixPath: send the file's bytes, path.read_bytes(), or the name"),
        (an_async_generator(), "not async_generator: send what it yields, one by one: async for item in"),
        (None, "not NoneType: encode it first, or send b'' for an empty frame, or use Message.from_json(value)"),
        (1, "not int: encode it first, with str(value).encode() or struct.pack, or use Message.from_json(value)"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_message_is_refused_with_what_to_send_instead(value, instead: str) -> None:
    for refused, what in ((value, "a message is bytes"), ([value], "a frame is bytes")):
        with pytest.raises(TypeError) as caught:
            as_message(refused)
        assert str(caught.value).startswith(what)
        assert instead in str(caught.value)
    with pytest.raises(TypeError, match=rf"takes an iterable of frames, such as a list, not {type(value).__name__}"):
        Message(value)


def test_what_was_not_awaited_is_refused() -> None:
    coroutine = a_coroutine()
    with pytest.raises(TypeError, match="not coroutine: await it first, and send what it returns"):
        as_message(coroutine)
    coroutine.close()


@pytest.mark.parametrize("frames", [[b"a"], (b"a", b"b")], ids=["list", "tuple"])
def test_several_messages_at_once_are_told_of_send_many(frames) -> None:
    with pytest.raises(TypeError, match=rf"not {type(frames).__name__}: for several messages there is send_many"):
        as_message([frames])


@pytest.mark.parametrize(
    "value",
    [b"ab", bytearray(b"ab"), memoryview(b"ab"), "ab", 3, None],
    ids=["bytes", "bytearray", "memoryview", "str", "int", "None"],
)
def test_the_constructor_takes_frames_not_one_frame(value) -> None:
    with pytest.raises(TypeError, match=rf"takes an iterable of frames, such as a list, not {type(value).__name__}"):
        Message(value)


def test_an_error_of_the_users_iterator_comes_through() -> None:
    def frames():
        yield b"a"
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        as_message(frames())


# -- what it is --------------------------------------------------------------------------------------


def test_an_envelope_is_read_by_unpacking() -> None:
    routing_id, *rest = Message([b"id", b"", b"body"])
    assert (routing_id, rest) == (b"id", [b"", b"body"])


def test_it_is_a_tuple_without_an_instance_dict() -> None:
    message = Message([b"a"])
    assert isinstance(message, tuple)
    assert not hasattr(message, "__dict__")
    assert sys.getsizeof(message) == sys.getsizeof((b"a",))
    with pytest.raises(AttributeError):
        message.note = 1  # type: ignore[attr-defined]
    with pytest.raises(TypeError):
        message[0] = b"b"  # type: ignore[index]


@given(FRAMES, st.slices(6))
def test_a_slice_is_a_message_unless_it_is_empty(frames: list[bytes], part: slice) -> None:
    cut = Message(frames)[part]
    assert list(cut) == frames[part]
    assert type(cut) is (Message if frames[part] else tuple)


def test_a_slice_reads_as_a_message() -> None:
    message = Message([b"id", b"", b'{"a": 1}'])
    assert message[2:].json() == {"a": 1}
    assert message[:1].text() == "id"
    assert message[-1] == b'{"a": 1}'
    assert message[True] == b""
    with pytest.raises(IndexError):
        message[3]
    with pytest.raises(TypeError):
        message["1"]  # type: ignore[call-overload]


def test_what_is_long_is_cut_where_it_is_shown() -> None:
    assert repr(Message([b"a", b""])) == "Message((b'a', b''))"
    assert repr(Message([b"x" * 40])) == f"Message(({b'x' * 40!r},))"
    assert repr(Message([b"x" * 10_000_000])) == f"Message(({b'x' * 40!r}… 10,000,000 bytes,))"
    eight = "b'a', " * 8
    assert repr(Message([b"a"] * 65_000)) == f"Message(({eight}… 64,992 more frames))"


def test_it_equals_and_hashes_as_the_tuple_it_is() -> None:
    assert Message([b"a", b"b"]) == (b"a", b"b")
    assert Message([b"a", b"b"]) != Message([b"a"])
    assert {Message([b"a"]): 1}[b"a",] == 1


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_it_survives_pickling(protocol: int) -> None:
    message = Message([b"a", b"\0\xff"])
    again = pickle.loads(pickle.dumps(message, protocol))
    assert type(again) is Message
    assert again == message


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy])
def test_it_survives_copying(again) -> None:
    message = Message([b"a", b""])
    assert type(again(message)) is Message
    assert again(message) == message


def test_repr_can_be_read_back() -> None:
    message = Message([b"a", b"\0"])
    assert repr(message) == r"Message((b'a', b'\x00'))"
    assert eval(repr(message)) == message


# -- text and JSON -----------------------------------------------------------------------------------


def test_bytes_of_one_frame() -> None:
    assert bytes(Message([b"x"])) == b"x"


@pytest.mark.parametrize("read", [bytes, Message.text, Message.json])
def test_reading_several_frames_as_one_is_an_error(read) -> None:
    with pytest.raises(ValueError, match=r"a message with 2 frames: .* are for exactly one"):
        read(Message([b"1", b"2"]))


@given(st.text())
def test_text_comes_back(text: str) -> None:
    assert Message.from_text(text).text() == text


def test_text_has_an_encoding() -> None:
    assert Message.from_text("ø", "latin-1") == (b"\xf8",)
    assert Message([b"\xf8"]).text("latin-1") == "ø"
    with pytest.raises(UnicodeDecodeError):
        Message([b"\xf8"]).text()


@pytest.mark.parametrize("value", [None, True, 1, 1.5, "ø", [], [1, {"a": None}], {"b": [2]}])
def test_json_comes_back(value: object) -> None:
    assert Message.from_json(value).json() == value


def test_json_is_compact_utf_8() -> None:
    assert Message.from_json({"ø": [1, 2]}) == ('{"ø":[1,2]}'.encode(),)


def test_what_is_not_json_is_an_error() -> None:
    with pytest.raises(json.JSONDecodeError):
        Message([b"{"]).json()
    with pytest.raises(TypeError):
        Message.from_json(object())
