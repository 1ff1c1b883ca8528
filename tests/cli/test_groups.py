"""The commands in multicast groups: publishers and subscribers as processes, and the probe on a virtual network."""

from __future__ import annotations

import json
import re
import signal
import socket

import pytest
import trio

from triomq import PUB
from triomq._cli._exits import Failure
from triomq._cli._probe_group import GroupFinding, describe_group, probe_group
from triomq.testing import VirtualNetwork
from triomq.testing._network._groups import VirtualGroups

from .shell import finish, line_of, run, running, start

GROUP = "epgm://eth0;239.192.1.1:5555"


@pytest.fixture
def endpoint() -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        return f"epgm://127.0.0.1;239.192.44.4:{free.getsockname()[1]}"


@pytest.mark.slow
@pytest.mark.parametrize("how", ["-b", "-c"])
def test_a_publisher_and_subscribers(endpoint: str, how: str) -> None:
    """The publisher repeats itself: so it does not matter who comes first, or when."""
    with running("pub", how, endpoint, "-D", "weather 1", "-D", "sports 2", "-i", "0.02"):
        with (
            start("sub", how, endpoint, "-s", "weather", "-n", "3", "-q") as one,
            start("xsub", how, endpoint, "-s", "", "-n", "6", "-q", "-D", "") as other,
        ):
            assert finish(one).output == b"weather 1\n" * 3
            assert set(finish(other).output.splitlines()) == {b"weather 1", b"sports 2"}


@pytest.mark.slow
def test_pub_sends_all_of_its_input_and_lingers(endpoint: str) -> None:
    lines = [b"%d" % number + b"x" * 1000 for number in range(300)]
    with (
        running("sub", "-c", endpoint) as subscriber,
        running("pub", "-c", endpoint, "-D", "ready", "-i", "0.02") as first,
    ):
        assert line_of(subscriber) == b"ready\n"  # it listens now
        first.send_signal(signal.SIGTERM)
        with start("pub", "-c", endpoint, "-o", "send_hwm=0", "-o", "rate=1000000") as publisher:
            assert finish(publisher, b"\n".join(lines)).code == 0
        got: list[bytes] = []
        while len(got) < len(lines):
            line = line_of(subscriber)
            if line != b"ready\n":
                got.append(line.rstrip(b"\n"))
        assert got == lines


@pytest.mark.slow
def test_probe_finds_the_publisher(endpoint: str) -> None:
    with running("pub", "-c", endpoint, "-D", "x", "-i", "0.02"):
        ended = run("probe", endpoint)
        assert (ended.code, ended.errors) == (0, "")
        lines = ended.output.decode().splitlines()
        assert lines[:2] == [
            f"{endpoint}: PUB or XPUB",
            "  speaks     PGM over UDP, which neither authenticates nor encrypts",
        ]
        found = json.loads(run("probe", endpoint, "--json").output)
        assert found["address"] == "127.0.0.1"
        assert f"  publisher  {found['publisher']} at 127.0.0.1" in lines
        assert found["round_trip"] > 0


@pytest.mark.slow
def test_a_group_that_cannot_be_joined_is_one_line() -> None:
    wrong = "epgm://nosuch0;239.192.1.1:5555"
    why = "this host has no interface 'nosuch0' with an IPv4 address; `ip address` lists them"
    for command in (["probe", wrong], ["sub", "-c", wrong], ["pub", "-b", wrong, "-D", "x"]):
        ended = run(*command)
        assert (ended.code, ended.output) == (1, b"")
        assert ended.errors == f"triomq {command[0]}: cannot join {wrong}: {why}\n"
    ended = run("probe", "epgm://10.0.0.1:5555")
    assert ended.code == 64
    assert "'10.0.0.1' is not the address of a multicast group" in ended.errors


def masked(finding: GroupFinding) -> str:
    return re.sub(r"[0-9a-f]{12}\.\d+", "NAME", "\n".join(describe_group(finding)))


async def test_what_is_printed_of_a_publisher(virtual_network: VirtualNetwork) -> None:
    net = virtual_network
    groups = VirtualGroups(net._fabric, net._fabric.host("b"))
    async with net.open_context("a") as a:
        publishers = [a.socket(PUB) for _ in range(2)]
        for publisher in publishers:
            publisher.connect(GROUP)
        await publishers[0].send(b"x")
        await trio.sleep(100)
        found = await probe_group(GROUP, 35, groups)
        assert found.heard < 30
        found.heard = 7.0
        assert masked(found) == (
            f"{GROUP}: PUB or XPUB\n"
            "  speaks     PGM over UDP, which neither authenticates nor encrypts\n"
            "  talks to   SUB, XSUB\n"
            "  publisher  NAME at 10.0.0.2\n"
            "  heard      after 7.00 s\n"
            "  asked      and an SPM came after 2.00 ms\n"
            f"  keeps      {found.keeps} datagrams for repairs"
        )
        net.link("b", "a", both_ways=False, loss=1.0)
        found = await probe_group(GROUP, 35, groups)
        assert "asked      and no SPM came within 1 s: what subscribers ask for does not arrive there" in masked(found)
        assert found.keeps is None


async def test_publishers_that_are_heard_meanwhile_are_named(virtual_network: VirtualNetwork) -> None:
    net = virtual_network
    groups = VirtualGroups(net._fabric, net._fabric.host("b"))
    net.link("b", "a", both_ways=False, loss=1.0)
    async with net.open_context("a") as a:
        publishers = [a.socket(PUB) for _ in range(3)]
        for publisher in publishers:
            publisher.connect(GROUP)
        await trio.sleep(1)
        found = await probe_group(GROUP, 35, groups)  # all three tell of themselves at about one time
        assert len({found.publisher, *found.others}) == 3
        assert masked(found).endswith("\n  others     NAME, NAME")


async def test_nobody_is_heard(virtual_network: VirtualNetwork) -> None:
    net = virtual_network
    groups = VirtualGroups(net._fabric, net._fabric.host("b"))
    with pytest.raises(Failure, match=re.escape(f"{GROUP}: no publisher was heard within 35 s")) as caught:
        await probe_group(GROUP, 35, groups)
    assert caught.value.code == 2
    async with trio.open_nursery() as nursery:

        async def make_noise() -> None:
            await trio.sleep(1)
            (port,) = net._fabric.hosts["b"].ports
            port.arrive(b"noise", bytes((10, 0, 0, 9)))

        nursery.start_soon(make_noise)
        with pytest.raises(Failure) as caught:
            await probe_group(GROUP, 3, groups)
    text = str(caught.value)
    assert "no publisher was heard within 3 s; what 10.0.0.9 sends there is no PGM: 5 octets are no packet" in text
    assert text.endswith("; one that has nothing to send tells of itself every 30 s: --timeout 35")


async def test_a_publisher_that_has_ended_is_none(virtual_network: VirtualNetwork) -> None:
    net = virtual_network
    groups = VirtualGroups(net._fabric, net._fabric.host("b"))
    async with trio.open_nursery() as nursery:

        async def come_and_go() -> None:
            async with net.open_context("a") as a:
                publisher = a.socket(PUB)
                publisher.connect(GROUP)
                await trio.sleep(1)
                ready.set()
                await trio.sleep(1)

        ready = trio.Event()
        nursery.start_soon(come_and_go)
        await ready.wait()
        with pytest.raises(Failure, match="no publisher was heard"):
            await probe_group(GROUP, 35, groups)
