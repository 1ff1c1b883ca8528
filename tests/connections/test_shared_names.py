"""Names that contexts share: how two of them meet, what each is told, and what becomes of messages.

Here all contexts are of one trio run, so that every step is in order. What threads do is in `test_between_threads`.
"""

from __future__ import annotations

import pickle
from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked as settle

import triomq

from ..interop.pairs import FIRST_ID, NAMES_ITSELF, PAIRINGS, SECOND_ID, Pairing
from .sharing import NAME, contexts, kinds

# --- meeting ------------------------------------------------------------------------------------------


def ends(pairing: Pairing, ours: triomq.Context, theirs: triomq.Context, **options: Any) -> tuple[Any, Any]:
    sockets = []
    for context, name, routing_id in ((ours, pairing.first, FIRST_ID), (theirs, pairing.second, SECOND_ID)):
        identity = {"routing_id": routing_id} if name in NAMES_ITSELF else {}
        sockets.append(context.socket(getattr(triomq, name), **identity, **options))
    return sockets[0], sockets[1]


async def talk(pairing: Pairing, first: Any, second: Any) -> None:
    """One message there, and one back."""
    if pairing.second == "SUB":
        second.subscribe(b"")
    elif pairing.second == "XSUB":
        await second.send(b"\1")
    if pairing.first in ("PUB", "XPUB"):
        await first.wait_subscribers(b"")
    if pairing.first == "XPUB":
        await first.receive()
    await first.send([*pairing.said, b"hello"])
    assert await second.receive() == (*pairing.heard, b"hello")
    if pairing.replied is not None:
        await second.send([*pairing.replied, b"world"])
        assert await first.receive() == (*pairing.answered, b"world")


@pytest.mark.parametrize("first_binds", [True, False])
@pytest.mark.parametrize("bound_first", [True, False])
@pytest.mark.parametrize("pairing", PAIRINGS, ids=str)
async def test_every_pair_of_types_meets_in_any_order(pairing: Pairing, bound_first: bool, first_binds: bool) -> None:
    async with contexts() as (ours, theirs):
        first, second = ends(pairing, ours, theirs)
        binder, caller = (first, second) if first_binds else (second, first)
        if bound_first:
            await binder.bind(NAME)
            caller.connect(NAME)
        else:
            caller.connect(NAME)
            await settle()
            await binder.bind(NAME)
        await first.wait_peers()
        await second.wait_peers()
        await talk(pairing, first, second)
        (ours_there,), (theirs_there,) = first.peers, second.peers
        assert (ours_there.socket_type, theirs_there.socket_type) == (pairing.second, pairing.first)
        assert ours_there.endpoint == ours_there.address == NAME


async def test_three_contexts_meet_at_one_name() -> None:
    async with contexts(3) as (one, two, three):
        pull = one.socket(triomq.PULL)
        for context in (one, two, three):  # one's own context as well
            context.socket(triomq.PUSH, connect=NAME).send_nowait(b"it")
        await pull.bind(NAME)
        assert await pull.receive() == await pull.receive() == await pull.receive() == (b"it",)


async def test_a_name_is_bound_once_in_all_contexts_and_free_at_once() -> None:
    async with contexts() as (ours, theirs):
        await ours.socket(triomq.PULL).bind(NAME)
        other = theirs.socket(triomq.PULL)
        with pytest.raises(triomq.AddressInUseError, match="shares these names"):
            await other.bind(NAME)
        await ours.sockets[0].unbind(NAME)
        await other.bind(NAME)


async def test_contexts_without_the_names_do_not_meet() -> None:
    async with contexts() as (ours, _), triomq.open_context() as alone, contexts() as (others, _):
        for context in (ours, alone, others):
            await context.socket(triomq.PULL).bind(NAME)


async def test_types_that_do_not_go_together_are_refused_on_both_sides() -> None:
    async with contexts() as (ours, theirs):
        rep, push = ours.socket(triomq.REP), theirs.socket(triomq.PUSH, linger=0)
        events = [rep.monitor(), push.monitor()]
        await rep.bind(NAME)
        push.connect(NAME)
        await settle()
        assert kinds(events[0]) == ["Listening", "HandshakeFailed"]
        assert kinds(events[1]) == ["HandshakeFailed"]
        assert not rep.peers
        assert not push.peers
        await ours.socket(triomq.REP).aclose()
        push.disconnect(NAME)


async def test_the_events_are_those_of_one_run() -> None:
    async with contexts() as (ours, theirs):
        pull, push = ours.socket(triomq.PULL), theirs.socket(triomq.PUSH)
        bound, connected = pull.monitor(), push.monitor()
        push.connect(NAME)
        await pull.bind(NAME)
        await settle()
        assert kinds(bound) == ["Listening", "Connected", "HandshakeSucceeded"]
        assert kinds(connected) == ["Connected", "HandshakeSucceeded"]
        await pull.unbind(NAME)
        await settle()
        assert kinds(bound) == ["ListeningStopped", "Disconnected"]
        assert kinds(connected) == ["Disconnected"]


@pytest.mark.parametrize("what", [object(), "it", triomq.open_context])
async def test_something_else_than_names_is_refused(what: Any) -> None:
    with pytest.raises(TypeError, match=r"SharedNames\(\)"):
        triomq.open_context(inproc=what)


async def test_two_carriers_for_one_scheme_are_refused() -> None:
    carrier: Any = triomq.abc.StreamCarrier("tcp")
    with pytest.raises(ValueError, match="two carriers"):
        triomq.open_context(inproc=triomq.SharedNames(), transports={"inproc": carrier})


async def test_names_say_what_they_are_and_stay_in_the_process() -> None:
    names = triomq.SharedNames()
    async with triomq.open_context(inproc=names) as ctx:
        await ctx.socket(triomq.PULL).bind(NAME)
        assert repr(names) == "<triomq.SharedNames 1 bound, 1 contexts>"
    assert repr(names) == "<triomq.SharedNames 0 bound, 0 contexts>"
    with pytest.raises(TypeError, match="ipc://"):
        pickle.dumps(names)


async def test_a_name_that_is_too_long() -> None:
    async with contexts() as (ours, _):
        for socket in (ours.socket(triomq.PULL), ours.socket(triomq.PUSH)):
            with pytest.raises(triomq.EndpointError, match="256 characters"):
                socket.connect("inproc://" + "n" * 257)
            with pytest.raises(triomq.EndpointError, match="256 characters"):
                await socket.bind("inproc://" + "n" * 257)


# --- messages -----------------------------------------------------------------------------------------


async def test_messages_are_handed_over_and_not_copied() -> None:
    async with contexts() as (ours, theirs):
        pull, push = ours.socket(triomq.PULL), theirs.socket(triomq.PUSH)
        push.connect(await pull.bind(NAME))
        message = triomq.Message([b"a", bytes(1000)])
        await push.send(message)
        assert await pull.receive() is message


async def test_a_burst_is_one_wake_up() -> None:
    async with contexts() as (ours, theirs):
        pull, push = ours.socket(triomq.PULL), theirs.socket(triomq.PUSH)
        push.connect(await pull.bind(NAME))
        await push.wait_peers()
        mailbox = ours._shared.runtime.mailbox
        before = mailbox.wakes
        for number in range(40):
            push.send_nowait(b"%d" % number)
        await settle()
        assert mailbox.wakes - before <= 2  # the first at once, the others at the end of the turn
        assert [int(bytes(message)) for message in await pull.receive_many(100)] == list(range(40))
        assert theirs._shared.runtime.mailbox.wakes <= 2  # nothing comes back


@pytest.mark.parametrize("connects_first", [True, False])
async def test_the_limit_is_the_sum_at_every_moment(connects_first: bool) -> None:
    """Not only when the queue is full: what was received makes room at once, though nobody was told."""
    async with contexts() as (ours, theirs):
        pull, push = ours.socket(triomq.PULL, receive_hwm=3), theirs.socket(triomq.PUSH, send_hwm=2)
        if connects_first:
            push.connect(NAME)
            push.send_nowait(b"0")
            push.send_nowait(b"1")
            with pytest.raises(trio.WouldBlock):
                push.send_nowait(b"too many, while there is no peer")
            await pull.bind(NAME)
        else:
            push.connect(await pull.bind(NAME))
        await push.wait_peers()
        for number in range(2 * connects_first, 5):
            push.send_nowait(b"%d" % number)
        with pytest.raises(trio.WouldBlock):
            push.send_nowait(b"too many")
        await settle()
        assert [int(bytes(await pull.receive())) for _ in range(5)] == list(range(5))
        await settle()
        for number in range(5):
            push.send_nowait(b"%d" % number)
        with pytest.raises(trio.WouldBlock):
            push.send_nowait(b"too many")
        (peer,) = push.statistics().peers
        assert (peer.send_hwm, peer.send_queue) == (5, 0)
        await settle()
        (peer,) = pull.statistics().peers
        assert (peer.receive_hwm, peer.receive_queue) == (5, 5)


async def test_a_publisher_drops_nothing_for_one_that_has_read_all() -> None:
    async with contexts() as (ours, theirs):
        pub, sub = ours.socket(triomq.PUB, hwm=5), theirs.socket(triomq.SUB, hwm=5, topics=[b""])
        sub.connect(await pub.bind(NAME))
        await pub.wait_subscribers(b"")
        for _ in range(5):
            for number in range(10):
                await pub.send(b"%d" % number)
            await settle()
            assert len(await sub.receive_many(100)) == 10
        assert pub.messages_dropped == 0
        for number in range(12):
            await pub.send(b"%d" % number)
        assert pub.messages_dropped == 2


async def test_who_waits_for_room_goes_on_when_one_message_is_received() -> None:
    async with contexts() as (ours, theirs):
        pull, push = ours.socket(triomq.PULL, hwm=1), theirs.socket(triomq.PUSH, hwm=1)
        push.connect(await pull.bind(NAME))
        await push.wait_peers()
        async with trio.open_nursery() as nursery:
            for number in range(5):
                nursery.start_soon(push.send, b"%d" % number)
                await settle()
            assert push.statistics().tasks_waiting_send == 3
            for left in (2, 1, 0, 0, 0):
                await pull.receive()
                await settle()
                assert push.statistics().tasks_waiting_send == left


async def test_subscriptions_are_in_force_when_the_subscriber_knows() -> None:
    async with contexts() as (ours, theirs):
        pub, sub = ours.socket(triomq.PUB), theirs.socket(triomq.SUB, topics=[b"a"])
        sub.connect(await pub.bind(NAME))
        await sub.wait_subscribed()
        sub.subscribe(b"b")
        await sub.wait_subscribed()
        await pub.send_many([b"a1", b"b1", b"c1"])
        await settle()  # what arrives after `unsubscribe` is left out
        sub.unsubscribe(b"a")
        await sub.wait_subscribed()
        await pub.send_many([b"a2", b"b2"])
        assert [bytes(await sub.receive()) for _ in range(3)] == [b"a1", b"b1", b"b2"]


async def test_newest_messages_do_not_gather_on_the_way_to_one_that_is_busy() -> None:
    """One batch at the most is under way, however much is published; and the last is received."""
    async with contexts() as (ours, theirs):
        pub, sub = ours.socket(triomq.PUB), theirs.socket(triomq.SUB, topics=[b""], conflate=True)
        sub.connect(await pub.bind(NAME))
        await pub.wait_subscribers(b"")
        await settle()
        mailbox = theirs._shared.runtime.mailbox
        for number in range(1000):
            pub.send_nowait(b"%d" % number)
        assert len(mailbox._calls) <= 1
        await settle()
        assert [bytes(message) for message in await sub.receive_many(100)] == [b"999"]
        assert sub.statistics().messages_received == 1000
        assert sub.messages_dropped == 999
