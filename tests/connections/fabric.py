"""A fabric without sessions: datagrams to a group, no handshake, and everybody gets everything. As multicast will be.

It is made of public names alone, as somebody outside of the package would write it.
"""

from __future__ import annotations

import math
import re
import struct
from functools import partial

import trio

import triomq
from triomq.abc import Binding, Carrier, Connecting, PeerHost, QueuedPipe
from triomq.zmtp import PeerInfo, Subscribe

SILENCE = 30.0  # seconds without a datagram, after which a sender is forgotten


class Air:
    """Takes datagrams to everybody who listens to a group and has room for them, to nobody else, and tells nobody."""

    def __init__(self, room: int = 1000) -> None:
        self.lost = 0
        self._room = room
        self._groups: dict[str, dict[trio.MemorySendChannel[bytes], None]] = {}

    def listen(self, group: str) -> tuple[trio.MemorySendChannel[bytes], trio.MemoryReceiveChannel[bytes]]:
        ends = trio.open_memory_channel[bytes](self._room)
        self._groups.setdefault(group, {})[ends[0]] = None
        return ends

    def leave(self, group: str, end: trio.MemorySendChannel[bytes]) -> None:
        end.close()
        del self._groups[group][end]

    def send(self, group: str, datagram: bytes) -> None:
        for end in self._groups.get(group, ()):
            try:
                end.send_nowait(datagram)
            except trio.WouldBlock:
                self.lost += 1

    @property
    def listeners(self) -> int:
        return sum(map(len, self._groups.values()))


def encode(sender: int, frames: tuple[bytes, ...]) -> bytes:
    return struct.pack(">I", sender) + b"".join(struct.pack(">I", len(frame)) + frame for frame in frames)


def decode(datagram: bytes) -> tuple[int, list[bytes]]:
    """Raises: RemoteProtocolError: this is no datagram of ours."""
    frames = []
    offset = 4
    while offset + 4 <= len(datagram):
        (size,) = struct.unpack_from(">I", datagram, offset)
        frames.append(datagram[offset + 4 : offset + 4 + size])
        offset += 4 + size
    if offset != len(datagram) or not frames:
        raise triomq.RemoteProtocolError(f"not a datagram of this fabric: {datagram[:20]!r}")
    return int.from_bytes(datagram[:4], "big"), frames


def somebody(socket_type: str) -> PeerInfo:
    """Nobody says who he is here, so this is all that can be known."""
    return PeerInfo(socket_type=socket_type, routing_id=b"", metadata={}, version=(3, 1), mechanism="NULL")


class Fabric(Carrier):
    """Carries PUB, XPUB, SUB and XSUB.

    Args:
      burst: datagrams that one socket may send to a group in each ``interval``, in seconds.
    """

    def __init__(self, air: Air, burst: int = 1000, interval: float = 1.0) -> None:
        self.air = air
        self.burst = burst
        self.interval = interval

    async def bind(self, host: PeerHost, endpoint: str, address: str) -> Binding:
        await trio.lowlevel.checkpoint()
        if host.closing:
            raise trio.ClosedResourceError("closed meanwhile")
        return self._join(host, endpoint, address)

    def connect(self, host: PeerHost, endpoint: str, address: str) -> Connecting:
        return self._join(host, endpoint, address)

    def _join(self, host: PeerHost, endpoint: str, group: str) -> Speaker | Listener:
        """To bind and to connect are the same: nobody is there to accept anything."""
        if not re.fullmatch("[a-z]+", group):
            raise triomq.EndpointError(f"{endpoint}: a group's name is made of small letters")
        if host.socket_type in ("PUB", "XPUB"):
            return Speaker(self, host, endpoint, group)
        if host.socket_type in ("SUB", "XSUB"):
            return Listener(self, host, endpoint, group)
        raise triomq.EndpointError(f"{endpoint}: a fabric carries PUB, XPUB, SUB and XSUB, not {host.socket_type}")


class Speaker(Binding, Connecting):
    """A publisher's place in a group: one pipe, which stands for all who listen, and its sink."""

    def __init__(self, fabric: Fabric, host: PeerHost, endpoint: str, group: str) -> None:
        options = host.options
        self._fabric = fabric
        self._host = host
        self._endpoint = endpoint
        self._group = group
        self._name = host.runtime.random.getrandbits(32)
        self._allowed = fabric.burst
        self._pause: trio.CancelScope | None = None
        self._pipe = QueuedPipe(host.owner, endpoint, options.send_limit, math.inf, conflate=options.conflate)
        host.admit_peer(self._pipe, somebody("SUB"))
        self._pipe.deliver([Subscribe(b"")])  # the group wants everything
        self._pipe.sink = self
        self._pipe.sink_told = False
        self.flush()

    @property
    def endpoint(self) -> str:
        return self._endpoint

    @property
    def pipe(self) -> QueuedPipe:
        return self._pipe

    def close(self) -> None:
        if self._pause is not None:
            self._pause.cancel()
        self._host.remove_pipe(self._pipe)

    async def wait_closed(self) -> None:
        """Nothing is to be waited for."""

    # The sink of the pipe.

    def wake(self) -> None:
        self.flush()

    def wake_later(self) -> None:
        self.flush()

    def flush(self) -> None:
        pipe = self._pipe
        pipe.sink_told = False
        while self._allowed and pipe.outbox.waiting():
            items, _ = pipe.outbox.take(self._allowed)
            self._allowed -= len(items)
            for item in items:
                assert isinstance(
                    item, tuple
                )  # nobody subscribes by a publisher's pipe, and the encoding is not shared
                self._fabric.air.send(self._group, encode(self._name, item))
            pipe.count_sent(items)
        if not self._allowed:
            pipe.sink_told = True
            if self._pause is None:
                self._pause = self._host.tasks.start(self._go_on, name=f"fabric {self._group}")
        pipe.flushed()

    async def _go_on(self) -> None:
        await trio.sleep(self._fabric.interval)
        self._pause = None
        self._allowed = self._fabric.burst
        self.flush()


class Sender:
    """Somebody a listener has heard of: a pipe, and the sink that nothing leaves by."""

    def __init__(self, pipe: QueuedPipe) -> None:
        self.pipe = pipe
        self.heard = trio.current_time()
        self.watch: trio.CancelScope | None = None

    def wake(self) -> None:
        self.flush()

    def wake_later(self) -> None:
        self.flush()

    def flush(self) -> None:
        """Drop messages, and forget subscriptions: nobody can be told of them."""
        self.pipe.sink_told = False
        self.pipe.discard()
        self.pipe.flushed()


class Listener(Binding, Connecting):
    """A subscriber's place in a group: one pipe for each sender that was heard of lately."""

    def __init__(self, fabric: Fabric, host: PeerHost, endpoint: str, group: str) -> None:
        self._fabric = fabric
        self._host = host
        self._endpoint = endpoint
        self._group = group
        self._senders: dict[int, Sender] = {}
        self._stopped = False
        self._end, self._arriving = fabric.air.listen(group)
        host.tasks.start(self._listen, name=f"fabric {group}")

    @property
    def endpoint(self) -> str:
        return self._endpoint

    @property
    def pipe(self) -> None:
        """Nothing is ever queued."""

    def stop(self) -> None:
        self._stopped = True

    def close(self) -> None:
        self._fabric.air.leave(self._group, self._end)
        for name in list(self._senders):
            self._forget(name, None)

    async def wait_closed(self) -> None:
        """Nothing is to be waited for."""

    async def _listen(self) -> None:
        with self._arriving:
            async for datagram in self._arriving:
                if not self._stopped:
                    self._hear(datagram)

    def _hear(self, datagram: bytes) -> None:
        try:
            name, frames = decode(datagram)
            sender = self._senders.get(name) or self._meet(name)
        except (triomq.RemoteProtocolError, triomq.PeerUnwantedError) as error:
            self._host.emit(triomq.HandshakeFailed(endpoint=self._endpoint, address=self._group, error=error))
            return
        sender.heard = trio.current_time()
        if sender.pipe.inbox.is_full:
            sender.pipe.drop()  # a fabric cannot let its senders wait
        else:
            sender.pipe.deliver([triomq.Message(frames)])

    def _meet(self, name: int) -> Sender:
        host, options = self._host, self._host.options
        if len(self._senders) >= options.max_peers:
            raise triomq.PeerUnwantedError(f"max_peers={options.max_peers} reached")
        pipe = QueuedPipe(host.owner, self._endpoint, math.inf, options.receive_limit, conflate=options.conflate)
        pipe.address = f"{self._group}/{name:08x}"
        host.admit_peer(pipe, somebody("PUB"))
        sender = self._senders[name] = Sender(pipe)
        host.emit(triomq.Connected(endpoint=self._endpoint, address=pipe.address))
        pipe.sink = sender
        pipe.sink_told = False
        sender.flush()
        sender.watch = host.tasks.start(partial(self._watch, name, sender), name=f"fabric {pipe.address}")
        return sender

    async def _watch(self, name: int, sender: Sender) -> None:
        silent_until = sender.heard
        while silent_until < sender.heard + SILENCE:
            silent_until = sender.heard + SILENCE
            await trio.sleep_until(silent_until)
        self._forget(name, triomq.SilentPeerError(f"nothing from {sender.pipe.address} for {SILENCE} s"))

    def _forget(self, name: int, error: Exception | None) -> None:
        sender = self._senders.pop(name)
        if sender.watch is not None:
            sender.watch.cancel()
        self._host.remove_pipe(sender.pipe)
        self._host.emit(triomq.Disconnected(endpoint=self._endpoint, address=sender.pipe.address, error=error))
