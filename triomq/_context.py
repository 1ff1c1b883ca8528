"""The context: everything triomq does happens inside one, and nothing outlives it.

Theory of operation

The block of ``async with open_context()`` has two nurseries around it. The outer one is the user's view: it is what
a cancellation from outside reaches. All of our tasks run in the inner one, in a task of their own that shields itself
once it has started. So a cancellation reaches the user's body first, the body's sockets still send what they have
accepted while it unwinds, and only then are our tasks ended.

A task of ours that crashes is a bug of ours: it ends the block, loudly, with `InternalError`. The user's own
exception leaves the block as it was, in no group.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import TYPE_CHECKING, NoReturn, TypeVar, Unpack, final

import trio

from . import _connections, _options, _security, _statistics
from ._advice import refuse_copy, takes
from ._connections import Carrier, Carriers
from ._errors import InternalError
from ._logs import Log
from ._opening import current_opener, given_arguments
from ._options import ZMQ_NAMES
from ._runtime import Bounds, Runtime, Services
from ._sockets import EndpointArgument, Observer, Shared, Socket
from ._transports import Transport

S = TypeVar("S", bound=Socket)
_HOW = "'async with triomq.open_context() as ctx:'"


_SOCKET_TYPES = frozenset({"DEALER", "PAIR", "PUB", "PULL", "PUSH", "REP", "REQ", "ROUTER", "SUB", "XPUB", "XSUB"})


class _OpenedByBlock(type):
    """The metaclass of contexts: to call the class is refused, with a word on what to do."""

    def __call__(cls, *_: object, **__: object) -> NoReturn:
        raise TypeError(f"a context is opened by {_HOW}, not by Context()")

    if not TYPE_CHECKING:

        def __getattr__(cls, name: str) -> NoReturn:
            raise _no_attribute(name)


def _no_attribute(name: str) -> AttributeError:
    if name.startswith("_"):
        return AttributeError(f"Context has no attribute {name!r}", name=name)
    from ._advice import explain_on_context

    instead = explain_on_context(name, _SOCKET_TYPES, ZMQ_NAMES)
    return AttributeError(f"Context has no attribute {name!r}: {instead}", name=name)


class Context(metaclass=_OpenedByBlock):
    """Makes sockets and owns them; opened by `open_context`."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._closed = False

    if not TYPE_CHECKING:  # a type checker shall refuse all of these

        def __getattr__(self, name: str) -> NoReturn:
            raise _no_attribute(name)

        def __setattr__(self, name: str, value: object) -> None:
            if name[0] != "_" and not hasattr(type(self), name):
                raise _no_attribute(name)
            object.__setattr__(self, name, value)

        def __reduce_ex__(self, protocol: object) -> NoReturn:
            refuse_copy(self)

    @takes("ctx.socket(triomq.PUSH, linger=0) takes one socket type; options have names")
    @trio.lowlevel.enable_ki_protection
    def socket(
        self,
        socket_type: type[S],
        /,
        *,
        name: str | None = None,
        bind: EndpointArgument = (),
        connect: EndpointArgument = (),
        **options: Unpack[_options.OptionArguments],
    ) -> S:
        """Make a socket.

        Args:
          socket_type: the class, such as ``triomq.REQ``.
          name: for people to read: it stands in log lines, statistics, names of tasks and the socket's `repr`. Two
            sockets may have the same.
          bind: an endpoint, or several, to bind. Binding may have to wait, so such a socket is for ``async with``: it
            binds when it is entered, and refuses all other calls before.
          connect: an endpoint, or several, to connect to: at once, or with ``bind`` after binding.
          options: see `Options`; ``hwm=`` sets both HWMs, ``topics=`` subscribes a SUB.
        Raises:
          TypeError: there is no such option, or it means nothing for this type.
          ValueError: an option's value is out of range, or the name is no text of 1 to 100 characters that can be
            printed.
          EndpointError: an endpoint is malformed, or its transport unknown.
          trio.ClosedResourceError: the context was left.
          OSError: it has ``max_sockets`` sockets; the errno is EMFILE, as in libzmq.
        """
        self._shared.runtime.check_thread("Context.socket")
        if self._closed:
            raise trio.ClosedResourceError("Context.socket: this context was left; open another one")
        if not (
            isinstance(socket_type, type) and issubclass(socket_type, Socket) and hasattr(socket_type, "socket_type")
        ):
            raise TypeError(f"a socket type is a class such as triomq.{_meant(socket_type)}, not {socket_type!r}")
        self._shared.runtime.bounds.check_sockets("Context.socket")
        return socket_type._make(self._shared, bind, connect, {"name": name, **options})

    @property
    def sockets(self) -> tuple[Socket, ...]:
        """The sockets of this context that are not closed, in the order in which they were made."""
        self._shared.runtime.check_process("Context.sockets")
        return tuple(self._shared.sockets)

    @property
    def closed(self) -> bool:
        """The block of this context was left."""
        self._shared.runtime.check_process("Context.closed")
        return self._closed

    def statistics(self) -> _statistics.ContextStatistics:
        """What all sockets of this context count together, as it is now; as a `str`, a table.

        Raises:
          WrongThreadError: this is another thread, or a forked process.
        """
        self._shared.runtime.check_thread("Context.statistics")
        return self._shared.statistics()

    def observe(self, observer: Observer) -> None:
        """Tell an observer at once what happens to every socket of this context, those to come included.

        Unlike `Socket.monitor`, which keeps events until they are received, this calls a function of yours: for what
        gathers events of all sockets, such as a log or a test.

        Raises:
          TypeError: it has not the methods of an `Observer`.
        """
        self._shared.runtime.check_process("Context.observe")
        if not (hasattr(observer, "event") and hasattr(observer, "closed")):
            raise TypeError(f"observe() takes an object of a subclass of triomq.abc.Observer, not {observer!r:.100}")
        self._shared.observers.append(observer)

    def authenticator(self, authenticator: _security.Authenticator | None, *, max_requests: int = 100) -> None:
        """Let a function decide which peers come in, at every socket of this context, also at those made already.

        It is asked wherever this side is the server of PLAIN or CURVE, and for every connection that a socket with
        NULL accepts over tcp, ipc or another stream. It is asked after the mechanism has found the credentials right,
        and before anything else that the peer says is looked at.

        If it raises, or returns something else, the peer is denied with status 500, and a monitor's `HandshakeFailed`
        has the exception as its error's cause. What is no `Exception`, such as `SystemExit`, ends the context, as it
        ends a nursery, and comes out of the block.

        Args:
          authenticator: an async function that takes an `AuthenticationRequest` and returns `Accept` or `Deny`. It is
            called in the context's own tasks, several times at once. It is cancelled when its peer leaves, and when the
            peer's ``handshake_timeout`` is over. None: nobody is asked any more.
          max_requests: how many calls run at one time; further ones wait for their turn.
        Raises:
          TypeError: it is not callable.
          ValueError: ``max_requests`` is not a whole number above 0.
          trio.ClosedResourceError: the context was left.
        """
        self._shared.runtime.check_thread("Context.authenticator")
        if self._closed:
            raise trio.ClosedResourceError("Context.authenticator: this context was left; open another one")
        if authenticator is not None and not callable(authenticator):
            raise TypeError(f"Context.authenticator takes an async function, not {type(authenticator).__name__}")
        if not isinstance(max_requests, int) or isinstance(max_requests, bool) or max_requests < 1:
            raise ValueError(f"Context.authenticator(max_requests={max_requests!r}): it is a whole number above 0")
        self._shared.gate.set(authenticator, max_requests)

    def __repr__(self) -> str:
        state = "closed" if self._closed else f"{len(self._shared.sockets)} sockets"
        return f"<triomq.Context {state}>"

    async def _aclose(self) -> None:
        """Close every socket, all of them at once."""
        self._closed = self._shared.runtime.ending = True
        async with trio.open_nursery() as nursery:
            for socket in self.sockets:
                nursery.start_soon(socket.aclose)


def _meant(socket_type: object) -> str:
    """The socket type that somebody means by a name, or by a constant of pyzmq."""
    name = socket_type if isinstance(socket_type, str) else getattr(socket_type, "name", "")
    name = str(name).rpartition(".")[2].upper()
    return name if name in _SOCKET_TYPES else "REQ"


def draw_secrets_from(context: Context, random_bytes: Callable[[int], bytes]) -> None:
    """Draw the keys and nonces of a context's connections from another source than the system's. For tests alone.

    There is no argument for this: nobody who wants to repeat a run shall by mistake make keys that others can guess.
    """
    context._shared.runtime.random_bytes = random_bytes


def _alone(exc: BaseException) -> BaseException:
    """The exception itself, where our own nursery has put it into a group."""
    return exc.exceptions[0] if isinstance(exc, BaseExceptionGroup) and len(exc.exceptions) == 1 else exc


def _raise_crash(crash: BaseException) -> NoReturn:
    """Raise what tasks of ours have crashed with.

    A bug is an `Exception`, or a cancellation that nobody has caught. Anything else, such as SystemExit, was raised by
    code of the program that our tasks call, and means what it means in a nursery.
    """
    bug = (Exception, trio.Cancelled)
    if isinstance(crash, bug) or (isinstance(crash, BaseExceptionGroup) and crash.subgroup(bug)):
        text = "a task of triomq crashed, which is a bug of triomq: please report it with this traceback"
        raise InternalError(text) from crash
    while isinstance(crash, BaseExceptionGroup) and len(crash.exceptions) == 1:  # each of our nurseries makes a group
        crash = crash.exceptions[0]
    try:
        raise crash
    finally:
        del crash  # its traceback refers to this frame: no cycle through it


@final
class _Block(AbstractAsyncContextManager[Context]):
    """The block of `open_context`.

    A class with two methods, and no generator: Ctrl-C is held off in a method that is protected from it and in all that
    it calls, but not in `contextlib`, which would stand between a generator and trio. A KeyboardInterrupt there would
    leave the nurseries half open.
    """

    def __init__(
        self, carriers: Carriers, rng: random.Random, bounds: Bounds, *, strict_checkpoints: bool, io_thread: bool
    ) -> None:
        self._carriers = carriers
        self._bounds = bounds
        self._io_thread = io_thread
        self._random = rng
        self._strict_checkpoints = strict_checkpoints
        self._services = Services()
        self._outer = trio.open_nursery()
        self._context: Context | None = None
        self._entered = False

    if not TYPE_CHECKING:  # a type checker shall refuse all of these

        def __enter__(self) -> NoReturn:
            raise TypeError(f"write {_HOW}: 'async with', not 'with'")

        def __exit__(self, *_: object) -> None: ...

        def __await__(self) -> NoReturn:
            raise TypeError(f"write {_HOW}: 'async with', not 'await'")

        def __getattr__(self, name: str) -> NoReturn:
            raise AttributeError(f"this context is not open, and has no {name!r} yet: write {_HOW}", name=name)

    @trio.lowlevel.enable_ki_protection
    async def __aenter__(self) -> Context:
        if self._entered:
            raise RuntimeError(f"this block of open_context() was entered before: for another context write {_HOW}")
        self._entered = True
        outer = await self._outer.__aenter__()
        try:
            nursery, turn = await outer.start(self._services.run, outer.cancel_scope, name="triomq services")
            runtime = Runtime(
                nursery, turn, self._random, strict_checkpoints=self._strict_checkpoints, bounds=self._bounds
            )
            nursery.start_soon(runtime.flusher.run, name="triomq flusher")
            if self._io_thread:
                await self._start_io(runtime)
            self._context = type.__call__(Context, Shared(runtime, self._carriers, observers=[Log()]))
        except BaseException as exc:
            # Our services are cancelled and end at once; a KeyboardInterrupt meanwhile counts more than what it met.
            if (interrupt := await self._end_services()) is not None:  # noqa: ASYNC102
                raise interrupt from exc  # noqa: ASYNC104
            raise
        return self._context

    async def _start_io(self, runtime: Runtime) -> None:
        """Let connections live in a run of their own."""
        from ._io_thread import IoRun, carry_in  # few programs need it

        io = IoRun(runtime)
        carry_in(io, self._carriers)
        await runtime.nursery.start(io.run, name="triomq I/O thread")

    @trio.lowlevel.enable_ki_protection
    async def __aexit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._context is not None
        ours: BaseException | None = None
        try:
            await self._context._aclose()  # noqa: ASYNC102  # sockets linger, unless this is cancelled
        except BaseException as exc:  # noqa: ASYNC103  # raised below, out of the nurseries
            ours = _alone(exc)
        self._context._shared.runtime.end()
        ours = await self._end_services() or ours  # noqa: ASYNC102  # our services are cancelled, and end at once
        if self._services.crash is not None:
            _raise_crash(self._services.crash)
        if ours is not None and (failure is None or isinstance(ours, KeyboardInterrupt)):
            try:
                raise ours
            finally:
                del ours  # its traceback refers to this frame: no cycle through it

    async def _end_services(self) -> BaseException | None:
        """End our tasks. Returns: a KeyboardInterrupt that came meanwhile."""
        self._services.scope.cancel(reason="triomq: the context was left")
        try:
            await self._outer.__aexit__(None, None, None)
        except BaseException as exc:  # noqa: ASYNC103  # the caller raises it, out of the nursery's group
            return _alone(exc)  # noqa: ASYNC104
        return None


@takes("open_context(strict_checkpoints=…, transports=…, rng=…, inproc=…); options of sockets are for ctx.socket()")
def open_context(
    *,
    strict_checkpoints: bool = False,
    transports: Mapping[str, Transport | Carrier] | None = None,
    rng: random.Random | None = None,
    io_thread: bool = False,
    max_sockets: float = math.inf,
    max_peers: float = math.inf,
    max_queued_bytes: float = math.inf,
    inproc: _connections.SharedNames | None = None,
) -> AbstractAsyncContextManager[Context]:
    """Open a context: ``async with triomq.open_context() as ctx:``.

    Leaving the block closes every socket (each lingers for up to its own ``linger``) and ends every task, connection
    and file of theirs. An exception from the block comes out as it was.

    Args:
      strict_checkpoints: take a schedule point in every call that sends or receives, as trio itself does, instead of
        one in 64 messages.
      transports: by scheme, in addition to tcp, ipc, inproc, epgm and pgm, or in place of them: a
        `triomq.abc.Transport`, or a `triomq.abc.Carrier`.
      rng: what the waits before reconnecting and the first routing ids are drawn from; seed it to repeat a run.
      io_thread: keep the connections of tcp, ipc and other byte streams in a thread of the context's own, where they go
        on while this run computes. Each message costs more. See :doc:`/how-to/compute-meanwhile`.
      max_sockets: how many sockets may be open at one time; one more is an `OSError`.
      max_peers: how many connections to all bound endpoints together may stand at one time. One more is closed, or one
        that is no peer yet makes way for it; as for the option of sockets with this name.
      max_queued_bytes: how many bytes of messages, over all connections, may wait to be received. While they do,
        connections from which something waits are not read, as when ``receive_hwm`` is reached. Each connection may
        exceed this by what was read at once: one message, or 256 KiB. See :doc:`/explanation/security`.
      inproc: the names of ``inproc://`` endpoints that this context shares with contexts of other trio runs, each in a
        thread of its own. None: they are its own.
    Cancellation: the sockets are closed at once, without lingering.
    Raises:
      RuntimeError: this is no trio run: the program was started by ``asyncio.run``, or by nothing.
      InternalError: a task of triomq crashed.
      ValueError: a limit is not a whole number, 0 or more, or ``math.inf``.
      UnsupportedTransportError: a `triomq.abc.StreamCarrier` wants a transport that this context has not.
    """
    if not trio.lowlevel.in_trio_run():
        raise RuntimeError(
            "triomq runs in trio, and no trio run is active here: start the program with trio.run(main), not with "
            "asyncio.run(main), and its tests with pytest-trio"
        )
    if rng is not None and not isinstance(rng, random.Random):
        raise TypeError(f"rng= takes a random.Random, such as random.Random(1), not {rng!r}")
    if transports is not None and not isinstance(transports, Mapping):
        raise TypeError(f"transports= takes a dict, such as {{'tcp': transport}}, not {transports!r}")
    if not isinstance(io_thread, bool):
        raise TypeError(f"io_thread= is True or False, not {io_thread!r}")
    bounds = Bounds(max_sockets=max_sockets, max_peers=max_peers, max_queued_bytes=max_queued_bytes)
    if (opener := current_opener()) is not None:
        given = given_arguments(bounds, inproc, io_thread=io_thread)
        return opener(strict_checkpoints=strict_checkpoints, transports=transports, rng=rng, **given)
    carriers, rng = Carriers(transports or {}, inproc), rng or random.Random()
    return _Block(carriers, rng, bounds, strict_checkpoints=strict_checkpoints, io_thread=io_thread)
