"""Frames on the wire (RFC 37 §2.3), and the two hot loops: messages to bytes, bytes to messages.

A frame is ``flags size body``: one octet of flags (MORE 1, LONG 2, COMMAND 4), a size of one octet,
or of eight if LONG. Most messages are one frame below 256 octets, so both loops try that first.
`take_messages` takes messages that are well-formed and whole within the buffer, and nothing else:
messages that are cut, faulty or too large, and commands, are left to `FrameReader`, which is
general and slower.

Messages of equal size one behind the other are a *row*: both directions have a short cut for it, and
give it up early where sizes are mixed.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from itertools import chain, repeat
from typing import Any, Final, TypeAlias

from .._message import Frames, Message
from ._events import Cancel, Ping, Pong, Subscribe
from ._rows import take_rows

MORE: Final = 1
LONG: Final = 2
COMMAND: Final = 4

LARGE_BODY: Final = 8192
"""Bytes: a body of this size or more is sent as a buffer of its own, not copied behind its header."""

Item: TypeAlias = Message | tuple[bytes, ...] | bytes | Subscribe | Cancel | Ping | Pong
"""What `Connection.encode` takes; `bytes` are messages that `encode_shared` made."""

_LEAST_IN_ROW: Final = 8  # items: with fewer, a row is not looked for when they are encoded
_LEAST_MIXED: Final = 24  # items: with fewer, the loop is as quick for mixed sizes
_LEAST_INPUT: Final = 256  # bytes: in less input, a row is not looked for
MOST_LONE: Final = 256
"""bytes: more of them are mostly several messages, or a large one"""
_FIRST_STRETCH: Final = 16  # messages taken one by one before a row is looked for again; doubled each time

_pack_long = struct.Struct(">BQ").pack
_unpack_size = struct.Struct(">Q").unpack_from
_FEW_FRAMES: Final = 8  # frames; a message of more ends the loop that receives, lest many such last for long
_MANY_FRAMES: Final = 256  # frames; a message of more is taken frame by frame, as it takes more than a moment

# Headers of short frames, by size: quicker to look up than to make.
_LAST: Final = tuple(bytes((0, size)) for size in range(256))
_MORE: Final = tuple(bytes((MORE, size)) for size in range(256))
_DELIMITER: Final = bytes((MORE, 0, 0))  # an empty frame, and the flags of a last one: what REQ and REP begin with
_BODY: Final = tuple(_DELIMITER + bytes((size,)) for size in range(256))  # all that stands before such a last frame


class _Headers(dict[int, bytes]):
    """The headers of last frames, by size; long ones are made each time."""

    def __missing__(self, size: int) -> bytes:
        return _pack_long(LONG, size)


_HEADERS: Final = _Headers(enumerate(_LAST))


def frame_header(flags: int, size: int) -> bytes:
    """The header of a frame. The flags are MORE, COMMAND or none; LONG is added here, for a size above 255."""
    return bytes((flags, size)) if size < 256 else _pack_long(flags | LONG, size)


def encode_frame(flags: int, body: bytes) -> bytes:
    """One frame, header and body joined."""
    return frame_header(flags, len(body)) + body


def encode_shared(message: Sequence[bytes]) -> bytes:
    """One message as bytes that are the same for all peers whose mechanism leaves frames unchanged."""
    if type(message) is Message:
        message = tuple(message)  # an index and a slice of a `Message` are calls of Python
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

    Headers and small bodies are joined into one buffer; a body of `LARGE_BODY` or more is appended as it is.

    Args:
      items: each an `Item`.
      encode_event: makes the bytes of an item that is neither a message nor already `bytes`.
    Returns: how many bytes were appended.
    """
    if len(items) == 1:
        (item,) = items
        alone = encode_alone(item)
        if alone is None and isinstance(item, tuple) and max(map(len, item)) < LARGE_BODY:
            alone = encode_shared(item)
        if alone is not None:
            out.append(alone)
            return len(alone)
    elif items and (together := _encode_together(items)) is not None:
        out.append(together)
        return len(together)
    pieces: list[bytes] = []
    append = pieces.append
    last, more, own, pack = _LAST, _MORE, LARGE_BODY, _pack_long
    total = 0
    for item in items:
        kind = type(item)
        if kind is Message:
            item, kind = tuple(item), tuple  # likewise
        if kind is tuple:
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


# On the path of a message that is sent by itself.
def encode_alone(item: Item) -> bytes | None:
    """The bytes of a message of one or two frames, all of them short; None if the item is not that.

    So are requests and replies, behind their delimiter. `Connection.encode` does the same for any number of items.
    """
    if isinstance(item, tuple):
        try:
            if len(item) == 2:
                first, last = item
                if not first:
                    return _BODY[len(last)] + last
                return _MORE[len(first)] + first + _LAST[len(last)] + last
            if len(item) == 1:
                (last,) = item
                return _LAST[len(last)] + last
        except IndexError:  # a frame of 256 bytes or more
            pass
    return None


def _encode_together(items: Sequence[Any]) -> bytes | None:
    """The bytes of items that are alike, and small; None if there is no short cut for them."""
    first = items[0]
    if isinstance(first, tuple) and len(first) == 2:
        return _encode_pairs(items)
    if len(items) < _LEAST_IN_ROW:
        return None
    return _join_encoded(items) if type(first) is bytes else _encode_lone_frames(items)


def _join_encoded(items: Sequence[Any]) -> bytes | None:
    """The bytes of small messages that are all encoded already; None if the items are not that.

    A publisher has such items where its subscribers do not share a tail. This saves a fifth of its work for them.
    """
    try:
        return b"".join(items) if max(map(len, items)) < LARGE_BODY else None
    except TypeError:  # not all are encoded
        return None


def _encode_lone_frames(items: Sequence[Any]) -> bytes | None:
    """The bytes of messages of one frame each, if none is large; None if they are not that.

    `bytes.join` puts each header before its body without a line of Python for each. Three sizes are compared first, so
    that mixed sizes pay little for the question whether they are alike.
    """
    try:
        first, middle, last = len(items[0][0]), len(items[len(items) // 2][0]), len(items[-1][0])
        if first == middle == last and first < LARGE_BODY:
            bodies = [body for (body,) in items]
            if {*map(len, bodies)} == {first}:
                bodies.insert(0, b"")  # so that the first has its header, too, and nothing is copied twice
                return frame_header(0, first).join(bodies)
        elif len(items) >= _LEAST_MIXED:
            bodies = [body for (body,) in items]
            sizes = [*map(len, bodies)]
            if max(sizes) < LARGE_BODY:
                headers = map(_HEADERS.__getitem__, sizes)
                return b"".join(chain.from_iterable(zip(headers, bodies, strict=True)))
    except (TypeError, ValueError, IndexError):  # an event, a message of several frames, an encoded one
        pass
    return None


def _encode_pairs(items: Sequence[Any]) -> bytes | None:
    """The bytes of messages of two short frames each, as ROUTER and REQ send; None if the items are not that."""
    more, last = _MORE, _LAST
    try:
        return b"".join([each for one, two in items for each in (more[len(one)], one, last[len(two)], two)])
    except (TypeError, ValueError, IndexError):  # an event or an encoded message, more frames or fewer, a long one
        return None


def _flush(pieces: list[bytes], body: bytes, out: list[bytes]) -> int:
    """Append the joined pieces to ``out``, then the large body behind them. Returns: how many bytes."""
    joined = b"".join(pieces)
    pieces.clear()
    if joined:
        out.append(joined)
    out.append(body)
    return len(joined) + len(body)


def take_messages(buffer: bytes, offset: int, limit: int, max_size: float, max_frames: int, into: list[Any]) -> int:
    """Take messages from ``buffer[offset:]``, up to the first that is cut, faulty, too large or no message.

    Args:
      limit: the most messages to take.
      max_size: bytes; the most in all frames of one message.
      max_frames: the most frames in one message.
      into: the messages are appended to it.
    Returns: the offset behind the last message taken. If none is taken, that does not say why. The last one may have
      many frames: then others may follow, and the caller decides whether to go on.
    """
    most = len(into) + limit
    stretch = _FIRST_STRETCH
    while len(buffer) - offset > _LEAST_INPUT:
        offset = take_rows(buffer, offset, most - len(into), max_size, max_frames, into)
        # Where sizes are mixed, looking for rows finds none: so it is done less and less often.
        before = len(into)
        offset = _take_each(buffer, offset, min(stretch, most - before), max_size, max_frames, into.append)
        if len(into) - before < stretch:
            return offset
        stretch *= 2
    return _take_each(buffer, offset, most - len(into), max_size, max_frames, into.append)


# On the path of a message that comes by itself.
def take_lone(buffer: bytes) -> Frames | None:
    """The message that the whole buffer is, if it has one or two frames, all of them short; None if it is not that.

    What is sent now and then comes so, and a request and its reply, behind their delimiter. `take_messages` does the
    same in three calls, at twice the price.
    """
    try:
        if not buffer[0]:
            return (buffer[2:],) if buffer[1] + 2 == len(buffer) else None
        if buffer.startswith(_DELIMITER):
            return (b"", buffer[4:]) if buffer[3] + 4 == len(buffer) else None
        if buffer[0] == MORE and not buffer[stop := 2 + buffer[1]] and stop + 2 + buffer[stop + 1] == len(buffer):
            return buffer[2:stop], buffer[stop + 2 :]
    except IndexError:  # the buffer ends within a header
        pass
    return None


def _take_each(
    buffer: bytes, offset: int, limit: int, max_size: float, max_frames: int, append: Callable[[Frames], None]
) -> int:
    """The receive hot loop: take messages one by one. Arguments and result are those of `take_messages`.

    An IndexError tells that the buffer ends within a header. That check is free as long as none is raised, but an
    exception costs more than a short message: so where the buffer ends with a message, the loop stops by itself.
    """
    unpack = _unpack_size
    end = len(buffer)
    short_fits = max_size >= 255
    pair_fits = max_size >= 2 * 255 and max_frames > 1
    try:
        for _ in repeat(None, limit):
            flags = buffer[offset]
            if not flags and short_fits:
                start = offset + 2
                stop = start + buffer[offset + 1]
                if stop >= end:
                    if stop == end:
                        append((buffer[start:stop],))
                        offset = stop
                    break
                append((buffer[start:stop],))
                offset = stop
            elif flags == LONG:
                start = offset + 9
                (size,) = unpack(buffer, offset + 1)
                stop = start + size
                if stop > end or size > max_size:
                    break
                append((buffer[start:stop],))
                offset = stop
                if stop == end:
                    break
            elif flags == MORE and pair_fits and not buffer[middle := offset + 2 + buffer[offset + 1]]:
                stop = middle + 2 + buffer[middle + 1]
                if stop > end:
                    break
                append((buffer[offset + 2 : middle], buffer[middle + 2 : stop]))
                offset = stop
                if stop == end:
                    break
            elif flags & MORE:
                frames, stop = _take_frames(buffer, offset, end)
                # This counts the headers too. A message so close to the bound is left to the exact code.
                if not frames or stop - offset > max_size or len(frames) > max_frames:
                    break
                append(tuple(frames))
                offset = stop
                if stop == end or len(frames) > _FEW_FRAMES:
                    break
            else:
                break
    except (IndexError, struct.error):
        pass  # The buffer ends within a header.
    return offset


def _take_frames(buffer: bytes, offset: int, end: int) -> tuple[list[bytes], int]:
    """The frames of one message of several, and the offset behind it; no frames if it is cut, faulty or very long.

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
        if len(frames) == _MANY_FRAMES:
            return [], offset
