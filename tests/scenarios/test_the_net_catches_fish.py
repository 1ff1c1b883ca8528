"""Bugs put in on purpose: a sweep of the scenarios finds each of them."""

from __future__ import annotations

import random
from functools import partial
from itertools import count

import pytest
import trio

import triomq
import triomq._writer
from triomq._pipe import SessionPipe
from triomq.testing import VirtualNetwork, run

from . import test_pipelines, test_pubsub
from .weather import make_rough

_LONGEST = 100_000.0  # virtual seconds after which a scenario hangs


def sweep(scenario, seeds: int = 30) -> int | None:
    """Run a scenario with one seed after the other. Returns: the first that finds a fault."""

    async def once(net: VirtualNetwork) -> None:
        dice = random.Random(f"scenario {net.seed}")
        with trio.fail_after(_LONGEST):
            await scenario(net, partial(make_rough, net, dice), dice)

    for seed in range(seeds):
        try:
            run(once, seed=seed)
        except (AssertionError, trio.TooSlowError, BaseExceptionGroup):
            return seed
    return None


SCENARIOS = {
    "resets": test_pipelines.test_through_resets_nothing_twice_nothing_torn_and_order,
    "partitions": test_pipelines.test_through_partitions_every_message_once_and_in_order,
    "subscriptions": test_pubsub.test_after_a_partition_everybody_is_subscribed_again,
}


def send_all_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a reconnect, messages of a half-written batch are sent again although the peer has them."""
    monkeypatch.setattr(triomq._writer, "bisect_right", lambda ends, written: 0)


def lose_what_is_half_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a reconnect, the rest of a half-written message is left out of account: the next follows in its middle."""
    without = triomq._writer._without
    monkeypatch.setattr(triomq._writer, "_without", lambda buffers, count: without(buffers, count + 1))


def lose_a_wake_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of fifty times that a full queue has room again, one time nobody is told."""
    room_made = SessionPipe.room_made
    times = count(1)

    def forgetful(self: SessionPipe) -> None:
        if self.blocked and next(times) % 50 == 0:
            self.blocked = False
        else:
            room_made(self)

    monkeypatch.setattr(SessionPipe, "room_made", forgetful)


def forget_to_resubscribe(monkeypatch: pytest.MonkeyPatch) -> None:
    """A publisher is told the subscriptions when it is first met, and not when it comes back."""
    met = set()
    peer_ready = triomq.SUB._peer_ready

    def once(self: triomq.SUB, pipe) -> None:
        if pipe not in met:
            met.add(pipe)
            peer_ready(self, pipe)

    monkeypatch.setattr(triomq.SUB, "_peer_ready", once)


@pytest.mark.parametrize(
    ("bug", "scenario"),
    [
        (send_all_again, "resets"),
        (lose_what_is_half_written, "resets"),
        (lose_a_wake_up, "resets"),
        (forget_to_resubscribe, "subscriptions"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_planted_bug_is_found(monkeypatch: pytest.MonkeyPatch, bug, scenario: str) -> None:
    with monkeypatch.context() as patch:
        bug(patch)
        assert sweep(SCENARIOS[scenario]) is not None


def test_without_a_bug_nothing_is_found() -> None:
    assert [sweep(scenario, seeds=3) for scenario in SCENARIOS.values()] == [None] * len(SCENARIOS)
