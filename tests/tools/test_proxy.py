"""The proxy: what it takes, and whom it waits for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio
import trio.testing

import triomq
from triomq.testing import VirtualNetwork

from .lines import ENDPOINTS, Line, numbers, settle, taken

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
