"""The two clocks of a connection, by themselves: who has to say something until when."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from trio.testing import MockClock

from triomq._connections._timers import KEEPALIVE
from triomq.zmtp import Ping, Pong

from .heartbeats_rig import NEW, OLD, begun, until


@pytest.fixture
async def nursery():
    """For what a rig starts."""
    async with trio.open_nursery() as nursery:
        yield nursery
        nursery.cancel_scope.cancel()


# --- our PINGs ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("version", "interval"), [(NEW, 0.0), (OLD, 10.0)], ids=["no interval", "a peer of ZMTP 3.0"])
async def test_nothing_is_watched_where_no_heartbeats_are(
    version: tuple[int, int], interval: float, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    rig = begun(nursery, version=version, heartbeat_interval=interval)
    await until(1000)
    assert (rig.said, rig.silent, rig.started, rig.heartbeats.active) == ([], [], 0, False)


async def test_a_peer_that_answers_is_pinged_every_interval_with_our_ttl(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    rig = begun(nursery, heartbeat_interval=10, heartbeat_ttl=2.5)
    for time in (10, 20, 30):
        await until(time + 3)
        rig.heartbeats.heard()
    assert rig.said == [(time, Ping(ttl=2.5, context=bytes([0, time // 10]))) for time in (10, 20, 30)]
    assert rig.silent == []
    assert rig.started == 1


async def test_a_peer_that_does_not_answer_is_given_up_one_timeout_after_the_hand_over(
    nursery: trio.Nursery,
    autojump_clock: MockClock,
) -> None:
    rig = begun(nursery, heartbeat_interval=10, heartbeat_timeout=4)
    await until(1000)
    assert rig.silent == [(14, "nothing from tcp://peer within 4 s after a heartbeat")]


async def test_without_a_timeout_the_interval_is_the_timeout(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    rig = begun(nursery, heartbeat_interval=10)
    await until(1000)
    assert (rig.pings, rig.given_up) == ([10], [20])


async def test_one_ping_is_under_way_at_the_most(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    rig = begun(nursery, heartbeat_interval=2, heartbeat_timeout=7)
    await until(1000)
    assert (rig.pings, rig.given_up) == ([2], [9])


async def test_the_next_ping_after_a_late_answer_goes_at_its_time(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    rig = begun(nursery, heartbeat_interval=2, heartbeat_timeout=7)
    await until(7.5)
    rig.heartbeats.heard()
    await until(8)
    assert rig.pings == [2, 8]


async def test_whatever_is_heard_before_a_ping_does_not_answer_it(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    rig = begun(nursery, heartbeat_interval=10, heartbeat_timeout=4)
    await until(9)
    rig.heartbeats.heard()
    await until(1000)
    assert rig.given_up == [14]


# --- a PING behind a long queue ----------------------------------------------------------------


async def test_the_peer_has_its_time_from_the_hand_over_of_the_ping(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    rig = begun(nursery, heartbeat_interval=10, heartbeat_timeout=4)
    rig.hands_over = False
    await until(13)
    rig.hand_over()
    await until(1000)
    assert rig.given_up == [17]


async def test_before_the_hand_over_a_peer_that_takes_the_queue_slowly_is_not_silent(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    rig = begun(nursery, heartbeat_interval=10, heartbeat_timeout=4)
    rig.hands_over = False
    for time in range(0, 100, 3):
        await until(time)
        rig.took_at = time
    await until(1000)
    assert rig.pings == [10]
    assert rig.given_up == [103]


async def test_before_the_hand_over_a_peer_that_takes_nothing_and_says_nothing_is_silent(
    nursery: trio.Nursery,
    autojump_clock: MockClock,
) -> None:
    rig = begun(nursery, heartbeat_interval=10, heartbeat_timeout=4)
    rig.hands_over = False
    await until(1000)
    assert rig.given_up == [14]


async def test_before_the_hand_over_a_peer_that_speaks_is_not_silent_and_is_sent_no_second_ping(
    nursery: trio.Nursery,
    autojump_clock: MockClock,
) -> None:
    rig = begun(nursery, heartbeat_interval=10, heartbeat_timeout=4)
    rig.hands_over = False
    for time in range(11, 100, 3):
        await until(time)
        rig.heartbeats.heard()
    assert (rig.pings, rig.silent) == ([10], [])


async def test_what_is_heard_before_the_hand_over_is_no_answer_to_the_ping(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    rig = begun(nursery, heartbeat_interval=10, heartbeat_timeout=4)
    rig.hands_over = False
    await until(11)
    rig.heartbeats.heard()
    await until(12)
    rig.hand_over()
    await until(1000)
    assert rig.given_up == [16]


async def test_after_the_hand_over_it_does_not_help_that_the_peer_takes_more(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    rig = begun(nursery, heartbeat_interval=10, heartbeat_timeout=4)
    for time in range(11, 100):
        await until(time)
        rig.took_at = time
    assert rig.given_up == [14]


async def test_a_ping_that_was_not_ours_to_send_starts_no_clock(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    rig = begun(nursery, heartbeat_interval=10, heartbeat_timeout=4)
    await until(5)
    rig.hand_over()
    await until(1000)
    assert rig.given_up == [14]


# --- what the peer's PING promises -------------------------------------------------------------


async def test_a_peer_that_breaks_its_promise_is_given_up_though_we_send_no_pings(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    rig = begun(nursery)
    await until(5)
    rig.heartbeats.ping_received(3)
    assert rig.started == 1
    await until(1000)
    assert rig.silent == [(8, "nothing from tcp://peer within the 3 s that its heartbeat promised")]
    assert rig.said == []


@pytest.mark.parametrize("heard_at", [0, 1, 2.9])
async def test_whatever_follows_fulfils_the_promise(
    heard_at: float, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    rig = begun(nursery)
    rig.heartbeats.ping_received(3)
    await until(heard_at)
    rig.heartbeats.heard()
    await until(1000)
    assert rig.silent == []


async def test_what_follows_in_the_same_read_fulfils_the_promise_and_is_no_answer_to_our_ping(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    rig = begun(nursery, heartbeat_interval=10, heartbeat_timeout=4)
    await until(10)
    rig.heartbeats.ping_received(1)
    rig.heartbeats.ping_followed()
    await until(1000)
    assert rig.silent == [(14, "nothing from tcp://peer within 4 s after a heartbeat")]


async def test_a_later_ping_takes_the_place_of_the_one_before(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    rig = begun(nursery)
    rig.heartbeats.ping_received(3)
    for time, ttl in ((2, 10), (11, 3), (13, 5)):
        await until(time)
        rig.heartbeats.heard()
        rig.heartbeats.ping_received(ttl)
    await until(1000)
    assert rig.given_up == [18]
    assert rig.started == 1


@pytest.mark.parametrize("reads", [1, 2])
async def test_a_ping_without_a_ttl_promises_nothing(
    reads: int, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    """Also when the PING before, which did, came in the same read."""
    rig = begun(nursery)
    rig.heartbeats.ping_received(3)
    if reads == 2:
        await until(1)
        rig.heartbeats.heard()
    rig.heartbeats.ping_received(0)
    await until(1000)
    assert rig.silent == []


@pytest.mark.parametrize(
    ("ttl", "allowed", "given_up", "why"), [(5, 9, 15, "promised"), (8, 4, 14, "after a heartbeat")]
)
async def test_of_both_clocks_the_earlier_counts(
    ttl: float, allowed: float, given_up: float, why: str, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    rig = begun(nursery, heartbeat_interval=10, heartbeat_timeout=allowed)
    await until(10)
    rig.heartbeats.ping_received(ttl)
    await until(1000)
    ((time, text),) = rig.silent
    assert time == given_up
    assert why in text


# --- a last look -------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["our PING", "the peer's TTL"])
async def test_what_came_in_time_and_was_not_read_yet_saves_the_peer_once(
    by: str, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    rig = begun(nursery, heartbeat_interval=10 if by == "our PING" else 0, heartbeat_timeout=4)
    if by == "the peer's TTL":
        await until(10)
        rig.heartbeats.ping_received(4)
    await until(12)
    rig.there = True
    await until(19)
    assert (rig.silent, rig.looks) == ([], [14])
    await until(1000)
    assert rig.given_up == ([24] if by == "our PING" else [])


async def test_the_stream_is_not_looked_at_before_a_limit_is_up(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    rig = begun(nursery, heartbeat_interval=10, heartbeat_timeout=4)
    for time in range(11, 100, 10):
        await until(time)
        rig.heartbeats.heard()
    assert rig.looks == []


# --- while the inbox is full -------------------------------------------------------------------


@pytest.mark.parametrize("paused_at", [5, 12], ids=["before the PING", "after it"])
async def test_while_nothing_is_read_nobody_is_silent_and_then_the_peer_has_all_of_its_time_again(
    paused_at: float, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    rig = begun(nursery, heartbeat_interval=10, heartbeat_timeout=4)
    await until(paused_at)
    rig.heartbeats.pause()
    await until(100.5)
    assert (rig.silent, rig.pings) == ([], [10])
    rig.heartbeats.proceed()
    await until(1000)
    assert rig.given_up == [104.5]


async def test_a_ping_that_is_handed_over_while_nothing_is_read_is_to_be_answered_afterwards(
    nursery: trio.Nursery,
    autojump_clock: MockClock,
) -> None:
    rig = begun(nursery, heartbeat_interval=10, heartbeat_timeout=4)
    rig.hands_over = False
    await until(11)
    rig.heartbeats.pause()
    await until(12)
    rig.hand_over()
    await until(50)
    assert rig.silent == []
    rig.heartbeats.proceed()
    await until(1000)
    assert rig.given_up == [54]


async def test_the_peers_promise_is_not_broken_while_nothing_is_read(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    rig = begun(nursery)
    rig.heartbeats.ping_received(3)
    await until(1)
    rig.heartbeats.pause()
    await until(100)
    assert rig.silent == []


async def test_a_promise_that_was_not_fulfilled_before_counts_again_afterwards(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    rig = begun(nursery)
    rig.heartbeats.ping_received(3)
    await until(1)
    rig.heartbeats.pause()
    await until(100)
    rig.heartbeats.proceed()
    await until(1000)
    assert rig.given_up == [103]


async def test_a_promise_that_was_fulfilled_before_does_not(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    rig = begun(nursery)
    rig.heartbeats.ping_received(3)
    rig.heartbeats.heard()
    rig.heartbeats.pause()
    await until(100)
    rig.heartbeats.proceed()
    await until(1000)
    assert rig.silent == []


async def test_with_no_ping_under_way_there_is_nothing_to_wait_for_afterwards(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    rig = begun(nursery, heartbeat_interval=10, heartbeat_timeout=4)
    await until(1)
    rig.heartbeats.pause()
    await until(9)
    rig.heartbeats.proceed()
    await until(1000)
    assert rig.given_up == [14]


# --- signs of life -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pings", "every"),
    [
        ([], KEEPALIVE / 2),
        ([0.5], 0.25),  # counted from the beginning of the connection
        ([5], KEEPALIVE / 2),
        ([5, 5.25], 0.125),
        ([5, 5.25, 9, 9.5], 0.125),  # the shortest so far
        ([5, 5], KEEPALIVE / 2),  # two in one read
    ],
)
async def test_a_sign_of_life_is_due_twice_as_often_as_the_peer_pings(
    pings: list[float], every: float, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    rig = begun(nursery)
    for time in pings:
        await until(time)
        rig.heartbeats.ping_received(0)
    assert rig.heartbeats.sign_of_life_every == every


@pytest.mark.parametrize(("version", "said"), [(NEW, [(0, Pong())]), (OLD, [])])
async def test_a_sign_of_life_is_a_pong_for_a_peer_that_knows_it(
    version: tuple[int, int], said: list[Any], nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    rig = begun(nursery, version=version)
    rig.heartbeats.show_life()
    assert rig.said == said
