"""The ROUTER of a job channel, and the task that listens to it.

Theory of operation

All knowledge is in the ledger, which never waits. Three things change it: what workers say, that one of them has left,
and that a job is sent. After each of them, jobs are handed out for as long as there are a free worker and a job. So a
job waits only while nobody is free; where somebody is, ``send`` hands it over itself. A task that waits in ``send``
waits in a memory channel without room: its job is taken from there in the moment in which it is handed over.

What a worker said last counts, even if the worker has left since. So when the monitor tells that a peer has left, the
task that receives is cancelled, which loses nothing. Then everything that has arrived is looked at, and only then does
the ledger learn which workers are left.
"""

from __future__ import annotations

import trio

from ..._errors import UnroutableError
from ..._events import Disconnected, Monitor
from ..._message import Message
from ..._sockets import ROUTER
from . import _wire as wire
from ._ledger import Job, Ledger, Worker

_AT_ONCE = 64  # messages of workers that are looked at before other tasks run


class Dispatcher:
    """Hands jobs to workers, and hears what workers say.

    Attributes:
      ignored: messages of workers that had no meaning, or none any more.
      closed: nothing is handed out any more.
    """

    def __init__(self, socket: ROUTER, ledger: Ledger) -> None:
        self.ignored: int = 0
        self.closed: bool = False
        self._socket = socket
        self._ledger = ledger
        self._senders, self._offered = trio.open_memory_channel[Job](0)
        self._idle = trio.lowlevel.ParkingLot()
        self._serving = trio.CancelScope()
        self._listening = trio.CancelScope()

    def close(self) -> None:
        """Hand out nothing more; tasks that wait get `trio.ClosedResourceError`. Idempotent."""
        self.closed = True
        self._senders.close()
        self._ledger.close()
        self._idle.unpark_all()
        self._serving.cancel(reason="triomq: JobSender closed")

    # --- handing out ------------------------------------------------------------------------

    async def offer(self, job: Job) -> None:
        """Hand a job to a worker, waiting until one is free.

        Cancellation: the job was handed to nobody.
        Raises:
          trio.ClosedResourceError: this was closed meanwhile.
        """
        given = self._give(job)
        if self._ledger.again:  # a worker turned out to be gone, with its jobs
            self.hand_out()
        if given:
            await trio.lowlevel.cancel_shielded_checkpoint()
        else:
            await self._senders.send(job)

    def waiting(self) -> int:
        """How many tasks wait in `offer`."""
        return self._senders.statistics().tasks_waiting_send

    async def wait_idle(self) -> None:
        """Wait until there is no job that was accepted and is neither done nor lost, or this is closed."""
        while self._ledger.busy and not self.closed:
            await self._idle.park()

    def hand_out(self) -> None:
        """Something has changed: hand out jobs, those of lost workers first, for as long as a worker is free."""
        ledger = self._ledger
        while ledger.free_worker() is not None:
            try:
                job = ledger.again.popleft() if ledger.again else self._offered.receive_nowait()
            except (trio.WouldBlock, trio.EndOfChannel):  # nobody waits; closed
                break
            if not self._give(job):
                ledger.again.appendleft(job)
        if not ledger.busy:
            self._idle.unpark_all()

    def _give(self, job: Job) -> bool:
        """Give the job to a worker, now. Returns: False if none is free."""
        while (worker := self._ledger.free_worker()) is not None:
            if self._give_to(worker, job):
                return True
        return False

    def _give_to(self, worker: Worker, job: Job) -> bool:
        number = self._ledger.hand(worker, job)
        try:
            self._socket.send_nowait((worker.routing_id, wire.JOB, worker.token, number, *job.frames))
        except (UnroutableError, trio.WouldBlock):  # it has left; or it asks for more than it reads
            self._ledger.take_back(worker, number)
            return False
        return True

    # --- what workers say -------------------------------------------------------------------

    @trio.lowlevel.enable_ki_protection
    async def serve(self) -> None:
        """Listen to the workers, until closed."""
        with self._serving:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._watch, self._socket.monitor())
                while not self.closed:
                    with trio.CancelScope() as self._listening:
                        await self._listen()
                    if not self.closed:
                        self._look_who_is_left()

    @trio.lowlevel.enable_ki_protection
    async def _watch(self, monitor: Monitor) -> None:
        dropped = 0
        async for event in monitor:
            if isinstance(event, Disconnected) or monitor.dropped > dropped:
                dropped = monitor.dropped
                self._listening.cancel(reason="triomq: a worker has left")

    async def _listen(self) -> None:
        try:
            while True:
                for message in await self._socket.receive_many(_AT_ONCE):
                    self._hear(message)
                self.hand_out()
        except trio.ClosedResourceError:  # the socket was closed by itself, or with its context
            self.close()

    def _look_who_is_left(self) -> None:
        left = {peer.routing_id for peer in self._socket.peers}
        try:
            while True:
                self._hear(self._socket.receive_nowait())
        except (trio.WouldBlock, trio.ClosedResourceError):
            self._ledger.keep_only(left)
        self.hand_out()

    def _hear(self, message: Message) -> None:
        routing_id, *frames = message
        ledger = self._ledger
        known = False
        match wire.parse(tuple(frames)):
            case wire.Probe():
                known = self._greet(routing_id)
            case wire.Ready(token, count):
                known = ledger.grant(routing_id, token, count)
            case wire.Done(token, number, result):
                known = ledger.finish(routing_id, token, number, Message(result))
            case wire.Back(token, number):
                known = ledger.give_back(routing_id, token, number)
            case None:
                known = False
        self.ignored += not known

    def _greet(self, routing_id: bytes) -> bool:
        token = self._socket._shared.runtime.random.randbytes(wire.TOKEN_SIZE)
        try:
            self._socket.send_nowait((routing_id, wire.HELLO, token))
        except (UnroutableError, trio.WouldBlock):  # it has left; or it does not read
            self._ledger.leave(routing_id)
            return False
        self._ledger.arrive(routing_id, token)
        return True
