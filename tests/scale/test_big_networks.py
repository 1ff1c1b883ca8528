"""Big networks in virtual time: what a partition or a crash in the middle does to a thousand hosts.

`python -m tests.scale` runs the same networks, and draws the pictures of docs/explanation/scale.md.
"""

from __future__ import annotations

import pytest

from .brokering import Broker
from .fleet import Fault, Plan, most_at_once
from .publishing import Tree
from .simulation import SHAPES, Outcome, Shape, simulate

SIZES = [pytest.param(100, marks=pytest.mark.slow), pytest.param(1000, marks=pytest.mark.soak)]


@pytest.mark.parametrize("hosts", SIZES)
@pytest.mark.parametrize("fault", ["partition", "restart", pytest.param("none", marks=pytest.mark.soak)])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_fault_in_the_middle(shape: Shape, fault: Fault, hosts: int) -> None:
    """A run takes seconds: all is claimed of one run, and of the same without jitter."""
    ran = simulate(shape, Plan(hosts=hosts, fault=fault))
    every_message_that_can_survive_has_arrived_once(ran)
    if fault != "none":
        all_are_back_within_the_bound_of_the_back_off(ran)
    if (fault == "restart" and shape == "broker") or fault == "partition":
        they_do_not_come_back_in_a_storm(ran, simulate(shape, Plan(hosts=hosts, fault=fault, jitter=False)))
    if fault == "partition" and shape == "tree" and hosts == 100:  # of more, some are back too late for a message
        subscriptions_are_restored_through_both_levels(ran)


def every_message_that_can_survive_has_arrived_once(ran: Outcome) -> None:
    """What is lost was on its way when the fault came, or written to a connection that nobody knew to be dead."""
    assert ran.faults == []
    assert ran.deliveries > 20 * ran.plan.hosts
    assert ran.left == []


def all_are_back_within_the_bound_of_the_back_off(ran: Outcome) -> None:
    shape, fault, hosts = ran.shape, ran.plan.fault, ran.plan.hosts
    dialling = ran.hosts - 1  # all but the publisher, or the broker
    if isinstance(ran.fleet, Broker):
        dialling -= len(ran.fleet.workers)  # who keep no diary
    crashed = int(shape == "tree" and fault == "restart")  # the one that dials too, and whose diary has no end
    assert len(ran.diary.ready) - len(ran.diary.lost) - crashed == dialling
    hit = {("tree", "restart"): hosts // 125 or 1, ("broker", "restart"): hosts}.get((shape, fault), hosts // 2)
    assert len(ran.lost) >= hit
    assert max(ran.diary.ready) <= ran.plan.reconnected


def they_do_not_come_back_in_a_storm(with_jitter: Outcome, without: Outcome) -> None:
    """In no second comes more than a small part of them; without jitter many times as many would."""
    hosts = with_jitter.plan.hosts
    peak, storm = (most_at_once(ran.returned) for ran in (with_jitter, without))
    assert len(with_jitter.returned) == len(without.returned)
    # The fewer they are, the more chance has a say in the worst second.
    part, factor = (1 / 3, 1.5) if hosts < 1000 else (1 / 8, 3)
    assert peak <= len(with_jitter.returned) * part
    assert storm >= factor * peak
    if with_jitter.plan.fault == "restart":
        assert storm == hosts >= 5 * peak
    assert without.faults == without.left == []  # it is a storm, but it loses nothing


def subscriptions_are_restored_through_both_levels(ran: Outcome) -> None:
    """Of subscribers whose own connection was never cut, but that of a proxy above them was."""
    tree = ran.fleet
    assert isinstance(tree, Tree)
    behind = [leaf for leaf in tree.leaves if tree.is_cut(leaf) and len({leaf, tree.above[leaf]} & tree.far) != 1]
    upper = [leaf for leaf in behind if len({tree.above[leaf], tree.above[tree.above[leaf]]} & tree.far) == 1]
    assert upper
    assert set(behind) - set(upper)  # the publisher lost a proxy of the upper level, too
    for leaf in behind:
        team = {number for topic, number, _ in tree.seen[leaf] if topic == tree.topics[leaf][1]}
        published = {number for (topic, number), _ in tree.published.items() if topic == tree.topics[leaf][1]}
        assert 0 < len(published - team) < len(published)
        assert max(published) in team


@pytest.mark.slow
def test_the_default_time_limit_keeps_nobody_in_step() -> None:
    """Their heartbeats are in step, their attempts fail together after 30 s; they shall not be repeated together."""
    ran = simulate("broker", Plan(hosts=100, start=0.1, connect_timeout=30.0, after=65.0))
    assert len(ran.returned) == 50
    assert most_at_once(ran.returned) <= 20
    assert ran.faults == []


def test_the_same_seed_gives_the_same_run() -> None:
    plan = Plan(hosts=40, before=10.0, away=20.0, after=10.0)
    for shape in SHAPES:
        assert simulate(shape, plan).digest == simulate(shape, plan).digest


SHORT = Plan(hosts=12, fault="none", before=10.0, away=1.0, after=5.0)


def test_the_look_at_a_tree_has_teeth() -> None:
    tree = simulate("tree", SHORT).fleet
    assert isinstance(tree, Tree)
    seen = tree.seen["leaf-3"]
    assert tree.faults() == []
    last = seen.pop()
    assert [fault.split(",")[0] for fault in tree.faults()] == [f"leaf-3 never got ('{last[0]}'"]
    seen += [last, last]
    assert len(tree.faults()) == 1
    seen[-1] = ("team-9", 1, last[2])
    assert tree.faults() == ["leaf-3 never asked for team-9"]
    seen.pop()
    seen.reverse()
    assert "leaf-3 has all out of order" in tree.faults()


def test_the_look_at_a_broker_has_teeth() -> None:
    broker = simulate("broker", SHORT).fleet
    assert isinstance(broker, Broker)
    assert broker.faults() == []
    broker.worked.append(broker.worked[0])
    broker.answered.append(broker.answered[0])
    assert len(broker.faults()) == 2
    del broker.worked[-1]
    request = broker.answered.pop()[0]
    broker.answered.append((b"client-1 1000", 1.0))
    assert broker.faults() == ["nobody asked: b'client-1 1000'"]
    broker.answered = [(reply, time) for reply, time in broker.answered if reply in broker.asked and reply != request]
    assert [fault.split(",")[0] for fault in broker.faults()] == [f"never answered: {request!r}"]
