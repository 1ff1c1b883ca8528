"""libzmq in the same group, in both directions, over epgm on the loopback interface; with loss, and without.

The wheels of pyzmq have no pgm. Debian's libzmq has: ``apt install python3-zmq``.
"""

from __future__ import annotations

import hashlib
import os
import random
import socket
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from functools import cache, partial
from pathlib import Path

import pytest
import trio

import triomq
from triomq import PUB, SUB, XPUB, XSUB
from triomq._connections._multicast import MulticastCarrier
from triomq._transports import GroupAddress, GroupPort, SystemGroups
from triomq.pgm import Data, decode

pytestmark = [pytest.mark.interop]

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


@pytest.fixture(autouse=True)
def has_peer() -> None:
    if reason := missing():
        pytest.skip(reason)


@pytest.fixture
def group() -> str:
    """A group and a port that no other test uses now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return f"239.192.{os.getpid() % 250 + 1}.{random.randrange(1, 250)}:{port}"


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


@pytest.mark.parametrize(
    ("share", "count", "size"), [(0, 200, 10), (0, 20, 20_000), (0.2, 200, 700), (0.1, 15, 20_000)]
)
@pytest.mark.parametrize("kind", [PUB, XPUB])
async def test_libzmq_gets_all_that_we_publish(group: str, kind, share: float, count: int, size: int) -> None:
    endpoint = f"epgm://127.0.0.1;{group}"
    async with on_a_line(share) as (ctx, groups), libzmq("SUB", endpoint) as peer:
        publisher = ctx.socket(kind, send_hwm=0, **OURS)
        publisher.connect(endpoint)
        await greet(publisher, peer)
        for number in range(count):
            await publisher.send([b"%d" % number, bytes([number % 251]) * size])
        for number in range(count):
            assert await next_of(peer) == expected(number, size)
        (row,) = publisher.statistics().peers
        assert row.messages_dropped == 0
        assert bool(row.details["repairs"]) == bool(groups.ports[0].lost) == bool(share)


@pytest.mark.parametrize(
    ("share", "count", "size"), [(0, 200, 10), (0, 20, 20_000), (0.2, 200, 700), (0.1, 15, 20_000)]
)
@pytest.mark.parametrize("kind", [SUB, XSUB])
async def test_we_get_all_that_libzmq_publishes(group: str, kind, share: float, count: int, size: int) -> None:
    endpoint = f"epgm://127.0.0.1;{group}"
    async with on_a_line(share) as (ctx, groups), libzmq("PUB", endpoint) as peer:
        subscriber = ctx.socket(kind, **OURS)
        if isinstance(subscriber, SUB):
            subscriber.subscribe(b"")
        else:
            await subscriber.send(b"\1")
        await subscriber.bind(endpoint)
        assert await subscriber.receive() == (b"hello",)
        await peer.say(f"{count} {size}")
        number = 0
        while number < count:
            message = await subscriber.receive()
            if message != (b"hello",):
                assert message == (b"%d" % number, bytes([number % 251]) * size)
                number += 1
        (row,) = subscriber.statistics().peers
        assert row.details["lost"] == 0
        assert bool(row.details["repairs"]) == bool(groups.ports[0].lost) == bool(share)


async def test_a_closing_publisher_sends_its_whole_backlog(group: str) -> None:
    """libzmq itself loses the last datagram of it."""
    endpoint = f"epgm://127.0.0.1;{group}"
    async with libzmq("SUB", endpoint) as peer:
        async with triomq.open_context() as ctx:
            publisher = ctx.socket(PUB, send_hwm=0, linger=30, rate=300_000)
            publisher.connect(endpoint)
            await greet(publisher, peer)
            for number in range(100):
                await publisher.send([b"%d" % number, bytes([number]) * 2000])
            assert publisher.statistics().peers[0].send_queue > 50
        for number in range(100):
            assert await next_of(peer) == expected(number, 2000)
        assert publisher.messages_dropped == 0


async def test_libzmq_goes_away_and_we_are_told(group: str) -> None:
    endpoint = f"epgm://127.0.0.1;{group}"
    async with triomq.open_context() as ctx:
        subscriber = ctx.socket(SUB, topics=[""])
        monitor = subscriber.monitor()
        subscriber.connect(endpoint)
        async with libzmq("PUB", endpoint):
            assert await subscriber.receive() == (b"hello",)
        assert isinstance(await monitor.receive(), triomq.Connected)
        succeeded = await monitor.receive()
        assert isinstance(succeeded, triomq.HandshakeSucceeded)
        assert succeeded.socket_type == "PUB"
        assert [peer.address for peer in subscriber.peers] == [succeeded.address]


AS_ROOT = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="raw sockets and network namespaces need root"
)


@AS_ROOT
@pytest.mark.parametrize("kind", ["PUB", "SUB"])
async def test_both_directions_over_raw_pgm(group: str, kind: str) -> None:
    endpoint = f"pgm://127.0.0.1;{group}"
    async with triomq.open_context() as ctx, libzmq(kind, endpoint) as peer:
        if kind == "SUB":
            publisher = ctx.socket(PUB, **OURS)
            publisher.connect(endpoint)
            await greet(publisher, peer)
            await publisher.send([b"7", b"\7" * 5000])
            assert await next_of(peer) == expected(7, 5000)
        else:
            subscriber = ctx.socket(SUB, topics=[""], **OURS)
            subscriber.connect(endpoint)
            assert await subscriber.receive() == (b"hello",)
            await peer.say("1 5000")
            while (message := await subscriber.receive()) == (b"hello",):
                pass
            assert message == (b"0", b"\0" * 5000)


@pytest.fixture
def far_away() -> Iterator[tuple[str, str, str]]:
    """A network namespace, our address on the link to it, and its own."""
    name, number = f"tq{os.getpid()}", os.getpid() % 250 + 1
    here, there = f"10.77.{number}.1", f"10.77.{number}.2"

    def ip(command: str) -> bool:
        try:
            return subprocess.run(["ip", *command.split()], capture_output=True, timeout=30).returncode == 0
        except OSError:
            return False

    if not ip(f"netns add {name}"):
        pytest.skip("no network namespace can be made: apt install iproute2")
    try:
        made = [
            ip(f"link add {name}a type veth peer name {name}b netns {name}"),
            ip(f"addr add {here}/24 dev {name}a"),
            ip(f"link set {name}a up"),
            ip(f"-n {name} addr add {there}/24 dev {name}b"),
            ip(f"-n {name} link set {name}b up"),
            ip(f"-n {name} link set lo up"),
        ]
        if not all(made):
            pytest.skip("no link to a network namespace can be made")
        yield name, here, there
    finally:
        ip(f"link del {name}a")
        ip(f"netns del {name}")


@AS_ROOT
@pytest.mark.parametrize("scheme", ["epgm", "pgm"])
@pytest.mark.parametrize("kind", ["PUB", "SUB"])
async def test_over_a_real_link_to_another_host(group: str, far_away, kind: str, scheme: str) -> None:
    name, here, there = far_away
    endpoint = f"{scheme}://{name}a;{group}" if scheme == "epgm" else f"{scheme}://{here};{group}"
    theirs = f"{scheme}://{there};{group}"
    async with triomq.open_context() as ctx, libzmq(kind, theirs, "ip", "netns", "exec", name) as peer:
        if kind == "SUB":
            publisher = ctx.socket(PUB, send_hwm=0, **OURS)
            publisher.connect(endpoint)
            await greet(publisher, peer)
            for number in range(50):
                await publisher.send([b"%d" % number, bytes([number]) * 3000])
            for number in range(50):
                assert await next_of(peer) == expected(number, 3000)
        else:
            subscriber = ctx.socket(SUB, topics=[""], **OURS)
            subscriber.connect(endpoint)
            assert await subscriber.receive() == (b"hello",)
            await peer.say("50 3000")
            number = 0
            while number < 50:
                if (message := await subscriber.receive()) != (b"hello",):
                    assert message == (b"%d" % number, bytes([number]) * 3000)
                    number += 1
