"""A task in ``receive`` reads its only peer's connection itself: nobody can tell, but by the time it takes."""

from __future__ import annotations

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

import triomq
from triomq import zmtp
from triomq.testing import VirtualNetwork
from triomq.testing._network import VirtualTcp


@pytest.fixture
async def pair(virtual_network: VirtualNetwork):
    """A PUSH and the PULL it is connected to, on two hosts."""
    async with virtual_network.open_context("a") as a, virtual_network.open_context("b") as b:
        pull = b.socket(triomq.PULL)
        endpoint = await pull.bind("tcp://*:5555")
        push = a.socket(triomq.PUSH)
        push.connect(endpoint)
        await push.wait_peers()
        await pull.wait_peers()
        yield push, pull


def reads_for_itself(socket) -> bool:
    return socket._receivers._loan is not None


async def receive_into(socket, into: list) -> None:
    into.append(await socket.receive())


async def test_it_does(pair) -> None:
    push, pull = pair
    got: list[triomq.Message] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(receive_into, pull, got)
        await wait_all_tasks_blocked()
        assert reads_for_itself(pull)
        assert pull.statistics().tasks_waiting_receive == 1
        await push.send(b"one")
    assert got == [(b"one",)]
    assert not reads_for_itself(pull)


async def test_a_cancelled_one_takes_nothing(pair) -> None:
    push, pull = pair
    for number in range(100):
        with trio.move_on_after(0.001 * (number % 3)):
            await pull.receive()
            pytest.fail("nothing was sent")
        await push.send(b"%d" % number)
        assert bytes(await pull.receive()) == b"%d" % number


@pytest.mark.virtual_seeds(10)
@pytest.mark.parametrize("delay", [0.0, 0.0005, 0.001, 0.002])
async def test_one_cancelled_about_when_its_message_arrives_receives_it_or_leaves_it(pair, delay) -> None:
    push, pull = pair
    got: list[triomq.Message] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(receive_into, pull, got)
        await wait_all_tasks_blocked()
        assert reads_for_itself(pull)
        await push.send(b"one")
        await trio.sleep(delay)  # a link's latency is 0.001
        nursery.cancel_scope.cancel()
    with trio.move_on_after(1):
        got.append(await pull.receive())
    assert got == [(b"one",)]


async def test_the_next_of_several_is_served_by_what_the_first_has_read(pair) -> None:
    push, pull = pair
    got: list[list[triomq.Message]] = [[], [], []]
    async with trio.open_nursery() as nursery:
        for into in got:
            nursery.start_soon(receive_into, pull, into)
            await wait_all_tasks_blocked()
        assert pull.statistics().tasks_waiting_receive == 3
        await push.send_many([b"0", b"1", b"2"])
    assert got == [[(b"0",)], [(b"1",)], [(b"2",)]]


async def test_when_the_first_gives_up_the_others_still_receive(pair) -> None:
    push, pull = pair
    got: list[triomq.Message] = []
    async with trio.open_nursery() as nursery:
        first = trio.CancelScope()

        async def give_up() -> None:
            with first:
                await pull.receive()

        nursery.start_soon(give_up)
        await wait_all_tasks_blocked()
        nursery.start_soon(receive_into, pull, got)
        await wait_all_tasks_blocked()
        first.cancel()
        await wait_all_tasks_blocked()
        await push.send(b"for the second")
    assert got == [(b"for the second",)]


async def test_who_loses_the_connection_it_reads_is_still_the_first(pair, virtual_network: VirtualNetwork) -> None:
    push, pull = pair
    got: list[list[triomq.Message]] = [[], []]
    async with trio.open_nursery() as nursery:
        for into in got:
            nursery.start_soon(receive_into, pull, into)
            await wait_all_tasks_blocked()
        assert reads_for_itself(pull)
        virtual_network.cut("a", "b")
        await trio.sleep(5)
        assert not reads_for_itself(pull)
        await push.send_many([b"0", b"1"])
    assert got == [[(b"0",)], [(b"1",)]]


@pytest.mark.virtual_seeds(10)
async def test_the_end_is_not_read_before_what_is_kept_back(virtual_network: VirtualNetwork) -> None:
    """The reader is woken in the same turn in which a borrower reads, takes one message, and has no room for more."""
    async with virtual_network.open_context("a") as a, virtual_network.open_context("b") as b:
        pull = b.socket(triomq.PULL, receive_hwm=1)
        endpoint = await pull.bind("tcp://*:5555")
        push = a.socket(triomq.PUSH, linger=60)
        push.connect(endpoint)
        await push.wait_peers()
        await pull.wait_peers()
        await wait_all_tasks_blocked()
        virtual_network.pause("b")
        await push.send_many([b"%d" % number for number in range(5)])
        push.disconnect(endpoint)
        await trio.sleep(1)
        virtual_network.resume("b")
        with trio.move_on_after(10):
            for number in range(5):
                assert bytes(await pull.receive()) == b"%d" % number
            return
        pytest.fail("messages were lost")


async def test_another_peer_is_heard(pair, virtual_network: VirtualNetwork) -> None:
    _, pull = pair
    got: list[triomq.Message] = []
    async with virtual_network.open_context("c") as c, trio.open_nursery() as nursery:
        nursery.start_soon(receive_into, pull, got)
        await wait_all_tasks_blocked()
        assert reads_for_itself(pull)
        other = c.socket(triomq.PUSH)
        other.connect("tcp://b:5555")
        await other.send(b"from c")
        await trio.sleep(5)
        assert got == [(b"from c",)]


async def test_the_connection_is_read_while_nobody_receives(pair) -> None:
    push, pull = pair
    await push.send(b"0")
    await pull.receive()
    await push.send_many([b"1", b"2", b"3"])
    await trio.sleep(1)
    assert pull.statistics().peers[0].receive_queue == 3


async def test_closing_wakes_it(pair) -> None:
    _, pull = pair
    async with trio.open_nursery() as nursery:

        async def receive() -> None:
            with pytest.raises(trio.ClosedResourceError, match="closed while it waited"):
                await pull.receive()

        nursery.start_soon(receive)
        await wait_all_tasks_blocked()
        assert reads_for_itself(pull)
        await pull.aclose()


@pytest.mark.parametrize("how", ["power", "process"])
async def test_the_peer_may_go_and_come_back(virtual_network: VirtualNetwork, how) -> None:
    async def vent(ctx: triomq.Context) -> None:
        push = ctx.socket(triomq.PUSH)
        push.connect("tcp://b:5555")
        await push.send(b"hello")
        await trio.sleep_forever()

    async with virtual_network.open_context("b") as b, trio.open_nursery() as nursery:
        pull = b.socket(triomq.PULL, heartbeat_interval=1.0)
        await pull.bind("tcp://*:5555")
        nursery.start_soon(virtual_network.run_on, "a", vent)
        assert bytes(await pull.receive()) == b"hello"
        got: list[triomq.Message] = []
        nursery.start_soon(receive_into, pull, got)
        await wait_all_tasks_blocked()
        assert reads_for_itself(pull)
        virtual_network.crash("a", how=how)
        await trio.sleep(10)
        assert not reads_for_itself(pull)
        assert pull.peers == ()
        virtual_network.restart("a")
        await trio.sleep(10)
        assert got == [(b"hello",)]
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    "octets",
    [b"\x08\x00", b"\x04\x05\x04PING", b"\x02\xff" + 7 * b"\xff" + b"x"],
    ids=["reserved bits", "PING without TTL", "endless"],
)
async def test_what_a_peer_does_wrong_is_not_raised_here(virtual_network: VirtualNetwork, octets) -> None:
    async with virtual_network.open_context("b") as b, trio.open_nursery() as nursery:
        pull = b.socket(triomq.PULL)
        await pull.bind("tcp://*:5555")
        fabric = virtual_network._fabric
        stream = await VirtualTcp(fabric, fabric.host("liar")).connect("b:5555", pull.options)
        liar = zmtp.Connection("PUSH", as_server=False)
        while not liar.established:
            await stream.send_all(liar.data_to_send())
            liar.receive_data(await stream.receive_some())
        await stream.send_all(liar.data_to_send() + b"\x00\x02ok")
        got: list[triomq.Message] = []
        await receive_into(pull, got)
        nursery.start_soon(receive_into, pull, got)
        await wait_all_tasks_blocked()
        assert reads_for_itself(pull)
        events = pull.monitor()
        await stream.send_all(octets)
        with trio.fail_after(5):
            async for event in events:
                if isinstance(event, triomq.Disconnected):
                    break
        assert isinstance(event.error, triomq.RemoteProtocolError)
        await stream.aclose()
        assert got == [(b"ok",)]
        nursery.cancel_scope.cancel()


async def test_pings_are_answered_by_who_waits_and_by_who_does_not(virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context("a") as a, virtual_network.open_context("b") as b:
        pull = b.socket(triomq.PULL)
        await pull.bind("tcp://*:5555")
        push = a.socket(triomq.PUSH, heartbeat_interval=0.5, heartbeat_timeout=0.5, heartbeat_ttl=1.0)
        push.connect("tcp://b:5555")
        await push.send(b"0")
        await pull.receive()
        events = push.monitor()
        await trio.sleep(20)  # nobody receives
        with trio.move_on_after(20):
            await pull.receive()  # somebody does
        with pytest.raises(trio.WouldBlock):
            events.receive_nowait()


async def test_who_waits_reads_though_heartbeats_find_the_peer_silent(virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context("a") as a, virtual_network.open_context("b") as b:
        pull = b.socket(triomq.PULL, heartbeat_interval=1.0)
        await pull.bind("tcp://*:5555")
        push = a.socket(triomq.PUSH)
        push.connect("tcp://b:5555")
        await pull.wait_peers()
        events = pull.monitor()
        with trio.move_on_after(10):
            virtual_network.cut("a", "b", how="black hole")
            await pull.receive()
        event = events.receive_nowait()
        assert isinstance(event, triomq.Disconnected)
        assert isinstance(event.error, triomq.SilentPeerError)
