"""How sockets part that have met by shared names: in one trio run, so that every step is in order."""

from __future__ import annotations

import math

import pytest
import trio
from trio.testing import wait_all_tasks_blocked as settle

import triomq

from .sharing import NAME, contexts, kinds


async def test_a_pair_has_one_peer_and_the_next_waits_for_its_place() -> None:
    async with contexts(3) as (ours, one, two):
        pair, first, second = (context.socket(triomq.PAIR) for context in (ours, one, two))
        waits = second.monitor()
        await pair.bind(NAME)
        first.connect(NAME)
        await first.wait_peers()
        second.connect(NAME)
        second.send_nowait(b"patience")
        await settle()
        assert kinds(waits) == ["HandshakeFailed"]
        assert not second.peers
        await first.send(b"first")
        await first.aclose()
        assert [bytes(await pair.receive()) for _ in range(2)] == [b"first", b"patience"]
        assert kinds(waits) == ["Connected", "HandshakeSucceeded"]


async def test_a_socket_that_leaves_while_it_waits_for_a_place_makes_way_for_the_next() -> None:
    async with contexts() as (ours, theirs):
        pair = ours.socket(triomq.PAIR)
        await pair.bind(NAME)
        sockets = [theirs.socket(triomq.PAIR) for _ in range(3)]
        for socket in sockets:
            socket.connect(NAME)
            await settle()
        await sockets[1].aclose()
        await sockets[0].aclose()
        await sockets[2].wait_peers()


async def test_the_connecting_side_may_have_no_place_either() -> None:
    """A ROUTER that connects to two of one name."""
    async with contexts() as (ours, theirs):
        router = ours.socket(triomq.ROUTER)
        events = router.monitor()
        dealers = [theirs.socket(triomq.DEALER, routing_id=b"same") for _ in range(2)]
        for number, dealer in enumerate(dealers):
            router.connect(await dealer.bind(f"inproc://{number}"))
            await settle()
        await dealers[0].aclose()  # and may come back: the name stays in use
        await settle()
        assert kinds(events) == ["Connected", "HandshakeSucceeded", "HandshakeFailed", "Disconnected"]
        router.disconnect("inproc://0")
        await router.wait_peers()
        await router.send([b"same", b"it"])
        assert await dealers[1].receive() == (b"it",)


@pytest.mark.parametrize("probes", [False, True])
async def test_what_waits_to_be_sent_to_a_socket_that_has_no_place_yet_is_not_lost(probes: bool) -> None:
    async with contexts() as (ours, theirs), trio.open_nursery() as nursery:
        router = ours.socket(triomq.ROUTER)
        first = theirs.socket(triomq.DEALER, routing_id=b"same")
        second = theirs.socket(triomq.DEALER, routing_id=b"same", probe_router=probes)
        router.connect(await first.bind("inproc://first"))
        await router.wait_peers()
        await second.bind("inproc://second")
        nursery.start_soon(second.send, b"it")
        await settle()
        router.connect("inproc://second")
        await settle()
        await first.send(b"before")
        assert await router.receive() == (b"same", b"before")
        router.disconnect("inproc://first")
        got = [await router.receive() for _ in range(1 + probes)]
        assert (b"same", b"it") in got


async def test_a_socket_that_has_no_place_yet_takes_no_more_than_both_limits() -> None:
    async with contexts() as (ours, theirs), trio.open_nursery() as nursery:
        router = ours.socket(triomq.ROUTER, receive_hwm=2)
        first, second = (theirs.socket(triomq.DEALER, routing_id=b"same", send_hwm=2) for _ in range(2))
        router.connect(await first.bind("inproc://first"))
        await router.wait_peers()
        router.connect(await second.bind("inproc://second"))
        await settle()
        for number in range(4):
            second.send_nowait(b"%d" % number)
        nursery.start_soon(second.send, b"4")
        await settle()  # nobody is told again and again that there is room
        assert second.statistics().tasks_waiting_send == 1
        router.disconnect("inproc://first")
        assert [await router.receive() for _ in range(5)] == [(b"same", b"%d" % number) for number in range(5)]


@pytest.mark.parametrize("who", ["binder", "caller"])
async def test_a_peer_that_is_disconnected_comes_back_as_in_one_run(who: str) -> None:
    async with contexts() as (ours, theirs):
        pull, push = ours.socket(triomq.PULL), theirs.socket(triomq.PUSH)
        push.connect(await pull.bind(NAME))
        await push.wait_peers()
        events = pull.monitor()
        await push.send(b"before")
        (pull if who == "binder" else push).peers[0].disconnect()
        await settle()
        await push.send(b"after")
        assert [bytes(await pull.receive()) for _ in range(2)] == [b"before", b"after"]
        assert kinds(events) == ["Disconnected", "Connected", "HandshakeSucceeded"]


@pytest.mark.parametrize("how", ["disconnect", "unbind"])
async def test_what_has_come_when_its_peer_is_sent_away_is_received(how: str) -> None:
    """Even what its run has not looked at: as in one run."""
    async with contexts() as (ours, theirs):
        pair, other = ours.socket(triomq.PAIR), theirs.socket(triomq.PAIR)
        if how == "unbind":
            other.connect(await pair.bind(NAME))
        else:
            pair.connect(await other.bind(NAME))
        await pair.wait_peers()
        await other.wait_peers()
        other.send_nowait(b"it")  # without a turn of the loop
        if how == "disconnect":
            pair.disconnect(NAME)
        else:
            await pair.unbind(NAME)
        assert await pair.receive() == (b"it",)


async def test_what_was_accepted_before_the_name_is_bound_again_goes_to_the_next_one() -> None:
    async with contexts(3) as (ours, one, two):
        push = ours.socket(triomq.PUSH)
        push.connect(NAME)
        for context in (one, two, one):
            push.send_nowait(b"it")
            pull = context.socket(triomq.PULL)
            await pull.bind(NAME)
            assert await pull.receive() == (b"it",)
            await pull.aclose()
            await settle()


async def test_closing_without_lingering_takes_nothing_back() -> None:
    """What was accepted for a peer that is there is the peer's, as in one run."""
    async with contexts() as (ours, theirs):
        pull, push = ours.socket(triomq.PULL), theirs.socket(triomq.PUSH, linger=0)
        push.connect(await pull.bind(NAME))
        await push.wait_peers()
        for number in range(100):
            push.send_nowait(b"%d" % number)
        await push.aclose()
        assert [int(bytes(await pull.receive())) for _ in range(100)] == list(range(100))


async def test_lingering_waits_for_somebody_to_bind_the_name() -> None:
    async with contexts() as (ours, theirs):
        push = theirs.socket(triomq.PUSH, linger=math.inf)
        push.connect(NAME)
        await push.send(b"it")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(push.aclose)
            await settle()
            pull = ours.socket(triomq.PULL)
            await pull.bind(NAME)
            assert await pull.receive() == (b"it",)


async def test_immediate_queues_only_for_a_peer_that_is_there() -> None:
    async with contexts() as (ours, theirs):
        push = theirs.socket(triomq.PUSH, immediate=True)
        push.connect(NAME)
        for _ in range(2):
            with pytest.raises(trio.WouldBlock):
                push.send_nowait(b"for nobody")
            pull = ours.socket(triomq.PULL)
            await pull.bind(NAME)
            await push.wait_peers()
            push.send_nowait(b"it")
            assert await pull.receive() == (b"it",)
            await pull.aclose()
            await settle()


async def test_a_context_that_ends_leaves_the_other_as_a_peer_that_left() -> None:
    names = triomq.SharedNames()
    async with triomq.open_context(inproc=names) as ours:
        pull, req = ours.socket(triomq.PULL), ours.socket(triomq.REQ)
        events = pull.monitor()
        await pull.bind(NAME)
        req.connect("inproc://rep")
        with trio.CancelScope() as scope:
            async with triomq.open_context(inproc=names) as theirs:
                push, rep = theirs.socket(triomq.PUSH), theirs.socket(triomq.REP)
                push.connect(NAME)
                await rep.bind("inproc://rep")
                await push.wait_peers()
                await rep.wait_peers()
                push.send_nowait(b"last words")
                scope.cancel()
                await trio.lowlevel.checkpoint()
        assert await pull.receive() == (b"last words",)
        await req.wait_peers(0)
        assert kinds(events) == ["Listening", "Connected", "HandshakeSucceeded", "Disconnected"]
        assert repr(names).startswith("<triomq.SharedNames 1 bound, 1 ")


async def test_a_call_that_its_run_never_saw_is_answered_by_its_end() -> None:
    """The caller had found the name; then the run of the name died, before it came to look."""
    async with contexts() as (ours, theirs):
        push = ours.socket(triomq.PUSH)
        await theirs.socket(triomq.PULL).bind(NAME)
        push.connect(NAME)
        push.send_nowait(b"it")
        theirs._shared.runtime.mailbox.abandon()  # as a run does that trio itself has crashed
        await settle()
        assert not push.peers
        pull = ours.socket(triomq.PULL)
        await pull.bind(NAME)
        assert await pull.receive() == (b"it",)


async def test_what_a_dead_run_did_not_take_waits_for_the_next() -> None:
    """And it was not sent."""
    async with contexts() as (ours, theirs):
        push = ours.socket(triomq.PUSH)
        gone = theirs.socket(triomq.PULL)  # kept: a socket that is forgotten warns
        push.connect(await gone.bind(NAME))
        await push.wait_peers()
        theirs._shared.runtime.mailbox.abandon()
        for number in range(3):
            push.send_nowait(b"%d" % number)
        await settle()
        assert (push.peers, push.statistics().messages_sent) == ((), 0)
        pull = ours.socket(triomq.PULL)
        await pull.bind(NAME)
        assert [bytes(await pull.receive()) for _ in range(3)] == [b"0", b"1", b"2"]


async def test_what_a_dead_run_did_not_take_waits_where_it_conflates() -> None:
    async with contexts() as (ours, theirs):
        push = ours.socket(triomq.PUSH, conflate=True)
        gone = theirs.socket(triomq.PULL)  # kept: a socket that is forgotten warns
        push.connect(await gone.bind(NAME))
        await push.wait_peers()
        theirs._shared.runtime.mailbox.abandon()
        for number in range(3):
            push.send_nowait(b"%d" % number)
        await settle()
        pull = ours.socket(triomq.PULL)
        await pull.bind(NAME)
        assert await pull.receive() == (b"2",)
