"""A name is bound by a socket of a type that does not go with the connecting one: the two are told, and it waits on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import wait_all_tasks_blocked as settle

import triomq

from ..monitors import drain
from .sharing import NAME, contexts, kinds


@pytest.fixture(params=["one context", "shared names"])
async def both(request: pytest.FixtureRequest) -> AsyncIterator[tuple[triomq.Context, triomq.Context]]:
    """The context of who binds, and that of who connects."""
    if request.param == "one context":
        async with triomq.open_context() as ctx:
            yield ctx, ctx
    else:
        async with contexts() as (ours, theirs):
            yield ours, theirs


Both = tuple[triomq.Context, triomq.Context]


@asynccontextmanager
async def still_waiting(socket: triomq.Socket) -> AsyncIterator[trio.Nursery]:
    """The socket waits for a peer, in the nursery: no refusal ends that."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(socket.wait_peers)
        await settle()
        assert nursery.child_tasks
        yield nursery


async def test_the_next_one_that_binds_the_name_is_joined(both: Both) -> None:
    """As over tcp, where the connecting socket dials again: what was queued meanwhile arrives."""
    binding, connecting = both
    wrong, right, push = binding.socket(triomq.REP), binding.socket(triomq.PULL), connecting.socket(triomq.PUSH)
    told, events = wrong.monitor(), push.monitor()
    await wrong.bind(NAME)
    push.connect(NAME)
    push.send_nowait(b"it")
    await settle()
    for monitor in (told, events):
        *_, failed = drain(monitor)
        assert isinstance(failed, triomq.HandshakeFailed)
        assert isinstance(failed.error, triomq.RemoteProtocolError)
        assert "PUSH does not talk to REP; it talks to PULL" in str(failed.error)
    await wrong.unbind(NAME)
    await settle()
    assert kinds(events) == []
    await right.bind(NAME)
    assert await right.receive() == (b"it",)
    assert kinds(events) == ["Connected", "HandshakeSucceeded"]
    assert push.peers[0].socket_type == "PULL"


async def test_each_that_binds_the_name_is_told_once(both: Both) -> None:
    """However often somebody else comes to the name, or leaves."""
    binding, connecting = both
    push = connecting.socket(triomq.PUSH)
    push.connect(NAME)
    events = push.monitor()
    for _ in range(2):
        rep = binding.socket(triomq.REP)
        told = rep.monitor()
        await rep.bind(NAME)
        for _ in range(2):
            req = connecting.socket(triomq.REQ, connect=NAME)
            await req.wait_peers()
            await req.aclose()
        await rep.wait_peers(0)
        assert kinds(told).count("HandshakeFailed") == kinds(events).count("HandshakeFailed") == 1
        await rep.aclose()


async def test_who_waits_for_a_peer_is_told_that_it_does_not_come(both: Both) -> None:
    binding, connecting = both
    wrong, right, push = binding.socket(triomq.REP), binding.socket(triomq.PULL), connecting.socket(triomq.PUSH)
    await wrong.bind(NAME)
    push.connect(NAME)
    with pytest.raises(triomq.HandshakeRefusedError, match="PUSH does not talk to REP") as caught:
        await push.wait_peers()
    assert caught.value.endpoint == NAME
    await wrong.aclose()
    await right.bind(NAME)
    await right.wait_peers()
    await push.wait_peers()
    await right.aclose()
    await push.wait_peers(0)
    async with still_waiting(push) as nursery:  # the wrong one is forgotten
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("how", ["closes", "unbinds"])
async def test_who_waits_for_a_peer_is_not_told_of_one_that_has_given_up_the_name(both: Both, how: str) -> None:
    """Another one may bind it: there is somebody to wait for."""
    binding, connecting = both
    wrong, right, push = binding.socket(triomq.REP), binding.socket(triomq.PULL), connecting.socket(triomq.PUSH)
    await wrong.bind(NAME)
    push.connect(NAME)
    with pytest.raises(triomq.HandshakeRefusedError):
        await push.wait_peers()
    await (wrong.aclose() if how == "closes" else wrong.unbind(NAME))
    await settle()
    async with still_waiting(push):
        await right.bind(NAME)


async def test_one_that_gives_up_the_name_before_its_refusal_has_come(both: Both) -> None:
    binding, connecting = both
    wrong, push = binding.socket(triomq.REP), connecting.socket(triomq.PUSH)
    events = push.monitor()
    await wrong.bind(NAME)
    push.connect(NAME)
    while not kinds(events):
        await trio.lowlevel.checkpoint()
    await wrong.unbind(NAME)
    await settle()
    async with still_waiting(push) as nursery:
        nursery.cancel_scope.cancel()


async def test_who_waits_for_a_place_is_not_told_of_the_misfit_before(both: Both) -> None:
    """The one that has the name now does go with it, and may have a place soon."""
    binding, connecting = both
    wrong, right, pair = binding.socket(triomq.REP), binding.socket(triomq.PAIR), connecting.socket(triomq.PAIR)
    pair.connect(NAME)
    await wrong.bind(NAME)
    await wrong.aclose()
    async with binding.socket(triomq.PAIR) as other:
        other.connect(await right.bind("inproc://other"))
        await right.wait_peers()
        await right.bind(NAME)
        await settle()
        async with still_waiting(pair):
            await other.aclose()
    assert pair.peers[0].socket_type == "PAIR"


async def test_a_misfit_may_leave(both: Both) -> None:
    """By itself, or after the other one: nothing is joined that is not there."""
    binding, connecting = both
    rep = binding.socket(triomq.REP)
    await rep.bind(NAME)
    pushes = [connecting.socket(triomq.PUSH, linger=0, connect=NAME) for _ in range(2)]
    await settle()
    await pushes[0].aclose()
    await rep.aclose()
    pushes[1].disconnect(NAME)
    pull = binding.socket(triomq.PULL, linger=0)
    await pull.bind(NAME)
    await settle()
    assert pull.peers == ()
