"""bind= and connect= where a socket is made."""

from __future__ import annotations

import errno
from typing import Any

import pytest
import trio
import trio.testing

import triomq
from triomq.testing import VirtualNetwork

KINDS = [triomq.PULL, triomq.PUSH, triomq.SUB, triomq.PUB, triomq.REQ, triomq.REP, triomq.DEALER, triomq.ROUTER]


async def test_a_pair_in_two_lines(virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context("it") as ctx:
        async with ctx.socket(triomq.PULL, bind="tcp://127.0.0.1:0") as pull:
            (endpoint,) = pull.endpoints
            assert endpoint.startswith("tcp://127.0.0.1:")
            assert not endpoint.endswith(":0")
            push = ctx.socket(triomq.PUSH, connect=endpoint, linger=0)
            assert push.endpoints == (endpoint,)
            await push.send(b"x")
            assert await pull.receive() == (b"x",)


async def test_several_endpoints_of_both_kinds_in_their_order() -> None:
    async with triomq.open_context() as ctx:
        socket = ctx.socket(triomq.DEALER, connect=["inproc://c"], bind=("inproc://a", "inproc://b"))
        assert socket.endpoints == ()
        async with socket as same:
            assert same is socket
            assert socket.endpoints == ("inproc://a", "inproc://b", "inproc://c")
            async with socket:  # entered once more: nothing is bound twice
                assert len(socket.endpoints) == 3


@pytest.mark.parametrize("kind", KINDS)
async def test_before_it_is_entered_a_socket_that_binds_refuses_calls_and_says_what_to_write(kind: Any) -> None:
    async with triomq.open_context() as ctx:
        socket: Any = ctx.socket(kind, bind="inproc://it")
        calls = [lambda: socket.connect("inproc://x"), socket.monitor]
        waits = [lambda: socket.bind("inproc://x"), socket.wait_peers]
        if issubclass(kind, triomq.SendSocket):
            calls.append(lambda: socket.send_nowait(b"x"))
            waits += [lambda: socket.send(b"x"), lambda: socket.send_many([b"x"])]
        if issubclass(kind, triomq.ReceiveSocket):
            waits.append(lambda: socket.receive_many(1))
            if kind is not triomq.REQ:
                calls.append(socket.receive_nowait)
                waits.append(socket.receive)
        for call in calls:
            with pytest.raises(
                triomq.WrongStateError, match=rf"write 'async with ctx.socket\(triomq.{kind.__name__}, "
            ):
                call()
        for wait in waits:
            with pytest.raises(triomq.WrongStateError, match=r"or await socket\.bind\(…\) in place of bind="):
                await wait()
        await socket.aclose()
        with pytest.raises(trio.ClosedResourceError):
            async with socket:
                raise AssertionError("entered")


async def test_an_endpoint_that_is_wrong_is_told_where_the_socket_is_made() -> None:
    async with triomq.open_context() as ctx:
        for wrong in (
            {"bind": "localhost:5555"},
            {"connect": ["inproc://a", "nonsense://b"]},
            {"connect": "tcp://*:5"},
        ):
            with pytest.raises(triomq.EndpointError):
                ctx.socket(triomq.PUSH, **wrong)  # type: ignore[arg-type]
        for mistaken in ({"bind": 5555}, {"connect": b"inproc://a"}, {"connect": [None]}, {"bind": None}):
            with pytest.raises(TypeError, match="endpoint"):
                ctx.socket(triomq.PUSH, **mistaken)  # type: ignore[arg-type]
        with pytest.raises(triomq.WrongStateError, match="PAIR"):
            ctx.socket(triomq.PAIR, connect=["inproc://a", "inproc://b"])
        assert ctx.sockets == ()


async def test_an_address_in_use_is_told_on_entry_and_nothing_stays_bound() -> None:
    async with triomq.open_context() as ctx:
        other = ctx.socket(triomq.PULL)
        await other.bind("inproc://taken")
        socket = ctx.socket(triomq.PULL, bind=["inproc://free", "inproc://taken"])
        with pytest.raises(triomq.AddressInUseError) as caught:
            async with socket:
                raise AssertionError("entered")
        assert caught.value.errno == errno.EADDRINUSE
        await other.bind("inproc://free")
        with pytest.raises(trio.ClosedResourceError):
            await socket.receive()


async def test_cancelled_while_it_binds_nothing_stays_bound() -> None:
    async with triomq.open_context() as ctx:
        socket = ctx.socket(triomq.PULL, bind=["inproc://a", "inproc://b"])
        with trio.CancelScope() as scope:
            scope.cancel()
            async with socket:
                raise AssertionError("entered")
        assert scope.cancelled_caught
        await ctx.socket(triomq.PULL).bind("inproc://a")


async def test_one_that_is_never_entered_ends_with_its_context() -> None:
    async with triomq.open_context() as ctx:
        socket = ctx.socket(triomq.PULL, bind="inproc://it")
        ctx.socket(triomq.PULL, bind="inproc://it")
    with pytest.raises(trio.ClosedResourceError):
        async with socket:
            pass
