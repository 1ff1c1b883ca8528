"""Blocking sockets: the floor under every round trip."""

from __future__ import annotations

import socket
from functools import partial

from .. import blocking
from ..job import Job
from ..kinds import Kind
from . import Peer


def _receive(connection: socket.socket, size: int) -> bytes:
    data = connection.recv(size)
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise EOFError("the other side is gone")
        data += more
    return data


def reply(job: Job) -> None:
    """Answer each request with itself."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        job.announce(listener.getsockname()[1])
        connection, _ = listener.accept()
        with connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            blocking.echo(job, partial(_receive, connection, job.work.size), connection.sendall)
            job.wait_end()


def request(job: Job) -> None:
    """One request after the other."""
    with socket.create_connection(("127.0.0.1", int(job.endpoints[0]))) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        blocking.request(job, connection.sendall, partial(_receive, connection, job.work.size))
        job.wait_end()


PEER = Peer(title="blocking sockets", works={Kind.REQUEST: (reply, request)})
