"""Extension points: what a user's own transport, carrier, protocol or observer is made of.

The simplest is a `Transport`: it turns the part of an endpoint after ``scheme://`` into byte streams, and knows
nothing about ZMTP. A `Carrier` turns endpoints into pipes itself: for a fabric without streams, or, by
`StreamCarrier`, for another framing on the streams of a transport. `MulticastCarrier` is that of multicast groups, and
needs a `GroupNetwork`. Both are registered with
``open_context(transports={"scheme": mine})``. An `Observer` is told what happens to the sockets of a context.
`opening_contexts` gives all that to a program that opens its context itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._connections import (
    Attachment,
    Binding,
    Carrier,
    Connecting,
    Gate,
    NewProtocol,
    PeerHost,
    StreamCarrier,
)
from ._opening import Opener, opening_contexts
from ._pipes import (
    CONFIRMED,
    UNCONNECTED,
    Backlog,
    Confirmation,
    Inbox,
    Loan,
    Lookout,
    Outbox,
    Pipe,
    PipeOwner,
    QueuedPipe,
    Received,
    Sink,
    Source,
)
from ._public import later, publish
from ._runtime import Flushable, Flusher, Runtime, TaskGroup
from ._security import Security
from ._sockets import Observer
from ._transports import Listener, NonblockingStream, Transport
from .zmtp import Mechanism, WireProtocol

if TYPE_CHECKING:
    from ._connections import MulticastCarrier
    from ._transports import GroupAddress, GroupNetwork, GroupPort

__all__ = [
    "CONFIRMED",
    "UNCONNECTED",
    "Attachment",
    "Backlog",
    "Binding",
    "Carrier",
    "Confirmation",
    "Connecting",
    "Flushable",
    "Flusher",
    "Gate",
    "GroupAddress",
    "GroupNetwork",
    "GroupPort",
    "Inbox",
    "Listener",
    "Loan",
    "Lookout",
    "Mechanism",
    "MulticastCarrier",
    "NewProtocol",
    "NonblockingStream",
    "Observer",
    "Opener",
    "Outbox",
    "PeerHost",
    "Pipe",
    "PipeOwner",
    "QueuedPipe",
    "Received",
    "Runtime",
    "Security",
    "Sink",
    "Source",
    "StreamCarrier",
    "TaskGroup",
    "Transport",
    "WireProtocol",
    "opening_contexts",
]

if not TYPE_CHECKING:
    __getattr__ = later(
        __name__,
        {"._connections": ["MulticastCarrier"], "._transports": ["GroupAddress", "GroupNetwork", "GroupPort"]},
    )

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})


publish(__name__, globals(), __all__)
