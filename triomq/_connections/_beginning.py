"""The beginning of a connection: a stream that a transport has just made becomes a session."""

from __future__ import annotations

from collections.abc import Callable

import trio

from .._transports import NonblockingStream, as_nonblocking
from ._session import Session


async def begin_session(
    stream: trio.abc.Stream, endpoint: str, new_session: Callable[[NonblockingStream], Session]
) -> Session:
    """Make the session of a new connection; where that fails, close the connection.

    Raises:
      TypeError: the transport has returned something that is no stream.
      MemoryError: there is no room for the session.
      Exception: whatever a protocol of the user's own raises.
    """
    nonblocking = as_nonblocking(stream, endpoint)
    try:
        return new_session(nonblocking)
    except BaseException:
        await trio.aclose_forcefully(stream)
        raise
