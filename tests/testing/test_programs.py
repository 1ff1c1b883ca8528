"""Programs as they are, on virtual hosts; and waiting for what happens."""

from __future__ import annotations

import sys
import types

import pytest
import trio

import triomq
from triomq import open_context
from triomq.testing import VirtualNetwork


async def server(served: list[str]) -> None:
    """What a user has, word for word: it knows nothing of testing."""
    async with triomq.open_context() as ctx, ctx.socket(triomq.REP) as rep:
        await rep.bind("tcp://*:5555")
        async for question in rep:
            served.append(question.text())
            await rep.send(b"yes")


async def client() -> str:
    """The same, with the name imported."""
    async with open_context() as ctx, ctx.socket(triomq.REQ) as req:
        req.connect("tcp://server:5555")
        await req.send(b"there?")
        return (await req.receive()).text()


async def test_two_programs_meet(net: VirtualNetwork) -> None:
    served: list[str] = []
    async with trio.open_nursery() as nursery:
        net.link("server", "client", latency=0.5)
        nursery.start_soon(net.run_program, "server", server, served)
        assert await net.run_program("client", client) == "yes"
        nursery.cancel_scope.cancel()
    assert served == ["there?"]
    assert trio.current_time() > 2


async def test_a_program_begins_again_after_each_restart(net: VirtualNetwork) -> None:
    served: list[str] = []
    async with trio.open_nursery() as nursery:
        net.link("server", "client")
        nursery.start_soon(net.run_program, "server", server, served)
        for _ in range(3):
            assert await net.run_program("client", client) == "yes"
            net.crash("server")
            await trio.sleep(10)
            net.restart("server")
        nursery.cancel_scope.cancel()
    assert len(served) == 3


async def test_the_tasks_of_a_program_are_on_its_host(net: VirtualNetwork) -> None:
    hosts: list[str] = []

    async def part() -> None:
        async with triomq.open_context() as ctx:
            hosts.append(await ctx.socket(triomq.PULL).bind("tcp://*:0"))

    async def program() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(part)
            nursery.start_soon(part)

    async with trio.open_nursery() as nursery:
        for host in "ab":
            nursery.start_soon(net.run_program, host, program)
    assert sorted(hosts) == ["tcp://a:49152", "tcp://a:49153", "tcp://b:49152", "tcp://b:49153"]


async def test_afterwards_everything_is_as_before(net: VirtualNetwork) -> None:
    original, here = triomq.open_context, sys.modules[__name__]

    async def program() -> None:
        await trio.lowlevel.checkpoint()
        assert triomq.open_context is not original
        assert here.open_context is triomq.open_context
        raise KeyError

    with pytest.raises(KeyError):
        await net.run_program("a", program)
    assert triomq.open_context is here.open_context is original


async def test_outside_of_programs_it_is_the_real_one(net: VirtualNetwork) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(net.run_program, "a", trio.sleep_forever)
        await trio.testing.wait_all_tasks_blocked()
        async with triomq.open_context() as ctx:
            await ctx.socket(triomq.PULL).bind("inproc://here")
        nursery.cancel_scope.cancel()
    assert not net.recorder.of_kind("context opened")


async def test_under_the_fixture_everything_is_on_a_host(triomq_localhost: str, net: VirtualNetwork) -> None:
    served: list[str] = []
    async with trio.open_nursery() as nursery:
        net.link("localhost", "server")
        nursery.start_soon(net.run_program, "server", server, served)
        assert await client() == "yes"
        nursery.cancel_scope.cancel()
    assert triomq_localhost == "localhost"
    assert [happening.host for happening in net.recorder.of_kind("connecting")] == ["localhost"]


async def test_a_module_that_lacks_a_dictionary_is_no_obstacle(net: VirtualNetwork, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "nothing_there", None)
    monkeypatch.setitem(sys.modules, "lazy", types.SimpleNamespace())
    await net.run_program("a", trio.lowlevel.checkpoint)


async def test_a_crash_cancels_a_program_without_a_context_too(net: VirtualNetwork) -> None:
    async def program() -> int:
        try:
            await trio.sleep_forever()
        finally:
            starts.append(trio.current_time())
        return 1

    starts: list[float] = []
    with trio.move_on_after(100):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(net.run_program, "a", program)
            await trio.sleep(1)
            net.crash("a")
            await trio.sleep(1)
            net.restart("a")
    assert starts == [1.0, 100.0]


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
