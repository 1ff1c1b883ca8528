"""REQ and REP under random cancellation: every reply is the right one (C7)."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

import triomq
from triomq._connections._reader import Reader
from triomq.testing import VirtualNetwork

from .kit import SCHEMES, Chaos, Flow, endpoint_of, examples, run

CLIENTS = 3
EACH = 25


async def insist(chaos: Chaos, call: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
    """Call again and again until it was not cancelled."""
    while True:
        with chaos.scope() as scope:
            result = await call(*arguments)
        if not scope.cancelled_caught:
            return result


async def lockstep(net: VirtualNetwork, scheme: str, seed: int) -> None:
    chaos = Chaos(random.Random(seed), 300)
    asked: list[bytes] = []

    async def serve(rep: triomq.REP) -> None:
        while True:
            request = await insist(chaos, rep.receive)
            asked.append(request[0])
            await insist(chaos, rep.send, [*request, b"reply"])

    async def ask(who: int) -> None:
        async with ctx.socket(triomq.REQ, hwm=64) as req:
            req.connect(endpoint)
            for number in range(EACH):
                body = b"%d.%d" % (who, number)
                await insist(chaos, req.send, body)
                assert await insist(chaos, req.receive) == (body, b"reply")

    async with net.open_context() as ctx:
        rep = ctx.socket(triomq.REP, hwm=64)
        endpoint = await rep.bind(endpoint_of(scheme))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(chaos.run)
            nursery.start_soon(serve, rep)
            async with trio.open_nursery() as clients:
                for who in range(CLIENTS):
                    clients.start_soon(ask, who)
            nursery.cancel_scope.cancel()
    assert sorted(asked) == sorted(b"%d.%d" % (who, number) for who in range(CLIENTS) for number in range(EACH))


@pytest.mark.parametrize("looks", [False, True])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_cancelled_steps_can_be_repeated(scheme: str, looks: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step that was cancelled did not happen: repeated, each request is asked once and answered once."""
    monkeypatch.setattr(Reader, "may_answer_soon", lambda _: looks)

    @examples(5)
    @given(seed=st.integers(0, 2**32 - 1))
    def try_it(seed: int) -> None:
        run(lockstep, scheme, seed, scheme=scheme, seed=seed)

    try_it()


async def requests(net: VirtualNetwork, scheme: str, server_type: type[Any], seed: int) -> None:
    rng = random.Random(seed)
    answered = 0

    async def serve_rep(rep: triomq.REP) -> None:
        while True:
            request = await rep.receive()
            await trio.sleep(rng.uniform(0, 1))
            await rep.send(request)

    async def serve_router(router: triomq.ROUTER) -> None:
        async def reply(request: triomq.Message) -> None:
            await trio.sleep(rng.uniform(0, 1))
            await router.send(request)

        async with trio.open_nursery() as replies:
            while True:
                replies.start_soon(reply, await router.receive())

    async def ask(who: int) -> None:
        nonlocal answered
        async with ctx.socket(triomq.REQ) as req:
            req.connect(endpoint)
            for number in range(EACH):
                body = b"%d.%d" % (who, number)
                with trio.move_on_after(rng.choice((0, 0.1, 0.5, 1, 20))) as scope:
                    assert await req.request(body) == (body,)
                    answered += 1
                if not scope.cancelled_caught:
                    assert scope.deadline >= trio.current_time()
            assert await req.request(b"last") == (b"last",)

    async with net.open_context() as ctx:
        server = ctx.socket(server_type)
        endpoint = await server.bind(endpoint_of(scheme))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(serve_rep if server_type is triomq.REP else serve_router, server)
            async with trio.open_nursery() as clients:
                for who in range(CLIENTS):
                    clients.start_soon(ask, who)
            nursery.cancel_scope.cancel()
    assert 0 < answered < CLIENTS * EACH


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("server_type", [triomq.REP, triomq.ROUTER], ids=lambda one: one.__name__)
def test_a_late_reply_never_surfaces(scheme: str, server_type: type[Any]) -> None:
    """The reply to a request that was given up is discarded; the next request gets its own, in any order of replies."""

    @examples(5)
    @given(seed=st.integers(0, 2**32 - 1))
    def try_it(seed: int) -> None:
        run(requests, scheme, server_type, seed, scheme=scheme, seed=seed)

    try_it()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_two_tasks_cannot_request_at_once(scheme: str) -> None:
    """One REQ has one exchange at a time; the second task is told so, and the first is not disturbed."""

    async def main(net: VirtualNetwork) -> None:
        async with net.open_context() as ctx:
            req, rep = await Flow(triomq.REQ, triomq.REP).open(ctx, scheme, hwm=10)
            async with trio.open_nursery() as nursery:

                async def first() -> None:
                    assert await req.request(b"a") == (b"A",)

                nursery.start_soon(first)
                assert await rep.receive() == (b"a",)
                with pytest.raises(trio.BusyResourceError):
                    await req.request(b"b")
                await rep.send(b"A")

    run(main, scheme=scheme)
