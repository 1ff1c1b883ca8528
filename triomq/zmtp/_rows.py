"""Messages of equal shape taken many at a time: a short cut for streams of fixed-size records.

Two messages are of equal shape when their headers are equal octet for octet. In a row of n such
messages each octet of a header stands in a column: a slice of the buffer with the message's size as
its step. If every column consists of one value, the row is parsed, and `struct` cuts the bodies out.
That makes no Python bytecode for each message, and costs half of the ordinary loop for one frame
and a quarter for five. Where shapes differ, finding that out costs a few slices, made seldom.
"""

from __future__ import annotations

import struct
from itertools import repeat
from typing import Any, Final

from .._message import Message, new_message

_LEAST: Final = 8
"""Fewer in a row are not worth it."""
_MOST: Final = 256
"""Looked at in one go, so that a row that breaks early has not cost much."""
_MAX_FRAMES: Final = 16


def take_rows(buffer: bytes, offset: int, limit: int, max_size: float, max_frames: int, into: list[Any]) -> int:
    """Take rows of like messages, as long as the next has the shape of the one before it.

    Only messages of few frames, all below 256 octets, are looked at. Arguments as of `take_messages`.
    Returns: the offset behind the last message taken.
    """
    heads, step, layout = _shape(buffer, offset)
    if not step or step > max_size or len(heads) > 2 * max_frames:
        return offset
    first = offset
    while True:
        tried = count = min((len(buffer) - offset) // step, limit, _MOST)
        for head in heads:
            if count < _LEAST:
                return offset
            column = buffer[offset + head : offset + count * step : step]
            count -= len(column.lstrip(buffer[head + first : head + first + 1]))
        if count < _LEAST:
            return offset
        stop = offset + count * step
        into.extend(map(new_message, repeat(Message), struct.iter_unpack(layout, buffer[offset:stop])))
        offset = stop
        limit -= count
        if count < tried:
            return offset


def _shape(buffer: bytes, offset: int) -> tuple[list[int], int, str]:
    """Where the header octets of the message at ``offset`` are, its size, its `struct` format; "" for none."""
    heads: list[int] = []
    layout = ""
    position = offset
    end = len(buffer) - 1
    for _ in range(_MAX_FRAMES):
        if position >= end or buffer[position] > 1:
            break
        start = position - offset
        heads += (start, start + 1)
        size = buffer[position + 1]
        layout += f"2x{size}s"
        last = not buffer[position]
        position += 2 + size
        if last:
            return heads, position - offset, layout
    return heads, 0, ""
