"""The options of libzmq that triomq has in another form, or not at all; the tables in the reference show these texts.

Each text is a line of reStructuredText.
"""

from __future__ import annotations

from typing import Final

ALIASES: Final[dict[str, str]] = {
    "ZMQ_IDENTITY": "ZMQ_ROUTING_ID",
    "ZMQ_CONNECT_RID": "ZMQ_CONNECT_ROUTING_ID",
    "ZMQ_IPV4ONLY": "ZMQ_IPV6",
    "ZMQ_DELAY_ATTACH_ON_CONNECT": "ZMQ_IMMEDIATE",
    "ZMQ_FAIL_UNROUTABLE": "ZMQ_ROUTER_MANDATORY",
    "ZMQ_ROUTER_BEHAVIOR": "ZMQ_ROUTER_MANDATORY",
}
"""Old names of libzmq and the new ones (ZMQ_IPV4ONLY means the opposite of ZMQ_IPV6)."""

ELSEWHERE: Final[dict[str, str]] = {
    "ZMQ_HWM": "The argument ``hwm=`` of `Context.socket` sets ``send_hwm`` and ``receive_hwm``.",
    "ZMQ_SUBSCRIBE": "`SUB.subscribe`, or ``topics=`` at creation.",
    "ZMQ_UNSUBSCRIBE": "`SUB.unsubscribe`.",
    "ZMQ_PLAIN_SERVER": "`Plain.server` in ``mechanism``.",
    "ZMQ_PLAIN_USERNAME": "`Plain` in ``mechanism``.",
    "ZMQ_PLAIN_PASSWORD": "`Plain` in ``mechanism``.",
    "ZMQ_CURVE_SERVER": "`Curve.server` in ``mechanism``.",
    "ZMQ_CURVE_PUBLICKEY": "`KeyPair`, in `Curve` or `Curve.server`.",
    "ZMQ_CURVE_SECRETKEY": "`KeyPair`, in `Curve` or `Curve.server`.",
    "ZMQ_CURVE_SERVERKEY": "`Curve` in ``mechanism``.",
    "ZMQ_RCVTIMEO": "`trio.move_on_after` or `trio.fail_after` around the call.",
    "ZMQ_SNDTIMEO": "`trio.move_on_after` or `trio.fail_after` around the call.",
    "ZMQ_LAST_ENDPOINT": "`Socket.bind` returns it; `Socket.endpoints` lists all.",
    "ZMQ_TYPE": "The class of the socket, and its ``socket_type``.",
    "ZMQ_RCVMORE": "You receive whole messages: the items of a `Message` are its frames.",
    "ZMQ_MAX_SOCKETS": "The argument ``max_sockets=`` of `open_context`.",
    "ZMQ_EVENTS": "``send_nowait`` and ``receive_nowait`` try without waiting; `merge` watches several sockets.",
}
"""Options of libzmq that triomq has in another form."""

_LATER: Final = "Not yet: "
_ZAP: Final = "`triomq.auth.ZapClient` asks handlers of ZAP for all sockets of a context, with one domain."
_THREADS: Final = (
    "Everything runs in the tasks of your trio run; with ``open_context(io_thread=True)``, connections run in a thread "
    "of their own, which has no settings."
)
_OWN_STREAM: Final = "Write a transport of your own that opens the stream this way."
_NORM: Final = "There is no norm transport, and none is planned."
_GSSAPI: Final = "There is no GSSAPI mechanism, and none is planned."
_WSS: Final = _LATER + "there is no wss transport."
_MESSAGE: Final = _LATER + "libzmq's drafts of messages that the library itself sends."
_FILTER: Final = "``accept_from`` takes ``uid:N`` and ``gid:N``; `Context.authenticator` is told the whole process."
_MEMORY: Final = "Internal to libzmq; triomq adapts its batches by itself."

ABSENT: Final[dict[str, str]] = {
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
    "ZMQ_SOCKET_LIMIT": "``open_context(max_sockets=…)`` takes any number.",
    "ZMQ_MAX_MSGSZ": "Set ``max_message_size`` on each socket.",
    "ZMQ_MSG_T_SIZE": "Internal to libzmq.",
    "ZMQ_ZERO_COPY_RECV": _MEMORY,
    "ZMQ_IN_BATCH_SIZE": _MEMORY,
    "ZMQ_OUT_BATCH_SIZE": _MEMORY,
    "ZMQ_ZAP_DOMAIN": _ZAP,
    "ZMQ_ZAP_ENFORCE_DOMAIN": _ZAP,
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
    "ZMQ_RECONNECT_STOP": _LATER + "``reconnect_interval=math.inf`` or `Socket.disconnect` ends reconnecting.",
    "ZMQ_IPC_FILTER_PID": _FILTER,
    "ZMQ_IPC_FILTER_UID": _FILTER,
    "ZMQ_IPC_FILTER_GID": _FILTER,
    "ZMQ_TCP_MAXRT": _LATER + "heartbeats find a dead peer, on every transport.",
    "ZMQ_TOS": _OWN_STREAM,
    "ZMQ_PRIORITY": _OWN_STREAM,
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
