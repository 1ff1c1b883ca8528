"""What a session tells the monitors of its socket.

Each function is given the socket, the endpoint of ours, and the address of the other end.
"""

from __future__ import annotations

from .._events import Disconnected, HandshakeFailed, HandshakeSucceeded, KeptWaiting
from .._statistics import Peer
from ..zmtp import PeerInfo
from ._carrier import PeerHost, unadmitted


def report_success(host: PeerHost, endpoint: str, address: str, info: PeerInfo, peer: Peer | None) -> None:
    """The peer was admitted."""
    event = HandshakeSucceeded(
        endpoint=endpoint, address=address, socket_type=info.socket_type, routing_id=info.routing_id, peer=peer
    )
    host.emit(event)


def report_waiting_peer(host: PeerHost, endpoint: str, address: str, info: PeerInfo, error: Exception) -> None:
    """The socket has no place for the peer now; ``error`` says why."""
    peer = unadmitted(info, endpoint, address)
    host.emit(HandshakeFailed(endpoint=endpoint, address=address, error=error, peer=peer))


def report_wait(host: PeerHost, endpoint: str, address: str, peer: Peer | None, *, over: bool) -> None:
    """The peer keeps this socket waiting for its place, or does so no longer."""
    host.emit(KeptWaiting(endpoint=endpoint, address=address, over=over, peer=peer))


def report_end(
    host: PeerHost,
    endpoint: str,
    address: str,
    error: Exception | None,
    retry_in: float | None,
    peer: Peer | None,
    *,
    was_up: bool,
) -> None:
    """The connection has ended.

    Args:
      error: why; None if it ended in good order, which a handshake never does.
      retry_in: seconds until the endpoint is dialled again; None if it is not.
      was_up: the handshake was complete.
    """
    if was_up:
        host.emit(Disconnected(endpoint=endpoint, address=address, error=error, retry_in=retry_in, peer=peer))
    elif error is not None:
        host.emit(HandshakeFailed(endpoint=endpoint, address=address, error=error, retry_in=retry_in))
