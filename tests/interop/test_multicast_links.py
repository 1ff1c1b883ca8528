"""libzmq in the same group as root: over raw sockets, and over a real link to another network namespace."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import attrs
import pytest

import triomq
from triomq import PUB, SUB

from .groups import OURS, expected, greet, libzmq, next_of

pytestmark = [pytest.mark.interop]


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


@attrs.frozen(kw_only=True)
class Link:
    """A link to a network namespace: its name, both ends' addresses, and the same with IPv6."""

    name: str
    here: str
    there: str
    here6: str
    there6: str


def ip(command: str) -> bool:
    try:
        return subprocess.run(["ip", *command.split()], capture_output=True, timeout=30).returncode == 0
    except OSError:
        return False


@pytest.fixture
def link() -> Iterator[Link]:
    name, number = f"tq{os.getpid()}", os.getpid() % 250 + 1
    made = Link(
        name=name,
        here=f"10.77.{number}.1",
        there=f"10.77.{number}.2",
        here6=f"fd77:{number}::1",
        there6=f"fd77:{number}::2",
    )
    if not ip(f"netns add {name}"):
        pytest.skip("no network namespace can be made: apt install iproute2")
    try:
        commands = [
            f"link add {name}a type veth peer name {name}b netns {name}",
            f"addr add {made.here}/24 dev {name}a",
            f"addr add {made.here6}/64 dev {name}a nodad",
            f"link set {name}a up",
            f"-n {name} addr add {made.there}/24 dev {name}b",
            f"-n {name} addr add {made.there6}/64 dev {name}b nodad",
            f"-n {name} link set {name}b up",
            f"-n {name} link set lo up",
        ]
        if not all(map(ip, commands)):
            pytest.skip("no link to a network namespace can be made")
        yield made
    finally:
        ip(f"link del {name}a")
        ip(f"netns del {name}")


def endpoints(link: Link, scheme: str, interface: str, group: str) -> tuple[str, str]:
    """Ours, which names the interface in this way, and libzmq's."""
    if interface.startswith("IPv6"):
        port = group.rpartition(":")[2]
        named = f"[{link.here6}]" if interface == "IPv6 address" else f"{link.name}a"
        return f"{scheme}://{named};[ff15::77]:{port}", f"{scheme}://[{link.there6}];[ff15::77]:{port}"
    if interface == "default":
        assert ip(f"route add {group.partition(':')[0]}/32 dev {link.name}a")  # it goes with the link
    named = {"name": f"{link.name}a;", "address": f"{link.here};", "default": ""}[interface]
    return f"{scheme}://{named}{group}", f"{scheme}://{link.there};{group}"


@AS_ROOT
@pytest.mark.parametrize("interface", ["name", "address", "default", "IPv6 address", "IPv6 name"])
@pytest.mark.parametrize("scheme", ["epgm", "pgm"])
@pytest.mark.parametrize("kind", ["PUB", "SUB"])
async def test_over_a_real_link_to_another_host(group: str, link: Link, kind: str, scheme: str, interface: str) -> None:
    ours, theirs = endpoints(link, scheme, interface, group)
    async with triomq.open_context() as ctx, libzmq(kind, theirs, "ip", "netns", "exec", link.name) as peer:
        if kind == "SUB":
            publisher = ctx.socket(PUB, send_hwm=0, **OURS)
            publisher.connect(ours)
            await greet(publisher, peer)
            for number in range(50):
                await publisher.send([b"%d" % number, bytes([number]) * 3000])
            for number in range(50):
                assert await next_of(peer) == expected(number, 3000)
        else:
            subscriber = ctx.socket(SUB, topics=[""], **OURS)
            subscriber.connect(ours)
            assert await subscriber.receive() == (b"hello",)
            await peer.say("50 3000")
            number = 0
            while number < 50:
                if (message := await subscriber.receive()) != (b"hello",):
                    assert message == (b"%d" % number, bytes([number]) * 3000)
                    number += 1
