"""A network of hosts in virtual time, and what can go wrong with it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager
from functools import partial
from random import Random
from types import TracebackType
from typing import Concatenate, Literal, ParamSpec, Self, TypeVar, Unpack, final

import attrs
import trio
import trio.testing

from ..._context import Context, open_context
from ...abc import Carrier, Transport
from .._determinism import fixed_schedule
from .._diagram import Diagram
from .._recorder import KINDS, Happening, Kind, Recorder
from ._fabric import Fabric
from ._partition import Partition
from ._programs import opening_with
from ._settings import LinkArguments, LinkSettings
from ._transport import VirtualIpc, VirtualTcp
from ._watch import Watch
from ._world import World

P = ParamSpec("P")
T = TypeVar("T")


@final
class VirtualNetwork:
    """A network of virtual hosts: ``async with VirtualNetwork(seed=7) as net:``.

    Runs under `trio.testing.MockClock`, best with ``autojump_threshold=0``. Hosts come into being when they are first
    named. The code that runs is triomq's own, sessions and octets of ZMTP included; only streams and time are virtual.
    The same seed gives the same run, unless the program lets in what no seed governs, such as threads and real time.

    Args:
      seed: what every chance is drawn from: jitter, loss, cuts, back-off, and the order of simultaneous tasks.
      repeatable: let the seed govern trio's scheduler too; see `triomq.testing.fixed_schedule`.
      record: how many happenings the recorder keeps.
      link: what every link is like until it is changed; see `LinkSettings`.

    Attributes:
      seed: as given.
      recorder: everything that happens on the network.
    """

    def __init__(
        self, seed: int = 0, *, repeatable: bool = True, record: int = 100_000, **link: Unpack[LinkArguments]
    ) -> None:
        self.seed: int = seed
        self.recorder: Recorder = Recorder(record)
        self._fabric = Fabric(World(seed, self.recorder), LinkSettings(**link))
        self._watch = Watch(self.recorder)
        self._repeatable = repeatable
        self._block: AbstractAsyncContextManager[None] | None = None
        self._is_open = False

    async def __aenter__(self) -> Self:
        if self._block is not None:
            raise RuntimeError("this VirtualNetwork was opened before; make another one")
        if not isinstance(trio.lowlevel.current_clock(), trio.testing.MockClock):
            raise RuntimeError(
                "a VirtualNetwork lives in virtual time: run it under trio.testing.MockClock(autojump_threshold=0), "
                "which is pytest-trio's fixture autojump_clock, or with triomq.testing.run"
            )
        self._block = self._open()
        await self._block.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        assert self._block is not None
        return await self._block.__aexit__(kind, error, traceback)  # noqa: ASYNC102  (a nursery's: it ends at once)

    @asynccontextmanager
    async def _open(self) -> AsyncGenerator[None]:
        failure: BaseException | None = None
        with ExitStack() as stack:
            if self._repeatable:
                stack.enter_context(fixed_schedule(self.seed))
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._fabric.world.agenda.run, name="triomq virtual network")
                self._is_open = True
                try:
                    yield
                except BaseException as exc:  # noqa: ASYNC103  # raised below, out of the nursery, as it was
                    failure = exc
                self._is_open = False
                nursery.cancel_scope.cancel(reason="triomq: the virtual network was left")
        if failure is not None:
            try:
                raise failure
            finally:
                del failure  # its traceback refers to this frame: no cycle through it

    def __repr__(self) -> str:
        return f"<VirtualNetwork seed={self.seed} hosts={list(self._fabric.hosts)}>"

    # --- what runs on it ------------------------------------------------------------------

    @asynccontextmanager
    async def open_context(
        self,
        host: str = "localhost",
        *,
        strict_checkpoints: bool = False,
        transports: Mapping[str, Transport | Carrier] | None = None,
        rng: Random | None = None,
    ) -> AsyncGenerator[Context]:
        """Open a context whose ``tcp`` and ``ipc`` are those of a host; otherwise as `triomq.open_context`.

        When the host crashes, the block is cancelled and left, and no exception leaves it. What follows the block goes
        on, as if on another machine.

        Args:
          host: its name, which is also what ``tcp://name:port`` connects to.
          transports: by scheme, in addition to ``tcp`` and ``ipc`` or in place of them.
          rng: as for `triomq.open_context`; None is one seeded with the network's seed and the host's name.
        Raises:
          RuntimeError: the host has crashed and was not restarted; or the network is not open.
        """
        if not self._is_open:  # nothing would ever arrive
            raise RuntimeError(
                f"open_context({host!r}) outside of the network's block: async with VirtualNetwork() as net"
            )
        machine = self._fabric.host(host)
        if not machine.running:
            raise RuntimeError(f"host {host!r} has crashed: net.restart({host!r}) first")
        machine.contexts += 1
        rng = rng or self._fabric.world.dice("context", host, machine.contexts)
        virtual = {"tcp": VirtualTcp(self._fabric, machine), "ipc": VirtualIpc(self._fabric, machine)}
        scope = trio.CancelScope()
        life = machine.restarted
        self.recorder.record("context opened", host)
        try:
            with scope:
                async with open_context(
                    strict_checkpoints=strict_checkpoints, transports={**virtual, **(transports or {})}, rng=rng
                ) as context:
                    self._watch.add(host, context)
                    machine.scopes[scope] = None  # only now: a block must begin before it can be cancelled
                    if machine.restarted is not life:
                        scope.cancel(reason=f"triomq: host {host} crashed")
                    yield context
        finally:
            self._watch.remove(host)
            machine.scopes.pop(scope, None)
            self.recorder.record("context closed", host)

    async def run_on(
        self,
        host: str,
        program: Callable[Concatenate[Context, P], Awaitable[T]],
        /,
        *arguments: P.args,
        **keywords: P.kwargs,
    ) -> T:
        """Run ``await program(context, …)`` on a host, and again after each restart, until it returns.

        Returns: what the program returned.
        Cancellation: the program is cancelled.
        """
        machine = self._fabric.host(host)
        while True:
            if not machine.running:
                await machine.restarted.wait()
            async with self.open_context(host) as context:
                return await program(context, *arguments, **keywords)

    async def run_program(
        self, host: str, program: Callable[P, Awaitable[T]], /, *arguments: P.args, **keywords: P.kwargs
    ) -> T:
        """Run ``await program(…)`` as a host's program, and again after each restart, until it returns.

        The program is as it is in production: `triomq.open_context` opens contexts of the host in it, and in the tasks
        that it starts. A crash of the host cancels the program.

        Returns: what the program returned.
        Cancellation: the program is cancelled.
        """
        machine = self._fabric.host(host)
        while True:
            if not machine.running:
                await machine.restarted.wait()
            with trio.CancelScope() as scope, opening_with(partial(self.open_context, host)):
                await trio.lowlevel.checkpoint()  # a block must begin before it can be cancelled
                machine.scopes[scope] = None
                try:
                    if machine.running:
                        return await program(*arguments, **keywords)
                finally:
                    machine.scopes.pop(scope, None)

    # --- links ----------------------------------------------------------------------------

    def link(self, one: str, other: str, *, both_ways: bool = True, **settings: Unpack[LinkArguments]) -> None:
        """Change the link between two hosts; what is not named stays as it is.

        Args:
          both_ways: also from ``other`` to ``one``.
          settings: see `LinkSettings`.
        """
        for source, target in [(one, other), (other, one)][: 1 + both_ways]:
            self._fabric.host(source)
            self._fabric.host(target)
            path = self._fabric.path(source, target)
            path.settings = attrs.evolve(path.settings, **settings)
            words = ", ".join(f"{name}={value}" for name, value in settings.items())
            self.recorder.record("link", source, target, text=words)

    # --- faults ---------------------------------------------------------------------------

    def partition(self, *groups: Iterable[str] | str, both_ways: bool = True) -> Partition:
        """Separate groups of hosts: nothing that is sent from one to another arrives, until `heal`.

        Connections stay, and TCP sends again: what was sent meanwhile arrives after healing, some time later, unless
        the link's ``give_up`` has passed. One group alone is separated from all other hosts.

        Args:
          groups: names of hosts; one name is a group of one.
          both_ways: if False, only what the first group sends to the others is lost. What they send arrives; but the
            first group's acknowledgements are lost, so that TCP takes it for lost.
        Returns: the partition, for `heal`.
        Raises:
          ValueError: a host is in two groups.
        """
        sets = tuple(frozenset([group] if isinstance(group, str) else group) for group in groups)
        if not sets:
            raise TypeError("partition() takes groups of hosts, such as partition({'a', 'b'}, {'c'})")
        names = [name for group in sets for name in group]
        for name in sorted(names, key=str):
            self._fabric.host(name)
            if names.count(name) > 1:
                raise ValueError(f"partition(): host {name!r} is in two groups; it can be on one side only")
        made = Partition(sets, both_ways)
        self._fabric.partitions.append(made)
        self.recorder.record("partition", text=str(made))
        return made

    def heal(self, partition: Partition | None = None) -> None:
        """Take back a partition, or all of them. To take one back twice changes nothing.

        Raises:
          TypeError: it is not what `partition` returned.
        """
        if not isinstance(partition, Partition | None):
            raise TypeError(f"heal({partition!r}): it takes what partition() returned, or nothing, which heals all")
        gone = [partition] if partition is not None else list(self._fabric.partitions)
        for one in gone:
            if one in self._fabric.partitions:
                self._fabric.partitions.remove(one)
                self.recorder.record("heal", text=str(one))

    def cut(self, one: str, other: str, how: Literal["reset", "black hole"] = "reset") -> int:
        """Cut the present connections between two hosts; new ones can be made.

        Args:
          how: ``"reset"``: both ends learn it at once, as from a firewall that resets. ``"black hole"``: neither end
            learns it until it gives up sending again, as with a router that has forgotten the connection.
        Returns: how many ends of connections were cut.
        Raises:
          ValueError: there is no host of one of the names.
        """
        if how not in ("reset", "black hole"):
            raise ValueError(f"how={how!r}: it is 'reset' or 'black hole'")
        streams = self._fabric.streams_between(one, other)
        self.recorder.record("cut", one, other, text=how)
        for stream in streams:
            if how == "reset":
                stream.fall("reset delivered", "the network reset the connection")
            else:
                stream.enter_black_hole()
        return len(streams)

    def crash(self, host: str, how: Literal["power", "process"] = "power") -> None:
        """Let a host die: its contexts are cancelled, and `open_context` is refused until `restart`.

        Args:
          how: ``"power"``: the machine is gone and peers hear nothing, until they send after its restart and are
            reset, or give up. ``"process"``: its kernel lives, ends its connections, and refuses new ones.
        Raises:
          ValueError: there is no host of that name.
        """
        if how not in ("power", "process"):
            raise ValueError(f"how={how!r}: it is 'power' or 'process'")
        machine = self._fabric.known_host(host)
        if not machine.running:
            return
        self.recorder.record("crash", host, text=how)
        self._watch.crash(host)
        machine.crash(how)

    def restart(self, host: str) -> None:
        """Let a crashed host live again. Only what `run_on` has there begins again.

        Raises: as `crash`.
        """
        machine = self._fabric.known_host(host)
        if machine.running:
            return
        self.recorder.record("restart", host)
        machine.restart()

    def pause(self, host: str) -> None:
        """Stop a host's process, as SIGSTOP does: its kernel still takes in what arrives, until its buffers are full.

        Its streams take and give nothing. Tasks of the host that wait for time and not for streams go on: what they
        send waits in triomq.

        Raises: as `crash`.
        """
        machine = self._fabric.known_host(host)
        if machine.running and not machine.paused:
            self.recorder.record("pause", host)
            machine.pause()

    def resume(self, host: str) -> None:
        """Let a paused host go on.

        Raises: as `crash`.
        """
        machine = self._fabric.known_host(host)
        if machine.paused:
            self.recorder.record("resume", host)
            machine.resume()

    # --- what happened --------------------------------------------------------------------

    async def happens(
        self, *kinds: Kind, host: str | None = None, peer: str | None = None, text: str = ""
    ) -> Happening:
        """Wait until something happens, from now on.

        Args:
          kinds: one of these; see `Kind`. None is anything.
          host: at this host; for what travels, sent by it.
          peer: where this is the other host.
          text: where this is a part of the happening's text.
        Returns: the first happening that fits.
        Cancellation: nothing has changed.
        Raises:
          ValueError: there is no such kind.
        """
        for kind in kinds:
            if kind not in KINDS:
                raise ValueError(f"nothing of the kind {kind!r} ever happens; there are {', '.join(KINDS)}")

        def fits(it: Happening) -> bool:
            return (
                (not kinds or it.kind in kinds)
                and (host is None or it.host == host)
                and (peer is None or it.peer == peer)
                and text in it.text
            )

        return await self.recorder.wait(fits)

    def note(self, text: str, host: str = "") -> None:
        """Write something of the test's own into the record."""
        self.recorder.record("note", host, text=text)

    def trace(self) -> str:
        """What happened, as text: a line each with time, connection, hosts, and what it was."""
        return self.recorder.text()

    def diagram(
        self,
        *,
        hosts: Iterable[str] | None = None,
        start: float | None = None,
        end: float | None = None,
        limit: int = 200,
        title: str | None = None,
    ) -> Diagram:
        """What happened, as a sequence diagram; see `Diagram` for the arguments."""
        if title is None:
            title = f"seed {self.seed}"
        return Diagram(
            self.recorder, hosts=hosts, known=tuple(self._fabric.hosts), start=start, end=end, limit=limit, title=title
        )

    def digest(self) -> str:
        """A fingerprint of all that happened, equal for equal runs."""
        return self.recorder.digest()
