"""A forked child of a program that has such a thread: its calls are refused, and the parent does not notice it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import trio

import triomq

from ..sockets.test_forked import in_child

pytestmark = pytest.mark.skipif(not hasattr(os, "register_at_fork"), reason="this platform cannot fork")


async def test_a_child_is_refused_and_the_parent_goes_on() -> None:
    async with triomq.open_context(io_thread=True) as ctx:
        pull, push = ctx.socket(triomq.PULL), ctx.socket(triomq.PUSH)
        push.connect(await pull.bind("tcp://127.0.0.1:0"))
        await push.send(b"before")
        assert bytes(await pull.receive()) == b"before"

        def report() -> str:
            push.send_nowait(b"of the child")
            return "sent"

        for _ in range(3):
            assert "forked" in in_child(report)
        await push.send(b"after")
        with trio.fail_after(60):
            assert bytes(await pull.receive()) == b"after"


LEAVES = """
import os, signal, warnings, trio, triomq

async def main():
    async with triomq.open_context(io_thread=True) as ctx:
        pull, push = ctx.socket(triomq.PULL), ctx.socket(triomq.PUSH)
        push.connect(await pull.bind("tcp://127.0.0.1:0"))
        await push.wait_peers()
        child = os.fork()
        if child == 0:
            signal.alarm(60)  # ends the child, should it hang
            await push.send(b"from the child")  # raises
        _, status = os.waitpid(child, 0)
        print("parent", os.waitstatus_to_exitcode(status), flush=True)
        os._exit(0)  # both loops have one epoll: the parent's may miss what the child's was told

warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12: there is a thread
try:
    trio.run(main)
except triomq.WrongThreadError as exc:
    print("child", exc, flush=True)
    os._exit(77)
"""


def test_a_child_that_leaves_the_block_ends_it() -> None:
    """It has no thread to wait for. It goes on in a copy of trio's loop, and ends with what was raised in it."""
    done = subprocess.run([sys.executable, "-c", LEAVES], capture_output=True, text=True, timeout=120)
    child, parent = done.stdout.splitlines()
    assert child.startswith("child PUSH.send was called in a forked process"), done.stderr
    assert parent == "parent 77"
