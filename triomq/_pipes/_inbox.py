"""What a peer sent and the user has not received yet."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

from .._message import Frames
from ._nothing import NOTHING
from ._roles import UNCONNECTED, Backlog, Lookout, Source
from ._topic_queue import Conflate, TopicQueue


class Inbox:
    """The receiving queue of a pipe.

    Patterns take from ``queue``. If they took the last message, they have the ``backlog`` refill it; and if
    ``source_waits``, they call `taken` after that. A queue elsewhere than in memory need only offer what they use:
    ``popleft``, ``append``, ``extend``, ``clear``, the length, the first message.

    Args:
      limit: see below; with ``conflate="topics"``, how many topics may wait.
      conflate: keep only the newest message, or the newest of each topic. Such an inbox is never full.

    Attributes:
      queue: the messages, the oldest first.
      direct: messages may be added to ``queue``; else ``put`` takes them.
      conflates: older messages make way for newer ones.
      limit: messages that ``queue`` may hold before the source is to stop; ``math.inf`` is no limit.
      backlog: more messages, which are put into ``queue`` when it is empty; None if there are none. Only where messages
        may be added to ``queue`` directly.
      lookout: reads what has arrived, for who would rather not be woken by it; None if nobody can.
      source: who fills the inbox; one assignment attaches or detaches.
      source_waits: the inbox was full, and the source waits for `Source.resume`.
      resume_below: messages; with this many or fewer left, the waiting source is told to resume.
      in_round: the pipe stands in the fair queue, because it has messages.
    """

    __slots__ = (
        "backlog", "conflates", "direct", "in_round", "limit", "lookout", "queue", "resume_below", "source",
        "source_waits",
    )  # fmt: skip

    queue: deque[Frames] | TopicQueue[Frames]

    def __init__(self, limit: float, *, conflate: Conflate = False) -> None:
        self.queue = TopicQueue(limit) if conflate == "topics" else NOTHING
        self.direct: bool = False
        self.conflates: bool = bool(conflate)
        self.limit: float = math.inf if conflate else limit
        self.backlog: Backlog | None = None
        self.lookout: Lookout | None = None
        self.source: Source = UNCONNECTED
        self.source_waits: bool = False
        self.resume_below: float = math.inf
        self.in_round: bool = False

    def renew_queue(self, most: float, conflate: Conflate) -> None:
        """Begin with an empty queue that conflates like this; ``most`` topics at the most."""
        self.conflates = bool(conflate)
        self.direct = not conflate
        if conflate == "topics":
            self.queue = TopicQueue(most)
        else:
            self.queue = deque(maxlen=1) if conflate else deque()

    @property
    def is_full(self) -> bool:
        """The source is to deliver nothing more now."""
        return len(self.queue) >= self.limit

    def put(self, messages: Sequence[Frames]) -> int:
        """Add what has arrived. Returns: how many messages were dropped, which only a conflating inbox does."""
        if self.queue is NOTHING:
            self.renew_queue(math.inf, self.conflates)
        queue = self.queue
        before = len(queue)
        queue.extend(messages)
        return before + len(messages) - len(queue)

    def taken(self) -> None:
        """Messages were taken from ``queue``: let a waiting source go on, when enough room was made."""
        if self.source_waits and len(self.queue) <= self.resume_below:
            self.source_waits = False
            self.source.resume()
