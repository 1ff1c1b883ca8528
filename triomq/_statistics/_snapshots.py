"""What is counted, of a peer, of a socket and of a context."""

from __future__ import annotations

import attrs

from .._record import Record
from ._peer import Peer
from ._rates import Rates, rates
from ._table import count, duration, number_of, size, table


@attrs.frozen(kw_only=True, eq=False, repr=False)
class PeerStatistics(Record):
    """One peer's queues and counters.

    A peer that is connected to keeps its counters over reconnections. One that has connected to us begins anew.

    Attributes:
      number: which of the socket's peers it is, counted from 1; the same as in `Peer`.
      peer: who is connected; None while nobody is: a connecting socket queues before that.
      endpoint: the endpoint of ours that this peer belongs to.
      address: the other end, as the transport tells it, as in `Peer`; ``""`` while it is not connected.
      routing_id: the name it announced or, on a ROUTER, was given; ``b""`` if none.
      messages_sent: handed to the connection in full, since the peer was first known.
      messages_received: arrived from it.
      messages_dropped: not queued because the peer was full, or lost from the queue with the peer.
      bytes_sent: handed to the system for this peer once it was connected, with all that ZMTP adds to messages, and
        heartbeats. 0 over inproc, where messages do not become bytes.
      bytes_received: read from the system, likewise.
      last_traffic: trio's time at which something was last written or read; None if nothing was, and over inproc.
      round_trip: seconds from the last heartbeat that was answered to its answer; None if there was none, as
        without ``heartbeat_interval``. The time in which this program did something else is part of it.
      reconnects: how often the connection was made again.
      hwm_reached: how often the queue became full.
      send_queue: messages accepted from the user and not handed over yet.
      control_queue: subscriptions, cancellations and heartbeats not handed over yet, which no HWM counts.
      receive_queue: messages arrived and not received by the user yet.
      send_hwm: how many may wait to be sent; ``math.inf`` for no limit.
      receive_hwm: how many may wait to be received; ``math.inf`` for no limit.
      details: what the endpoint's carrier counts beside these, by name. For a multicast group: ``naks``, the datagrams
        that were asked for again; ``repairs``, those that were sent, or came, again; ``lost`` at a receiver, those that
        will never come; ``unrepaired`` at a sender, those that were asked for and not kept any more.
    """

    number: int
    peer: Peer | None
    endpoint: str
    address: str
    routing_id: bytes
    messages_sent: int
    messages_received: int
    messages_dropped: int
    bytes_sent: int
    bytes_received: int
    last_traffic: float | None
    round_trip: float | None
    reconnects: int
    hwm_reached: int
    send_queue: int
    control_queue: int
    receive_queue: int
    send_hwm: float
    receive_hwm: float
    details: dict[str, int] = attrs.field(factory=dict)

    @property
    def connected(self) -> bool:
        """Whether the connection stands now."""
        return self.peer is not None

    @property
    def socket_type(self) -> str:
        """The peer's socket type, such as ``"SUB"``; ``""`` while it is not connected."""
        return "" if self.peer is None else self.peer.socket_type

    @property
    def since(self) -> float | None:
        """Trio's time at which the peer was admitted; None while it is not connected."""
        return None if self.peer is None else self.peer.since

    @property
    def _title(self) -> tuple[str, ...]:
        return (str(self.number), self.socket_type or "nobody", self.address or self.endpoint, _shown(self.routing_id))


@attrs.frozen(kw_only=True, eq=False, repr=False)
class SocketStatistics(Record):
    """A socket's counters, over every peer it ever had, and its peers of now.

    As a `str` it is a small table, with a row for each peer.

    Attributes:
      name: the socket's, if it was given one.
      socket_type: such as ``"PUB"``.
      endpoints: as `Socket.endpoints`.
      number: which of the context's sockets it is, counted from 1.
      at: trio's time at which this was counted.
      messages_sent: handed to a connection or an inproc peer in full.
      messages_received: arrived, whether or not the user has received them.
      messages_dropped: dropped as the socket type says: a full subscriber, an unknown routing id,
        a reply to nobody, a queue whose peer went away.
      bytes_sent, bytes_received: see `PeerStatistics`.
      reconnects: how often a connection was made again.
      hwm_reached: how often the queue for a peer became full.
      unfinished_handshakes: connections that are no peers yet: they have not said who they are, or wait for a place.
      tasks_waiting_send: tasks blocked in ``send``.
      tasks_waiting_receive: tasks blocked in ``receive``.
      peers: one entry for each peer, connected or queued for.
    """

    name: str | None
    socket_type: str
    endpoints: tuple[str, ...]
    number: int
    at: float
    messages_sent: int
    messages_received: int
    messages_dropped: int
    bytes_sent: int
    bytes_received: int
    reconnects: int
    hwm_reached: int
    unfinished_handshakes: int
    tasks_waiting_send: int
    tasks_waiting_receive: int
    peers: tuple[PeerStatistics, ...]

    def since(self, earlier: SocketStatistics) -> Rates:
        """What happened in each second between an earlier snapshot of the same socket and this one.

        Raises:
          ValueError: it is of another socket, or not earlier.
        """
        if self.number != earlier.number:
            raise ValueError(f"since() takes an earlier snapshot of {self._title}, not one of {earlier._title}")
        before = {peer.number: peer for peer in earlier.peers}
        seconds = self.at - earlier.at
        parts = [rates(peer._title, seconds, peer, before.get(peer.number)) for peer in self.peers]
        return rates((self._title,), seconds, self, earlier, parts)

    @property
    def _title(self) -> str:
        named = "" if self.name is None else f" {self.name!r}"
        return f"{self.socket_type}{named} {', '.join(self.endpoints) or 'without endpoint'}"

    def __str__(self) -> str:
        rows = [
            (
                *peer._title,
                "" if peer.since is None else duration(self.at - peer.since),
                count(peer.messages_sent),
                count(peer.messages_received),
                count(peer.messages_dropped),
                count(peer.send_queue),
                count(peer.receive_queue),
                size(peer.bytes_sent),
                size(peer.bytes_received),
                "" if peer.last_traffic is None else duration(self.at - peer.last_traffic),
                "" if peer.round_trip is None else duration(peer.round_trip),
            )
            for peer in self.peers
        ]
        head = (
            "#", "<peer", "<address", "<id", "for", "sent", "received", "dropped", "to send", "to receive", "out", "in",
            "idle", "round trip",
        )  # fmt: skip
        total = (
            f"{self._title}: {count(self.messages_sent)} sent, {count(self.messages_received)} received, "
            f"{count(self.messages_dropped)} dropped"
        )
        return table(total, head, rows, always=("#", "<peer", "<address", "sent", "received", "dropped"))


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ContextStatistics(Record):
    """The counters of a context's sockets; the sums count closed sockets, too.

    As a `str` it is a small table, with a row for each socket.

    Attributes:
      at: trio's time at which this was counted.
      messages_sent, messages_received, messages_dropped, bytes_sent, bytes_received, reconnects: sums of what
        `SocketStatistics` counts.
      connections: peers that are connected now.
      unfinished_handshakes: connections that are no peers yet.
      bytes_queued: of messages that wait to be received; None where ``max_queued_bytes`` does not bound them.
      sockets: one entry for each socket that is not closed, in the order in which they were made.
    """

    at: float
    messages_sent: int
    messages_received: int
    messages_dropped: int
    bytes_sent: int
    bytes_received: int
    reconnects: int
    connections: int
    unfinished_handshakes: int
    sockets: tuple[SocketStatistics, ...]
    bytes_queued: int | None = None

    def since(self, earlier: ContextStatistics) -> Rates:
        """What happened in each second between an earlier snapshot of the same context and this one.

        Raises:
          ValueError: it is not earlier.
        """
        before = {socket.number: socket for socket in earlier.sockets}
        seconds = self.at - earlier.at
        parts = [rates((one._title,), seconds, one, before.get(one.number)) for one in self.sockets]
        return rates((self._title,), seconds, self, earlier, parts)

    @property
    def _title(self) -> str:
        return f"{number_of(len(self.sockets), 'socket')}, {number_of(self.connections, 'connection')}"

    def __str__(self) -> str:
        rows = [
            (
                str(one.number),
                one._title,
                count(sum(peer.connected for peer in one.peers)),
                count(one.messages_sent),
                count(one.messages_received),
                count(one.messages_dropped),
                count(sum(peer.send_queue for peer in one.peers)),
                count(sum(peer.receive_queue for peer in one.peers)),
                size(one.bytes_sent),
                size(one.bytes_received),
                count(one.reconnects),
            )
            for one in self.sockets
        ]
        head = (
            "#", "<socket", "peers", "sent", "received", "dropped", "to send", "to receive", "out", "in", "reconnects",
        )  # fmt: skip
        unfinished = self.unfinished_handshakes
        beginning = f", {number_of(unfinished, 'unfinished handshake')}" if unfinished else ""
        if self.bytes_queued is not None:
            beginning += f", {size(self.bytes_queued)} to receive"
        total = (
            f"{self._title}{beginning}: {count(self.messages_sent)} sent, {count(self.messages_received)} received, "
            f"{count(self.messages_dropped)} dropped"
        )
        return table(total, head, rows, always=head[:6])


def _shown(routing_id: bytes) -> str:
    """A routing id as text that fits a table."""
    text = repr(routing_id)[2:-1]
    return text if len(text) <= 24 else f"{text[:23]}~"
