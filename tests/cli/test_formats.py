"""Messages as octets: what is written is read again, in whatever pieces it comes."""

from __future__ import annotations

import itertools
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triomq._cli._formats import FORMATS, FormatError
from triomq._cli._quoting import quote, unquote

Messages = list[tuple[bytes, ...]]
LOSSLESS = ("quoted", "hex", "jsonl", "length")


def decode(name: str, data: bytes, cuts: list[int] | None = None) -> Messages:
    """Decode octets that come in pieces."""
    decoder = FORMATS[name].decoder()
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts or ()), len(data)]
    pieces = [data[start:end] for start, end in itertools.pairwise(edges)]
    messages = [message for piece in pieces for message in decoder.feed(piece)]
    return [*messages, *decoder.end()]


def encode(name: str, messages: Messages) -> bytes:
    return b"".join(map(FORMATS[name].encode, messages))


anything = st.lists(st.lists(st.binary(max_size=20), min_size=1, max_size=4).map(tuple), max_size=5)
plain = st.binary(max_size=20).map(lambda data: data.translate(None, b"\n\t\0"))


@pytest.mark.parametrize("name", LOSSLESS)
@given(messages=anything, cuts=st.lists(st.integers(0, 1000), max_size=5))
def test_any_message_survives(name: str, messages: Messages, cuts: list[int]) -> None:
    assert decode(name, encode(name, messages), cuts) == messages


@given(messages=st.lists(st.lists(plain, min_size=1, max_size=3).map(tuple), max_size=5), cuts=st.lists(st.integers()))
def test_frames_without_tabs_and_newlines_survive_tabs(messages: Messages, cuts: list[int]) -> None:
    assert decode("tabs", encode("tabs", messages), cuts) == messages


@pytest.mark.parametrize("name", ["lines", "nul"])
@given(lines=st.lists(plain, max_size=5), cuts=st.lists(st.integers()))
def test_a_line_is_a_message(name: str, lines: list[bytes], cuts: list[int]) -> None:
    messages: Messages = [(line,) for line in lines]
    assert decode(name, encode(name, messages), cuts) == messages


@given(data=st.binary(), cuts=st.lists(st.integers()))
def test_the_whole_input_is_a_message(data: bytes, cuts: list[int]) -> None:
    assert decode("raw", data, cuts) == [(data,)]
    assert FORMATS["raw"].encode((data, b"x")) == data + b"x"


@given(data=st.binary())
def test_any_octets_survive_quoting_and_can_be_seen(data: bytes) -> None:
    quoted = quote(data)
    assert unquote(quoted) == data
    assert quoted.decode("utf-8").isprintable()


@given(line=st.binary())
def test_any_line_is_decoded_or_refused_with_its_number(line: bytes) -> None:
    for name in ("quoted", "hex", "jsonl"):
        try:
            decode(name, line)
        except FormatError as exc:
            why = str(exc)
        else:
            continue
        assert re.match(r"line \d+ of the input: .", why)


@pytest.mark.parametrize(
    ("data", "quoted"),
    [
        (b"weather.10001 21 C", rb"weather.10001 21 C"),
        ("Größe: 5 µ".encode(), "Größe: 5 µ".encode()),
        (b"\x1b[2J\x07", rb"\x1b[2J\x07"),
        (b"\0k\x8bEg", rb"\x00k\x8bEg"),
        (b"a\tb\nc\\d\r", rb"a\tb\nc\\d\r"),
        ("\u202e".encode(), rb"\xe2\x80\xae"),  # would turn round what follows
    ],
)
def test_quoting(data: bytes, quoted: bytes) -> None:
    assert quote(data) == quoted


def test_unquoting_knows_the_escapes_of_c() -> None:
    assert unquote(rb"\0\a\b\e\f\v\'\"\\") == b"\0\a\b\x1b\f\v'\"\\"
    assert unquote(rb"\x41\u00e9\U0001F600") == "Aé😀".encode()
    for wrong in (rb"\q", b"\\", rb"\x4", rb"\u12", rb"\ud800", rb"\UFFFFFFFF"):
        with pytest.raises(ValueError, match=r"no escape|no character"):
            unquote(wrong)


def test_what_jsonl_looks_like() -> None:
    line = FORMATS["jsonl"].encode((b"topic", "µ".encode(), b"\xff\0"))
    assert line.decode() == '["topic", "µ", {"base64": "/wA="}]\n'
    assert json.loads(line)[2] == {"base64": "/wA="}
    assert decode("jsonl", b'"one frame"\n') == [(b"one frame",)]


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("jsonl", b'["a"]\n{"a": 1}\n', 'line 2 of the input: {"a": 1} is no frame'),
        ("jsonl", b"[]\n", "line 1 of the input: [] is a message without a frame"),
        ("jsonl", b"[1]\n", "line 1 of the input: 1 is no frame"),
        ("jsonl", b"[" * 100_000, "line 1 of the input: "),
        ("jsonl", b'{"base64": "!"}\n', "line 1 of the input: "),
        ("jsonl", b"nonsense\n", "line 1 of the input: 'nonsense' is not JSON: Expecting value"),
        ("jsonl", b"\xff\n", "line 1 of the input: "),
        ("hex", b"00\n0g\n", "line 2 of the input: '0g' is no row of bytes in hexadecimal"),
        ("quoted", b"\\q\n", "line 1 of the input: '\\\\q' is no escape; write \\\\ for a backslash"),
        ("length", b"\0\0\0\0", "message 1 of the input has no frame"),
        ("length", b"\0\0\0\1\0\0\0\5abc", "the input ends within message 1"),
    ],
)
def test_what_is_no_message_is_refused_and_says_where(name: str, data: bytes, why: str) -> None:
    with pytest.raises(FormatError) as refused:
        decode(name, data)
    assert str(refused.value).startswith(why)


def test_the_messages_before_a_bad_one_are_decoded() -> None:
    decoder = FORMATS["hex"].decoder()
    messages = decoder.feed(b"01\n02\nzz\n")
    assert [next(messages), next(messages)] == [(b"\1",), (b"\2",)]
    with pytest.raises(FormatError):
        next(messages)
