"""What is written at which level, and what a quiet run writes: nothing."""

from __future__ import annotations

import logging
import math

import trio

import triomq
from triomq.testing import VirtualNetwork, run

from .lines import written


async def live(net: VirtualNetwork) -> None:
    """A whole life in which nothing is wrong."""
    async with net.open_context() as ctx:
        pull = ctx.socket(triomq.PULL, name="sink", heartbeat_interval=1)
        push = ctx.socket(triomq.PUSH, reconnect_interval_max=0.1)
        push.connect("tcp://localhost:5555")
        await trio.sleep(0.5)
        await pull.bind("tcp://127.0.0.1:5555")
        await push.send(b"x")
        await pull.receive()
        await trio.sleep(1.5)
        await push.aclose()
        await trio.sleep(0.1)


async def test_nothing_where_nothing_is_wrong(virtual_network: VirtualNetwork) -> None:
    with written(logging.WARNING) as lines:
        await live(virtual_network)
    assert lines.texts() == []


async def test_connections_come_and_go(virtual_network: VirtualNetwork) -> None:
    with written(logging.INFO) as lines:
        await live(virtual_network)
        (address,) = {
            record.address.removeprefix("tcp://")  # type: ignore[attr-defined]
            for record in lines.records
            if record.event_type == "HandshakeSucceeded" and record.socket_type == "PULL"  # type: ignore[attr-defined]
        }
    texts = [text.partition("; next")[0] for text in lines.texts()]
    assert texts[0] == "INFO triomq: PUSH tcp://localhost:5555: cannot connect: Connection refused"
    assert sorted(texts[1:]) == [
        "INFO triomq: PULL 'sink' tcp://127.0.0.1:5555: PUSH at " + address + " is disconnected: the connection was "
        "closed",
        f"INFO triomq: PULL 'sink' tcp://127.0.0.1:5555: connected to PUSH at {address}",
        "INFO triomq: PULL 'sink' tcp://127.0.0.1:5555: listening",
        "INFO triomq: PULL 'sink' tcp://127.0.0.1:5555: listening has ended",
        "INFO triomq: PUSH tcp://localhost:5555: a PULL is disconnected: the connection was closed",
        "INFO triomq: PUSH tcp://localhost:5555: connected to a PULL",
    ]


async def test_attempts_handshakes_and_heartbeats(virtual_network: VirtualNetwork) -> None:
    with written(logging.DEBUG) as lines:
        await live(virtual_network)
        kinds = [record.event_type for record in lines.records if record.levelno == logging.DEBUG]  # type: ignore[attr-defined]
        (heartbeat,) = [record.getMessage() for record in lines.records if record.event_type == "Heartbeat"]  # type: ignore[attr-defined]
    assert kinds.count("ConnectFailed") >= 3
    assert kinds.count("Connected") == 2
    assert kinds.count("Closed") == 2
    assert heartbeat.startswith("PULL 'sink': heartbeat to localhost:")
    assert heartbeat.endswith(" ms")


async def test_a_queue_that_is_full(virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context() as ctx:
        push, pull = ctx.socket(triomq.PUSH, hwm=1), ctx.socket(triomq.PULL, hwm=1)
        with written(logging.DEBUG) as lines:
            push.connect("inproc://it")
            await push.send(b"x")
            with trio.move_on_after(1):
                await push.send(b"x")
            await pull.bind("inproc://it")
            await pull.receive()
            await trio.sleep(1)
            texts = [text for text in lines.texts() if "queue" in text]
    assert texts == [
        "DEBUG triomq: PUSH inproc://it: the queue for nobody yet is full: 1 message",
        "DEBUG triomq: PUSH inproc://it: the queue for a PULL has room again",
    ]


async def test_where_there_is_no_further_attempt_that_is_said(virtual_network: VirtualNetwork) -> None:
    with written(logging.DEBUG) as lines:
        async with virtual_network.open_context() as ctx:
            push = ctx.socket(triomq.PUSH, reconnect_interval=math.inf)
            push.connect("tcp://127.0.0.1:5555")
            await trio.sleep(1)
            (text,) = [text for text in lines.texts() if "cannot connect" in text]
    assert text.endswith("; there is no further attempt, as reconnect_interval says")


async def observed(net: VirtualNetwork, level: int) -> str:
    with written(level):
        await live(net)
    return net.digest()


def test_a_run_is_the_same_with_and_without_lines() -> None:
    """Of one seed, to the octet and the microsecond."""
    assert run(observed, logging.DEBUG, seed=7) == run(observed, logging.CRITICAL, seed=7)


async def test_a_message_for_nobody_is_told_at_info(virtual_network: VirtualNetwork) -> None:
    """Mostly it is a reply to a client that has gone, which is no reason to warn."""
    with written(logging.INFO) as lines:
        async with virtual_network.open_context() as ctx:
            router = ctx.socket(triomq.ROUTER, name="hub")
            await router.send([b"no\xffbody", b"x"])
            await trio.sleep(0.2)
    (record,) = lines.records
    assert (record.endpoint, record.routing_id, record.reason) == ("", r"no\xffbody", "unroutable")  # type: ignore[attr-defined]
    assert lines.texts() == [
        "INFO triomq: ROUTER 'hub' without endpoint: 1 message is dropped: nobody has the routing id that it was for, "
        r"'no\xffbody'"
    ]
