"""Names, ports, paths; connecting, being refused, and hearing nothing."""

from __future__ import annotations

import errno
import socket

import pytest
import trio

import triomq
from triomq.testing import VirtualNetwork
from triomq.testing._network import VirtualIpc

OPTIONS = triomq.Options()


async def test_ports_are_allotted_and_reported_with_the_hosts_name(net: VirtualNetwork, tcp) -> None:
    one = await tcp("a").listen("*:0", OPTIONS)
    two = await tcp("a").listen("0.0.0.0:*", OPTIONS)
    own = await tcp("a").listen("a:5555", OPTIONS)
    loopback = await tcp("a").listen("127.0.0.1:0", OPTIONS)
    endpoints = [listener.endpoint for listener in (one, two, own, loopback)]
    assert endpoints == ["tcp://a:49152", "tcp://a:49153", "tcp://a:5555", "tcp://127.0.0.1:49154"]


async def test_a_port_has_one_listener(tcp) -> None:
    listener = await tcp("a").listen("*:5555", OPTIONS)
    await tcp("b").listen("*:5555", OPTIONS)
    with pytest.raises(triomq.AddressInUseError, match=r"tcp://127\.0\.0\.1:5555"):
        await tcp("a").listen("127.0.0.1:5555", OPTIONS)
    listener.close()
    await tcp("a").listen("127.0.0.1:5555", OPTIONS)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "0.0.0.0", "a", "a.", "[::1]"])
async def test_a_host_reaches_itself(tcp, host: str) -> None:
    listener = await tcp("a").listen("*:5555", OPTIONS)
    stream = await tcp("a").connect(f"{host}:5555", OPTIONS)
    assert stream.peer == "tcp://a:5555"
    assert (await listener.accept()).peer == "tcp://a:49152"


async def test_what_is_bound_to_the_loopback_is_for_the_host_alone(tcp) -> None:
    await tcp("b").listen("127.0.0.1:5555", OPTIONS)
    with pytest.raises(ConnectionRefusedError):
        await tcp("a").connect("b:5555", OPTIONS)
    await tcp("b").connect("localhost:5555", OPTIONS)


async def test_refused_after_a_round_trip(net: VirtualNetwork, tcp) -> None:
    net.link("a", "b", latency=0.25)
    with pytest.raises(ConnectionRefusedError, match="cannot connect to tcp://b:5555"):
        await tcp("a").connect("b:5555", OPTIONS)
    assert trio.current_time() == 0.5


async def test_no_answer_is_asked_for_again_and_at_last_given_up(net: VirtualNetwork, tcp) -> None:
    net.partition("a", "b")
    with pytest.raises(TimeoutError, match="cannot connect to tcp://b:5555"):
        await tcp("a").connect("b:5555", OPTIONS)
    assert trio.current_time() == 127
    assert len(net.recorder.of_kind("lost")) == 7  # at 0, 1, 3, 7, 15, 31, 63


async def test_the_call_gets_through_after_healing(net: VirtualNetwork, tcp) -> None:
    await tcp("b").listen("*:5555", OPTIONS)
    split = net.partition("a", "b")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(tcp("a").connect, "b:5555", OPTIONS)
        await trio.sleep(2)
        net.heal(split)
    assert trio.current_time() == pytest.approx(3.005, abs=0.01)


async def test_cancelled_while_connecting_nothing_stays(net: VirtualNetwork, tcp) -> None:
    net.link("a", "b", latency=0.25)
    listener = await tcp("b").listen("*:5555", OPTIONS)
    for seconds in 0.1, 0.3, 0.5:
        with trio.move_on_after(seconds) as scope:
            await tcp("a").connect("b:5555", OPTIONS)
        assert scope.cancelled_caught or seconds == 0.5
    await trio.sleep(10)
    with trio.move_on_after(1):
        await listener.accept()
        await listener.accept()
        pytest.fail("only the last attempt may have come through")


async def test_a_full_backlog_answers_nothing(net: VirtualNetwork, tcp) -> None:
    listener = await tcp("b").listen("*:5555", triomq.Options(backlog=1))
    await tcp("a").connect("b:5555", OPTIONS)
    with trio.move_on_after(0.9) as scope:
        await tcp("a").connect("b:5555", OPTIONS)
    assert scope.cancelled_caught
    await listener.accept()
    await tcp("a").connect("b:5555", OPTIONS)


async def test_closing_a_listener_resets_who_waits_there(connect, tcp) -> None:
    listener = await tcp("b").listen("*:5555", OPTIONS)
    stream = await tcp("a").connect("b:5555", OPTIONS)
    await trio.sleep(0.01)
    await listener.aclose()
    with pytest.raises(trio.BrokenResourceError):
        await stream.receive_some()
    with pytest.raises(trio.ClosedResourceError):
        await listener.accept()


@pytest.mark.parametrize(
    ("address", "error"),
    [
        ("nowhere:5555", socket.gaierror),
        ("10.0.0.1:5555", OSError),
        ("b", triomq.EndpointError),
        ("*:5555", triomq.EndpointError),
        ("b:0", triomq.EndpointError),
        ("b:99999", triomq.EndpointError),
    ],
)
async def test_what_cannot_be_connected_to(net: VirtualNetwork, tcp, address: str, error: type[Exception]) -> None:
    net.link("a", "b")
    with pytest.raises(error):
        await tcp("a").connect(address, OPTIONS)


async def test_what_cannot_be_bound(net: VirtualNetwork, tcp) -> None:
    net.link("a", "b")
    with pytest.raises(OSError, match="cannot bind tcp://b:5555") as caught:
        await tcp("a").listen("b:5555", OPTIONS)
    assert caught.value.errno == errno.EADDRNOTAVAIL
    with pytest.raises(triomq.EndpointError):
        await tcp("a").listen("a", OPTIONS)


async def test_ipc_paths_are_the_hosts_own(net: VirtualNetwork) -> None:
    a, b = (VirtualIpc(net._fabric, net._fabric.host(name)) for name in "ab")
    listener = await a.listen("*", OPTIONS)
    path = listener.endpoint.removeprefix("ipc://")
    assert (await a.connect(path, OPTIONS)).peer == (await listener.accept()).peer == listener.endpoint
    with pytest.raises(FileNotFoundError):
        await b.connect(path, OPTIONS)
    with pytest.raises(triomq.AddressInUseError):
        await a.listen(path, OPTIONS)
    for address in "*", "@", "x" * 200:
        with pytest.raises(triomq.EndpointError):
            await a.connect(address, OPTIONS)


@pytest.mark.parametrize(
    ("endpoint", "text"),
    [
        ("tcp://servr:5555", "no virtual host has that name; there are localhost, server"),
        ("tcp://10.0.0.1:5555", "virtual hosts have names, no numbers"),
    ],
)
async def test_a_wrong_name_is_in_the_trace(net: VirtualNetwork, endpoint: str, text: str) -> None:
    """A socket tries again and says nothing, as it has to: the name may come to be known."""
    async with net.open_context() as ctx, net.open_context("server"):
        push = ctx.socket(triomq.PUSH)
        push.connect(endpoint)
        await trio.sleep(1)
    happenings = net.recorder.of_kind("no such host")
    assert len(happenings) > 1
    assert happenings[0].host == "localhost"
    assert text in happenings[0].text
