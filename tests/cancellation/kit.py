"""What the tests of cancellation share: runs in virtual time, flows of messages, chaos, and a book of what was sent."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import attrs
import trio
import trio.testing
from hypothesis import settings

import triomq
import triomq.testing
from triomq.testing import LinkArguments, fixed_schedule

SCHEMES = ("inproc", "shared", "tcp", "narrow", "halves")  # "halves": as with an I/O thread, on one clock
BY_NAME = ("inproc", "shared")  # "shared" is inproc by names that trio runs share; here all are of one run
REAL = ("real-tcp", "ipc", "io-thread")  # of this machine, in real time, where what may be left behind is the kernel's
NOBODY = "tcp://127.0.0.1:9"

# Connections that hold few octets, and cut them anywhere: writes are partial, and back-pressure comes early.
NARROW: LinkArguments = {"send_buffer": 100, "receive_buffer": 100, "fragmentation": 0.2}
# Connections that hold a dozen messages: a sender gets stuck soon, not after hundreds of them.
SMALL: LinkArguments = {"send_buffer": 2000, "receive_buffer": 2000}


def examples(count: int) -> settings:
    """That many examples, and proportionally more where the profile explores."""
    return settings(max_examples=max(1, count * settings.default.max_examples // 100))


class Real:
    """Opens contexts on this machine, as a `VirtualNetwork` does on its hosts."""

    def __init__(self, **options: Any) -> None:
        self._options = options

    def open_context(self, **options: Any) -> Any:
        return triomq.open_context(**self._options, **options)


class InHalves:
    """Opens contexts of a network as if their connections had a thread."""

    def __init__(self, net: triomq.testing.VirtualNetwork) -> None:
        self._net = net

    def open_context(self, *args: Any, **options: Any) -> Any:
        return self._net.open_context(*args, io_thread=True, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._net, name)


class Sharing:
    """Opens contexts of a network, each with names that it could share."""

    def __init__(self, net: triomq.testing.VirtualNetwork) -> None:
        self._net = net

    def open_context(self, *args: Any, **options: Any) -> Any:
        return self._net.open_context(*args, inproc=triomq.SharedNames(), **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._net, name)


def run(main: Callable[..., Awaitable[Any]], *args: Any, scheme: str = "tcp", seed: int = 0) -> Any:
    """Run ``await main(net, …)`` in virtual time, on a network that suits the scheme: what hangs fails at once.

    Args:
      scheme: of `SCHEMES`; or of `REAL`, and then real things happen in real time.
      seed: the network's, and so that of the order in which trio runs tasks that are ready at once.
    """

    async def bounded(net: Any) -> Any:
        with trio.fail_after(60):
            return await main(net, *args)

    if scheme in REAL:
        with fixed_schedule(seed):
            return trio.run(bounded, Real(io_thread=scheme == "io-thread"))
    if scheme == "shared":

        async def sharing(net: triomq.testing.VirtualNetwork) -> Any:
            return await main(Sharing(net), *args)

        return triomq.testing.run(sharing, seed=seed, time_limit=20_000.0)
    if scheme == "halves":

        async def in_halves(net: triomq.testing.VirtualNetwork) -> Any:
            return await main(InHalves(net), *args)

        return triomq.testing.run(in_halves, seed=seed, time_limit=20_000.0, **SMALL)
    return triomq.testing.run(main, *args, seed=seed, time_limit=20_000.0, **(NARROW if scheme == "narrow" else {}))


def endpoint_of(scheme: str, name: str = "it") -> str:
    return f"inproc://{name}" if scheme in BY_NAME else "tcp://127.0.0.1:0"


async def fill(sender: Any, *frames: bytes) -> int:
    """Send until nothing more goes, and stays so; how many were accepted."""
    count, quiet = 0, False
    while True:
        try:
            sender.send_nowait(frames)
            count, quiet = count + 1, False
        except trio.WouldBlock:
            if quiet:
                return count
            quiet = True
            await trio.testing.wait_all_tasks_blocked()


# --- flows: one sending and one receiving socket ---------------------------------------------------


@attrs.frozen
class Flow:
    """A way messages can go, of any valid pair of types.

    Attributes:
      lossless: nothing is ever dropped, and ``send`` waits instead.
      many: ``send_many`` knows before it takes a message whether there is room.
    """

    sender: type[Any]
    receiver: type[Any]
    sender_options: dict[str, Any] = attrs.field(factory=dict)
    receiver_options: dict[str, Any] = attrs.field(factory=dict)
    before: tuple[bytes, ...] = ()  # what the sender puts before the frames
    behead: int = 0  # how many frames the receiver finds before them
    waits: bool = True  # a full peer is waited for; otherwise the HWM is off
    many: bool = True

    def __str__(self) -> str:
        return f"{self.sender.__name__}-{self.receiver.__name__}" + ("" if self.waits else "-unbounded")

    async def open(self, ctx: triomq.Context, scheme: str, hwm: int = 2, name: str = "it") -> tuple[Any, Any]:
        """The two sockets, connected, and subscribed where that is needed."""
        limits = {"hwm": hwm if self.waits else 0}
        receiver = ctx.socket(self.receiver, **limits, **self.receiver_options)
        sender = ctx.socket(self.sender, **limits, **self.sender_options)
        endpoint = await receiver.bind(endpoint_of(scheme, name))
        sender.connect(endpoint)
        await sender.wait_peers()
        await receiver.wait_peers()
        if self.receiver is triomq.XSUB:
            await receiver.send(b"\1")
        if hasattr(sender, "wait_subscribers"):
            await sender.wait_subscribers(b"")
        if self.sender is triomq.XPUB:
            await sender.receive()  # of the subscription
        return sender, receiver

    def wrap(self, *frames: bytes) -> triomq.Message:
        return triomq.Message((*self.before, *frames))

    def unwrap(self, message: triomq.Message) -> tuple[bytes, ...]:
        return tuple(message[self.behead :])


_ALL = {"topics": [b""]}
_NODROP = {"xpub_nodrop": True}
FLOWS = [
    Flow(triomq.PUSH, triomq.PULL),
    Flow(triomq.PAIR, triomq.PAIR),
    Flow(triomq.DEALER, triomq.DEALER),
    Flow(triomq.DEALER, triomq.ROUTER, behead=1),
    Flow(
        triomq.ROUTER,
        triomq.DEALER,
        sender_options={"router_mandatory": True},
        receiver_options={"routing_id": b"it"},
        before=(b"it",),
        many=False,
    ),
    Flow(triomq.PUB, triomq.SUB, sender_options=_NODROP, receiver_options=_ALL, many=False),
    Flow(triomq.XPUB, triomq.SUB, sender_options=_NODROP, receiver_options=_ALL, many=False),
    Flow(triomq.PUB, triomq.XSUB, sender_options=_NODROP, many=False),
    Flow(triomq.XPUB, triomq.XSUB, waits=False),
    Flow(triomq.PUB, triomq.SUB, receiver_options=_ALL, waits=False),
    Flow(triomq.XSUB, triomq.XPUB, waits=False),
]


# --- chaos -----------------------------------------------------------------------------------------


class Chaos:
    """Cancels calls at random moments, ``rounds`` times; then no more, so that everything must come to rest."""

    def __init__(self, rng: random.Random, rounds: int = 100) -> None:
        self.random = rng
        self.active = True
        self._rounds = rounds
        self._scopes: dict[trio.CancelScope, None] = {}

    @contextmanager
    def scope(self) -> Iterator[trio.CancelScope]:
        """A scope that may be cancelled at any time, sometimes before anything has happened in it."""
        with trio.CancelScope() as scope:
            cancelled_before = self.active and self.random.random() < 0.05
            if cancelled_before:
                scope.cancel()
            self._scopes[scope] = None
            try:
                yield scope
                assert not cancelled_before, "a call in a cancelled scope went through"
            finally:
                del self._scopes[scope]

    async def run(self) -> None:
        for _ in range(self._rounds):
            for _ in range(self.random.choice((0, 1, 1, 2, 3, 8))):
                await trio.lowlevel.checkpoint()
            if self._scopes:
                self.random.choice(list(self._scopes)).cancel()
        self.active = False


# --- cancelling a call at each of its yields -------------------------------------------------------


class _Trigger(trio.abc.Instrument):
    """Cancels a scope when its task has yielded, or was woken, for the nth time."""

    def __init__(self, task: trio.lowlevel.Task, scope: trio.CancelScope, at: int, woken: bool) -> None:
        self._task = task
        self._scope = scope
        self._at = at
        self._woken = woken
        self.yields = 0

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        if task is self._task:
            self.yields += 1
            if self.yields == self._at and not self._woken:
                self._scope.cancel()

    def task_scheduled(self, task: trio.lowlevel.Task) -> None:
        # Asleep since the nth yield, and awake now: the cancellation comes between waking and running.
        if task is self._task and self.yields == self._at and self._woken:
            self._scope.cancel()


@attrs.frozen
class Outcome:
    """How a call ended: ``cancelled`` or with a value; ``yields`` is how often it gave up its slice."""

    cancelled: bool
    value: Any
    yields: int


async def cancel_at(at: int, call: Callable[[], Awaitable[Any]], *, woken: bool = False) -> Outcome:
    """Run a call and cancel it at its nth yield; at 0 before it starts, and never if it yields less often."""
    value = None
    with trio.CancelScope() as scope:
        trigger = _Trigger(trio.lowlevel.current_task(), scope, at, woken)
        if at == 0:
            scope.cancel()
        trio.lowlevel.add_instrument(trigger)
        try:
            value = await call()
        finally:
            trio.lowlevel.remove_instrument(trigger)
    return Outcome(scope.cancelled_caught, value, trigger.yields)


# --- the book --------------------------------------------------------------------------------------


class Book:
    """What was accepted and what was received: exactly the same, whole, and in each sender's order."""

    def __init__(self) -> None:
        self.accepted: set[tuple[int, int]] = set()
        self.given_up: set[tuple[int, int]] = set()
        self.received: list[tuple[int, int]] = []
        self._last: dict[tuple[object, int], int] = {}

    @staticmethod
    def frames(sender: int, serial: int) -> tuple[bytes, ...]:
        """Three frames, of which each follows from the number."""
        return b"m%d" % sender, b"%d" % serial, b"%d" % (serial % 10) * (serial * 7 % 331)

    def note(self, frames: tuple[bytes, ...], receiver: object = None) -> None:
        """A message was received; ``receiver`` is whoever sees messages in order."""
        sender, serial = int(frames[0][1:]), int(frames[1])
        assert frames == self.frames(sender, serial), "torn"
        assert serial > self._last.get((receiver, sender), -1), "out of order, or twice"
        self._last[receiver, sender] = serial
        self.received.append((sender, serial))

    def check(self) -> None:
        assert len(self.received) == len(set(self.received)), "twice"
        assert not self.given_up & set(self.received), "a cancelled send arrived"
        assert set(self.received) == self.accepted, "lost, or never sent"
