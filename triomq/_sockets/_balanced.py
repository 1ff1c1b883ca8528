"""Sending to one peer at a time, each in turn: what PUSH, DEALER, PAIR and REQ share."""

from __future__ import annotations

from collections.abc import Sequence

from .._message import Frames
from .._options import Options
from .._patterns import LoadBalancer
from .._pipes import Pipe
from .._runtime import Runtime
from ._sending import SendSocket


class BalancedSendSide(SendSocket):
    """Sends each message to the next peer that has room, and waits while none has."""

    _never_refuses = True

    def __init__(self, runtime: Runtime, options: Options) -> None:
        super().__init__(runtime, options)
        self._balancer = LoadBalancer()

    # On the path of every message.
    def _submit(self, message: Frames) -> bool:
        return self._balancer.send(message)

    def _room_for_many(self) -> float:
        return self._balancer.room_for_many()

    def _submit_many(self, messages: Sequence[Frames]) -> None:
        self._balancer.send_many(messages)

    def _can_submit(self) -> bool:
        return self._balancer.choose() is not None

    def _pipe_added(self, pipe: Pipe) -> None:
        super()._pipe_added(pipe)
        self._pipe_writable(pipe)

    def _pipe_removed(self, pipe: Pipe) -> None:
        self._balancer.remove(pipe)
        super()._pipe_removed(pipe)

    def _pipe_writable(self, pipe: Pipe) -> None:
        """See `PipeOwner`."""
        if not pipe.draining:  # disconnected: it only sends what it has
            self._balancer.activate(pipe)
        super()._pipe_writable(pipe)
