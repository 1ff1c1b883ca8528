"""A peer that is in order and waits for its place, which another peer has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import trio

from .. import zmtp
from .._message import BytesLike
from .._transports import NonblockingStream, try_receive
from ._heartbeats import SINCE
from ._timers import KEEPALIVE
from ._told_to_wait import WAITING
from ._writer import without

_READ_SIZE: Final = 32 * 1024  # bytes that are kept of a peer that waits for its place


class WaitingPeer:
    """Watches a peer that waits for its place.

    Attributes:
      unsent: the rest of what the peer was told; before anything else is sent, that has to be.
    """

    __slots__ = ("_kept", "_protocol", "_stream", "unsent")

    def __init__(self, stream: NonblockingStream, protocol: zmtp.WireProtocol) -> None:
        self._stream = stream
        self._protocol = protocol
        self._kept = 0  # bytes that came while the peer waited
        self.unsent: Sequence[BytesLike] = ()

    async def watch(self) -> None:
        """Wait until the peer leaves. Keep a little of what it sends, to be delivered when the peer has its place.

        Its heartbeats are not read. So whatever it says is answered by a sign of life, and when it is not read any more
        it hears one unasked: else a peer with heartbeats would give up the connection, and lose what it has sent.

        Raises:
          trio.BrokenResourceError: the peer has left.
        """
        self._tell()
        while self._kept < _READ_SIZE:
            await self._stream.wait_receivable()
            received = try_receive(self._stream, _READ_SIZE - self._kept)
            if received == b"":
                raise trio.BrokenResourceError("the peer left while another had its place")
            if received is not None:
                self._kept += len(received)
                self._protocol.receive_data(received, 0)
                self._tell()
        while not self._stream.peer_ended():
            self._tell()
            await trio.sleep(KEEPALIVE / 2)
        raise trio.BrokenResourceError("the peer left while another had its place")

    def _tell(self) -> None:
        """Tell the peer that it has to wait, and so that we live. If it has left, its system resets the connection.

        Its end of the stream may be stuck behind what does not fit into our system's buffer.

        Raises:
          trio.BrokenResourceError: it has left.
        """
        peer, pong = self._protocol.peer, list[bytes]()
        if peer is not None and peer.version >= SINCE:
            if not self.unsent:
                self._protocol.encode([WAITING], pong)
            rest = self.unsent or pong
            self.unsent = without(rest, self._stream.send_nowait(rest))
