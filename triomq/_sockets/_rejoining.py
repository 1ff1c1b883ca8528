"""A connection that was disconnected, and still sends, is taken up again where a socket has one peer."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._socket import Socket


def connect_again(socket: Socket, endpoint: str) -> bool:
    """Where there is one peer: go on with a connection that was disconnected and still sends.

    Returns: whether there is one.
    """
    pattern, peers = socket._pattern, socket._peers
    if not pattern.has_one_peer:
        return False
    for connecting, leaving in socket._leaving.items():
        pipe = connecting.pipe
        if leaving == endpoint and pipe is not None and pipe.alive:
            pattern.check_connect()
            pattern.check_endpoint(socket._connected)
            del socket._leaving[connecting]
            socket._connected[endpoint] = connecting
            peers.restore_pipe(pipe)
            peers.watchers.wake()  # the task that was to disconnect
            return True
    return False
