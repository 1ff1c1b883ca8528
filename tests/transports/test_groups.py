"""Multicast groups of the system: endpoints as text, sockets, and what is said where there is none."""

from __future__ import annotations

import errno
import os
import random
import socket
import subprocess
import sys

import pytest
import trio

import triomq
from triomq import PUB, SUB, EndpointError, Options
from triomq._transports import GroupAddress, SystemGroups, _groups, parse_group
from triomq._transports._group_address import interface_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("239.192.1.1:5555", GroupAddress("", "239.192.1.1", 5555)),
        (";239.192.1.1:5555", GroupAddress("", "239.192.1.1", 5555)),
        ("eth0;239.192.1.1:1", GroupAddress("eth0", "239.192.1.1", 1)),
        ("10.0.0.1;239.192.1.1:65535", GroupAddress("10.0.0.1", "239.192.1.1", 65535)),
        ("[fd77::1];[ff15::101]:5555", GroupAddress("fd77::1", "ff15::101", 5555)),
        ("br-lan.7;[FF15:0::0101]:5555", GroupAddress("br-lan.7", "ff15::101", 5555)),
    ],
)
def test_an_endpoint_names_interface_group_and_port(text: str, address: GroupAddress) -> None:
    parsed = parse_group("epgm", text)
    assert parsed == address
    assert parsed.family == (socket.AF_INET6 if ":" in address.group else socket.AF_INET)
    assert len(parsed.packed) in (4, 16)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("239.192.1.1", "there is no port"),
        ("[ff15::101]", "there is no port"),
        ("239.192.1.1:", "is not the port of a group"),
        ("239.192.1.1:0", "is not the port of a group"),
        ("239.192.1.1:*", "is not the port of a group"),
        ("239.192.1.1:65536", "is not the port of a group"),
        ("239.192.1.1:+5", "is not the port of a group"),
        ("10.0.0.1:5555", "is not the address of a multicast group"),
        ("*:5555", "is not the address of a multicast group"),
        ("example.org:5555", "is not the address of a multicast group"),
        ("[fd00::1]:5555", "is not the address of a multicast group"),
        ("a b;239.192.1.1:5555", "neither the address nor the name"),
        ("eth\n0;239.192.1.1:5555", "neither the address nor the name"),
        ("eth0:1;239.192.1.1:5555", "neither the address nor the name"),
        ("fd00::1;239.192.1.1:5555", "two versions of IP"),
        ("10.0.0.1;[ff15::1]:5555", "two versions of IP"),
    ],
)
def test_a_malformed_endpoint_says_what_is_wrong_and_what_is_right(text: str, why: str) -> None:
    with pytest.raises(EndpointError, match=why) as caught:
        parse_group("epgm", text)
    assert f"endpoint {f'epgm://{text}'!r}" in str(caught.value)
    assert str(caught.value).isprintable()
    assert "right is for example 'epgm://239.192.1.1:5555'" in str(caught.value)


def test_an_interface_is_found_by_name_and_by_address() -> None:
    for interface in ("lo", "127.0.0.1") if sys.platform == "linux" else ("127.0.0.1",):
        assert interface_address(GroupAddress(interface, "239.192.1.1", 5)) == ("127.0.0.1", 0)


async def test_what_the_system_has_not_is_told_at_once() -> None:
    async with triomq.open_context() as ctx:
        for interface, why, number in (
            ("nosuch0", "this host has no interface 'nosuch0' with an IPv4 address", errno.ENODEV),
            ("192.0.2.77", "192.0.2.77 is no address of this host", errno.EADDRNOTAVAIL),
        ):
            for kind in (PUB, SUB):
                socket_of = ctx.socket(kind)
                endpoint = f"epgm://{interface};239.192.1.1:5555"
                with pytest.raises(OSError, match=f"cannot join {endpoint}: {why}") as caught:
                    socket_of.connect(endpoint)
                assert caught.value.errno == number
                with pytest.raises(OSError, match=why):
                    await socket_of.bind(endpoint)
                assert socket_of.endpoints == ()


async def test_without_the_capability_pgm_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(_groups, "_new_socket", refuse)
    async with triomq.open_context() as ctx:
        why = "pgm:// needs the capability CAP_NET_RAW: run as root, or use epgm://, which needs no privilege"
        with pytest.raises(PermissionError, match=why):
            ctx.socket(SUB).connect("pgm://127.0.0.1;239.192.1.1:5555")


JOIN = """
import sys, trio, triomq
async def main():
    async with triomq.open_context() as ctx:
        for endpoint in sys.argv[1:]:
            for kind in triomq.PUB, triomq.SUB:
                try:
                    ctx.socket(kind).connect(endpoint)
                except OSError as exc:
                    print(type(exc).__name__, exc.strerror)
                else:
                    print("joined")
trio.run(main)
"""


def joining(before: list[str], *endpoints: str) -> list[str]:
    """What a program says that is run by a command such as ``unshare``, for each endpoint: a PUB, then a SUB."""
    command = [*before, sys.executable, "-c", JOIN, *endpoints]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    except OSError as exc:
        pytest.skip(f"{before[0]}: {exc}")
    if done.returncode:
        pytest.skip(f"{before[0]} is refused: {done.stderr[-200:]}")
    return done.stdout.splitlines()


AS_ROOT = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="a host without a route, or without a capability, is root's"
)


@AS_ROOT
@pytest.mark.parametrize("group", ["239.192.1.1:5555", "[ff15::1]:5555"])
@pytest.mark.parametrize("scheme", ["epgm", "pgm"])
def test_without_a_route_one_line_says_what_to_do(scheme: str, group: str) -> None:
    endpoint = f"{scheme}://{group}"
    address = group.rpartition(":")[0].strip("[]")
    why = f"this host has no route to the group {address}: name an interface in the endpoint, as in 'eth0;{group}', "
    line = f"OSError cannot join {endpoint}: {why}or add a default route"
    assert joining(["unshare", "-n"], endpoint) == [line, line]
    parse_group(scheme, f"eth0;{group}")  # what it says is right


@AS_ROOT
def test_an_interface_that_is_down_is_told() -> None:
    endpoint = "epgm://127.0.0.1;239.192.1.1:5555"
    for line in joining(["unshare", "-n"], endpoint):
        assert line.startswith(f"OSError cannot join {endpoint}: the interface of 127.0.0.1 is down, or carries no")
    assert joining(["unshare", "-n", "sh", "-c", 'ip link set lo up; exec "$@"', "sh"], endpoint) == ["joined"] * 2


@AS_ROOT
def test_without_the_capability_one_line_says_what_to_do() -> None:
    endpoint = "pgm://127.0.0.1;239.192.1.1:5555"
    said = joining(["setpriv", "--bounding-set", "-net_raw", "--inh-caps", "-net_raw"], endpoint)
    why = "pgm:// needs the capability CAP_NET_RAW: run as root, or use epgm://, which needs no privilege"
    assert said == [f"PermissionError cannot join {endpoint}: {why}"] * 2


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


async def test_publisher_and_subscribers_of_one_machine() -> None:
    endpoint = f"epgm://127.0.0.1;239.192.7.7:{free_port()}"
    async with triomq.open_context() as one, triomq.open_context() as other:
        subscribers = [ctx.socket(SUB, topics=["t"]) for ctx in (one, one, other)]
        for subscriber in subscribers:
            subscriber.connect(endpoint)
        publisher = one.socket(PUB)
        await publisher.bind(endpoint)
        with trio.fail_after(60):
            for number in range(200):
                await publisher.send([b"t", b"%d" % number])
            await publisher.send(b"unwanted")
            for subscriber in subscribers:
                assert [await subscriber.receive() for _ in range(200)] == [(b"t", b"%d" % n) for n in range(200)]


async def test_a_port_gives_what_comes_for_its_group_alone() -> None:
    port = free_port()
    groups = SystemGroups(raw=False)
    wanted = GroupAddress("127.0.0.1", "239.192.7.8", port)
    listening = groups.join(wanted, Options(), sends=False)
    sending = groups.join(wanted, Options(), sends=True)
    other = groups.join(GroupAddress("127.0.0.1", "239.192.7.9", port), Options(), sends=True)
    try:
        assert listening.path == bytes((127, 0, 0, 1))
        assert listening.encapsulation == 28
        assert other.send_nowait(b"for others", None)
        assert sending.send_nowait(b"for all", None)
        with trio.fail_after(60):
            await listening.wait_readable()
            assert listening.receive_nowait() == (b"for all", listening.path)
            assert listening.receive_nowait() is None
            assert listening.send_nowait(b"for the sender", sending.path)
    finally:
        for one in (listening, sending, other):
            one.close()
            one.close()  # which does nothing


def test_no_two_senders_have_one_name() -> None:
    groups = SystemGroups(raw=False)
    names = {groups.new_name(random.Random(1)) for _ in range(100)}
    assert len(names) == 100
    assert {len(name) for name in names} == {8}
