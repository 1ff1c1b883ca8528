"""The examples of job channels, as processes: a worker that is killed, a receiver that leaves, Ctrl-C."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import trio

import triomq

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
pytestmark = pytest.mark.slow
MOST_SECONDS = 90


def children(pid: int) -> list[int]:
    """The child processes of a process (Linux; elsewhere none are seen)."""
    found = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        found += [int(child) for child in path.read_text().split()]
    return found


def is_there(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


async def until(condition: Callable[[], object]) -> None:
    """Look again and again: what is in the file system tells nobody."""
    for _ in range(MOST_SECONDS * 100):
        if condition():
            return
        await trio.sleep(0.01)
    raise AssertionError("it did not happen")


async def test_a_work_queue(start) -> None:
    with trio.fail_after(MOST_SECONDS):
        queue = await start("jobs/workqueue", 100, 2)
        lines = await queue.ended()
    assert [line for line in lines if line.startswith("100 jobs done, ")] == lines


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks into /proc")
async def test_a_worker_is_killed_and_the_others_do_its_jobs(start) -> None:
    with trio.fail_after(MOST_SECONDS):
        queue = await start("jobs/workqueue", 2000, 3)
        await until(lambda: len(children(queue.process.pid)) == 3)
        workers = children(queue.process.pid)
        os.kill(workers[0], signal.SIGKILL)
        await queue.printed("a worker has ended: -9")
        lines = await queue.ended()
    assert lines[-1].startswith("2000 jobs done, ")


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks into /proc")
async def test_ctrl_c_ends_the_queue_and_its_workers(start) -> None:
    with trio.fail_after(MOST_SECONDS):
        queue = await start("jobs/workqueue", 10**6, 2)
        await until(lambda: len(children(queue.process.pid)) == 2)
        workers = children(queue.process.pid)
        await queue.interrupted()
        assert not list(filter(is_there, workers))


@pytest.mark.parametrize("receivers", [1, 2])
async def test_a_big_file(start, endpoints, tmp_path: Path, receivers: int) -> None:
    """Two: the first of them leaves in the midst of the third piece."""
    data = random.Random("a big file").randbytes(5_000_000)
    (tmp_path / "file").write_bytes(data)
    copy = bytearray()
    with trio.fail_after(MOST_SECONDS):
        (endpoint,) = endpoints(1)
        sender = await start("jobs/sendfile", "file", endpoint)
        if receivers == 2:
            async with triomq.open_context() as ctx, triomq.JobReceiver(ctx, credit=10) as first:
                first.connect(endpoint)
                for _ in range(2):
                    copy += (await first.receive())[1]
                await first.receive()
        (tmp_path / "copy").write_bytes(copy)
        receiver = await start("jobs/receivefile", "copy", endpoint)
        assert await receiver.ended() == [f"Received {len(data)} bytes"]
        assert (await sender.ended())[-1] == f"Sent {len(data)} bytes"
    assert (tmp_path / "copy").read_bytes() == data


def test_every_example_is_tested_and_listed() -> None:
    names = {path.stem for path in (EXAMPLES / "jobs").glob("*.py")}
    assert names == {"workqueue", "sendfile", "receivefile"}
    readme = (EXAMPLES / "README.md").read_text("utf-8")
    for name in names:
        assert f"](jobs/{name}.py)" in readme
        assert len((EXAMPLES / "jobs" / f"{name}.py").read_text("utf-8").splitlines()) <= 70
