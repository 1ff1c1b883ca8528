"""The reading half of a session: from the connection to a pipe's inbox.

Theory of operation

One task of the session is in `Reader.run` and reads until the connection ends. It takes in no more messages than the
pipe's inbox has room for. When there is none it stops reading, and the peer feels that through TCP.

*The task that waits reads.* A task in ``receive`` would be woken by the reader task, after that was woken by the
system: two task switches for one message, and a third of a round trip. So, where a socket has one peer, the task in
``receive`` *borrows* the connection: the reader task steps aside, and the user's task waits for the stream and calls
`take_in`. When it has its message it gives the connection back. The reader task reads on at the end of the turn, unless
the user's task has borrowed again by then: for the next message, which costs the reader task nothing.

    user's task      lend ── wait ── take_in ── give_back          lend ── wait …
    reader task      interrupted, sleeps ……………………………………… (end of turn: not borrowed?) reads on

What was read may be more than a task receives in a turn. As long as it goes on receiving, turn by turn, nobody reads:
it will borrow when it has received all, and then reads what came meanwhile at once (`triomq._connections._rest`). Nor
is all taken apart at once that was read, but by portions. When a task has received one, it takes the next out of the
`Backlog` by `refill`, in its own turn. If no task receives, the reader's own task goes on, until the inbox is full.

Nothing that goes wrong is the user's task's business: `take_in` notes it, and the reader task raises it.

A reader is in one of five states, and `triomq._connections._reader_states` says which call is allowed in which.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Final

import trio

from .. import zmtp
from .._errors import RemoteProtocolError
from .._message import Frames
from .._pipes import Confirmation, Loan, QueuedPipe
from .._runtime import TurnEnd
from .._transports import NonblockingStream
from ._heartbeats import Heartbeats
from ._life import ReaderHost
from ._portions import PORTION, Portions
from ._read_size import HEADER_SIZE, READ_SIZE, ReadSize
from ._reader_states import ENDED, FULL, LEAVING, LENT, READING
from ._rest import Rest
from ._writer import Writer

_MOST_LOOKS: Final = 16  # reads in a row that look for the end of the stream
_FAULTS: Final = (trio.BrokenResourceError, trio.ClosedResourceError, RemoteProtocolError, MemoryError)


class Reader:
    """Reads one connection into a pipe; the `Source` of its inbox, and the `Loan` of a task in ``receive``.

    Args:
      wanted: the classes of what a peer sends that the pipe takes.
      host: ends the connection.

    Attributes:
      borrowed: a user's task has the connection.
    """

    __slots__ = (
        "_borrower_waits", "_failure", "_heartbeats", "_host", "_pipe", "_portions", "_protocol", "_refilled",
        "_rest", "_sizes", "_state", "_steps_aside", "_stream", "_task", "_turn_end", "_waits", "_writer", "borrowed",
    )  # fmt: skip

    def __init__(
        self,
        stream: NonblockingStream,
        protocol: zmtp.WireProtocol,
        pipe: QueuedPipe,
        writer: Writer,
        heartbeats: Heartbeats,
        turn_end: TurnEnd,
        wanted: tuple[type, ...],
        host: ReaderHost,
    ) -> None:
        self._stream = stream
        self._protocol = protocol
        self._pipe = pipe
        self._writer = writer
        self._heartbeats = heartbeats
        self._turn_end = turn_end
        self._host = host
        self._sizes = ReadSize()
        self._portions = Portions(pipe, protocol, writer, heartbeats, turn_end, wanted, self._sizes)
        self._state = READING
        self.borrowed: bool = False
        self._task: trio.lowlevel.Task | None = None  # the reader's own, while it sleeps
        self._steps_aside = False  # the reader's own task is to sleep until `resume`
        self._waits = False  # the reader's own task waits for the stream
        self._borrower_waits = False  # the borrower's task does
        self._refilled = False  # since the reader's own task last looked
        self._rest = Rest(pipe, protocol, writer, heartbeats, turn_end)
        self._failure: Exception | None = None  # what the borrower met with, for the reader's own task to raise

    def _move(self, call: str) -> None:
        self._state = self._state.after[call]
        self.borrowed = self._state is LENT

    async def run(self) -> None:
        """Read until the peer ends the stream in good order.

        Raises:
          RemoteProtocolError: the peer broke the protocol.
          trio.BrokenResourceError, trio.ClosedResourceError: the connection is dead.
        """
        while self._state is not ENDED:
            if self._state is LENT or self._steps_aside:
                await self._sleep()
            elif self._state is not LEAVING and self._pipe.inbox.is_full:
                await self._wait_for_room()
            elif self._state is not LEAVING and self._protocol.has_buffered:
                await self._take_more_apart()
            else:
                self._waits = True
                try:
                    await self._stream.wait_receivable()
                finally:
                    self._waits = False
                if self._may_read:
                    self._read_once()
                    if self._rest.is_worth_it() and self._state is READING:
                        self._steps_aside, self._rest.taken = True, -1
                        self._turn_end.resume_unless_borrowed(self)
        if self._failure is not None:
            failure, self._failure = self._failure, None
            try:
                raise failure
            finally:
                del failure

    @property
    def ended(self) -> bool:
        """The peer has ended the stream, or broke it, or nothing is read any more."""
        return self._state is ENDED

    def look(self) -> bool:
        """See `Lookout`; what there is may be the end of the stream."""
        if self._state is not LEAVING:  # where all that comes is thrown away
            if self._state not in (READING, LENT) or self._pipe.inbox.is_full:
                return True  # the reader's own task is about to go on
            if self._protocol.has_buffered:
                self.refill(PORTION)
                return True
        found = self._try_to_read()
        if (self._waits or self._borrower_waits) and (self._state is ENDED or self._protocol.has_buffered):
            self._stream.interrupt()
        return found

    def look_at_all(self) -> None:
        """Read all that has arrived; see `look`."""
        for _ in range(_MOST_LOOKS):
            if self._state is ENDED or not self.look():
                break

    def still_stands(self) -> bool:
        """Read all that has arrived.

        Returns: False if the peer has ended the stream, or has broken the protocol: nothing is to be written.
        """
        self.look_at_all()
        return self._state is not ENDED and self._protocol.established

    def stop_delivering(self) -> None:
        """The socket is closed: throw away what still arrives."""
        self._move("leave")
        self.poke()
        self.resume()

    def stop(self, *, keep: bool = False) -> None:
        """Read no more, ever; `run` was left.

        Args:
          keep: what was read can still be received, as far as there is room for it.
        """
        for _ in range(_MOST_LOOKS if keep else 0):
            if not self._protocol.has_buffered or self._pipe.inbox.is_full:
                break
            self.refill(PORTION)
        self._pipe.inbox.backlog = self._pipe.inbox.lookout = None
        self._move("end")
        self.poke()

    # --- the source of the inbox ------------------------------------------------------------

    def resume(self) -> None:
        """Wake the reader's own task, if it sleeps: there is room in the inbox, or the loan is over."""
        self._steps_aside = False
        if self._task is not None:
            trio.lowlevel.reschedule(self._task)
            self._task = None

    def hang_up(self, error: Exception) -> bool:
        """End the connection because of what the peer did."""
        self._host.hang_up(error)
        return True

    def renew(self, error: Exception) -> None:
        """See `Source`."""
        self._writer.detach()  # the session's own task detaches later
        self._host.hang_up(error)

    def say_goodbye(self, error: Exception) -> None:
        """See `Source`."""
        self._host.leave(error)

    def confirm(self) -> Confirmation:
        """See `Source`."""
        return self._heartbeats.confirm(self._pipe)

    def lend(self) -> Loan | None:
        """Let a task in ``receive`` read in place of the reader's own; None if that is not possible now."""
        inbox = self._pipe.inbox
        if self._state is not READING or self._protocol.has_buffered or len(inbox.queue) >= inbox.limit:
            return None
        if not self._stream.can_interrupt:
            return None
        if self._waits:
            self._stream.interrupt()
        self._state, self.borrowed = LENT, True  # as `_move` would, from the one state that is left
        return self

    # --- for a task in `receive` that has borrowed the connection ----------------------------

    def may_answer_soon(self) -> bool:
        """See `Loan`."""
        return self._stream.is_near and self._turn_end.processor.is_own()

    def wait(self) -> Awaitable[None]:
        """See `Loan`; no coroutine of its own, as a round trip would pay for it twice."""
        self._borrower_waits = True
        return self._stream.wait_receivable()

    def lost(self) -> None:
        """See `Loan`; the reader's own task finds out why."""
        self._move("take back")

    # On the path of a message that is waited for.
    def take_in(self) -> Frames | None:
        """See `Loan`. Never waits, never raises; may end the loan."""
        self._borrower_waits = False
        message: Frames | None = None
        try:
            data = self._read()
            if data and (lone := self._protocol.receive_lone(data)) is not None:
                self._writer.came = 1
                message = self._pipe.receive_lone(lone)
            elif data:
                self._take_apart(data)
        except _FAULTS as exc:
            self._fail(exc)
        if self._state is LENT and self._protocol.has_buffered:
            self._move("take back")
        return message

    def poke(self) -> None:
        """Let the borrower's `wait` return."""
        if self._borrower_waits:
            self._stream.interrupt()

    def give_back(self) -> None:
        """Let the reader's own task read on at the end of this turn, unless it `may_rest`, or was borrowed again."""
        self._borrower_waits = False
        self._steps_aside, self._rest.taken = True, -1
        if self.borrowed:
            self._state, self.borrowed = READING, False  # as `_move` would, from `LENT`
        else:
            self._move("take back")
        self._turn_end.resume_unless_borrowed(self)

    def may_rest(self) -> bool:
        """See `Returned`. What a task that receives has left it will receive, and then read again."""
        return self._state is READING and self._rest.goes_on()

    # --- the backlog of the inbox -------------------------------------------------------------

    def refill(self, wanted: int) -> None:
        """See `Backlog`."""
        if self._state is READING:
            self._refilled = True
            try:
                self._heartbeats.ping_followed()
                self._portions.deliver(b"", PORTION if wanted > 1 else self._portions.usual(), self)
            except _FAULTS as exc:
                self._fail(exc)

    async def _take_more_apart(self) -> None:
        """Take apart more of what was read, when others had their turns, and unless they have done it."""
        self._refilled = False
        await trio.lowlevel.checkpoint()
        if self._pipe.inbox.queue:  # whom that woke may not have had its turn: once more, and it has
            await trio.lowlevel.checkpoint()
        asked = self._refilled or self._state is not READING or self._pipe.inbox.is_full
        if self._protocol.has_buffered and not asked:
            self._heartbeats.ping_followed()
            self._portions.deliver(b"", PORTION, self)

    # --- reading ----------------------------------------------------------------------------

    @property
    def _may_read(self) -> bool:
        """What has arrived is still there: nobody has borrowed, read and given back since our task was woken."""
        if self._state is READING:
            return not (self._steps_aside or self._protocol.has_buffered or self._pipe.inbox.is_full)
        return self._state is LEAVING

    def _try_to_read(self) -> bool:
        """`_read_once`, but what goes wrong is left for the reader's own task to raise."""
        try:
            return self._read_once()
        except _FAULTS as exc:
            self._fail(exc)
            return True

    def _fail(self, failure: Exception) -> None:
        self._move("end")
        self._failure = failure.with_traceback(None)  # no cycle through it

    def _read_once(self) -> bool:
        """Deliver what has arrived. Returns: False for a false alarm."""
        data = self._read()
        if data and (lone := self._protocol.receive_lone(data)) is not None:
            self._writer.came = 1
            self._pipe.deliver([lone])
        elif data:
            self._take_apart(data)
        return data is not None

    # On the path of every message.
    def _read(self) -> bytes | None:
        """Take what has arrived from the stream. Returns: nothing, if nobody wants it; None for a false alarm."""
        protocol, sizes = self._protocol, self._sizes
        usual = protocol.between_messages and not sizes.large
        size = sizes.usual if usual else sizes.choose(protocol.receive_hint())
        try:
            data = self._stream.receive_nowait(size)
        except trio.WouldBlock:
            return None
        if not data:
            self._move("end")
            return data
        received = len(data)
        if (received == size or size > READ_SIZE) and size == sizes.usual:
            sizes.note(received)
        pipe = self._pipe
        pipe.bytes_received += received
        pipe.last_traffic = self._turn_end.read_at = self._turn_end.now()
        if self._heartbeats.active:
            self._heartbeats.heard()
        # When the socket is closed, all that matters is that the peer lives, and its own end.
        return data if self._state is not LEAVING else b""

    def _take_apart(self, data: bytes) -> None:
        """Deliver what is in the data, which is no message by itself."""
        self._writer.came = self._portions.deliver(data, self._portions.usual(), self)
        if len(data) == HEADER_SIZE and self._protocol.receive_hint() and (body := self._read()):
            # Only the header was asked for, and the body was there, too.
            self._writer.came = self._portions.deliver(body, PORTION, self)

    async def _wait_for_room(self) -> None:
        """Stop reading until the user has received something."""
        inbox = self._pipe.inbox
        self._move("fill")
        self._heartbeats.pause()
        while self._state is FULL and inbox.is_full:
            with trio.move_on_after(self._heartbeats.sign_of_life_every) as pause:
                # Like libzmq, resume when the inbox is half empty: each resumption is a switch of tasks.
                inbox.resume_below = inbox.limit // 2
                inbox.source_waits = True
                await self._sleep()
            if pause.cancelled_caught:
                self._heartbeats.show_life()
        self._move("empty")
        self._heartbeats.proceed()

    async def _sleep(self) -> None:
        self._task = trio.lowlevel.current_task()

        def abort(_: object) -> trio.lowlevel.Abort:
            self._task = None
            self._pipe.inbox.source_waits = False
            return trio.lowlevel.Abort.SUCCEEDED

        await trio.lowlevel.wait_task_rescheduled(abort)
