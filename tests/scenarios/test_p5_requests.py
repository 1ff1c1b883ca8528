"""Promise 5 for requests: the reply belongs to its request, and who retries succeeds."""

from __future__ import annotations

import pytest
import trio

import triomq

from .actors import ask_until_answered, echo
from .promises import promise
from .weather import storm

pytestmark = pytest.mark.virtual_seeds(4)


@promise(5, 1)
@pytest.mark.parametrize("how", ["power", "process"])
async def test_a_client_that_retries_gets_the_reply_to_its_own_request(net, rough, dice, how) -> None:
    rough("client", "server")
    async with trio.open_nursery() as nursery, net.open_context("client") as ctx:
        nursery.start_soon(net.run_on, "server", echo)
        nursery.start_soon(lambda: storm(net, dice, "client", "server", faults=[how], times=5))
        req = ctx.socket(triomq.REQ, reconnect_interval_max=0.5, linger=0)
        req.connect("tcp://server:5555")
        for one in range(60):
            word = b"%d" % one
            assert await ask_until_answered(req, word, dice.uniform(0.5, 3)) == (b"reply", word)
            await trio.sleep(dice.uniform(0, 1))
        nursery.cancel_scope.cancel()


@promise(5, 2)
async def test_a_late_reply_is_never_taken_for_another(net, dice) -> None:
    """Patience below the round trip: replies come when they are no longer wanted."""
    net.link("client", "server", latency=0.5, jitter=0.5)
    async with trio.open_nursery() as nursery, net.open_context("client") as ctx:
        nursery.start_soon(net.run_on, "server", echo)
        req = ctx.socket(triomq.REQ, linger=0)
        req.connect("tcp://server:5555")
        await req.wait_peers()
        answered = 0
        for one in range(100):
            with trio.move_on_after(dice.uniform(0.8, 2.5)):
                assert await req.request(b"%d" % one) == (b"reply", b"%d" % one)
                answered += 1
        assert 10 < answered < 100
        nursery.cancel_scope.cancel()


@promise(5, 2)
@pytest.mark.parametrize("correlate", [False, True])
async def test_a_relaxed_client_that_asks_anew_gets_the_reply_to_the_last(net, rough, dice, correlate) -> None:
    """send() upon send(): of several requests only the last one's reply is received, whatever is cut meanwhile."""
    rough("client", "server")
    async with trio.open_nursery() as nursery, net.open_context("client") as ctx:
        nursery.start_soon(net.run_on, "server", echo)
        faults = ["reset", "process", "partition", "pause"]
        nursery.start_soon(lambda: storm(net, dice, "client", "server", faults=faults, times=6))
        req = ctx.socket(triomq.REQ, req_relaxed=True, req_correlate=correlate, reconnect_interval_max=0.5, linger=0)
        req.connect("tcp://server:5555")
        for one in range(40):
            word = b""
            while True:
                for again in range(dice.randrange(1, 4)):
                    word = b"%d.%d" % (one, again)
                    with trio.move_on_after(2):
                        await req.send(word)
                    await trio.sleep(dice.choice([0, 0.1]))
                with trio.move_on_after(2):
                    assert await req.receive() == (b"reply", word)
                    break
            await trio.sleep(dice.uniform(0, 0.5))
        nursery.cancel_scope.cancel()


@promise(5, 3)
async def test_a_broker_whose_workers_crash_loses_no_job(net, rough, dice) -> None:
    """Clients retry under an id, workers come and go: each job is answered, by its own result, to its own client."""
    workers = [f"w{one}" for one in range(3)]
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
        for one in range(15):
            job = f"{name}-{one}".encode()
            key, result = await ask_until_answered(req, job, 3.0)
            assert key == job
            assert job not in results
            results[job] = result

    async with trio.open_nursery() as services:
        services.start_soon(net.run_on, "broker", broker)
        for name in workers:
            services.start_soon(net.run_on, name, work)
        services.start_soon(lambda: storm(net, dice, "broker", workers, faults=["power", "process"], times=1_000))
        async with trio.open_nursery() as clients:
            for name in "c0", "c1":
                clients.start_soon(net.run_on, name, client, name)
        services.cancel_scope.cancel()
    assert results == {
        f"{name}-{one}".encode(): f"{name}-{one}".upper().encode() for name in ("c0", "c1") for one in range(15)
    }


@promise(5, 3)
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
            one = 0
            while True:
                await dealer.send(b"%d" % one)
                assert bytes(await dealer.receive()) == b"%d" % one
                one += 1
                await trio.sleep(0.3)

        nursery.start_soon(serve)
        nursery.start_soon(net.run_on, "client", client)
        for _ in range(4):
            await trio.sleep(dice.uniform(1, 5))
            net.crash("client", how=dice.choice(["power", "process"]))
            await trio.sleep(dice.uniform(0, 2))
            net.restart("client")
            before = len(seen)
            await trio.sleep(5)
            assert len(seen) - before >= 14
        nursery.cancel_scope.cancel()
    assert set(seen) == {b"me"}


@promise(5, 4)
async def test_without_handover_the_old_connection_keeps_its_name_until_it_is_gone(net, rough, dice) -> None:
    """A restarted client waits for its place; heartbeats free it, and nothing it sent meanwhile is lost."""
    rough("server", "client")
    received: list[bytes] = []
    starts = 0

    async def client(ctx: triomq.Context) -> None:
        nonlocal starts
        starts += 1
        life = starts
        dealer = ctx.socket(triomq.DEALER, routing_id=b"me")
        dealer.connect("tcp://server:5555")
        for one in range(10):
            await dealer.send(b"%d.%d" % (life, one))
        await trio.sleep_forever()

    async with trio.open_nursery() as nursery, net.open_context("server") as ctx:
        router = ctx.socket(triomq.ROUTER, heartbeat_interval=3.0)
        monitor = router.monitor()
        await router.bind("tcp://*:5555")

        async def serve() -> None:
            async for routing_id, message in router:
                assert routing_id == b"me"
                received.append(message)

        nursery.start_soon(serve)
        nursery.start_soon(net.run_on, "client", client)
        await trio.sleep(10)
        for _ in range(3):
            net.crash("client", how="power")
            await trio.sleep(dice.uniform(0, 3))
            net.restart("client")
            await trio.sleep(30)
            assert len(router.peers) == 1
        nursery.cancel_scope.cancel()
    assert received == [b"%d.%d" % (life, one) for life in range(1, 5) for one in range(10)]
    events = []
    while True:
        try:
            events.append(monitor.receive_nowait())
        except trio.EndOfChannel:
            break
    for event in events:
        if isinstance(event, triomq.HandshakeFailed):
            assert isinstance(event.error, triomq.PeerUnwantedError)
    assert sum(isinstance(event, triomq.HandshakeSucceeded) for event in events) == 4
