"""Statistics as a person reads them."""

from __future__ import annotations

import math

import attrs
import pytest

from triomq import ContextStatistics, Peer, PeerStatistics, SocketStatistics
from triomq._statistics._table import duration, size

PEER = Peer(
    endpoint="tcp://127.0.0.1:5555", address="tcp://127.0.0.1:40312", socket_type="SUB", routing_id=b"", since=88.0,
    number=1,
)  # fmt: skip


def row(number: int, peer: Peer | None, **others: object) -> PeerStatistics:
    values: dict[str, object] = {
        "endpoint": "tcp://127.0.0.1:5555", "address": "" if peer is None else peer.address, "routing_id": b"",
        "messages_sent": 0, "messages_received": 0, "messages_dropped": 0, "bytes_sent": 0, "bytes_received": 0,
        "last_traffic": None, "round_trip": None, "reconnects": 0, "hwm_reached": 0, "send_queue": 0,
        "control_queue": 0, "receive_queue": 0, "send_hwm": 1000, "receive_hwm": math.inf,
    }  # fmt: skip
    return PeerStatistics(number=number, peer=peer, **{**values, **others})  # type: ignore[arg-type]


def socket(*peers: PeerStatistics, at: float = 100.0, **others: object) -> SocketStatistics:
    values: dict[str, object] = {
        "name": "prices", "socket_type": "PUB", "endpoints": ("tcp://127.0.0.1:5555",), "number": 1,
        "messages_sent": 12_345, "messages_received": 0, "messages_dropped": 3609, "bytes_sent": 2_000_000,
        "bytes_received": 39, "reconnects": 0, "hwm_reached": 1, "unfinished_handshakes": 0, "tasks_waiting_send": 0,
        "tasks_waiting_receive": 0,
    }  # fmt: skip
    return SocketStatistics(at=at, peers=peers, **{**values, **others})  # type: ignore[arg-type]


def test_a_socket_with_three_peers_that_can_be_told_apart() -> None:
    peers = (
        row(1, PEER, messages_sent=12_000, bytes_sent=1_234_567, last_traffic=99.5),
        row(2, Peer(**{**vars_of(PEER), "address": "tcp://10.0.0.7:40400", "since": 9.0}), messages_sent=345,
            messages_dropped=3609, send_queue=1000, bytes_sent=34_500, last_traffic=98.0, round_trip=0.000_412),
        row(3, None, endpoint="tcp://backup:5555", send_queue=7),
    )  # fmt: skip
    assert str(socket(*peers)) == (
        "PUB 'prices' tcp://127.0.0.1:5555: 12,345 sent, 0 received, 3,609 dropped\n"
        "  #  peer    address                 for    sent  received  dropped  to send      out    idle  round trip\n"
        "  1  SUB     tcp://127.0.0.1:40312  12 s  12,000         0        0        0  1.23 MB  500 ms           -\n"
        "  2  SUB     tcp://10.0.0.7:40400   91 s     345         0    3,609    1,000  34.5 kB     2 s      412 us\n"
        "  3  nobody  tcp://backup:5555         -       0         0        0        7        0       -           -"
    )


def vars_of(peer: Peer) -> dict[str, object]:
    return {name: getattr(peer, name) for name in ("endpoint", "socket_type", "routing_id", "number")}


def test_a_name_that_a_peer_has_is_a_column() -> None:
    text = str(socket(row(1, PEER, routing_id=b"wor\nker-" + b"x" * 40)))
    assert text.splitlines()[1].split() == ["#", "peer", "address", "id", "for", "sent", "received", "dropped"]
    assert r"wor\nker-xxxxxxxxxxxxxx~" in text


def test_a_socket_without_peers_is_one_line() -> None:
    text = str(socket(name=None, socket_type="PULL", endpoints=()))
    assert text == "PULL without endpoint: 12,345 sent, 0 received, 3,609 dropped"


def test_what_happened_in_each_second() -> None:
    earlier = socket(row(1, PEER, messages_sent=10, bytes_sent=1000), at=98.0, messages_sent=10)
    later = socket(
        row(1, PEER, messages_sent=2010, bytes_sent=3_001_000), row(2, PEER, messages_sent=1), messages_sent=2011
    )
    rates = later.since(earlier)
    assert (rates.seconds, rates.messages_sent, rates.messages_dropped) == (2.0, 1000.5, 0.0)
    assert [part.messages_sent for part in rates.parts] == [1000.0, 0.5]
    assert str(rates) == (
        "PUB 'prices' tcp://127.0.0.1:5555, in 2 s: 1,000/s sent, 0/s received, 0/s dropped\n"
        "  #  peer  address                sent/s  received/s  dropped/s   out/s\n"
        "  1  SUB   tcp://127.0.0.1:40312   1,000           0          0  1.5 MB\n"
        "  2  SUB   tcp://127.0.0.1:40312     0.5           0          0       0"
    )


def test_snapshots_that_do_not_belong_together() -> None:
    with pytest.raises(ValueError, match=r"takes an earlier snapshot of PUB 'prices' tcp://127.0.0.1:5555, not one of"):
        socket().since(socket(number=2, at=90.0))
    for at in (100.0, 101.0):
        with pytest.raises(ValueError, match="takes an earlier snapshot"):
            socket().since(socket(at=at))


def test_a_context() -> None:
    sockets = (socket(row(1, PEER)), socket(name=None, socket_type="PULL", number=12, messages_dropped=0))
    values = {"messages_sent": 24_690, "messages_received": 0, "messages_dropped": 3609, "bytes_sent": 0}
    context = ContextStatistics(
        at=100.0, bytes_received=0, reconnects=0, connections=1, unfinished_handshakes=2, sockets=sockets, **values
    )
    assert str(context) == (
        "2 sockets, 1 connection, 2 unfinished handshakes: 24,690 sent, 0 received, 3,609 dropped\n"
        "   #  socket                             peers    sent  received  dropped   out    in\n"
        "   1  PUB 'prices' tcp://127.0.0.1:5555      1  12,345         0    3,609  2 MB  39 B\n"
        "  12  PULL tcp://127.0.0.1:5555              0  12,345         0        0  2 MB  39 B"
    )
    bounded = attrs.evolve(context, bytes_queued=1_500_000)
    assert str(bounded).startswith("2 sockets, 1 connection, 2 unfinished handshakes, 1.5 MB to receive: 24,690 sent")
    before = ContextStatistics(
        at=90.0, bytes_received=0, reconnects=0, connections=1, unfinished_handshakes=0, sockets=(), **values
    )
    assert str(context.since(before)).splitlines()[0] == (
        "2 sockets, 1 connection, in 10 s: 0/s sent, 0/s received, 0/s dropped"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (999, "999 B"), (1000, "1 kB"), (999_400, "999 kB"), (999_600, "1 MB"), (2.5e9, "2.5 GB"),
     (7.2e15, "7,200.0 TB")],
)  # fmt: skip
def test_a_size(value: float, text: str) -> None:
    assert size(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0 ms"), (12e-6, "12 us"), (0.0015, "1.5 ms"), (0.9999, "1 s"), (59.44, "59.4 s"), (120, "2 min"),
     (7200, "2 h")],
)  # fmt: skip
def test_durations(value: float, text: str) -> None:
    assert duration(value) == text
