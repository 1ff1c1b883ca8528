"""What to write instead of names of pyzmq that ``triomq`` and its contexts do not have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from ._options import instead_of_option, nearest, option_meant

_BLOCK: Final = "async with triomq.open_context() as ctx:"
_MANY: Final = "a task for each socket, or 'async for socket, message in triomq.merge(a, b):'"
_PROXY: Final = "await triomq.proxy(frontend, backend)"
_MONITOR: Final = "async with socket.monitor() as events:, and its classes of events, such as triomq.Connected"
_ERRORS: Final = "errors are classes: trio.WouldBlock, trio.ClosedResourceError, triomq.WrongStateError, …"
_SECURITY: Final = (
    "ctx.socket(…, mechanism=…), which takes an object of triomq.Curve or triomq.Plain; without it is NULL"
)
_TRIO: Final = "nothing: triomq runs in trio, by trio.run(main), and needs no loop of its own"
_VERSION: Final = "triomq.__version__; there is no libzmq below"
_NOT_YET: Final = "there are no sockets of this type yet; the reference lists those that there are"

_MODULE: Final[Mapping[str, str]] = {
    **dict.fromkeys(("NOBLOCK", "DONTWAIT"), "socket.send_nowait(message), socket.receive_nowait()"),
    **dict.fromkeys(("SNDMORE", "MORE"), "await socket.send([frame, frame]), which sends all frames of a message"),
    **dict.fromkeys(
        ("Poller", "select", "zmq_poll", "poll", "POLLIN", "POLLOUT", "POLLERR", "POLLPRI", "PollEvent"), _MANY
    ),
    **dict.fromkeys(("ZMQError", "ZMQBaseError", "Error"), "triomq.ZmqError"),
    "Again": "trio.WouldBlock",
    "ContextTerminated": "trio.ClosedResourceError; the end of 'async with triomq.open_context()' closes its sockets",
    "ZMQBindError": "triomq.AddressInUseError",
    **dict.fromkeys(("InterruptedSystemCall", "NotDone", "ZMQVersionError", "Errno", "strerror", "zmq_errno"), _ERRORS),
    **dict.fromkeys(("asyncio", "green", "eventloop", "gevent", "curio", "run"), _TRIO),
    **dict.fromkeys(("CURVE", "PLAIN", "NULL", "SecurityMechanism"), _SECURITY),
    **dict.fromkeys(("curve_keypair", "curve_public"), "triomq.KeyPair.generate(), or 'triomq keygen' in the shell"),
    "GSSAPI": "nothing: there is no GSSAPI mechanism, and none is planned",
    "ssh": "nothing: open the tunnel with ssh -L, and connect to its near end",
    "log": "nothing: send your records with a socket of your own, or with logging.handlers",
    **dict.fromkeys(("device", "devices", "proxy_steerable", "QUEUE", "FORWARDER", "STREAMER", "DeviceType"), _PROXY),
    **dict.fromkeys(
        ("Frame", "MessageTracker", "COPY_THRESHOLD", "SHARED", "SRCFD", "MessageOption"),
        "bytes: each frame of a triomq.Message is bytes",
    ),
    **dict.fromkeys(("get_includes", "get_library_dirs", "DRAFT_API", "PYZMQ_DRAFT_API", "Stopwatch"), _VERSION),
    **dict.fromkeys(("zmq_version", "zmq_version_info", "pyzmq_version", "pyzmq_version_info", "has"), _VERSION),
    **dict.fromkeys(
        ("STREAM", "CLIENT", "SERVER", "RADIO", "DISH", "SCATTER", "GATHER", "PEER", "CHANNEL", "DGRAM"), _NOT_YET
    ),
    "UPSTREAM": "triomq.PULL",
    "DOWNSTREAM": "triomq.PUSH",
    "XREQ": "triomq.DEALER",
    "XREP": "triomq.ROUTER",
    **dict.fromkeys(("Event", "EVENT_ALL"), _MONITOR),
    "SocketType": "the classes of sockets, such as triomq.PUSH",
    **dict.fromkeys(("SocketOption", "ContextOption"), "ctx.socket(triomq.PUSH, linger=0)"),
    **dict.fromkeys(("context", "SyncContext", "AsyncContext", "instance", "init"), _BLOCK),
    **dict.fromkeys(("socket", "SyncSocket", "connect", "bind"), f"{_BLOCK} socket = ctx.socket(triomq.PUSH)"),
    "testing": "import triomq.testing, which is not imported with triomq",
    **dict.fromkeys(("sleep", "open_nursery", "move_on_after", "fail_after", "Cancelled"), "trio's own: import trio"),
}  # fmt: skip

_OPTIONS: Final = "options are given when a socket is made, as in ctx.socket(triomq.PUSH, linger=0)"
_CONTEXT: Final[Mapping[str, str]] = {
    **dict.fromkeys(("term", "destroy", "close", "aclose", "stop"), "leave the block, which closes its sockets"),
    **dict.fromkeys(
        ("set", "get", "setsockopt", "getsockopt", "sockopts", "setsockopt_string", "get_option", "options", "hwm"),
        _OPTIONS,
    ),
    **dict.fromkeys(("instance", "shadow", "shadow_pyczmq", "underlying"), f"write '{_BLOCK}', and pass ctx on"),
    **dict.fromkeys(
        ("io_threads", "IO_THREADS"),
        "all runs in the tasks of your trio run; triomq.open_context(io_thread=True) keeps the connections in a thread",
    ),
    **dict.fromkeys(("max_sockets", "MAX_SOCKETS"), "write triomq.open_context(max_sockets=…)"),
    **dict.fromkeys(
        ("bind", "connect", "send", "receive", "recv"), "a socket has that: socket = ctx.socket(triomq.PUSH)"
    ),
    **dict.fromkeys(("Socket", "create_socket", "open_socket"), "write ctx.socket(triomq.PUSH)"),
    **dict.fromkeys(("nursery", "start_soon"), "write 'async with trio.open_nursery() as nursery:'"),
    **dict.fromkeys(("monitor", "peers"), "each socket has that: for socket in ctx.sockets: …"),
}  # fmt: skip


def explain_name(name: str, public: Iterable[str], zmq_names: Mapping[str, str]) -> str:
    """What to write instead of ``triomq.<name>``.

    Args:
      public: the names that there are.
      zmq_names: our options, and for each the name in libzmq or nothing.
    """
    if instead := _MODULE.get(name):
        return f"write {instead}" if not instead.startswith(("nothing", "errors are", "there are")) else instead
    known = list(public)
    for other in known:
        if name.lower() == other.lower():
            return f"you mean triomq.{other}"
    if name.startswith("EVENT_"):
        return f"write {_MONITOR}"
    if name.startswith("PROTOCOL_ERROR_") or (name[:1] == "E" and name.isupper()):
        return _ERRORS
    if meant := option_meant(name, zmq_names):
        return f"options are given when a socket is made, as in ctx.socket(triomq.PUSH, {meant}=…)"
    if name.isupper() and (instead := instead_of_option(name)):
        return instead
    near = nearest(name, known)
    return f"you mean triomq.{near}?" if near else "help(triomq) and the reference list what there is"


def explain_on_context(name: str, public: Iterable[str], zmq_names: Mapping[str, str]) -> str:
    """What to write instead of ``ctx.<name>``.

    Args:
      public: the names of socket types.
      zmq_names: our options, and for each the name in libzmq or nothing.
    """
    if instead := _CONTEXT.get(name):
        return instead
    if name.upper() in public:
        return f"write ctx.socket(triomq.{name.upper()})"
    if option_meant(name, zmq_names):
        return _OPTIONS
    return instead_of_option(name) or "a context has socket(), sockets, closed and observe()"
