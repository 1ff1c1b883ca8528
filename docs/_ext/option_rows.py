"""The entries of the options page; no Sphinx here, so that a test can read them too.

triomq's options come from `triomq.Options`; what becomes of the other options of libzmq, its errors tell too.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import attrs

from triomq import Options
from triomq._advice import ABSENT, ALIASES, ELSEWHERE

WHEN = {
    "send_hwm": "Lower the mark where a message is out of date before the queue is empty, or where memory is short. "
    "Raise the mark where bursts are longer. :doc:`/how-to/choose-hwm` has the reasons.",
    "receive_hwm": "As ``send_hwm``. A peer feels it only when the buffers of both systems are full, too.",
    "linger": "Raise it where messages are large or a link is slow, ``math.inf`` to wait for ever. Use 0 to stop at "
    "once. A cancelled scope ends the lingering early.",
    "immediate": "Use it where a message must not wait for a peer that may never come. Messages for a connection that "
    "breaks are then dropped.",
    "routing_id": "Set it where a ROUTER is to know this socket again after a reconnect, or where a program of the "
    "ROUTER's sends to it by name. No two peers of one ROUTER may use the same name.",
    "mechanism": "Set it on every socket that leaves the machine, at both ends. "
    ":doc:`/reference/security` has the choices.",
    "accept_from": "Set it where a socket must be bound to an interface that others reach, too. Who is closed out is "
    "not told, and tries again. :doc:`/how-to/authenticate` has an example.",
    "max_message_size": "Set it on every socket that strangers can reach: it bounds the memory that one peer can take.",
    "max_frames": "Raise it at both ends to send messages of more frames.",
    "reconnect_interval": "Raise it where very many clients come back at once. Lower it where the peer is near.",
    "reconnect_interval_max": "Lower it where a service must be back within seconds of its restart; see also "
    "``connect_timeout``. :doc:`/how-to/survive-restarts` has an example.",
    "connect_timeout": "Lower it on networks where a lost packet is usual: an attempt that meets a dead host lasts for "
    "the whole of it.",
    "handshake_timeout": "Raise it only for peers that take very long to begin.",
    "greeting_timeout": "Lower it on a socket that strangers can reach. Raise it for peers that compute before they "
    "say anything.",
    "heartbeat_interval": "Set it where a peer can vanish without a word: a cable, a suspended machine, a firewall "
    "that forgets connections. Without heartbeats only the next failing write finds out, after minutes.",
    "heartbeat_timeout": "Raise it above the longest time for which the peer may compute without a pause.",
    "heartbeat_ttl": "Set it where the peer is to give us up as soon as we give the peer up.",
    "conflate": "Use it for readings of which only the newest matters. Messages must have one frame at a libzmq peer.",
    "router_mandatory": "Use it where a reply to a peer that has left is an error of your program.",
    "router_handover": "Use it where a client with a fixed name restarts faster than its old connection ends.",
    "probe_router": "Use it where a ROUTER must know of this socket before the socket has anything to say.",
    "req_correlate": "Use it with a ROUTER that needs the ``routing_id`` of a REQ after a request was given up, or "
    "that may answer the wrong question.",
    "req_relaxed": "Use it where ``send`` shall start anew without an answer. `REQ.request` with a cancel scope does "
    "the same without the option.",
    "xpub_verbose": "Use it where every subscriber matters, as for a last value cache.",
    "xpub_verboser": "Use it where you count the subscribers of a topic yourself.",
    "xpub_nodrop": "Use it where a slow subscriber may slow down everybody.",
    "invert_matching": "Set it at both ends: the publisher filters, and the subscriber filters again.",
    "max_subscriptions": "Raise it for a peer that subscribes to very many topics, such as a proxy.",
    "max_subscription_bytes": "As ``max_subscriptions``, for long topics.",
    "busy_poll": "Use it for one peer that answers within microseconds, where the program has a core to spare. 30e-6 "
    "is a good value.",
    "ipv6": "Set it to False on machines where IPv6 is configured and does not work.",
    "backlog": "Lower it where newcomers are to be refused while the program is busy.",
    "send_buffer": "Raise it for links that are fast and far. Lower it where queues are to be short: what lies in this "
    "buffer counts against no HWM.",
    "receive_buffer": "As ``send_buffer``.",
    "tcp_keepalive": "Prefer heartbeats, which find more, on every transport. Use it with peers before ZMTP 3.1.",
    "tcp_keepalive_idle": "Set it below the time after which a firewall forgets an idle connection.",
    "tcp_keepalive_interval": "Rarely.",
    "tcp_keepalive_count": "Rarely.",
    "rate": "Set it to what the network and the slowest receiver can take. Give libzmq peers the same rate: "
    "their ``ZMQ_RATE`` is in kbit/s, ``rate * 8 // 1000``. :doc:`/how-to/multicast` has the reasons.",
    "recovery_interval": "Raise it where receivers may be away for longer. Lower it where memory is short.",
    "multicast_hops": "Raise it where routers between the networks pass multicast on.",
    "multicast_max_tpdu": "Raise it on networks with larger frames. A libzmq receiver needs the same value or more.",
    "multicast_loop": "Set it to False where no receiver is on the sender's machine.",
    "ipc_mode": "Set it where other users shall connect, or shall not.",
    "max_peers": "Set it where the number of clients is known, and a mistake of theirs must not cost more.",
    "max_handshakes": "Lower it where memory is short: each takes up to 128 KiB.",
    "max_waiting": "Raise it where many clients share names that are in use by turns.",
    "waiting_timeout": "Lower it where a client shall try elsewhere when its place is taken.",
}
"""When to change each option of triomq, as reStructuredText."""


class Entry(NamedTuple):
    """One option of triomq; every item but the name is reStructuredText."""

    name: str
    type: str
    default: str
    meaning: str
    when: str
    facts: str


def our_options() -> list[Entry]:
    """The options of `triomq.Options`, in its order."""
    return [_entry(field) for field in attrs.fields(Options)]


def _entry(field: attrs.Attribute[Any]) -> Entry:
    told = field.metadata
    types = "all" if "all" in told["types"] else ", ".join(sorted(told["types"]))
    libzmq = f"``{told['zmq']}``, default {told['libzmq']}" if told["zmq"] else "no such option"
    facts = [f"libzmq: {libzmq}", f"socket types: {types}"]
    if told["unit"]:
        facts.insert(0, f"unit: {told['unit']}")
    default = "math.inf" if field.default == math.inf else repr(field.default)
    annotation = str(field.type).removeprefix("<class '").removesuffix("'>")
    return Entry(field.name, annotation, default, told["doc"], WHEN[field.name], "; ".join(facts))


def libzmq_options() -> dict[str, str]:
    """Every option of libzmq, sorted by name, with what triomq has in its place, as reStructuredText."""
    found = {field.metadata["zmq"]: f"``{field.name}``" for field in attrs.fields(Options) if field.metadata["zmq"]}
    found |= ELSEWHERE | ABSENT
    for old, new in ALIASES.items():
        found[old] = f"The old name of ``{new}``: {found[new]}"
    found["ZMQ_IPV4ONLY"] = "The opposite of ``ZMQ_IPV6``: ``ipv6``"
    return dict(sorted(found.items()))
