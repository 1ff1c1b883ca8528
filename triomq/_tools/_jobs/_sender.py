"""The sending end of a job channel: each job to a worker that has asked for one."""

from __future__ import annotations

import math
from threading import get_ident
from types import TracebackType
from typing import Self, Unpack, final

import attrs
import trio

from ..._message import Message, MessageLike, as_message
from ..._options import OptionArguments
from ..._sockets import ROUTER
from . import _wire as wire
from ._dispatcher import Dispatcher
from ._ledger import Job, Ledger
from ._sockets import SocketMaker, make_socket, shown_endpoints

_MOST_CREDIT = 10_000
_SPARE = 100  # messages that may wait for a worker besides its jobs


@attrs.frozen(kw_only=True)
class JobStatistics:
    """What has become of the jobs of a `JobSender`.

    Attributes:
      workers: receivers that are connected.
      tasks_waiting_send: tasks that wait in ``send`` or ``request`` until a worker is free.
      jobs_unfinished: handed to a worker, or waiting to be handed out again; neither done nor lost.
      jobs_done: workers have said so.
      jobs_repeated: how many times a job was handed out again.
      jobs_lost: their workers were lost, or gave them up, and they are not handed out again.
      messages_ignored: that workers sent and that have no meaning, or none any more.
    """

    workers: int
    tasks_waiting_send: int
    jobs_unfinished: int
    jobs_done: int
    jobs_repeated: int
    jobs_lost: int
    messages_ignored: int


class _Answer:
    """The result of a job, for the task that waits for it."""

    def __init__(self) -> None:
        self._here = trio.Event()
        self._result: Message | None = None
        self._error: Exception | None = None

    def done(self, result: Message) -> None:
        self._result = result
        self._here.set()

    def lost(self, why: str) -> None:
        self._fail(trio.BrokenResourceError(f"JobSender.request: {why}; nobody knows whether the job was done"))

    def close(self) -> None:
        if not self._here.is_set():
            self._fail(trio.ClosedResourceError("JobSender.request: closed while it waited"))

    def _fail(self, error: Exception) -> None:
        self._error = error
        self._here.set()

    async def wait(self) -> Message:
        await self._here.wait()
        if self._error is not None:
            raise self._error
        assert self._result is not None
        return self._result


@final
class JobSender(trio.abc.SendChannel[MessageLike]):
    """Hands each job to a worker that has asked for one: the sending end of a job channel, over any transport.

    Use it in ``async with``. Like a nursery, the block ends when every job is done, or lost. If the block is left by an
    exception, or cancelled, the channel is closed at once.

    Args:
      ctx: the `Context` that makes the ROUTER of the channel.
      redo: hand a job out again when its worker is lost or gives the job up: True, False, or how many times. With it a
        job may be done more than once; without it, at the most once.
      max_credit: jobs that one worker may have at a time, even if the worker asks for more.
      options: of the ROUTER; see `Options`. ``heartbeat_interval`` is 10 s by default, and ``heartbeat_timeout`` 30 s.
    Raises:
      TypeError: an option has no meaning here.
      ValueError: a value is out of range.

    Attributes:
      socket: the ROUTER: for ``monitor``, ``peers`` and what else a `Socket` has. The channel sends and receives.
    """

    def __init__(
        self,
        ctx: SocketMaker,
        *,
        redo: bool | float = False,
        max_credit: int = 16,
        **options: Unpack[OptionArguments],
    ) -> None:
        if not isinstance(max_credit, int) or isinstance(max_credit, bool) or not 1 <= max_credit <= _MOST_CREDIT:
            raise ValueError(f"JobSender(max_credit={max_credit!r}): it is a number of jobs from 1 to {_MOST_CREDIT}")
        self._ledger = Ledger(_times(redo), max_credit)
        self.socket: ROUTER = make_socket(
            ctx, ROUTER, "JobSender", options, {"router_mandatory": True, "send_hwm": max_credit + _SPARE}
        )
        self._dispatcher = Dispatcher(self.socket, self._ledger)
        self._most_frames = self.socket.options.max_frames - wire.HEADER_FRAMES
        self._nursery_manager = trio.open_nursery()
        self._entered = False

    # --- endpoints --------------------------------------------------------------------------

    async def bind(self, endpoint: str) -> str:
        """Let workers connect to an endpoint; as `Socket.bind`."""
        return await self.socket.bind(endpoint)

    def connect(self, endpoint: str) -> None:
        """Connect to a worker that has bound an endpoint; as `Socket.connect`."""
        self.socket.connect(endpoint)

    # --- the block --------------------------------------------------------------------------

    @trio.lowlevel.enable_ki_protection
    async def __aenter__(self) -> Self:
        self._check("__aenter__")
        if self._entered:
            raise RuntimeError("async with: this JobSender was entered before; make another one")
        nursery = await self._nursery_manager.__aenter__()
        self._entered = True
        nursery.start_soon(self._dispatcher.serve, name="triomq jobs")  # noqa: ASYNC113  # what comes first can wait
        return self

    @trio.lowlevel.enable_ki_protection
    async def __aexit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # When this is cancelled, none of the three calls waits: the socket does not linger then, and the task in the
        # nursery is cancelled, too.
        try:
            if failure is None and not self._dispatcher.closed:
                await self.wait_done()  # noqa: ASYNC102
        finally:
            try:
                await self.aclose()  # noqa: ASYNC102
            finally:
                await self._end_serving()  # noqa: ASYNC102

    async def _end_serving(self) -> None:
        try:
            await self._nursery_manager.__aexit__(None, None, None)
        except BaseExceptionGroup as group:  # Ctrl-C met us here; or a bug of ours
            raise (group.exceptions[0] if len(group.exceptions) == 1 else group) from None

    @trio.lowlevel.enable_ki_protection
    async def aclose(self) -> None:
        """Close the channel: what was handed to workers still leaves, for up to ``linger``; nothing more is handed out.

        Tasks that wait in other calls get `trio.ClosedResourceError`. Idempotent.
        Cancellation: the channel is closed all the same.
        """
        self._dispatcher.close()
        await self.socket.aclose()

    def _check(self, what: str) -> None:
        if get_ident() != self.socket._thread:  # closed, or of another thread
            self.socket._shared.runtime.check_thread(f"JobSender.{what}")
            raise trio.ClosedResourceError(f"JobSender.{what}: this channel is closed")

    # --- what a user calls ------------------------------------------------------------------

    @trio.lowlevel.enable_ki_protection
    async def send(self, job: MessageLike) -> None:
        """Hand a job to a worker, waiting until one is free.

        Returning means that a worker was given the job. It does not mean that the job is done.

        Args:
          job: one frame (bytes-like), or an iterable of frames, or a `Message`.
        Cancellation: the job was handed to nobody.
        Raises:
          trio.ClosedResourceError: the channel is closed, or was closed while this waited.
          TypeError: the job is not made of bytes.
          ValueError: it has no frame, or more than ``max_frames`` less 4.
          RuntimeError: the ``async with`` block of this channel was not entered.
        """
        await self._send(job, None, "send")

    @trio.lowlevel.enable_ki_protection
    async def request(self, job: MessageLike) -> Message:
        """Hand a job to a worker, waiting until one is free, and wait for the result.

        Returns: what the worker gave to `JobReceiver.done`; one empty frame if it gave nothing.
        Cancellation: the job was handed to nobody; or a worker has it, its result is forgotten, and it is not handed
          out again.
        Raises:
          trio.BrokenResourceError: the worker was lost, or gave the job up, and the job is not handed out again.
          Otherwise as `send`.
        """
        answer = _Answer()
        sent = await self._send(job, answer, "request")
        try:
            return await answer.wait()
        except trio.Cancelled:
            self._ledger.abandon(sent)
            self._dispatcher.hand_out()
            raise

    async def _send(self, job: MessageLike, answer: _Answer | None, what: str) -> Job:
        self._check(what)
        if not self._entered:
            raise RuntimeError(
                f"JobSender.{what}: use the channel in a block, async with triomq.JobSender(ctx) as jobs:"
            )
        message = as_message(job)
        if len(message) > self._most_frames:
            raise ValueError(
                f"JobSender.{what}: a job of {len(message)} frames; max_frames={self.socket.options.max_frames} allows "
                f"{self._most_frames}, as {wire.HEADER_FRAMES} are the channel's own"
            )
        await trio.lowlevel.checkpoint_if_cancelled()
        sent = Job(message, answer)
        try:
            await self._dispatcher.offer(sent)
        except trio.ClosedResourceError:
            raise trio.ClosedResourceError(f"JobSender.{what}: closed while it waited for a worker") from None
        return sent

    @trio.lowlevel.enable_ki_protection
    async def wait_done(self) -> None:
        """Wait until workers have done every job that was handed out, but for those that are lost.

        Cancellation: nothing has changed.
        Raises:
          trio.ClosedResourceError: the channel is closed, or was closed while this waited.
        """
        self._check("wait_done")
        await trio.lowlevel.checkpoint()
        await self._dispatcher.wait_idle()
        self._check("wait_done")

    def statistics(self) -> JobStatistics:
        """Counters, as they are now."""
        self.socket._shared.runtime.check_process("JobSender.statistics")
        ledger = self._ledger
        return JobStatistics(
            workers=ledger.workers,
            tasks_waiting_send=self._dispatcher.waiting(),
            jobs_unfinished=ledger.unfinished + len(ledger.again),
            jobs_done=ledger.done,
            jobs_repeated=ledger.repeated,
            jobs_lost=ledger.lost,
            messages_ignored=self._dispatcher.ignored,
        )

    def __repr__(self) -> str:
        endpoints = shown_endpoints(self.socket)
        state = "closed" if self._dispatcher.closed else f"{endpoints}, {self._ledger.workers} workers"
        return f"<triomq.JobSender {state}>"


def _times(redo: bool | float) -> float:
    """How many times a job is handed out again."""
    if isinstance(redo, bool):
        return math.inf if redo else 0
    if redo != math.inf and (not isinstance(redo, int) or redo < 0):
        raise ValueError(f"JobSender(redo={redo!r}): it is True, False, or how many times a job is handed out again")
    return redo
