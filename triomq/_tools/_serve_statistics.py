"""Let another process, such as ``triomq top``, see the statistics of a context.

The socket is a REP. To whatever request, the reply is one frame of JSON in UTF-8, an object::

    {"format": "triomq statistics", "version": 1, "program": "feed.py", "pid": 4711, "statistics": {…}}

``statistics`` has the fields of `ContextStatistics`, as ``_statistics._json`` says. Fields may be added; the version is
raised when one changes its meaning or goes.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Final

import attrs
import trio

from .._context import Context
from .._security import Security
from .._sockets import REP
from .._statistics import to_plain

_VERSION: Final = 1
_MOST_READERS: Final = 16
_LONGEST_REQUEST: Final = 1000  # bytes
_NAME: Final = "triomq statistics"
_SUMS: Final = (
    "messages_sent", "messages_received", "messages_dropped", "bytes_sent", "bytes_received", "reconnects",
    "unfinished_handshakes",
)  # fmt: skip


@trio.lowlevel.enable_ki_protection
async def serve_statistics(
    ctx: Context,
    endpoint: str,
    *,
    mechanism: Security | None = None,
    task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Show the statistics of a context to whoever asks: ``triomq top ENDPOINT``.

    The statistics hold addresses, routing ids and counters of peers, and no message. Choose an endpoint that only
    people you trust can reach, such as an ``ipc://`` path in a directory of yours. The socket that answers is not among
    the sockets that it shows.

    Args:
      ctx: what to show.
      endpoint: to bind, as for `Socket.bind`.
      mechanism: as for `Context.socket`: how the connections to those who ask are secured.
    Returns: when the context is left. ``await nursery.start(triomq.serve_statistics, ctx, endpoint)`` returns the
      endpoint that is bound, without wildcards.
    Cancellation: nobody can ask any more.
    Raises:
      EndpointError, AddressInUseError, OSError: the endpoint cannot be bound.
      trio.ClosedResourceError: the context was left before.
    """
    rep = ctx.socket(
        REP, name=_NAME, linger=0, hwm=2, max_peers=_MOST_READERS, max_message_size=_LONGEST_REQUEST,
        mechanism=mechanism,
    )  # fmt: skip
    async with rep:
        task_status.started(await rep.bind(endpoint))
        try:
            async for _ in rep:
                await rep.send(_describe(ctx, rep))
        except trio.ClosedResourceError:
            if not ctx.closed:
                raise


def _describe(ctx: Context, without: REP) -> bytes:
    snapshot, own = ctx.statistics(), without.statistics()
    others = tuple(socket for socket in snapshot.sockets if socket.number != own.number)
    sums = {name: getattr(snapshot, name) - getattr(own, name) for name in _SUMS}
    connections = snapshot.connections - sum(peer.connected for peer in own.peers)
    reply = {
        "format": _NAME,
        "version": _VERSION,
        "program": Path(sys.argv[0]).name if sys.argv else "",
        "pid": os.getpid(),
        "statistics": to_plain(attrs.evolve(snapshot, sockets=others, connections=connections, **sums)),
    }
    return json.dumps(reply, separators=(",", ":")).encode()
