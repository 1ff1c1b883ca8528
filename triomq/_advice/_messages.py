"""What to send instead of what cannot be sent."""

from __future__ import annotations

import os
from collections.abc import AsyncIterable, Awaitable, Iterable, Mapping
from collections.abc import Set as AbstractSet


def is_no_iterable_of_frames(value: object) -> bool:
    """Whether a value, bytes-like or not, would be a mistake as the frames of a message though it may be iterable.

    A dict or a set has no order that anybody chose, a file has lines, an array numbers.
    """
    if not isinstance(value, Iterable) or isinstance(value, (str, Mapping, AbstractSet, Awaitable, AsyncIterable)):
        return True
    return hasattr(value, "read") or _has_buffer(value)


def explain_message(value: object) -> str:
    """What to write instead of sending ``value``."""
    return _explain(value, "a message")


def explain_frame(value: object) -> str:
    """What to write instead of ``value`` as a frame."""
    if isinstance(value, (list, tuple)):
        name = type(value).__name__
        return f"a frame is bytes, bytearray or memoryview, not {name}: for several messages there is send_many([…])"
    return _explain(value, "a frame")


def _explain(value: object, what: str) -> str:
    if isinstance(value, str):
        return (
            f"{what} is made of bytes, not str: use Message.from_text(text), "
            "or text.encode(), or Message.from_json(value)"
        )
    kinds = "bytes, bytearray, memoryview" + (" or an iterable of them" if what == "a message" else "")
    return f"{what} is {kinds}, not {type(value).__name__}: {_instead(value)}"


def _instead(value: object) -> str:
    if isinstance(value, Awaitable):
        return "await it first, and send what it returns"
    if isinstance(value, AsyncIterable):
        return "send what it yields, one by one: async for item in …: await socket.send(item)"
    if isinstance(value, Mapping):
        return "use Message.from_json(value), or give the frames in the order that you choose, in a list"
    if isinstance(value, AbstractSet):
        return "a set has no order: give the frames in the order that you choose, in a list"
    if isinstance(value, os.PathLike):
        return "send the file's bytes, path.read_bytes(), or the name, os.fsencode(path)"
    if hasattr(value, "read"):
        return "send what is in it, file.read(), opened in binary mode"
    if _has_buffer(value):
        return "send its bytes: memoryview(value), or value.tobytes()"
    if value is None:
        return "encode it first, or send b'' for an empty frame, or use Message.from_json(value)"
    from numbers import Number  # for those who need it, as it takes time to import

    if isinstance(value, Number):
        return "encode it first, with str(value).encode() or struct.pack, or use Message.from_json(value)"
    return "encode it first, or use Message.from_json(value)"


def _has_buffer(value: object) -> bool:
    try:
        memoryview(value)  # type: ignore[arg-type]  # the question
    except (TypeError, ValueError, BufferError):
        return False
    return True
