"""The receiving half of a socket: a trio receive channel over one synchronous function of the socket type."""

from __future__ import annotations

from threading import get_ident

import trio
from trio.lowlevel import checkpoint_if_cancelled  # by its name alone: 30 ns for each message

from .._message import Message
from .._options import Options
from .._patterns import FairQueue
from .._pipes import Lender, Pipe
from .._runtime import Runtime
from ._base import Socket
from ._waiting import Bell, Waiter


class ReceiveSocket(Socket, trio.abc.ReceiveChannel[Message]):
    """Adds ``receive`` to a socket: the messages of all peers, each peer in turn.

    `_take` and `_peek` are what a socket type may replace, to say which message is the user's now.
    """

    def __init__(self, runtime: Runtime, options: Options) -> None:
        super().__init__(runtime, options)
        self._fair_queue = FairQueue()
        self._receivers: dict[Waiter[Message], None] = {}
        self._receive_bells: dict[Bell, None] = {}
        self._serving_receivers = False
        self._borrowed: Lender | None = None  # the connection that a task in `receive` reads for itself

    def _take(self) -> Message | None:
        """The next message for the user, or None when there is none."""
        return self._fair_queue.take()

    def _take_many(self, most: int) -> list[Message]:
        """The next messages for the user, up to ``most``."""
        return self._fair_queue.take_many(most)

    def _take_each(self, most: int) -> list[Message]:
        """`_take_many` for socket types whose `_take` does more than to take."""
        messages: list[Message] = []
        while len(messages) < most and (message := self._take()) is not None:
            messages.append(message)
        return messages

    def _peek(self) -> Message | None:
        """The message `_take` would return."""
        return self._fair_queue.peek()

    # On the path of every message.
    @trio.lowlevel.enable_ki_protection
    async def receive(self) -> Message:
        """Wait for the next message.

        Cancellation: if this is cancelled, no message was taken; the next `receive` gets it.
        Raises:
          trio.ClosedResourceError: the socket is closed, or was closed while this waited.
        """
        if get_ident() != self._thread:
            self._check("receive")
        await checkpoint_if_cancelled()
        message = self._take()
        if message is None:
            return await self._wait_to_receive()
        budget = self._turn
        budget.left -= 1
        if budget.left <= 0:
            await budget.end()
        return message

    @trio.lowlevel.enable_ki_protection
    def receive_nowait(self) -> Message:
        """Take the next message, if one has arrived.

        Raises:
          trio.WouldBlock: none has.
          Otherwise as `receive`.
        """
        if get_ident() != self._thread:
            self._check("receive_nowait")
        message = self._take()
        if message is None:
            raise trio.WouldBlock
        return message

    @trio.lowlevel.enable_ki_protection
    async def receive_many(self, max: int) -> list[Message]:
        """Wait for a message, then take all that have arrived.

        Args:
          max: how many to take at the most; 1 or more.
        Returns: at least one message.
        Cancellation: if this is cancelled, no message was taken.
        Raises: as `receive`.
        """
        self._check("receive_many")
        if max < 1:
            raise ValueError(f"receive_many({max!r}): max is the number of messages to take at the most, 1 or more")
        messages = [await self.receive()]
        messages += self._take_many(max - 1)
        self._turn.left -= len(messages) - 1
        return messages

    async def _wait_to_receive(self) -> Message:
        self._turn.renew()
        later: list[Waiter[Message]] = []
        if len(self._pipes) == 1 and not self._receivers and self._borrowed is None:
            (pipe,) = self._pipes
            if pipe.lender is not None and pipe.lender.borrow():
                message = await self._read_for_itself(pipe.lender)
                if message is not None:
                    self._turn.renew()
                    return message
                later = list(self._receivers)  # than this task, which goes on waiting
        waiter: Waiter[Message] = Waiter()
        self._receivers[waiter] = None
        for other in later:
            self._receivers[other] = self._receivers.pop(other)
        self._serve_receivers()  # something may have come while the connection was given back
        await waiter.wait(self._receivers)
        self._turn.renew()
        assert waiter.message is not None
        return waiter.message

    # On the path of a message that is waited for.
    async def _read_for_itself(self, lender: Lender) -> Message | None:
        """Wait for the connection to the only peer, and read it, in place of its session; see `triomq._reader`.

        Returns: the next message, whoever brought it; or None when the connection cannot be read any longer.
        Cancellation: no message was taken.
        """
        self._borrowed = lender
        message: Message | None = None
        try:
            while message is None and lender.borrowed:
                await lender.wait()
                if self._closing:
                    raise self._closed_meanwhile()
                if lender.borrowed:
                    lender.take_in()
                message = self._take()
        finally:
            self._borrowed = None
            lender.give_back()
            if self._receivers or self._receive_bells:
                self._serve_receivers()
        return message

    def _closed_meanwhile(self) -> trio.ClosedResourceError:
        return trio.ClosedResourceError(f"{self.socket_type}.receive: closed while it waited")

    def _serve_receivers(self) -> None:
        """Complete the calls that wait in ``receive``, the longest waiting first.

        Taking a message may let an inproc peer send its next one from within: that one is for the next turn here.
        """
        if self._serving_receivers:
            return
        receivers = self._receivers
        self._serving_receivers = True
        try:
            while receivers:
                message = self._take()
                if message is None:
                    return
                waiter = next(iter(receivers))
                del receivers[waiter]
                waiter.finish(message)
        finally:
            self._serving_receivers = False
        if self._receive_bells:
            self._ring_receive_bells()

    def _pipe_readable(self, pipe: Pipe) -> None:
        """See `PipeOwner`."""
        self._fair_queue.activate(pipe)
        self._wake_receivers()

    def _wake_receivers(self) -> None:
        """Something has arrived."""
        if self._borrowed is not None:
            self._borrowed.poke()  # who reads for itself comes first
        elif self._receivers:
            self._serve_receivers()
        elif self._receive_bells:
            self._ring_receive_bells()

    def _ring_receive_bells(self) -> None:
        if self._peek() is not None:
            for bell in self._receive_bells:
                bell.ring()

    def _wake_all_closed(self) -> None:
        for waiter in self._receivers:
            waiter.finish(error=self._closed_meanwhile())
        self._receivers.clear()
        if self._borrowed is not None:
            self._borrowed.poke()
        for bell in self._receive_bells:
            bell.ring()
        self._fair_queue.clear()
        super()._wake_all_closed()

    def _count_receivers(self) -> int:
        return len(self._receivers) + (self._borrowed is not None)
