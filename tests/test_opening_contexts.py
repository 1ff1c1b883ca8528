"""`triomq.abc.opening_contexts`: programs as they are get contexts of somebody else's making."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from random import Random
from typing import Any

import attrs
import pytest
import trio

import triomq
from triomq.abc import Carrier, Opener, Transport, opening_contexts


@attrs.define
class Seeded:
    """An opener that seeds every context, and keeps what it was asked for."""

    asked: list[object] = attrs.field(factory=list)

    def __call__(
        self,
        *,
        strict_checkpoints: bool,
        transports: Mapping[str, Transport | Carrier] | None,
        rng: Random | None,
        **limits: Any,
    ) -> AbstractAsyncContextManager[triomq.Context]:
        self.asked.append((strict_checkpoints, transports, rng, limits))
        with opening_contexts(None):
            return triomq.open_context(
                strict_checkpoints=strict_checkpoints,
                transports=transports,
                rng=Random(1),
                **limits,
            )


async def program(**options: Any) -> None:
    async with triomq.open_context(**options) as ctx:
        await ctx.socket(triomq.PULL).bind("inproc://here")


async def test_it_is_asked_with_the_arguments_of_open_context() -> None:
    opener = Seeded()
    with opening_contexts(opener):
        await program()
        await program(strict_checkpoints=True, max_sockets=5, max_peers=math.inf)
        await program(io_thread=True)
    await program()
    assert opener.asked == [
        (False, None, None, {}),
        (True, None, None, {"max_sockets": 5}),
        (False, None, None, {"io_thread": True}),
    ]


async def test_it_is_asked_with_the_names_that_are_shared() -> None:
    opener, names = Seeded(), triomq.SharedNames()
    with opening_contexts(opener):
        await program(inproc=names)
    assert opener.asked == [(False, None, None, {"inproc": names})]


async def test_tasks_of_the_block_are_in_it_and_others_are_not() -> None:
    opener, go = Seeded(), trio.Event()

    async def waits() -> None:
        await go.wait()
        await program()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(waits)
        with opening_contexts(opener):
            nursery.start_soon(waits)
        await trio.testing.wait_all_tasks_blocked()
        go.set()
    assert len(opener.asked) == 1


async def test_blocks_nest_and_none_is_none() -> None:
    one, other = Seeded(), Seeded()
    with opening_contexts(one):
        with opening_contexts(other):
            with opening_contexts(None):
                await program()
            await program()
        await program()
    assert (len(one.asked), len(other.asked)) == (1, 1)


async def test_an_opener_may_take_its_time_and_close_what_it_opened() -> None:
    """A generator runs when the block is entered, long after it was made."""
    steps: list[str] = []

    @asynccontextmanager
    async def opener(**options: object) -> AsyncIterator[triomq.Context]:
        await trio.lowlevel.checkpoint()
        steps.append("open")
        with opening_contexts(None):
            block = triomq.open_context()
        async with block as ctx:
            yield ctx
        steps.append("closed")

    checked: Opener = opener
    with opening_contexts(checked):
        await program()
    assert steps == ["open", "closed"]


async def test_an_exception_of_the_opener_is_the_programs() -> None:
    def opener(**options: object) -> AbstractAsyncContextManager[triomq.Context]:
        raise KeyError("no context today")

    with pytest.raises(KeyError, match="today"), opening_contexts(opener):
        await program()
    await program()
