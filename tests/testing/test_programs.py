"""Programs as they are, on virtual hosts."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import trio

import triomq
from triomq import open_context
from triomq.testing import VirtualNetwork, run

ROOT = Path(__file__).parents[2]
Main = Callable[[], Awaitable[None]]


def main_of(source: str) -> Main:
    """The ``main`` of a program that ends with ``trio.run(main)``."""
    source, end, _ = source.partition("\ntrio.run(main)")
    assert end
    names: dict[str, Any] = {}
    exec(source, names)
    main: Main = names["main"]
    return main


def readme() -> Main:
    """The first program of the README, word for word."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    return main_of(next(block for block in blocks if "trio.run(main)" in block))


def first_lesson() -> tuple[Main, Main]:
    """The server and the client of the first lesson, word for word."""
    text = (ROOT / "docs/tutorial/first-steps.rst").read_text("utf-8")
    blocks = re.findall(r"code-block:: python\n   :class: together\n\n((?:   .*\n|\n)+)", text)
    server, client = [main_of(re.sub("^   ", "", block, flags=re.MULTILINE)) for block in blocks[:2]]
    return server, client


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


async def test_the_readmes_program_survives_a_crash_of_its_host(net: VirtualNetwork, capsys) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(net.run_program, "box", readme())
        await net.happens("delivered", host="box", where=lambda it: b"Hello" in it.data)
        net.crash("box")
        await trio.sleep(1)
        net.restart("box")
    assert capsys.readouterr().out == "Message((b'Hello',))\n"
    assert len(net.recorder.of_kind("listening")) == 2


async def test_the_first_lessons_programs_on_hosts_of_their_own(net: VirtualNetwork, capsys) -> None:
    server, client = first_lesson()
    net.forward("client", 5555, "server")  # both say 127.0.0.1
    async with net.running("server", server):
        await net.run_program("client", client)
    assert capsys.readouterr().out == "Hello, Ada\nHello, Grace\nHello, Radia\n"
    assert [it.host for it in net.recorder.of_kind("accepted")] == ["server"]


@pytest.mark.parametrize("crashed", ["server", "client"])
async def test_a_crash_of_either_side_of_the_first_lesson(net: VirtualNetwork, capsys, crashed: str) -> None:
    server, client = first_lesson()
    net.forward("client", 5555, "server")
    async with net.running("server", server), trio.open_nursery() as nursery:
        nursery.start_soon(net.run_program, "client", client)
        await net.happens("delivered", host="server", where=lambda it: b"Ada" in it.data)
        net.crash(crashed, how="process")
        await trio.sleep(5)
        net.restart(crashed)
        if crashed == "server":  # the client's request was lost with it, as the lesson says
            await net.happens(triomq.HandshakeSucceeded, host="client")
            await trio.sleep(3600)
            nursery.cancel_scope.cancel()
    out = capsys.readouterr().out
    assert out.endswith("Hello, Radia\n") == (crashed == "client")


async def test_a_partition_between_the_sides_of_the_first_lesson(net: VirtualNetwork, capsys) -> None:
    server, client = first_lesson()
    net.forward("client", 5555, "server")
    async with net.running("server", server), trio.open_nursery() as nursery:
        nursery.start_soon(net.run_program, "client", client)
        await net.happens("delivered", host="server", where=lambda it: b"Ada" in it.data)
        net.partition("server", "client", both_ways=False)
        lost = await net.happens("lost", host="server")
        await trio.sleep(60)
        net.heal()
    assert lost.time < 1
    assert capsys.readouterr().out == "Hello, Ada\nHello, Grace\nHello, Radia\n"
    assert trio.current_time() > 60


def test_the_same_seed_gives_the_same_run_of_programs_as_they_are() -> None:
    async def both(net: VirtualNetwork) -> str:
        server, client = first_lesson()
        net.forward("client", 5555, "server")
        async with net.running("server", server), trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(net.run_program, "client", client)
            nursery.start_soon(net.run_program, "box", readme())
            await net.happens("delivered", where=lambda it: b"Grace" in it.data)
            net.crash("client")
            await trio.sleep(3)
            net.restart("client")
        return net.digest()

    digests = [run(both, seed=seed, jitter=0.01, loss=0.1) for seed in (1, 1, 2, 2)]
    assert digests[0] == digests[1] != digests[2] == digests[3]


async def test_each_host_has_its_own_loopback_and_paths(net: VirtualNetwork) -> None:
    """Two programs that say the same meet themselves."""

    async def program(name: bytes) -> None:
        async with triomq.open_context() as ctx:
            for endpoint in "tcp://127.0.0.1:5555", "ipc://socket", "inproc://inside":
                async with ctx.socket(triomq.PULL) as pull, ctx.socket(triomq.PUSH) as push:
                    await pull.bind(endpoint)
                    push.connect(endpoint.replace("127.0.0.1", "localhost"))
                    await push.send(name)
                    await trio.sleep(1)
                    assert await pull.receive() == (name,)
                    with pytest.raises(trio.WouldBlock):
                        pull.receive_nowait()
            done.append(name)

    done: list[bytes] = []
    async with trio.open_nursery() as nursery:
        for name in "ab":
            nursery.start_soon(net.run_program, name, program, name.encode())
    assert sorted(done) == [b"a", b"b"]


async def test_an_exception_of_a_program_leaves_the_block_as_it_is(net: VirtualNetwork) -> None:
    async def fails() -> None:
        async with triomq.open_context():
            await trio.sleep(1)
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        async with net.running("a", server, []), net.running("b", fails):
            await trio.sleep_forever()
    assert trio.current_time() == 1


async def test_an_exception_of_the_block_leaves_it_as_it_is(net: VirtualNetwork) -> None:
    with pytest.raises(KeyError, match="mine"):
        async with net.running("a", server, []):
            await trio.sleep(1)
            raise KeyError("mine")


async def test_both_exceptions_are_told(net: VirtualNetwork) -> None:
    async def fails() -> None:
        try:
            await trio.sleep_forever()
        finally:
            raise ValueError("the program's")

    with pytest.raises(ExceptionGroup) as caught:
        async with net.running("a", fails):
            await trio.testing.wait_all_tasks_blocked()
            raise KeyError("the test's")
    assert sorted(type(error).__name__ for error in caught.value.exceptions) == ["KeyError", "ValueError"]


async def test_the_task_of_a_program_has_the_names_of_host_and_program(net: VirtualNetwork) -> None:
    class Program:
        async def __call__(self, *words: str) -> None:
            await trio.lowlevel.checkpoint()
            names.append(trio.lowlevel.current_task().name)

    async def program() -> None:
        await Program()()

    names: list[str] = []
    here = "test_the_task_of_a_program_has_the_names_of_host_and_program"
    async with net.running("a", program), net.running("b", Program(), "x"):
        await trio.sleep(1)
    assert sorted(names) == [f"{host}: {here}.<locals>.{what}" for host, what in (("a", "program"), ("b", "Program"))]


async def test_a_program_may_end_before_the_block(net: VirtualNetwork) -> None:
    async with net.running("a", trio.sleep, 5):
        await trio.sleep(10)
        net.crash("a")
        net.restart("a")
    assert trio.current_time() == 10


async def test_a_cancelled_block_is_left_at_once(net: VirtualNetwork) -> None:
    with trio.move_on_after(1) as scope:
        async with net.running("a", server, []):
            await trio.sleep_forever()
    assert scope.cancelled_caught
    assert trio.current_time() == 1


async def test_in_a_block_a_test_calls_parts_of_a_program(net: VirtualNetwork) -> None:
    async with net.running("server", server, []):
        with net.on("client"):
            assert await client() == "yes"
    assert [it.host for it in net.recorder.of_kind("connecting")] == ["client"]
    async with triomq.open_context() as ctx:
        await ctx.socket(triomq.PULL).bind("inproc://here")
    assert len(net.recorder.of_kind("context opened")) == 2


async def test_a_dying_program_opens_no_more_contexts(net: VirtualNetwork) -> None:
    """It was about to, at the moment of the crash."""

    async def program() -> None:
        await wakes.wait()
        async with triomq.open_context():
            pytest.fail("it lives on")

    wakes = trio.Event()
    with trio.move_on_after(1):
        async with net.running("a", program):
            await trio.testing.wait_all_tasks_blocked()
            wakes.set()
            net.crash("a")
            await trio.sleep_forever()
    assert not net.recorder.of_kind("context opened")


async def test_a_port_that_leads_elsewhere(net: VirtualNetwork) -> None:
    net.forward("a", 5555, "b")
    async with net.open_context("a") as a, net.open_context("b") as b:
        with pytest.raises(triomq.AddressInUseError, match=r"forward\(\) lets this port lead to 'b'"):
            await a.socket(triomq.PULL).bind("tcp://*:5555")
        pull = b.socket(triomq.PULL)
        await pull.bind("tcp://127.0.0.1:5555")
        with pytest.raises(ValueError, match="has bound port 5555"):
            net.forward("b", 5555, "a")
        for host in "a", "localhost":
            push = a.socket(triomq.PUSH)
            push.connect(f"tcp://{host}:5555")
            await push.send(host.encode())
            assert await pull.receive() == (host.encode(),)
        push = a.socket(triomq.PUSH)
        push.connect("tcp://b:5555")  # from outside, as ever
        await net.happens("refused", host="a", peer="b")


@pytest.mark.parametrize(
    ("host", "port", "message"), [("a", 5555, "itself"), ("b", 0, "no port"), ("b", "5555", "no port")]
)
async def test_a_port_that_cannot_lead_elsewhere(net: VirtualNetwork, host: str, port: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        net.forward("a", port, host)
