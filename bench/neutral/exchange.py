"""Requests over some connections, so many in flight; and workers that answer what a proxy sends them."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Sequence
from itertools import cycle, islice
from time import perf_counter

from ..job import Job, LostMessageError
from . import zmtp

_MOST = 262_144


def exchange(job: Job, clients: Sequence[socket.socket], workers: Sequence[socket.socket] = ()) -> tuple[float, int]:
    """Send the job's requests, and wait for as many replies. Returns: seconds, and how many replies they are for.

    Raises:
      LostMessageError: the reply to the last request is not there.
    """
    flow = _Flow(job, len(clients))
    with selectors.DefaultSelector() as selector:
        for client in clients:
            selector.register(client, selectors.EVENT_READ, bytearray())
            client.sendall(flow.requests(flow.window))
        for worker in workers:
            selector.register(worker, selectors.EVENT_READ)
        while flow.received < job.total:
            for key, _ in selector.select():
                connection = key.fileobj
                assert isinstance(connection, socket.socket)
                data = connection.recv(_MOST)
                if not data:
                    raise ConnectionError("the other side is gone")
                # A worker's reply is the request as it came, with its envelope.
                more = data if key.data is None else flow.replies(key.data, data)
                if more:
                    connection.sendall(more)
    return flow.finish()


class _Flow:
    """What was sent and received, of all clients together."""

    def __init__(self, job: Job, clients: int) -> None:
        last, bodies = job.last, job.bodies()
        assert isinstance(last, bytes)
        self._job = job
        frames = [zmtp.frame(body) for body in bodies if isinstance(body, bytes)]
        self._frames, self._last = cycle(frames), zmtp.frame(last)
        self._size = len(frames[0]) if len(frames) == 1 else None
        self.window = job.work.in_flight // clients
        self._unsent = job.total
        self._before = 0
        self._start = self._end = 0.0
        self._complete = False
        self.received = 0

    def requests(self, number: int) -> bytes:
        """So many requests, or as many as are left."""
        number = min(number, self._unsent)
        self._unsent -= number
        if number and not self._unsent:
            return b"".join(islice(self._frames, number - 1)) + self._last
        return b"".join(islice(self._frames, number))

    def replies(self, partial: bytearray, data: bytes) -> bytes:
        """Count replies; return as many further requests. `partial` holds the octets of an incomplete reply."""
        partial += data
        if self._size is None:
            number, used = zmtp.complete(partial)
        else:
            number = len(partial) // self._size
            used = number * self._size
        del partial[:used]
        self.received += number
        if not self._start and self.received >= self._job.warm:
            self._before = self.received
            self._start = self._job.start_clock()
        if not self._unsent:
            self._complete = self._complete or self._last[-1:] in data
            self._end = perf_counter()
        return self.requests(number)

    def finish(self) -> tuple[float, int]:
        """The figures, if all is there."""
        if not self._complete or self.received != self._job.total:
            raise LostMessageError(f"{self.received} of {self._job.total} replies, and the last request's is not there")
        return self._end - self._start, self.received - self._before
