"""Freelance in virtual time: clients are served while one of the servers lives."""

from __future__ import annotations

import random

import flclient1
import flclient2
import flclient3
import flserver1
import flserver2
import flserver3
import pytest
import trio

import triomq

from .trouble import trouble

HOSTS = ["one", "two", "three"]
SERVERS = [f"tcp://{host}:5555" for host in HOSTS]


@pytest.fixture
def start(virtual_network, nursery):
    """Start servers of a model; those of the second and third answer with their host's name."""

    def start(model: int, *hosts: str) -> None:
        for host in hosts:
            server = {
                1: (flserver1.serve, "tcp://*:5555"),
                2: (flserver2.serve, "tcp://*:5555", host.encode()),
                3: (flserver3.serve, "tcp://*:5555", f"tcp://{host}:5555", host.encode()),
            }[model]
            nursery.start_soon(virtual_network.run_on, host, *server)

    return start


@pytest.fixture
def freelance(triomq_context, nursery) -> flclient3.Freelance:
    freelance = flclient3.Freelance(triomq_context, SERVERS)
    nursery.start_soon(freelance.run)
    return freelance


# -- the first model ---------------------------------------------------------------------------------


async def test_the_first_server_that_lives_answers(virtual_network, triomq_context, start) -> None:
    start(1, "three")
    begin = trio.current_time()
    assert bytes(await flclient1.ask(triomq_context, SERVERS, b"?")) == b"?"
    assert trio.current_time() - begin == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize(("servers", "seconds"), [(SERVERS, 3), (SERVERS[:1], 3)])
async def test_when_nobody_answers_that_is_said(virtual_network, triomq_context, servers, seconds) -> None:
    begin = trio.current_time()
    with pytest.raises(trio.TooSlowError, match="none of tcp://one"):
        await flclient1.ask(triomq_context, servers, b"?")
    assert trio.current_time() - begin == pytest.approx(seconds)


# -- the second model --------------------------------------------------------------------------------


async def test_a_dead_server_costs_nothing(virtual_network, triomq_context, start) -> None:
    start(2, *HOSTS)
    servers = flclient2.Freelance(triomq_context, SERVERS)
    await servers.ask(b"?")
    virtual_network.crash("one")
    virtual_network.crash("two", how="process")
    begin = trio.current_time()
    for _ in range(100):
        assert await servers.ask(b"?") == b"three"
    assert trio.current_time() - begin < 1


async def test_the_quickest_server_answers(virtual_network, triomq_context, start) -> None:
    start(2, *HOSTS)
    virtual_network.link("localhost", "one", latency=0.1)
    virtual_network.link("localhost", "three", latency=0.2)
    servers = flclient2.Freelance(triomq_context, SERVERS)
    await trio.sleep(2)
    for _ in range(20):
        assert await servers.ask(b"?") == b"two"


async def test_when_all_are_dead_that_is_said_in_time(virtual_network, triomq_context) -> None:
    servers = flclient2.Freelance(triomq_context, SERVERS)
    with pytest.raises(trio.TooSlowError):
        await servers.ask(b"?", seconds=2.5)
    assert trio.current_time() == pytest.approx(2.5)


@pytest.mark.virtual_seeds(10)
async def test_the_second_model_serves_while_one_server_lives(
    virtual_network, triomq_context, triomq_seed, start, nursery
) -> None:
    start(2, *HOSTS)
    nursery.start_soon(trouble, virtual_network, triomq_seed, HOSTS[:2], 5)
    servers = flclient2.Freelance(triomq_context, SERVERS)
    for _ in range(100):
        await servers.ask(b"?")
        await trio.sleep(0.3)


# -- the third model ---------------------------------------------------------------------------------


async def test_servers_take_turns(start, freelance) -> None:
    start(3, *HOSTS)
    await trio.sleep(flclient3.PING + 1)
    answers = [await freelance.ask(b"?") for _ in range(30)]
    assert {answers.count([host.encode()]) for host in HOSTS} == {10}


async def test_a_dead_server_is_asked_for_six_seconds_at_most(virtual_network, start, freelance) -> None:
    start(3, *HOSTS)
    await trio.sleep(flclient3.PING + 1)
    virtual_network.crash("one")
    await trio.sleep(flclient3.TTL)
    begin = trio.current_time()
    answers = {(await freelance.ask(b"?"))[0] for _ in range(30)}
    assert answers == {b"two", b"three"}
    assert trio.current_time() - begin < 0.5
    virtual_network.restart("one")
    await trio.sleep(2 * flclient3.PING + 1)
    assert {(await freelance.ask(b"?"))[0] for _ in range(30)} == {b"one", b"two", b"three"}


async def test_a_request_waits_for_the_first_server(virtual_network, start, freelance) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(freelance.ask, b"?")
        await trio.sleep(100)
        assert nursery.child_tasks
        start(3, "two")
    assert trio.current_time() < 110


async def test_a_request_that_was_cancelled_leaves_nothing(virtual_network, start, freelance) -> None:
    start(3, *HOSTS)
    await trio.sleep(flclient3.PING + 1)
    for host in HOSTS:
        virtual_network.pause(host)
    with trio.move_on_after(3):
        await freelance.ask(b"?")
    assert freelance._waiting == {}
    for host in HOSTS:
        virtual_network.resume(host)
    await trio.sleep(1)  # the late answers come
    assert len(await freelance.ask(b"?")) == 1


@pytest.mark.virtual_seeds(10)
async def test_the_third_model_serves_many_at_once(virtual_network, triomq_seed, start, freelance, nursery) -> None:
    """Whatever happens to the servers, all of them: in the end each request has been answered."""
    start(3, *HOSTS)
    nursery.start_soon(trouble, virtual_network, triomq_seed, HOSTS, 5)
    dice = random.Random(triomq_seed)

    async def ask() -> None:
        for _ in range(20):
            await freelance.ask(b"?")
            await trio.sleep(dice.uniform(0, 2))

    async with trio.open_nursery() as asking:
        for _ in range(10):
            asking.start_soon(ask)


async def test_a_stranger_is_no_server(virtual_network, triomq_context, start, freelance) -> None:
    """It was not connected to, so it cannot be asked."""
    async with virtual_network.open_context("one") as ctx:
        stranger = ctx.socket(triomq.ROUTER, routing_id=b"somebody else")
        await stranger.bind("tcp://*:5555")
        await trio.sleep(5)
        assert b"somebody else" not in freelance._expiry
        start(3, "two")
        assert await freelance.ask(b"?") == [b"two"]
