"""Bugs put in on purpose: a sweep of the scenarios finds each of them."""

from __future__ import annotations

import inspect
import random
import subprocess
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest
import trio

from triomq.testing import VirtualNetwork, run

from . import (
    test_p1_sends,
    test_p3_order,
    test_p4_full,
    test_p5_heals,
    test_p5_heartbeats,
    test_p5_time,
    test_p7_places,
)
from .fish import FISH
from .weather import make_rough

SEEDS = 50  # within which each must be found
LONGEST = 1000.0  # virtual seconds after which a scenario hangs; without a bug, none of those below takes 400

# A scenario that finds each. A sweep of all has more of them.
CAUGHT_BY: dict[str, Callable[..., Awaitable[None]]] = {
    "duplicate": test_p3_order.test_through_resets_nothing_twice_nothing_torn_and_order,
    "half-written": test_p4_full.test_what_was_accepted_is_sent_dropped_or_queued_at_any_time,
    "out-of-order": test_p3_order.test_through_resets_nothing_twice_nothing_torn_and_order,
    "sender-asleep": test_p4_full.test_behind_a_partition_the_queue_fills_to_the_hwm_and_no_further,
    "receiver-asleep": test_p3_order.test_a_hundred_requests_in_flight_through_partitions,
    "lost-on-cancel": test_p1_sends.test_push_to_pull,
    "sent-though-cancelled": test_p1_sends.test_push_to_pull,
    "hwm-grows": partial(test_p4_full.test_for_an_absent_peer_exactly_the_hwm_is_queued, kind=test_p4_full.triomq.PUSH),
    "never-resubscribed": test_p5_heals.test_after_a_partition_everybody_is_subscribed_again,
    "deaf-to-silence": partial(
        test_p5_time.test_heartbeats_notice_silence_in_time_and_the_socket_comes_back, fault="black hole"
    ),
    "impatient": test_p5_heartbeats.test_a_queue_that_is_never_empty_does_not_make_a_reading_peer_look_silent,
    "ttl-for-ever": partial(test_p5_heartbeats.test_the_ttl_of_a_ping_is_over_when_something_follows, more="message"),
    "first-come-first-served": test_p7_places.test_crowds_that_say_nothing_or_wait_for_a_place_keep_nobody_out,
    "blind-to-leaving": test_p7_places.test_crowds_that_say_nothing_or_wait_for_a_place_keep_nobody_out,
    "sent-for-ever": test_p7_places.test_messages_that_the_peer_will_not_take_hold_up_none_of_the_others,
    "hammering": test_p7_places.test_a_server_that_hangs_up_after_its_ready_is_not_hammered,
}


def run_once(scenario: Callable[..., Awaitable[None]], seed: int) -> str:
    """Run a scenario as pytest would. Returns: the digest of what happened."""

    async def once(net: VirtualNetwork) -> str:
        dice = random.Random(f"scenario {net.seed}")
        fixtures = {"net": net, "dice": dice, "rough": partial(make_rough, net, dice)}
        wanted = inspect.signature(scenario).parameters
        with trio.fail_after(LONGEST):
            await scenario(**{name: value for name, value in fixtures.items() if name in wanted})
        return net.digest()

    return run(once, seed=seed)


def sweep(scenario: Callable[..., Awaitable[None]]) -> int | None:
    """Run a scenario with one seed after the other. Returns: the first that finds a fault."""
    for seed in range(SEEDS):
        try:
            run_once(scenario, seed)
        except (AssertionError, trio.TooSlowError, BaseExceptionGroup):
            return seed
    return None


@pytest.mark.parametrize("name", FISH)
def test_a_planted_bug_is_found(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    with monkeypatch.context() as patch:
        FISH[name](patch)
        assert sweep(CAUGHT_BY[name]) is not None


@pytest.mark.parametrize("scenario", dict.fromkeys(CAUGHT_BY.values()))
def test_without_a_bug_nothing_is_found_and_a_run_can_be_repeated(scenario: Callable[..., Awaitable[None]]) -> None:
    assert run_once(scenario, 0) == run_once(scenario, 0)


def test_the_switch_of_the_sweep_plants_them() -> None:
    """What ``nox -s simulate -- --plant duplicate`` runs ends with a failure, and names the seed."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--plant=duplicate", f"--triomq-seeds={SEEDS}"]
    scenario = f"{Path(test_p3_order.__file__)}::{CAUGHT_BY['duplicate'].__name__}"
    done = subprocess.run([*command, scenario], capture_output=True, text=True, check=False)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout + done.stderr
    assert "--triomq-seed=" in done.stdout
