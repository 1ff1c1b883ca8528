"""Where the messages to send come from: the command line, files, standard input."""

from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Iterator, Sequence

import trio

from ._exits import Failure, Teller
from ._formats import Format, FormatError, Frames
from ._streams import read_some

_STDIN = 0


class Source:
    """Messages, one by one.

    Args:
      given: messages of the command line; None to read standard input.
      form: of standard input.
      count: how many to take at the most.
      interval: seconds from one message to the next; 0 for as fast as they are taken.
      repeat: begin again after the last of ``given``.
    """

    def __init__(
        self,
        given: Sequence[Frames] | None,
        form: Format,
        *,
        count: float = math.inf,
        interval: float = 0.0,
        repeat: bool = False,
    ) -> None:
        self.reads_input: bool = given is None
        self._input = _Input(form) if given is None else None
        self._given = itertools.cycle(given or ()) if repeat else iter(given or ())
        self._left = count
        self._interval = interval
        self._due = -math.inf

    async def next(self) -> Frames | None:
        """Wait for the next message. Returns: None when there is no other.

        Raises:
          Failure: the input is not of its format.
        """
        if self._left <= 0:
            return None
        message = next(self._given, None) if self._input is None else await self._input.next()
        if message is not None:
            self._left -= 1
            await self._wait_until_due()
        return message

    async def _wait_until_due(self) -> None:
        if self._interval:
            await trio.sleep_until(self._due)
            self._due = trio.current_time() + self._interval


class _Input:
    """The messages of standard input."""

    def __init__(self, form: Format) -> None:
        self._decoder = form.decoder()
        self._messages: Iterator[Frames] = iter(())
        self._ended = sys.stdin is None  # closed: by now the number may be that of a socket

    async def next(self) -> Frames | None:
        try:
            while (message := next(self._messages, None)) is None:
                if self._ended:
                    return None
                data = await read_some(_STDIN)
                self._ended = not data
                self._messages = self._decoder.feed(data) if data else self._decoder.end()
        except FormatError as exc:
            raise Failure(str(exc)) from exc
        except OSError as exc:
            raise Failure(f"cannot read standard input: {exc.strerror}") from exc
        return message


def invite(teller: Teller) -> None:
    """Tell somebody who sits at a terminal that input is awaited."""
    if sys.stdin is not None and sys.stdin.isatty():
        teller.tell("type messages, one to a line; Ctrl-D ends")
