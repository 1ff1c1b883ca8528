"""One attempt to connect: the three steps that make a connection."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Literal, final

import trio

from ..._options import Options
from .._recorder import FROM_LISTENER
from ._agenda import Spot
from ._fabric import Fabric
from ._host import Host
from ._keepalive import KeepAlive
from ._link import Link
from ._listener import VirtualListener
from ._path import Path
from ._stream import VirtualStream

_FIRST_SYN_RETRY = 1.0  # seconds without an answer before the second call; each later pause is twice as long
_SYN_GIVE_UP = 127.0  # seconds without an answer after which the attempt has failed (Linux: tcp_syn_retries=6)


def os_error(number: int, text: str) -> OSError:
    """The OSError that the system raises for an errno, with a text that says what was tried."""
    return OSError(number, f"{text}: {os.strerror(number)}")


@final
class Attempt:
    """One attempt to connect.

    Args:
      key: the port or path at the target.
      peer: the target's address, as the stream will tell it.
      own: the address of this end, as the other end will tell it.
      from_inside: the target takes the call for one of its own, and so a listener on its loopback address hears it.
    """

    def __init__(
        self,
        fabric: Fabric,
        source: Host,
        target: Host,
        key: int | str,
        peer: str,
        own: str,
        options: Options,
        *,
        from_inside: bool = False,
    ) -> None:
        self._world = fabric.world
        self._source = source
        self._target = target
        self._key = key
        self._peer = peer
        self._own = own
        self._options = options
        self._from_inside = from_inside or source is target
        self._boots = source.boots
        self._number = fabric.next_connection()
        self._dice: Random | None = None
        self._out = fabric.path(source.name, target.name)
        self._back = fabric.path(target.name, source.name)
        self._retry = _FIRST_SYN_RETRY
        self._called_at = 0.0
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
        self._world.recorder.record(kind, self._source.name, self._target.name, self._number, text=text)

    def _call(self) -> None:
        self._called_at = trio.current_time()
        self._plan(self._out.settings.latency, self._arrive)

    def _plan(self, delay: float, action: Callable[[], None]) -> None:
        self._world.agenda.plan(trio.current_time() + delay, action)

    def _no_answer(self) -> None:
        """The call or its answer is lost: call again later."""
        self._record("lost", "the call to connect")
        again = max(self._called_at + self._retry, trio.current_time())
        if again >= self._give_up_at:
            self._world.agenda.plan(self._give_up_at, self._give_up)
        else:
            self._world.agenda.plan(again, self._call_again)
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

    def _passes(self, path: Path) -> bool:
        """Whether what reaches a path's end now arrives."""
        if not path.is_open():
            return False
        if not path.settings.loss:
            return True
        if self._dice is None:
            self._dice = self._world.dice("call", self._number, self._source.name)
        return self._dice.random() >= path.settings.loss

    def _reaches(self, path: Path) -> bool:
        """Whether a step of this attempt arrives at a path's end, and matters still. If it is lost, call again."""
        if self._is_over:
            return False
        passes = self._passes(path)
        if not passes:
            self._no_answer()
        return passes

    def _arrive(self) -> None:
        if not self._reaches(self._out):
            return
        listener = self._target.listeners.get(self._key)
        if listener is None or (listener.loopback and not self._from_inside):
            self._plan(self._back.settings.latency, self._refused)
        elif listener.is_full:
            self._no_answer()  # as Linux does: the call is dropped
        else:
            self._plan(self._back.settings.latency, partial(self._answered, listener))

    def _refused(self) -> None:
        if self._reaches(self._back):
            self._record("refused")
            self._end(os_error(errno.ECONNREFUSED, f"cannot connect to {self._peer}"))

    def _answered(self, listener: VirtualListener) -> None:
        if self._reaches(self._back):
            self._stream = self._connect(listener)
            self._record("established", f"{self._own} > {self._peer}")
            self._stream.outgoing.say("open")
            self._wake()

    def _connect(self, listener: VirtualListener) -> VirtualStream:
        world, number, here, there = self._world, self._number, self._source, self._target
        near = VirtualStream(here, here.streams, world.recorder, number, there.name, self._peer)
        far = VirtualStream(there, there.streams, world.recorder, number, here.name, self._own)
        mine, theirs = self._options, listener.options
        out, back = self._out.settings, self._back.settings
        near.outgoing = far.incoming = Link(
            world, self._out, self._back, number, near, far,
            mine.send_buffer or out.send_buffer, theirs.receive_buffer or out.receive_buffer,
        )  # fmt: skip
        far.outgoing = near.incoming = Link(
            world, self._back, self._out, number, far, near,
            theirs.send_buffer or back.send_buffer, mine.receive_buffer or back.receive_buffer,
        )  # fmt: skip
        if self._source is self._target:
            far.outgoing.wire.remark = FROM_LISTENER
        if isinstance(self._key, int):  # a port: it is TCP
            KeepAlive.of(world.agenda, near, near.outgoing, mine)
            KeepAlive.of(world.agenda, far, far.outgoing, theirs)
        listener.expect(far, trio.current_time() - back.latency)
        return near

    def _end(self, failure: OSError) -> None:
        self._failure = failure
        self._wake()

    def _wake(self) -> None:
        self._source.when_running(self._spot.wake)
