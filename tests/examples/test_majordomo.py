"""Majordomo in virtual time: services by name, and what happens to brokers and workers."""

from __future__ import annotations

from functools import partial

import mdbroker
import mdclient
import mdp
import pytest
import trio
from mdp import CLIENT, WORKER, Command

import triomq

from .trouble import trouble

BROKER = "tcp://broker:5555"


async def work(ctx, service: bytes = b"echo", seconds: float = 0.1, name: bytes = b"") -> None:
    async def handle(body: mdp.Body) -> mdp.Body:
        await trio.sleep(seconds)
        return [*body, name] if name else body

    await mdp.work(ctx, BROKER, service, handle)


@pytest.fixture
async def net(virtual_network, nursery):
    nursery.start_soon(virtual_network.run_on, "broker", mdbroker.broker, "tcp://*:5555")
    await virtual_network.happens("listening")
    return virtual_network


@pytest.fixture
def client(net, triomq_context) -> triomq.REQ:
    return mdp.connect(triomq_context, BROKER)


@pytest.mark.virtual_seeds(10)
async def test_clients_get_their_replies_whatever_happens(net, triomq_context, triomq_seed, nursery) -> None:
    hosts = ["broker", "one", "two", "three"]
    for host in hosts[1:]:
        nursery.start_soon(net.run_on, host, work)
    nursery.start_soon(trouble, net, triomq_seed, hosts, 5)
    client = mdp.connect(triomq_context, BROKER)
    for number in range(50):
        assert await mdp.ask(client, b"echo", [b"%d" % number, b""], 2, tries=50) == [b"%d" % number, b""]


async def test_each_service_has_its_workers(net, client, nursery) -> None:
    for service in (b"tea", b"coffee"):
        nursery.start_soon(net.run_on, service.decode(), partial(work, service=service, name=service))
    for service in (b"tea", b"coffee", b"tea"):
        assert await mdp.ask(client, service, [b"?"]) == [b"?", service]


async def test_many_at_once(net, triomq_context, nursery) -> None:
    for host in ("one", "two", "three"):
        nursery.start_soon(net.run_on, host, partial(work, seconds=1.0))
    await trio.sleep(1)
    start = trio.current_time()
    async with trio.open_nursery() as clients:
        for _ in range(3):
            clients.start_soon(mdclient.ask_often, triomq_context, BROKER, b"echo", 10)
    assert trio.current_time() - start == pytest.approx(10, abs=0.5)  # of thirty: they work side by side


async def test_requests_wait_for_the_first_worker(net, client, nursery) -> None:
    async def come_late() -> None:
        await trio.sleep(60)
        await net.run_on("late", work)

    nursery.start_soon(come_late)
    assert await mdp.ask(client, b"echo", [b"?"], seconds=100, tries=1) == [b"?"]
    assert trio.current_time() == pytest.approx(60, abs=1)


async def test_the_broker_tells_whether_there_are_workers(net, client, nursery) -> None:
    assert await mdp.ask(client, b"mmi.service", [b"echo"]) == [b"404"]
    assert await mdp.ask(client, b"mmi.else", [b"echo"]) == [b"501"]
    nursery.start_soon(net.run_on, "one", partial(work, seconds=30))
    await trio.sleep(1)
    assert await mdp.ask(client, b"mmi.service", [b"echo"]) == [b"200"]
    with trio.move_on_after(5):
        await mdp.ask(client, b"echo", [b"?"], seconds=5)
    assert await mdp.ask(client, b"mmi.service", [b"echo"]) == [b"200"]  # busy, but there
    net.crash("one", how="process")
    await trio.sleep(mdp.INTERVAL)
    assert await mdp.ask(client, b"mmi.service", [b"echo"]) == [b"404"]


async def test_a_worker_without_power_is_forgotten_when_its_heartbeats_stop(net, client, nursery) -> None:
    nursery.start_soon(net.run_on, "dead", partial(work, name=b"dead"))
    await trio.sleep(1)
    nursery.start_soon(net.run_on, "alive", partial(work, name=b"alive"))
    await trio.sleep(1)
    net.crash("dead")
    await trio.sleep(mdp.INTERVAL * (mdp.LIVENESS + 1))
    for _ in range(3):
        assert await mdp.ask(client, b"echo", [b"?"], 1, tries=1) == [b"?", b"alive"]


async def test_a_worker_that_works_for_a_minute_is_kept(net, client, nursery) -> None:
    nursery.start_soon(net.run_on, "one", partial(work, seconds=60))
    for _ in range(2):
        assert await mdp.ask(client, b"echo", [b"?"], seconds=61, tries=1) == [b"?"]


@pytest.mark.parametrize("how", ["process", "power"])
async def test_workers_come_back_to_a_broker_that_forgot_them(net, client, nursery, how) -> None:
    nursery.start_soon(net.run_on, "one", work)
    assert await mdp.ask(client, b"echo", [b"?"]) == [b"?"]
    net.crash("broker", how=how)
    await trio.sleep(20)
    net.restart("broker")
    start = trio.current_time()
    assert await mdp.ask(client, b"echo", [b"?"], seconds=60) == [b"?"]
    assert trio.current_time() - start < mdp.INTERVAL * (mdp.LIVENESS + 1)


# -- the broker, octet by octet ----------------------------------------------------------------------


@pytest.fixture
async def worker(net, triomq_context) -> triomq.DEALER:
    """A worker by hand."""
    worker = triomq_context.socket(triomq.DEALER)
    worker.connect(BROKER)
    return worker


@pytest.mark.parametrize(
    "said",
    [
        [Command.HEARTBEAT],  # before READY
        [Command.REPLY, b"client", b"", b"an answer"],
        [Command.READY],  # for no service
        [Command.READY, b"mmi.service"],  # reserved
        [b"\x09"],
        [Command.REPLY, b"client"],
    ],
)
async def test_who_speaks_out_of_turn_may_register_again(worker, said) -> None:
    await worker.send([b"", WORKER, *said])
    assert await worker.receive() == (b"", WORKER, Command.DISCONNECT)
    await worker.send([b"", WORKER, Command.READY, b"echo"])
    assert await worker.receive() == (b"", WORKER, Command.HEARTBEAT)


async def test_who_registers_twice_begins_anew(worker) -> None:
    await worker.send([b"", WORKER, Command.READY, b"echo"])
    await worker.send([b"", WORKER, Command.READY, b"echo"])
    assert await worker.receive() == (b"", WORKER, Command.DISCONNECT)


async def test_a_worker_that_leaves_gets_nothing_more(worker, client) -> None:
    await worker.send([b"", WORKER, Command.READY, b"echo"])
    await worker.send([b"", WORKER, Command.DISCONNECT])
    with pytest.raises(trio.TooSlowError):
        await mdp.ask(client, b"echo", [b"?"])
    with pytest.raises(trio.WouldBlock):
        worker.receive_nowait()


@pytest.mark.parametrize(
    "nonsense", [[b""], [b"x"], [b"", CLIENT], [b"", WORKER], [b"", b"else", b"echo", b"?"], [b"", CLIENT, b"mmi."]]
)
async def test_nonsense_ends_nothing(net, worker, client, nursery, nonsense) -> None:
    nursery.start_soon(net.run_on, "one", work)
    await worker.send(nonsense)
    assert await mdp.ask(client, b"echo", [b"?"]) == [b"?"]


async def test_no_more_requests_wait_than_a_broker_can_hold(net, worker, triomq_context) -> None:
    asking = triomq_context.socket(triomq.DEALER, send_hwm=0)
    asking.connect(BROKER)
    for number in range(mdbroker.MOST_WAITING + 10):
        await asking.send([b"", CLIENT, b"echo", b"%d" % number])
    await trio.sleep(1)
    await worker.send([b"", WORKER, Command.READY, b"echo"])
    assert (await worker.receive())[-1] == b"10"  # the oldest ten made way
