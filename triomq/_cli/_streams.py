"""Standard input and output, without holding up the sockets."""

from __future__ import annotations

import errno
import os
import stat
import sys

import trio

from ._exits import Failure

_PIECE = 65536
"""bytes read at one time"""


async def read_some(fd: int) -> bytes:
    """Wait for bytes of a file, a pipe or a terminal.

    The file stays as it is: what says that a file does not block is shared with every process that has the file, a
    shell at the same terminal among them. Where the system says that there is something to read, reading does not
    wait. The system says so of pipes, terminals and sockets; others, such as files, are read in a thread of trio's.

    Returns: ``b""`` at the end.
    Cancellation: nothing was read, but for what a thread is reading just then.
    """
    try:
        await trio.lowlevel.wait_readable(fd)
    except OSError as exc:
        if exc.errno != errno.EPERM:
            raise
        return await trio.to_thread.run_sync(os.read, fd, _PIECE, abandon_on_cancel=True)
    return os.read(fd, _PIECE)


class Output:
    """Standard output. What is written to it is untouched by any encoding.

    A thread of trio's does the writing: a reader that stands still holds up the writer, and nobody else.
    """

    def __init__(self, fd: int = 1) -> None:
        self._fd = fd
        self._turn = trio.Lock()

    async def write(self, data: bytes) -> None:
        """Write all of it, after what other tasks are writing.

        Cancellation: some of it may be written.
        Raises:
          BrokenPipeError: nobody reads it any more.
          Failure: it cannot be written, as where a disk is full.
        """
        async with self._turn:
            if not data:
                return
            try:
                await trio.to_thread.run_sync(_write_all, self._fd, data, abandon_on_cancel=True)
            except BrokenPipeError:
                raise
            except OSError as exc:
                raise Failure(f"cannot write standard output: {exc.strerror}") from exc

    async def watch(self) -> None:
        """Raise BrokenPipeError when the reader goes away, even if nothing is written.

        Where the system has no way to tell, this waits for ever.
        """
        try:
            is_pipe = stat.S_ISFIFO(os.fstat(self._fd).st_mode)
        except OSError:
            is_pipe = False  # closed: the first write says so
        if not is_pipe or sys.platform != "linux":
            await trio.sleep_forever()
        await trio.lowlevel.wait_readable(self._fd)  # nothing can be read here, so it is the error that ends this
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


def _write_all(fd: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]
