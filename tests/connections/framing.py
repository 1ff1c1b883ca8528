"""A protocol with a framing of its own: no greeting, a length before each frame, one byte of flags. As ZWS (RFC 45) is.

It is made of public names alone, as somebody outside of the package would write it.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Sequence
from itertools import accumulate

import triomq
from triomq.abc import NewProtocol, PeerHost
from triomq.zmtp import (
    Cancel,
    Event,
    HandshakeComplete,
    Item,
    PeerInfo,
    Ping,
    Pong,
    Subscribe,
    WireProtocol,
    command_body,
    encode_properties,
    explain_incompatible,
    parse_properties,
)

LAST, MORE, COMMAND = range(3)
LONGEST_COMMAND = 1000  # bytes


def frame(flag: int, body: bytes) -> bytes:
    return struct.pack(">IB", 1 + len(body), flag) + body


class Framed(WireProtocol):
    """One side of a connection.

    Args:
      socket_type: of this side.
      routing_id: told to the peer.
      max_message_size: most bytes in all frames of a message from the peer.
      heartbeats: PING and PONG are understood.
    """

    def __init__(
        self, socket_type: str, *, routing_id: bytes, max_message_size: float, heartbeats: bool = True
    ) -> None:
        self.peer: PeerInfo | None = None
        self.established = False
        self.has_buffered = False
        self.messages_only = False
        self.between_messages = False
        self.shares_encoding = False
        self._socket_type = socket_type
        self._version = (3, 1) if heartbeats else (3, 0)
        self._most = max_message_size
        self._input = b""
        self._frames: list[bytes] = []
        self._failed = False
        self._fault: triomq.RemoteProtocolError | None = None
        metadata = {"Socket-Type": socket_type.encode(), "Identity": routing_id}
        self._to_send = frame(COMMAND, command_body(b"READY", encode_properties(metadata)))

    def data_to_send(self) -> bytes:
        data, self._to_send = self._to_send, b""
        return data

    def encode(self, messages: Sequence[Item], out: list[bytes], ends: list[int] | None = None) -> int:
        if not self.established:
            raise triomq.LocalProtocolError("nothing can be sent now")
        buffers = [self._encode(item) for item in messages]
        out += buffers
        if ends is not None:
            ends += accumulate(map(len, buffers))
        return sum(map(len, buffers))

    def _encode(self, item: Item) -> bytes:
        if isinstance(item, tuple):
            *front, last = item
            return b"".join([*(frame(MORE, body) for body in front), frame(LAST, last)])
        if isinstance(item, Subscribe):
            return frame(LAST, b"\1" + item.topic)
        if isinstance(item, Cancel):
            return frame(LAST, b"\0" + item.topic)
        if isinstance(item, Ping):
            return frame(COMMAND, command_body(b"PING", struct.pack(">d", item.ttl) + item.context))
        assert isinstance(item, Pong)  # nothing is encoded for several peers
        return frame(COMMAND, command_body(b"PONG", item.context))

    def receive_data(self, data: bytes, limit: int = sys.maxsize) -> list[triomq.Message | Event]:
        events: list[triomq.Message | Event] = []
        self._input += data
        try:
            if self._failed:
                fault, self._fault = self._fault, None
                raise fault or triomq.LocalProtocolError("the peer broke the protocol, as was said")
            while len(events) < limit and self._take(events):
                pass
        except triomq.RemoteProtocolError as fault:
            self.established, self._failed = False, True
            if not events:
                self.has_buffered = False
                raise
            self._fault = fault.with_traceback(None)  # no cycle through it
        self.has_buffered = self._fault is not None or (len(events) >= limit and len(self._input) > 4)
        return events

    def receive_hint(self) -> int:
        return 0

    def _take(self, events: list[triomq.Message | Event]) -> bool:
        if len(self._input) < 5:
            return False
        size, flag = struct.unpack_from(">IB", self._input)
        if flag > COMMAND or not size or (flag == COMMAND and size > LONGEST_COMMAND):
            raise triomq.RemoteProtocolError(f"no frame begins with {self._input[:5]!r}")
        if flag != COMMAND and not self.established:
            raise triomq.RemoteProtocolError("a message before READY")
        if size - 1 + sum(map(len, self._frames)) > self._most:
            raise triomq.RemoteProtocolError(f"a message of more than {self._most} bytes")
        if len(self._input) < 4 + size:
            return False
        body, self._input = self._input[5 : 4 + size], self._input[4 + size :]
        if flag == COMMAND:
            self._take_command(body, events)
        else:
            self._frames.append(body)
            if flag == LAST:
                events.append(triomq.Message(self._frames))
                self._frames = []
        return True

    def _take_command(self, body: bytes, events: list[triomq.Message | Event]) -> None:
        name, data = body[1 : 1 + body[0]], body[1 + body[0] :]
        if name == b"READY" and self.peer is None:
            events.append(HandshakeComplete(self._meet(data)))
        elif name == b"PING" and self.established and self._version >= (3, 1) and len(data) >= 8:
            (ttl,) = struct.unpack_from(">d", data)
            self._to_send += frame(COMMAND, command_body(b"PONG", data[8:]))
            events.append(Ping(ttl, data[8:]))
        elif name == b"PONG" and self.established:
            events.append(Pong(data))
        else:
            raise triomq.RemoteProtocolError(f"the command {name!r} is not due")

    def _meet(self, data: bytes) -> PeerInfo:
        metadata = parse_properties(data, 0)
        theirs = metadata.get("Socket-Type", b"").decode("latin-1")
        if (refusal := explain_incompatible(self._socket_type, theirs)) is not None:
            raise triomq.RemoteProtocolError(refusal)
        self.peer = PeerInfo(
            socket_type=theirs,
            routing_id=metadata.get("Identity", b""),
            metadata=metadata,
            version=self._version,
            mechanism="NULL",
        )
        self.established = True
        return self.peer


def framed(heartbeats: bool = True) -> NewProtocol:
    def make(host: PeerHost, as_server: bool) -> Framed:
        options = host.options
        return Framed(
            host.socket_type,
            routing_id=options.routing_id,
            max_message_size=options.max_message_size,
            heartbeats=heartbeats,
        )

    return make
