"""Connections to a peer that is probed, what it says on them, and what is known of it then."""

from __future__ import annotations

import errno
from typing import Final

import attrs
import trio

from .. import EndpointError, Options
from .._transports import default_transports
from ..zmtp import Connection, Ping, Pong
from ._exits import TIMED_OUT, Failure, UsageError, describe
from ._peer_greeting import show

_PINGS: Final = 3
_MOST: Final = 100_000
"""bytes of a handshake"""


@attrs.define(kw_only=True)
class Finding:
    """What is known of a peer.

    Attributes:
      connected: seconds that the connection took.
      socket_type: None if the peer did not say.
      talks_to: the types that this type talks to.
      identity: the routing id that it announced.
      properties: what else it said of itself.
      round_trip: seconds from a PING to its PONG, the shortest of three.
      note: why there is no more.
      met: the handshake is complete, or was left out for the peer's sake.
    """

    endpoint: str
    connected: float
    version: tuple[int, int] | None = None
    mechanism: str | None = None
    socket_type: str | None = None
    talks_to: list[str] = attrs.Factory(list)
    identity: str = ""
    properties: dict[str, str] = attrs.Factory(dict)
    round_trip: float | None = None
    note: str = ""
    met: bool = False


class ProbedPeer:
    """A connection to the peer, and all that the peer has said."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self.said: bytes = b""
        self._stream = stream

    async def send(self, data: bytes) -> None:
        """Send bytes. A peer that has hung up may have said why: `more` tells."""
        try:
            await self._stream.send_all(data)
        except trio.BrokenResourceError:
            pass  # as `more` will find

    def told(self) -> str:
        """What the peer has said, in words."""
        return f"it had said {show(self.said)}" if self.said else "it said nothing"

    async def more(self) -> bytes:
        """Wait for more bytes. Returns: these alone.

        Raises:
          ValueError: the peer has hung up, or does not end.
        """
        try:
            data = await self._stream.receive_some()
        except trio.BrokenResourceError:
            data = b""
        if not data:
            raise ValueError(f"it closed the connection in the middle of the handshake; {self.told()}")
        self.said += data
        if len(self.said) > _MOST:
            raise ValueError(f"it said more than {_MOST} bytes, and no end of its handshake among them")
        return bytes(data)


async def connect_to(endpoint: str, patience: float) -> tuple[trio.abc.Stream, Finding]:
    """Connect to an endpoint.

    Raises:
      UsageError: it is no endpoint that can be probed.
      Failure: nobody is there, and why.
    """
    scheme, separator, address = endpoint.partition("://")
    transport = default_transports().get(scheme)
    if scheme == "inproc":
        raise UsageError("inproc endpoints are within one program: nobody outside can see them")
    if transport is None or not separator:
        text = (
            f"{endpoint!r} cannot be probed; an endpoint is tcp://HOST:PORT, ipc://PATH or epgm://INTERFACE;GROUP:PORT"
        )
        raise UsageError(text)
    try:
        transport.check_connect(address)
        began = trio.current_time()
        with trio.fail_after(patience):
            stream = await transport.connect(transport.fix_address(address), Options())
        return stream, Finding(endpoint=endpoint, connected=trio.current_time() - began)
    except EndpointError as exc:
        raise UsageError(str(exc)) from exc
    except trio.TooSlowError:
        text = f"{endpoint}: no answer within {patience:g} s: no such machine, or a firewall before it"
        raise Failure(text, TIMED_OUT) from None
    except OSError as exc:
        raise Failure(f"{describe(exc)}{_HINTS.get(exc.errno or 0, '')}") from exc


_HINTS = {
    errno.ECONNREFUSED: "; the machine answers, but nobody listens there",
    errno.ENOENT: "; nobody has bound this path",
    errno.EACCES: "; the file's permissions decide that",
}


def too_slow(peer: ProbedPeer, finding: Finding, patience: float) -> Failure:
    """What the peer did not do within ``patience`` seconds."""
    if finding.met:
        what = f"it completed the handshake as a {finding.socket_type}, but answered no PING within {patience:g} s"
    else:
        what = f"it took the connection, but the handshake was not over within {patience:g} s; {peer.told()}"
    return Failure(f"{finding.endpoint}: {what}", TIMED_OUT)


async def measure_round_trip(peer: ProbedPeer, connection: Connection) -> float:
    """Seconds from a PING to its PONG, the shortest of three."""
    return min([await _ping(peer, connection, str(number).encode()) for number in range(_PINGS)])


async def _ping(peer: ProbedPeer, connection: Connection, context: bytes) -> float:
    buffers: list[bytes] = []
    connection.encode([Ping(context=context)], buffers)
    began = trio.current_time()
    await peer.send(b"".join(buffers))
    while True:
        peer.said = b""
        events = connection.receive_data(await peer.more())
        if Pong(context) in events:
            return trio.current_time() - began
        if answer := connection.data_to_send():
            await peer.send(answer)
