"""Receive from whichever of several sockets has a message: zmq_poll, for trio."""

from __future__ import annotations

from threading import get_ident
from typing import Generic, TypeVar

import trio

from .._advice import takes
from .._message import Message, to_message
from .._sockets import Bell, ReceiveSocket

R = TypeVar("R", bound=ReceiveSocket)


class MergedChannel(trio.abc.ReceiveChannel[tuple[R, Message]], Generic[R]):
    """The messages of several sockets, each with the socket it came from.

    Fair: the sockets take turns. There is no queue in between: a message stays in its socket until it is received
    here, so cancelling loses nothing, and the sockets may be received from directly at the same time. A REP that owes
    a reply is passed over until it has sent that; so is a REQ that has asked nothing.
    """

    def __init__(self, sockets: tuple[R, ...]) -> None:
        self._sockets = list(sockets)
        self._closed = False
        self._waiting: dict[Bell, None] = {}

    @trio.lowlevel.enable_ki_protection
    def receive_nowait(self) -> tuple[R, Message]:
        """Take the next message, if one of the sockets has one.

        Raises:
          trio.WouldBlock: none has.
          trio.ClosedResourceError: this channel, or one of the sockets, is closed.
        """
        if self._closed:
            self._check_process("receive_nowait")
            raise trio.ClosedResourceError("this merged channel was closed")
        for index, socket in enumerate(self._sockets):
            if get_ident() != socket._thread:  # closed, or of another thread
                socket._check("receive_nowait")
            message = socket._receiver.take()  # None also for a REP or REQ out of turn
            if message is not None:
                self._sockets.append(self._sockets.pop(index))
                return socket, to_message(message)
        raise trio.WouldBlock

    @trio.lowlevel.enable_ki_protection
    async def receive(self) -> tuple[R, Message]:
        """Wait for the next message of any of the sockets.

        Cancellation: no message was taken from any of them.
        Raises:
          trio.ClosedResourceError: this channel, or one of the sockets, is closed.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        try:
            found = self.receive_nowait()
        except trio.WouldBlock:
            return await self._wait()
        turn = found[0]._turn
        turn.left -= 1
        if turn.left <= 0 and turn.is_over():
            await turn.end()
        return found

    async def _wait(self) -> tuple[R, Message]:
        bell = Bell()
        self._waiting[bell] = None
        for socket in self._sockets:
            socket._receivers.bells[bell] = None
        try:
            while True:
                await bell.wait()
                try:
                    return self.receive_nowait()
                except trio.WouldBlock:
                    continue  # another task was quicker
        finally:
            del self._waiting[bell]
            for socket in self._sockets:
                del socket._receivers.bells[bell]

    def _check_process(self, what: str) -> None:
        self._sockets[0]._shared.runtime.check_process(f"MergedChannel.{what}")

    async def aclose(self) -> None:
        """Close this channel; the sockets stay open."""
        self._check_process("aclose")
        self._closed = True
        for bell in self._waiting:
            bell.ring()
        await trio.lowlevel.checkpoint()


@takes("merge(a, b) takes sockets; for a time limit, write 'with trio.move_on_after(seconds):' around receive()")
def merge(*sockets: R) -> MergedChannel[R]:
    """One receive channel of ``(socket, message)`` over several sockets.

    Raises:
      TypeError: no socket was given, or one that receives nothing.
      ValueError: a socket was given twice.
    """
    if not sockets:
        raise TypeError("merge(a, b) takes one or more sockets")
    for socket in sockets:
        if isinstance(socket, (list, tuple, set, dict)):
            raise TypeError("merge(a, b) takes each socket as an argument of its own: merge(*sockets) for a list")
        if not isinstance(socket, ReceiveSocket):
            raise TypeError(f"merge() takes sockets that receive, and {socket!r} does not")
    if len(set(sockets)) != len(sockets):
        raise ValueError("merge() takes each socket once")
    return MergedChannel(sockets)
