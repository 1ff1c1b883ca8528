"""unbind(keep_peers=True): nobody new is accepted, and who is there stays."""

from __future__ import annotations

import math

import pytest
import trio
import trio.testing

import triomq
from triomq.testing import VirtualNetwork

from ..monitors import drain

settled = trio.testing.wait_all_tasks_blocked
every_endpoint = pytest.mark.parametrize("endpoint", ["tcp://127.0.0.1:5555", "inproc://it"])


@every_endpoint
async def test_nobody_new_comes_and_the_peers_stay(virtual_network: VirtualNetwork, endpoint: str) -> None:
    """One event; the endpoint is free for another socket, which newcomers find; a later unbind ends the rest."""
    async with virtual_network.open_context() as ctx:
        old, new, client, newcomer = (ctx.socket(triomq.PAIR, reconnect_interval=1000) for _ in range(4))
        monitor = old.monitor()
        await old.bind(endpoint)
        client.connect(endpoint)
        await old.wait_peers()
        await old.unbind(endpoint, keep_peers=True)
        assert old.endpoints == ()
        events = [event for event in drain(monitor) if not isinstance(event, triomq.Connected)]
        assert [type(event) for event in events] == [
            triomq.Listening, triomq.HandshakeSucceeded, triomq.ListeningStopped,
        ]  # fmt: skip
        await new.bind(endpoint)
        newcomer.connect(endpoint)
        await new.wait_peers()
        await client.send(b"still here")
        assert await old.receive() == (b"still here",)
        await old.send(b"so am I")
        assert await client.receive() == (b"so am I",)
        with pytest.raises(triomq.EndpointError, match="not bound to"):
            await old.unbind(endpoint, keep_peers=True)
        await old.unbind(endpoint)
        await old.wait_peers(0)
        with pytest.raises(triomq.EndpointError, match="not bound to"):
            await old.unbind(endpoint)
        assert len(new.peers) == 1


@pytest.mark.parametrize("shared", [False, True], ids=["", "shared names"])
@pytest.mark.parametrize("ends", ["unbind", "aclose"])
@every_endpoint
async def test_a_socket_that_is_bound_again_has_old_peers_and_new_ones(
    virtual_network: VirtualNetwork, endpoint: str, ends: str, shared: bool
) -> None:
    """And disconnects all of them by the next unbind, or when it is closed."""
    async with virtual_network.open_context(inproc=triomq.SharedNames() if shared else None) as ctx:
        router = ctx.socket(triomq.ROUTER)
        dealers = [ctx.socket(triomq.DEALER) for _ in range(4)]
        for count, dealer in enumerate(dealers, 1):
            assert await router.bind(endpoint) == endpoint
            dealer.connect(endpoint)
            await router.wait_peers(count)
            if count < 4 or ends == "aclose":
                await router.unbind(endpoint, keep_peers=True)
        if ends == "unbind":
            await router.unbind(endpoint)
            await router.wait_peers(0)
        else:
            await router.aclose()
        for dealer in dealers:
            await dealer.wait_peers(0)


@pytest.mark.parametrize("io_thread", [False, True])
async def test_endpoints_whose_last_peer_has_left_are_forgotten(
    virtual_network: VirtualNetwork, io_thread: bool
) -> None:
    """However often one binds and unbinds: by the socket, and by what counts connections for the whole context."""
    async with virtual_network.open_context(io_thread=io_thread) as ctx:
        router = ctx.socket(triomq.ROUTER)
        for _ in range(10):
            async with ctx.socket(triomq.DEALER) as dealer:
                dealer.connect(await router.bind("tcp://127.0.0.1:0"))
                await router.wait_peers()
                await router.unbind(router.endpoints[0], keep_peers=True)
            await router.wait_peers(0)
        assert len(router._kept.bindings) == 1
        await settled()
        assert not ctx._shared.runtime.bounds.doors


async def test_closing_sends_the_peers_that_were_kept_what_is_queued(virtual_network: VirtualNetwork) -> None:
    """And ends their connections in good order."""
    async with virtual_network.open_context() as ctx:
        push, pull = ctx.socket(triomq.PUSH, linger=math.inf), ctx.socket(triomq.PULL, receive_hwm=1)
        monitor = pull.monitor()
        pull.connect(await push.bind("tcp://127.0.0.1:0"))
        await push.wait_peers()
        await push.unbind(push.endpoints[0], keep_peers=True)
        await push.send_many([bytes(100_000)] * 50)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(push.aclose)
            for _ in range(50):
                await pull.receive()
        await settled()
        (end,) = [event for event in drain(monitor) if isinstance(event, triomq.Disconnected)]
        assert end.error is None


async def test_a_cancelled_unbind_has_stopped_nothing(virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context() as ctx:
        pull = ctx.socket(triomq.PULL)
        endpoint = await pull.bind("tcp://127.0.0.1:0")
        with trio.CancelScope() as scope:
            scope.cancel()
            await pull.unbind(endpoint, keep_peers=True)
        assert scope.cancelled_caught
        ctx.socket(triomq.PUSH).connect(endpoint)
        await pull.wait_peers()
