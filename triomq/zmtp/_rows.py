"""Rows: messages of equal shape, taken many at a time. A short cut for streams of records of a fixed size.

Two messages are of equal shape if their headers are equal byte for byte. In a row of n such messages,
one behind the other, each byte of a header stands in a column: a slice of the buffer, with the size of
a message as its step. If each column consists of one value, the row is parsed, and `struct` cuts out the
bodies. No line of Python runs for each message. A row of one-frame messages costs half of the ordinary
loop, one of five-frame messages a quarter. To find that there is no row costs a few slices.
"""

from __future__ import annotations

import struct
from typing import Any, Final

_LEAST: Final = 8
"""Messages: a shorter row is not worth it."""
_MOST: Final = 256
"""Messages looked at together. With more, a row that ends early would have cost much."""
_MORE: Final = 1
_LONG: Final = 2  # flags of a frame, as in `triomq.zmtp._frames`
_MORE_OR_LONG: Final = _MORE | _LONG
_MAX_FRAMES: Final = 16
"""Frames: a message of more is not looked at."""


def take_rows(buffer: bytes, offset: int, limit: int, max_size: float, max_frames: int, into: list[Any]) -> int:
    """Take the row that begins at ``offset``, if there is one.

    Only messages of up to 16 frames are looked at. The arguments are those of `take_messages`.
    Returns: the offset behind the last message taken.
    """
    heads, step, layout = _shape(buffer, offset)
    if not step or step > max_size or layout.count("s") > max_frames:
        return offset
    first = offset
    while True:
        tried = count = min((len(buffer) - offset) // step, limit, _MOST)
        for head in heads:
            if count < _LEAST:
                return offset
            column = buffer[offset + head : offset + count * step : step]
            # What is left of the column when its leading equal bytes are stripped is no part of the row.
            count -= len(column.lstrip(buffer[head + first : head + first + 1]))
        if count < _LEAST:
            return offset
        stop = offset + count * step
        into.extend(struct.iter_unpack(layout, memoryview(buffer)[offset:stop]))
        offset = stop
        limit -= count
        if count < tried:
            return offset


def _shape(buffer: bytes, offset: int) -> tuple[list[int], int, str]:
    """The shape of the message at ``offset``: where its header bytes are, its size, its `struct` format.

    The size is 0 if there is no row, the message has too many frames or anything but frames, or is cut within a header.
    """
    heads: list[int] = []
    layout = ""
    position = offset
    end = len(buffer) - 1
    for _ in range(_MAX_FRAMES):
        if position >= end or (flags := buffer[position]) > _MORE_OR_LONG:
            break
        start = position - offset
        header = 9 if flags & _LONG else 2
        head = buffer[position : position + header]
        size = int.from_bytes(head[1:], "big")
        position += header + size
        last = not flags & _MORE
        if last and not start and buffer[position : position + header] != head:
            break  # the next of these messages of one frame is of another size: mixed sizes pay no more than this
        heads += range(start, start + header)
        layout += f"{header}x{size}s"
        if last:
            return heads, position - offset, layout
    return heads, 0, ""
