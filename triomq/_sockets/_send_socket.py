"""The sending half of a socket: a trio send channel over a pattern that never waits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from operator import length_hint
from threading import get_ident
from typing import Any, Final, NoReturn

import trio
from trio.lowlevel import checkpoint_if_cancelled  # by its name alone: 30 ns for each message

from .._advice import TIME_LIMIT, check_messages, hide_arguments, refuse_extra, takes
from .._message import Frames, Message, MessageLike, as_message
from .._patterns import Sender
from .._runtime import is_cancelled
from ._flushing import Accepted
from ._senders import Senders
from ._shared import Shared
from ._socket import Socket

_COPIED_PER_CALL: Final = 8 * 1024  # bytes that take as long to copy, and to write, as a call takes otherwise
_MOST_COPIED: Final = 512 * 1024  # bytes in messages that may have to be copied, which is 0.1 to 0.2 ms of work


def _refuse_more(*more: object) -> NoReturn:
    refuse_extra("send", "several frames are one message, a list, as in send([b'a', b'b'])", *more)


class SendSocket(Socket, trio.abc.SendChannel[MessageLike]):
    """A socket that sends: what PUSH, PUB, REQ, REP, DEALER, ROUTER, XPUB, XSUB and PAIR have in common."""

    def __init__(self, shared: Shared, arguments: dict[str, Any]) -> None:
        super().__init__(shared, arguments)
        assert isinstance(self._pattern, Sender)
        self._sender: Sender = self._pattern
        self._senders: Senders = Senders(self._sender)
        # By one name each, for the path of every message.
        self._submit = self._sender.submit_function()
        self._waiting_senders = self._senders.waiters
        self._pattern.senders = self._senders
        self._most_frames: int = self._options.max_frames - self._sender.frames_added

    # On the path of every message.
    @trio.lowlevel.enable_ki_protection
    async def send(self, message: MessageLike, flags: None = None, timeout: None = None) -> None:  # noqa: ASYNC109  # to be refused
        """Queue a message for a peer, waiting while there is no room.

        Returning means that the message was accepted whole; it is written by the time the task waits, or after 64
        messages. It does not mean that the peer has it.

        Args:
          message: one frame (bytes-like), or an iterable of frames, or a `Message`.
        Cancellation: if this is cancelled, the message was not accepted and nobody will ever see it.
        Raises:
          trio.ClosedResourceError: the socket is closed, or was closed while this waited.
          TypeError: the message is not made of bytes.
          ValueError: it has no frame, or more than ``max_frames``.
        """
        if get_ident() != self._thread:  # 30 ns for the 240 of `_check`, which is for the one time that fails
            self._check("send")
        if flags is not None or timeout is not None:  # 3 ns; a signature without them would say nothing of what to do
            _refuse_more(flags, timeout)
        if type(message) is bytes:  # 25 ns for the 100 of `as_message`
            message = (message,)
        else:
            if type(message) is not Message:
                message = as_message(message)
                if len(message[-1]) > _COPIED_PER_CALL:  # where bodies are; it may have been copied
                    self._turn.left -= len(message[-1]) // _COPIED_PER_CALL
            if len(message) > self._most_frames:
                self._refuse_frames(message)
        turn = self._turn
        if turn.left < 2 or is_cancelled():
            await checkpoint_if_cancelled()
        if self._waiting_senders:
            accepted = False
        elif (only := self._sender.only) is not None:
            accepted = only.send_nowait(message)
        else:
            submit = self._submit  # CPython 3.11 is slow to call an attribute that is no method
            accepted = submit(message)
        if not accepted:
            turn.renew()
            await self._senders.wait(message)
            turn.renew()
        else:
            turn.left -= 1
            if turn.left <= 0 and turn.is_over():
                await turn.end()

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
        if len(message) > self._most_frames:
            self._refuse_frames(message)
        if self._senders.bar_others or not self._submit(message):
            raise trio.WouldBlock

    @takes(f"send_many([b'1', b'2']) takes an iterable of messages; {TIME_LIMIT}")
    @trio.lowlevel.enable_ki_protection
    async def send_many(self, messages: Iterable[MessageLike]) -> None:
        """Queue many messages, in order, waiting while there is no room.

        Cancellation: the messages accepted so far, each whole and in order, will go; no other will. Give the iterator
          of a list, tuple, deque or the like, and it stands where to go on: from such, a message is taken only when
          there is room for it. From a generator the one that was waited with has been taken. (Likewise for a ROUTER
          with ``router_mandatory`` and for ``xpub_nodrop``, where the message itself decides whether there is room.)
        Raises: as `send`.
        """
        # Three ways, for the promise about cancellation. An iterator that knows its length can be asked for its end
        # without being advanced, so it is advanced only when there is room: for many at once, or for one. From any
        # other iterator the message must be taken first, and then waited with.
        self._check("send_many")
        check_messages(messages)
        await checkpoint_if_cancelled()
        turn = self._turn
        iterator = iter(messages)
        knows_its_end = hasattr(iterator, "__length_hint__")
        while True:
            if knows_its_end and not length_hint(iterator):
                return
            if knows_its_end and (self._senders.bar_others or not self._sender.can_submit()):
                await self._wait_for_room()
                continue
            most = turn.listed * (turn.left + turn.more)
            if knows_its_end and (room := min(most, self._sender.room_for_many())) > 1:
                self._send_batch(iterator, int(room))
            else:
                try:
                    message = as_message(next(iterator))
                except StopIteration:
                    return
                if len(message) > self._most_frames:
                    self._refuse_frames(message)
                if self._senders.bar_others or not self._submit(message):
                    turn.renew()
                    await self._senders.wait(message)
                    turn.renew()
                turn.left -= 1
            if turn.left <= 0 and turn.is_over():
                await turn.end()
                await checkpoint_if_cancelled()
                self._check("send_many")

    # On the path of every message of a list: it has no await, and a call of Python for many messages.
    def _send_batch(self, iterator: Iterator[MessageLike], room: int) -> None:
        """Take messages, for which there is room, and queue them; they count against the turn."""
        batch: list[Frames] = []
        size = 0
        try:
            for message in islice(iterator, room):
                if type(message) is bytes:
                    batch.append((message,))
                else:
                    frames = as_message(message)
                    if len(frames) > self._most_frames:
                        self._refuse_frames(frames)
                    batch.append(frames)
                    size += sum(map(len, frames))
                    if size > _MOST_COPIED:
                        self._turn.use_up()
                        break
        finally:  # those before one that is refused are sent too
            if batch:
                self._sender.submit_many(batch)
            self._turn.left -= -(-len(batch) // self._turn.listed)

    @trio.lowlevel.enable_ki_protection
    async def flush(self) -> None:
        """Wait until all that was accepted before this call has been handed to the system.

        Over ``inproc`` that is the peer's queue. What others send meanwhile is not waited for. A message that waits for
        a peer to come, or to read, is waited for; one that is dropped meanwhile is not, as when its peer leaves:
        ``messages_dropped`` counts those.

        It does not mean that the peer has the messages: they may still be in the system's buffers or on their way, and
        are lost with the connection. Only an answer of the peer tells more.

        Cancellation: nothing has changed, and the messages go on being sent.
        Raises:
          trio.ClosedResourceError: the socket was closed, before or meanwhile.
        """
        self._check("flush")
        accepted = Accepted(self._peers.pipes)
        await self._wait_until(accepted.have_left, "flush")

    def _refuse_frames(self, message: Frames) -> NoReturn:
        raise ValueError(
            f"{self.socket_type}.send: a message of {len(message)} frames; {self._most_frames} are allowed here by "
            f"max_frames={self._options.max_frames}, which is also what a triomq peer takes if it has the same option"
        )

    async def _wait_for_room(self) -> None:
        self._turn.renew()
        try:
            await self._senders.wait_for_room()
        finally:
            self._turn.renew()
        self._check("send_many")

    def _wake_all_closed(self) -> None:
        self._senders.close(f"{self.socket_type}.send: closed while it waited")
        super()._wake_all_closed()

    def _count_senders(self) -> int:
        return len(self._senders.waiters)


hide_arguments(SendSocket.send, "flags", "timeout")
