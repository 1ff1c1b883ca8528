"""REQ, REP, ROUTER and DEALER under faults: the reply belongs to its request, and who retries succeeds."""

from __future__ import annotations

import pytest
import trio

import triomq

pytestmark = pytest.mark.virtual_seeds(4)


async def echo(ctx: triomq.Context) -> None:
    rep = ctx.socket(triomq.REP)
    await rep.bind("tcp://*:5555")
    while True:
        await rep.send([b"reply", *await rep.receive()])


async def ask_until_answered(req: triomq.REQ, word: bytes, patience: float) -> triomq.Message:
    while True:
        with trio.move_on_after(patience):
            return await req.request(word)


@pytest.mark.parametrize("how", ["power", "process"])
async def test_a_client_that_retries_gets_the_reply_to_its_own_request(net, rough, dice, how) -> None:
    rough("client", "server")
    async with trio.open_nursery() as nursery, net.open_context("client") as ctx:
        nursery.start_soon(net.run_on, "server", echo)

        async def trouble() -> None:
            for _ in range(5):
                await trio.sleep(dice.uniform(0, 5))
                net.crash("server", how=how)
                await trio.sleep(dice.uniform(0, 5))
                net.restart("server")

        nursery.start_soon(trouble)
        req = ctx.socket(triomq.REQ, reconnect_interval_max=0.5, linger=0)
        req.connect("tcp://server:5555")
        for number in range(60):
            word = b"%d" % number
            assert await ask_until_answered(req, word, dice.uniform(0.5, 3)) == (b"reply", word)
            await trio.sleep(dice.uniform(0, 1))
        nursery.cancel_scope.cancel()


async def test_a_late_reply_is_never_taken_for_another(net, dice) -> None:
    """Patience below the round trip: replies come when they are no longer wanted."""
    net.link("client", "server", latency=0.5, jitter=0.5)
    async with trio.open_nursery() as nursery, net.open_context("client") as ctx:
        nursery.start_soon(net.run_on, "server", echo)
        req = ctx.socket(triomq.REQ, linger=0)
        req.connect("tcp://server:5555")
        await req.wait_peers()
        answered = 0
        for number in range(100):
            with trio.move_on_after(dice.uniform(0.8, 2.5)):
                assert await req.request(b"%d" % number) == (b"reply", b"%d" % number)
                answered += 1
        assert 10 < answered < 100
        nursery.cancel_scope.cancel()


async def test_a_broker_whose_workers_crash_loses_no_job(net, rough, dice) -> None:
    """Clients retry under an id, workers come and go: each job is answered, by its own result, to its own client."""
    workers = [f"w{number}" for number in range(3)]
    rough("broker", "c0", "c1", *workers)
    results: dict[bytes, bytes] = {}

    async def broker(ctx: triomq.Context) -> None:
        frontend, backend = ctx.socket(triomq.ROUTER), ctx.socket(triomq.DEALER, immediate=True)
        await frontend.bind("tcp://*:5555")
        await backend.bind("tcp://*:6666")
        await triomq.proxy(frontend, backend)

    async def work(ctx: triomq.Context) -> None:
        rep = ctx.socket(triomq.REP, heartbeat_interval=1.0, reconnect_interval_max=1.0)
        rep.connect("tcp://broker:6666")
        while True:
            job = await rep.receive()
            await trio.sleep(0.1)
            await rep.send([job[0], job[0].upper()])

    async def client(ctx: triomq.Context, name: str) -> None:
        req = ctx.socket(triomq.REQ, linger=0, heartbeat_interval=1.0)
        req.connect("tcp://broker:5555")
        for number in range(25):
            job = f"{name}-{number}".encode()
            key, result = await ask_until_answered(req, job, 3.0)
            assert key == job
            assert job not in results
            results[job] = result

    async with trio.open_nursery() as services:
        services.start_soon(net.run_on, "broker", broker)
        for name in workers:
            services.start_soon(net.run_on, name, work)

        async def trouble() -> None:
            while True:
                await trio.sleep(dice.uniform(0, 5))
                name = dice.choice(workers)
                net.crash(name, how=dice.choice(["power", "process"]))
                await trio.sleep(dice.uniform(0, 5))
                net.restart(name)

        services.start_soon(trouble)
        async with trio.open_nursery() as clients:
            for name in "c0", "c1":
                clients.start_soon(net.run_on, name, client, name)
        services.cancel_scope.cancel()
    assert results == {
        f"{name}-{n}".encode(): f"{name}-{n}".upper().encode() for name in ("c0", "c1") for n in range(25)
    }


async def test_a_router_answers_a_dealer_that_came_back_under_its_name(net, dice) -> None:
    async with trio.open_nursery() as nursery, net.open_context("server") as ctx:
        router = ctx.socket(triomq.ROUTER, router_handover=True)
        await router.bind("tcp://*:5555")
        seen: list[bytes] = []

        async def serve() -> None:
            async for routing_id, *rest in router:
                seen.append(routing_id)
                await router.send([routing_id, *rest])

        async def client(ctx: triomq.Context) -> None:
            dealer = ctx.socket(triomq.DEALER, routing_id=b"me")
            dealer.connect("tcp://server:5555")
            number = 0
            while True:
                await dealer.send(b"%d" % number)
                assert bytes(await dealer.receive()) == b"%d" % number
                number += 1
                await trio.sleep(0.1)

        nursery.start_soon(serve)
        nursery.start_soon(net.run_on, "client", client)
        for _ in range(4):
            await trio.sleep(dice.uniform(1, 5))
            net.crash("client", how=dice.choice(["power", "process"]))
            await trio.sleep(dice.uniform(0, 2))
            net.restart("client")
            before = len(seen)
            await trio.sleep(5)
            assert len(seen) - before >= 40
        nursery.cancel_scope.cancel()
    assert set(seen) == {b"me"}
