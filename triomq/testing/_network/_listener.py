"""A bound endpoint, and the connections that wait there to be accepted."""

from __future__ import annotations

from collections import deque
from typing import final

import trio

from ..._options import Options
from ...abc import Listener
from ._agenda import Spot
from ._machine import Machine
from ._stream import VirtualStream
from ._world import World

_FIRST_REPEAT = 1.0  # seconds without the third step before the second is sent again; each later pause is doubled
_REPEATS = 5  # the second step is sent again so many times (Linux: tcp_synack_retries); after 63 s it is over


@final
class VirtualListener(Listener):
    """A bound endpoint of a virtual host.

    Args:
      host: where it is.
      known: the listeners that the host's kernel knows; this one is among them until it is closed.
      key: its own key there: the port, or the path.
      loopback: only the host itself may connect.
    """

    def __init__(
        self,
        world: World,
        host: Machine,
        known: dict[int | str, VirtualListener],
        key: int | str,
        endpoint: str,
        options: Options,
        *,
        loopback: bool,
    ) -> None:
        self.loopback: bool = loopback
        self.options: Options = options
        self._world = world
        self._host = host
        self._known = known
        self._key = key
        self._endpoint = endpoint
        self._queue: deque[VirtualStream] = deque()
        self._unfinished: dict[VirtualStream, None] = {}  # the connections whose third step is to come
        self._spot = Spot()
        self._closed = False
        known[key] = self
        world.recorder.record("listening", host.name, text=endpoint)

    @property
    def endpoint(self) -> str:
        """The endpoint others connect to; stays readable after closing."""
        return self._endpoint

    def __repr__(self) -> str:
        return f"<VirtualListener {self._host.name} {self._endpoint}{' closed' if self._closed else ''}>"

    @property
    def is_full(self) -> bool:
        """Whether no more connections can wait to be accepted."""
        return len(self._queue) + len(self._unfinished) >= self.options.backlog

    def expect(self, stream: VirtualStream, since: float) -> None:
        """A connection is complete but for its third step; the second was sent at ``since``."""
        stream.when_open = self.enqueue
        self._unfinished[stream] = None
        self._plan(stream, since, 0)

    def _plan(self, stream: VirtualStream, since: float, repeats: int) -> None:
        self._world.agenda.plan(since + _FIRST_REPEAT * 2**repeats, self._look, stream, repeats)

    def _look(self, stream: VirtualStream, repeats: int) -> None:
        """The third step is late: send the second again, or give up."""
        if stream not in self._unfinished:
            return
        if repeats < _REPEATS and not self._closed:
            stream.outgoing.say("answer")
            self._plan(stream, trio.current_time(), repeats + 1)
        else:  # the host that called has vanished; if it is heard of again, it is reset
            del self._unfinished[stream]
            stream.when_open = None
            stream.forget()
            stream.vanish()

    def enqueue(self, stream: VirtualStream) -> None:
        """A connection is complete, and waits to be accepted."""
        stream.when_open = None
        self._unfinished.pop(stream, None)
        if self._closed:
            stream.refuse("nobody listens any more")
            return
        self._queue.append(stream)
        self._spot.wake()

    def wake(self) -> None:
        """Let the task that waits in `accept` look again."""
        self._spot.wake()

    async def accept(self) -> VirtualStream:
        """Wait for the next peer. Cancellation: no peer was taken.

        Raises:
          trio.ClosedResourceError: the listener was closed, before or meanwhile.
          trio.BusyResourceError: another task accepts already.
        """
        await trio.lowlevel.checkpoint()
        while not self._closed and (self._host.paused or not self._queue):
            if self._spot.taken:
                raise trio.BusyResourceError(f"another task is already accepting on {self._endpoint}")
            await self._spot.sleep()
        if self._closed:
            raise trio.ClosedResourceError(f"the listener on {self._endpoint} was closed here")
        stream = self._queue.popleft()
        self._world.recorder.record("accepted", self._host.name, stream.remote_host, stream.number)
        return stream

    def close(self) -> None:
        """Stop listening; connections that nobody has accepted are reset."""
        if self._closed:
            return
        self._closed = True
        self._spot.wake()
        if self._known.get(self._key) is self:
            del self._known[self._key]
            self._world.recorder.record("listening stopped", self._host.name, text=self._endpoint)
            for stream in self._queue:
                stream.refuse("nobody listens any more")
        self._queue.clear()

    async def aclose(self) -> None:
        """`close`, and a checkpoint; closes even when cancelled."""
        self.close()
        await trio.lowlevel.checkpoint()
