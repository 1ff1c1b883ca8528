"""Frames on the wire (RFC 37 §2.3), and the two hot loops: messages to octets, octets to messages.

A frame is ``flags size body``: one octet of flags (MORE 1, LONG 2, COMMAND 4), a size of one octet,
or of eight when LONG. Most messages are one frame below 256 octets, so both loops try for that
first. `take_messages` only takes messages that are well-formed and whole within the buffer, and
leaves all else (the cut, the faulty, the huge, commands) to `FrameReader` in ``_reader``, which is
general and slower.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from itertools import repeat
from typing import Any, Final, TypeAlias

from .._message import Message, new_message
from ._events import Cancel, Ping, Pong, Subscribe
from ._rows import take_rows

MORE: Final = 1
LONG: Final = 2
COMMAND: Final = 4

LARGE_BODY: Final = 8192
"""Bodies of this size and more go out as a buffer of their own instead of being copied behind their header."""

Item: TypeAlias = Message | tuple[bytes, ...] | bytes | Subscribe | Cancel | Ping | Pong
"""What `Connection.encode` takes; `bytes` are messages that `encode_shared` made."""

_LEAST_ALIKE: Final = 8  # items of which it is worth asking whether they are alike
_ROW: Final = 256  # octets of input that may hold a row of like messages
_FIRST_TURN: Final = 16

_pack_long = struct.Struct(">BQ").pack
_unpack_size = struct.Struct(">Q").unpack_from
_LAST: Final = tuple(bytes((0, size)) for size in range(256))
_MORE: Final = tuple(bytes((MORE, size)) for size in range(256))


def frame_header(flags: int, size: int) -> bytes:
    """The header of a frame whose flags are MORE, COMMAND or none; LONG is added where due."""
    return bytes((flags, size)) if size < 256 else _pack_long(flags | LONG, size)


def encode_frame(flags: int, body: bytes) -> bytes:
    """One frame, header and body joined."""
    return frame_header(flags, len(body)) + body


def encode_shared(message: Sequence[bytes]) -> bytes:
    """One message, framed as every peer reads it whose mechanism leaves frames alone."""
    last = message[-1]
    size = len(last)
    end = (_LAST[size] if size < 256 else _pack_long(LONG, size)) + last
    if len(message) == 1:
        return end
    pieces: list[bytes] = []
    for body in message[:-1]:
        size = len(body)
        pieces.append(_MORE[size] if size < 256 else _pack_long(MORE | LONG, size))
        pieces.append(body)
    pieces.append(end)
    return b"".join(pieces)


def encode_items(items: Sequence[Any], out: list[bytes], encode_event: Callable[[Any], bytes]) -> int:
    """The send hot loop: append buffers for every item to ``out``.

    Small things are joined into one buffer, a body of `LARGE_BODY` or more is passed on as it is.

    Args:
      items: each an `Item`.
      encode_event: makes octets of whatever is neither frames nor already `bytes`.
    Returns: how many octets were appended.
    """
    if len(items) >= _LEAST_ALIKE:
        together = _join_encoded(items) if type(items[0]) is bytes else _encode_alike(items)
        if together is not None:
            out.append(together)
            return len(together)
    pieces: list[bytes] = []
    append = pieces.append
    last, more, own, pack = _LAST, _MORE, LARGE_BODY, _pack_long
    total = 0
    for item in items:
        kind = type(item)
        if kind is Message or kind is tuple:
            for body in item[:-1] if len(item) > 1 else ():
                size = len(body)
                if size < 256:
                    append(more[size] + body)
                else:
                    append(pack(MORE | LONG, size))
                    if size < own:
                        append(body)
                    else:
                        total += _flush(pieces, body, out)
            body = item[-1]
            size = len(body)
            if size < 256:
                append(last[size] + body)
                continue
            append(pack(LONG, size))
        else:
            body = item if kind is bytes else encode_event(item)
            size = len(body)
        if size < own:
            append(body)
        else:
            total += _flush(pieces, body, out)
    if pieces:
        joined = b"".join(pieces)
        out.append(joined)
        total += len(joined)
    return total


def _join_encoded(items: Sequence[Any]) -> bytes | None:
    """The bytes of small messages that are all encoded already; None if the items are not that.

    A publisher's are, where its subscribers do not share a tail: a fifth of all it does for them is saved here.
    """
    try:
        return b"".join(items) if max(map(len, items)) < LARGE_BODY else None
    except TypeError:  # not all are encoded
        return None


def _encode_alike(items: Sequence[Any]) -> bytes | None:
    """The bytes of messages of one frame each, all of one size; None if the items are not that.

    `bytes.join` puts the header between bodies without a line of Python for each: half the price of the loop.
    Three sizes are looked at first, because messages of mixed sizes shall not pay for that.
    """
    try:
        size = len(items[0][0])
        if size >= LARGE_BODY or len(items[-1][0]) != size or len(items[len(items) // 2][0]) != size:
            return None
        bodies = [body for (body,) in items]
        if {*map(len, bodies)} != {size}:
            return None
    except (TypeError, ValueError, IndexError):  # subscriptions, messages of several frames, or already encoded
        return None
    header = frame_header(0, size)
    return header + header.join(bodies)


def _flush(pieces: list[bytes], body: bytes, out: list[bytes]) -> int:
    joined = b"".join(pieces)
    pieces.clear()
    if joined:
        out.append(joined)
    out.append(body)
    return len(joined) + len(body)


def take_messages(buffer: bytes, offset: int, limit: int, max_size: float, max_frames: int, into: list[Any]) -> int:
    """Take messages from ``buffer[offset:]`` until one is not plain and whole.

    Args:
      limit: at most so many messages.
      max_size: octets in all frames of a message.
      into: where to append them.
    Returns: the offset behind the last message taken. Taking none says nothing about why.
    """
    most = len(into) + limit
    turn = _FIRST_TURN
    while len(buffer) - offset > _ROW:
        offset = take_rows(buffer, offset, most - len(into), max_size, max_frames, into)
        # Looking for likenesses must not cost those much who have none: each time it is longer till the next.
        before = len(into)
        offset = _take_each(buffer, offset, min(turn, most - before), max_size, max_frames, into.append)
        if len(into) - before < turn:
            return offset
        turn *= 2
    return _take_each(buffer, offset, most - len(into), max_size, max_frames, into.append)


def _take_each(
    buffer: bytes, offset: int, limit: int, max_size: float, max_frames: int, append: Callable[[Message], None]
) -> int:
    """The receive hot loop; arguments as of `take_messages`.

    Running over the end of the buffer is left to IndexError, which is free where it does not happen
    but costs more than a short message where it does: so a buffer that ends with a message ends the loop.
    """
    new, kind, unpack = new_message, Message, _unpack_size
    end = len(buffer)
    short_fits = max_size >= 255
    try:
        for _ in repeat(None, limit):
            flags = buffer[offset]
            if not flags and short_fits:
                start = offset + 2
                stop = start + buffer[offset + 1]
                if stop >= end:
                    if stop == end:
                        append(new(kind, (buffer[start:stop],)))
                        offset = stop
                    break
                append(new(kind, (buffer[start:stop],)))
                offset = stop
            elif flags == LONG:
                start = offset + 9
                (size,) = unpack(buffer, offset + 1)
                stop = start + size
                if stop > end or size > max_size:
                    break
                append(new(kind, (buffer[start:stop],)))
                offset = stop
                if stop == end:
                    break
            elif flags & MORE:
                frames, stop = _take_frames(buffer, offset, end)
                # The headers are counted too: close to the bound is for the exact code to judge.
                if not frames or stop - offset > max_size or len(frames) > max_frames:
                    break
                append(new(kind, frames))
                offset = stop
                if stop == end:
                    break
            else:
                break
    except (IndexError, struct.error):
        pass  # The buffer ends within a header.
    return offset


def _take_frames(buffer: bytes, offset: int, end: int) -> tuple[list[bytes], int]:
    """The frames of one multi-part message and the offset behind it; no frames if it is not plain and whole.

    Raises:
      IndexError, struct.error: the buffer ends within a header.
    """
    frames: list[bytes] = []
    append = frames.append
    while True:
        flags = buffer[offset]
        if flags < LONG:
            start = offset + 2
            offset = start + buffer[offset + 1]
        elif flags < COMMAND:
            start = offset + 9
            offset = start + _unpack_size(buffer, offset + 1)[0]
        else:
            return [], offset
        if offset > end:
            return [], offset
        append(buffer[start:offset])
        if not flags & MORE:
            return frames, offset
