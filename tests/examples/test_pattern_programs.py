"""The programs of examples/patterns as processes: each starts alone, finds its partners, and ends as it shall."""

from __future__ import annotations

import hashlib
import itertools
import os
import re
import signal
import socket
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
import trio

import triomq

from .conftest import EXAMPLES
from .test_examples import until_trio_runs

PATTERNS = EXAMPLES / "patterns"
MODULES = {"bstar", "clone", "mdp"}  # what programs share

pytestmark = pytest.mark.slow


@pytest.fixture
def run(start):
    """Start a pattern's program: ``await run("lpclient", endpoint)``."""

    async def run(name: str, *arguments: object):
        return await start(f"patterns/{name}", *arguments)

    return run


def port(endpoint: str) -> int:
    return int(endpoint.rpartition(":")[2])


async def test_lazy_pirate(run, endpoints) -> None:
    with trio.fail_after(90):
        (endpoint,) = endpoints(1)
        client = await run("lpclient", endpoint, 20, 4)

        async def start_again_and_again() -> None:
            for seed in itertools.count():  # its dice let it crash
                with trio.CancelScope(shield=True):
                    server = await run("lpserver", endpoint, 0.01, seed)
                await server.ended()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(start_again_and_again)
            lines = await client.ended()
            nursery.cancel_scope.cancel()
        assert [line for line in lines if "OK" in line] == [f"Server replied OK ({number})" for number in range(20)]


async def test_lazy_pirate_gives_up(run, endpoints) -> None:
    with trio.fail_after(90):
        client = await run("lpclient", *endpoints(1), 1, 0.1)
        await client.printed("Giving up: no reply in 3 × 0.1 s: the server seems to be offline")
        assert await client.process.wait() == 1


@pytest.mark.parametrize("kind", ["sp", "pp"])
async def test_simple_and_paranoid_pirate(run, endpoints, kind) -> None:
    with trio.fail_after(90):
        frontend, backend = endpoints(2)
        client = await run("lpclient", frontend, 20, 5)
        queue = await run(f"{kind}queue", frontend, backend)
        workers = [await run(f"{kind}worker", backend, 0.01) for _ in range(2)]
        assert [line for line in await client.ended() if "OK" in line][-1] == "Server replied OK (19)"
        for program in (*workers, queue):
            await program.interrupted()


async def test_majordomo_and_titanic(run, endpoints, tmp_path) -> None:
    with trio.fail_after(90):
        (broker,) = endpoints(1)
        programs = [await run("mdbroker", broker), await run("titanic", broker, tmp_path / "disk")]
        late = await run("ticlient", broker, "echo", "Hello")
        await late.printed("Request ")  # no worker is there
        programs.append(await run("mdworker", broker))
        assert (await late.ended())[-1] == "Reply Hello"
        lookup, done = await (await run("mdclient", broker, "echo", 100)).ended()
        assert lookup == "Lookup of echo: 200"
        assert re.fullmatch(r"100 requests in .* s", done)
        assert list((tmp_path / "disk").iterdir()) == []
        front_port = port(endpoints(1)[0])
        front = await run("linefront", front_port, broker)
        assert await ask_a_line(front_port, b"echo a line\n") == b"OK a line\n"
        for program in (*programs, front):
            await program.interrupted()


async def connect_to(number: int) -> trio.SocketStream:
    """Connect to a server that may not be there yet."""
    while True:
        try:
            return await trio.open_tcp_stream("127.0.0.1", number)
        except OSError:
            await trio.sleep(0.05)


async def ask_a_line(number: int, line: bytes) -> bytes:
    """Send a line, and get one."""
    answer = b""
    async with await connect_to(number) as stream:
        await stream.send_all(line)
        while not answer.endswith(b"\n"):
            answer += await stream.receive_some()
    return answer


async def test_titanic_is_killed(run, endpoints, tmp_path) -> None:
    with trio.fail_after(90):
        (broker,) = endpoints(1)
        programs = [await run("mdbroker", broker)]
        titanic = await run("titanic", broker, tmp_path)
        client = await run("ticlient", broker, "echo", "Hello")
        await client.printed("Request ")
        titanic.process.kill()
        await titanic.process.wait()
        programs += [await run("titanic", broker, tmp_path), await run("mdworker", broker)]
        assert (await client.ended())[-1] == "Reply Hello"
        for program in programs:
            await program.interrupted()


async def test_last_value_cache(run, endpoints) -> None:
    with trio.fail_after(90):
        publisher, subscribers = endpoints(2)
        programs = [await run("lvcache", publisher, subscribers), await run("pathopub", publisher, 1000)]
        for topic in ("000", "999"):
            subscriber = await run("pathosub", subscribers, topic)
            await subscriber.printed(f"{topic}: Save Roger")
            await subscriber.interrupted()
        for program in programs:
            await program.interrupted()


async def test_suicidal_snail(run, endpoints) -> None:
    with trio.fail_after(90):
        snail = await run("suisnail", *endpoints(1), 0.05)
        (line,) = await snail.ended()
        assert re.fullmatch(r"Aborting: this subscriber cannot keep up: a message is \S+ s old", line)


async def test_binary_star(run, endpoints) -> None:
    """No client asks before one server is dead: a busy machine cannot make both of them active."""
    with trio.fail_after(90):
        first, second, one, other = endpoints(4)
        primary = await run("bstarsrv", "primary", first, one, other)
        backup = await run("bstarsrv", "backup", second, other, one)
        await primary.printed("PRIMARY becomes ACTIVE")
        await backup.printed("BACKUP becomes PASSIVE")
        primary.process.kill()
        client = await run("bstarcli", 1000, first, second)
        await backup.printed("PASSIVE becomes ACTIVE")
        await client.printed("Server replied OK", 2)
        for program in (client, backup):
            await program.interrupted()


async def test_freelance(run, endpoints) -> None:
    with trio.fail_after(90):
        dead, living = endpoints(2)
        for model, expected in {"1": "Service is running OK", "2": "Average round", "3": "Average round"}.items():
            server = await run(f"flserver{model}", living, *([living] if model == "3" else []))
            await (await connect_to(port(living))).aclose()
            client = await run(f"flclient{model}", dead, *[living] * (10 if model == "1" else 1))
            assert (await client.ended())[-1].startswith(expected)
            await server.interrupted()


async def test_clone(run) -> None:
    """Two servers, and a client whose server is killed."""
    with trio.fail_after(90):
        first, second, states = three_ports_each(3)
        primary = await run("clonesrv6", "primary", "127.0.0.1", first, second, states, states + 1)
        backup = await run("clonesrv6", "backup", "127.0.0.1", second, first, states + 1, states)
        await primary.printed("PRIMARY becomes ACTIVE")
        await backup.printed("BACKUP becomes PASSIVE")
        client = await run("clonecli6", "/client/", "127.0.0.1", first, "127.0.0.1", second)
        await client.printed("Snapshot ")
        primary.process.kill()
        await backup.printed("PASSIVE becomes ACTIVE")
        await client.printed("Snapshot ", 2)
        for program in (client, backup):
            await program.interrupted()


def three_ports_each(n: int) -> list[int]:
    """The first of three ports in a row that were free a moment ago; as many as wanted."""
    found: list[int] = []
    with ExitStack() as stack:
        while len(found) < n:
            sockets = [stack.enter_context(socket.socket()) for _ in range(3)]
            sockets[0].bind(("127.0.0.1", 0))
            number = sockets[0].getsockname()[1]
            try:
                sockets[1].bind(("127.0.0.1", number + 1))
                sockets[2].bind(("127.0.0.1", number + 2))
            except (OSError, OverflowError):
                continue  # somebody has it
            found.append(number)
    return found


async def test_mesh(run, endpoints) -> None:
    with trio.fail_after(90):
        one, other = (found := endpoints(6))[:3], found[3:]
        programs = [await run("mesh", *one, other[2]), await run("mesh", *other, one[2])]
        subscribers = [await run("pathosub", broker[1], "042") for broker in (one, other)]
        async with triomq.open_context() as ctx, ctx.socket(triomq.PUB) as publisher:
            publisher.connect(one[0])
            while not all("042: a value" in subscriber.output for subscriber in subscribers):
                await publisher.wait_subscribers(b"042")
                await publisher.send([b"042", b"a value"])
                for subscriber in subscribers:
                    with trio.move_on_after(0.1):
                        await subscriber.printed("042: a value")
        for program in (*programs, *subscribers):
            await program.interrupted()


async def test_a_service_with_threads(run, start, endpoints) -> None:
    with trio.fail_after(90):
        (endpoint,) = endpoints(1)
        server = await run("mtserver2", endpoint, 1000)
        lines = await (await start("hwclient", endpoint, 3)).ended()
        digest = hashlib.pbkdf2_hmac("sha256", b"Hello", b"salt", 1000).hex()
        assert lines == [f"Received {digest} {number}" for number in (1, 2, 3)]
        await server.interrupted()


async def test_roll_call(run, endpoints) -> None:
    with trio.fail_after(90):
        publisher, confirmations = endpoints(2)
        subscribers = [await run("rollcallsub", publisher, confirmations) for _ in range(3)]
        await (await run("rollcallpub", publisher, confirmations, 3, 10_000)).ended()
        for subscriber in subscribers:
            assert await subscriber.ended() == ["Received 10000 updates"]


async def test_bridge(run, endpoints) -> None:
    with trio.fail_after(90):
        plain, publisher = endpoints(2)
        bridge = await run("bridge", port(plain), publisher)
        subscriber = await run("pathosub", publisher, "042")
        while "042: a line" not in subscriber.output:
            async with await connect_to(port(plain)) as stream:
                await stream.send_all(b"042 a line\n")
            with trio.move_on_after(0.2):
                await subscriber.printed("042: a line")
        for program in (bridge, subscriber):
            await program.interrupted()


async def test_envelopes_with_an_address(run, endpoints) -> None:
    with trio.fail_after(90):
        publisher, answers = endpoints(2)
        programs = [await run("psenvpub3", publisher, answers, answers), await run("psenvsub3", "Ann", publisher)]
        await programs[0].printed("Ann answers: Thank you")
        await programs[1].printed(f"It rains, says {answers}")
        for program in programs:
            await program.interrupted()


async def test_supervisor(run) -> None:
    with trio.fail_after(90):
        lines = await (await run("supervisor", 200, 1)).ended()
        assert lines[-1] == "200 jobs are done"
        assert any(line.startswith("Starting again after RuntimeError('job ") for line in lines)


@pytest.mark.parametrize(
    "kill", [False, pytest.param(True, marks=pytest.mark.skipif(sys.platform != "linux", reason="it needs /proc"))]
)
async def test_processes(run, kill) -> None:
    """A worker that is killed is replaced, and its job is done by somebody."""
    with trio.fail_after(90):
        parent = await run("processes", 2, 300)
        if kill:
            while not (workers := workers_of(parent.process.pid)):  # noqa: ASYNC110  (nobody tells)
                assert parent.process.poll() is None, "it has ended without a worker"
                await trio.sleep(0.01)
            os.kill(workers[0], signal.SIGKILL)
            await parent.printed("Starting again after")
        assert (await parent.ended())[-1] == "300 results, the last is 211"


def workers_of(pid: int) -> list[int]:
    paths = Path(f"/proc/{pid}/task").glob("*/children")  # a thread may have started them
    children = [child for path in paths for child in path.read_text().split()]
    return [int(child) for child in children if b"\0work\0" in Path(f"/proc/{child}/cmdline").read_bytes()]


# -- every one of them -------------------------------------------------------------------------------

# What each takes to run until Ctrl-C; an endpoint where it says so.
E = "an endpoint"
ALONE = {
    "bridge": ["0", E], "bstarcli": ["1", E, E], "bstarsrv": ["backup", E, E, E], "directory": [E], "flclient3": [E],
    "flserver1": [E], "flserver2": [E], "flserver3": [E], "linefront": ["0", E], "lpserver": [E], "lvcache": [E, E],
    "mdbroker": [E], "mdworker": [E], "mesh": [E, E, E, E], "mtserver2": [E], "pathopub": [E], "pathosub": [E],
    "ppqueue": [E, E], "ppworker": [E], "psenvpub3": [E, E, E], "psenvsub3": ["Ann", E], "rollcallpub": [E, E],
    "rollcallsub": [E, E], "spqueue": [E, E], "spworker": [E], "titanic": [E],
}  # fmt: skip
OTHERS = {
    "clonecli6", "clonesrv6", "flclient1", "flclient2", "lpclient", "mdclient", "processes", "suisnail",
    "supervisor", "ticlient",
}  # fmt: skip


@pytest.mark.parametrize("name", ALONE)
async def test_alone_it_waits_until_ctrl_c(run, endpoints, name) -> None:
    with trio.fail_after(90):
        program = await run(name, *(endpoints(1)[0] if argument is E else argument for argument in ALONE[name]))
        await until_trio_runs(program.process.pid)
        await program.interrupted()


def test_every_program_is_tested_and_in_the_table() -> None:
    names = {path.stem for path in PATTERNS.glob("*.py")}
    assert names == {*ALONE, *OTHERS, *MODULES}
    readme = (PATTERNS / "README.md").read_text("utf-8")
    for name in sorted(names):
        assert f"]({name}.py)" in readme
        source = (PATTERNS / f"{name}.py").read_text("utf-8")
        assert source.startswith('"""')
        assert name in MODULES or f"    python {name}.py" in source
        assert len(source.splitlines()) <= 160
