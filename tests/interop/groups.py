"""libzmq in the same group as we are: the other process, and lines that lose what they are told to.

The wheels of pyzmq have no pgm. Debian's libzmq has: ``apt install python3-zmq``.
"""

from __future__ import annotations

import hashlib
import random
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache, partial
from pathlib import Path

import trio

import triomq
from triomq._connections._multicast import MulticastCarrier
from triomq._transports import GroupAddress, GroupPort, SystemGroups
from triomq.pgm import Data, decode

SCRIPT = Path(__file__).with_name("multicast_peer.py")
PYTHON = "/usr/bin/python3"
RATE = 16_000  # kbit/s, at both ends
OURS = {"rate": RATE * 125, "linger": 20}


@cache
def missing() -> str:
    """Why there is no libzmq with pgm here, or nothing."""
    try:
        answer = subprocess.run(
            [PYTHON, "-c", "import zmq; print(zmq.has('pgm'))"], capture_output=True, text=True, timeout=60
        )
    except OSError as exc:
        return f"{PYTHON}: {exc}"
    if answer.returncode:
        return f"{PYTHON} has no zmq: apt install python3-zmq"
    return "" if answer.stdout.strip() == "True" else f"the libzmq of {PYTHON} has no pgm"


class Peer:
    """The other process."""

    def __init__(self, process: trio.Process) -> None:
        self.process = process
        self._rest = b""

    async def line(self) -> str:
        """What it says next."""
        assert self.process.stdout is not None
        while True:
            line, newline, rest = self._rest.partition(b"\n")
            if newline:
                self._rest = rest
                if line.startswith(b"@"):
                    return line[1:].decode("latin-1")
                continue
            more = await self.process.stdout.receive_some()
            assert more, "the other process has ended"
            self._rest += more

    async def say(self, text: str) -> None:
        assert self.process.stdin is not None
        await self.process.stdin.send_all(text.encode() + b"\n")


@asynccontextmanager
async def libzmq(kind: str, endpoint: str, *before: str) -> AsyncIterator[Peer]:
    command = [*before, PYTHON, str(SCRIPT), kind, endpoint, str(RATE)]
    async with trio.open_nursery() as nursery:
        process: trio.Process = await nursery.start(
            partial(trio.run_process, command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, check=False)
        )
        assert process.stdin is not None
        assert process.stdout is not None
        async with process.stdin, process.stdout:
            peer = Peer(process)
            assert await peer.line() == "ready"
            yield peer
            assert process.poll() is None, "libzmq has aborted"
            nursery.cancel_scope.cancel()


class LossyPort(GroupPort):
    """Loses datagrams of ours, and of others, as told."""

    def __init__(self, port: GroupPort, loses: Callable[[bytes], bool]) -> None:
        self.path, self.encapsulation = port.path, port.encapsulation
        self.lost = 0
        self._port = port
        self._loses = loses

    def receive_nowait(self) -> tuple[bytes, bytes] | None:
        while (arrived := self._port.receive_nowait()) is not None:
            if not self._loses(arrived[0]):
                return arrived
            self.lost += 1
        return None

    async def wait_readable(self) -> None:
        await self._port.wait_readable()

    def send_nowait(self, data: bytes, to: bytes | None, *, near: bool = False) -> bool:
        if self._loses(data):
            self.lost += 1
            return True
        return self._port.send_nowait(data, to, near=near)

    def close(self) -> None:
        self._port.close()


class LossyGroups(SystemGroups):
    """The groups of the system, over a bad line."""

    def __init__(self, loses: Callable[[bytes], bool]) -> None:
        super().__init__(raw=False)
        self.ports: list[LossyPort] = []
        self._loses = loses

    def join(self, address: GroupAddress, options: triomq.Options, *, sends: bool) -> GroupPort:
        port = LossyPort(super().join(address, options, sends=sends), self._loses)
        self.ports.append(port)
        return port


def loses_data(share: float) -> Callable[[bytes], bool]:
    """Original data alone: what asks for repairs, and repairs, arrive."""
    rng = random.Random(1)

    def loses(data: bytes) -> bool:
        packet = decode(data)
        return isinstance(packet, Data) and not packet.repair and rng.random() < share

    return loses


@asynccontextmanager
async def on_a_line(share: float) -> AsyncIterator[tuple[triomq.Context, LossyGroups]]:
    groups = LossyGroups(loses_data(share))
    async with triomq.open_context(transports={"epgm": MulticastCarrier("epgm", groups)}) as ctx:
        yield ctx, groups


def expected(number: int, size: int) -> str:
    body = bytes([number % 251]) * size
    return f"{number} 1 {hashlib.sha256(body).hexdigest()}"


async def greet(publisher: triomq.PUB | triomq.XPUB, peer: Peer) -> None:
    """Publish until the other process hears it."""
    async with trio.open_nursery() as nursery:

        async def publish() -> None:
            while True:
                await publisher.send(b"hello")
                await trio.sleep(0.02)

        nursery.start_soon(publish)
        assert (await peer.line()).startswith("hello 0")
        nursery.cancel_scope.cancel()


async def next_of(peer: Peer) -> str:
    while (line := await peer.line()).startswith("hello"):
        pass
    return line
