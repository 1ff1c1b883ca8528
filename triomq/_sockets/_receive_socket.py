"""The receiving half of a socket: a trio receive channel over a pattern that never waits."""

from __future__ import annotations

from threading import get_ident
from typing import TYPE_CHECKING, Any

import trio
from trio.lowlevel import checkpoint_if_cancelled  # by its name alone: 30 ns for each message

from .._advice import TIME_LIMIT, check_count, hide_arguments, refuse_extra, takes
from .._message import Frames, Message, new_message, to_message
from .._patterns import Receiver
from .._runtime import is_cancelled
from ._receivers import Receivers
from ._shared import Shared
from ._socket import Socket


class ReceiveSocket(Socket, trio.abc.ReceiveChannel[Message]):
    """A socket that receives: what PULL, SUB, REQ, REP, DEALER, ROUTER, XPUB, XSUB and PAIR have in common."""

    def __init__(self, shared: Shared, arguments: dict[str, Any]) -> None:
        super().__init__(shared, arguments)
        assert isinstance(self._pattern, Receiver)
        self._receiver: Receiver = self._pattern
        self._receivers: Receivers = Receivers(self._receiver, f"{self.socket_type}.receive: closed while it waited")
        self._take = self._receiver.take_function()  # by one name, for the path of every message
        self._queue = self._receiver.lone_inbox()
        self._pattern.receivers = self._receivers
        self._busy_poll: float = self._options.busy_poll

    # On the path of every message.
    @trio.lowlevel.enable_ki_protection
    async def receive(self, flags: None = None, timeout: None = None) -> Message:  # noqa: ASYNC109  # to be refused
        """Wait for the next message.

        Cancellation: if this is cancelled, no message was taken; the next `receive` gets it.
        Raises:
          WrongStateError: a REQ has sent no request, or a REP owes the reply to the last one.
          trio.BusyResourceError: another task waits for the reply to this REQ already.
          trio.ClosedResourceError: the socket is closed, or was closed while this waited.
        """
        if get_ident() != self._thread:
            self._check("receive")
        if flags is not None or timeout is not None:  # 3 ns; a signature without them would say nothing of what to do
            refuse_extra("receive", "it takes nothing", flags, timeout)
        turn = self._turn
        if turn.left < 2 or is_cancelled():
            await checkpoint_if_cancelled()
        message: Frames | None
        if (inbox := self._queue.lone) is not None and len(inbox.queue) > 1:
            message = inbox.queue.popleft()
            if inbox.source_waits:
                inbox.taken()
        else:
            take = self._take  # see `SendSocket.send`
            message = take()
        if message is None and self._busy_poll:
            message = self._receivers.poll(self._busy_poll, self._shared.runtime.turn_end.now)
        if message is None:
            self._check_may_come("receive")
            turn.renew()
            message = await self._receivers.wait()
            turn.begin()
        else:
            turn.left -= 1
            if turn.left <= 0 and turn.is_over():
                await turn.end()
        return message if type(message) is Message else new_message(message)  # `to_message`, without the call

    if not TYPE_CHECKING:  # which knows the base class's own
        __anext__ = receive  # no socket ends as a channel may, and so a coroutine less does it

    def _check_may_come(self, what: str) -> None:
        """Refuse to wait for a message that cannot come; called when there is none."""

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
            self._check_may_come("receive_nowait")
            raise trio.WouldBlock
        return to_message(message)

    @takes(f"receive_many(max) takes how many messages to take at the most; {TIME_LIMIT}")
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
        check_count("receive_many(max): max, the number of messages to take at the most,", max, 1)
        messages = [await self.receive()]
        messages += map(new_message, self._receiver.take_many(max - 1))
        self._turn.left -= (len(messages) - 1) // self._turn.listed
        return messages

    def _wake_all_closed(self) -> None:
        self._receivers.close()
        super()._wake_all_closed()

    def _count_receivers(self) -> int:
        return len(self._receivers)


hide_arguments(ReceiveSocket.receive, "flags", "timeout")
