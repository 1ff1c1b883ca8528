"""Every example, as processes, with its partners: it prints what the guide says, and ends when it shall."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections import Counter
from pathlib import Path

import pytest
import trio

import triomq

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
ENDPOINT_ARGUMENTS = {
    "hwserver": 1, "interrupt": 1, "mtserver": 1, "msgqueue": 2, "rrbroker": 2, "wuserver": 1, "psenvpub": 1,
    "rrworker": 1, "wuproxy": 2, "msreader": 2, "mspoller": 2, "taskwork2": 3, "psenvsub": 1, "wuclient": 1,
    "hwclient": 1, "rrclient": 1, "syncsub": 2, "syncpub": 2, "taskvent": 2, "tasksink2": 2,
}  # fmt: skip

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def bounded() -> trio.CancelScope:
    """No example may take longer; a test enters it."""
    return trio.fail_after(90)


async def test_hello_world(start, endpoints, bounded) -> None:
    with bounded:
        (endpoint,) = endpoints(1)
        client = await start("hwclient", endpoint)  # before its server: the request waits
        server = await start("hwserver", endpoint)
        assert await client.ended() == [f"Received World {number}" for number in range(1, 11)]
        assert await server.interrupted() == ["Received Hello"] * 10


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_interrupt(start, endpoints, bounded, number) -> None:
    with bounded:
        (endpoint,) = endpoints(1)
        server = await start("interrupt", endpoint)
        client = await start("hwclient", endpoint, 3)
        assert len(await client.ended()) == 3
        assert await server.interrupted(number) == [
            f"Serving {endpoint}",
            f"{number.name} received after 3 requests, closing down",
            "Everything is closed",
        ]


@pytest.mark.parametrize("broker_name", ["rrbroker", "msgqueue"])
async def test_request_reply_broker(start, endpoints, bounded, broker_name) -> None:
    with bounded:
        frontend, backend = endpoints(2)
        workers = [await start("rrworker", backend, 0) for _ in range(2)]
        clients = [await start("rrclient", frontend) for _ in range(2)]
        broker = await start(broker_name, frontend, backend)  # comes last: everybody waits for it
        for client in clients:
            assert await client.ended() == [f"Received reply {number} [World]" for number in range(10)]
        received = [line for worker in workers for line in await worker.interrupted()]
        assert received == ["Received request [Hello]"] * 20
        assert await broker.interrupted() == []


async def test_a_broker_shares_the_work_out(start, endpoints, bounded) -> None:
    with bounded:
        frontend, backend = endpoints(2)
        broker = await start("msgqueue", frontend, backend)
        workers = [await start("rrworker", backend, 0) for _ in range(2)]
        asked = await ask_until_all_work(frontend, workers)
        client = await start("rrclient", frontend, 30)
        await client.ended()
        counts = [len(await worker.interrupted()) for worker in workers]
        assert sum(counts) == asked + 30
        assert min(counts) >= 15, counts  # they have taken turns since both were there
        assert await broker.interrupted() == []


async def ask_until_all_work(frontend: str, workers: list) -> int:
    """Ask until each worker has had a request: all are connected then. Returns: how often."""
    asked = 0
    async with triomq.open_context() as ctx, trio.open_nursery() as asking:

        async def ask() -> None:
            nonlocal asked
            req = ctx.socket(triomq.REQ)
            req.connect(frontend)
            while not all(worker.output for worker in workers):
                asked += 1
                await req.request(b"Hello")

        asking.start_soon(ask)
        for worker in workers:
            await worker.printed("Received request")
    return asked


async def test_multithreaded_service(start, endpoints, bounded) -> None:
    with bounded:
        (endpoint,) = endpoints(1)
        server = await start("mtserver", endpoint, 0.2)
        clients = [await start("hwclient", endpoint, 4) for _ in range(5)]
        for client in clients:
            assert await client.ended() == [f"Received World {number}" for number in range(1, 5)]
        printed = Counter(await server.interrupted())
        assert sum(printed.values()) == 20
        assert set(printed) == {f"worker-{number} received request: [Hello]" for number in range(1, 6)}


async def test_multithreaded_relay(start, bounded) -> None:
    with bounded:
        relay = await start("mtrelay")
        assert await relay.ended() == [
            "Step 1 ready, signaling step 2",
            "Step 2 ready, signaling step 3",
            "Test successful!",
        ]


async def test_a_guest_of_asyncio(start, endpoints, bounded) -> None:
    with bounded:
        (endpoint,) = endpoints(1)
        server = await start("guestmode", endpoint, 4)
        client = await start("hwclient", endpoint, 4)
        assert await client.ended() == [f"Received World {number}" for number in range(1, 5)]
        assert await server.ended() == [
            "asyncio goes on",
            *["trio received Hello"] * 4,
            "trio answered 4 requests",
        ]


async def test_a_host_that_is_interrupted_ends_its_guest(start, endpoints, bounded) -> None:
    """asyncio raises the interrupt when trio is over: the port is free, and nothing was left open."""
    with bounded:
        (endpoint,) = endpoints(1)
        server = await start("guestmode", endpoint, 2)
        client = await start("hwclient", endpoint, 1)
        await client.ended()
        server.process.send_signal(signal.SIGINT)
        await server.printed("KeyboardInterrupt")
        assert await server.process.wait() != 0
        assert "Warning" not in server.output


async def test_the_pipeline_ends_when_the_batch_is_done(start, endpoints, bounded) -> None:
    with bounded:
        ventilator, sink, control = endpoints(3)
        workers = [await start("taskwork2", ventilator, sink, control) for _ in range(2)]
        vent = await start("taskvent", ventilator, sink, 25, 2)
        collector = await start("tasksink2", sink, control, 25, 2)
        cost = int(re.search(r"cost (\d+) ms", (await vent.ended())[-1])[1])
        dots, elapsed = await collector.ended()
        assert dots == ":.........:.........:...."
        milliseconds = int(re.fullmatch(r"Total elapsed time: (\d+) ms", elapsed)[1])
        assert cost / 2 <= milliseconds + 1  # two cannot be more than twice as fast as one
        done = [await worker.ended() for worker in workers]  # by themselves: they were told to
        assert [lines.pop() for lines in done] == ["KILL", "KILL"]
        assert sum(map(len, done)) == 25
        assert sum(int(line.rstrip(".")) for lines in done for line in lines) == cost
        assert all(done)


@pytest.mark.parametrize("reader_name", ["msreader", "mspoller"])
async def test_two_sources_in_one_program(start, endpoints, bounded, reader_name) -> None:
    with bounded:
        ventilator, weather, sink, control = endpoints(4)
        reader = await start(reader_name, ventilator, weather)
        server = await start("wuserver", weather, "10001-10500")
        vent = await start("taskvent", ventilator, sink, 10)
        collector = await start("tasksink2", sink, control, 10)  # only here to be told that the batch begins
        await vent.ended()
        await reader.printed("task ", 10)
        await reader.printed("weather ", 10)
        await server.interrupted()
        lines = await reader.interrupted()
        assert sum(bool(re.fullmatch(r"task \d+", line)) for line in lines) == 10
        assert all(re.fullmatch(r"task \d+|weather 10001 -?\d+ \d+", line) for line in lines)
        await collector.interrupted()


async def test_weather(start, endpoints, bounded) -> None:
    with bounded:
        (endpoint,) = endpoints(1)
        client = await start("wuclient", endpoint, "10003", 40)
        server = await start("wuserver", endpoint, "10001-10050")
        (line,) = await client.ended()
        assert re.fullmatch(r"Average temperature for zipcode 10003 was -?\d+F, in 40 updates", line)
        assert await server.interrupted() == []


async def test_weather_proxy(start, endpoints, bounded) -> None:
    with bounded:
        inner, outer = endpoints(2)
        clients = [await start("wuclient", outer, zipcode, 20) for zipcode in ("10001", "10050")]
        proxy = await start("wuproxy", inner, outer)
        server = await start("wuserver", inner, "10001-10050")
        for client in clients:
            assert "in 20 updates" in (await client.ended())[0]
        assert await proxy.interrupted() == []
        await server.interrupted()


async def test_synchronized_publisher(start, endpoints, bounded) -> None:
    with bounded:
        publisher, sync = endpoints(2)
        subscribers = [await start("syncsub", publisher, sync) for _ in range(3)]
        source = await start("syncpub", publisher, sync, 3, 20_000)
        assert await source.ended() == ["Waiting for subscribers", "Broadcasting messages"]
        for subscriber in subscribers:
            assert await subscriber.ended() == ["Received 20000 updates"]


@pytest.mark.soak
async def test_synchronized_publisher_as_in_the_guide(start, endpoints) -> None:
    with trio.fail_after(900):
        publisher, sync = endpoints(2)
        subscribers = [await start("syncsub", publisher, sync) for _ in range(10)]
        await (await start("syncpub", publisher, sync)).ended()
        for subscriber in subscribers:
            assert await subscriber.ended() == ["Received 1000000 updates"]


async def test_a_synchronized_subscriber_reports_when_its_subscription_is_in_force(start, endpoints, bounded) -> None:
    """The guide's own publisher counts reports, and knows nothing of subscriptions."""
    with bounded:
        publisher, sync = endpoints(2)
        async with triomq.open_context() as ctx, ctx.socket(triomq.REP, bind=sync) as rep:
            subscribers = [await start("syncsub", publisher, sync) for _ in range(2)]
            await rep.wait_peers(2)
            with trio.move_on_after(0.5) as early:
                await rep.receive()  # there is no publisher, and so no subscription in force
            assert early.cancelled_caught
            async with ctx.socket(triomq.PUB, bind=publisher, hwm=0) as pub:
                for _ in subscribers:
                    await rep.receive()
                    await rep.send(b"")
                for _ in range(1000):
                    await pub.send(b"Rhubarb")
                await pub.send(b"END")
                for subscriber in subscribers:
                    assert await subscriber.ended() == ["Received 1000 updates"]


async def test_envelopes(start, endpoints, bounded) -> None:
    with bounded:
        (endpoint,) = endpoints(1)
        publisher = await start("psenvpub", endpoint, 0.02)
        some, all_of_them = await start("psenvsub", endpoint, 4), await start("psenvsub", endpoint)
        assert await some.ended() == ["[B] We would like to see this"] * 4
        await all_of_them.printed("[B] We would like to see this\n", 5)
        assert set(await all_of_them.interrupted()) == {"[B] We would like to see this"}
        assert await publisher.interrupted() == []


async def test_five_transports(start, endpoints, tmp_path, bounded) -> None:
    with bounded:
        (tcp,) = endpoints(1)
        groups = [f"{scheme}://127.0.0.1;239.192.66.6:{tcp.rpartition(':')[2]}" for scheme in ("epgm", "pgm")]
        program = await start("transports", "inproc://weather", f"ipc://{tmp_path}/weather", tcp, *groups)
        *lines, last = await program.ended()
        assert lines == [f"[weather] rain over {scheme}" for scheme in ("inproc", "ipc", "tcp", "epgm")]
        assert last == "[weather] rain over pgm" or last.startswith(f"left out: cannot join {groups[1]}: pgm:// needs")


@pytest.mark.parametrize("name", ENDPOINT_ARGUMENTS)
async def test_alone_it_waits_until_ctrl_c(start, endpoints, bounded, name) -> None:
    """Whoever is not there yet is waited for, whether one binds or connects; and nothing is left when it ends."""
    with bounded:
        program = await start(name, *endpoints(ENDPOINT_ARGUMENTS[name]))
        await until_trio_runs(program.process.pid)
        await program.interrupted()


async def until_trio_runs(pid: int) -> None:
    """Wait until a process is inside trio: Ctrl-C while a program still imports shows where, in any program."""
    for _ in range(1000 if sys.platform == "linux" else 100):
        await trio.sleep(0.02)
        if waits_for_events(pid):
            await until_it_rests(pid)
            return


async def until_it_rests(pid: int) -> None:
    """Wait, for some time, until a process takes no processor time: it has begun, and waits."""
    before: list[str] = []
    for _ in range(40):
        await trio.sleep(0.05)
        now = processor_time(pid)
        if now == before:
            return
        before = now


def processor_time(pid: int) -> list[str]:
    """What a process has used, in the system's ticks: for itself, and in the system."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]


def waits_for_events(pid: int) -> bool:
    """trio's epoll is there before trio handles signals; with a second file to watch, the loop has run."""
    for path in Path(f"/proc/{pid}/fd").glob("*"):  # nothing, elsewhere than on Linux
        try:
            if "eventpoll" in os.readlink(path):
                return Path(f"/proc/{pid}/fdinfo/{path.name}").read_text().count("tfd:") > 1
        except OSError:
            continue  # it has just been closed
    return False


def test_every_example_is_tested() -> None:
    names = {path.stem for path in EXAMPLES.glob("*.py")}
    assert names == {*ENDPOINT_ARGUMENTS, "mtrelay", "transports", "guestmode"}
    readme = (EXAMPLES / "README.md").read_text("utf-8")
    for name in names:
        assert f"]({name}.py)" in readme
        source = (EXAMPLES / f"{name}.py").read_text("utf-8")
        assert source.startswith('"""')
        assert len(source.splitlines()) <= 60
