"""Messages from one socket to another, and back: the guide's zmq_proxy (RFC 28 §3, the queue device)."""

from __future__ import annotations

import attrs
import trio

from ._errors import UnroutableError
from ._message import Message
from ._sockets import Bell, ReceiveSide, SendSide, Socket

_PER_TURN = 64  # messages moved one way before the other way, and other tasks, have their turn


@attrs.frozen(kw_only=True)
class ProxyStatistics:
    """What a proxy has moved.

    Attributes:
      messages_forward: from the frontend to the backend.
      messages_backward: from the backend to the frontend.
      messages_dropped: that the socket they were for refused for good, such as a reply to an unknown routing id.
    """

    messages_forward: int
    messages_backward: int
    messages_dropped: int


class ProxyHandle:
    """Steers a running proxy; what ``nursery.start(triomq.proxy, …)`` returns."""

    def __init__(self) -> None:
        self._scope = trio.CancelScope()
        self._paused = False
        self._bells: list[Bell] = []
        self._moved = [0, 0, 0]

    def pause(self) -> None:
        """Move nothing until `resume`; messages wait in the sockets, up to their HWMs."""
        self._paused = True

    @trio.lowlevel.enable_ki_protection
    def resume(self) -> None:
        """Go on."""
        self._paused = False
        for bell in self._bells:
            bell.ring()

    def terminate(self) -> None:
        """End the proxy: `proxy` returns. No message is lost or in between."""
        self._scope.cancel(reason="triomq.proxy: terminate() was called")

    def statistics(self) -> ProxyStatistics:
        """What was moved so far."""
        forward, backward, dropped = self._moved
        return ProxyStatistics(messages_forward=forward, messages_backward=backward, messages_dropped=dropped)


class _Way:
    """Moves messages from one socket to another.

    A message is looked at, queued at the destination, and only then taken from the source; there is no await in
    between. So cancelling a proxy at any moment loses nothing and sends nothing twice.
    """

    def __init__(
        self, source: ReceiveSide, destination: SendSide, capture: SendSide | None, handle: ProxyHandle, index: int
    ) -> None:
        self._source = source
        self._destination = destination
        self._capture = capture
        self._handle = handle
        self._index = index
        self._bell = Bell()
        handle._bells.append(self._bell)

    @trio.lowlevel.enable_ki_protection
    async def run(self) -> None:
        bell, source, destination = self._bell, self._source, self._destination
        listeners = [source._receive_bells, destination._send_bells]
        if self._capture is not None:
            listeners.append(self._capture._send_bells)
        for bells in listeners:
            bells[bell] = None
        try:
            while True:
                if self._move():
                    await trio.lowlevel.checkpoint()
                else:
                    await bell.wait()
                for socket in (source, destination):
                    socket._check("proxy")
        finally:
            for bells in listeners:
                bells.pop(bell, None)

    def _move(self) -> bool:
        """Move what can be moved. Returns: whether there may be more at once."""
        source, destination, capture, moved = self._source, self._destination, self._capture, self._handle._moved
        for _ in range(_PER_TURN):
            if self._handle._paused:
                return False
            message = source._peek()
            if message is None or (capture is not None and not capture._can_submit()):
                return False
            try:
                if not destination._submit(message):
                    return False
                moved[self._index] += 1
            except (UnroutableError, ValueError):  # a peer's message can be for nobody; that is not our failure
                moved[2] += 1
            if capture is not None:
                capture._submit(message)
            source._take()
        return True


@trio.lowlevel.enable_ki_protection
async def proxy(
    frontend: Socket,
    backend: Socket,
    capture: Socket | None = None,
    *,
    task_status: trio.TaskStatus[ProxyHandle] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Move messages from ``frontend`` to ``backend`` and back, until cancelled.

    Usual pairs are ROUTER and DEALER, XSUB and XPUB, PULL and PUSH: messages go each way in which the one socket
    receives and the other sends. A message is taken only when the other side has room for it.

    Args:
      frontend, backend: bound or connected already, and used by nobody else meanwhile.
      capture: gets a copy of every message that is moved.
    Returns: only after ``terminate()`` on the handle that ``await nursery.start(triomq.proxy, …)`` returns.
    Cancellation: no message is lost and none is sent twice.
    Raises:
      TypeError: neither socket can send what the other receives, or ``capture`` cannot send.
      trio.ClosedResourceError: one of the sockets was closed.
    """
    if capture is not None and not isinstance(capture, SendSide):
        raise TypeError(f"proxy(): capture is a socket that sends, and {capture!r} does not")
    handle = ProxyHandle()
    ways: list[_Way] = []
    for index, (source, destination) in enumerate(((frontend, backend), (backend, frontend))):
        if isinstance(source, ReceiveSide) and isinstance(destination, SendSide):
            ways.append(_Way(source, destination, capture, handle, index))
    if not ways:
        raise TypeError(f"proxy(): of {frontend!r} and {backend!r} neither sends what the other receives")
    failures: list[BaseException] = []

    async def run(way: _Way) -> None:  # noqa: ASYNC910  (a task of the nursery below; nobody awaits it)
        try:
            await way.run()
        except Exception as exc:  # raised below: the caller has closed a socket, and needs no group to learn that
            failures.append(exc)
            nursery.cancel_scope.cancel(reason="triomq.proxy: the other way has failed")

    with handle._scope:
        async with trio.open_nursery() as nursery:
            for way in ways:
                nursery.start_soon(run, way)
            task_status.started(handle)
            try:
                await trio.sleep_forever()
            except KeyboardInterrupt as exc:  # likewise
                failures.append(exc)
                nursery.cancel_scope.cancel(reason="triomq.proxy: interrupted")
    if failures:
        raise failures[0]


__all__ = ["Message", "ProxyHandle", "ProxyStatistics", "proxy"]
