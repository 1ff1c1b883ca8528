"""Whom a pipe talks to: its owner on one side, a source and a sink on the other."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias

from .._message import Frames
from ..zmtp import Event

if TYPE_CHECKING:
    from ._pipe import Pipe

Received: TypeAlias = Frames | Event
"""What a peer sends: the tuple of a message's frames, or an event of `triomq.zmtp` such as Subscribe."""


class PipeOwner(Protocol):
    """What a pipe asks of the pattern that decides about its messages."""

    interprets: bool
    """What a peer sent is not simply what the user may receive: `interpret` is asked."""

    def interpret(self, pipe: Pipe, events: Sequence[Received]) -> Sequence[tuple[bytes, ...]]:
        """Turn what a peer sent into what the user may receive. Messages are tuples of frames, here and in inboxes."""

    def receive_lone(self, pipe: Pipe, message: tuple[bytes, ...]) -> tuple[bytes, ...] | None:
        """Let a task that waits in ``receive`` have a message that came by itself, without a detour by the inbox.

        Returns: what the user receives; None to have the message delivered like any other.
        """

    def readable(self, pipe: Pipe) -> None:
        """The pipe's inbox is no longer empty."""

    def writable(self, pipe: Pipe) -> None:
        """The pipe has room again, after the pipe had refused a message."""

    def drained(self, pipe: Pipe) -> None:
        """Messages have left the pipe that somebody waits for, or the peer has confirmed something."""

    def dropped(self, pipe: Pipe, count: int) -> None:
        """The pipe has dropped messages, and has counted them."""

    def noteworthy(self, pipe: Pipe) -> None:
        """Something happened that a person may want to know: it is full, has room again, or begins to lose messages."""


class Loan(Protocol):
    """A connection that a task in ``receive`` reads for itself, in place of the connection's own task."""

    borrowed: bool
    """The borrower still has the connection."""

    def may_answer_soon(self) -> bool:
        """Whether a task that has just sent, and is about to wait for the answer, is to try to read first."""

    def wait(self) -> Awaitable[None]:
        """Wait until `take_in` has something to take, or `poke` is called, or the connection ends.

        Raises:
          trio.ClosedResourceError: the connection has ended; call `lost`.
        """

    def lost(self) -> None:
        """`wait` has found that the connection has ended."""

    def take_in(self) -> Frames | None:
        """Read what has arrived.

        Returns: what the user receives, if a message came by itself. Anything else is in the pipe's inbox.
        """

    def poke(self) -> None:
        """Let `wait` return."""

    def give_back(self) -> None:
        """Let the connection's own task read on."""


class Confirmation(Protocol):
    """The answer of a peer to the question whether it has taken in what was queued for it."""

    @property
    def settling(self) -> float:
        """Seconds that the peer may need, after the answer, until what was taken in is in force."""

    @property
    def done(self) -> bool:
        """The answer is there."""


class _Confirmed:
    """The answer of a peer that needs not be asked."""

    settling: float = 0.0
    done: bool = True


CONFIRMED: Confirmation = _Confirmed()


class Backlog(Protocol):
    """What has been read for an inbox, and has not been taken apart yet."""

    def refill(self, wanted: int) -> None:
        """Put more messages into the inbox, from which the last one was just taken. Never waits, never raises.

        Args:
          wanted: how many messages the task would take now; 1 if it takes one by one.
        """


class Lookout(Protocol):
    """Looks whether more has arrived for an inbox than is known."""

    def look(self) -> bool:
        """Read what has arrived, if anything has, in place of whoever reads. Never waits, never raises.

        Returns: whether anything was there; also if that could not be read now, or is no message.
        """


class Source(Protocol):
    """Where the messages in an inbox come from."""

    def resume(self) -> None:
        """There is room in the inbox again."""

    def hang_up(self, error: Exception) -> bool:
        """End the connection because of what the peer did; the monitor tells ``error``.

        Returns: False if there is no connection to end: the peer is a socket of this program, and is trusted.
        """

    def renew(self, error: Exception) -> None:
        """End the connection, and let the side that connects make a new one; the monitor tells ``error``.

        What is queued from now on, or was not wholly written, waits for the new connection. What the old connection
        brings until the owner's ``lost`` is called may still be delivered.
        """

    def say_goodbye(self, error: Exception) -> None:
        """End the connection in good order, as all has left that was queued; the monitor tells ``error``.

        From now on nothing is written, and what arrives is thrown away. The connection has ended when the pipe is
        removed; should the peer not end its side, `renew` follows.
        """

    def confirm(self) -> Confirmation:
        """Ask the peer whether it has taken in all that is queued for it now.

        When there is an answer, the owner's ``drained`` is called. When the connection ends, there never is.
        """

    def lend(self) -> Loan | None:
        """Let a task in ``receive`` read the connection itself; None if that is not possible now."""


class Sink(Protocol):
    """Where the messages in an outbox go.

    A sink is attached by ``pipe.sink = sink`` and ``pipe.sink_told = False``. Then it calls its `flush`, as messages
    may have been queued before.
    """

    def wake(self) -> None:
        """The first message since the last `flush` was queued: write it now, or gather more."""

    def wake_later(self) -> None:
        """Write what is queued at the end of this turn; a sink that does not gather may do so now."""

    def flush(self) -> None:
        """Write what is queued, as far as the connection takes it now. Never waits, never raises.

        It sets ``pipe.sink_told = False`` first, else the pipe does not wake the sink for the next message; and True
        where it knows that it cannot write before something else happens, such as room in a connection. It takes
        messages by `Outbox.take`, tells `QueuedPipe.count_sent` which have left whole, and calls
        `QueuedPipe.flushed` at its end.
        """


class Hold(Protocol):
    """A hold on the connection that is at a pipe now, for somebody who may end it by choice."""

    def end(self) -> None:
        """End the connection, if it has not ended."""

    def release(self) -> None:
        """The connection has ended."""


class _Unconnected:
    """The source, the sink and the hold of a pipe without a connection."""

    def end(self) -> None:
        """There is nothing to end."""

    def release(self) -> None:
        """Nothing was held."""

    def resume(self) -> None:
        """Nothing comes."""

    def hang_up(self, error: Exception) -> bool:
        """There is nothing to end."""
        return False

    def renew(self, error: Exception) -> None:
        """The next connection is a new one."""

    def say_goodbye(self, error: Exception) -> None:
        """There is nothing to end."""

    def confirm(self) -> Confirmation:
        """Where there is no connection there is nobody to ask."""
        return CONFIRMED

    def lend(self) -> Loan | None:
        """There is nothing to read."""
        return None

    def wake(self) -> None:
        """What is queued waits for a connection."""

    def wake_later(self) -> None:
        """What is queued waits for a connection."""

    def flush(self) -> None:
        """What is queued waits for a connection."""


UNCONNECTED = _Unconnected()
"""The source, the sink and the hold of every pipe that has no connection."""


class _Nobody:
    """Owns the pipes that no pattern owns: those of a removed peer, and those that wait for an inproc name."""

    interprets = False

    def interpret(self, pipe: Pipe, events: Sequence[Received]) -> list[Frames]:
        """Leave what arrives as it is: only a pattern asks for more than messages."""
        return [event for event in events if isinstance(event, tuple)]

    def receive_lone(self, pipe: Pipe, message: Frames) -> None:
        """Nobody waits."""

    def readable(self, pipe: Pipe) -> None:
        """What arrives waits for an owner."""

    def writable(self, pipe: Pipe) -> None:
        """Nobody sends."""

    def drained(self, pipe: Pipe) -> None:
        """Nobody waits."""

    def dropped(self, pipe: Pipe, count: int) -> None:
        """The pipe has counted them, for the owner to come."""

    def noteworthy(self, pipe: Pipe) -> None:
        """Nobody tells of it."""


NOBODY: PipeOwner = _Nobody()
