"""What is known and counted of the peer at a pipe."""

from __future__ import annotations

from collections.abc import Iterable

from .. import _statistics
from .._pipes import Pipe
from .._statistics import Peer


class Gone:
    """What was counted at pipes that are gone."""

    def __init__(self) -> None:
        self.messages_sent: int = 0
        self.messages_received: int = 0
        self.bytes_sent: int = 0
        self.bytes_received: int = 0
        self.reconnects: int = 0
        self.hwm_reached: int = 0

    def and_those(self, there: Iterable[_statistics.PeerStatistics]) -> dict[str, int]:
        """The sums of these and of the pipes that are there."""
        rows = tuple(there)
        return {name: gone + sum(getattr(row, name) for row in rows) for name, gone in vars(self).items()}

    def add(self, pipe: Pipe) -> None:
        """A pipe is gone."""
        self.messages_sent += pipe.sent
        self.messages_received += pipe.received
        self.bytes_sent += pipe.bytes_sent
        self.bytes_received += pipe.bytes_received
        self.reconnects += _reconnects(pipe)
        self.hwm_reached += pipe.hwm_reached


def peer_at(pipe: Pipe) -> Peer | None:
    """The peer at the pipe, or the last that was there; None if none ever was."""
    info = pipe.peer
    if info is None:
        return pipe.last_peer
    return Peer(
        endpoint=pipe.endpoint,
        address=pipe.address,
        socket_type=info.socket_type,
        routing_id=_name(pipe),
        since=pipe.since,
        number=pipe.number,
        metadata=dict(info.metadata),
        user_id=info.user_id,
        user_metadata=dict(info.user_metadata),
        process=pipe.process,
    )._hold(pipe.hold.end)


def peer_statistics(pipe: Pipe) -> _statistics.PeerStatistics:
    """The row of a pipe."""
    return _statistics.PeerStatistics(
        number=pipe.number,
        peer=None if pipe.peer is None else peer_at(pipe),
        endpoint=pipe.endpoint,
        address=pipe.address if pipe.peer is not None else "",
        routing_id=_name(pipe),
        messages_sent=pipe.sent,
        messages_received=pipe.received,
        messages_dropped=pipe.dropped,
        bytes_sent=pipe.bytes_sent,
        bytes_received=pipe.bytes_received,
        last_traffic=pipe.last_traffic,
        round_trip=pipe.round_trip,
        reconnects=_reconnects(pipe),
        hwm_reached=pipe.hwm_reached,
        send_queue=pipe.messages_queued(),
        control_queue=pipe.controls_queued(),
        receive_queue=len(pipe.inbox.queue),
        send_hwm=pipe.send_capacity(),
        receive_hwm=pipe.inbox.limit,
        details=dict(pipe.details),
    )


def _name(pipe: Pipe) -> bytes:
    return pipe.routing_id or (b"" if pipe.peer is None else pipe.peer.routing_id)


def _reconnects(pipe: Pipe) -> int:
    return max(0, pipe.admissions - 1)
