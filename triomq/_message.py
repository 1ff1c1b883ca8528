"""What a socket sends and receives."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, TypeAlias, final

BytesLike: TypeAlias = bytes | bytearray | memoryview
"""What one frame may be given as. Anything but `bytes` is copied when it is sent."""
Frames: TypeAlias = tuple[bytes, ...]
"""A message on its way out: a `Message`, or a plain tuple, which costs a quarter of one."""

_ONLY_BYTES = {bytes}


@final
class Message(tuple[bytes, ...]):
    """One ØMQ message: a tuple of one or more frames, sent and received whole.

    Reading an envelope is unpacking: ``routing_id, *rest = message``.
    Messages are immutable and have no instance dict.
    """

    __slots__ = ()

    def __new__(cls, frames: Iterable[BytesLike]) -> Message:
        """Build a message of frames; anything but `bytes` among them is copied.

        Raises:
          TypeError: ``frames``, or one of them, is not bytes-like.
          ValueError: there is no frame.
        """
        if type(frames) is not list and type(frames) is not tuple:  # asking an abstract class is slow
            if isinstance(frames, (str, bytes, bytearray, memoryview)) or not isinstance(frames, Iterable):
                raise TypeError(f"Message() takes an iterable of frames, such as a list, not {type(frames).__name__}")
        message = tuple.__new__(cls, frames)
        if {*map(type, message)} != _ONLY_BYTES:  # cheaper than to look at each frame in Python
            message = tuple.__new__(cls, map(_as_frame, message))
        if not message:
            raise ValueError("a message needs at least one frame; send b'' for an empty one")
        return message

    def __bytes__(self) -> bytes:
        """The only frame of a one-frame message.

        Raises:
          ValueError: the message has several frames.
        """
        if len(self) != 1:
            raise ValueError(
                f"bytes() of a message with {len(self)} frames: it is defined for exactly one; "
                "index the frames, or unpack them as in `envelope, body = message`"
            )
        return self[0]

    def text(self, encoding: str = "utf-8") -> str:
        """Decode the only frame.

        Raises:
          ValueError: the message has several frames, or (`UnicodeDecodeError`) is not such text.
        """
        return bytes(self).decode(encoding)

    def json(self) -> Any:
        """Parse the only frame as JSON.

        Raises:
          ValueError: the message has several frames, or (`json.JSONDecodeError`) is not JSON.
        """
        return json.loads(bytes(self))

    @classmethod
    def from_text(cls, text: str, encoding: str = "utf-8") -> Message:
        """A one-frame message of encoded text."""
        return cls((text.encode(encoding),))

    @classmethod
    def from_json(cls, value: Any) -> Message:
        """A one-frame message of compact JSON in UTF-8."""
        return cls((json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode(),))

    def __repr__(self) -> str:
        return f"Message({tuple.__repr__(self)})"


MessageLike: TypeAlias = BytesLike | Iterable[BytesLike] | Message
"""What `send` takes: one frame, or an iterable of at least one frame, or a `Message`."""


def as_message(value: MessageLike) -> Message:
    """Make a `Message` of what the user gave to ``send``.

    Raises:
      TypeError: the value, or one of its frames, is not bytes-like.
      ValueError: there is no frame.
    """
    if type(value) is bytes:
        return new_message(Message, (value,))
    if type(value) is Message:
        return value
    if type(value) is list or type(value) is tuple:
        return Message(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return new_message(Message, (bytes(value),))
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise TypeError(_explain(value, "a message"))
    return Message(value)


# Makes a Message of a tuple that is known to hold bytes, without looking at it again: what every
# received message is made by (a third of the cost of the checked constructor).
new_message = tuple.__new__


def _as_frame(value: object) -> bytes:
    if type(value) is bytes:
        return value
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    raise TypeError(_explain(value, "a frame"))


def _explain(value: object, what: str) -> str:
    if isinstance(value, str):
        return (
            f"{what} is made of bytes, not str: use Message.from_text(text), "
            "or text.encode(), or Message.from_json(value)"
        )
    return (
        f"{what} is bytes, bytearray, memoryview or an iterable of them, not "
        f"{type(value).__name__}: encode it first, or use Message.from_json(value)"
    )
