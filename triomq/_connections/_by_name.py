"""What two sockets agree on that meet by a name, in one trio run or in two."""

from __future__ import annotations

import math
from typing import Final

from .._errors import EndpointError
from .._events import HandshakeSucceeded
from .._options import Options
from .._pipes import Conflate
from .._statistics import Peer
from ..zmtp import PeerInfo
from ._carrier import PeerHost

_LONGEST_NAME: Final = 256  # characters


def check_name(name: str) -> None:
    """Refuse a name that is too long.

    Raises:
      EndpointError: it is.
    """
    if len(name) > _LONGEST_NAME:
        raise EndpointError(f"inproc://{name[:20]}…: a name has {_LONGEST_NAME} characters at the most")


def summed(sending: float, receiving: float) -> float:
    """The limit of a queue that stands for both sides' queues: none if either has none."""
    return sending + receiving if math.inf not in (sending, receiving) else math.inf


def conflation(sender: Options, receiver: Options) -> tuple[float, Conflate]:
    """How a queue conflates that stands for both sides' queues: as the one that keeps less."""
    sides = [(sender.send_limit, sender.conflate), (receiver.receive_limit, receiver.conflate)]
    if any(conflate is True for _, conflate in sides):
        return 1, True
    topics = [limit for limit, conflate in sides if conflate]
    return (min(topics), "topics") if topics else (math.inf, False)


def peer_info(host: PeerHost) -> PeerInfo:
    """What a socket says of itself."""
    return PeerInfo(
        socket_type=host.socket_type,
        routing_id=host.routing_id,
        metadata={},
        version=(3, 1),
        mechanism="NULL",
    )


def succeeded(endpoint: str, theirs: PeerInfo, peer: Peer | None) -> HandshakeSucceeded:
    """The event that tells of a peer."""
    return HandshakeSucceeded(
        endpoint=endpoint, address=endpoint, socket_type=theirs.socket_type, routing_id=theirs.routing_id, peer=peer
    )
