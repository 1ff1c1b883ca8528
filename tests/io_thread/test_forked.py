"""A forked child of a program that has such a thread: its calls are refused, and the parent does not notice it."""

from __future__ import annotations

import os

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
