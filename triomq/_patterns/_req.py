"""REQ: one request, one reply (RFC 28)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import ClassVar

from .._errors import PeerUnwantedError, WrongStateError
from .._message import Frames
from .._options import Options
from .._pipes import Pipe, Received
from ._fair import FairReceiver
from ._pattern import Budget, Receiver, Sender
from ._probe import probe
from ._round_robin import RoundRobin

_DELIMITER = b""


class Req(RoundRobin, FairReceiver):
    """REQ: a request to the next peer that has room, then the reply of that peer; strictly alternating.

    How a late reply is told from the one that is wanted: a request that was given up may still be answered. RFC 28
    lets a request begin with a delimiter and nothing else, and programs with a ROUTER rely on that. So:

    * A ROUTER that owes a reply is left: the connection ends, and what it brings meanwhile is dropped. The next
      request for that peer waits for a new connection. To that the ROUTER does not send the late reply, because it
      does not know who is there: from now on this socket announces no routing id.
    * A REP returns whatever stands before the delimiter, and its program never sees that. From the first request on
      that was given up, requests to a REP carry an id there, a frame of four bytes.

    With ``req_correlate`` every request carries an id. Only that tells the replies of libzmq's ROUTER apart where the
    ROUTER has connected to this socket: it comes back with the reply that it still had.

    Attributes:
      asked: the pipe of the peer that owes the reply; None when there is no request.
      requesting: a task is in ``request``, which is one exchange.
    """

    frames_added: ClassVar[int] = 3  # the id, the delimiter, and what a ROUTER puts before both
    never_refuses: ClassVar[bool] = False
    interprets = True

    def __init__(self, options: Options, rng: random.Random, turn: Budget) -> None:
        super().__init__(options, rng, turn)
        self.asked: Pipe | None = None
        self.requesting: bool = False
        self._expected: tuple[bytes, ...] = ()  # the frames that the reply begins with
        self._request: Frames | None = None  # as it was sent, envelope included; None if no connection can answer it
        self._late_replies = False  # a reply that is not wanted any more may still come
        self._unfinished: dict[Pipe, Frames] = {}  # requests given up while they were half written
        self._left: set[Pipe] = set()  # pipes whose connection is about to end: what it brings is not wanted
        self._lasting: set[Pipe] = set()  # pipes that outlive their connections
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
        if self.options.req_correlate or (self._late_replies and _returns_ids(pipe)):
            self._next_id = (self._next_id + 1) & 0xFFFFFFFF
            envelope = (self._next_id.to_bytes(4, "big"), _DELIMITER)
        # Noted before the request is sent: over inproc the reply may be there when `send` returns.
        self.asked, self._expected = pipe, envelope
        self._request = envelope + message
        pipe.send_nowait(self._request)
        self.balancer.pass_on()
        return True

    def would_accept(self, message: Frames) -> bool:
        return (self.asked is None or self.options.req_relaxed) and self.can_submit()

    room_for_many = Sender.room_for_many  # each request needs its envelope, and its turn

    def take(self) -> Frames | None:
        reply = self.fair_queue.take()
        if reply is not None:
            self.asked = None
        return reply

    take_many = Receiver.take_many

    def give_up(self) -> None:
        """Want the reply no longer; nothing happens if no reply is owed."""
        pipe, self.asked = self.asked, None
        request, self._request = self._request, None
        if pipe is None or self.fair_queue.take() is not None or request is None:
            return  # nothing is owed, or the reply has arrived, or no connection can bring it
        if pipe.withdraw(request):
            pipe.room_made()
            return
        self._late_replies = True
        if len(self._expected) == 1 and not _returns_ids(pipe):
            self._leave(pipe, request)
        elif pipe.queued():
            self._unfinished[pipe] = request

    def _leave(self, pipe: Pipe, request: Frames) -> None:
        self.routing_id = b""
        if pipe.peer is None:
            return  # the connection has ended already
        self._left.add(pipe)
        if pipe not in self._lasting:
            pipe.drain()
            self.deactivate(pipe)
        pipe.inbox.source.renew(PeerUnwantedError("a request to this peer was given up, and its reply is not wanted"))
        pipe.withdraw(request)  # if it was half written, it would be sent again

    def interpret(self, pipe: Pipe, events: Sequence[Received]) -> list[Frames]:
        """Let through what is the awaited reply, without its envelope."""
        kept: list[Frames] = []
        replies: Sequence[Frames] = events  # type: ignore[assignment]  # see wanted
        size = len(self._expected)
        may_come = pipe is self.asked and not pipe.inbox.queue and pipe not in self._left
        for message in replies:
            frames = tuple(message)  # of a `Message`, a slice is slow
            if may_come and len(frames) > size and frames[:size] == self._expected:
                kept.append(frames[size:])
                may_come = False
            else:
                pipe.drop()
        return kept

    # On the path of a message that is waited for.
    def receive_lone(self, pipe: Pipe, message: Frames) -> Frames | None:
        """See `PipeOwner`."""
        size = len(self._expected)
        if pipe is not self.asked or self._left or len(message) <= size or message[:size] != self._expected:
            return None
        if self.fair_queue.next_pipe() is not None:
            return None
        self.asked = None
        return message[size:]

    def added(self, pipe: Pipe) -> None:
        if pipe.peer is None:  # the peer is yet to come, now and whenever the connection is lost
            self._lasting.add(pipe)
        self.activate(pipe)
        self.senders.wake()

    def ready(self, pipe: Pipe) -> None:
        probe(pipe, self.options)

    def lost(self, pipe: Pipe) -> None:
        self._left.discard(pipe)
        unfinished = self._unfinished.pop(pipe, None)
        if unfinished is not None:
            pipe.withdraw(unfinished)  # it would be sent again
        if pipe is self.asked and not pipe.queued():
            self._late_replies = True  # the request has left, and the peer may come back
            if not self.routing_id:
                self._request = None  # a peer that we come back to does not know us any more

    def removed(self, pipe: Pipe) -> None:
        self._lasting.discard(pipe)
        self.deactivate(pipe)


def _returns_ids(pipe: Pipe) -> bool:
    """Whether the peer returns what stands before the delimiter, and keeps it from its program."""
    return pipe.peer is not None and pipe.peer.socket_type == "REP"
