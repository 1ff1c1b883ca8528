"""What `statistics()` returns: immutable snapshots, as trio's own; what changed between two; and both as a table."""

from __future__ import annotations

from ._json import from_plain, to_plain
from ._peer import DropReason, Peer
from ._rates import Rates
from ._snapshots import ContextStatistics, PeerStatistics, SocketStatistics

__all__ = [
    "ContextStatistics",
    "DropReason",
    "Peer",
    "PeerStatistics",
    "Rates",
    "SocketStatistics",
    "from_plain",
    "to_plain",
]
