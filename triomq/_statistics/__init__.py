"""What `statistics()` returns: immutable snapshots, as trio's own; what changed between two; and both as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._public import later
from ._peer import DropReason, Peer

if TYPE_CHECKING:  # imported later: few programs ask for statistics
    from ._json import from_plain, to_plain
    from ._rates import Rates
    from ._snapshots import ContextStatistics, PeerStatistics, SocketStatistics
else:
    __getattr__ = later(
        __name__,
        {
            "._json": ["from_plain", "to_plain"],
            "._rates": ["Rates"],
            "._snapshots": ["ContextStatistics", "PeerStatistics", "SocketStatistics"],
        },
    )

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
