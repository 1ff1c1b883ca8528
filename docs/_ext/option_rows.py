"""The entries of the options page; no Sphinx here, so that a test can read them too.

triomq's options come from `triomq.Options`; the tables below hold the other options of libzmq.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import attrs

from triomq import Options

ALIASES = {
    "ZMQ_IDENTITY": "ZMQ_ROUTING_ID",
    "ZMQ_CONNECT_RID": "ZMQ_CONNECT_ROUTING_ID",
    "ZMQ_IPV4ONLY": "ZMQ_IPV6",
    "ZMQ_DELAY_ATTACH_ON_CONNECT": "ZMQ_IMMEDIATE",
    "ZMQ_FAIL_UNROUTABLE": "ZMQ_ROUTER_MANDATORY",
    "ZMQ_ROUTER_BEHAVIOR": "ZMQ_ROUTER_MANDATORY",
}
"""Old names of libzmq and the new ones (ZMQ_IPV4ONLY means the opposite of ZMQ_IPV6)."""

ELSEWHERE = {
    "ZMQ_HWM": "The argument ``hwm=`` of `Context.socket` sets ``send_hwm`` and ``receive_hwm``.",
    "ZMQ_SUBSCRIBE": "`SUB.subscribe`, or ``topics=`` at creation.",
    "ZMQ_UNSUBSCRIBE": "`SUB.unsubscribe`.",
    "ZMQ_RCVTIMEO": "`trio.move_on_after` or `trio.fail_after` around the call.",
    "ZMQ_SNDTIMEO": "`trio.move_on_after` or `trio.fail_after` around the call.",
    "ZMQ_LAST_ENDPOINT": "`Socket.bind` returns it; `Socket.endpoints` lists all.",
    "ZMQ_TYPE": "The class of the socket, and its ``socket_type``.",
    "ZMQ_RCVMORE": "You receive whole messages: the items of a `Message` are its frames.",
    "ZMQ_EVENTS": "``send_nowait`` and ``receive_nowait`` try without waiting; `merge` watches several sockets.",
}
"""Options of libzmq that triomq has in another form."""

_LATER = "Not yet: "
_SECURITY = _LATER + "triomq has only the NULL mechanism."
_THREADS = "There are no threads: everything runs in the tasks of your trio run."
_OWN_STREAM = "Write a transport of your own that opens the stream this way."
_NORM = "There is no norm transport, and none is planned."
_GSSAPI = "There is no GSSAPI mechanism, and none is planned."
_WSS = _LATER + "there is no wss transport."
_MESSAGE = _LATER + "libzmq's drafts of messages that the library itself sends."
_FILTER = _LATER + "accepted connections are limited by ``max_peers`` and ``max_handshakes`` only."
_MEMORY = "Internal to libzmq; triomq adapts its batches by itself."

ABSENT = {
    "ZMQ_AFFINITY": _THREADS,
    "ZMQ_IO_THREADS": _THREADS,
    "ZMQ_THREAD_PRIORITY": _THREADS,
    "ZMQ_THREAD_SCHED_POLICY": _THREADS,
    "ZMQ_THREAD_AFFINITY_CPU_ADD": _THREADS,
    "ZMQ_THREAD_AFFINITY_CPU_REMOVE": _THREADS,
    "ZMQ_THREAD_NAME_PREFIX": _THREADS + " The tasks have names: ``triomq dialer …``, ``triomq session …``.",
    "ZMQ_THREAD_SAFE": "No socket is thread-safe: each belongs to one trio run.",
    "ZMQ_FD": "Let a task wait in ``receive``. libzmq's file descriptor is edge-triggered and easily misread.",
    "ZMQ_BLOCKY": "Leaving a context never blocks for longer than ``linger``.",
    "ZMQ_MAX_SOCKETS": "There is no such limit.",
    "ZMQ_SOCKET_LIMIT": "There is no such limit.",
    "ZMQ_MAX_MSGSZ": "Set ``max_message_size`` on each socket.",
    "ZMQ_MSG_T_SIZE": "Internal to libzmq.",
    "ZMQ_ZERO_COPY_RECV": _MEMORY,
    "ZMQ_IN_BATCH_SIZE": _MEMORY,
    "ZMQ_OUT_BATCH_SIZE": _MEMORY,
    "ZMQ_MECHANISM": _SECURITY,
    "ZMQ_PLAIN_SERVER": _SECURITY,
    "ZMQ_PLAIN_USERNAME": _SECURITY,
    "ZMQ_PLAIN_PASSWORD": _SECURITY,
    "ZMQ_CURVE_SERVER": _SECURITY,
    "ZMQ_CURVE_PUBLICKEY": _SECURITY,
    "ZMQ_CURVE_SECRETKEY": _SECURITY,
    "ZMQ_CURVE_SERVERKEY": _SECURITY,
    "ZMQ_ZAP_DOMAIN": _SECURITY,
    "ZMQ_ZAP_ENFORCE_DOMAIN": _SECURITY,
    "ZMQ_GSSAPI_SERVER": _GSSAPI,
    "ZMQ_GSSAPI_PRINCIPAL": _GSSAPI,
    "ZMQ_GSSAPI_SERVICE_PRINCIPAL": _GSSAPI,
    "ZMQ_GSSAPI_PLAINTEXT": _GSSAPI,
    "ZMQ_GSSAPI_PRINCIPAL_NAMETYPE": _GSSAPI,
    "ZMQ_GSSAPI_SERVICE_PRINCIPAL_NAMETYPE": _GSSAPI,
    "ZMQ_CONNECT_ROUTING_ID": "`ROUTER.connect` takes it: ``router.connect(endpoint, routing_id=b'…')``.",
    "ZMQ_METADATA": _LATER + "the metadata that peers send is in `Peer`.",
    "ZMQ_ROUTER_RAW": "For raw TCP, use trio's own streams.",
    "ZMQ_STREAM_NOTIFY": _LATER + "there is no STREAM socket; trio's own streams are raw TCP.",
    "ZMQ_ROUTER_NOTIFY": "`Socket.monitor` has an event for each peer that comes or goes.",
    "ZMQ_XPUB_MANUAL": _LATER + "an XPUB always applies the subscriptions that it reports.",
    "ZMQ_XPUB_MANUAL_LAST_VALUE": _LATER + "an XPUB always applies the subscriptions that it reports.",
    "ZMQ_XPUB_WELCOME_MSG": _LATER + "`PUB.wait_subscribers` covers the most usual purpose of such a message.",
    "ZMQ_ONLY_FIRST_SUBSCRIBE": _LATER + "every frame is examined.",
    "ZMQ_XSUB_VERBOSE_UNSUBSCRIBE": _LATER + "only the last cancellation of a topic goes upstream.",
    "ZMQ_TOPICS_COUNT": _LATER + "a SUB's user knows its own subscriptions.",
    "ZMQ_HELLO_MSG": _MESSAGE,
    "ZMQ_DISCONNECT_MSG": _MESSAGE,
    "ZMQ_HICCUP_MSG": _MESSAGE,
    "ZMQ_RECONNECT_STOP": _LATER + "only a peer's ERROR command, or `Socket.disconnect`, ends reconnecting.",
    "ZMQ_TCP_ACCEPT_FILTER": _FILTER,
    "ZMQ_IPC_FILTER_PID": _FILTER,
    "ZMQ_IPC_FILTER_UID": _FILTER + " ``ipc_mode`` and the directory's permissions decide who may connect.",
    "ZMQ_IPC_FILTER_GID": _FILTER + " ``ipc_mode`` and the directory's permissions decide who may connect.",
    "ZMQ_TCP_MAXRT": _LATER + "heartbeats find a dead peer, on every transport.",
    "ZMQ_TOS": _OWN_STREAM,
    "ZMQ_PRIORITY": _OWN_STREAM,
    "ZMQ_BUSY_POLL": _OWN_STREAM,
    "ZMQ_BINDTODEVICE": _OWN_STREAM + " An interface's address can be bound: ``tcp://eth0:5555``.",
    "ZMQ_USE_FD": _OWN_STREAM,
    "ZMQ_SOCKS_PROXY": _OWN_STREAM,
    "ZMQ_SOCKS_USERNAME": _OWN_STREAM,
    "ZMQ_SOCKS_PASSWORD": _OWN_STREAM,
    "ZMQ_LOOPBACK_FASTPATH": "For Windows before 8 only.",
    "ZMQ_VMCI_BUFFER_SIZE": "There is no vmci transport, and none is planned.",
    "ZMQ_VMCI_BUFFER_MIN_SIZE": "There is no vmci transport, and none is planned.",
    "ZMQ_VMCI_BUFFER_MAX_SIZE": "There is no vmci transport, and none is planned.",
    "ZMQ_VMCI_CONNECT_TIMEOUT": "There is no vmci transport, and none is planned.",
    "ZMQ_WSS_KEY_PEM": _WSS,
    "ZMQ_WSS_CERT_PEM": _WSS,
    "ZMQ_WSS_TRUST_PEM": _WSS,
    "ZMQ_WSS_HOSTNAME": _WSS,
    "ZMQ_WSS_TRUST_SYSTEM": _WSS,
    **dict.fromkeys(
        (
            "ZMQ_NORM_MODE", "ZMQ_NORM_UNICAST_NACK", "ZMQ_NORM_BUFFER_SIZE", "ZMQ_NORM_SEGMENT_SIZE",
            "ZMQ_NORM_BLOCK_SIZE", "ZMQ_NORM_NUM_PARITY", "ZMQ_NORM_NUM_AUTOPARITY", "ZMQ_NORM_PUSH",
        ),
        _NORM,
    ),
}  # fmt: skip
"""Options of libzmq that triomq does not have, and why."""


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
