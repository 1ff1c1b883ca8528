"""What a socket sends and receives."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from operator import countOf
from typing import TYPE_CHECKING, Any, Final, SupportsIndex, TypeAlias, final, overload

from ._advice import explain_frame, explain_message, is_no_iterable_of_frames

BytesLike: TypeAlias = bytes | bytearray | memoryview
"""What one frame may be given as. Anything but `bytes` is copied when it is sent."""
Frames: TypeAlias = tuple[bytes, ...]
"""A message that is sent, or waits to be received: a plain tuple, which costs a quarter of a `Message`, or a `Message`.

The garbage collector looks at a tuple of `bytes` once, and at a `Message` again and again.
"""

_SHOWN_BYTES: Final = 40
"""bytes of one frame in a ``repr``; a body of megabytes is not for a traceback"""
_SHOWN_FRAMES: Final = 8
"""frames of one message in a ``repr``"""
_part = tuple.__getitem__


class _Checking(type):
    """The class of `Message`: who calls ``Message(frames)`` has them checked, and `new_message` has not.

    A ``__new__`` written in Python would stand in the way of both: half of what a received message costs.
    """

    def __call__(cls, frames: Iterable[BytesLike], *extra: object) -> Message:
        """Build a message of frames; anything but `bytes` among them is copied.

        Raises:
          TypeError: ``frames``, or one of them, is not bytes-like; or frames were given one by one.
          ValueError: there is no frame.
        """
        if extra:
            raise TypeError("Message() takes all frames as one list: Message([b'envelope', b'body'])")
        if type(frames) is not list and type(frames) is not tuple:  # asking an abstract class is slow
            if isinstance(frames, (bytes, bytearray, memoryview)) or is_no_iterable_of_frames(frames):
                raise TypeError(f"Message() takes an iterable of frames, such as a list, not {type(frames).__name__}")
        return new_message(_as_frames(frames))


@final
class Message(tuple[bytes, ...], metaclass=_Checking):
    """One ØMQ message: a tuple of one or more frames, sent and received whole.

    Reading an envelope is unpacking: ``routing_id, *rest = message``.
    Messages are immutable and have no instance dict. A slice is a message too; only a slice without a frame is an empty
    tuple, since no message has no frame. The sum of two messages is a plain tuple.

    Args:
      frames: anything but `bytes` among them is copied.
    Raises:
      TypeError: ``frames``, or one of them, is not bytes-like.
      ValueError: there is no frame.
    """

    __slots__ = ()

    if TYPE_CHECKING:

        def __new__(cls, frames: Iterable[BytesLike]) -> Message: ...

    # Reached for by each index and each slice of a message, and so slow: 90 ns for an index, where a tuple takes 10.
    # What is on the path of a message unpacks it instead.
    if TYPE_CHECKING:

        @overload
        def __getitem__(self, key: SupportsIndex, /) -> bytes: ...
        @overload
        def __getitem__(self, key: slice, /) -> Message: ...
        def __getitem__(self, key: SupportsIndex | slice, /) -> bytes | Message: ...

    else:

        def __getitem__(self, key, /):
            part = _part(self, key)
            return new_message(part) if type(part) is tuple and part else part

    def __bytes__(self) -> bytes:
        """The only frame of a one-frame message.

        Raises:
          ValueError: the message has several frames.
        """
        if len(self) != 1:
            raise ValueError(
                f"a message with {len(self)} frames: bytes(message), text() and json() are for exactly one; "
                "index the frames, or unpack them as in `envelope, body = message`"
            )
        (frame,) = self
        return frame

    if not TYPE_CHECKING:  # a type checker shall refuse it

        @property
        def decode(self):
            """Not here; see `text`."""
            raise AttributeError(
                "Message has no attribute 'decode': write message.text(), or decode a frame: message[0].decode()",
                name="decode",
            )

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
        import json  # for those who need it, as it takes time to import

        return json.loads(bytes(self))

    @classmethod
    def from_text(cls, text: str, encoding: str = "utf-8") -> Message:
        """A one-frame message of encoded text."""
        return cls((text.encode(encoding),))

    @classmethod
    def from_json(cls, value: Any) -> Message:
        """A one-frame message of compact JSON in UTF-8."""
        import json  # for those who need it, as it takes time to import

        return cls((json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode(),))

    def __repr__(self) -> str:
        shown = [*map(show_frame, islice(self, _SHOWN_FRAMES))]
        if len(self) > _SHOWN_FRAMES:
            shown.append(f"… {len(self) - _SHOWN_FRAMES:,} more frames")
        return f"Message(({', '.join(shown)}{',' * (len(self) == 1)}))"


MessageLike: TypeAlias = BytesLike | Iterable[BytesLike] | Message
"""What `send` takes: one frame, or an iterable of at least one frame, or a `Message`."""


def as_message(value: MessageLike) -> Frames:
    """Make a message of what the user gave to ``send``: a plain tuple, unless it is a `Message` already.

    Raises:
      TypeError: the value, or one of its frames, is not bytes-like.
      ValueError: there is no frame.
    """
    if type(value) is bytes:
        return (value,)
    if type(value) is list or type(value) is tuple:
        return _as_frames(value)
    if type(value) is Message:
        return value
    if isinstance(value, (bytes, bytearray, memoryview)):
        return (bytes(value),)
    if is_no_iterable_of_frames(value):
        raise TypeError(explain_message(value))
    return _as_frames(value)


# Makes a Message of frames that are known to be bytes, without looking at them again: what every received message is
# made by (an eighth of the cost of the checked constructor).
new_message: Final[Callable[[Iterable[bytes]], Message]] = type.__call__.__get__(Message)


def to_message(frames: Frames) -> Message:
    """Make a message of what was sent, or has arrived; a `Message` stays the same."""
    return frames if type(frames) is Message else new_message(frames)


def show_frame(frame: bytes) -> str:
    """A frame as an error or a ``repr`` shows it: what is long is cut, and the number of its bytes told."""
    return repr(frame) if len(frame) <= _SHOWN_BYTES else f"{frame[:_SHOWN_BYTES]!r}… {len(frame):,} bytes"


def _as_frames(value: Iterable[object]) -> Frames:
    frames = tuple(value)
    if not frames:
        raise ValueError("a message needs at least one frame; send b'' for an empty one")
    if countOf(map(type, frames), bytes) == len(frames):  # cheaper than to look at each frame in Python
        return frames  # type: ignore[return-value]  # that is what was looked at
    return tuple(map(_as_frame, frames))


def _as_frame(value: object) -> bytes:
    if type(value) is bytes:
        return value
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    raise TypeError(explain_frame(value))
