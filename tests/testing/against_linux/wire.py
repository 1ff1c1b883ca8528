"""Two Linux kernels, or as good as: two network namespaces, and a wire between them that a test can break.

Each namespace has an Ethernet interface (TAP) whose other side is in this process. A thread carries the frames from one
interface to the other, after a latency, or drops them. So a test sees each segment that a kernel sends, and loses
whichever it wants: IP alone, as behind a router, or ARP too, as on one cable. Needs root.
"""

from __future__ import annotations

import ctypes
import fcntl
import heapq
import os
import select
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from typing import Final, Literal, NamedTuple, TypeAlias

Way: TypeAlias = Literal["there", "back"]
Kind: TypeAlias = Literal["call", "data", "end", "probe", "reset", "answer"]

ADDRESSES: Final[dict[str, str]] = {"a": "10.77.0.1", "b": "10.77.0.2"}
_CLONE_NEWNET: Final = 0x40000000
_TUNSETIFF: Final = 0x400454CA
_IFF_TAP_NO_PI: Final = 0x1002
_FIN, _SYN, _RST, _ACK = 1, 2, 4, 16


class Packet(NamedTuple):
    """A segment that a kernel sent.

    Attributes:
      octets: of the program's data.
    """

    time: float
    way: Way
    kind: Kind
    octets: int


def why_not() -> str:
    """Why there can be no wire here; "" if there can be one."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return "network namespaces of one's own need root"
    if not Path("/dev/net/tun").exists():
        return "there is no /dev/net/tun for the wire"
    if subprocess.run(["sh", "-c", "command -v ip"], capture_output=True, check=False).returncode:
        return "there is no command `ip` (Debian: iproute2)"
    try:
        os.close(_new_namespace())
    except OSError as exc:
        return f"the system gives no network namespace: {exc}"
    return ""


def _libc(name: str, *arguments: int) -> None:
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments):
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def _own_namespace() -> int:
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


@contextmanager
def _inside(namespace: int) -> Iterator[None]:
    before = _own_namespace()
    try:
        _libc("setns", namespace, _CLONE_NEWNET)
        try:
            yield
        finally:
            _libc("setns", before, _CLONE_NEWNET)
    finally:
        os.close(before)


def _new_namespace() -> int:
    before = _own_namespace()
    try:
        _libc("unshare", _CLONE_NEWNET)
        try:
            return _own_namespace()
        finally:
            _libc("setns", before, _CLONE_NEWNET)
    finally:
        os.close(before)


class Wire:
    """Two kernels, ``a`` and ``b``, and what lies between them.

    Args:
      latency: seconds that each frame takes.
      system: settings below ``/proc/sys/net/ipv4``, for both.

    Attributes:
      blocked: the ways on which nothing arrives.
      arp: whether ARP passes all the same, as between each host and a router that lives.
      loss: chance that a segment is lost.
      jitter: seconds that chance adds to a segment's latency at the most; so segments overtake each other.
      packets: what the kernels have sent.
    """

    def __init__(self, latency: float = 0.0005, seed: int = 0, **system: int) -> None:
        self.blocked: set[Way] = set()
        self.arp: bool = True
        self.loss: float = 0.0
        self.jitter: float = 0.0
        self.packets: list[Packet] = []
        self._latency = latency
        self._dice = Random(seed)
        self._highest: dict[tuple[Way, int, int], int] = {}
        self._due: list[tuple[float, int, Way, bytes]] = []
        self._count = 0
        self._over = False
        self._namespaces: dict[str, int] = {}
        self._taps: dict[str, int] = {}
        for name, address in ADDRESSES.items():
            namespace = self._namespaces[name] = _new_namespace()
            with _inside(namespace):
                self._taps[name] = _open_tap(address, system)
        self._thread = threading.Thread(target=self._carry, name="wire", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Take both kernels away."""
        self._over = True
        self._thread.join()
        for descriptor in (*self._taps.values(), *self._namespaces.values()):
            os.close(descriptor)

    def socket(self, host: str) -> socket.socket:
        """A new TCP socket of a host."""
        with _inside(self._namespaces[host]):
            made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"cubic")  # Linux's default
        return made

    def command(self, host: str, *words: str) -> None:
        """Run a command at a host."""
        with _inside(self._namespaces[host]):
            subprocess.run(words, check=True, capture_output=True)

    # --- the thread -----------------------------------------------------------------------

    def _carry(self) -> None:
        ways: dict[int, Way] = {self._taps["a"]: "there", self._taps["b"]: "back"}
        targets: dict[Way, int] = {"there": self._taps["b"], "back": self._taps["a"]}
        while not self._over:
            wait = min(0.1, max(0.0, self._due[0][0] - time.monotonic())) if self._due else 0.1
            for tap in select.select(list(ways), [], [], wait)[0]:
                self._take(ways[tap], os.read(tap, 65536))
            while self._due and self._due[0][0] <= time.monotonic():
                _, _, way, frame = heapq.heappop(self._due)
                if self._passes(way, frame):
                    with suppress(OSError):  # the interface is down: the frame is lost
                        os.write(targets[way], frame)

    def _take(self, way: Way, frame: bytes) -> None:
        now = time.monotonic()
        if frame[12:14] == b"\x08\x00" and frame[23] == socket.IPPROTO_TCP:
            self._record(now, way, frame)
        self._count += 1
        delay = 0.0  # for ARP, which shall not be in any figure
        if frame[12:14] != b"\x08\x06":
            delay = self._latency + self._dice.uniform(0, self.jitter)
        heapq.heappush(self._due, (now + delay, self._count, way, frame))

    def _passes(self, way: Way, frame: bytes) -> bool:
        if frame[12:14] == b"\x08\x06":
            return self.arp or way not in self.blocked
        return way not in self.blocked and not (self.loss and self._dice.random() < self.loss)

    def _record(self, now: float, way: Way, frame: bytes) -> None:
        start = 14 + (frame[14] & 15) * 4
        source, target, number = struct.unpack_from("!HHI", frame, start)
        flags = frame[start + 13]
        octets = 14 + int.from_bytes(frame[16:18], "big") - start - (frame[start + 12] >> 4) * 4
        key = way, source, target
        end = (number + octets + bool(flags & _FIN) + bool(flags & _SYN)) & 0xFFFFFFFF
        highest = self._highest.get(key, end)
        kind: Kind
        if flags & _RST:
            kind = "reset"
        elif flags & _SYN:
            kind = "answer" if flags & _ACK else "call"
        elif octets or flags & _FIN:
            kind = "data" if octets else "end"
        else:
            kind = "probe" if end == (highest - 1) & 0xFFFFFFFF else "answer"
        if kind != "reset" and (end - highest) & 0xFFFFFFFF < 1 << 31:
            self._highest[key] = end
        self.packets.append(Packet(now, way, kind, octets))


def _open_tap(address: str, system: dict[str, int]) -> int:
    tap = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
    fcntl.ioctl(tap, _TUNSETIFF, struct.pack("16sH22x", b"tap0", _IFF_TAP_NO_PI))
    settings = {"tcp_no_metrics_save": 1, **system}
    Path("/proc/sys/net/ipv6/conf/all/disable_ipv6").write_text("1")
    for name, value in settings.items():
        Path("/proc/sys/net/ipv4", name).write_text(str(value))
    for words in ("link set lo up", "link set tap0 up", f"addr add {address}/24 dev tap0"):
        subprocess.run(["ip", *words.split()], check=True)
    return tap
