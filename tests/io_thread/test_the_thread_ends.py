"""However a context ends, its thread, its connections and its descriptors end with it; the fixture looks for them."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

import pytest
import trio
import trio.testing

import triomq
from triomq.testing import VirtualNetwork

from ..connections.framing import Framed


class Upset(Exception):
    pass


def io_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "triomq I/O"]


async def traffic(ctx: triomq.Context, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
    """Sockets between which messages go for ever."""
    pull, push = ctx.socket(triomq.PULL, receive_hwm=5), ctx.socket(triomq.PUSH, send_hwm=5)
    push.connect(await pull.bind("tcp://127.0.0.1:0"))
    rep, req = ctx.socket(triomq.REP), ctx.socket(triomq.REQ)
    req.connect(await rep.bind("tcp://127.0.0.1:0"))

    async def ask() -> None:
        while True:
            await req.request(b"it")

    async def answer() -> None:
        while True:
            await rep.send(await rep.receive())

    async def send() -> None:
        while True:
            await push.send(b"it")

    async with trio.open_nursery() as nursery:
        for task in (ask, answer, send):
            nursery.start_soon(task)
        for count in range(10**9):
            await pull.receive()
            if count == 10:
                task_status.started()


async def leave() -> None:
    async with triomq.open_context(io_thread=True) as ctx, trio.open_nursery() as nursery:
        await nursery.start(traffic, ctx)
        nursery.cancel_scope.cancel()


async def be_cancelled() -> None:
    with trio.CancelScope() as scope:
        async with triomq.open_context(io_thread=True) as ctx, trio.open_nursery() as nursery:
            await nursery.start(traffic, ctx)
            scope.cancel()


async def crash() -> None:
    with pytest.raises(Upset):
        async with triomq.open_context(io_thread=True) as ctx:
            with trio.move_on_after(0.01):
                await traffic(ctx)
            raise Upset


async def begin_and_leave() -> None:
    async with triomq.open_context(io_thread=True):
        assert io_threads()


async def be_cancelled_before() -> None:
    with trio.CancelScope() as scope:
        scope.cancel()
        async with triomq.open_context(io_thread=True):
            await trio.lowlevel.checkpoint()


ENDS: list[Callable[[], object]] = [leave, be_cancelled, crash, begin_and_leave, be_cancelled_before]


@pytest.mark.parametrize("end", ENDS)
async def test_nothing_is_left(end: Callable[[], object]) -> None:
    await end()  # type: ignore[misc]
    assert not io_threads(), "the block has waited for its thread"


@pytest.mark.slow
def test_many_ends_in_any_order() -> None:
    """Several contexts at once, in a run of a thread each."""
    dice = random.Random(7)

    def live(ends: list[Callable[[], object]]) -> None:
        for end in ends:
            trio.run(end)  # type: ignore[arg-type]

    threads = [threading.Thread(target=live, args=[dice.choices(ENDS, k=15)]) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not io_threads()


async def test_what_was_accepted_leaves_before_the_end() -> None:
    """A context that is left lingers, and what it has told the thread is done first."""
    async with triomq.open_context() as here:
        pull = here.socket(triomq.PULL)
        endpoint = await pull.bind("tcp://127.0.0.1:0")
        async with triomq.open_context(io_thread=True) as ctx:
            push = ctx.socket(triomq.PUSH)
            push.connect(endpoint)
            await push.send_many([b"%d" % number for number in range(900)])
        assert not io_threads()
        with trio.fail_after(60):
            assert [bytes(await pull.receive()) for _ in range(900)] == [b"%d" % number for number in range(900)]


async def test_a_bind_that_fails_raises_where_it_was_called() -> None:
    async with triomq.open_context(io_thread=True) as ctx:
        one, other = ctx.socket(triomq.PULL), ctx.socket(triomq.PULL)
        endpoint = await one.bind("tcp://127.0.0.1:0")
        with pytest.raises(triomq.AddressInUseError):
            await other.bind(endpoint)
        for wrong in ("tcp://nowhere", "tcp://127.0.0.1:99999"):
            with pytest.raises(triomq.EndpointError):
                await other.bind(wrong)
            with pytest.raises(triomq.EndpointError):
                other.connect(wrong)
        await one.unbind(endpoint)
        assert await other.bind(endpoint) == endpoint


async def test_a_bind_that_is_cancelled_leaves_nothing_bound() -> None:
    async with triomq.open_context(io_thread=True) as ctx:
        pull = ctx.socket(triomq.PULL)
        for _ in range(50):
            with trio.CancelScope() as scope:
                scope.cancel()
                await pull.bind("tcp://127.0.0.1:0")
            assert scope.cancelled_caught
            assert not pull.endpoints


async def test_a_bind_is_cancelled_while_the_thread_binds() -> None:
    """What was bound all the same is returned; what was not, is not bound."""
    async with triomq.open_context(io_thread=True) as ctx:
        for number in range(50):
            pull = ctx.socket(triomq.PULL)
            bound = []
            async with trio.open_nursery() as nursery:

                async def bind(pull: triomq.PULL = pull, bound: list[str] = bound) -> None:
                    bound.append(await pull.bind("tcp://127.0.0.1:0"))

                nursery.start_soon(bind)
                for _ in range(number % 5):
                    await trio.lowlevel.checkpoint()
                nursery.cancel_scope.cancel()
            assert list(pull.endpoints) == bound
            await pull.aclose()


async def test_a_crash_in_the_thread_is_loud() -> None:
    """It ends the block as a crash of ours does elsewhere, and the thread is gone."""

    class Hasty(Framed):
        def receive_data(self, data: bytes, limit: float = 1000) -> list[object]:
            raise TypeError("a protocol of the user's that is wrong")

    def new(host: object, as_server: bool) -> Hasty:
        return Hasty("PULL", routing_id=b"", max_message_size=1000)

    carrier = triomq.abc.StreamCarrier("tcp", new)
    with pytest.raises(triomq.InternalError) as caught:
        async with triomq.open_context(io_thread=True, transports={"framed": carrier}) as ctx:
            pull = ctx.socket(triomq.PULL)
            endpoint = await pull.bind("framed://127.0.0.1:0")
            host, _, port = endpoint.removeprefix("framed://").rpartition(":")
            async with await trio.open_tcp_stream(host, int(port)) as stream:
                await stream.send_all(b"hello")
                with trio.fail_after(60):
                    await pull.receive()
    assert "that is wrong" in repr(caught.value.__cause__)
    assert not io_threads()


async def test_there_is_no_thread_in_virtual_time(virtual_network: VirtualNetwork) -> None:
    """But there are both halves, so a program with such a context can be tested."""
    async with virtual_network.open_context(io_thread=True) as ctx:
        assert not io_threads()
        rep, req = ctx.socket(triomq.REP), ctx.socket(triomq.REQ)
        req.connect(await rep.bind("tcp://*:5555"))
        await req.send(b"it")
        await rep.send(await rep.receive())
        assert bytes(await req.receive()) == b"it"


@pytest.mark.parametrize("wrong", [1, None, "yes"])
async def test_io_thread_is_true_or_false(wrong: object) -> None:
    with pytest.raises(TypeError, match="io_thread"):
        triomq.open_context(io_thread=wrong)  # type: ignore[arg-type]
