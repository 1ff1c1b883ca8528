"""Code of the program's own that is cancelled in tasks of ours, and fails over that, or cannot be cancelled.

What fails in a nursery of its own as it is cancelled comes out as a group: the cancellation and the failure together.
"""

from __future__ import annotations

from typing import Any

import pytest
import trio
import trio.testing

import triomq
import triomq.abc
from triomq import Accept, AuthenticationRequest
from triomq.testing import VirtualNetwork

from ..hostile.scene import until
from ..monitors import next_event
from .test_shortages import Own


async def fail_if_cancelled() -> None:
    try:
        await trio.sleep_forever()
    except trio.Cancelled:
        raise KeyError("a bug in there") from None


async def work_in_a_nursery() -> None:
    """Never ends; cancelled, it raises a group of the cancellation and a KeyError."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(fail_if_cancelled)
        nursery.start_soon(trio.sleep_forever)


@pytest.mark.parametrize("why", ["too slow", "the peer leaves", "unbind", "unbind and keep", "closed"])
async def test_an_authenticator_that_fails_as_it_is_cancelled_ends_no_context(
    virtual_network: VirtualNetwork, why: str
) -> None:
    asked: list[AuthenticationRequest] = []

    async def ask(request: AuthenticationRequest) -> Accept:
        asked.append(request)
        if request.socket_type == "PULL":
            await work_in_a_nursery()
        return Accept()

    async with virtual_network.open_context() as here, virtual_network.open_context() as there:
        here.authenticator(ask)
        pull, rep = here.socket(triomq.PULL, handshake_timeout=10), here.socket(triomq.REP)
        push, req = there.socket(triomq.PUSH, linger=0), there.socket(triomq.REQ)
        monitor = pull.monitor()
        endpoint = await pull.bind("tcp://localhost:5555")
        push.connect(endpoint)
        await until(lambda: bool(asked))
        if why == "the peer leaves":
            push.disconnect(endpoint)
        elif why == "closed":
            await pull.aclose()
        elif why != "too slow":
            await pull.unbind(endpoint, keep_peers="keep" in why)
        if why in ("too slow", "the peer leaves", "unbind and keep"):
            failed = await next_event(monitor, triomq.HandshakeFailed)
            kind = trio.BrokenResourceError if why == "the peer leaves" else trio.TooSlowError
            assert isinstance(failed.error, kind)
        await push.aclose()
        req.connect(await rep.bind("tcp://localhost:6666"))
        await req.send(b"still there?")
        assert await rep.receive() == (b"still there?",)


async def test_an_answer_that_comes_when_the_peer_has_left_lets_nobody_in(virtual_network: VirtualNetwork) -> None:
    """An authenticator in a thread, say, cannot be cancelled. Nothing is sent to the peer that it is late for."""
    asked: list[AuthenticationRequest] = []

    async def ask(request: AuthenticationRequest) -> Accept:
        asked.append(request)
        with trio.CancelScope(shield=True):
            await trio.sleep(5)
        return Accept()

    async with virtual_network.open_context() as here, virtual_network.open_context() as there:
        here.authenticator(ask)
        push, pull = here.socket(triomq.PUSH), there.socket(triomq.PULL)
        monitor = push.monitor()
        endpoint = await push.bind("tcp://localhost:5555")
        pull.connect(endpoint)
        await until(lambda: bool(asked))
        pull.disconnect(endpoint)
        await trio.sleep(1)
        with trio.move_on_after(60) as patience:
            await push.send(b"to nobody")
        assert patience.cancelled_caught
        pull.connect(endpoint)
        await push.send(b"it")
        assert await pull.receive() == (b"it",)
        failed = await next_event(monitor, triomq.HandshakeFailed)
        assert "left before the authenticator had answered" in str(failed.error)


class Clumsy(Own):
    """A transport that in one of its calls, from the ``nth`` on, works in a nursery for ever."""

    def __init__(self, call: str, nth: int = 1) -> None:
        super().__init__()
        self.calls = 0
        self._call = call
        self._nth = nth

    async def may_work(self, call: str) -> None:
        if call == self._call:
            self.calls += 1
            if self.calls >= self._nth:
                await work_in_a_nursery()

    async def connect(self, address: str, options: triomq.Options) -> Any:
        await self.may_work("connect")
        stream = await super().connect(address, options)
        return stream if self._call in ("connect", "accept") else ClumsyStream(stream, self)

    async def listen(self, address: str, options: triomq.Options) -> triomq.abc.Listener:
        await self.may_work("listen")
        return ClumsyListener(await super().listen(address, options), self)


class ClumsyListener(triomq.abc.Listener):
    def __init__(self, listener: triomq.abc.Listener, own: Clumsy) -> None:
        self._listener = listener
        self._own = own

    @property
    def endpoint(self) -> str:
        return self._listener.endpoint

    async def accept(self) -> trio.abc.Stream:
        await self._own.may_work("accept")
        return await self._listener.accept()

    async def aclose(self) -> None:
        await self._own.may_work("close the listener")
        await self._listener.aclose()


class ClumsyStream(trio.abc.Stream):
    def __init__(self, stream: trio.abc.Stream, own: Clumsy) -> None:
        self._stream = stream
        self._own = own

    async def send_all(self, data: Any) -> None:
        await self._own.may_work("send")
        await self._stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self._stream.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> Any:
        await self._own.may_work("receive")
        return await self._stream.receive_some(max_bytes)

    async def aclose(self) -> None:
        try:
            await self._own.may_work("close a stream")
        finally:
            await self._stream.aclose()


CALLS = [
    ("connect", 1),
    ("accept", 1),
    ("send", 1),  # in the handshake
    ("send", 3),  # of a message
    ("receive", 1),
    ("receive", 3),
    ("close a stream", 1),
    ("close the listener", 1),
]


@pytest.mark.parametrize("end", ["disconnect", "unbind", "close one", "close the other", "leave"])
@pytest.mark.parametrize(("call", "nth"), CALLS)
async def test_a_transport_of_the_users_that_fails_as_it_is_cancelled_ends_no_context(
    call: str, nth: int, end: str, virtual_network: VirtualNetwork
) -> None:
    own = Clumsy(call, nth)
    async with virtual_network.open_context(transports={"own": own}) as ctx:
        pull, push = ctx.socket(triomq.PULL), ctx.socket(triomq.PUSH, linger=0)
        await pull.bind("own://it")
        push.connect("own://it")
        await push.send(b"it")
        await trio.testing.wait_all_tasks_blocked()
        if end == "disconnect":
            push.disconnect("own://it")
        elif end == "unbind":
            await pull.unbind("own://it")
        elif end == "close one":
            await push.aclose()
        elif end == "close the other":
            await pull.aclose()
        if end != "leave":
            await trio.sleep(1)
    assert own.calls >= nth or (call, end) == ("close a stream", "leave")


async def test_listening_in_halves_that_fails_as_its_socket_is_closed_ends_no_context(
    virtual_network: VirtualNetwork,
) -> None:
    own = Clumsy("listen")
    async with virtual_network.open_context(transports={"own": own}, io_thread=True) as ctx:
        pull = ctx.socket(triomq.PULL)

        async def bind() -> None:
            with pytest.raises(trio.ClosedResourceError):
                await pull.bind("own://it")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(bind)
            await trio.testing.wait_all_tasks_blocked()
            await pull.aclose()
    assert own.calls == 1
