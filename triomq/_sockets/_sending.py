"""The sending half of a socket: a trio send channel over one synchronous function of the socket type."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from operator import length_hint
from threading import get_ident

import trio
from trio.lowlevel import checkpoint_if_cancelled  # by its name alone: 30 ns for each message

from .._message import Frames, Message, MessageLike, as_message
from .._options import Options
from .._pipes import Pipe
from .._runtime import Runtime
from ._base import Socket
from ._waiting import Bell, Waiter


class SendSocket(Socket, trio.abc.SendChannel[Message]):
    """Adds ``send`` to a socket.

    A socket type says in `_submit` what sending means. It never waits: it queues the message for a peer, or drops it
    where that is what ØMQ does, or answers that there is no room.
    """

    _full_for_all = True  # if there is no room for one message, there is none for the others
    _never_refuses = False  # whatever the message, and whenever: what a proxy asks of its capture

    def __init__(self, runtime: Runtime, options: Options) -> None:
        super().__init__(runtime, options)
        self._senders: dict[Waiter[Frames], None] = {}
        self._send_bells: dict[Bell, None] = {}
        self._serving_senders = False
        self._senders_due = False  # there may be room for somebody who was passed over

    # On the path of every message.
    @trio.lowlevel.enable_ki_protection
    async def send(self, message: MessageLike) -> None:
        """Queue a message for a peer, waiting while there is no room.

        Returning means that the message was accepted whole; it is written by the time the task waits, or after 64
        messages. It does not mean that the peer has it.

        Args:
          message: one frame (bytes-like), or an iterable of frames, or a `Message`.
        Cancellation: if this is cancelled, the message was not accepted and nobody will ever see it.
        Raises:
          trio.ClosedResourceError: the socket is closed, or was closed while this waited.
          TypeError: the message is not made of bytes.
        """
        if get_ident() != self._thread:  # 30 ns for the 240 of `_check`, which is for the one time that fails
            self._check("send")
        if type(message) is bytes:  # 25 ns for the 100 of `as_message`
            message = (message,)
        elif type(message) is not Message:
            message = as_message(message)
        await checkpoint_if_cancelled()
        if self._senders or not self._submit(message):
            await self._wait_to_send(message)
        else:
            budget = self._turn
            budget.left -= 1
            if budget.left <= 0:
                await budget.end()

    @trio.lowlevel.enable_ki_protection
    def send_nowait(self, message: MessageLike) -> None:
        """Queue a message for a peer, if that goes without waiting.

        Raises:
          trio.WouldBlock: there is no room; the message was not accepted.
          Otherwise as `send`.
        """
        if get_ident() != self._thread:
            self._check("send_nowait")
        if type(message) is not Message:
            message = as_message(message)
        if (self._senders and self._full_for_all) or not self._submit(message):
            raise trio.WouldBlock

    @trio.lowlevel.enable_ki_protection
    async def send_many(self, messages: Iterable[MessageLike]) -> None:
        """Queue many messages, in order, waiting while there is no room.

        Cancellation: the messages accepted so far, each whole and in order, will go; no other will. Give the iterator
          of a list, tuple, deque or the like, and it stands where to go on: from such, a message is taken only when
          there is room for it. From a generator the one that was waited with has been taken. (Likewise for a ROUTER
          with ``router_mandatory`` and for ``xpub_nodrop``, where the message itself decides whether there is room.)
        Raises: as `send`.
        """
        self._check("send_many")
        await checkpoint_if_cancelled()
        budget = self._turn
        iterator = iter(messages)
        knows_its_end = hasattr(iterator, "__length_hint__")
        while True:
            if knows_its_end and not self._has_room():
                if not length_hint(iterator):
                    return
                await self._wait_for_room()
                continue
            if knows_its_end and (room := min(budget.left, self._room_for_many())) > 1:
                taken = self._send_batch(iterator, int(room))
                budget.left -= taken
                if taken < room:
                    return
            else:
                try:
                    message = as_message(next(iterator))
                except StopIteration:
                    return
                if (self._senders and self._full_for_all) or not self._submit(message):
                    await self._wait_to_send(message)
                budget.left -= 1
            if budget.left <= 0:
                await budget.end()
                await checkpoint_if_cancelled()
                self._check("send_many")

    # On the path of every message of a list: it has no await, and a call of Python for many messages.
    def _send_batch(self, iterator: Iterator[MessageLike], room: int) -> int:
        """Take messages, for whom there is room, and queue them. Returns: how many there were."""
        batch: list[Frames] = []
        try:
            for message in islice(iterator, room):
                batch.append((message,) if type(message) is bytes else as_message(message))  # noqa: PERF401
        finally:  # those before one that is not made of bytes are sent too
            if batch:
                self._submit_many(batch)
        return len(batch)

    def _room_for_many(self) -> float:
        """How many messages `_submit_many` would accept now; 0 or 1 where it is better to submit each."""
        return 0

    def _submit_many(self, messages: Sequence[Frames]) -> None:
        """Queue so many messages as `_room_for_many` has just told there is room for."""
        for message in messages:
            self._submit(message)

    def _has_room(self) -> bool:
        return not (self._senders and self._full_for_all) and self._can_submit()

    @abstractmethod
    def _submit(self, message: Frames) -> bool:
        """Queue the message for a peer, or drop it as the socket type does. Returns: False if there is no room."""

    def _can_submit(self) -> bool:
        """Whether `_submit` would accept some message now; if not, `_pipe_writable` will be called when it would."""
        return True

    def _would_accept(self, message: Frames) -> bool:
        """Whether `_submit` would accept this message now; if not, the send bells will ring when it may."""
        return self._can_submit()

    async def _wait_for_room(self) -> None:
        bell = Bell()
        self._send_bells[bell] = None
        self._turn.renew()
        try:
            await bell.wait()
        finally:
            del self._send_bells[bell]
            self._turn.renew()
        self._check("send_many")

    async def _wait_to_send(self, message: Frames) -> None:
        self._turn.renew()
        waiter = Waiter(message)
        self._senders[waiter] = None
        self._serve_senders()
        await waiter.wait(self._senders)
        self._turn.renew()

    def _serve_senders(self) -> None:
        """Complete the calls that wait in ``send`` and are possible now, the longest waiting first.

        Sending may itself make room, and lead here from within: that is for another round here.
        """
        self._senders_due = True
        if self._serving_senders:
            return
        self._serving_senders = True
        try:
            while self._senders_due:
                self._senders_due = False
                self._serve_each_sender()
        finally:
            self._serving_senders = False
        if self._send_bells and not (self._senders and self._full_for_all):
            for bell in self._send_bells:
                bell.ring()

    def _serve_each_sender(self) -> None:
        for waiter in list(self._senders):
            message = waiter.message
            assert message is not None
            try:
                accepted = self._submit(message)
            except Exception as exc:  # the caller's to see: it is raised from its `send`
                del self._senders[waiter]
                waiter.finish(error=exc)
                continue
            if accepted:
                del self._senders[waiter]
                waiter.finish()
            elif self._full_for_all:
                return

    def _wake_senders(self) -> None:
        """There may be room for what had none, or no need of any."""
        if self._senders or self._send_bells:
            self._serve_senders()

    def _pipe_writable(self, pipe: Pipe) -> None:
        """See `PipeOwner`."""
        self._wake_senders()

    def _wake_all_closed(self) -> None:
        for waiter in self._senders:
            waiter.finish(error=trio.ClosedResourceError(f"{self.socket_type}.send: closed while it waited"))
        self._senders.clear()
        for bell in self._send_bells:
            bell.ring()
        super()._wake_all_closed()

    def _count_senders(self) -> int:
        return len(self._senders)
