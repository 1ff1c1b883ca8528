"""Typed channels over sockets: values go in and come out, messages travel.

Theory of operation

A channel has no queue and no task. A value is encoded before anything is accepted, and decoded after its message was
taken, without an ``await`` between: so cancelling loses what it loses at the socket, nothing.

What does not decode is the one thing that a peer can do to a task of the user, because only a codec can tell, and only
the user knows what such a message means. It is never dropped without a word: it is in the `DecodeError`, or in the
channel that was given for such messages.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any, Generic, Literal, Protocol, Self, TypeAlias, TypeVar, overload

import trio

from .._advice import takes
from .._errors import DecodeError
from .._message import Message, MessageLike
from .._sockets import DEALER, PAIR, PUB, PULL, PUSH, REP, REQ, ROUTER, SUB, XPUB, XSUB, ReceiveSocket, SendSocket
from ._codecs import Codec, Enveloped, as_codec

T = TypeVar("T")
S = TypeVar("S", contravariant=True)
R = TypeVar("R", covariant=True)


class DeadLetters(Protocol):
    """What takes messages that do not decode: a trio memory channel, or a socket that sends."""

    def send_nowait(self, value: Message, /) -> object:
        """Take a message at once."""


class _Wrapper(trio.abc.AsyncResource):
    """What a channel over a socket is, whatever its direction."""

    def __init__(self, socket: Any, codec: Codec[Any], dead_letters: DeadLetters | None) -> None:
        self._socket = socket
        self._codec = codec
        self._dead_letters = dead_letters

    async def __aenter__(self) -> Self:
        """Enter the socket too, so that one made with ``bind=`` binds."""
        await self._socket.__aenter__()
        return self

    async def aclose(self) -> None:
        """Close the socket; see `Socket.aclose`."""
        await self._socket.aclose()

    def __repr__(self) -> str:
        return f"<triomq.{type(self).__name__} over {self._socket!r}>"


class CodecSendChannel(_Wrapper, trio.abc.SendChannel[S], Generic[S]):
    """Sends values over a socket; made by `codec`."""

    @property
    def socket(self) -> SendSocket:
        """The socket below."""
        socket: SendSocket = self._socket
        return socket

    async def send(self, value: S) -> None:
        """Encode a value and send it, as `SendSocket.send` does.

        Cancellation: if this is cancelled, nothing was sent.
        Raises: what the codec raises; otherwise as `SendSocket.send`.
        """
        await self._socket.send(self._codec.encode(value))

    def send_nowait(self, value: S) -> None:
        """Encode a value and send it, if that goes without waiting.

        Raises: what the codec raises; otherwise as `SendSocket.send_nowait`.
        """
        self._socket.send_nowait(self._codec.encode(value))


class CodecReceiveChannel(_Wrapper, trio.abc.ReceiveChannel[R], Generic[R]):
    """Receives values over a socket; made by `codec`."""

    @property
    def socket(self) -> ReceiveSocket:
        """The socket below."""
        socket: ReceiveSocket = self._socket
        return socket

    @trio.lowlevel.enable_ki_protection
    async def receive(self) -> R:
        """Receive a message, as `ReceiveSocket.receive` does, and decode it.

        Cancellation: no message was taken; the next `receive` gets it.
        Raises:
          DecodeError: the message does not decode, and there are no dead letters to put it to. The message is in the
            error, and the channel goes on.
          Otherwise as `ReceiveSocket.receive`.
        """
        while True:
            message = await self._socket.receive()
            if (decoded := self._decode(message)) is not None:
                return decoded[0]

    @trio.lowlevel.enable_ki_protection
    def receive_nowait(self) -> R:
        """Take the next message, if one has arrived, and decode it.

        Raises:
          trio.WouldBlock: none has.
          Otherwise as `receive`.
        """
        while True:
            if (decoded := self._decode(self._socket.receive_nowait())) is not None:
                return decoded[0]

    def _decode(self, message: Message) -> tuple[R] | None:
        """The value; or None for a message that was put to the dead letters."""
        try:
            return (self._codec.decode(message),)
        except Exception as exc:
            error = DecodeError(
                f"{self._socket.socket_type}: a message does not decode, {type(exc).__name__}: {exc!s:.200}; "
                f"it is {message!r}",
                message,
            )
            if self._dead_letters is None:
                raise error from exc
            try:
                self._dead_letters.send_nowait(message)
            except (trio.WouldBlock, trio.BrokenResourceError, trio.ClosedResourceError) as full:
                raise error from full  # nobody would ever see it otherwise
            return None


class CodecChannel(CodecSendChannel[T], CodecReceiveChannel[T], trio.abc.Channel[T], Generic[T]):
    """Sends and receives values over a socket; made by `codec`."""

    @property
    def socket(self) -> Any:
        """The socket below."""
        return self._socket


class CodecRequestChannel(CodecChannel[T], Generic[T]):
    """Sends requests and receives replies over a REQ; made by `codec`."""

    @trio.lowlevel.enable_ki_protection
    async def request(self, value: T) -> T:
        """Send a request and wait for its reply: one exchange, as `REQ.request`.

        Cancellation: the request is given up.
        Raises:
          DecodeError: the reply does not decode; the exchange is over.
          Otherwise what the codec raises for the request, or as `REQ.request`.
        """
        decoded = self._decode(await self._socket.request(self._codec.encode(value)))
        assert decoded is not None, "a REQ has no dead letters"
        return decoded[0]


_Both: TypeAlias = DEALER | PAIR | REP
_Sends: TypeAlias = PUB | PUSH
_Receives: TypeAlias = PULL | SUB
_Given: TypeAlias = Codec[T] | type[T]
_Named: TypeAlias = Literal["json", "msgpack"] | ModuleType
_No: TypeAlias = Literal[False]
_Yes: TypeAlias = Literal[True]
_Dead: TypeAlias = DeadLetters | None


@overload
def codec(socket: REQ, codec: _Given[T], *, envelope: _No = ...) -> CodecRequestChannel[T]: ...
@overload
def codec(socket: REQ, codec: _Given[T], *, envelope: _Yes) -> CodecRequestChannel[tuple[Message, T]]: ...
@overload
def codec(socket: REQ, codec: _Named, *, envelope: _No = ...) -> CodecRequestChannel[Any]: ...
@overload
def codec(socket: REQ, codec: _Named, *, envelope: _Yes) -> CodecRequestChannel[tuple[Message, Any]]: ...
@overload
def codec(socket: _Both, codec: _Given[T], *, envelope: _No = ..., dead_letters: _Dead = ...) -> CodecChannel[T]: ...
@overload
def codec(
    socket: _Both, codec: _Given[T], *, envelope: _Yes, dead_letters: _Dead = ...
) -> CodecChannel[tuple[Message, T]]: ...
@overload
def codec(socket: _Both, codec: _Named, *, envelope: _No = ..., dead_letters: _Dead = ...) -> CodecChannel[Any]: ...
@overload
def codec(
    socket: _Both, codec: _Named, *, envelope: _Yes, dead_letters: _Dead = ...
) -> CodecChannel[tuple[Message, Any]]: ...
@overload
def codec(
    socket: ROUTER, codec: _Given[T], *, envelope: bool = ..., dead_letters: _Dead = ...
) -> CodecChannel[tuple[Message, T]]: ...
@overload
def codec(
    socket: ROUTER, codec: _Named, *, envelope: bool = ..., dead_letters: _Dead = ...
) -> CodecChannel[tuple[Message, Any]]: ...
@overload
def codec(socket: _Sends, codec: _Given[T], *, envelope: _No = ...) -> CodecSendChannel[T]: ...
@overload
def codec(socket: _Sends, codec: _Given[T], *, envelope: _Yes) -> CodecSendChannel[tuple[MessageLike, T]]: ...
@overload
def codec(socket: _Sends, codec: _Named, *, envelope: _No = ...) -> CodecSendChannel[Any]: ...
@overload
def codec(socket: _Sends, codec: _Named, *, envelope: _Yes) -> CodecSendChannel[tuple[MessageLike, Any]]: ...
@overload
def codec(
    socket: _Receives, codec: _Given[T], *, envelope: _No = ..., dead_letters: _Dead = ...
) -> CodecReceiveChannel[T]: ...
@overload
def codec(
    socket: _Receives, codec: _Given[T], *, envelope: _Yes, dead_letters: _Dead = ...
) -> CodecReceiveChannel[tuple[Message, T]]: ...
@overload
def codec(
    socket: _Receives, codec: _Named, *, envelope: _No = ..., dead_letters: _Dead = ...
) -> CodecReceiveChannel[Any]: ...
@overload
def codec(
    socket: _Receives, codec: _Named, *, envelope: _Yes, dead_letters: _Dead = ...
) -> CodecReceiveChannel[tuple[Message, Any]]: ...
@takes("codec(socket, str) takes a socket, and str, bytes, 'json', 'msgpack' or a codec of your own")
def codec(socket: Any, codec: Any, *, envelope: bool = False, dead_letters: DeadLetters | None = None) -> Any:
    """A typed trio channel over a socket: values go in and come out, and the codec makes messages of them.

    Args:
      socket: the channel has its directions, and over a REQ also ``request``.
      codec: `str` (in UTF-8), `bytes`, ``"json"``, ``"msgpack"`` (needs the package msgpack), or a `Codec` of your own.
        The modules ``json`` and ``msgpack`` mean what their names mean.
      envelope: values are pairs: the frames before the last, such as a topic, and what the codec makes of the last. A
        ROUTER always has envelopes.
      dead_letters: gets each message that does not decode, by its ``send_nowait``: a trio memory channel, or a socket.
        `receive` goes on to the next message then. When it takes nothing more, `receive` raises again.
    Raises:
      TypeError: this is no socket or no codec; an XPUB or XSUB, whose messages are subscriptions; dead letters for a
        socket that does not receive, or for a REQ or a REP, where each message needs an answer.
      ImportError: the codec needs a package that is not installed.
    """
    sends, receives = isinstance(socket, SendSocket), isinstance(socket, ReceiveSocket)
    if not sends and not receives:
        raise TypeError(f"codec(): the first argument is a socket, as in codec(socket, str), not {socket!r:.80}")
    if isinstance(socket, (XPUB, XSUB)):
        other = "PUB" if isinstance(socket, XPUB) else "SUB"
        raise TypeError(f"codec(): messages of an {socket.socket_type} are subscriptions too; use a {other}")
    if dead_letters is not None:
        if not receives or isinstance(socket, (REQ, REP)):
            why = "does not receive" if not receives else "exchanges requests and replies, and each needs an answer"
            raise TypeError(f"codec(): no dead letters for a {socket.socket_type}, which {why}")
        if not callable(getattr(dead_letters, "send_nowait", None)):
            raise TypeError(f"codec(): dead_letters= takes a channel with send_nowait, not {dead_letters!r:.80}")
    found = as_codec(codec)
    if envelope or isinstance(socket, ROUTER):
        found = Enveloped(found)
    if isinstance(socket, REQ):
        return CodecRequestChannel(socket, found, None)
    if sends and receives:
        return CodecChannel(socket, found, dead_letters)
    return CodecSendChannel(socket, found, None) if sends else CodecReceiveChannel(socket, found, dead_letters)
