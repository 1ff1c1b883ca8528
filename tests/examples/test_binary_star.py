"""Binary star in virtual time: one server answers at a time, and clients are served while one of the two lives."""

from __future__ import annotations

import random
from functools import partial

import bstar
import bstarcli
import bstarsrv
import pytest
import trio
from bstar import FATAL, TRANSITIONS, BinaryStar, State

from .trouble import kill, lose_power

SERVERS = ["tcp://primary:5001", "tcp://backup:5001"]
PEER = {"primary": "backup", "backup": "primary"}


async def serve(ctx, host: str) -> None:
    peer = f"tcp://{PEER[host]}:5003"
    await bstarsrv.serve(ctx, "tcp://*:5001", "tcp://*:5003", peer, primary=host == "primary")


@pytest.fixture
def start(virtual_network, nursery):
    """Start the servers: each begins again when its host is switched on again."""

    def start(*hosts: str) -> None:
        for host in hosts:
            nursery.start_soon(virtual_network.run_on, host, partial(serve, host=host))

    return start


@pytest.fixture
def states(capsys):
    """What the servers have become since this was asked last."""
    return lambda: [line for line in capsys.readouterr().out.splitlines() if "becomes" in line]


def test_the_table_leaves_no_meeting_out() -> None:
    stays = {
        (State.PRIMARY, State.PRIMARY), (State.BACKUP, State.BACKUP),  # a mistake of who started them
        (State.PRIMARY, State.PASSIVE), (State.BACKUP, State.PASSIVE),  # the peer becomes active, and says so
        (State.BACKUP, State.PRIMARY), (State.ACTIVE, State.PRIMARY), (State.ACTIVE, State.BACKUP),  # likewise
        (State.ACTIVE, State.PASSIVE), (State.PASSIVE, State.ACTIVE),  # as it should be
    }  # fmt: skip
    assert {*TRANSITIONS, *FATAL, *stays} == {(mine, peers) for mine in State for peers in State}
    assert len(TRANSITIONS) + len(FATAL) + len(stays) == 16


async def test_the_primary_becomes_active(virtual_network, triomq_context, start, states) -> None:
    start("primary", "backup")
    await bstarcli.count(triomq_context, SERVERS, 3)
    assert states() == ["PRIMARY becomes ACTIVE", "BACKUP becomes PASSIVE"]


async def test_the_primary_alone_answers_when_it_is_sure_to_be_alone(virtual_network, triomq_context, start) -> None:
    start("primary")
    begin = trio.current_time()
    await bstarcli.count(triomq_context, SERVERS[:1], 1, pause=0)
    assert trio.current_time() - begin >= bstar.SILENCE


async def test_the_backup_alone_answers_nobody(virtual_network, triomq_context, start) -> None:
    start("backup")
    with trio.move_on_after(100) as scope:
        await bstarcli.count(triomq_context, SERVERS, 1)
    assert scope.cancelled_caught


@pytest.mark.parametrize("how", ["process", "power"])
async def test_the_backup_takes_over_and_keeps_it(virtual_network, triomq_context, start, states, how) -> None:
    net = virtual_network
    start("primary", "backup")
    await trio.sleep(3)
    states()
    net.crash("primary", how=how)
    begin = trio.current_time()
    await bstarcli.count(triomq_context, SERVERS, 1, pause=0)
    assert trio.current_time() - begin < 5
    assert states() == ["PASSIVE becomes ACTIVE"]
    net.restart("primary")
    await trio.sleep(3)
    assert states() == ["PRIMARY becomes PASSIVE"]
    net.crash("backup", how=how)
    await bstarcli.count(triomq_context, SERVERS, 1)
    assert states() == ["PASSIVE becomes ACTIVE"]


async def test_a_cut_cable_between_the_servers_changes_nothing(virtual_network, triomq_context, start, states) -> None:
    start("primary", "backup")
    await trio.sleep(3)
    states()
    virtual_network.partition("primary", "backup")
    await bstarcli.count(triomq_context, SERVERS, 100)
    virtual_network.heal()
    await bstarcli.count(triomq_context, SERVERS, 100)
    assert states() == []


@pytest.mark.virtual_seeds(10)
async def test_one_of_the_two_crashes_at_a_time(virtual_network, triomq_context, triomq_seed, start) -> None:
    """Clients are served all the time, but for some seconds each time."""
    dice = random.Random(triomq_seed)
    start("primary", "backup")

    async def crash_in_turns() -> None:
        while True:
            await trio.sleep(dice.uniform(5, 30))  # the two find each other again
            fault, host = dice.choice([kill, lose_power]), dice.choice(["primary", "backup"])
            await fault(virtual_network, host, dice.uniform(0.1, 20))

    async with trio.open_nursery() as crashes:
        crashes.start_soon(crash_in_turns)
        await bstarcli.count(triomq_context, SERVERS, 60)
        crashes.cancel_scope.cancel()


async def test_who_slept_while_the_other_took_over_is_noticed(virtual_network, triomq_context) -> None:
    """Both end: whoever started them starts them again, and then the primary is active."""
    net, ended = virtual_network, []

    async def supervise(ctx, host: str) -> None:
        while True:
            try:
                await serve(ctx, host)
            except* bstar.SplitBrainError:
                ended.append(host)

    async with trio.open_nursery() as nursery:
        for host in PEER:
            nursery.start_soon(net.run_on, host, partial(supervise, host=host))
        await trio.sleep(3)
        net.pause("primary")
        await bstarcli.count(triomq_context, SERVERS, 3)
        net.resume("primary")
        await bstarcli.count(triomq_context, SERVERS, 30)
        assert sorted(ended) == ["backup", "primary"]
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("primary", [True, False])
async def test_a_request_decides_nothing_while_the_peer_may_live(virtual_network, primary) -> None:
    star = BinaryStar(primary=primary)
    assert not star.accept()
    await trio.sleep(bstar.SILENCE)
    assert star.accept() is primary
