"""A forked child of a program that has such a thread: its calls are refused, and the parent does not notice it."""

from __future__ import annotations

import os
import signal
import warnings

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


async def test_a_child_that_leaves_the_block_ends_it() -> None:
    """It has no thread to wait for. It goes on in a copy of trio's loop, and ends with what was raised in it."""
    parent = os.getpid()
    try:
        async with triomq.open_context(io_thread=True) as ctx:
            pull, push = ctx.socket(triomq.PULL), ctx.socket(triomq.PUSH)
            push.connect(await pull.bind("tcp://127.0.0.1:0"))
            await push.wait_peers()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12: there is a thread
                child = os.fork()
            if child == 0:
                signal.alarm(60)  # ends it, should it hang
                await push.send(b"from the child")  # raises
            _, status = os.waitpid(child, 0)  # noqa: ASYNC222  # both loops have one epoll: only one of them may run
            for number in range(20):
                await push.send(b"%d" % number)
            with trio.fail_after(60):
                assert [int(bytes(await pull.receive())) for _ in range(20)] == list(range(20))
    except triomq.WrongThreadError as exc:
        if os.getpid() != parent:
            os._exit(77 if "PUSH.send was called in a forked process" in str(exc) else 1)
        raise
    finally:
        if os.getpid() != parent:
            os._exit(2)
    assert os.waitstatus_to_exitcode(status) == 77
