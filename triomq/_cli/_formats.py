"""How messages are written as bytes, on standard input and output. Nothing here reads, writes or waits."""

from __future__ import annotations

import base64
import json
import struct
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import attrs

from ._quoting import quote, unquote

Frames: TypeAlias = tuple[bytes, ...]
"""One message."""


class FormatError(Exception):
    """The input is not of its format; the text says where."""


class Decoder(ABC):
    """Makes messages of bytes that come in pieces."""

    @abstractmethod
    def feed(self, data: bytes) -> Iterator[Frames]:
        """Take more bytes; yield the messages that are complete. To be iterated to its end before the next call.

        Raises:
          FormatError: what comes next is no message.
        """

    @abstractmethod
    def end(self) -> Iterator[Frames]:
        """The input has ended; yield the message that its last bytes are.

        Raises:
          FormatError: it ends within a message.
        """


class _LineDecoder(Decoder):
    """One message to a line; the last one needs no end.

    Args:
      separator: what ends a line.
      parse: makes a message of a line.
    """

    def __init__(self, separator: bytes, parse: Callable[[bytes], Frames]) -> None:
        self._separator = separator
        self._parse = parse
        self._begun: list[bytes] = []
        self._count = 0

    def feed(self, data: bytes) -> Iterator[Frames]:
        first, *rest = data.split(self._separator)
        self._begun.append(first)
        if rest:
            lines = [b"".join(self._begun), *rest[:-1]]
            self._begun = [rest[-1]]
            yield from map(self._message, lines)

    def end(self) -> Iterator[Frames]:
        if last := b"".join(self._begun):
            self._begun = []
            yield self._message(last)

    def _message(self, line: bytes) -> Frames:
        self._count += 1
        try:
            return self._parse(line)
        except ValueError as exc:
            raise FormatError(f"line {self._count} of the input: {exc}") from exc


class _WholeDecoder(Decoder):
    """The whole input is one message of one frame."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def feed(self, data: bytes) -> Iterator[Frames]:
        self._pieces.append(data)
        yield from ()

    def end(self) -> Iterator[Frames]:
        yield (b"".join(self._pieces),)


_NUMBER = struct.Struct(">I")


class _LengthDecoder(Decoder):
    """The number of frames, then the length and the bytes of each; numbers have four bytes, big-endian."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._left = 0  # frames of the message that has begun
        self._frames: list[bytes] = []
        self._count = 0

    def feed(self, data: bytes) -> Iterator[Frames]:
        self._buffer += data
        offset = 0
        while (end := self._step(offset)) > offset:
            offset = end
            if self._frames and not self._left:
                self._count += 1
                message, self._frames = tuple(self._frames), []
                yield message
        del self._buffer[:offset]

    def _step(self, offset: int) -> int:
        """Take a number of frames, or a frame. Returns: the offset after it; the same if it is not complete."""
        start = offset + _NUMBER.size
        if len(self._buffer) < start:
            return offset
        (number,) = _NUMBER.unpack_from(self._buffer, offset)
        if not self._left:
            if not number:
                raise FormatError(f"message {self._count + 1} of the input has no frame")
            self._left = number
            return start
        if len(self._buffer) < start + number:
            return offset
        self._frames.append(bytes(self._buffer[start : start + number]))
        self._left -= 1
        return start + int(number)

    def end(self) -> Iterator[Frames]:
        if self._buffer or self._left:
            raise FormatError(f"the input ends within message {self._count + 1}")
        yield from ()


@attrs.frozen
class Format:
    """One way to write messages.

    Attributes:
      about: one line for the user.
      encode: makes bytes of a message.
      decoder: makes a new decoder.
      parse: makes a message of an argument.
    """

    name: str
    about: str
    encode: Callable[[Sequence[bytes]], bytes]
    decoder: Callable[[], Decoder]
    parse: Callable[[bytes], Frames]


def _one_frame(line: bytes) -> Frames:
    return (line,)


def _frames_by_tab(line: bytes) -> Frames:
    return tuple(line.split(b"\t"))


def _quoted(line: bytes) -> Frames:
    return tuple(map(unquote, line.split(b"\t")))


def _hex(line: bytes) -> Frames:
    return tuple(_hex_frame(frame) for frame in line.split(b"\t"))


def _hex_frame(frame: bytes) -> bytes:
    try:
        return bytes.fromhex(frame.decode("ascii"))
    except ValueError:
        shown = frame[:40].decode("ascii", "backslashreplace")
        raise ValueError(f"{shown!r} is no row of bytes in hexadecimal") from None


def _write_json(frames: Sequence[bytes]) -> bytes:
    return json.dumps([_json_of(frame) for frame in frames], ensure_ascii=False).encode() + b"\n"


def _json_of(frame: bytes) -> Any:
    try:
        return frame.decode("utf-8")
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(frame).decode("ascii")}


def _json(line: bytes) -> Frames:
    try:
        value = json.loads(line)
    except RecursionError:
        raise ValueError("JSON that is nested too deeply") from None
    except ValueError as exc:
        shown = line[:40].decode("utf-8", "backslashreplace")
        raise ValueError(f'{shown!r} is not JSON: {exc}; a text is written in quotes, such as "hello"') from None
    frames = value if isinstance(value, list) else [value]
    if not frames:
        raise ValueError("[] is a message without a frame")
    return tuple(map(_frame_of_json, frames))


def _frame_of_json(value: object) -> bytes:
    if isinstance(value, str):
        return value.encode("utf-8")
    if isinstance(value, dict) and list(value) == ["base64"] and isinstance(value["base64"], str):
        return base64.b64decode(value["base64"], validate=True)
    raise ValueError(
        f'{json.dumps(value)[:60]} is no frame: a frame is a string, or {{"base64": "..."}}; '
        "use --in lines to send lines of JSON as they are"
    )


def _write_lengths(frames: Sequence[bytes]) -> bytes:
    pieces = [_NUMBER.pack(len(frames))]
    for frame in frames:
        pieces += [_NUMBER.pack(len(frame)), frame]
    return b"".join(pieces)


def _lines(parse: Callable[[bytes], Frames], separator: bytes = b"\n") -> Callable[[], Decoder]:
    return lambda: _LineDecoder(separator, parse)


_ALL = (
    Format(
        "lines",
        "a line is a message of one frame; several frames are written with tabs between them",
        lambda frames: b"\t".join(frames) + b"\n",
        _lines(_one_frame),
        _one_frame,
    ),
    Format(
        "tabs",
        "a line is a message, with a tab between two frames",
        lambda frames: b"\t".join(frames) + b"\n",
        _lines(_frames_by_tab),
        _frames_by_tab,
    ),
    Format(
        "quoted",
        r"as tabs, with \n, \t, \\, \xHH for what cannot be seen: any message",
        lambda frames: b"\t".join(map(quote, frames)) + b"\n",
        _lines(_quoted),
        _quoted,
    ),
    Format(
        "hex",
        "as tabs, each frame in hexadecimal: any message",
        lambda frames: "\t".join(frame.hex() for frame in frames).encode() + b"\n",
        _lines(_hex),
        _hex,
    ),
    Format(
        "jsonl",
        'a line is an array of frames in JSON; a frame is a string, or {"base64": "..."}: any message',
        _write_json,
        _lines(_json),
        _json,
    ),
    Format(
        "nul",
        "as lines, with a zero byte in place of each newline, as of find -print0",
        lambda frames: b"\t".join(frames) + b"\0",
        _lines(_one_frame, b"\0"),
        _one_frame,
    ),
    Format(
        "length",
        "binary: the number of frames, then of each frame its length and bytes; "
        "numbers are 4 bytes, big-endian: any message",
        _write_lengths,
        _LengthDecoder,
        _one_frame,
    ),
    Format(
        "raw",
        "the whole input is one message of one frame; frames are written with nothing between them",
        b"".join,
        _WholeDecoder,
        _one_frame,
    ),
)
FORMATS = {one.name: one for one in _ALL}
"""By name."""
