"""What `statistics()` returns: immutable snapshots, as trio's own."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class PeerStatistics:
    """One peer's queues.

    Attributes:
      endpoint: the endpoint of ours that this peer belongs to.
      address: the other end, as the transport tells it, as in `Peer`; ``""`` while it is not connected.
      routing_id: the name it announced or, on a ROUTER, was given; ``b""`` if none.
      connected: whether the connection stands now; a connecting socket queues before that.
      messages_sent: handed to the connection in full, since the peer was first known.
      messages_received: arrived from it.
      messages_dropped: not queued because the peer was full, or lost from the queue with the peer.
      send_queue: messages accepted from the user and not handed over yet.
      control_queue: subscriptions, cancellations and heartbeats not handed over yet, which no HWM counts.
      receive_queue: messages arrived and not received by the user yet.
      send_hwm: how many may wait to be sent; ``math.inf`` for no limit.
      receive_hwm: how many may wait to be received; ``math.inf`` for no limit.
    """

    endpoint: str
    address: str
    routing_id: bytes
    connected: bool
    messages_sent: int
    messages_received: int
    messages_dropped: int
    send_queue: int
    control_queue: int
    receive_queue: int
    send_hwm: float
    receive_hwm: float


@attrs.frozen(kw_only=True)
class SocketStatistics:
    """A socket's counters, over every peer it ever had, and its peers of now.

    Attributes:
      messages_sent: handed to a connection or an inproc peer in full.
      messages_received: arrived, whether or not the user has received them.
      messages_dropped: dropped as the socket type says: a full subscriber, an unknown routing id,
        a reply to nobody, a queue whose peer went away.
      tasks_waiting_send: tasks blocked in ``send``.
      tasks_waiting_receive: tasks blocked in ``receive``.
      peers: one entry for each peer, connected or queued for.
    """

    messages_sent: int
    messages_received: int
    messages_dropped: int
    tasks_waiting_send: int
    tasks_waiting_receive: int
    peers: tuple[PeerStatistics, ...]


@attrs.frozen(kw_only=True)
class Peer:
    """A connected peer.

    Attributes:
      endpoint: the endpoint of ours, bound or connected, that it came through.
      address: the other end, as the transport tells it; the endpoint itself for inproc.
      socket_type: its type, such as ``"SUB"``.
      routing_id: the name it announced or, on a ROUTER, was given; ``b""`` if none.
      metadata: every property of its READY, as it wrote them.
    """

    endpoint: str
    address: str
    socket_type: str
    routing_id: bytes
    metadata: dict[str, bytes] = attrs.field(factory=dict)
