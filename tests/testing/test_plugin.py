"""The pytest plugin: fixtures, seeds, and what a failure tells."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import trio

import triomq
from triomq.testing import VirtualNetwork

TESTS = """
import pytest, trio, triomq

@pytest.mark.trio
@pytest.mark.virtual_seeds(3)
async def test_fails_with_one(virtual_network, triomq_context):
    virtual_network.note("hello")
    await trio.sleep(3600)
    assert virtual_network.seed != 1

@pytest.mark.trio
async def test_in_real_time():
    assert not isinstance(trio.lowlevel.current_clock(), trio.testing.MockClock)

def test_without_trio():
    pass
"""


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], ["4 passed", "1 failed", "test_fails_with_one[seed1]", "--triomq-seed=1", "hello"]),
        (["--triomq-seed=7"], ["3 passed", "test_fails_with_one[seed7]"]),
        (["--triomq-seeds=5"], ["6 passed", "1 failed"]),
        (["--triomq-seeds=5", "--triomq-first-seed=10"], ["7 passed", "test_fails_with_one[seed10]", "[seed14]"]),
    ],
    ids=["marked", "one seed", "a sweep", "another sweep"],
)
def test_seeds(tmp_path: Path, options: list[str], expected: list[str]) -> None:
    tests = tmp_path / "test_user.py"
    tests.write_text(TESTS)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-v",
        "-c",
        os.devnull,
        "--rootdir",
        str(tmp_path),
        "-p",
        "no:cacheprovider",
    ]
    done = subprocess.run(
        [*command, "-p", "triomq.testing.pytest_plugin", *options, str(tests)],
        env={**os.environ, "PYTHONPATH": str(Path(triomq.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert [text for text in expected if text not in done.stdout] == [], done.stdout


async def test_a_test_of_a_network_runs_in_virtual_time(virtual_network: VirtualNetwork) -> None:
    await trio.sleep(3600)


async def test_its_context_is_one_of_localhost(virtual_network: VirtualNetwork, triomq_context: triomq.Context) -> None:
    pull = triomq_context.socket(triomq.PULL)
    assert await pull.bind("tcp://*:5555") == "tcp://localhost:5555"
    async with virtual_network.open_context("b") as ctx:
        push = ctx.socket(triomq.PUSH)
        push.connect("tcp://localhost:5555")  # b's own
        await trio.sleep(10)
        assert not pull.peers


@pytest.mark.virtual_seeds(3)
async def test_each_seed_is_a_test(virtual_network: VirtualNetwork, triomq_seed: int) -> None:
    assert virtual_network.seed == triomq_seed
