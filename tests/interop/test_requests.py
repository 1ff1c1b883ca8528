"""REQ between the libraries: requests given up, correlated, relaxed; always the reply that is wanted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio

import triomq

from .libzmq import Peer, Theirs
from .pairs import bring_together, until

pytestmark = pytest.mark.interop

MOST_SECONDS = 10.0  # of one request, with all that it is asked again


@asynccontextmanager
async def asking(req: triomq.REQ, question: bytes) -> AsyncIterator[trio.CancelScope]:
    """A request that is cancelled at the end of the block."""

    async def ask() -> None:
        with scope:
            await req.request(question)
            raise AssertionError("this request was not to be answered")

    scope = trio.CancelScope()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask)
        yield scope
        scope.cancel()


async def asked(router: Theirs, question: bytes) -> tuple[bytes, ...]:
    """The envelope of the request that a ROUTER receives, which is this one."""
    *envelope, body = await router.receive()
    assert body == question
    assert envelope[-1] == b""
    return tuple(envelope)


async def serve_once(rep: Theirs, question: bytes) -> None:
    """Answer this question."""
    assert await rep.receive() == (question,)
    await rep.send([question, b"indeed"])


async def serve_late_and_good(rep: Theirs, question: bytes) -> None:
    """Answer the question that was given up, then this one."""
    await rep.send(b"too late")
    await serve_once(rep, question)


@pytest.mark.parametrize("options", [{}, {"req_correlate": True}, {"req_relaxed": True}], ids=str)
@pytest.mark.parametrize("we_bind", [True, False], ids=["we-bind", "we-connect"])
async def test_a_request_given_up_at_their_rep(
    ctx: triomq.Context, peer: Peer, endpoint: str, we_bind: bool, options: dict[str, Any]
) -> None:
    """The late reply to a request that was given up is never taken for the reply to the next one."""
    req, rep = ctx.socket(triomq.REQ, **options), await peer.socket("REP")
    await bring_together(req, rep, endpoint, we_bind=we_bind)
    for number in range(5):
        async with asking(req, b"late %d" % number):
            assert await rep.receive() == (b"late %d" % number,)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(serve_late_and_good, rep, b"good %d" % number)
            assert await req.request(b"good %d" % number) == (b"good %d" % number, b"indeed")


WITHOUT_HELP: dict[str, Any] = {}
CORRELATED: dict[str, Any] = {"req_correlate": True}


@pytest.mark.parametrize(
    ("options", "we_bind", "order"),
    [
        (options, we_bind, order)
        for options in (WITHOUT_HELP, CORRELATED)
        for we_bind in (False, True)
        for order in ("late-first", "late-last", "late-never")
        # A ROUTER of libzmq that has connected comes back with the late reply, and only an id can tell it apart.
        if options or not we_bind or order == "late-never"
    ],
    ids=str,
)
async def test_a_request_given_up_at_their_router(
    ctx: triomq.Context, peer: Peer, endpoint: str, options: dict[str, Any], we_bind: bool, order: str
) -> None:
    """A ROUTER may answer in any order, or not at all; each request gets its own reply or none.

    Without ``req_correlate`` there is never more than a delimiter before it, and a new connection, without a name.
    """
    req, router = ctx.socket(triomq.REQ, routing_id=b"asker", **options), await peer.socket("ROUTER")
    await bring_together(req, router, endpoint, we_bind=we_bind)
    for number in range(5):
        async with asking(req, b"late"):
            late = await asked(router, b"late")
        assert late == (b"asker", b"") if not (number or options) else len(late) == 2 + len(options)
        async with trio.open_nursery() as nursery:
            answers: list[tuple[bytes, ...]] = []

            async def ask(question: bytes = b"good %d" % number, answers: list[Any] = answers) -> None:
                answers.append(await req.request(question))

            nursery.start_soon(ask)
            good = await asked(router, b"good %d" % number)
            if order == "late-first":
                await router.send([*late, b"too late"])
            await router.send([*good, b"answer %d" % number, b""])
        assert answers == [(b"answer %d" % number, b"")]
        if order == "late-last":
            await router.send([*late, b"much too late"])


async def test_a_request_given_up_before_there_is_a_peer(ctx: triomq.Context, peer: Peer) -> None:
    """It is withdrawn from the queue: the REP that comes later never sees it."""
    place = await (probe := ctx.socket(triomq.PULL)).bind("tcp://127.0.0.1:*")
    await probe.aclose()
    req = ctx.socket(triomq.REQ, reconnect_interval_max=0.05)
    req.connect(place)
    async with asking(req, b"nobody hears this"):
        await until(lambda: req.statistics().peers[0].send_queue == 1)
    rep = await peer.socket("REP")
    await rep.bind(place)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve_once, rep, b"anybody?")
        assert await req.request(b"anybody?") == (b"anybody?", b"indeed")


async def test_correlation_at_their_router(ctx: triomq.Context, peer: Peer, endpoint: str) -> None:
    """A correlated request has an id of four octets; a reply with another id, or without, is discarded."""
    req, router = ctx.socket(triomq.REQ, req_correlate=True, routing_id=b"asker"), await peer.socket("ROUTER")
    await bring_together(req, router, endpoint, we_bind=False)
    seen = set()
    for number in range(3):
        await req.send(b"question")
        name, request_id, delimiter = envelope = await asked(router, b"question")
        assert name == b"asker"
        assert len(request_id) == 4
        seen.add(request_id)
        other = bytes((request_id[0] ^ 1,)) + request_id[1:]
        await router.send([name, other, delimiter, b"to another question"])
        await router.send([name, delimiter, b"to no question"])
        await router.send([name, b"no envelope"])
        await router.send([*envelope, b"answer %d" % number])
        assert await req.receive() == (b"answer %d" % number,)
    assert len(seen) == 3


@pytest.mark.parametrize("correlate", [True, False], ids=["correlated", "plain"])
async def test_a_relaxed_req_at_their_rep(ctx: triomq.Context, peer: Peer, endpoint: str, correlate: bool) -> None:
    """Asking again instead of receiving gives the first request up; its reply is not taken for the second's."""
    req = ctx.socket(triomq.REQ, req_relaxed=True, req_correlate=correlate)
    rep = await peer.socket("REP")
    await bring_together(req, rep, endpoint, we_bind=False)
    for number in range(3):
        await req.send(b"first")
        assert await rep.receive() == (b"first",)
        await req.send(b"second")
        await rep.send(b"to the first")
        await serve_once(rep, b"second")
        assert await req.receive() == (b"second", b"indeed"), number
    await req.send(b"third")
    await serve_once(rep, b"third")
    assert await req.receive() == (b"third", b"indeed")


async def test_their_correlated_relaxed_req_at_our_rep(ctx: triomq.Context, peer: Peer, endpoint: str) -> None:
    """libzmq's REQ gets the reply it wants from our REP, which returns any envelope as it came."""
    rep, req = ctx.socket(triomq.REP), await peer.socket("REQ", req_relaxed=1, req_correlate=1)
    await bring_together(rep, req, endpoint, we_bind=True)
    for number in range(3):
        await req.send(b"first")
        assert await rep.receive() == (b"first",)
        await req.send(b"second")
        await rep.send(b"to the first")
        assert await rep.receive() == (b"second",)
        await rep.send([b"to the second", b"%d" % number])
        assert await req.receive() == (b"to the second", b"%d" % number)


async def test_their_correlated_req_at_our_router(ctx: triomq.Context, peer: Peer, endpoint: str) -> None:
    """libzmq's request id comes before the delimiter, and its REQ discards what has another."""
    router, req = ctx.socket(triomq.ROUTER), await peer.socket("REQ", req_correlate=1, routing_id=b"asker")
    await bring_together(router, req, endpoint, we_bind=True)
    for number in range(3):
        await req.send(b"question")
        name, request_id, delimiter, body = await router.receive()
        assert (name, len(request_id), delimiter, body) == (b"asker", 4, b"", b"question")
        await router.send([name, b"\0\0\0\0", delimiter, b"to another question"])
        await router.send([name, request_id, delimiter, b"answer %d" % number])
        assert await req.receive() == (b"answer %d" % number,)


async def test_requests_to_several_of_theirs_in_turn(ctx: triomq.Context, peer: Peer, endpoint: str) -> None:
    """Each of several REPs is asked in its turn, and a request given up at one keeps none of the others waiting."""
    req, reps = ctx.socket(triomq.REQ), [await peer.socket("REP") for _ in range(3)]
    for rep in reps:
        req.connect(await rep.bind(endpoint))
    await req.wait_peers(3)
    order: list[Theirs] = []
    async with asking(req, b"whoever"):
        while not order:
            order = [rep for rep in reps if await rep.receive_within(0.02)]
    answering = [rep for rep in reps if rep is not order[0]]
    for rep in answering:
        await rep.call("echo")
    for _ in range(4):
        for _ in answering:
            assert await req.request(b"question") == (b"question",)
        sent = req.statistics().messages_sent
        async with asking(req, b"the silent one's turn"):
            await until(lambda sent=sent: req.statistics().messages_sent > sent)


@pytest.mark.parametrize("options", [{}, {"routing_id": b"Client-1"}, {"immediate": True}], ids=str)
async def test_retries_at_a_broker_that_knows_nothing_but_the_delimiter(
    ctx: triomq.Context, peer: Peer, endpoint: str, options: dict[str, Any]
) -> None:
    """Clients that give up and ask again do not end it, and each gets the reply to its last question."""
    frontend, backend = await peer.socket("ROUTER"), await peer.socket("ROUTER")
    place, inside = await frontend.bind(endpoint), await backend.bind(endpoint)
    await peer.call("broker", frontend=frontend.name, backend=backend.name)
    for delays in ([0.0, 0.1, 0.0, 0.0, 0.0], [0.1, 0.0, 0.0, 0.0, 0.0, 0.0]):
        worker = await peer.socket("REQ")
        await worker.connect(inside)
        await peer.call("worker", name=worker.name, delays=delays)
    given_up = 0

    async def client() -> None:
        nonlocal given_up
        async with ctx.socket(
            triomq.REQ, **options, reconnect_interval=0.02, reconnect_interval_max=0.02, linger=0
        ) as req:
            req.connect(place)
            for number in range(10):
                with trio.fail_after(MOST_SECONDS):
                    while True:
                        question = b"%d.%d" % (number, given_up)
                        with trio.move_on_after(0.06):
                            assert await req.request(question) == (question,)
                            break
                        given_up += 1

    async with trio.open_nursery() as nursery:
        for _ in range(1 if "routing_id" in options else 3):
            nursery.start_soon(client)
    assert given_up >= 2


class Steps(trio.abc.Instrument):
    """The most requests that were answered in one step of this task."""

    def __init__(self) -> None:
        self._task = trio.lowlevel.current_task()
        self.answered = self.most = 0

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        """See `trio.abc.Instrument`."""
        if task is self._task:
            self.answered = 0

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        """See `trio.abc.Instrument`."""
        self.most = max(self.most, self.answered)


@pytest.mark.parametrize("kind", ["REQ", "DEALER"])
async def test_a_socket_that_polls_gets_its_answers_and_leaves_others_their_turns(peer: Peer, kind: str) -> None:
    rep = await peer.socket("REP")
    endpoint = await rep.bind("tcp://127.0.0.1:*")
    await peer.call("echo", name=rep.name)
    async with triomq.open_context() as ctx:
        asking = ctx.socket(triomq.REQ if kind == "REQ" else triomq.DEALER, busy_poll=1e-3)
        asking.connect(endpoint)
        await asking.wait_peers()
        steps = Steps()
        trio.lowlevel.add_instrument(steps)
        for number in range(500):
            if isinstance(asking, triomq.REQ):
                assert await asking.request(b"%d" % number) == (b"%d" % number,)
            else:
                await asking.send([b"", b"%d" % number])
                assert await asking.receive() == (b"", b"%d" % number)
            steps.answered += 1
        trio.lowlevel.remove_instrument(steps)
        assert steps.most <= 64
