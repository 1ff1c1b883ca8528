"""What runs on a network: contexts on hosts, and programs, which die with their host and begin again with it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager
from functools import partial
from random import Random
from typing import Any, Concatenate, ParamSpec, TypeVar, Unpack

import trio

from ..._context import Context, draw_secrets_from, open_context
from ..._opening import Limits
from ...abc import Carrier, MulticastCarrier, Transport, opening_contexts
from ._fabric import Fabric
from ._failures import Failures
from ._faults import Faults
from ._groups import VirtualGroups
from ._host import Host
from ._transport import VirtualIpc, VirtualTcp

P = ParamSpec("P")
T = TypeVar("T")


class Programs(Faults):
    """What a `VirtualNetwork` runs.

    The methods that name a host do so when they are called, and not when a task first runs. So the order of the hosts
    is the program's.
    """

    def __init__(self, fabric: Fabric) -> None:
        super().__init__(fabric)
        self._failures = Failures(self.recorder)
        self._is_open = False

    def open_context(
        self,
        host: str = "localhost",
        *,
        strict_checkpoints: bool = False,
        transports: Mapping[str, Transport | Carrier] | None = None,
        rng: Random | None = None,
        **limits: Unpack[Limits],
    ) -> AbstractAsyncContextManager[Context]:
        """Open a context whose transports are those of a host; otherwise as `triomq.open_context`.

        When the host crashes, the block is cancelled and left, and no exception leaves it. What follows the block goes
        on, as if on another machine.

        Args:
          host: its name, which is also what ``tcp://name:port`` connects to.
          transports: by scheme, in addition to those of the host or in place of them.
          rng: as for `triomq.open_context`; None is one seeded with the network's seed and the host's name.
          limits: as for `triomq.open_context`, such as ``max_sockets``, ``inproc`` and ``io_thread``. In virtual time
            the latter makes no thread, but all the rest.
        Raises:
          RuntimeError: the host has crashed and was not restarted; or the network is not open.
        """
        if not self._is_open:  # nothing would ever arrive
            raise RuntimeError(
                f"open_context({host!r}) outside of the network's block: async with VirtualNetwork() as net"
            )
        machine = self._fabric.host(host)
        machine.contexts += 1
        secrets = self._fabric.world.dice("secrets", host, machine.contexts)
        dice = rng or self._fabric.world.dice("context", host, machine.contexts)
        groups = VirtualGroups(self._fabric, machine)
        virtual: dict[str, Transport | Carrier] = {
            "tcp": VirtualTcp(self._fabric, machine),
            "ipc": VirtualIpc(self._fabric, machine),
            "epgm": MulticastCarrier("epgm", groups),
            "pgm": MulticastCarrier("pgm", groups),
        }
        with opening_contexts(None):
            block = open_context(
                strict_checkpoints=strict_checkpoints,
                transports={**virtual, **(transports or {})},
                rng=dice,
                **limits,
            )
        return self._context_block(machine, block, secrets)

    @asynccontextmanager
    async def _context_block(
        self, machine: Host, block: AbstractAsyncContextManager[Context], secrets: Random
    ) -> AsyncGenerator[Context]:
        host = machine.name
        await trio.lowlevel.checkpoint_if_cancelled()  # a program that its host's crash has cancelled opens no more
        if not machine.running:
            raise RuntimeError(f"host {host!r} has crashed: net.restart({host!r}) first")
        scope = trio.CancelScope()
        life = machine.restarted
        failure: BaseException | None = None
        self.recorder.record("context opened", host)
        try:
            with scope:
                async with block as context:
                    draw_secrets_from(context, secrets.randbytes)
                    self._watch.add(host, context)
                    machine.scopes[scope] = None  # only now: a block must begin before it can be cancelled
                    if machine.restarted is not life:
                        scope.cancel(reason=f"triomq: host {host} crashed")
                    try:
                        yield context
                    except BaseException as exc:
                        self._left(machine, scope, exc)
                        failure = exc
                        raise
            if failure is not None:
                # A crash has ended the block. On Python 3.13, a frame of contextlib keeps the cancellation, whose
                # traceback keeps that frame, and the frames of whoever let the host crash.
                failure.__traceback__ = None
        finally:
            del failure
            self._watch.remove(host)
            machine.scopes.pop(scope, None)
            self.recorder.record("context closed", host)

    def _left(self, machine: Host, scope: trio.CancelScope, error: BaseException) -> None:
        if not scope.cancel_called:  # or it is the crash
            self._failures.left_by(error)

    def on(self, host: str) -> AbstractContextManager[None]:
        """In this block, and in the tasks started in it, `triomq.open_context` opens contexts of a host.

        So a test can call parts of a program as it is. A crash of the host is as for `open_context`.

        Args:
          host: its name.
        """
        self._fabric.host(host)
        return opening_contexts(partial(self.open_context, host))

    def run_on(
        self,
        host: str,
        program: Callable[Concatenate[Context, P], Awaitable[T]],
        /,
        *arguments: P.args,
        **keywords: P.kwargs,
    ) -> Coroutine[Any, Any, T]:
        """Run ``await program(context, …)`` on a host, and again after each restart, until it returns.

        Returns: what the program returned.
        Cancellation: the program is cancelled.
        """
        return self._run_on(self._fabric.host(host), lambda context: program(context, *arguments, **keywords))

    async def _run_on(self, machine: Host, program: Callable[[Context], Awaitable[T]]) -> T:
        while True:
            if not machine.running:
                await machine.restarted.wait()
            async with self.open_context(machine.name) as context:
                return await program(context)

    def run_program(
        self, host: str, program: Callable[P, Awaitable[T]], /, *arguments: P.args, **keywords: P.kwargs
    ) -> Coroutine[Any, Any, T]:
        """Run ``await program(…)`` as a host's program, and again after each restart, until it returns.

        The program is as it is in production: `triomq.open_context` opens contexts of the host in it, and in the tasks
        that it starts. A crash of the host cancels the program.

        Returns: what the program returned.
        Cancellation: the program is cancelled.
        """
        return self._run_program(self._fabric.host(host), partial(program, *arguments, **keywords))

    async def _run_program(self, machine: Host, program: Callable[[], Awaitable[T]]) -> T:
        while True:
            if not machine.running:
                await machine.restarted.wait()
            with trio.CancelScope() as scope, self.on(machine.name):
                await trio.lowlevel.checkpoint()  # a block must begin before it can be cancelled
                machine.scopes[scope] = None
                try:
                    if machine.running:
                        return await program()
                except BaseException as exc:
                    self._left(machine, scope, exc)
                    raise
                finally:
                    machine.scopes.pop(scope, None)

    def running(
        self, host: str, program: Callable[P, Awaitable[object]], /, *arguments: P.args, **keywords: P.kwargs
    ) -> AbstractAsyncContextManager[None]:
        """While the block lasts, run a program as it is on a host: `run_program`, in a task of its own.

        An exception of the program cancels the block, and leaves it as it is, in no group. At the end of the block the
        program is cancelled.
        """
        return self._running(self._fabric.host(host), partial(program, *arguments, **keywords))

    @asynccontextmanager
    async def _running(self, machine: Host, program: Callable[[], Awaitable[object]]) -> AsyncGenerator[None]:
        failure: BaseException | None = None
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._run_program, machine, program, name=f"{machine.name}: {_name(program)}")
                try:
                    yield
                except BaseException as exc:
                    self._failures.left_by(exc)
                    raise
                nursery.cancel_scope.cancel(reason="triomq: the block of running() was left")
        except BaseExceptionGroup as exc:
            if len(exc.exceptions) > 1:
                raise
            failure = exc.exceptions[0]  # raised below, as it was
        if failure is not None:
            try:
                raise failure
            finally:
                del failure  # its traceback refers to this frame: no cycle through it


def _name(program: object) -> str:
    if isinstance(program, partial):
        return _name(program.func)
    return getattr(program, "__qualname__", None) or type(program).__qualname__
