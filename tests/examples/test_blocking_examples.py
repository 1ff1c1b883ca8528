"""The examples of blocking code, as processes: threads that finish what they have, and workers that are killed."""

from __future__ import annotations

import os
import signal
from collections import Counter
from pathlib import Path

import pytest
import trio

from .conftest import EXAMPLES
from .test_job_examples import MOST_SECONDS, children, is_there, until

pytestmark = pytest.mark.slow
sees_children = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks into /proc")
SIGNALS = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)


@SIGNALS
async def test_a_server_with_threads(start, endpoints, number) -> None:
    with trio.fail_after(MOST_SECONDS):
        (endpoint,) = endpoints(1)
        server = await start("blocking/mtserver", endpoint, 0.1)
        clients = [await start("hwclient", endpoint, 4) for _ in range(5)]
        for client in clients:
            assert await client.ended() == [f"Received World {number}" for number in range(1, 5)]
        *received, last = await server.interrupted(number)
        assert last == "Everything is closed"
        assert len(received) == 20
        assert set(Counter(received)) == {f"worker-{number} received request: [Hello]" for number in range(1, 6)}


async def test_a_thread_finishes_its_request(start, endpoints) -> None:
    with trio.fail_after(MOST_SECONDS):
        (endpoint,) = endpoints(1)
        server = await start("blocking/mtserver", endpoint, 1)
        client = await start("hwclient", endpoint, 1)
        await server.printed("received request")
        await server.interrupted()
        assert await client.ended() == ["Received World 1"]


async def test_a_pool(start) -> None:
    with trio.fail_after(MOST_SECONDS):
        pool = await start("blocking/processpool", 20, 2)
        *progress, last = await pool.ended()
    assert progress == [f"{count} of 20 jobs done" for count in range(2, 21, 2)]
    assert last == "20 jobs done, 0 of them again; 24602 primes found"


@sees_children
async def test_a_worker_is_killed_and_its_jobs_are_done_again(start) -> None:
    with trio.fail_after(MOST_SECONDS):
        pool = await start("blocking/processpool", 300, 2)
        await pool.printed("60 of 300 jobs done")
        os.kill(children(pool.process.pid)[0], signal.SIGKILL)
        await pool.printed("A worker has ended with -9, and another one starts")
        last = (await pool.ended())[-1]
    assert last.startswith("300 jobs done, ")
    assert not last.startswith("300 jobs done, 0 of them again")


@sees_children
@SIGNALS
async def test_the_pool_is_interrupted(start, number, tmp_path) -> None:
    with trio.fail_after(MOST_SECONDS):
        pool = await start("blocking/processpool", 10**6, 2)
        await until(lambda: len(children(pool.process.pid)) == 2)
        workers = children(pool.process.pid)
        lines = await pool.interrupted(number)
        assert lines[-1] == f"{number.name}: closing down"
        assert not list(filter(is_there, workers))


@sees_children
async def test_the_workers_end_when_the_pool_is_killed(start) -> None:
    with trio.fail_after(MOST_SECONDS):
        pool = await start("blocking/processpool", 1000, 2)
        await pool.printed("100 of 1000 jobs done")
        workers = children(pool.process.pid)
        pool.process.kill()
        await until(lambda: not list(filter(is_there, workers)))


def test_every_example_is_tested_and_listed() -> None:
    names = {path.stem for path in (EXAMPLES / "blocking").glob("*.py")}
    assert names == {"mtserver", "processpool"}
    readme = (EXAMPLES / "README.md").read_text("utf-8")
    for name in names:
        assert f"](blocking/{name}.py)" in readme
        assert len((EXAMPLES / "blocking" / f"{name}.py").read_text("utf-8").splitlines()) <= 100
