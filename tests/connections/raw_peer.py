"""A peer of a connecting socket that is a socket of the system's own: it hangs up without any delay."""

from __future__ import annotations

import socket

import trio

from triomq import zmtp


async def accept_as(listener: socket.socket, socket_type: str) -> tuple[socket.socket, zmtp.Connection]:
    """Accept a connection, and make the handshake as a socket of that type. Returns: the connection, the protocol."""
    sock, _ = await trio.to_thread.run_sync(listener.accept)
    peer = zmtp.Connection(socket_type, as_server=True)
    sock.setblocking(True)
    while not peer.established:
        await trio.to_thread.run_sync(sock.sendall, peer.data_to_send())
        peer.receive_data(await trio.to_thread.run_sync(sock.recv, 1000), 1)
    sock.sendall(peer.data_to_send())
    return sock, peer
