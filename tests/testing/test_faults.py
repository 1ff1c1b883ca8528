"""Partitions, cuts, crashes and pauses, as two streams see them."""

from __future__ import annotations

import pytest
import trio

import triomq
from triomq.testing import Partition, VirtualNetwork


async def test_a_short_partition_only_delays(net: VirtualNetwork, connect) -> None:
    near, far = await connect()
    start = trio.current_time()
    net.partition("a", "b")
    await near.send_all(b"one ")
    await trio.sleep(1)
    await near.send_all(b"two")
    with pytest.raises(trio.WouldBlock):
        far.receive_nowait(100)
    net.heal()
    assert await far.receive_some() == b"one two"
    assert 1 < trio.current_time() - start < 2.1  # the pause doubles: 0.2, 0.6, 1.4 seconds after the loss


async def test_what_was_on_its_way_is_sent_again(net: VirtualNetwork, connect) -> None:
    net.link("a", "b", latency=0.5)
    near, far = await connect()
    await near.send_all(b"x")
    await trio.sleep(0.4)
    net.partition("b")
    await trio.sleep(0.2)
    net.heal()
    assert await far.receive_some() == b"x"


@pytest.mark.virtual_seeds(5)
async def test_octets_keep_their_order_through_partitions(net: VirtualNetwork, connect) -> None:
    """Some segments are lost while others are still on their way, and more are sent meanwhile."""
    net.link("a", "b", latency=0.1, jitter=0.5, bandwidth=5000.0, loss=0.1, fragmentation=0.5, segment_size=200)
    near, far = await connect()
    sent, received = bytes(range(250)) * 100, b""

    async def trouble() -> None:
        while True:
            split = net.partition("a", "b")
            await trio.sleep(0.3)
            net.heal(split)
            await trio.sleep(0.4)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(trouble)
        nursery.start_soon(near.send_all, sent)
        while len(received) < len(sent):
            received += await far.receive_some()
        nursery.cancel_scope.cancel()
    assert received == sent


async def test_who_crashes_within_the_handshake_is_forgotten_after_a_minute(net: VirtualNetwork, tcp) -> None:
    net.link("a", "b", latency=1.0)
    listener = await tcp("b").listen("*:5555", triomq.Options(backlog=1))
    await tcp("a").connect("b:5555", triomq.Options())
    net.crash("a")  # the third step is on its way
    await trio.sleep(62)
    assert listener.is_full
    await trio.sleep(2)
    assert not listener.is_full
    assert not net._fabric.host("b").streams


@pytest.mark.parametrize("give_up", [10.0, 924.6])
async def test_a_long_one_kills_who_sends_and_nobody_else(net: VirtualNetwork, connect, give_up: float) -> None:
    net.link("a", "b", give_up=give_up)
    near, far = await connect()
    start = trio.current_time()
    net.partition("a", "b")
    await near.send_all(b"x")
    with pytest.raises(trio.BrokenResourceError, match="no answer"):
        await near.receive_some()
    assert trio.current_time() - start == pytest.approx(give_up, abs=0.01)
    net.heal()
    with trio.move_on_after(3600) as scope:
        await far.receive_some()
    assert scope.cancelled_caught  # an idle end never learns it, until it sends
    await far.send_all(b"y")
    with pytest.raises(trio.BrokenResourceError, match="reset"):
        await far.receive_some()


async def test_who_waits_for_a_window_learns_it_too(net: VirtualNetwork, connect) -> None:
    net.link("a", "b", give_up=10.0)
    near, _ = await connect()
    while near.send_nowait([bytes(65536)]):
        pass
    await trio.sleep(1000)
    net.crash("b")
    with pytest.raises(trio.BrokenResourceError):
        await near.send_all(b"x")
    assert trio.current_time() < 1200  # it asks every two minutes at the least


async def test_a_reader_that_wakes_up_late_gets_all(net: VirtualNetwork, connect) -> None:
    """The window opens when the sender has stopped asking for it often."""
    near, far = await connect()
    sent = near.send_nowait([bytes(65536)]) + near.send_nowait([bytes(65536)])
    await trio.sleep(3600)
    received = 0
    start = trio.current_time()
    while received < sent:
        received += len(await far.receive_some())
    assert trio.current_time() - start < 0.01


async def test_cut_with_a_reset(net: VirtualNetwork, connect) -> None:
    near, far = await connect()
    other, _ = await connect("a", "c")
    assert net.cut("b", "a") == 2
    for stream in near, far:
        with pytest.raises(trio.BrokenResourceError, match="reset"):
            await stream.receive_some()
    await other.send_all(b"still there")
    await connect()  # new ones can be made


async def test_cut_as_a_black_hole(net: VirtualNetwork, connect) -> None:
    net.link("a", "b", give_up=30.0)
    near, far = await connect()
    net.cut("a", "b", how="black hole")
    await near.send_all(b"x")
    with trio.move_on_after(29) as scope:
        await far.receive_some()
    assert scope.cancelled_caught
    await connect()
    with pytest.raises(trio.BrokenResourceError, match="no answer"):
        await near.receive_some()


async def test_a_crash_is_silence_until_the_restart_resets(net: VirtualNetwork, connect) -> None:
    near, far = await connect()
    net.crash("b")
    await near.send_all(b"x")
    with trio.move_on_after(60) as scope:
        await near.receive_some()
    assert scope.cancelled_caught
    assert far.send_nowait([b"y"]) == 0
    net.restart("b")
    with pytest.raises(trio.BrokenResourceError, match="reset"):
        await near.receive_some()
    far.close()


async def test_a_dead_process_has_a_kernel_that_says_so(net: VirtualNetwork, connect) -> None:
    near, _ = await connect()
    net.crash("b", how="process")
    assert await near.receive_some() == b""
    with pytest.raises(ConnectionRefusedError):
        await connect_to_nobody(net)


async def connect_to_nobody(net: VirtualNetwork) -> None:
    from triomq.testing._network import VirtualTcp

    await VirtualTcp(net._fabric, net._fabric.host("a")).connect("b:5555", triomq.Options())


async def test_a_closed_streams_last_octets_die_with_the_machine(net: VirtualNetwork, connect) -> None:
    net.link("a", "b", receive_buffer=10, send_buffer=100)
    near, far = await connect()
    await near.send_all(bytes(100))
    near.close()
    await trio.sleep(1)
    net.crash("a")
    net.restart("a")
    assert len(await far.receive_some()) == 10
    with trio.move_on_after(1000) as scope:
        await far.receive_some()
    assert scope.cancelled_caught


async def test_a_paused_process_takes_and_gives_nothing_and_its_kernel_does(net: VirtualNetwork, connect) -> None:
    near, far = await connect()
    net.pause("b")
    taken = 0
    while more := near.send_nowait([bytes(65536)]):
        taken += more
    await trio.sleep(100)
    assert taken == 2 * 65536
    with pytest.raises(trio.WouldBlock):
        far.receive_nowait(1)
    assert far.send_nowait([b"x"]) == 0
    with trio.move_on_after(1) as scope:
        await far.receive_some()
    assert scope.cancelled_caught
    net.resume("b")
    assert len(await far.receive_some()) == 65536


async def test_what_a_paused_process_closes_is_closed_when_it_goes_on(net: VirtualNetwork, connect) -> None:
    near, far = await connect()
    net.pause("b")
    far.close()
    await trio.sleep(10)
    with pytest.raises(trio.WouldBlock):
        near.receive_nowait(1)
    net.resume("b")
    assert await near.receive_some() == b""


async def test_a_crash_cancels_the_hosts_contexts_and_they_can_be_opened_again(net: VirtualNetwork) -> None:
    async with net.open_context("b") as ctx:
        pull = ctx.socket(triomq.PULL)
        await pull.bind("tcp://*:5555")
        net.crash("b")
        await pull.receive()
        pytest.fail("the host is dead")
    with pytest.raises(RuntimeError, match="restart"):
        async with net.open_context("b"):
            pass
    net.restart("b")
    async with net.open_context("b") as ctx:
        await ctx.socket(triomq.PULL).bind("tcp://*:5555")


async def test_a_host_that_crashes_while_a_context_is_opened_on_it(net: VirtualNetwork) -> None:
    """The block begins, and is cancelled: nothing runs on a dead host; the program runs when the host is back."""
    started: list[float] = []

    async def program(ctx: triomq.Context) -> None:
        await trio.lowlevel.checkpoint()
        started.append(trio.current_time())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(net.run_on, "a", program)
        await trio.lowlevel.checkpoint()
        net.crash("a")
        await trio.sleep(1)
        assert not started
        net.restart("a")
    assert started == [1.0]


async def test_a_program_runs_again_after_each_restart(net: VirtualNetwork) -> None:
    starts = []

    async def program(ctx: triomq.Context, word: str) -> str:
        starts.append(trio.current_time())
        await trio.sleep(10)
        return word

    async def trouble() -> None:
        for _ in range(2):
            await trio.sleep(5)
            net.crash("b")
            await trio.sleep(100)
            net.restart("b")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(trouble)
        assert await net.run_on("b", program, word="done") == "done"
    assert starts == [0, 105, 210]


@pytest.mark.parametrize(
    ("groups", "separated"),
    [
        (["a"], {("a", "b"), ("a", "c"), ("a", "d")}),
        ([{"a", "b"}, {"c"}], {("a", "c"), ("b", "c")}),
        (["a", "b", "c"], {("a", "b"), ("a", "c"), ("b", "c")}),
    ],
)
def test_who_is_separated(groups, separated) -> None:
    partition = Partition(tuple(frozenset(group) for group in groups))
    pairs = [(one, other) for one in "abcd" for other in "abcd" if one < other]
    assert {pair for pair in pairs if partition.separates(*pair)} == separated


async def test_partitions_add_up_and_heal_alone(net: VirtualNetwork, connect) -> None:
    one = net.partition("a", "b")
    net.partition("a", "c")
    net.heal(one)
    await connect("a", "b")
    with trio.move_on_after(10) as scope:
        await connect("a", "c")
    assert scope.cancelled_caught


async def test_wrong_words_are_refused(net: VirtualNetwork) -> None:
    with pytest.raises(ValueError, match="black hole"):
        net.cut("a", "b", how="hard")
    with pytest.raises(ValueError, match="process"):
        net.crash("a", how="softly")
    with pytest.raises(TypeError):
        net.partition()
    with pytest.raises(ValueError, match="latency"):
        net.link("a", "b", latency=-1)
    with pytest.raises(TypeError, match=r"what partition\(\) returned"):
        net.heal("a")


@pytest.mark.parametrize("name", ["living room", "", "*", "a;b", "10.0.0.1", "::1", "a:1", 5])
async def test_a_name_that_nobody_could_connect_to_is_refused(net: VirtualNetwork, name) -> None:
    for use in (net._fabric.host, lambda it: net.link("a", it), net.partition if name != 5 else net._fabric.host):
        with pytest.raises(TypeError if name == 5 else ValueError, match="host's name"):
            use(name)


async def test_a_host_is_on_one_side_only(net: VirtualNetwork) -> None:
    with pytest.raises(ValueError, match="'b' is in two groups"):
        net.partition({"a", "b"}, {"b", "c"})


async def test_a_context_wants_an_open_network(net: VirtualNetwork) -> None:
    """On one that is not, nothing would ever arrive."""
    other = VirtualNetwork()
    with pytest.raises(RuntimeError, match="outside of the network's block"):
        async with other.open_context("a"):
            pytest.fail("it was opened")


@pytest.mark.parametrize("fault", ["crash", "restart", "pause", "resume", "cut"])
async def test_a_fault_of_a_host_that_is_not_there_is_refused(net: VirtualNetwork, fault) -> None:
    """Or a slip of the pen would make a test that tests nothing."""
    net.link("server", "client")
    with pytest.raises(ValueError, match=r"no host 'sever' .*there is server, client.*open_context"):
        getattr(net, fault)(*["server"] * (fault == "cut"), "sever")
