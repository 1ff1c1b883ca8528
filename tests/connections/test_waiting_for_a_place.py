"""Peers whose place is taken: a second one of a PAIR, or of a routing id that is in use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import trio
import trio.testing

import triomq
from triomq._sockets._vacancies import Vacancies
from triomq.testing import VirtualNetwork

from ..hostile.raw import GREETING, Raw, frame, raw_at, ready
from ..hostile.scene import until
from ..monitors import drain

KINDS: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "ROUTER": (triomq.ROUTER, triomq.DEALER, {"routing_id": b"taken"}),
    "PAIR": (triomq.PAIR, triomq.PAIR, {}),
}
SAYS = {"silent": b"", "talkative": frame(bytes(60_000)) * 4, "more than fits": frame(bytes(60_000)) * 40}


def hello(kind: str) -> bytes:
    """What a peer says that wants the place that is taken."""
    return GREETING + ready(KINDS[kind][1].socket_type, KINDS[kind][2].get("routing_id"))


async def crowd(net: VirtualNetwork, nursery: trio.Nursery, endpoint: str, octets: bytes, count: int) -> list[Raw]:
    """Connections that have said that and stay; those that were closed are taken out of the list."""
    here: list[Raw] = []

    async def speak(raw: Raw) -> None:
        try:
            await raw.say(octets)
        except trio.ClosedResourceError:
            pass  # it has left meanwhile

    async def stay(task_status: trio.TaskStatus[None]) -> None:
        async with raw_at(endpoint, net) as raw:
            here.append(raw)
            nursery.start_soon(speak, raw)
            task_status.started()
            await raw.hear_end_at_last()
        if raw in here:
            here.remove(raw)

    for _ in range(count):
        await nursery.start(stay)
    return here


def connections_of(net: VirtualNetwork, host: str) -> int:
    """How many connections the kernel of a host has."""
    return len(net._fabric.hosts[host].streams)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("says", SAYS)
async def test_they_keep_nobody_out_and_are_bounded_apart(
    kind: str, says: str, virtual_network: VirtualNetwork
) -> None:
    """Above max_waiting the oldest makes way; a newcomer gets as far as the handshake, and in if there is a place."""
    net = virtual_network
    bound, connected, options = KINDS[kind]
    async with net.open_context("b") as ctx, net.open_context("a") as there, trio.open_nursery() as nursery:
        one = ctx.socket(bound, max_handshakes=5, max_waiting=10)
        endpoint = await one.bind("tcp://*:5555")
        first = there.socket(connected, **options)
        first.connect("tcp://b:5555")
        await one.wait_peers()
        monitor = one.monitor(10_000)
        here = await crowd(net, nursery, endpoint, hello(kind) + SAYS[says], 40)
        await until(lambda: len(here) == 10)
        assert connections_of(net, "b") == 11
        dismissed = [event for event in drain(monitor) if "max_waiting=10 reached" in str(getattr(event, "error", ""))]
        assert len(dismissed) == 30
        if kind == "ROUTER":
            other = there.socket(connected)
            other.connect("tcp://b:5555")
            with trio.fail_after(0.5):
                await one.wait_peers(2)
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("says", SAYS)
@pytest.mark.parametrize("ends", ["in order", "by a reset"])
async def test_who_leaves_is_seen_to_leave(kind: str, says: str, ends: str, virtual_network: VirtualNetwork) -> None:
    """Even one that has said so much that it is not read any more."""
    net = virtual_network
    bound, connected, options = KINDS[kind]
    async with net.open_context("b") as ctx, net.open_context("a") as there, trio.open_nursery() as nursery:
        one = ctx.socket(bound, receive_buffer=300_000)
        endpoint = await one.bind("tcp://*:5555")
        first = there.socket(connected, **options)
        first.connect("tcp://b:5555")
        await one.wait_peers()
        async with raw_at(endpoint, net) as raw:
            with trio.move_on_after(1):
                await raw.say(hello(kind), SAYS[says])
            await trio.sleep(2)
            assert connections_of(net, "b") == 2
            if ends == "by a reset":
                net.cut("evil", "b")
        await trio.sleep(5)
        assert connections_of(net, "b") == 1
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("endpoint", ["tcp://127.0.0.1:0", "ipc://*"])
async def test_a_real_kernel_tells_of_the_end_behind_what_is_unread(endpoint: str) -> None:
    async with triomq.open_context() as ctx:
        one = ctx.socket(triomq.PAIR)
        monitor = one.monitor()
        endpoint = await one.bind(endpoint)
        first = ctx.socket(triomq.PAIR)
        first.connect(endpoint)
        await one.wait_peers()
        scheme, _, address = endpoint.partition("://")
        if scheme == "tcp":
            stream = await trio.open_tcp_stream("127.0.0.1", int(address.rpartition(":")[2]))
        else:
            stream = await trio.open_unix_socket(address)
        await stream.send_all(hello("PAIR") + frame(bytes(60_000)))
        await trio.sleep(0.1)
        await stream.aclose()
        with trio.fail_after(5):
            while "left while another" not in str(getattr(await monitor.receive(), "error", "")):
                pass


async def test_whoever_waits_is_disconnected_after_its_time(virtual_network: VirtualNetwork) -> None:
    net = virtual_network
    async with net.open_context("b") as ctx:
        one, first = ctx.socket(triomq.PAIR, waiting_timeout=60), ctx.socket(triomq.PAIR)
        monitor = one.monitor()
        endpoint = await one.bind("tcp://*:5555")
        first.connect(endpoint)
        await one.wait_peers()
        async with raw_at(endpoint, net) as raw:
            await raw.say(hello("PAIR"))
            start = trio.current_time()
            with trio.fail_after(61):
                while await raw.stream.receive_some():
                    pass
            assert trio.current_time() - start == pytest.approx(60, abs=0.1)
        reasons = [str(getattr(event, "error", "")) for event in drain(monitor)]
        assert reasons[-1] == f"no place for {raw.address} within waiting_timeout=60 s"


async def test_the_oldest_gets_the_place_of_its_name(virtual_network: VirtualNetwork) -> None:
    """Others that wait for other names stay where they are, and keep their turn."""
    net = virtual_network
    async with net.open_context("b") as ctx:
        router = ctx.socket(triomq.ROUTER)
        endpoint = await router.bind("tcp://*:5555")

        async def dealer(name: bytes, text: bytes) -> triomq.DEALER:
            made = ctx.socket(triomq.DEALER, routing_id=name)
            made.connect(endpoint)
            await made.send(text)
            await trio.sleep(0.1)
            return made

        holders = [await dealer(name, b"holder") for name in (b"x", b"y")]
        names = ((b"x", 1), (b"y", 2), (b"x", 3), (b"y", 4))
        waiting = [await dealer(name, b"%d" % number) for name, number in names]
        assert len(waiting) == 4
        passer_by = await dealer(b"", b"hello")
        assert len([await router.receive() for _ in range(3)]) == 3
        await passer_by.aclose()
        with trio.move_on_after(1):
            raise AssertionError(await router.receive())
        await holders[1].aclose()
        assert await router.receive() == (b"y", b"2")
        await holders[0].aclose()
        assert await router.receive() == (b"x", b"1")
        assert not any(one.statistics().messages_dropped for one in waiting)
        with trio.move_on_after(10):
            raise AssertionError(await router.receive())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("interval", [0.2, 30.0])
@pytest.mark.parametrize("says", SAYS)
async def test_one_with_heartbeats_keeps_its_connection_and_loses_nothing(
    kind: str, interval: float, says: str, virtual_network: VirtualNetwork
) -> None:
    """Else it would hang up after its timeout, and what it had sent meanwhile would be lost."""
    net = virtual_network
    bound, connected, options = KINDS[kind]
    messages = {"silent": [], "talkative": [bytes(9_000)], "more than fits": [bytes(9_000)] * 10}[says]
    async with net.open_context("b") as ctx, net.open_context("a") as there:
        one = ctx.socket(bound)
        await one.bind("tcp://*:5555")
        first, second = (
            there.socket(connected, **options),
            there.socket(connected, heartbeat_interval=interval, heartbeat_timeout=0.6, **options),
        )
        first.connect("tcp://b:5555")
        await one.wait_peers()
        monitor = second.monitor()
        second.connect("tcp://b:5555")
        await second.send_many(messages)
        await trio.sleep(300)
        await first.aclose()
        await second.send(b"last")
        with trio.fail_after(60):
            for message in [*messages, b"last"]:
                assert (await one.receive())[-1] == message
        await trio.sleep(1)
        events = [triomq.Connected, triomq.HandshakeSucceeded, triomq.KeptWaiting, triomq.KeptWaiting]
        assert [type(event) for event in drain(monitor)] == events


@pytest.mark.parametrize("waits_at", ["inproc://place", "tcp://127.0.0.1:5555"])
@pytest.mark.parametrize("given_up", ["inproc://other", "inproc://place"])
@pytest.mark.parametrize("io_thread", [False, True], ids=["", "in halves"])
async def test_an_endpoint_that_is_given_up_takes_the_place_of_nobody_who_waits_at_another(
    virtual_network: VirtualNetwork, waits_at: str, given_up: str, io_thread: bool
) -> None:
    """And who waits at that endpoint finds the next socket that binds the name."""
    async with virtual_network.open_context(io_thread=io_thread) as ctx:
        router, next_router = ctx.socket(triomq.ROUTER), ctx.socket(triomq.ROUTER)
        here, waiting = (ctx.socket(triomq.DEALER, routing_id=b"taken") for _ in range(2))
        for endpoint in ("inproc://taken", "inproc://other", "inproc://place", "tcp://127.0.0.1:5555"):
            await router.bind(endpoint)
        here.connect("inproc://taken")
        await router.wait_peers()
        waiting.connect(waits_at)
        await trio.testing.wait_all_tasks_blocked()
        await router.unbind(given_up)
        if given_up == waits_at:
            await next_router.bind(waits_at)
            router = next_router
        else:
            await here.aclose()
        await waiting.send(b"it")
        assert await router.receive() == (b"taken", b"it")


async def test_one_of_an_older_version_hears_nothing_while_it_waits(virtual_network: VirtualNetwork) -> None:
    """ZMTP 3.0 has no heartbeats."""
    net = virtual_network
    async with net.open_context("b") as ctx:
        one, first = ctx.socket(triomq.PAIR), ctx.socket(triomq.PAIR)
        endpoint = await one.bind("tcp://*:5555")
        first.connect(endpoint)
        await one.wait_peers()
        async with raw_at(endpoint, net) as raw:
            await raw.greet("PAIR", minor=0)
            await raw.say(frame(bytes(60_000)))
            with trio.move_on_after(60):
                raise AssertionError(await raw.stream.receive_some())


@pytest.mark.parametrize("tenant", [b"", b"z"])
@pytest.mark.parametrize("scheme", ["tcp", "inproc"])
async def test_a_name_is_free_when_its_endpoint_has_a_tenant_of_another_name(
    scheme: str, tenant: bytes, virtual_network: VirtualNetwork
) -> None:
    """A ROUTER keeps the name of a peer that it dialled, until it finds another peer there."""
    net = virtual_network
    async with net.open_context("b") as ctx, net.open_context("a") as there:
        first = there.socket(triomq.DEALER, routing_id=b"x")
        await first.bind("tcp://*:5555")
        router = ctx.socket(triomq.ROUTER, reconnect_interval_max=0.1)
        router.connect("tcp://a:5555")
        await router.wait_peers()
        second = ctx.socket(triomq.DEALER, routing_id=b"x")
        second.connect(await router.bind({"tcp": "tcp://*:6666", "inproc": "inproc://it"}[scheme]))
        await second.send(b"second")
        await first.aclose()
        with trio.move_on_after(1):
            raise AssertionError(await router.receive())
        other = there.socket(triomq.DEALER, routing_id=tenant)
        await other.bind("tcp://*:5555")
        with trio.fail_after(1):
            assert await router.receive() == (b"x", b"second")
        await router.send([b"x", b"reply"])
        assert await second.receive() == (b"reply",)


# -- who is woken ------------------------------------------------------------------------------------


@pytest.fixture
async def waiting(nursery: trio.Nursery) -> Any:
    """Start tasks that wait for a name each; what each does when it is woken is noted."""
    vacancies = Vacancies()
    log: list[str] = []
    scopes: dict[str, trio.CancelScope] = {}

    async def wait(label: str, name: bytes, again: bool, then: Callable[[], None]) -> None:
        with trio.CancelScope() as scopes[label], vacancies.until_one(name, again=again):
            await trio.sleep_forever()
        if not scopes[label].cancelled_caught:
            log.append(label)
            then()

    async def start(label: str, name: bytes, *, again: bool = False, then: Callable[[], None] = lambda: None) -> None:
        nursery.start_soon(wait, label, name, again, then)
        await trio.testing.wait_all_tasks_blocked()

    return vacancies, log, scopes, start


async def test_one_is_woken_for_each_that_leaves(waiting: Any) -> None:
    vacancies, log, _, start = waiting
    for number in range(900):
        await start(f"{number}", b"same")
    vacancies.announce((b"", b"\0abcd"))
    await trio.testing.wait_all_tasks_blocked()
    assert log == ["0"]
    vacancies.announce((b"same", b"same"))
    await trio.testing.wait_all_tasks_blocked()
    assert log == ["0", "1"]


async def test_a_name_comes_before_age_and_whoever_was_woken_in_vain_keeps_its_turn(waiting: Any) -> None:
    vacancies, log, _, start = waiting
    await start("x1", b"x")
    await start("y1", b"y")
    await start("x2", b"x")
    vacancies.announce((b"y",))
    await trio.testing.wait_all_tasks_blocked()
    vacancies.announce((b"z",))
    await trio.testing.wait_all_tasks_blocked()
    assert log == ["y1", "x1"]
    await start("x1 again", b"x", again=True)
    vacancies.announce((b"x",))
    await trio.testing.wait_all_tasks_blocked()
    assert log == ["y1", "x1", "x1 again"]


async def test_whoever_is_cancelled_as_it_is_woken_passes_that_on(waiting: Any) -> None:
    vacancies, log, scopes, start = waiting
    for label in ("first", "second", "third"):
        await start(label, b"x")
    vacancies.announce((b"x",))
    scopes["first"].cancel()
    await trio.testing.wait_all_tasks_blocked()
    assert log == ["second"]
