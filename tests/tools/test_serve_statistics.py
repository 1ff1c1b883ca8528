"""`serve_statistics`: another process sees what a context's sockets do."""

from __future__ import annotations

import itertools
import json
import math

import attrs
import pytest
import trio

import triomq
from triomq._statistics import from_plain, to_plain

ENDPOINT = "inproc://statistics"


async def ask(ctx: triomq.Context, request: bytes = b"statistics") -> dict:
    req = ctx.socket(triomq.REQ)
    req.connect(ENDPOINT)
    async with req:
        return json.loads(bytes(await req.request(request)))


async def test_a_reply_says_what_the_sockets_do(autojump_clock: trio.abc.Clock) -> None:
    async with triomq.open_context() as ctx, trio.open_nursery() as nursery:
        assert await nursery.start(triomq.serve_statistics, ctx, ENDPOINT) == ENDPOINT
        pull, push = ctx.socket(triomq.PULL, name="sink"), ctx.socket(triomq.PUSH)
        push.connect(await pull.bind("inproc://work"))
        await push.send(b"one")
        reply = await ask(ctx, b"whatever")
        assert (reply["format"], reply["version"]) == ("triomq statistics", 1)
        snapshot = from_plain(reply["statistics"])
        assert [(one.socket_type, one.name) for one in snapshot.sockets] == [
            ("PULL", "sink"),
            ("PUSH", None),
            ("REQ", None),
        ]
        assert (snapshot.messages_sent, snapshot.messages_received, snapshot.connections) == (2, 1, 3)
        nursery.cancel_scope.cancel()


async def test_it_ends_with_the_context(autojump_clock: trio.abc.Clock) -> None:
    async with trio.open_nursery() as nursery:
        async with triomq.open_context() as ctx:
            await nursery.start(triomq.serve_statistics, ctx, ENDPOINT)


async def test_it_leaves_nothing_behind_when_it_is_cancelled(autojump_clock: trio.abc.Clock) -> None:
    async with triomq.open_context() as ctx:
        for _ in range(2):
            async with trio.open_nursery() as nursery:
                await nursery.start(triomq.serve_statistics, ctx, ENDPOINT)
                nursery.cancel_scope.cancel()
            assert ctx.sockets == ()


async def test_what_cannot_be_bound_is_raised(autojump_clock: trio.abc.Clock) -> None:
    async with triomq.open_context() as ctx:
        await ctx.socket(triomq.PULL).bind(ENDPOINT)
        with pytest.raises(triomq.AddressInUseError):
            await triomq.serve_statistics(ctx, ENDPOINT)
    with pytest.raises(trio.ClosedResourceError):
        await triomq.serve_statistics(ctx, ENDPOINT)


async def test_readers_take_turns_and_see_the_newest(autojump_clock: trio.abc.Clock) -> None:
    async with triomq.open_context() as ctx, trio.open_nursery() as nursery:
        await nursery.start(triomq.serve_statistics, ctx, ENDPOINT)
        seen = []
        for _ in range(3):
            await trio.sleep(1)
            seen.append((await ask(ctx))["statistics"]["at"])
        assert [later - earlier for earlier, later in itertools.pairwise(seen)] == [1, 1]
        nursery.cancel_scope.cancel()


PEER = triomq.Peer(
    endpoint="tcp://*:1", address="tcp://a:2", socket_type="SUB", routing_id=b"\0\xff", since=3.5, number=1,
    metadata={"Socket-Type": b"SUB", "x": b"\x80"},
)  # fmt: skip
COUNTS = {"messages_sent": 1, "messages_received": 2, "messages_dropped": 3, "bytes_sent": 4, "bytes_received": 5}
ROW = triomq.PeerStatistics(
    number=1, peer=PEER, endpoint="tcp://*:1", address="tcp://a:2", routing_id=b"\0\xff", last_traffic=None,
    round_trip=0.5, reconnects=6, hwm_reached=7, send_queue=8, control_queue=9, receive_queue=10, send_hwm=math.inf,
    receive_hwm=11.0, **COUNTS,
)  # fmt: skip
SOCKET = triomq.SocketStatistics(
    name="µ", socket_type="PUB", endpoints=("tcp://*:1",), number=12, at=13.5, reconnects=14, hwm_reached=15,
    unfinished_handshakes=16, tasks_waiting_send=17, tasks_waiting_receive=18,
    peers=(ROW, attrs.evolve(ROW, peer=None, number=2)), **COUNTS,
)  # fmt: skip
SNAPSHOT = triomq.ContextStatistics(
    at=13.5, reconnects=19, connections=20, unfinished_handshakes=21, sockets=(SOCKET,), **COUNTS
)


def test_every_field_survives_json() -> None:
    plain = json.loads(json.dumps(to_plain(SNAPSHOT), allow_nan=False))
    assert from_plain(plain) == SNAPSHOT
    assert plain["sockets"][0]["peers"][0]["routing_id"] == "\0\xff"
    plain["sockets"][0]["a field of tomorrow"] = 1
    assert from_plain(plain) == SNAPSHOT


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        {**to_plain(SNAPSHOT), "at": "now"},
        {**to_plain(SNAPSHOT), "messages_sent": 1.5},
        {**to_plain(SNAPSHOT), "messages_sent": True},
        {**to_plain(SNAPSHOT), "sockets": [{}]},
        {**to_plain(SNAPSHOT), "sockets": 7},
    ],
)
def test_what_are_no_statistics_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"these are no statistics of a context|could not convert"):
        from_plain(value)
