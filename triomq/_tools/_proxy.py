"""Messages from one socket to another, and back: the guide's zmq_proxy (RFC 28 §3, the queue device).

Theory of operation

A proxy is one task and works by turns. In a turn it moves, without an ``await``, the messages that can be moved, both
ways. So no message is in between when the proxy is cancelled. Each connection that was sent to is written to once, at
the end of the turn and from within it: several messages cost one call of the system, and a single message waits for no
other. Then the proxy sleeps until a socket rings its bell. After a whole turn it goes on when the other tasks have had
their turns. So it does when its peers are busy, and one of them has sent more meanwhile: before it sleeps, it looks at
each connection. To be woken by them would cost several times that, a task for each connection and then the proxy's own.
"""

from __future__ import annotations

import os
from typing import overload

import attrs
import trio

from .._advice import takes
from .._errors import UnroutableError, WrongStateError
from .._forks import check_process
from .._message import Frames
from .._sockets import REP, REQ, Bell, ReceiveSocket, SendSocket, Socket

_WAYS = (b"forward", b"backward")
_PER_TURN = 64  # calls' worth of messages moved before the other way, and other tasks, have their turn
_BUSY = 8  # messages moved in a turn: there may soon be more
_LONGEST_LOOK = 0.25e-3  # seconds in which the proxy looks at connections; then other tasks have their turn


@attrs.frozen(kw_only=True)
class ProxyStatistics:
    """What a proxy has moved.

    Attributes:
      messages_forward: from the frontend to the backend.
      messages_backward: from the backend to the frontend.
      messages_dropped: that the socket they were for refused for good, such as a reply to an unknown
        routing id, or one of more frames than its ``max_frames``.
    """

    messages_forward: int
    messages_backward: int
    messages_dropped: int


class ProxyHandle:
    """Steers a running proxy; what ``nursery.start(triomq.proxy, …)`` returns."""

    def __init__(self) -> None:
        self._scope = trio.CancelScope()
        self._paused = False
        self._bell = Bell()
        self._moved = [0, 0, 0]
        self._process = os.getpid()

    def pause(self) -> None:
        """Move nothing until `resume`; messages wait in the sockets, up to their HWMs."""
        check_process(self._process, "ProxyHandle.pause")
        self._paused = True

    @trio.lowlevel.enable_ki_protection
    def resume(self) -> None:
        """Go on."""
        check_process(self._process, "ProxyHandle.resume")
        self._paused = False
        self._bell.ring()

    def terminate(self) -> None:
        """End the proxy: `proxy` returns. No message is lost or in between."""
        check_process(self._process, "ProxyHandle.terminate")
        self._scope.cancel(reason="triomq.proxy: terminate() was called")

    def statistics(self) -> ProxyStatistics:
        """What was moved so far."""
        check_process(self._process, "ProxyHandle.statistics")
        forward, backward, dropped = self._moved
        return ProxyStatistics(messages_forward=forward, messages_backward=backward, messages_dropped=dropped)


class _Direction:
    """Moves messages from one socket to another.

    A message is looked at, queued at the destination, and only then taken from the source.

    Args:
      mark: what the capture's copies begin with.
      moved: counts of messages moved forward, moved backward, dropped.
      index: where ``moved`` counts the messages of this direction.

    Attributes:
      out_of_turn: a message was there, and the destination is a REP or a REQ that may not send now.
    """

    def __init__(
        self,
        source: ReceiveSocket,
        destination: SendSocket,
        capture: SendSocket | None,
        mark: Frames,
        moved: list[int],
        index: int,
    ) -> None:
        self.out_of_turn: bool = False
        self._source = source
        self._destination = destination
        self._capture = capture
        self._mark = mark
        self._moved = moved
        self._index = index
        self._together: bool = capture is None and source._receiver.takes_as_it_is

    def listeners(self) -> list[dict[Bell, None]]:
        """The bells of those who know when a message can be moved."""
        listeners = [self._source._receivers.bells, self._destination._senders.bells]
        return listeners if self._capture is None else [*listeners, self._capture._senders.bells]

    # On the path of every message.
    def move(self, most: int) -> int:
        """Move what can be moved. Returns: how much of ``most`` calls' worth of messages may still be moved."""
        self.out_of_turn = False
        if self._together:
            most -= self._move_together(most)
        return self._move_each(most) if most > 0 else most

    def _move_together(self, most: int) -> int:
        """Move messages for which there is room whatever they are. Returns: for how many calls they count."""
        destination = self._destination
        listed = destination._turn.listed
        room = min(most * listed, destination._sender.room_to_forward())
        if room < 2:
            return 0
        messages = self._source._receiver.take_many(int(room))
        if not messages:
            return 0
        count, most_frames = len(messages), destination._most_frames
        if max(map(len, messages)) > most_frames:  # the peer that got such a message would hang up
            messages = [message for message in messages if len(message) <= most_frames]
        dropped = count - len(messages) + destination._sender.forward(messages)
        self._moved[2] += dropped
        self._moved[self._index] += count - dropped
        return -(-count // listed)

    def _move_each(self, most: int) -> int:
        source = self._source._receiver
        peek, mark = source.peek, self._mark
        message = peek()
        if message is None:
            return most
        destination, capture, moved, index = self._destination, self._capture, self._moved, self._index
        submit, take, turn = destination._sender.submit, source.take, destination._turn
        most_frames = destination._most_frames
        turn.grant(most)
        while message is not None:
            copy = mark + message if mark else message
            if capture is not None and not capture._sender.would_accept(copy):
                break
            refused = False
            try:
                if len(message) > most_frames:  # the peer that got it would hang up
                    moved[2] += 1
                    refused = True
                elif submit(message):
                    moved[index] += 1
                else:
                    break
            except WrongStateError:
                self.out_of_turn = True
                break
            except (UnroutableError, ValueError):  # a peer's message can be for nobody; that is not our failure
                moved[2] += 1
                refused = True
            if capture is not None:
                capture._sender.submit(copy)  # there was room, and nobody else sends there
            take()
            if refused:
                source.refused()
            turn.left -= 1
            if turn.left <= 0:
                break
            message = peek()
        left = turn.left
        turn.renew()  # the proxy's task is about to wait
        return left


class _ProxyTask:
    """The task of a proxy."""

    def __init__(self, sockets: list[Socket], directions: list[_Direction], handle: ProxyHandle) -> None:
        self._sockets = sockets
        self._directions = directions  # the one whose turn it is comes first
        self._handle = handle
        self._flushers = list(dict.fromkeys(socket._shared.runtime.flusher for socket in sockets))
        self._now = sockets[0]._shared.runtime.turn_end.now

    async def run(self) -> None:
        """Move messages, for ever."""
        handle, bell = self._handle, self._handle._bell
        listeners = [bells for direction in self._directions for bells in direction.listeners()]
        for bells in listeners:
            bells[bell] = None
        try:
            await trio.lowlevel.checkpoint()
            while True:
                for socket in self._sockets:
                    if socket._peers.closing:
                        socket._check("proxy")
                before = sum(handle._moved)
                if not handle._paused and (self._move() or self._look(sum(handle._moved) - before)):
                    await trio.lowlevel.checkpoint()
                else:
                    await bell.wait()
        finally:
            for bells in listeners:
                bells.pop(bell, None)

    def _look(self, moved: int) -> bool:
        """Read what peers have sent while ``moved`` messages were moved, if these were as many as there are peers.

        Returns: whether there may be something to move.
        """
        if moved < max(_BUSY, sum([len(socket._pattern.pipes) for socket in self._sockets])):
            return False
        found, until = False, self._now() + _LONGEST_LOOK
        for socket in self._sockets:
            for pipe in list(socket._pattern.pipes):
                if (lookout := pipe.inbox.lookout) is not None and self._now() < until:
                    found = lookout.look() or found
        return found

    def _move(self) -> bool:
        """Have one turn. Returns: whether there may be more to move at once."""
        left = _PER_TURN
        for flusher in self._flushers:
            flusher.gathering = True
        try:
            for direction in self._directions:
                left = direction.move(left)
                if left <= 0:
                    self._directions.remove(direction)
                    self._directions.append(direction)
                    return True
            # What was moved the other way may have given a REP or a REQ its turn; nobody else tells of that.
            return left < _PER_TURN and any([direction.out_of_turn for direction in self._directions])
        finally:
            for flusher in self._flushers:
                flusher.flush_gathered(more=left <= 0)


@overload
async def proxy(
    frontend: ReceiveSocket,
    backend: SendSocket,
    capture: SendSocket | None = None,
    *,
    capture_direction: bool = False,
    task_status: trio.TaskStatus[ProxyHandle] = trio.TASK_STATUS_IGNORED,
) -> None: ...
@overload
async def proxy(
    frontend: SendSocket,
    backend: ReceiveSocket,
    capture: SendSocket | None = None,
    *,
    capture_direction: bool = False,
    task_status: trio.TaskStatus[ProxyHandle] = trio.TASK_STATUS_IGNORED,
) -> None: ...
@takes("proxy(frontend, backend, capture) takes two sockets, and a third that gets copies")
@trio.lowlevel.enable_ki_protection
async def proxy(
    frontend: Socket,
    backend: Socket,
    capture: Socket | None = None,
    *,
    capture_direction: bool = False,
    task_status: trio.TaskStatus[ProxyHandle] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Move messages from ``frontend`` to ``backend`` and back, until cancelled.

    Usual pairs are ROUTER and DEALER, XSUB and XPUB, PULL and PUSH: messages go each way in which the one socket
    receives and the other sends. A message is taken only when the other side has room for it, and the capture has. For
    a REP that has no request to reply to, and a REQ that awaits a reply, messages wait.

    Args:
      frontend, backend: bound or connected already, and used by nobody else meanwhile.
      capture: a PUB, XPUB, PUSH, DEALER or PAIR, used by nobody else either: gets a copy of every message that is
        moved.
      capture_direction: let each copy begin with a frame that tells which way its message went: ``forward``, from the
        frontend to the backend, or ``backward``.
    Returns: only after ``terminate()`` on the handle that ``await nursery.start(triomq.proxy, …)`` returns.
    Cancellation: no message is lost and none is sent twice; if it is cancelled already, none is moved.
    Raises:
      TypeError: neither socket can send what the other receives; or one is a REP or a REQ, and the other is of the
        same type or does not both send and receive, so there is never an answer; or ``capture`` is of another type.
      ValueError: ``capture`` is the frontend or the backend.
      trio.ClosedResourceError: one of the sockets was closed.
    """
    copy = None if capture is None else _as_capture(capture, frontend, backend)
    handle = ProxyHandle()
    directions: list[_Direction] = []
    for index, (source, destination) in enumerate(((frontend, backend), (backend, frontend))):
        if isinstance(source, ReceiveSocket) and isinstance(destination, SendSocket):
            mark = (_WAYS[index],) if capture_direction else ()
            directions.append(_Direction(source, destination, copy, mark, handle._moved, index))
    if not directions:
        raise TypeError(f"proxy(): of {frontend!r} and {backend!r} neither sends what the other receives")
    for kind in (REP, REQ):  # they send and receive by turns
        if isinstance(frontend, kind) + isinstance(backend, kind) == (1 if len(directions) == 1 else 2):
            raise TypeError(f"proxy(): {frontend!r} and {backend!r} would wait for each other for ever")
    sockets = [frontend, backend] if capture is None else [frontend, backend, capture]
    for socket in sockets:
        socket._check("proxy")
    with handle._scope:
        task_status.started(handle)
        await _ProxyTask(sockets, directions, handle).run()


def _as_capture(capture: Socket, frontend: Socket, backend: Socket) -> SendSocket:
    if not isinstance(capture, SendSocket) or not capture._sender.never_refuses:
        raise TypeError(f"proxy(): a capture is a PUB, XPUB, PUSH, DEALER or PAIR, and {capture!r} is not")
    if capture is frontend or capture is backend:
        raise ValueError(f"proxy(): a capture is a third socket, and {capture!r} is one of the two")
    return capture


__all__ = ["ProxyHandle", "ProxyStatistics", "proxy"]
