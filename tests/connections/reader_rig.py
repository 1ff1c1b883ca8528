"""A reader by itself: a stream and a protocol that do what the test says, and what is around them."""

from __future__ import annotations

import math
import sys
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import trio
from trio.testing import wait_all_tasks_blocked

from triomq import Message, RemoteProtocolError
from triomq._connections._reader import Reader
from triomq._patterns import FairReceiver
from triomq._pipes import QueuedPipe
from triomq._runtime import Turn, turn_end
from triomq.abc import NonblockingStream, WireProtocol
from triomq.zmtp import Ping, Pong, Subscribe

from ..patterns.fakes import Scene


class Stream(NonblockingStream):
    """What arrives is what the test says: bytes, ``b""`` for the end, or an exception."""

    def __init__(self, *, can_interrupt: bool = True) -> None:
        self._arrived: deque[bytes | Exception] = deque()
        self._woken = trio.Event()
        self.can_interrupt = can_interrupt  # type: ignore[misc]
        self.is_near = False
        self.reads: list[int] = []
        self.waiting: set[str] = set()  # the names of the tasks that wait to read
        self.closed = False

    def arrive(self, *things: bytes | Exception) -> None:
        self._arrived += things
        self._woken.set()

    def receive_nowait(self, max_bytes: int) -> bytes:
        self.reads.append(max_bytes)
        if not self._arrived:
            raise trio.WouldBlock
        thing = self._arrived.popleft()
        if isinstance(thing, Exception):
            raise thing
        if len(thing) > max_bytes:
            self._arrived.appendleft(thing[max_bytes:])
        return thing[:max_bytes]

    async def wait_receivable(self) -> None:
        if self.closed:
            raise trio.ClosedResourceError
        name = trio.lowlevel.current_task().name
        if self._arrived:
            await trio.lowlevel.checkpoint()
            return
        self.waiting.add(name)
        self._woken = trio.Event()
        try:
            await self._woken.wait()
        finally:
            self.waiting.discard(name)

    def interrupt(self) -> None:
        self._woken.set()

    def send_nowait(self, buffers: Sequence[Any]) -> int:
        raise AssertionError("the reader sends nothing")

    async def send_some(self, buffers: Sequence[Any]) -> int:
        raise AssertionError("the reader sends nothing")

    def end_sending(self) -> bool:
        raise AssertionError("the reader sends nothing")

    async def wait_send_all_might_not_block(self) -> None:
        raise AssertionError("the reader sends nothing")

    async def send_all(self, data: Any) -> None:
        raise AssertionError("the reader sends nothing")

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        raise AssertionError("the reader does not wait so")

    async def aclose(self) -> None:
        self.closed = True


class Letters(WireProtocol):
    """Each byte is a message; but ``!`` is a PING, ``:`` a PONG, ``*`` a SUBSCRIBE, and ``?`` breaks the protocol.

    Attributes:
      hints: what `receive_hint` returns, one after the other.
      knows_lone: a letter that comes by itself is taken so.
      swallows: nothing is ever whole.
    """

    def __init__(self) -> None:
        self.hints: list[int] = []
        self.knows_lone = False
        self.swallows = False
        self.peer = None
        self.established = True
        self.has_buffered = False
        self.messages_only = True
        self.between_messages = True
        self.shares_encoding = False
        self._buffer = b""

    def receive_data(self, data: bytes, limit: int = sys.maxsize) -> list[Any]:
        if self.swallows:
            return []
        self._buffer += data
        taken, self._buffer = self._buffer[:limit], self._buffer[limit:]
        if taken[:1] == b"?":
            raise RemoteProtocolError("that is no letter")
        if b"?" in taken:
            at = taken.index(b"?")
            taken, self._buffer = taken[:at], taken[at:] + self._buffer
        self.has_buffered = bool(self._buffer)
        special: dict[str, Any] = {"!": Ping(ttl=3), ":": Pong(), "*": Subscribe(b"t")}
        events = [special.get(letter) or Message([letter.encode()]) for letter in taken.decode()]
        self.messages_only = all(isinstance(event, Message) for event in events)
        return events

    def receive_lone(self, data: bytes) -> tuple[bytes, ...] | None:
        return (data,) if self.knows_lone and len(data) == 1 and data.isalpha() and not self._buffer else None

    def receive_hint(self) -> int:
        return self.hints.pop(0) if self.hints else 0

    def data_to_send(self) -> bytes:
        raise AssertionError("the reader sends nothing")

    def encode(self, messages: Sequence[Any], out: list[bytes], ends: list[int] | None = None) -> int:
        raise AssertionError("the reader sends nothing")


class Told:
    """Stands for the writer and for the heartbeats: writes down what the reader tells them."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.came = 0
        self.took_at = -math.inf
        self.active = True
        self.awaits_pong = False
        self.sign_of_life_every = math.inf

    def taken_at(self) -> float:
        return self.took_at

    def __getattr__(self, name: str) -> Any:
        return lambda *_: self.told.append(name)


class Rig:
    """A reader, and what is around it.

    Attributes:
      ended: how `Reader.run` ended: None while it runs, or what it raised, or ``"in good order"``.
    """

    def __init__(self, end: Any, *, limit: float, can_interrupt: bool) -> None:
        self.stream = Stream(can_interrupt=can_interrupt)
        self.protocol = Letters()
        self.scene = Scene(Fair)
        self.pipe = QueuedPipe(self.scene.pattern, "tcp://x", 10, limit)
        self.scene.admit(self.pipe)
        self.pipe.since = -math.inf
        self.writer, self.heartbeats = Told(), Told()
        self.hung_up: list[Exception] = []
        self.reader = Reader(
            self.stream, self.protocol, self.pipe, self.writer, self.heartbeats, end, (Message,), self  # type: ignore[arg-type]
        )  # fmt: skip
        self.pipe.inbox.source = self.reader
        self.ended: Exception | str | None = None
        self._turn = Turn(1, end)

    def hang_up(self, error: Exception) -> None:
        self.hung_up.append(error)

    leave = hang_up

    async def run(self) -> None:
        try:
            await self.reader.run()
        except Exception as exc:
            self.ended = exc
        else:
            self.ended = "in good order"

    @property
    def state(self) -> str:
        return repr(self.reader._state)

    async def end_turn(self, times: int = 1) -> None:
        """Let the task that receives use up its turn, and go on in the next."""
        for _ in range(times):
            await self._turn.end()

    def received(self) -> str:
        """What the user gets now."""
        return b"".join(map(b"".join, self.scene.pattern.take_many(999))).decode()


class Fair(FairReceiver):
    """The simplest pattern that receives."""


@asynccontextmanager
async def rigged(*, limit: float = 100, can_interrupt: bool = True, runs: bool = True) -> AsyncIterator[Rig]:
    """A reader whose own task waits for the stream; or has not begun, if not ``runs``."""
    with turn_end() as end:
        async with trio.open_nursery() as nursery:
            rig = Rig(end, limit=limit, can_interrupt=can_interrupt)
            if runs:
                nursery.start_soon(rig.run, name="own")
                await wait_all_tasks_blocked()
            yield rig
            nursery.cancel_scope.cancel()
