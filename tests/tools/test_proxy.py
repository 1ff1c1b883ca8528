"""The proxy: what it takes, when it writes, whom it waits for, and whom it lets have their turn."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
import trio
import trio.testing

import triomq
from triomq.abc import NonblockingStream
from triomq.testing import VirtualNetwork

ENDPOINTS = pytest.mark.parametrize("endpoint", ["tcp://127.0.0.1:0", "inproc://"])


class Line:
    """Sockets of one context, in pairs that are connected."""

    def __init__(self, ctx: triomq.Context, endpoint: str) -> None:
        self._ctx = ctx
        self._endpoint = endpoint
        self._number = 0

    async def pair(self, bound: type[Any], connected: type[Any], **options: Any) -> tuple[Any, Any]:
        """A socket, and another one connected to it that has subscribed where it could."""
        one = self._ctx.socket(bound, **options)
        other = await self.connect(connected, one, **{key: options[key] for key in options if key == "hwm"})
        return one, other

    async def connect(self, type_: type[Any], to: Any, **options: Any) -> Any:
        """A socket connected to that one."""
        if not to.endpoints:
            self._number += 1
            await to.bind(f"{self._endpoint}{self._number}" if self._endpoint == "inproc://" else self._endpoint)
        if type_ is triomq.SUB:
            options["topics"] = [""]
        socket = self._ctx.socket(type_, **options)
        socket.connect(to.endpoints[0])
        await socket.wait_peers()
        await trio.testing.wait_all_tasks_blocked()
        return socket


def taken(socket: Any) -> list[bytes]:
    """What can be received at once: the last frame of each."""
    found: list[bytes] = []
    try:
        while True:
            found.append(socket.receive_nowait()[-1])
    except trio.WouldBlock:
        return found


def numbers(*limits: int) -> list[bytes]:
    return [b"%d" % number for number in range(*limits)]


async def settle() -> None:
    await trio.testing.wait_all_tasks_blocked(0.01)


# --- cancelled -------------------------------------------------------------------------------------


@ENDPOINTS
@pytest.mark.parametrize("way", ["scope", "start", "terminate"])
async def test_one_that_is_cancelled_already_moves_nothing(
    endpoint: str, way: str, virtual_network: VirtualNetwork
) -> None:
    async with virtual_network.open_context() as ctx:
        line = Line(ctx, endpoint)
        frontend, source = await line.pair(triomq.PULL, triomq.PUSH)
        backend, sink = await line.pair(triomq.PUSH, triomq.PULL)
        await source.send(b"it")
        await settle()
        if way == "terminate":
            status = Status()
            await triomq.proxy(frontend, backend, task_status=status)
        else:
            with trio.CancelScope() as scope:
                scope.cancel()
                if way == "scope":
                    await triomq.proxy(frontend, backend)
                else:
                    async with trio.open_nursery() as nursery:
                        await nursery.start(triomq.proxy, frontend, backend)
            assert scope.cancelled_caught
        await settle()
        assert not taken(sink)
        assert taken(frontend) == [b"it"]


class Status(trio.TaskStatus[triomq.ProxyHandle]):
    """Ends the proxy in the moment in which it has started."""

    def started(self, value: Any = None) -> None:
        value.terminate()


# --- the capture -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["REQ", "REP", "ROUTER", "XSUB", "SUB", "PULL"])
async def test_what_cannot_be_a_capture_is_refused(kind: str, virtual_network: VirtualNetwork) -> None:
    """Those which have nothing to send, or do not take any message at any time."""
    async with virtual_network.open_context() as ctx:
        capture = ctx.socket(getattr(triomq, kind))
        with pytest.raises(TypeError, match="a capture is a PUB, XPUB, PUSH, DEALER or PAIR, and"):
            await triomq.proxy(ctx.socket(triomq.PULL), ctx.socket(triomq.PUSH), capture)


async def test_a_capture_is_a_third_socket(virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context() as ctx:
        frontend, backend = ctx.socket(triomq.ROUTER), ctx.socket(triomq.DEALER)
        with pytest.raises(ValueError, match="a capture is a third socket"):
            await triomq.proxy(frontend, backend, backend)


@ENDPOINTS
@pytest.mark.parametrize(
    ("kind", "peer"), [("PUB", "SUB"), ("XPUB", "SUB"), ("PUSH", "PULL"), ("DEALER", "DEALER"), ("PAIR", "PAIR")]
)
async def test_a_capture_gets_a_copy_of_everything(
    endpoint: str, kind: str, peer: str, virtual_network: VirtualNetwork
) -> None:
    async with virtual_network.open_context() as ctx:
        line = Line(ctx, endpoint)
        frontend, one = await line.pair(triomq.PAIR, triomq.PAIR)
        backend, other = await line.pair(triomq.PAIR, triomq.PAIR)
        capture, record = await line.pair(getattr(triomq, kind), getattr(triomq, peer))
        async with trio.open_nursery() as nursery:
            handle = await nursery.start(triomq.proxy, frontend, backend, capture)
            await one.send_many(numbers(20))
            await other.send_many(numbers(20, 30))
            await settle()
            assert (taken(other), taken(one)) == (numbers(20), numbers(20, 30))
            assert sorted(taken(record)) == sorted(numbers(30))
            assert handle.statistics() == triomq.ProxyStatistics(
                messages_forward=20, messages_backward=10, messages_dropped=0
            )
            handle.terminate()


@ENDPOINTS
@pytest.mark.parametrize(("kind", "peer", "options"), [("PUSH", "PULL", {}), ("XPUB", "SUB", {"xpub_nodrop": True})])
@pytest.mark.parametrize("then", ["reads", "leaves"])
async def test_a_capture_that_is_full_is_waited_for(
    endpoint: str, kind: str, peer: str, options: Any, then: str, virtual_network: VirtualNetwork
) -> None:
    """Nothing is moved of which it could not have the copy; until it has room, or does not want it any more."""
    virtual_network.link("localhost", "localhost", send_buffer=100, receive_buffer=100)
    async with virtual_network.open_context() as ctx:
        line = Line(ctx, endpoint)
        frontend, source = await line.pair(triomq.PULL, triomq.PUSH, hwm=0)
        backend, sink = await line.pair(triomq.PUSH, triomq.PULL, hwm=0)
        capture, record = await line.pair(getattr(triomq, kind), getattr(triomq, peer), hwm=2, **options)
        await source.send_many(numbers(200))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(triomq.proxy, frontend, backend, capture)
            await trio.sleep(5)
            before = taken(sink)
            assert 2 <= len(before) < 200
            if then == "reads":
                copies = [(await record.receive())[-1] for _ in range(200)]
                assert copies == numbers(200)
            else:
                await record.aclose()
                if kind == "PUSH":
                    record = await line.connect(triomq.PULL, capture, hwm=0)
            await trio.sleep(5)
            assert before + taken(sink) == numbers(200)
            nursery.cancel_scope.cancel()


@pytest.mark.parametrize("which", range(3))
@pytest.mark.parametrize("when", ["before", "meanwhile"])
async def test_a_socket_that_is_closed_ends_it(which: int, when: str, virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context() as ctx:
        sockets = [ctx.socket(type_) for type_ in (triomq.ROUTER, triomq.DEALER, triomq.PUB)]
        if when == "before":
            await sockets[which].aclose()
        async with trio.open_nursery() as nursery:
            with pytest.raises(trio.ClosedResourceError, match="this socket is closed"):
                with trio.fail_after(5):
                    if when == "meanwhile":
                        nursery.start_soon(later, sockets[which].aclose)
                    await triomq.proxy(*sockets)


async def later(call: Callable[[], Awaitable[object]]) -> None:
    await trio.sleep(1)
    await call()


# --- a destination that is full --------------------------------------------------------------------


@ENDPOINTS
async def test_a_full_subscriber_that_leaves_is_waited_for_no_longer(
    endpoint: str, virtual_network: VirtualNetwork
) -> None:
    virtual_network.link("localhost", "localhost", send_buffer=100, receive_buffer=100)
    async with virtual_network.open_context() as ctx:
        line = Line(ctx, endpoint)
        frontend, source = await line.pair(triomq.PULL, triomq.PUSH, hwm=0)
        backend, slow = await line.pair(triomq.XPUB, triomq.SUB, hwm=2, xpub_nodrop=True)
        quick = await line.connect(triomq.SUB, backend, hwm=0)
        await source.send_many(numbers(200))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(triomq.proxy, frontend, backend)
            await trio.sleep(5)
            before = taken(quick)
            assert len(before) < 200
            await slow.aclose()
            await trio.sleep(5)
            assert before + taken(quick) == numbers(200)
            nursery.cancel_scope.cancel()


@ENDPOINTS
async def test_a_full_peer_of_a_router_that_leaves_is_waited_for_no_longer(
    endpoint: str, virtual_network: VirtualNetwork
) -> None:
    """What is for it is dropped then, and counted, and what is for others moves on."""
    virtual_network.link("localhost", "localhost", send_buffer=100, receive_buffer=100)
    async with virtual_network.open_context() as ctx:
        line = Line(ctx, endpoint)
        frontend, source = await line.pair(triomq.DEALER, triomq.DEALER, hwm=0)
        backend = ctx.socket(triomq.ROUTER, hwm=2, router_mandatory=True)
        slow = await line.connect(triomq.DEALER, backend, hwm=2, routing_id=b"slow")
        quick = await line.connect(triomq.DEALER, backend, hwm=0, routing_id=b"quick")
        for number in numbers(200):
            await source.send([b"slow", number])
        await source.send([b"quick", b"it"])
        async with trio.open_nursery() as nursery:
            handle = await nursery.start(triomq.proxy, frontend, backend)
            await trio.sleep(5)
            assert not taken(quick)
            await slow.aclose()
            await trio.sleep(5)
            assert taken(quick) == [b"it"]
            statistics = handle.statistics()
            assert statistics.messages_dropped > 0
            assert statistics.messages_forward + statistics.messages_dropped == 201
            nursery.cancel_scope.cancel()


# --- turns -----------------------------------------------------------------------------------------


@pytest.fixture
def writes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The octets of each write of any connection."""
    sizes: list[int] = []

    def spied(stream_type: type[NonblockingStream]) -> None:
        original = stream_type.send_nowait

        def send_nowait(self: Any, buffers: Sequence[Any]) -> int:
            sizes.append(sum(map(len, buffers)))
            return original(self, buffers)

        monkeypatch.setattr(stream_type, "send_nowait", send_nowait)

    spied(triomq.testing.VirtualStream)
    return sizes


async def test_what_moves_in_a_turn_is_written_once_to_each(writes: list[int], virtual_network: VirtualNetwork) -> None:
    """Though each connection was idle, and its peer has just spoken."""
    async with virtual_network.open_context() as ctx:
        line = Line(ctx, "tcp://127.0.0.1:0")
        frontend, client = await line.pair(triomq.ROUTER, triomq.DEALER)
        backend, worker = await line.pair(triomq.DEALER, triomq.DEALER)
        other = await line.connect(triomq.DEALER, backend)
        async with trio.open_nursery() as nursery:
            handle = await nursery.start(triomq.proxy, frontend, backend)
            for _ in range(3):
                handle.pause()
                await client.send_many(numbers(20))
                await settle()
                writes.clear()
                handle.resume()
                await settle()
                assert len(writes) == 2
                replies = [await by.receive() for by in (worker, other) for _ in range(10)]
                handle.pause()
                for reply in replies:
                    await worker.send(reply)
                await settle()
                writes.clear()
                handle.resume()
                await settle()
                assert len(writes) == 1
                assert sorted(taken(client)) == sorted(numbers(20))
            handle.terminate()


async def test_a_lone_message_is_written_in_the_turn_that_moves_it(
    writes: list[int], virtual_network: VirtualNetwork
) -> None:
    """It waits for no other task, nor for others to come."""
    async with virtual_network.open_context() as ctx:
        line = Line(ctx, "tcp://127.0.0.1:0")
        frontend, source = await line.pair(triomq.PULL, triomq.PUSH)
        backend, sink = await line.pair(triomq.PUSH, triomq.PULL)
        async with trio.open_nursery() as nursery:
            handle = await nursery.start(triomq.proxy, frontend, backend)
            handle.pause()
            await source.send(b"it")
            await settle()
            writes.clear()
            handle.resume()
            while handle.statistics().messages_forward == 0:
                await trio.lowlevel.checkpoint()
            assert len(writes) == 1
            assert await sink.receive() == (b"it",)
            handle.terminate()


async def test_each_of_many_connections_is_written_to(virtual_network: VirtualNetwork) -> None:
    """More than are written to in one turn; and sockets may be of two contexts."""
    count = 150
    async with virtual_network.open_context() as ctx, virtual_network.open_context() as other:
        line = Line(ctx, "tcp://127.0.0.1:0")
        frontend, source = await line.pair(triomq.PULL, triomq.PUSH)
        backend, first = await Line(other, "tcp://127.0.0.1:0").pair(triomq.PUB, triomq.SUB)
        subs = [first, *[await line.connect(triomq.SUB, backend) for _ in range(count - 1)]]
        async with trio.open_nursery() as nursery:
            handle = await nursery.start(triomq.proxy, frontend, backend)
            await source.send(b"it")
            for sub in subs:
                assert await sub.receive() == (b"it",)
            handle.terminate()


@ENDPOINTS
async def test_both_ways_and_other_tasks_have_their_turn(endpoint: str, virtual_network: VirtualNetwork) -> None:
    """However much there is to move one way."""
    async with virtual_network.open_context() as ctx:
        line = Line(ctx, endpoint)
        frontend, one = await line.pair(triomq.PAIR, triomq.PAIR, hwm=0)
        backend, other = await line.pair(triomq.PAIR, triomq.PAIR, hwm=0)
        await one.send_many(numbers(2000))
        await other.send_many(numbers(2000))
        await settle()
        async with trio.open_nursery() as nursery:
            handle = await nursery.start(triomq.proxy, frontend, backend)
            moved = (0, 0)
            while moved < (2000, 2000):
                await trio.lowlevel.checkpoint()
                now = handle.statistics()
                before, moved = moved, (now.messages_forward, now.messages_backward)
                assert sum(moved) - sum(before) <= 2 * 64  # of two turns, as others are in no order
                assert abs(moved[0] - moved[1]) <= 64
            handle.terminate()


async def test_a_message_for_many_is_as_much_as_many(virtual_network: VirtualNetwork) -> None:
    """A turn that publishes is over sooner."""
    async with virtual_network.open_context() as ctx:
        line = Line(ctx, "inproc://")
        frontend, source = await line.pair(triomq.PULL, triomq.PUSH, hwm=0)
        backend, first = await line.pair(triomq.XPUB, triomq.SUB, hwm=0)
        subs = [first, *[await line.connect(triomq.SUB, backend) for _ in range(319)]]
        await source.send_many(numbers(50))
        async with trio.open_nursery() as nursery:
            handle = await nursery.start(triomq.proxy, frontend, backend)
            moved = 0
            while moved < 50:
                await trio.lowlevel.checkpoint()
                before, moved = moved, handle.statistics().messages_forward
                assert moved - before <= 8  # 20 and themselves, each; of two turns
            handle.terminate()
        assert all(taken(sub) == numbers(50) for sub in subs)


@ENDPOINTS
async def test_a_paused_one_moves_nothing_in_either_way(endpoint: str, virtual_network: VirtualNetwork) -> None:
    """And once it goes on, all that has come meanwhile."""
    async with virtual_network.open_context() as ctx:
        line = Line(ctx, endpoint)
        frontend, one = await line.pair(triomq.PAIR, triomq.PAIR, hwm=0)
        backend, other = await line.pair(triomq.PAIR, triomq.PAIR, hwm=0)
        async with trio.open_nursery() as nursery:
            handle = await nursery.start(triomq.proxy, frontend, backend)
            handle.pause()
            await one.send_many(numbers(200))
            await other.send_many(numbers(200, 300))
            await settle()
            assert not taken(one)
            assert not taken(other)
            handle.resume()
            await settle()
            assert taken(one) == numbers(200, 300)
            assert taken(other) == numbers(200)
            handle.terminate()
