"""Time limits that pass while this program stands still: what the peer did meanwhile counts."""

from __future__ import annotations

from typing import Any

import pytest
import trio
import trio.testing

import triomq
from triomq.testing import VirtualNetwork
from triomq.testing._network import VirtualTcp

from ..hostile.raw import GREETING, Raw, raw_at, ready
from ..monitors import next_event


def stand_still(seconds: float) -> None:
    """Let time pass in which no task runs, as when the program computes."""
    clock = trio.lowlevel.current_clock()
    assert isinstance(clock, trio.testing.MockClock)
    clock.jump(seconds)


@pytest.fixture
async def met(virtual_network: VirtualNetwork) -> Any:
    """A bound socket with a limit of ten seconds, its monitor, and a connection that has said nothing yet."""
    async with virtual_network.open_context("b") as ctx:
        pull = ctx.socket(triomq.PULL, handshake_timeout=10, greeting_timeout=10)
        monitor = pull.monitor()
        endpoint = await pull.bind("tcp://*:5555")
        async with raw_at(endpoint, virtual_network) as raw:
            await next_event(monitor, triomq.Connected)
            await trio.sleep(1)
            yield pull, monitor, raw


async def test_what_arrived_while_this_program_stood_still_is_read_before_the_peer_is_given_up(met: Any) -> None:
    pull, _, raw = met
    await raw.say(GREETING, ready("PUSH"))
    stand_still(30)
    with trio.fail_after(1):
        await pull.wait_peers()


async def test_a_peer_that_answers_step_by_step_gets_the_time_that_this_program_stood_still(met: Any) -> None:
    """The connecting side of a handshake waits for ours: it could say nothing meanwhile."""
    pull, _, raw = met
    stand_still(30)
    for octet in GREETING[:10]:
        await raw.say(bytes((octet,)))
        await trio.sleep(0.5)
    await raw.say(GREETING[10:], ready("PUSH"))
    with trio.fail_after(1):
        await pull.wait_peers()


async def test_and_no_more_than_that(met: Any) -> None:
    """A silent peer is given up all the same; a program that stands still for an hour does not wait for another."""
    _, monitor, _ = met
    stand_still(3600)
    start = trio.current_time()
    event = await next_event(monitor, triomq.HandshakeFailed)
    assert isinstance(event.error, trio.TooSlowError)
    assert trio.current_time() - start == pytest.approx(10, abs=0.1)


async def test_a_limit_that_is_noticed_in_time_is_the_limit(met: Any) -> None:
    _, monitor, raw = met
    start = trio.current_time()

    async def hurry(raw: Raw) -> None:
        for octet in GREETING:
            await raw.say(bytes((octet,)))
            await trio.sleep(0.5)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(hurry, raw)
        await next_event(monitor, triomq.HandshakeFailed)
        assert trio.current_time() - start == pytest.approx(9, abs=0.1)
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("late", [0.0, 60.0])
async def test_an_attempt_to_connect_gets_that_time_as_well(
    late: float, monkeypatch: pytest.MonkeyPatch, virtual_network: VirtualNetwork
) -> None:
    """A connection that came about meanwhile is not thrown away."""
    connect = VirtualTcp.connect

    async def slowly(self: VirtualTcp, address: str, options: triomq.Options) -> Any:
        await trio.sleep(6)  # a look-up, say
        return await connect(self, address, options)

    monkeypatch.setattr(VirtualTcp, "connect", slowly)
    async with virtual_network.open_context("b") as ctx:
        pull = ctx.socket(triomq.PULL)
        await pull.bind("tcp://*:5555")
        push = ctx.socket(triomq.PUSH, connect_timeout=5)
        monitor = push.monitor()
        push.connect("tcp://localhost:5555")
        await trio.testing.wait_all_tasks_blocked()
        stand_still(late)
        event = await monitor.receive()
        assert isinstance(event, triomq.Connected if late else triomq.ConnectFailed)


@pytest.mark.parametrize("given", [2.0, 60.0])
async def test_the_greeting_has_a_limit_of_its_own_where_the_peer_dials(
    given: float, virtual_network: VirtualNetwork
) -> None:
    """It is a part of handshake_timeout, never more; a listener may take its time, for it may be busy."""
    net = virtual_network
    async with net.open_context("b") as ctx, trio.open_nursery() as nursery:
        pull = ctx.socket(triomq.PULL, greeting_timeout=given)
        monitor = pull.monitor()
        endpoint = await pull.bind("tcp://*:5555")
        for words, limit in ((b"", given), (GREETING[:63], given), (GREETING, 30.0)):
            async with raw_at(endpoint, net) as raw:
                await raw.say(words)
                start = trio.current_time()
                event = await next_event(monitor, triomq.HandshakeFailed)
                assert trio.current_time() - start == pytest.approx(min(limit, 30.0), abs=0.1)
                name = "greeting_timeout=2.0" if limit < 30 else "handshake_timeout=30.0"
                assert name in str(event.error)
        nursery.cancel_scope.cancel()
