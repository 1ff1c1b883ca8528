"""The keyword arguments that options are given as.

Without ``from __future__ import annotations``: Python would compile the text of each annotation to make the class.
"""

from collections.abc import Iterable
from typing import TypedDict

from .._message import BytesLike
from .._security import Security


class OptionArguments(TypedDict, total=False):
    """The keyword arguments of `Context.socket`; see `Options` for what each means."""

    hwm: int
    send_hwm: int
    receive_hwm: int
    linger: float
    immediate: bool
    routing_id: bytes
    mechanism: Security | None
    accept_from: tuple[str, ...] | None
    max_message_size: float
    max_frames: int
    reconnect_interval: float
    reconnect_interval_max: float | None
    connect_timeout: float
    handshake_timeout: float
    greeting_timeout: float
    heartbeat_interval: float
    heartbeat_timeout: float | None
    heartbeat_ttl: float
    conflate: bool | str
    router_mandatory: bool
    router_handover: bool
    probe_router: bool
    req_correlate: bool
    req_relaxed: bool
    xpub_verbose: bool
    xpub_verboser: bool
    xpub_nodrop: bool
    invert_matching: bool
    max_subscriptions: float
    max_subscription_bytes: float
    busy_poll: float
    ipv6: bool
    backlog: int
    send_buffer: int | None
    receive_buffer: int | None
    tcp_keepalive: bool | None
    tcp_keepalive_idle: int | None
    tcp_keepalive_interval: int | None
    tcp_keepalive_count: int | None
    rate: int
    recovery_interval: float
    multicast_hops: int
    multicast_max_tpdu: int
    multicast_loop: bool
    ipc_mode: int | None
    max_peers: float
    max_handshakes: int
    max_waiting: int
    waiting_timeout: float
    topics: Iterable[BytesLike | str]
