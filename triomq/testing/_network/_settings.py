"""What a link between two hosts is like."""

from __future__ import annotations

import math
from typing import Any, TypedDict

import attrs


def _seconds(_: object, field: attrs.Attribute[Any], value: Any) -> None:
    if not isinstance(value, (int, float)) or not 0 <= value < math.inf:
        raise ValueError(f"{field.name}={value!r}: it is a time in seconds, 0 or more")


def _rate(_: object, field: attrs.Attribute[Any], value: Any) -> None:
    if not isinstance(value, (int, float)) or not value > 0:
        raise ValueError(f"{field.name}={value!r}: it is above 0 (math.inf for no bound)")


def _chance(_: object, field: attrs.Attribute[Any], value: Any) -> None:
    if not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise ValueError(f"{field.name}={value!r}: it is a chance, from 0 to 1")


def _size(_: object, field: attrs.Attribute[Any], value: Any) -> None:
    if not isinstance(value, int) or value < 1:
        raise ValueError(f"{field.name}={value!r}: it is a whole number of bytes, 1 or more")


@attrs.frozen(kw_only=True)
class LinkSettings:
    """One direction of a link. A change holds for what is sent later; one of a buffer's size, for later connections.

    Attributes:
      latency: seconds that every segment takes.
      jitter: seconds that chance adds to a segment's latency at the most. Bytes keep their order all the same;
        datagrams overtake each other.
      bandwidth: bytes in a second that all connections and datagrams in this direction have together. A datagram that
        finds ``send_buffer`` bytes waiting before it is lost.
      loss: chance that a segment is lost, each time it is sent; acknowledgements, calls to connect and resets too. TCP
        sends again; what is seen is that things come later. With 1.0 nothing ever arrives. A datagram to a multicast
        group is lost for each receiver by itself.
      duplication: chance that a datagram arrives twice. TCP sorts out what is doubled.
      fragmentation: chance that a write, a segment or a read is cut short at a random byte.
      segment_size: bytes that travel together, at the most.
      send_buffer: bytes that the sender's kernel keeps and has not sent, at the most. The option ``send_buffer`` of a
        socket overrides it.
      receive_buffer: bytes that are on their way or not yet read, at the most. The option ``receive_buffer`` of a
        socket overrides it. So a connection carries no more than that in one round trip.
      give_up: seconds of retransmission without an answer after which a connection is dead. Linux's default comes to
        924.6. A stream that its program has closed is dead after 102.2 s, or after this time if it is shorter.
    """

    latency: float = attrs.field(default=0.001, validator=_seconds)
    jitter: float = attrs.field(default=0.0, validator=_seconds)
    bandwidth: float = attrs.field(default=math.inf, validator=_rate)
    loss: float = attrs.field(default=0.0, validator=_chance)
    duplication: float = attrs.field(default=0.0, validator=_chance)
    fragmentation: float = attrs.field(default=0.0, validator=_chance)
    segment_size: int = attrs.field(default=16384, validator=_size)
    send_buffer: int = attrs.field(default=65536, validator=_size)
    receive_buffer: int = attrs.field(default=65536, validator=_size)
    give_up: float = attrs.field(default=924.6, validator=_rate)


class LinkArguments(TypedDict, total=False):
    """The keyword arguments of `VirtualNetwork.link`; see `LinkSettings` for what each means."""

    latency: float
    jitter: float
    bandwidth: float
    loss: float
    duplication: float
    fragmentation: float
    segment_size: int
    send_buffer: int
    receive_buffer: int
    give_up: float
