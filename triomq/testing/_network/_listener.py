"""Connecting: who listens, and the three steps that make a connection."""

from __future__ import annotations

import errno
import os
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Literal, final

import trio

from ...abc import Listener
from .._recorder import FROM_LISTENER
from ._agenda import Spot
from ._link import Link
from ._stream import VirtualStream

if TYPE_CHECKING:
    from ..._options import Options
    from ._fabric import Fabric, Host

_FIRST_SYN_RETRY = 1.0  # seconds before connecting is tried again when there was no answer; doubles
_SYN_GIVE_UP = 127.0  # seconds without an answer after which it has failed (Linux: tcp_syn_retries=6)
_UNFINISHED_FOR = 63.0  # seconds that a listener waits for the third step (Linux: tcp_synack_retries=5)


def os_error(number: int, text: str) -> OSError:
    """The OSError that the system raises for an errno, with a text that says what was tried."""
    return OSError(number, f"{text}: {os.strerror(number)}")


@final
class VirtualListener(Listener):
    """A bound endpoint of a virtual host.

    Args:
      key: the port, or the path.
      loopback: whether only the host itself may connect.
    """

    def __init__(
        self, fabric: Fabric, host: Host, key: int | str, endpoint: str, options: Options, *, loopback: bool
    ) -> None:
        self.loopback: bool = loopback
        self.options: Options = options
        self._fabric = fabric
        self._host = host
        self._key = key
        self._endpoint = endpoint
        self._queue: deque[VirtualStream] = deque()
        self._unfinished: dict[VirtualStream, None] = {}  # wait for their third step
        self._spot = Spot()
        self._closed = False
        host.listeners[key] = self
        fabric.recorder.record("listening", host.name, text=endpoint)

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

    def expect(self, stream: VirtualStream) -> None:
        """A connection is complete but for its third step."""
        stream.listener = self
        self._unfinished[stream] = None
        self._fabric.agenda.plan(trio.current_time() + _UNFINISHED_FOR, self._expire, stream)

    def _expire(self, stream: VirtualStream) -> None:
        if stream in self._unfinished:  # who called has vanished
            del self._unfinished[stream]
            stream.listener = None
            stream.host.streams.pop(stream, None)

    def enqueue(self, stream: VirtualStream) -> None:
        """A connection is complete, and waits to be accepted."""
        stream.listener = None
        self._unfinished.pop(stream, None)
        if self._closed:
            stream.host.streams.pop(stream, None)
            stream.outgoing.reset("nobody listens any more")
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
        self._fabric.recorder.record("accepted", self._host.name, stream.remote_host, stream.number)
        return stream

    def close(self) -> None:
        """Stop listening; connections that nobody has accepted are reset."""
        if self._closed:
            return
        self._closed = True
        self._spot.wake()
        if self._host.listeners.get(self._key) is self:
            del self._host.listeners[self._key]
            self._fabric.recorder.record("listening stopped", self._host.name, text=self._endpoint)
            for stream in self._queue:
                stream.host.streams.pop(stream, None)
                stream.outgoing.reset("nobody listens any more")
        self._queue.clear()

    async def aclose(self) -> None:
        """`close`, and a checkpoint; closes even when cancelled."""
        self.close()
        await trio.lowlevel.checkpoint()


@final
class Attempt:
    """One attempt to connect.

    Args:
      key: the port or path at the target.
      peer: the target's address, as the stream will tell it.
      own: our address, as the other end will tell it.
    """

    def __init__(
        self, fabric: Fabric, source: Host, target: Host, key: int | str, peer: str, own: str, options: Options
    ) -> None:
        self._fabric = fabric
        self._source = source
        self._target = target
        self._key = key
        self._peer = peer
        self._own = own
        self._options = options
        self._boots = source.boots
        self._number = fabric.next_connection()
        self._there = fabric.path(source.name, target.name)
        self._back = fabric.path(target.name, source.name)
        self._retry = _FIRST_SYN_RETRY
        self._give_up_at = trio.current_time() + _SYN_GIVE_UP
        self._failure: OSError | None = None
        self._stream: VirtualStream | None = None
        self._over = False
        self._spot = Spot()

    async def run(self) -> VirtualStream:
        """Connect.

        Cancellation: nothing stays open.
        Raises:
          OSError: it was refused, or there was no answer for 127 s.
        """
        self._record("connecting", self._peer)
        self._call()
        try:
            while self._source.paused or (self._stream is None and self._failure is None):
                await self._spot.sleep()
        except BaseException:
            if self._stream is not None:
                self._stream.close()
            raise
        finally:
            self._over = True
        if self._stream is None:
            assert self._failure is not None
            raise self._failure
        return self._stream

    def _record(
        self,
        kind: Literal["connecting", "connecting again", "established", "refused", "lost", "gave up"],
        text: str = "",
    ) -> None:
        self._fabric.recorder.record(kind, self._source.name, self._target.name, self._number, text=text)

    def _call(self) -> None:
        self._plan(self._there.settings.latency, self._arrive)

    def _plan(self, delay: float, action: Callable[[], None]) -> None:
        self._fabric.agenda.plan(trio.current_time() + delay, action)

    def _no_answer(self) -> None:
        """The call or its answer is lost: call again later."""
        self._record("lost", "the call to connect")
        if trio.current_time() + self._retry > self._give_up_at:
            self._plan(self._give_up_at - trio.current_time(), self._give_up)
        else:
            self._plan(self._retry, self._call_again)
            self._retry *= 2

    def _call_again(self) -> None:
        if not self._is_over:
            self._record("connecting again")
            self._call()

    def _give_up(self) -> None:
        if not self._is_over:
            self._record("gave up")
            self._end(os_error(errno.ETIMEDOUT, f"cannot connect to {self._peer}"))

    @property
    def _is_over(self) -> bool:
        return self._over or self._source.boots != self._boots

    def _arrive(self) -> None:
        if self._is_over:
            return
        if not self._there.is_open():
            self._no_answer()
            return
        listener = self._target.listeners.get(self._key)
        if listener is None or (listener.loopback and self._target is not self._source):
            self._plan(self._back.settings.latency, self._refused)
        elif listener.is_full:
            self._no_answer()  # as Linux does: the call is dropped
        else:
            self._plan(self._back.settings.latency, partial(self._answered, listener))

    def _refused(self) -> None:
        if self._is_over:
            return
        if not self._back.is_open():
            self._no_answer()
            return
        self._record("refused")
        self._end(os_error(errno.ECONNREFUSED, f"cannot connect to {self._peer}"))

    def _answered(self, listener: VirtualListener) -> None:
        if self._is_over:
            return
        if not self._back.is_open():
            self._no_answer()
            return
        self._stream = self._connect(listener)
        self._record("established", f"{self._own} > {self._peer}")
        self._stream.outgoing.open()
        self._wake()

    def _connect(self, listener: VirtualListener) -> VirtualStream:
        fabric, number = self._fabric, self._number
        near = VirtualStream(fabric, self._source, self._target.name, self._peer, number)
        far = VirtualStream(fabric, self._target, self._source.name, self._own, number)
        mine, theirs = self._options, listener.options
        there, back = self._there.settings, self._back.settings
        near.outgoing = far.incoming = Link(
            fabric, self._there, self._back, number, near, far,
            mine.send_buffer or there.send_buffer, theirs.receive_buffer or there.receive_buffer,
        )  # fmt: skip
        far.outgoing = near.incoming = Link(
            fabric, self._back, self._there, number, far, near,
            theirs.send_buffer or back.send_buffer, mine.receive_buffer or back.receive_buffer,
        )  # fmt: skip
        if self._source is self._target:
            far.outgoing.remark = FROM_LISTENER
        listener.expect(far)
        self._source.streams[near] = None
        self._target.streams[far] = None
        return near

    def _end(self, failure: OSError) -> None:
        self._failure = failure
        self._wake()

    def _wake(self) -> None:
        self._source.when_running(self._spot.wake)
