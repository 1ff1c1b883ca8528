"""Where situations are played: two real kernels, or two hosts of a virtual network, behind one interface."""

from __future__ import annotations

import errno
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Final, TypedDict, Unpack

import trio

import triomq
from triomq.testing import VirtualNetwork, VirtualStream
from triomq.testing._network import VirtualListener, VirtualTcp

from .wire import ADDRESSES, Kind, Way, Wire

PORT: Final = 5555
_TCP_REPAIR: Final = 19  # <linux/tcp.h>: a socket in this state vanishes without a word when it is closed


class Wishes(TypedDict, total=False):
    """Options of the connecting end."""

    tcp_keepalive: bool
    tcp_keepalive_idle: int
    tcp_keepalive_interval: int
    tcp_keepalive_count: int


def name_of(error: BaseException) -> str:
    """The name of what went wrong, as the system calls it."""
    cause = error if isinstance(error, OSError) else error.__cause__
    assert isinstance(cause, OSError), error
    return errno.errorcode[cause.errno or 0]


class End(ABC):
    """One end of a connection."""

    @abstractmethod
    def send(self, data: bytes) -> int:
        """Hand over what there is room for. Raises: OSError, trio.BrokenResourceError."""

    @abstractmethod
    async def receive(self, most: int = 65536) -> bytes:
        """Wait for octets. Raises: OSError, trio.BrokenResourceError."""

    @abstractmethod
    def end_sending(self) -> None:
        """Send the end of the stream."""

    @abstractmethod
    def close(self) -> None:
        """Close."""

    async def fate(self) -> str:
        """Wait until the connection ends: the error's name, or "end"."""
        try:
            while await self.receive():
                pass
        except (OSError, trio.BrokenResourceError) as exc:
            return name_of(exc)
        return "end"

    async def fill(self) -> int:
        """Send until nothing more is taken. Returns: octets."""
        total = idle = 0
        while idle < 3:
            taken = self.send(bytes(65536))
            total += taken
            idle = 0 if taken else idle + 1
            await trio.sleep(0 if taken else 0.1)
        return total


class Lab(ABC):
    """Two hosts, ``a`` and ``b``, and what lies between them. ``a`` connects to ``b``."""

    @abstractmethod
    def now(self) -> float:
        """Seconds."""

    @abstractmethod
    async def listen(self) -> None:
        """Let ``b`` listen."""

    @abstractmethod
    async def call(self, **wishes: Unpack[Wishes]) -> End:
        """Connect from ``a``. Raises: OSError."""

    @abstractmethod
    async def accept(self) -> End:
        """The other end of the oldest call."""

    async def connect(self, **wishes: Unpack[Wishes]) -> tuple[End, End]:
        """A connection over which something has gone both ways."""
        await self.listen()
        near = await self.call(**wishes)
        far = await self.accept()
        for _ in range(2):
            near.send(b"ping")
            await far.receive()
            far.send(b"pong")
            await near.receive()
        await trio.sleep(1)
        return near, far

    @abstractmethod
    def block(self, *ways: Way) -> None:
        """From now on nothing arrives on these ways, or on both."""

    @abstractmethod
    def unblock(self) -> None:
        """Everything arrives again."""

    @abstractmethod
    def lose(self, chance: float) -> None:
        """From now on each segment is lost with this chance."""

    @abstractmethod
    def shake(self, jitter: float) -> None:
        """From now on each segment takes up to so many seconds longer, by chance."""

    @abstractmethod
    def reboot(self, far: End) -> None:
        """Let ``b`` forget a connection, without a word."""

    @abstractmethod
    def sent(self, since: float, *kinds: Kind, way: Way = "there") -> list[float]:
        """The seconds, after ``since``, at which the host at the beginning of a way sent segments of some kinds."""


# --- real -----------------------------------------------------------------------------------


class _RealEnd(End):
    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = sock
        self._trio = trio.socket.from_stdlib_socket(sock)

    def send(self, data: bytes) -> int:
        try:
            return self.socket.send(data)
        except BlockingIOError:
            return 0

    async def receive(self, most: int = 65536) -> bytes:
        return await self._trio.recv(most)

    def end_sending(self) -> None:
        self.socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self._trio.close()


class RealLab(Lab):
    """Two kernels."""

    def __init__(self, latency: float, system: dict[str, int]) -> None:
        self.wire = Wire(latency, **system)
        self._listener: Any = None
        self._ends: list[_RealEnd] = []

    def close(self) -> None:
        """Take both kernels away."""
        for end in self._ends:
            end.close()
        if self._listener is not None:
            self._listener.close()
        self.wire.close()

    def now(self) -> float:
        return time.monotonic()

    async def listen(self) -> None:
        sock = self.wire.socket("b")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        sock.bind((ADDRESSES["b"], PORT))
        sock.listen(100)
        self._listener = trio.socket.from_stdlib_socket(sock)

    async def call(self, **wishes: Unpack[Wishes]) -> End:
        sock = self.wire.socket("a")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        for name, option in (
            ("tcp_keepalive_idle", socket.TCP_KEEPIDLE),
            ("tcp_keepalive_interval", socket.TCP_KEEPINTVL),
            ("tcp_keepalive_count", socket.TCP_KEEPCNT),
        ):
            if value := wishes.get(name):
                sock.setsockopt(socket.IPPROTO_TCP, option, int(str(value)))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, int(wishes.get("tcp_keepalive", False)))
        end = _RealEnd(sock)
        self._ends.append(end)
        await end._trio.connect((ADDRESSES["b"], PORT))
        return end

    async def accept(self) -> End:
        accepted, _ = await self._listener.accept()
        end = _RealEnd(socket.socket(fileno=accepted.detach()))
        self._ends.append(end)
        return end

    def block(self, *ways: Way) -> None:
        self.wire.blocked = set(ways) or {"there", "back"}

    def unblock(self) -> None:
        self.wire.blocked = set()

    def lose(self, chance: float) -> None:
        self.wire.loss = chance

    def shake(self, jitter: float) -> None:
        self.wire.jitter = jitter

    def reboot(self, far: End) -> None:
        assert isinstance(far, _RealEnd)
        far.socket.setsockopt(socket.IPPROTO_TCP, _TCP_REPAIR, 1)
        far.close()

    def sent(self, since: float, *kinds: Kind, way: Way = "there") -> list[float]:
        packets = self.wire.packets
        return [it.time - since for it in packets if it.way == way and it.kind in kinds and it.time >= since]


# --- virtual --------------------------------------------------------------------------------


class _VirtualEnd(End):
    def __init__(self, stream: VirtualStream) -> None:
        self.stream = stream

    def send(self, data: bytes) -> int:
        return self.stream.send_nowait([data])

    async def receive(self, most: int = 65536) -> bytes:
        return await self.stream.receive_some(most)

    def end_sending(self) -> None:
        self.stream.end_sending()

    def close(self) -> None:
        self.stream.close()


_KINDS: Final[dict[str, Callable[[bool], Kind]]] = {
    "connecting": lambda data: "call",
    "connecting again": lambda data: "call",
    "sent": lambda data: "data",
    "sent again": lambda data: "data" if data else "end",
    "tried again": lambda data: "data" if data else "end",
    "end sent": lambda data: "end",
    "probe sent": lambda data: "probe",
    "reset sent": lambda data: "reset",
}


class VirtualLab(Lab):
    """Two hosts of a virtual network."""

    def __init__(self, net: VirtualNetwork, latency: float, give_up: float) -> None:
        self.net = net
        net.link("a", "b", latency=latency, give_up=give_up, segment_size=1448)
        self._listener: VirtualListener | None = None

    def now(self) -> float:
        return trio.current_time()

    async def listen(self) -> None:
        tcp = VirtualTcp(self.net._fabric, self.net._fabric.host("b"))
        self._listener = await tcp.listen(f"*:{PORT}", triomq.Options())

    async def call(self, **wishes: Unpack[Wishes]) -> End:
        tcp = VirtualTcp(self.net._fabric, self.net._fabric.host("a"))
        return _VirtualEnd(await tcp.connect(f"b:{PORT}", triomq.Options(**wishes)))

    async def accept(self) -> End:
        assert self._listener is not None
        return _VirtualEnd(await self._listener.accept())

    def block(self, *ways: Way) -> None:
        if ways in ((), ("there", "back")):
            self.net.partition("a", "b")
        else:
            source, target = ("a", "b") if ways == ("there",) else ("b", "a")
            self.net.partition(source, target, both_ways=False)

    def unblock(self) -> None:
        self.net.heal()

    def lose(self, chance: float) -> None:
        self.net.link("a", "b", loss=chance)

    def shake(self, jitter: float) -> None:
        self.net.link("a", "b", jitter=jitter)

    def reboot(self, far: End) -> None:
        self.net.crash("b")
        self.net.restart("b")

    def sent(self, since: float, *kinds: Kind, way: Way = "there") -> list[float]:
        host = "a" if way == "there" else "b"
        return [
            it.time - since
            for it in self.net.recorder.events
            if it.host == host and it.time >= since and it.kind in _KINDS and _KINDS[it.kind](bool(it.data)) in kinds
        ]
