"""REP: receive a request, send its reply (RFC 28)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Final

from .._errors import WrongStateError
from .._message import Frames, Message, new_message
from .._options import Options
from .._pipes import Pipe, Received
from ._fair import FairReceiver
from ._pattern import Budget, Receiver, Sender

_DELIMITER: Final = (b"",)  # the envelope of a request that came from the requester itself


class Rep(Sender, FairReceiver):
    """REP: one request at a time, from all peers in turn; its reply goes back the way the request came.

    Attributes:
      requester: the pipe of the peer that awaits the reply; None when a request may be taken.
    """

    interprets = True

    def __init__(self, options: Options, rng: random.Random, turn: Budget) -> None:
        super().__init__(options, rng, turn)
        self.requester: Pipe | None = None
        self._envelope: tuple[bytes, ...] = ()

    def interpret(self, pipe: Pipe, events: Sequence[Received]) -> Sequence[Message]:
        """Let through what has a delimiter and a body."""
        requests: Sequence[Message] = events  # type: ignore[assignment]  # see wanted
        if len(requests) == 1:  # mostly: a requester waits for the reply
            (request,) = requests
            if b"" in request and request.index(b"") + 1 < len(request):
                return requests
        kept = [request for request in requests if b"" in request and request.index(b"") + 1 < len(request)]
        if dropped := len(events) - len(kept):
            pipe.lose("malformed", dropped)
        return kept

    def take(self) -> Message | None:
        if self.requester is not None:
            return None
        requester = self.fair_queue.next_pipe()
        request = self.fair_queue.take()
        if request is None:
            return None
        self.requester = requester
        first, *body = request
        if not first:
            self._envelope = _DELIMITER
            return new_message(body)
        size = request.index(b"") + 1
        frames = tuple(request)
        self._envelope = frames[:size]
        return new_message(frames[size:])

    take_many = Receiver.take_many

    def peek(self) -> Message | None:
        request = None if self.requester is not None else self.fair_queue.peek()
        return None if request is None else new_message(tuple(request)[request.index(b"") + 1 :])

    def refused(self) -> None:
        self.requester = None
        self.receivers.wake()

    def would_accept(self, message: Frames) -> bool:
        return self.requester is not None

    def submit(self, message: Frames) -> bool:
        requester = self.requester
        if requester is None:
            raise WrongStateError("REP.send: there is no request to reply to; receive one first")
        reply = self._envelope + message
        self.requester = None
        if not requester.alive:
            self.dropped_messages += 1
        elif not requester.send_nowait(reply):
            requester.lose("full")
        self.receivers.wake()
        return True
