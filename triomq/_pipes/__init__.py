"""One peer's two bounded queues, and the roles around them. Nothing in this room waits, and nothing imports trio."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._public import later
from ._inbox import Inbox
from ._pipe import Pipe
from ._roles import (
    CONFIRMED,
    NOBODY,
    UNCONNECTED,
    Backlog,
    Confirmation,
    Hold,
    Loan,
    Lookout,
    PipeOwner,
    Received,
    Sink,
    Source,
)
from ._topic_queue import Conflate, TopicQueue

if TYPE_CHECKING:  # imported later: each carrier has a kind of pipe
    from ._inproc_pipe import InprocPipe
    from ._linked_pipe import LinkedPipe
    from ._metered import MeteredInbox, size_of
    from ._outbox import FirstSubscribe, Outbox
    from ._queued_pipe import QueuedPipe
    from ._shared_tail import SharedTail
else:
    __getattr__ = later(
        __name__,
        {
            "._inproc_pipe": ["InprocPipe"],
            "._linked_pipe": ["LinkedPipe"],
            "._metered": ["MeteredInbox", "size_of"],
            "._outbox": ["FirstSubscribe", "Outbox"],
            "._queued_pipe": ["QueuedPipe"],
            "._shared_tail": ["SharedTail"],
        },
    )

__all__ = [
    "CONFIRMED",
    "NOBODY",
    "UNCONNECTED",
    "Backlog",
    "Confirmation",
    "Conflate",
    "FirstSubscribe",
    "Hold",
    "Inbox",
    "InprocPipe",
    "LinkedPipe",
    "Loan",
    "Lookout",
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
