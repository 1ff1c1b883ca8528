"""Trio channels for blocking code: worker threads receive and send through a handle, by plain calls.

Theory of operation

A handle has no queue, no task and no thread. Each call of it is one trip: the function goes to the trio run through
`trio.from_thread.run`, there the task that awaits the thread runs it, and the result goes back. So a message is in the
channel until the moment in which it is handed to a thread that waits for it, and cancelling loses what it loses at the
channel, nothing. A thread whose task is cancelled gets `trio.Cancelled` from the call that waits, or else from its next
call, before that does anything.

A trip costs fifty times what a message costs. So whoever has many small messages takes and gives many in one trip:
`BlockingReceiver.batches`, `BlockingSender.send_many`; and a reply and the next request share one trip in
`BlockingChannel.exchange`.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Generic, NoReturn, Protocol, Self, TypeVar, overload

import trio

from .._advice import check_count, check_messages, refuse_copy, takes
from .._errors import WrongThreadError
from .._forks import check_process
from .._message import Message, MessageLike
from ._jobs import JobReceiver

S = TypeVar("S", contravariant=True)
R = TypeVar("R", covariant=True)
T = TypeVar("T")


class _Sends(Protocol[S]):
    async def send(self, value: S, /) -> None: ...


class _Receives(Protocol[R]):
    async def receive(self) -> R: ...


class _Both(_Sends[S], _Receives[R], Protocol[S, R]): ...


class _Handle:
    """What a handle is, whatever its direction; made by `blocking`, in the trio run of the channel."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel
        self._process = os.getpid()
        self._token = trio.lowlevel.current_trio_token()
        self._stopped = False
        self._waiting: dict[trio.CancelScope, None] = {}  # the trips that wait for a message

    def _trip(self, what: str, function: Callable[..., Awaitable[T]], *args: Any) -> T:
        """Run an async function in the trio run, and wait for it.

        Raises:
          WrongThreadError: the calling thread was not started by `trio.to_thread` from that run.
          trio.Cancelled: the task that awaits this thread is cancelled.
        """
        named = f"{type(self).__name__}.{what}"
        check_process(self._process, named)
        if trio.lowlevel.in_trio_run():
            raise WrongThreadError(
                f"{named} blocks its thread, and this is trio's own: use the channel itself here, with await; handles "
                "are for the threads of trio.to_thread.run_sync"
            )
        try:
            trio.from_thread.check_cancelled()
        except RuntimeError:
            raise WrongThreadError(
                f"{named} was called in a thread that trio did not start: start it by trio.to_thread.run_sync, or give "
                "the channel's own methods to trio.from_thread.run(…, trio_token=token)"
            ) from None
        return trio.from_thread.run(self._in_its_run, named, function, *args)

    @trio.lowlevel.enable_ki_protection
    async def _in_its_run(self, named: str, function: Callable[..., Awaitable[T]], *args: Any) -> T:
        if trio.lowlevel.current_trio_token() is not self._token:
            raise WrongThreadError(f"{named} was called in a thread of another trio run than the handle was made in")
        return await function(*args)

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        refuse_copy(self)

    if not TYPE_CHECKING:  # a type checker shall refuse this

        def __enter__(self) -> NoReturn:
            raise TypeError(f"a {type(self).__name__} needs no 'with': close its channel, where that was made")

        def __exit__(self, *_: object) -> None: ...

    def __repr__(self) -> str:
        return f"<triomq.{type(self).__name__} over {self._channel!r}>"


class BlockingReceiver(_Handle, Generic[R]):
    """Receives from a trio channel in worker threads, by plain calls; made by `blocking`.

    ``for message in handle`` is the loop of a worker. Several threads may share a handle, if several tasks may share
    its channel: then each message is for one of them.

    Every call raises `trio.Cancelled` in the thread if the task that awaits the thread is cancelled, and
    `WrongThreadError` in any other thread than one of `trio.to_thread.run_sync`.
    """

    def receive(self) -> R:
        """Wait for the next message; one trip.

        Cancellation: no message was taken.
        Raises:
          trio.EndOfChannel: `stop` was called, or the channel has ended.
          Otherwise what ``receive`` of the channel raises.
        """
        message: R = self._trip("receive", self._until_stopped, self._channel.receive)
        return message

    def receive_many(self, max: int) -> list[R]:
        """Wait for a message, then take all that have arrived; one trip for all of them.

        Args:
          max: how many to take at the most; 1 or more.
        Returns: at least one message. Of a channel without ``receive_many``, such as a codec's, one.
        Cancellation: no message was taken.
        Raises: as `receive`.
        """
        check_count("receive_many(max): max, the number of messages to take at the most,", max, 1)
        if hasattr(self._channel, "receive_many"):
            return self._trip("receive_many", self._until_stopped, self._channel.receive_many, max)
        return [self.receive()]

    def batches(self, max: int) -> Iterator[list[R]]:
        """The messages to come, as `receive_many` takes them, until `stop` is called or the channel ends.

        Args: as for `receive_many`.
        """
        check_count("batches(max): max, the number of messages to take at the most,", max, 1)
        while True:
            try:
                batch = self.receive_many(max)
            except trio.EndOfChannel:
                return
            yield batch

    def __iter__(self) -> Self:
        """Begin a loop over the messages to come; as ``async for`` does with the channel."""
        self._trip("__iter__", self._begin)
        return self

    def __next__(self) -> R:
        """The next message; the loop ends where `receive` raises `trio.EndOfChannel`."""
        try:
            return self.receive()
        except trio.EndOfChannel:
            raise StopIteration from None

    def stop(self) -> None:
        """Let the loops over this handle end: the threads get no further message, and finish what they have.

        For tasks of the trio run, not for the threads. What has not been received stays in the channel. Sending goes
        on: a thread that has a request still replies to it. A REQ's `~BlockingChannel.exchange` still gets its reply.

        Raises:
          WrongThreadError: this is a thread, another trio run, or a forked process.
        """
        named = f"{type(self).__name__}.stop"
        check_process(self._process, named)
        if not trio.lowlevel.in_trio_run() or trio.lowlevel.current_trio_token() is not self._token:
            raise WrongThreadError(
                f"{named} is called in the trio run that the handle was made in; from one of its "
                "threads, use trio.from_thread.run_sync(handle.stop)"
            )
        self._stopped = True
        for scope in self._waiting:
            scope.cancel(reason="triomq: the blocking handle was stopped")

    async def _until_stopped(self, receive: Callable[..., Awaitable[T]], *args: Any) -> T:
        with trio.CancelScope() as scope:
            if self._stopped:
                scope.cancel(reason="triomq: the blocking handle was stopped")
            self._waiting[scope] = None
            try:
                return await receive(*args)
            finally:
                del self._waiting[scope]
        raise trio.EndOfChannel(f"{self!r} was stopped")

    async def _begin(self) -> None:
        if hasattr(self._channel, "__aiter__"):
            aiter(self._channel)


class BlockingSender(_Handle, Generic[S]):
    """Sends to a trio channel from worker threads, by plain calls; made by `blocking`.

    Every call raises `trio.Cancelled` in the thread if the task that awaits the thread is cancelled, and
    `WrongThreadError` in any other thread than one of `trio.to_thread.run_sync`.
    """

    def send(self, message: S) -> None:
        """Send a message, waiting while there is no room; one trip. With a `JobReceiver`, the result of the job.

        Cancellation: the message was not accepted.
        Raises: what ``send`` of the channel raises.
        """
        self._trip("send", self._send, message)

    def send_many(self, messages: Iterable[S]) -> None:
        """Send messages, in order, waiting while there is no room; one trip for all of them.

        Args:
          messages: taken from their iterable in this thread, before the first is sent. But an iterator that knows its
            length, such as one of a list, is left to the channel.
        Cancellation: as ``send_many`` of the channel: those accepted so far will go, and the iterator of a list stands
          where to go on.
        Raises: as `send`.
        """
        check_messages(messages)
        taken = messages if hasattr(messages, "__length_hint__") else list(messages)
        self._trip("send_many", self._send_many, taken)

    async def _send(self, message: Any) -> None:
        await (self._channel.done if isinstance(self._channel, JobReceiver) else self._channel.send)(message)

    async def _send_many(self, messages: Iterable[Any]) -> None:
        if hasattr(self._channel, "send_many"):
            await self._channel.send_many(messages)
            return
        for message in messages:
            await self._send(message)


class BlockingChannel(BlockingSender[S], BlockingReceiver[R], Generic[S, R]):
    """Receives from and sends to a trio channel in worker threads, by plain calls; made by `blocking`."""

    def exchange(self, message: S) -> R:
        """Send a message, then wait for the next one; one trip for both.

        With a REP that is the reply and the next request, with a `JobReceiver` the result and the next job. With a REQ
        it is the request and its reply, as `REQ.request`.

        Cancellation: with a REQ, the request is given up. With others the message may have been accepted or not; no
          message was taken.
        Raises: as `~BlockingSender.send` and `~BlockingReceiver.receive`. Where it is `trio.EndOfChannel`, the message
          was sent.
        """
        answer: R = self._trip("exchange", self._exchange, message)
        return answer

    async def _exchange(self, message: Any) -> Any:
        if hasattr(self._channel, "request"):
            return await self._channel.request(message)
        await self._send(message)
        return await self._until_stopped(self._channel.receive)


@overload
def blocking(channel: JobReceiver) -> BlockingChannel[MessageLike, Message]: ...
@overload
def blocking(channel: _Both[S, R]) -> BlockingChannel[S, R]: ...
@overload
def blocking(channel: _Sends[S]) -> BlockingSender[S]: ...
@overload
def blocking(channel: _Receives[R]) -> BlockingReceiver[R]: ...
@takes("blocking(channel) takes a socket, or another trio channel")
def blocking(channel: Any) -> Any:
    """A handle of a trio channel for blocking code: its calls block the thread of `trio.to_thread` that makes them.

    Args:
      channel: a socket; what `codec` or `merge` made; a `JobReceiver`; or any other trio channel. Tasks may go on
        using it. The handle does not close it.
    Returns: a `BlockingChannel`, a `BlockingSender` or a `BlockingReceiver`, as the channel's directions are.
    Raises:
      TypeError: this is no channel.
      RuntimeError: this is no trio run.
    """
    receives = isinstance(channel, trio.abc.ReceiveChannel)
    sends = isinstance(channel, (trio.abc.SendChannel, JobReceiver))
    if not receives and not sends:
        raise TypeError(f"blocking() takes a socket, or another trio channel, not {channel!r:.80}")
    if not trio.lowlevel.in_trio_run():
        raise RuntimeError("blocking() is called in the trio run of the channel; give its handle to the thread")
    if receives and sends:
        return BlockingChannel(channel)
    return BlockingReceiver(channel) if receives else BlockingSender(channel)
