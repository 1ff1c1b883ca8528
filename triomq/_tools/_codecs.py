"""Codecs: what becomes of values when they are sent, and of messages when they are received."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any, Final, Generic, Protocol, TypeVar, final

from .._message import Frames, Message, MessageLike, as_message

T = TypeVar("T")


class Codec(Protocol[T]):
    """Turns values into messages, and messages into values.

    Any object with these two methods is one.
    """

    def encode(self, value: T, /) -> MessageLike:
        """Make the message to send. What this raises, ``send`` raises, and nothing is sent."""

    def decode(self, message: Message, /) -> T:
        """Make the value of a message that has arrived. What this raises is the cause of a `DecodeError`."""


@final
class _Text:
    """`str`, in UTF-8."""

    def encode(self, value: str, /) -> Frames:
        if not isinstance(value, str):
            raise TypeError(f"this channel sends str, not {type(value).__name__}")
        return (value.encode(),)

    def decode(self, message: Message, /) -> str:
        return message.text()


@final
class _Bytes:
    """`bytes`: the only frame."""

    def encode(self, value: bytes, /) -> Frames:
        if not isinstance(value, (bytes, bytearray, memoryview)):
            raise TypeError(f"this channel sends bytes, not {type(value).__name__}")
        return (bytes(value),)

    def decode(self, message: Message, /) -> bytes:
        return bytes(message)


@final
class _Json:
    """Compact JSON in UTF-8."""

    def encode(self, value: Any, /) -> Frames:
        return Message.from_json(value)

    def decode(self, message: Message, /) -> Any:
        return message.json()


@final
class _Msgpack:
    """MessagePack, by the package msgpack."""

    def __init__(self) -> None:
        try:
            msgpack: Any = importlib.import_module("msgpack")
        except ImportError as exc:
            raise ImportError(
                "the codec 'msgpack' needs the package msgpack: pip install 'triomq[msgpack]'", name="msgpack"
            ) from exc
        self._pack: Any = msgpack.packb
        self._unpack: Any = msgpack.unpackb

    def encode(self, value: Any, /) -> Frames:
        packed: bytes = self._pack(value)
        return (packed,)

    def decode(self, message: Message, /) -> Any:
        return self._unpack(bytes(message))


@final
class Enveloped(Generic[T]):
    """Pairs of an envelope and a value: all frames but the last, and what a codec makes of the last."""

    def __init__(self, codec: Codec[T]) -> None:
        self._codec = codec

    def encode(self, value: tuple[MessageLike, T], /) -> Frames:
        """See `Codec`."""
        try:
            envelope, inner = value
        except (TypeError, ValueError):
            text = f"this channel sends pairs, (envelope, value), not {type(value).__name__}: {value!r:.80}"
            raise TypeError(text) from None
        body = as_message(self._codec.encode(inner))
        if len(body) != 1:
            raise ValueError(f"behind an envelope a codec makes one frame, and {self._codec!r} has made {len(body)}")
        return (*as_message(envelope), *body)

    def decode(self, message: Message, /) -> tuple[Message, T]:
        """See `Codec`."""
        *envelope, body = message
        if not envelope:
            raise ValueError("the message has one frame, and so no envelope")
        return Message(envelope), self._codec.decode(Message((body,)))


_NAMES: Final = ("json", "msgpack")
_UNSAFE: Final = ("pickle", "cPickle", "_pickle", "marshal", "shelve", "dill", "cloudpickle", "jsonpickle")


def as_codec(given: object) -> Codec[Any]:
    """The codec that an argument of `codec` means.

    Raises:
      TypeError: it means none.
      ImportError: it needs a package that is not installed.
    """
    name = given.__name__ if isinstance(given, ModuleType) else given
    if given is str:
        return _Text()
    if given is bytes:
        return _Bytes()
    if name == "json":
        return _Json()
    if name == "msgpack":
        return _Msgpack()
    if isinstance(given, ModuleType) and name in _UNSAFE:
        raise TypeError(
            f"codec(): {name} is no codec, since unpickling bytes from a network runs any code that the sender chose; "
            "use 'json', 'msgpack', or a codec of your own"
        )
    if not callable(getattr(given, "encode", None)) or not callable(getattr(given, "decode", None)):
        raise TypeError(
            f"codec(): a codec is str, bytes, 'json', 'msgpack', or an object with encode(value) and decode(message), "
            f"not {given!r:.80}"
        )
    if isinstance(given, type) and not _is_bound(given):
        raise TypeError(f"codec(): {given.__name__} is a class; give an object of it: {given.__name__}()")
    codec: Codec[Any] = given  # type: ignore[assignment]  # it has both
    return codec


def _is_bound(given: type) -> bool:
    """Whether the methods of a class can be called on the class."""
    return all(isinstance(vars(given).get(name), (staticmethod, classmethod)) for name in ("encode", "decode"))
