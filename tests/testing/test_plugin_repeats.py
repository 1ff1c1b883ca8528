"""What the plugin does so that a seed means the same run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import triomq

MANY_FIXTURES = """
import pytest, trio, triomq

def make(host):
    @pytest.fixture(name=host)
    async def sender(virtual_network):
        async with virtual_network.open_context(host) as ctx:
            push = ctx.socket(triomq.PUSH, linger=0)
            push.connect("tcp://localhost:5555")
            virtual_network.note("connects", host)
            yield push
    return sender

ada, grace, radia, barbara, frances = map(make, ["ada", "grace", "radia", "barbara", "frances"])

@pytest.mark.parametrize("time", range(12))
async def test_all(virtual_network, triomq_context, ada, grace, radia, barbara, frances, time):
    await trio.sleep(10)
    print("digest", virtual_network.digest())
"""


def run_pytest(tmp_path: Path, tests: str, *options: str) -> str:
    file = tmp_path / "test_user.py"
    file.write_text(tests)
    options = ("-c", os.devnull, "--rootdir", str(tmp_path), "-p", "no:cacheprovider", *options)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "triomq.testing.pytest_plugin", *options, str(file)],
        env={**os.environ, "PYTHONPATH": str(Path(triomq.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout


def test_the_order_of_fixtures_is_the_seeds(tmp_path: Path) -> None:
    """pytest-trio starts them in the order of their addresses."""
    found = re.findall(r"digest (\w+)", run_pytest(tmp_path, MANY_FIXTURES, "-s"))
    assert len(found) == 12
    assert len(set(found)) == 1
