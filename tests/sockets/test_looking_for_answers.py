"""A task that has just sent to a peer nearby looks for the answer before it waits: what the looks may meet."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import trio

from triomq._message import Message
from triomq._sockets._patience import MOST_LOOKS
from triomq._sockets._receivers import Receivers

REPLY = Message([b"reply"])


class Pipe:
    """The pipe of the only peer."""

    def __init__(self, source: Any) -> None:
        self.sent = 0
        self.inbox = SimpleNamespace(source=source)

    def queued(self) -> int:
        return 0


class Connection:
    """A connection to the only peer of a pattern, and the pattern.

    Attributes:
      soon: the peer may answer soon.
      arrived: what the next read finds; nothing, if it is None.
      arrives_at: number of the read that finds the reply.
      arrives_at_last: the reply is there when the wait is over.
      inbox: what the pattern has besides.
      done: what was asked of the connection, in order.
    """

    def __init__(self, *, soon: bool = True) -> None:
        self.soon = soon
        self.arrived: Message | None = None
        self.arrives_at = 0
        self.arrives_at_last = False
        self.inbox: list[Message] = []
        self.done: list[str] = []
        self.borrowed = False
        self.something = trio.Event()
        self.pipe = Pipe(self)
        pattern: Any = SimpleNamespace(pipes={self.pipe: None}, take=self.take, peek=lambda: None)
        self.receivers = Receivers(pattern, "closed")

    def take(self) -> Message | None:
        return self.inbox.pop(0) if self.inbox else None

    def lend(self) -> Connection:
        self.borrowed = True
        return self

    def may_answer_soon(self) -> bool:
        self.done.append("asked")
        return self.soon

    async def wait(self) -> None:
        self.done.append("waits")
        await self.something.wait()
        if self.arrives_at_last:
            self.arrived = REPLY

    def take_in(self) -> Message | None:
        self.done.append("reads")
        if self.done.count("reads") == self.arrives_at:
            return REPLY
        message, self.arrived = self.arrived, None
        return message

    def poke(self) -> None:
        self.something.set()

    def give_back(self) -> None:
        self.done.append("given back")
        self.borrowed = False


@pytest.fixture
async def connection() -> Connection:
    """One to which a request was sent."""
    connection = Connection()
    connection.pipe.sent = 1
    return connection


async def test_an_answer_that_is_there_is_not_waited_for(connection: Connection) -> None:
    connection.arrived = REPLY
    assert await connection.receivers.wait() is REPLY
    assert connection.done == ["asked", "reads", "given back"]


class AtTheNextIteration(trio.abc.Instrument):
    """Does something once, before any task runs again."""

    def __init__(self, do: Callable[[], object]) -> None:
        self._do = do

    def before_io_wait(self, timeout: float) -> None:
        """See `trio.abc.Instrument`."""
        trio.lowlevel.remove_instrument(self)
        self._do()


async def meanwhile(connection: Connection, do: Callable[[], object]) -> Any:
    """Receive; something happens before the first look, as other tasks and the system have their turn."""
    trio.lowlevel.add_instrument(AtTheNextIteration(do))
    with trio.fail_after(1):
        return await connection.receivers.wait()


async def test_an_answer_that_comes_meanwhile_is_not_waited_for(connection: Connection) -> None:
    def arrive() -> None:
        connection.arrived = REPLY

    assert await meanwhile(connection, arrive) is REPLY
    assert connection.done == ["asked", "reads", "given back"]


async def test_what_is_not_there_is_waited_for(connection: Connection, autojump_clock: trio.testing.MockClock) -> None:
    async def bring() -> None:
        await trio.sleep(1)
        connection.arrived = REPLY
        connection.something.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(bring)
        assert await connection.receivers.wait() is REPLY
    assert connection.done == ["asked", *["reads"] * MOST_LOOKS, "waits", "reads", "given back"]


async def test_other_tasks_run_before_each_look(connection: Connection) -> None:
    turns = 0

    async def watch() -> None:
        nonlocal turns
        while connection.done[-1:] != ["given back"]:
            turns += 1
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        connection.arrives_at = MOST_LOOKS
        nursery.start_soon(watch)
        assert await connection.receivers.wait() is REPLY
    assert turns >= MOST_LOOKS - 1  # its first may come before the first look, or after it
    assert "waits" not in connection.done


async def test_who_answers_late_is_looked_for_seldom(connection: Connection) -> None:
    connection.arrives_at_last = True
    connection.something.set()
    for number in range(1, 100):
        connection.pipe.sent = number
        assert await connection.receivers.wait() is REPLY
    assert 99 < connection.done.count("reads") < 99 + 30


@pytest.mark.parametrize("why", ["nothing was sent", "the answer was looked for already", "the peer is far"])
async def test_without_a_reason_to_look_it_waits(why: str) -> None:
    connection = Connection(soon=why != "the peer is far")
    connection.something.set()
    connection.pipe.sent = 0 if why == "nothing was sent" else 1
    if why == "the answer was looked for already":
        connection.arrived = REPLY
        await connection.receivers.wait()
        connection.done.clear()
    connection.arrived = REPLY
    assert await connection.receivers.wait() is REPLY
    assert connection.done[-3:] == ["waits", "reads", "given back"]
    assert ("asked" in connection.done) is (why == "the peer is far")


@pytest.mark.parametrize("at", range(1, MOST_LOOKS + 1))
async def test_cancelled_before_a_look_it_reads_nothing(connection: Connection, at: int) -> None:
    def cancel() -> None:
        if connection.done.count("reads") == at - 1:
            connection.arrived = REPLY
            scope.cancel()
        else:
            trio.lowlevel.add_instrument(AtTheNextIteration(cancel))

    with trio.CancelScope() as scope:
        await meanwhile(connection, cancel)
    assert scope.cancelled_caught
    assert connection.done == ["asked", *["reads"] * (at - 1), "given back"]
    assert connection.arrived is REPLY
    assert len(connection.receivers) == 0


async def test_a_socket_that_is_closed_meanwhile_says_so(connection: Connection) -> None:
    connection.arrived = REPLY
    with pytest.raises(trio.ClosedResourceError, match="closed"):
        await meanwhile(connection, connection.receivers.close)
    assert connection.done == ["asked", "given back"]


async def test_a_message_of_another_peer_that_comes_meanwhile_is_received(connection: Connection) -> None:
    def bring() -> None:
        connection.inbox.append(REPLY)
        connection.receivers.wake()

    assert await meanwhile(connection, bring) is REPLY
    assert "waits" not in connection.done


@pytest.mark.parametrize("brought", ["before", "after"])
async def test_a_connection_that_ends_meanwhile_is_not_read(connection: Connection, brought: str) -> None:
    connection.arrived = Message([b"of a connection that has ended"])

    def end() -> None:
        connection.borrowed = False
        if brought == "before":
            connection.inbox.append(REPLY)
        else:
            trio.lowlevel.add_instrument(AtTheNextIteration(bring))

    def bring() -> None:
        connection.inbox.append(REPLY)
        connection.receivers.wake()

    assert await meanwhile(connection, end) is REPLY
    assert "reads" not in connection.done
