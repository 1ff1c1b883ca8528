"""Waiting for what happens on a network."""

from __future__ import annotations

import pytest
import trio

import triomq
from triomq.testing import VirtualNetwork, run

from .test_programs import server


async def test_it_waits_for_what_happens(net: VirtualNetwork) -> None:
    async with trio.open_nursery() as nursery, net.open_context("b") as b:
        push = b.socket(triomq.PUSH)
        push.connect("tcp://server:5555")
        net.link("server", "b")
        nursery.start_soon(net.run_program, "server", server, [])
        listening = await net.happens("listening", host="server")
        assert listening.text == "tcp://server:5555"
        established = await net.happens("established", host="b", peer="server")
        assert established.time == trio.current_time()
        assert "REP" in (await net.happens("handshake failed", text="does not talk to")).text
        nursery.cancel_scope.cancel()


async def test_several_wait_and_what_was_is_not_waited_for(net: VirtualNetwork) -> None:
    found: list[str] = []

    async def wait(*kinds) -> None:
        found.append((await net.happens(*kinds)).text)

    net.note("before")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait, "note")
        nursery.start_soon(wait)
        await trio.testing.wait_all_tasks_blocked()
        assert not found
        net.note("now")
    assert found == ["now", "now"]
    with trio.move_on_after(1) as scope:
        await net.happens("note")
    assert scope.cancelled_caught
    net.note("nobody waits")


async def test_a_kind_that_never_happens_is_refused(net: VirtualNetwork) -> None:
    with pytest.raises(ValueError, match=r"'disconnects' ever happens; there are .*disconnected"):
        await net.happens("disconnects")


async def test_an_event_that_never_happens_is_refused(net: VirtualNetwork) -> None:
    with pytest.raises(ValueError, match=r"<class 'int'> ever happens; .* sockets: Listening, .*Disconnected"):
        await net.happens(int)  # type: ignore[arg-type]


async def test_it_waits_for_an_event_of_a_socket(net: VirtualNetwork) -> None:
    async with net.running("server", server, []), net.open_context("client") as ctx:
        req = ctx.socket(triomq.REQ)
        req.connect("tcp://server:5555")
        happening = await net.happens(triomq.HandshakeSucceeded, host="client")
        assert happening.event is triomq.HandshakeSucceeded
        assert (happening.kind, happening.text) == ("socket event", "REQ, HandshakeSucceeded, tcp://server:5555")
        net.crash("server")
        net.restart("server")
        await ctx.sockets[0].send(b"?")
        either = await net.happens("partition", triomq.Disconnected)
        assert either.kind == "disconnected"
        assert either.event is triomq.Disconnected


async def test_it_finds_what_has_happened_since(net: VirtualNetwork) -> None:
    net.note("first")
    await trio.sleep(1)
    start = trio.current_time()
    net.note("second")
    net.note("third")
    await trio.sleep(1)
    assert (await net.happens("note", since=start)).text == "second"
    assert (await net.happens("note", since=0)).text == "first"
    assert (await net.happens("note", since=0, where=lambda it: "ir" not in it.text)).text == "second"
    with trio.move_on_after(1) as scope:
        await net.happens("note", since=trio.current_time())
    assert scope.cancelled_caught


@pytest.mark.parametrize("since", [None, 0.0])
async def test_a_fault_of_the_users_function_is_the_users(net: VirtualNetwork, since: float | None) -> None:
    async def note() -> None:
        await trio.testing.wait_all_tasks_blocked()
        net.note("another")

    net.note("one")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(note)
        with pytest.raises(ZeroDivisionError):
            await net.happens("note", where=lambda it: 1 / 0 > 0, since=since)
        net.note("the network goes on")
    assert net.recorder.awaited == []


async def test_it_is_a_checkpoint(net: VirtualNetwork) -> None:
    net.note("here")
    with trio.CancelScope() as scope:
        scope.cancel()
        await net.happens("note", since=0)
    assert scope.cancelled_caught
    assert net.recorder.awaited == []


async def test_a_wait_that_was_cancelled_leaves_nothing(net: VirtualNetwork) -> None:
    for _ in range(3):
        with trio.move_on_after(1):
            await net.happens("note", text="x", where=str)
        assert net.recorder.awaited == []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(net.happens, "crash", triomq.Connected)
        await trio.testing.wait_all_tasks_blocked()
        assert net.recorder.awaited == ["happens('crash', Connected)"]
        nursery.cancel_scope.cancel()


def test_what_never_happens_is_told_by_the_time_limit() -> None:
    async def waits(net: VirtualNetwork) -> None:
        net.link("a", "b")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(net.run_program, "b", trio.sleep_forever)
            await net.happens("refused", host="a", peer="b", where=is_it)

    def is_it(it: object) -> bool:
        return True

    with pytest.raises(trio.TooSlowError) as caught:
        run(waits, time_limit=60)
    assert str(caught.value).endswith("This has not happened:\n  happens('refused', host='a', peer='b', where=is_it)")
    assert "in waits" in str(caught.value)
