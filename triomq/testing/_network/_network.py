"""A network of hosts in virtual time: its life, and what happened on it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager
from types import TracebackType
from typing import Final, Self, Unpack, final, get_args

import trio
import trio.testing

from ..._events import MonitorEvent
from .._determinism import fixed_schedule
from .._diagram import Diagram
from .._recorder import KINDS, Happening, Kind, Recorder
from ._fabric import Fabric
from ._failures import is_failure
from ._programs import Programs
from ._settings import LinkArguments, LinkSettings
from ._world import World

_EVENTS: Final[tuple[type[MonitorEvent], ...]] = get_args(MonitorEvent)


@final
class VirtualNetwork(Programs):
    """A network of virtual hosts: ``async with VirtualNetwork(seed=7) as net:``.

    Runs under `trio.testing.MockClock`, best with ``autojump_threshold=0``. Hosts come into being when they are first
    named. The code that runs is triomq's own, sessions and bytes of ZMTP included; only streams and time are virtual.
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
        super().__init__(Fabric(World(seed, Recorder(record)), LinkSettings(**link)))
        self.seed: int = seed
        self._repeatable = repeatable
        self._block: AbstractAsyncContextManager[None] | None = None

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
            trio.lowlevel.add_instrument(self._fabric.world.turns)
            stack.callback(trio.lowlevel.remove_instrument, self._fabric.world.turns)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._fabric.world.agenda.run, name="triomq virtual network")
                self._is_open = True
                try:
                    yield
                except BaseException as exc:  # noqa: ASYNC103  # raised below, out of the nursery, as it was
                    failure = exc
                    if is_failure(exc):
                        self._failures.mark(exc)
                self._is_open = False
                nursery.cancel_scope.cancel(reason="triomq: the virtual network was left")
        if failure is not None:
            try:
                raise failure
            finally:
                del failure  # its traceback refers to this frame: no cycle through it

    def __repr__(self) -> str:
        return f"<VirtualNetwork seed={self.seed} hosts={list(self._fabric.hosts)}>"

    # --- what happened --------------------------------------------------------------------

    async def happens(
        self,
        *what: Kind | type[MonitorEvent],
        host: str | None = None,
        peer: str | None = None,
        text: str = "",
        where: Callable[[Happening], bool] | None = None,
        since: float | None = None,
    ) -> Happening:
        """Wait until something happens, such as ``happens("refused", host="client")``.

        Where it never happens, the time limit of the test or of `run` ends the wait, and the error says what was waited
        for.

        Args:
          what: one of these: a `Kind`, or the class of an event of a socket, such as `triomq.HandshakeSucceeded`.
            Nothing is anything.
          host: at this host; for what travels, sent by it.
          peer: where this is the other host.
          text: where this is a part of the happening's text.
          where: where this function of the happening returns true.
          since: also what has happened already, at this virtual time or later. None: only what happens from now on.
        Returns: the first happening that fits.
        Cancellation: nothing has changed.
        Raises:
          ValueError: there is no such kind, or no such event.
          Exception: what ``where`` raises.
        """
        for one in what:
            if one not in KINDS and one not in _EVENTS:
                raise ValueError(
                    f"nothing of the kind {one!r} ever happens; there are {', '.join(KINDS)}; "
                    f"and the events of sockets: {', '.join(event.__name__ for event in _EVENTS)}"
                )
        kinds = {one for one in what if isinstance(one, str)}
        events = {one for one in what if isinstance(one, type)}

        def fits(it: Happening) -> bool:
            return (
                (not what or it.kind in kinds or it.event in events)
                and (host is None or it.host == host)
                and (peer is None or it.peer == peer)
                and text in it.text
                and (where is None or bool(where(it)))
            )

        named = {"host": host, "peer": peer, "text": text or None, "where": where, "since": since}
        words = [one.__name__ if isinstance(one, type) else repr(one) for one in what]
        words += [f"{name}={_show(value)}" for name, value in named.items() if value is not None]
        return await self.recorder.wait(fits, since=since, words=f"happens({', '.join(words)})")

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
            self.recorder,
            hosts=hosts,
            known=tuple(self._fabric.in_order()),
            start=start,
            end=end,
            limit=limit,
            title=title,
        )

    def digest(self) -> str:
        """A fingerprint of all that happened, equal for equal runs."""
        return self.recorder.digest()


def _show(value: object) -> str:
    """A value of the user's as a word of an error; for a function its name, as its address differs in each run."""
    return getattr(value, "__name__", None) or repr(value)


def mark_failure(network: VirtualNetwork, error: BaseException) -> None:
    """The test of a network has failed with an exception: mark in the record where it did."""
    network._failures.mark(error)
