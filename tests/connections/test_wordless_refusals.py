"""Peers that refuse by hanging up without a word: what is guessed, when that is told, and how the next try is made."""

from __future__ import annotations

import copy
import pickle
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import trio

import triomq
from triomq import Curve, HandshakeFailed, MechanismMismatchError, RefusedByPeerError
from triomq._connections._handshake import HungUpError
from triomq.testing import VirtualNetwork, VirtualStream

from ..hostile.raw import GREETING
from ..logs.lines import written
from ..monitors import drain, next_event
from ..virtual import dial
from ..zmtp.curve_peer import GREETING as CURVE
from ..zmtp.curve_peer import key_pair
from .test_redial import Server, hear

SIGNATURE, HELLO = GREETING[:10], 202
KEYS = key_pair(1)


def failures(monitor: triomq.Monitor) -> list[HandshakeFailed]:
    return [event for event in drain(monitor) if isinstance(event, HandshakeFailed)]


# -- in the greeting, where this side has accepted ------------------------------------------------------------


@asynccontextmanager
async def bound(net: VirtualNetwork) -> AsyncIterator[triomq.PULL]:
    """A PULL without a mechanism, where `come` comes to."""
    async with net.open_context("b") as ctx:
        pull = ctx.socket(triomq.PULL)
        await pull.bind("tcp://*:5555")
        yield pull


async def come(net: VirtualNetwork, words: bytes, host: str = "a") -> bytes:
    """A client says something and hangs up. Returns: what it has heard until then."""
    stream = await dial(net, "tcp://b:5555", host)
    await stream.send_all(words)
    await trio.sleep(1)
    heard = await stream.receive_some()
    await trio.aclose_forcefully(stream)
    await trio.sleep(1)
    return bytes(heard)


async def test_a_libzmq_that_wants_another_mechanism_is_told_of(virtual_network: VirtualNetwork) -> None:
    """It says no more than its signature, and comes only once."""
    async with bound(virtual_network) as pull:
        monitor = pull.monitor()
        with written() as lines:
            assert await come(virtual_network, SIGNATURE) == GREETING
            (line,) = lines.texts()
        (failed,) = failures(monitor)
        assert isinstance(failed.error, RefusedByPeerError)
        assert failed.address.startswith("tcp://a:")
        why = "it is probably a libzmq that wants another mechanism than NULL; give both sides the same mechanism="
        assert str(failed.error) == f"the peer closed the connection during the greeting: {why}"
        peer = failed.address.removeprefix("tcp://")
        assert line == f"WARNING triomq: PULL tcp://b:5555: turned away by {peer}: {failed.error}"


async def test_the_next_one_from_there_is_greeted_in_pieces_and_tells_its_mechanism(
    virtual_network: VirtualNetwork,
) -> None:
    async with bound(virtual_network) as pull:
        monitor = pull.monitor()
        await come(virtual_network, SIGNATURE)
        assert await come(virtual_network, SIGNATURE, "c") == GREETING, "another host is greeted as ever"
        failures(monitor)
        for _ in range(2):
            assert await come(virtual_network, SIGNATURE, "c") == GREETING[:12]
            await come(virtual_network, SIGNATURE, "c")
        failures(monitor)
        assert await come(virtual_network, CURVE, "c") == GREETING, "in two pieces"
        (failed,) = failures(monitor)
        assert isinstance(failed.error, MechanismMismatchError)
        assert (failed.error.theirs, failed.error.ours) == (b"CURVE", "NULL")
        assert await come(virtual_network, SIGNATURE, "c") == GREETING[:12], "and so is the next"


async def test_a_good_peer_from_there_becomes_one_and_the_next_is_greeted_at_once(
    virtual_network: VirtualNetwork,
) -> None:
    net = virtual_network
    async with bound(net) as pull, net.open_context("a") as here:
        await come(net, SIGNATURE)
        push = here.socket(triomq.PUSH, connect="tcp://b:5555")
        await push.send(b"hello")
        assert await pull.receive() == (b"hello",)
        assert await come(net, SIGNATURE) == GREETING


@pytest.mark.parametrize("words", [b"", SIGNATURE[:9], GREETING[:11]], ids=len)
async def test_who_hangs_up_elsewhere_in_the_greeting_may_have_had_other_reasons(
    words: bytes, virtual_network: VirtualNetwork
) -> None:
    """Such as one that looks whether the port is open; or it is a libzmq that read before it wrote."""
    async with bound(virtual_network) as pull:
        monitor = pull.monitor()
        with written() as lines:
            await come(virtual_network, words)
            assert lines.texts() == []
        (failed,) = failures(monitor)
        assert isinstance(failed.error, trio.BrokenResourceError)
        assert str(failed.error) == "the peer closed the connection during the greeting"
        assert await come(virtual_network, SIGNATURE) == GREETING[:12]


@pytest.mark.parametrize("words", [GREETING, b"GET / HTTP/1.1\r\n"], ids=["greeted", "another protocol"])
async def test_who_does_not_hang_up_in_the_greeting_costs_the_next_one_nothing(
    words: bytes, virtual_network: VirtualNetwork
) -> None:
    async with bound(virtual_network):
        await come(virtual_network, words)
        assert await come(virtual_network, SIGNATURE) == GREETING


# -- at a HELLO of CURVE ------------------------------------------------------------------------------------------


class Unlucky(Server):
    """Hangs up when it has a HELLO, so often; then it takes part in nothing more."""

    def __init__(self, net: VirtualNetwork, *words: bytes) -> None:
        super().__init__(net, self._serve)
        self._words = list(words)

    async def _serve(self, stream: VirtualStream) -> None:
        words = self._words.pop(0) if self._words else CURVE
        await stream.send_all(words)
        await hear(stream, 64 + HELLO if words else 12)


async def until_refused(socket: triomq.PUSH) -> RefusedByPeerError:
    with pytest.raises(triomq.HandshakeRefusedError) as caught:
        await socket.wait_peers()
    assert isinstance(caught.value.__cause__, RefusedByPeerError)
    return caught.value.__cause__


async def test_a_wrong_server_key_is_told_within_a_second(virtual_network: VirtualNetwork) -> None:
    """The third time in a row it is sure enough. Until then each is a connection lost, and is made again soon."""
    server = Unlucky(virtual_network)
    async with trio.open_nursery() as nursery, virtual_network.open_context("a") as ctx:
        push = ctx.socket(triomq.PUSH, mechanism=Curve(KEYS.public_key), linger=0)
        monitor = push.monitor()
        push.connect(await nursery.start(server.run))
        began = trio.current_time()
        error = await until_refused(push)
        assert trio.current_time() - began < 1
        assert server.accepted == 3
        first, second, third = failures(monitor)
        key = f"it is probably not the server of the given server_key, {KEYS.public_text}"
        what = "the peer closed the connection during the handshake"
        for event in (first, second):
            assert isinstance(event.error, trio.BrokenResourceError)
            assert str(event.error).startswith(f"{what}; if it does so again, {key}; compare")
            assert event.retry_in is not None
            assert event.retry_in <= 0.2
        assert third.error is error
        assert str(error).startswith(f"{what}: {key}; compare")
        assert third.retry_in is not None
        assert third.retry_in >= 5
        await trio.sleep(3600)
        assert all(isinstance(event.error, RefusedByPeerError) for event in failures(monitor))
        nursery.cancel_scope.cancel(reason="the test is over")


async def test_a_server_that_was_restarted_just_then_is_met_at_once(virtual_network: VirtualNetwork) -> None:
    net = virtual_network
    async with net.open_context("a") as ctx, net.open_context("b") as there:
        push = ctx.socket(triomq.PUSH, mechanism=Curve(KEYS.public_key))
        monitor = push.monitor()
        async with trio.open_nursery() as life:
            push.connect(await life.start(Unlucky(net).run))
            await next_event(monitor, HandshakeFailed)
            life.cancel_scope.cancel(reason="restarted")
        pull = there.socket(triomq.PULL, mechanism=Curve.server(KEYS))
        await pull.bind("tcp://*:5555")
        with trio.fail_after(1):
            await push.wait_peers()


@pytest.mark.parametrize("other", [b"", CURVE + GREETING[:1], GREETING], ids=["greeting", "rubbish", "NULL"])
async def test_only_hang_ups_in_a_row_count(other: bytes, virtual_network: VirtualNetwork) -> None:
    """A connection that ends in another way says that something else is wrong, or was."""
    server = Unlucky(virtual_network, CURVE, CURVE, other)
    async with trio.open_nursery() as nursery, virtual_network.open_context("a") as ctx:
        push = ctx.socket(triomq.PUSH, mechanism=Curve(KEYS.public_key), linger=0)
        monitor = push.monitor()
        push.connect(await nursery.start(server.run))
        while server.accepted < 6:  # noqa: ASYNC110  # no event tells of it
            await trio.sleep(1)
        told = [str(event.error) for event in failures(monitor)[:6]]
        assert ["server_key" in text for text in told] == [True, True, False, True, True, True]
        assert ["if it does so again" in text for text in told] == [True, True, False, True, True, False]
        nursery.cancel_scope.cancel(reason="the test is over")


async def test_a_server_that_was_away_in_between_counts_anew(virtual_network: VirtualNetwork) -> None:
    """It may have another key now."""
    net = virtual_network
    async with net.open_context("a") as ctx:
        push = ctx.socket(triomq.PUSH, mechanism=Curve(KEYS.public_key), linger=0)
        monitor = push.monitor()
        push.connect("tcp://b:5555")
        for _ in range(2):
            async with trio.open_nursery() as life:
                await life.start(Unlucky(net).run)
                for _ in range(2):
                    event = await next_event(monitor, HandshakeFailed)
                    assert isinstance(event.error, trio.BrokenResourceError)
                life.cancel_scope.cancel(reason="restarted")
            await next_event(monitor, triomq.ConnectFailed)


@pytest.mark.parametrize("again", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))], ids=["copy", "pickle"])
def test_a_hang_up_is_copied_with_all_that_it_knows(again: Callable[[HungUpError], HungUpError]) -> None:
    error = HungUpError("the peer closed the connection", "it is ill")
    other = again(error)
    assert str(other) == str(error) == "the peer closed the connection; if it does so again, it is ill"
    assert str(other.as_refusal()) == "the peer closed the connection: it is ill"
