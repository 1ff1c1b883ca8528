"""REP: receive a request, send its reply (RFC 28)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Final

from .._errors import WrongStateError
from .._message import Frames
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

    def interpret(self, pipe: Pipe, events: Sequence[Received]) -> Sequence[Frames]:
        """Let through what has a delimiter and a body."""
        requests: Sequence[Frames] = events  # type: ignore[assignment]  # see wanted
        if len(requests) == 1 and _is_request(requests[0]):  # mostly: a requester waits for the reply
            return requests
        kept = [request for request in requests if _is_request(request)]
        if dropped := len(events) - len(kept):
            pipe.lose("malformed", dropped)
        return kept

    def take(self) -> Frames | None:
        if self.requester is not None:
            return None
        requester = self.fair_queue.next_pipe()
        request = self.fair_queue.take()
        if requester is None or request is None:
            return None
        return self._begin(requester, tuple(request))  # of a `Message`, a slice is slow

    # On the path of a message that is waited for.
    def receive_lone(self, pipe: Pipe, message: Frames) -> Frames | None:
        """See `PipeOwner`."""
        if self.requester is not None or self.fair_queue.next_pipe() is not None or not _is_request(message):
            return None
        return self._begin(pipe, message)

    def _begin(self, requester: Pipe, request: Frames) -> Frames:
        """The request is this peer's: what the user receives of it."""
        self.requester = requester
        if not request[0]:
            self._envelope = _DELIMITER
            return request[1:]
        size = request.index(b"") + 1
        self._envelope = request[:size]
        return request[size:]

    take_many = Receiver.take_many

    def peek(self) -> Frames | None:
        request = None if self.requester is not None else self.fair_queue.peek()
        return None if request is None else tuple(request)[request.index(b"") + 1 :]

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


def _is_request(message: Frames) -> bool:
    """Whether the message has a delimiter and a body."""
    return b"" in message and message.index(b"") + 1 < len(message)
