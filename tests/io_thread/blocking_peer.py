"""A peer in the very thread that has the user's run: while it talks, that run stands still, as if it computed."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence

from triomq import zmtp

PATIENCE = 30.0  # seconds, for an answer that does not come


class BlockingPeer:
    """A socket of one type, at the other end of one connection.

    Args:
      sock: the connection.
      as_server: it was accepted here.
    """

    def __init__(self, sock: socket.socket, socket_type: str, *, as_server: bool, routing_id: bytes = b"") -> None:
        sock.settimeout(PATIENCE)
        self.heard: list[object] = []
        self._sock = sock
        self._protocol = zmtp.Connection(socket_type, as_server=as_server, routing_id=routing_id)
        while not self._protocol.established:
            sock.sendall(self._protocol.data_to_send())
            self._receive()
        sock.sendall(self._protocol.data_to_send())

    @classmethod
    def dial(cls, endpoint: str, socket_type: str, routing_id: bytes = b"") -> BlockingPeer:
        host, _, port = endpoint.removeprefix("tcp://").rpartition(":")
        return cls(socket.create_connection((host, int(port))), socket_type, as_server=False, routing_id=routing_id)

    def _receive(self) -> None:
        data = self._sock.recv(65536)
        assert data, "the other side has ended the connection"
        events = self._protocol.receive_data(data, 1000)
        self.heard += [event for event in events if not isinstance(event, zmtp.HandshakeComplete)]

    def say(self, *items: Sequence[bytes] | object) -> None:
        buffers: list[bytes] = []
        self._protocol.encode(items, buffers)  # type: ignore[arg-type]
        self._sock.sendall(b"".join(buffers))

    def hear(self, until: Callable[[list[object]], bool]) -> list[object]:
        """Take in what comes, until that is so. Returns: all of it."""
        while not until(self.heard):
            self._receive()
        heard, self.heard = self.heard, []
        return heard

    def messages(self, count: int) -> list[bytes]:
        """So many messages of one frame each."""
        heard = self.hear(lambda heard: sum(isinstance(one, tuple) for one in heard) >= count)
        return [one[0] for one in heard if isinstance(one, tuple)]

    def close(self) -> None:
        self._sock.close()


class BlockingListener:
    """Accepts such peers."""

    def __init__(self) -> None:
        self._sock = socket.create_server(("127.0.0.1", 0))
        self._sock.settimeout(PATIENCE)
        self.endpoint = f"tcp://127.0.0.1:{self._sock.getsockname()[1]}"

    def accept(self, socket_type: str) -> BlockingPeer:
        return BlockingPeer(self._sock.accept()[0], socket_type, as_server=True)

    def close(self) -> None:
        self._sock.close()
