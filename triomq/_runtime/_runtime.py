"""What the sockets of a context share: tasks, the flusher, chance, the turn."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable
from typing import NoReturn

import trio

from .._errors import WrongThreadError
from .._forks import check_process
from ._bounds import Bounds
from ._flusher import Flusher
from ._mailbox import Mailbox
from ._turn import MESSAGES_PER_TURN, Turn
from ._turn_end import TurnEnd


class Runtime:
    """What the sockets of one context share.

    Attributes:
      bounds: what the context may have, and has.
      random: the source of chance, such as the length of waits; `open_context` was given it, or made it.
      random_bytes: the source of keys and nonces: what nobody can guess. Only a test puts another in its place.
      flusher: writes at the end of a turn what was gathered in it.
    """

    def __init__(
        self,
        nursery: trio.Nursery,
        turn_end: TurnEnd,
        rng: random.Random,
        *,
        strict_checkpoints: bool,
        bounds: Bounds | None = None,
    ) -> None:
        self.nursery: trio.Nursery = nursery
        self.turn_end: TurnEnd = turn_end
        self.random: random.Random = rng
        self.random_bytes: Callable[[int], bytes] = os.urandom
        self.bounds: Bounds = Bounds() if bounds is None else bounds
        self.ending: bool = False  # the context is being left
        self.turn: Turn = Turn(1 if strict_checkpoints else MESSAGES_PER_TURN, turn_end)
        self.flusher: Flusher = Flusher(self.turn)
        self.thread: int = threading.get_ident()
        self.process: int = os.getpid()
        self.token: trio.lowlevel.TrioToken = trio.lowlevel.current_trio_token()
        self._mailbox: Mailbox | None = None

    @property
    def mailbox(self) -> Mailbox:
        """Takes calls of other threads for this context; made when it is first asked for, and closed by `end`."""
        if self._mailbox is None:
            self._mailbox = Mailbox(self.token, self._crash)
            self.turn_end.if_the_run_dies[self._mailbox.abandon] = None
        return self._mailbox

    def _crash(self, failure: BaseException) -> None:
        async def fail() -> NoReturn:  # noqa: ASYNC124  # a task is async
            raise failure

        self.nursery.start_soon(fail, name="triomq mailbox")

    def end(self) -> None:
        """The sockets are closed: other threads reach this context no more."""
        if self._mailbox is not None:
            self._mailbox.close()
            self.turn_end.if_the_run_dies.pop(self._mailbox.abandon)
            self._mailbox = None

    def check_thread(self, what: str) -> None:
        """Refuse use from anywhere but the trio run the context belongs to.

        Raises:
          WrongThreadError: this is another thread, another trio run, or a forked child.
        """
        self.check_process(what)
        if threading.get_ident() == self.thread and trio.lowlevel.in_trio_run():
            if trio.lowlevel.current_trio_token() is self.token:
                return
        raise WrongThreadError(
            f"{what} was called outside the trio run its context was opened in; sockets belong to that run: "
            "from another thread use trio.from_thread.run(socket.send, message, trio_token=token), or in a thread of "
            "trio.to_thread a handle, triomq.blocking(socket)"
        )

    def check_process(self, what: str) -> None:
        """Refuse use in a forked child.

        Raises:
          WrongThreadError: this is one.
        """
        check_process(self.process, what)
