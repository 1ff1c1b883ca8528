"""Whether the peer of one connection has taken in what was queued for it: a PING behind it, and the PONG (RFC 37 §2.8).

Theory of operation

A peer takes in commands in their order. So the PONG of a PING that stands behind subscriptions tells that the
subscriptions were read. With triomq they are in force then.

libzmq needs more. Its thread for connections reads a subscription and answers the PING; the thread that publishes looks
for subscriptions only now and then, in a call that sends. Experiments with libzmq 4.3.5 showed what makes it sure:

* The PONG may come before the subscription is handed to the other thread, which happens at the end of what was read
  together. So a second PING follows, when the first PONG is there.
* A call that sends looks for subscriptions unless the last look was less than 3,000,000 ticks of the processor's clock
  ago: 1.2 ms at 2.6 GHz. Whoever waits a little longer than that has the next message.

At most one such PING of a connection is under way: questions that come meanwhile wait for the next.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from .. import zmtp
from .._pipes import Pipe

_ROUNDS: Final = 2  # PINGs and their PONGs, one after the other, that answer a question
_SETTLING: Final = 10e-3  # seconds; 3,000,000 ticks of any clock that ticks at 300 MHz or more


class QuestionPing(zmtp.Ping):
    """A PING that is no heartbeat."""

    __slots__ = ()


class Question:
    """One question to one peer, as `Confirmation`."""

    __slots__ = ("_due", "_questions")

    settling: Final = _SETTLING

    def __init__(self, questions: Questions, due: int) -> None:
        self._questions = questions
        self._due = due

    @property
    def done(self) -> bool:
        """The peer has answered."""
        return self._questions.answered >= self._due


class Written:
    """Stands for the answer of a peer that knows no PING: what was queued has been written."""

    __slots__ = ("_pipe",)

    settling: Final = _SETTLING

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe

    @property
    def done(self) -> bool:
        """Nothing is queued but messages."""
        return self._pipe.has_sent_controls()


class Questions:
    """The questions to the peer of one connection.

    Args:
      send: queues a PING for the peer.

    Attributes:
      answered: PINGs that were answered, each before the next was sent.
    """

    __slots__ = ("_asked", "_send", "_wanted", "answered")

    def __init__(self, send: Callable[[zmtp.Ping], None]) -> None:
        self.answered: int = 0
        self._asked = 0  # PINGs so far
        self._wanted = 0  # PINGs that answer all questions
        self._send = send

    @property
    def under_way(self) -> bool:
        """A PING of these has no answer yet."""
        return self._asked != self.answered

    def ask(self, ttl: float) -> Question:
        """Ask whether the peer has taken in all that is queued for it now.

        Args:
          ttl: seconds, for the PING to tell.
        """
        self._wanted = self._asked + _ROUNDS  # the one that is under way may have overtaken what was queued since
        self._go_on(ttl)
        return Question(self, self._wanted)

    def _go_on(self, ttl: float) -> None:
        if self._asked == self.answered < self._wanted:
            self._asked += 1
            self._send(QuestionPing(ttl=ttl, context=self._context()))

    def _context(self) -> bytes:
        return self._asked.to_bytes(8, "big")  # a heartbeat's has two bytes

    def pong_received(self, context: bytes, ttl: float) -> bool:
        """Take a PONG. Returns: whether it was the answer to the last PING of these."""
        if not self.under_way or context != self._context():
            return False
        self.answered = self._asked
        self._go_on(ttl)
        return True
