"""One peer's two bounded queues, and the roles around them. Nothing in this room waits, and nothing imports trio."""

from __future__ import annotations

from ._inbox import Inbox
from ._inproc_pipe import InprocPipe
from ._linked_pipe import LinkedPipe
from ._metered import MeteredInbox, size_of
from ._outbox import FirstSubscribe, Outbox
from ._pipe import Pipe
from ._queued_pipe import QueuedPipe
from ._roles import CONFIRMED, NOBODY, UNCONNECTED, Confirmation, Hold, Loan, PipeOwner, Received, Sink, Source
from ._shared_tail import SharedTail
from ._topic_queue import Conflate, TopicQueue

__all__ = [
    "CONFIRMED",
    "NOBODY",
    "UNCONNECTED",
    "Confirmation",
    "Conflate",
    "FirstSubscribe",
    "Hold",
    "Inbox",
    "InprocPipe",
    "LinkedPipe",
    "Loan",
    "MeteredInbox",
    "Outbox",
    "Pipe",
    "PipeOwner",
    "QueuedPipe",
    "Received",
    "SharedTail",
    "Sink",
    "Source",
    "TopicQueue",
    "size_of",
]
