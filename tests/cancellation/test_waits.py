"""Calls that only wait, cancelled at their first, second, third … yield: waiting is not an effect."""

from __future__ import annotations

from typing import Any

import pytest
import trio
import trio.testing

import triomq
from triomq.testing import VirtualNetwork

from .kit import FLOWS, Outcome, cancel_at, endpoint_of
from .test_every_checkpoint import at_every_yield, drain, every_scheme

FLOW = next(flow for flow in FLOWS if flow.receiver is triomq.SUB)


@every_scheme
@pytest.mark.parametrize(
    ("side", "method", "arguments"),
    [
        ("pub", "wait_peers", ()),
        ("pub", "wait_subscribers", (b"",)),
        ("pub", "flush", ()),
        ("sub", "wait_peers", ()),
        ("sub", "wait_subscribed", ()),
    ],
)
def test_waiting_disturbs_nothing(scheme: str, side: str, method: str, arguments: tuple[Any, ...]) -> None:
    """C5: whoever waits next is told, and messages go their way."""

    async def attempt(net: VirtualNetwork, at: int, woken: bool) -> Outcome:
        async with net.open_context() as ctx:
            sub, pub = ctx.socket(triomq.SUB, topics=[b""]), ctx.socket(triomq.PUB)
            sub.connect(await pub.bind(endpoint_of(scheme)))
            socket: Any = pub if side == "pub" else sub
            outcome = await cancel_at(at, lambda: getattr(socket, method)(*arguments), woken=woken)
            await sub.wait_subscribed()
            await pub.send(b"it")
            assert await drain(sub, FLOW) == [b"it"]
            return outcome

    at_every_yield(attempt, scheme)


@every_scheme
def test_a_flush_that_was_cancelled_has_kept_nothing_from_leaving(scheme: str) -> None:
    """While the peer does not read, and after."""

    async def attempt(net: VirtualNetwork, at: int, woken: bool) -> Outcome:
        async with net.open_context() as ctx:
            push, pull = ctx.socket(triomq.PUSH), ctx.socket(triomq.PULL, receive_hwm=1)
            push.connect(await pull.bind(endpoint_of(scheme)))
            await push.send_many([bytes(3000)] * 20)
            async with trio.open_nursery() as nursery:
                received = []

                async def receive() -> None:
                    async for message in pull:
                        received.append(message)

                nursery.start_soon(receive)
                outcome = await cancel_at(at, push.flush, woken=woken)
                await push.flush()
                await trio.testing.wait_all_tasks_blocked()
                nursery.cancel_scope.cancel()
            assert len(received) == 20
            return outcome

    at_every_yield(attempt, scheme)


@every_scheme
def test_unbind_that_keeps_peers_is_complete_or_has_done_nothing(scheme: str) -> None:
    """C9: and the peers stay in either case."""

    async def attempt(net: VirtualNetwork, at: int, woken: bool) -> Outcome:
        async with net.open_context() as ctx:
            push, pull = ctx.socket(triomq.PUSH), ctx.socket(triomq.PULL)
            endpoint = await pull.bind(endpoint_of(scheme))
            push.connect(endpoint)
            await push.wait_peers()
            outcome = await cancel_at(at, lambda: pull.unbind(endpoint, keep_peers=True), woken=woken)
            await trio.testing.wait_all_tasks_blocked()
            if pull.endpoints:
                await pull.unbind(endpoint, keep_peers=True)
            await ctx.socket(triomq.PULL).bind(endpoint)
            await push.send(b"it")
            assert await pull.receive() == (b"it",)
            return outcome

    at_every_yield(attempt, scheme)
