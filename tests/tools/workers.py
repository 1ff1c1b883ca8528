"""What the tests of blocking handles share: pairs of sockets, and worker threads."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest
import trio
from trio.lowlevel import checkpoint

import triomq

END_OF_TEST = 20.0  # seconds


@attrs.define
class Bench:
    """A context, and what its tests need: pairs of sockets, and a state to wait for."""

    ctx: triomq.Context
    made: int = 0

    async def pair(self, one: type[Any], other: type[Any], **options: Any) -> tuple[Any, Any]:
        self.made += 1
        first, second = self.ctx.socket(one, **options), self.ctx.socket(other, **options)
        second.connect(await first.bind(f"inproc://{self.made}"))
        return first, second


@asynccontextmanager
async def open_bench() -> AsyncIterator[Bench]:
    with trio.fail_after(END_OF_TEST):
        async with triomq.open_context() as ctx:
            yield Bench(ctx)


async def until(condition: Callable[[], object]) -> None:
    """Look again and again: a thread tells nobody where it is."""
    while not condition():
        await checkpoint()


async def until_received_from(socket: Any, tasks: int = 1) -> None:
    await until(lambda: socket.statistics().tasks_waiting_receive == tasks)


class Thread:
    """A worker thread, what it returned or raised, and the scope of the task that awaits it."""

    def __init__(self, nursery: trio.Nursery, function: Callable[[], Any]) -> None:
        self.scope = trio.CancelScope()
        self.result: Any = None
        self.error: BaseException | None = None
        self.ended = trio.Event()
        self._function = function
        nursery.start_soon(self._run)

    async def _run(self) -> None:
        with self.scope:
            self.result = await trio.to_thread.run_sync(self._work)
        self.ended.set()

    def _work(self) -> Any:
        try:
            return self._function()
        except BaseException as exc:
            self.error = exc
            raise


def error_of(kind: type[Exception], call: Callable[[], Any]) -> Exception:
    with pytest.raises(kind) as caught:
        call()
    return caught.value
