"""REQ: one request, one reply (RFC 28)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import ClassVar

from .._errors import WrongStateError
from .._message import Frames, Message, new_message
from .._options import Options
from .._pipes import Pipe, Received
from ._fair import FairReceiver
from ._pattern import Budget, Receiver, Sender
from ._probe import probe
from ._round_robin import RoundRobin

_DELIMITER = b""


class Req(RoundRobin, FairReceiver):
    """REQ: a request to the next peer that has room, then the reply of that peer; strictly alternating.

    How a late reply is told from the one that is wanted: a request that was given up may still be answered. Until
    that has happened on the connection, further requests on it carry a request id, a frame of four bytes before
    the delimiter, which every peer that follows RFC 28 returns. With ``req_correlate`` every request does.

    Attributes:
      asked: the pipe of the peer that owes the reply; None when there is no request.
    """

    never_refuses: ClassVar[bool] = False
    interprets = True

    def __init__(self, options: Options, rng: random.Random, turn: Budget) -> None:
        super().__init__(options, rng, turn)
        self.asked: Pipe | None = None
        self._expected: tuple[bytes, ...] = ()  # the frames that the reply begins with
        self._request: Message | None = None  # as it was sent, envelope included
        self._given_up: dict[Pipe, Message] = {}  # requests without id whose reply may still come, and is not wanted
        self._next_id = rng.getrandbits(32)

    def submit(self, message: Frames) -> bool:
        if self.asked is not None:
            if not self.options.req_relaxed:
                raise WrongStateError(
                    "REQ.send: the last request awaits its reply; receive it first, or use request(), "
                    "or create the socket with req_relaxed=True"
                )
            self.give_up()
        pipe = self.balancer.choose()
        if pipe is None:
            return False
        envelope: tuple[bytes, ...] = (_DELIMITER,)
        if self.options.req_correlate or pipe in self._given_up:
            self._next_id = (self._next_id + 1) & 0xFFFFFFFF
            envelope = (self._next_id.to_bytes(4, "big"), _DELIMITER)
        # Noted before the request is sent: over inproc the reply may be there when `send` returns.
        self.asked, self._expected = pipe, envelope
        self._request = new_message(Message, envelope + message)
        self.balancer.send(self._request)
        return True

    room_for_many = Sender.room_for_many  # each request needs its envelope, and its turn

    def take(self) -> Message | None:
        reply = self.fair_queue.take()
        if reply is not None:
            self.asked = None
        return reply

    take_many = Receiver.take_many

    def give_up(self) -> None:
        """Want the reply no longer; nothing happens if no reply is owed."""
        pipe, self.asked = self.asked, None
        request, self._request = self._request, None
        if pipe is None or request is None:
            return
        if pipe.withdraw(request):
            pipe.room_made()
            return
        arrived = self.fair_queue.take() is not None
        if not arrived and len(self._expected) == 1:
            self._given_up[pipe] = request

    def interpret(self, pipe: Pipe, events: Sequence[Received]) -> list[Message]:
        """Let through what is the awaited reply, without its envelope."""
        kept: list[Message] = []
        replies: Sequence[Message] = events  # type: ignore[assignment]  # see wanted
        for message in replies:
            size = len(self._expected)
            if pipe in self._given_up and message[:1] == (_DELIMITER,):
                del self._given_up[pipe]
            elif (
                pipe is self.asked
                and not kept
                and not pipe.inbox.queue
                and message[:size] == self._expected
                and len(message) > size
            ):
                kept.append(new_message(Message, message[size:]))
                continue
            pipe.drop()
        return kept

    def ready(self, pipe: Pipe) -> None:
        probe(pipe, self.options)

    def lost(self, pipe: Pipe) -> None:
        request = self._given_up.pop(pipe, None)
        if request is not None:
            pipe.withdraw(request)  # if it had not left whole, it would be sent again
