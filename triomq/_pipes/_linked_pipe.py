"""The pipe to a socket of another trio run: what has left lies in the inbox there, and counts against the HWM still."""

from __future__ import annotations

from ._outbox import Outbox, is_message
from ._queued_pipe import QueuedPipe
from ._topic_queue import Conflate


class LinkedPipe(QueuedPipe):
    """One end of a link between two trio runs.

    The limit of the outbox stands for both sides' queues, as over inproc. Messages that the other side has not received
    are its ``unsent`` ones; but they have left, so nobody waits for them when the socket closes.
    """

    __slots__ = ()

    def queued(self) -> int:
        return self.outbox.waiting()

    def messages_queued(self) -> int:
        return self.outbox.waiting() - self.outbox.controls

    def discard(self) -> None:
        self.outbox.set_unsent(0)  # those are the other side's
        super().discard()

    def renew_outbox(self, limit: float, conflate: Conflate = False) -> None:
        """Go on with another limit: of messages, or of topics where it is by topic that the outbox conflates now."""
        old = self.outbox
        old.set_unsent(0)
        if not conflate and not old.conflate:
            old.limit = limit
            return
        new = self.outbox = Outbox(limit, conflate=conflate)
        for item in old.own():
            if is_message(item):
                self.drop(new.put(item))
            else:
                new.add_control(item)
