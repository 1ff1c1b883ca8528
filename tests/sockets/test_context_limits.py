"""The limits of a context: its sockets, the connections that come to it, the bytes that wait in it."""

from __future__ import annotations

import errno

import pytest
import trio
import trio.testing
from trio.testing import wait_all_tasks_blocked

import triomq
from triomq.testing import VirtualNetwork

from ..monitors import drain
from ..virtual import dial

LARGE = 100_000  # bytes
AT_ONCE = 256 * 1024  # bytes: what may be read at once, beyond the limit


# --- sockets -------------------------------------------------------------------------------------------


async def test_one_socket_too_many_is_refused() -> None:
    async with triomq.open_context(max_sockets=2) as ctx:
        pull, _ = ctx.socket(triomq.PULL), ctx.socket(triomq.PUSH)
        with pytest.raises(OSError, match=r"Context\.socket: 2 sockets of this context are open") as caught:
            ctx.socket(triomq.PULL)
        assert caught.value.errno == errno.EMFILE
        assert len(ctx.sockets) == 2
        await pull.aclose()
        ctx.socket(triomq.PULL)
        with pytest.raises(OSError, match="max_sockets=2"):
            ctx.socket(triomq.PULL)


async def test_a_socket_that_could_not_be_made_takes_no_place() -> None:
    async with triomq.open_context(max_sockets=1) as ctx:
        with pytest.raises(triomq.EndpointError):
            ctx.socket(triomq.PULL, connect="nonsense")
        with pytest.raises(TypeError):
            ctx.socket(triomq.PULL, nonsense=1)
        async with ctx.socket(triomq.PULL, bind="inproc://it") as pull:
            assert ctx.sockets == (pull,)
        ctx.socket(triomq.PULL)


async def test_a_forgotten_socket_keeps_its_place(autojump_clock: trio.testing.MockClock) -> None:
    async with triomq.open_context(max_sockets=1) as ctx:
        ctx.socket(triomq.PULL)  # without an endpoint: it is closed without a word
        await wait_all_tasks_blocked()
        one = ctx.socket(triomq.PULL)
        one.connect("inproc://it")
        del one
        with pytest.raises(OSError, match="max_sockets=1"):
            ctx.socket(triomq.PULL)
        with pytest.warns(ResourceWarning, match="was forgotten and is still open"):
            await trio.sleep(0.2)


async def test_limits_are_checked_at_the_call() -> None:
    with pytest.raises(ValueError, match="max_sockets"):
        triomq.open_context(max_sockets=-1)
    with pytest.raises(AttributeError, match=r"write triomq\.open_context\(max_sockets=…\)"):
        async with triomq.open_context() as ctx:
            ctx.max_sockets  # it raises


# --- connections ---------------------------------------------------------------------------------------


async def test_connections_to_all_endpoints_count_together(virtual_network: VirtualNetwork) -> None:
    net = virtual_network
    async with net.open_context("server", max_peers=3) as ctx, net.open_context("client") as client:
        first, second = ctx.socket(triomq.PULL), ctx.socket(triomq.PULL)
        await first.bind("tcp://0.0.0.0:1")
        await second.bind("tcp://0.0.0.0:2")
        monitor = second.monitor()
        pushes = [client.socket(triomq.PUSH, linger=0) for _ in range(4)]
        for push, port in zip(pushes, (1, 1, 2, 2), strict=True):
            push.connect(f"tcp://server:{port}")
            await trio.sleep(1)
        await first.wait_peers(2)
        await second.wait_peers(1)
        failures = [event for event in drain(monitor) if isinstance(event, triomq.HandshakeFailed)]
        assert str(failures[0].error) == "max_peers=3 of the context reached: connection closed"
        await pushes[0].aclose()  # makes a place for the fourth, at the other endpoint
        await second.wait_peers(2)


async def test_silent_connections_keep_nobody_out_of_another_endpoint(virtual_network: VirtualNetwork) -> None:
    net = virtual_network
    async with net.open_context("localhost", max_peers=5) as ctx:
        pull, busy = ctx.socket(triomq.PULL), ctx.socket(triomq.PULL)
        endpoint = await busy.bind("tcp://127.0.0.1:1")
        await pull.bind("tcp://127.0.0.1:2")
        silent = [await dial(net, endpoint) for _ in range(5)]
        await wait_all_tasks_blocked()
        assert ctx.statistics().unfinished_handshakes == 5
        push = ctx.socket(triomq.PUSH)
        push.connect("tcp://127.0.0.1:2")
        with trio.fail_after(5):
            await pull.wait_peers(1)
        assert ctx.statistics().unfinished_handshakes == 4
        for stream in silent:
            await stream.aclose()


async def test_connections_that_end_are_counted_no_longer(virtual_network: VirtualNetwork) -> None:
    net = virtual_network
    async with net.open_context("server", max_peers=2) as ctx:
        pull = ctx.socket(triomq.PULL)
        endpoint = await pull.bind("tcp://0.0.0.0:1")
        for _ in range(10):
            async with net.open_context("client") as client:
                pushes = [client.socket(triomq.PUSH, linger=0) for _ in range(2)]
                for push in pushes:
                    push.connect("tcp://server:1")
                await pull.wait_peers(2)
            await pull.wait_peers(0)
        await pull.unbind(endpoint)
        assert ctx._shared.runtime.bounds.connections == 0
        assert not ctx._shared.runtime.bounds.doors


# --- bytes --------------------------------------------------------------------------------------------


async def connected(ctx: triomq.Context, client: triomq.Context, port: int, **options: float) -> tuple:
    pull, push = ctx.socket(triomq.PULL, **options), client.socket(triomq.PUSH, **options)
    await pull.bind(f"tcp://0.0.0.0:{port}")
    push.connect(f"tcp://server:{port}")
    await push.wait_peers()
    return pull, push


@pytest.mark.parametrize("hwm", [1000, 0])
async def test_what_waits_is_bounded_and_nothing_is_lost(virtual_network: VirtualNetwork, hwm: int) -> None:
    net = virtual_network
    limit = 5 * LARGE
    async with (
        net.open_context("server", max_queued_bytes=limit) as ctx,
        net.open_context("client") as client,
        trio.open_nursery() as nursery,
    ):
        sockets = [await connected(ctx, client, port, hwm=hwm) for port in (1, 2, 3)]
        for _, push in sockets:
            nursery.start_soon(push.send_many, [b"%d" % number + bytes(LARGE) for number in range(20)])
        await trio.sleep(10)
        waiting = ctx.statistics().bytes_queued
        assert limit <= waiting < limit + 3 * AT_ONCE
        most = 0
        for number in range(20):
            for pull, _ in sockets:
                with trio.fail_after(60):
                    assert (await pull.receive())[0].startswith(b"%d\0" % number)
                most = max(most, ctx.statistics().bytes_queued)
        assert most < limit + 3 * AT_ONCE
        await wait_all_tasks_blocked()
        assert ctx.statistics().bytes_queued == 0


async def test_an_empty_inbox_gets_its_message_however_much_waits_elsewhere(virtual_network: VirtualNetwork) -> None:
    net = virtual_network
    async with (
        net.open_context("server", max_queued_bytes=LARGE) as ctx,
        net.open_context("client") as client,
        trio.open_nursery() as nursery,
    ):
        (full, much), (empty, little) = [await connected(ctx, client, port) for port in (1, 2)]
        nursery.start_soon(much.send_many, [bytes(LARGE)] * 20)
        await trio.sleep(10)
        assert ctx.statistics().bytes_queued >= LARGE
        for number in range(10):
            await little.send(b"%d" % number)
            with trio.fail_after(5):
                assert await empty.receive() == (b"%d" % number,)
        for _ in range(20):
            await full.receive()


async def test_a_peer_that_is_not_read_is_not_taken_for_dead(virtual_network: VirtualNetwork) -> None:
    net = virtual_network
    async with (
        net.open_context("server", max_queued_bytes=LARGE) as ctx,
        net.open_context("client") as client,
        trio.open_nursery() as nursery,
    ):
        pull, push = await connected(ctx, client, 1, heartbeat_interval=1, heartbeat_timeout=3)
        nursery.start_soon(push.send_many, [bytes(LARGE)] * 20)
        await trio.sleep(60)
        assert push.statistics().reconnects == 0
        for _ in range(20):
            await pull.receive()
        assert push.statistics().reconnects == 0


async def test_what_a_closed_socket_had_is_counted_no_longer(virtual_network: VirtualNetwork) -> None:
    net = virtual_network
    async with net.open_context("server", max_queued_bytes=10**6) as ctx:
        async with net.open_context("client") as client:
            pull, push = await connected(ctx, client, 1)
            await push.send_many([bytes(100)] * 20)
            await push.flush()
        await pull.wait_peers(0)
        assert ctx.statistics().bytes_queued == 2000  # their peer has left
        await pull.receive()
        assert ctx.statistics().bytes_queued == 1900
        await pull.aclose()
        assert ctx.statistics().bytes_queued == 0


@pytest.mark.parametrize("left", [False, True], ids=["the peer stays", "the peer has left"])
@pytest.mark.parametrize("kind", [triomq.REP, triomq.REQ])
async def test_nor_what_came_from_the_peer_that_a_closed_socket_was_talking_with(
    kind: type[triomq.REP | triomq.REQ], left: bool, virtual_network: VirtualNetwork
) -> None:
    """The socket remembers that peer; the program may keep the socket."""
    net = virtual_network
    async with net.open_context("server", max_queued_bytes=10**6) as ctx:
        async with net.open_context("client") as client:
            ours, theirs = ctx.socket(kind), client.socket(triomq.DEALER if kind is triomq.REP else triomq.ROUTER)
            theirs.connect(await ours.bind("tcp://*:5555"))
            await ours.wait_peers()
            if isinstance(ours, triomq.REP):
                await theirs.send_many([[b"", bytes(100)]] * 3)
                await ours.receive()
            else:
                await ours.send(b"question")
                name, *_ = await theirs.receive()
                await theirs.send([name, b"", bytes(100)])
            await trio.sleep(1)
            assert (ctx.statistics().bytes_queued or 0) >= 100
            if not left:
                await ours.aclose()
                assert ctx.statistics().bytes_queued == 0
        await trio.sleep(1)
        await ours.aclose()
        assert ctx.statistics().bytes_queued == 0


async def test_bytes_are_not_counted_where_they_are_not_bounded() -> None:
    async with triomq.open_context() as ctx:
        assert ctx.statistics().bytes_queued is None
