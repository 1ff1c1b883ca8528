"""What a forked child must not have of its parent.

Theory of operation

A child of ``os.fork`` has copies of the parent's objects and of its file descriptors. A message that the child sent
would lie between the parent's frames. And a connection ends, and a port is free, only when nobody has its descriptor
any more: what the parent closes would go on living in the child. So in a child, before any code of the program runs,
every connection and every bound port of ours is closed, and every socket is marked. The descriptors are closed and
nothing else: to shut a connection down, or to tell trio, would reach the parent, with which the child shares both.

Another thread may be at any place when a process is forked; even between the system's call that makes a descriptor and
the note of it here. So whoever makes one holds `NO_FORK` meanwhile, for which a fork waits.

This is the only state of triomq that belongs to no context. The system calls back once for a process, and must find
every context then; the contexts know nothing of each other. What is noted here is noted weakly, and nobody reads it but
a forked child.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any, Final, TypeVar
from weakref import WeakKeyDictionary

from ._errors import WrongThreadError

T = TypeVar("T")

NO_FORK: Final = threading.RLock()
"""Held, by any thread, for the moment in which something is made and noted that a forked child must not have."""

_INHERITED: Final[WeakKeyDictionary[Any, Callable[[Any], None]]] = WeakKeyDictionary()


def let_go_when_forked(owner: T, let_go: Callable[[T], None]) -> None:
    """Have ``let_go(owner)`` called in every child that this process forks, as long as ``owner`` lives.

    Args:
      owner: is not kept alive; noting it again changes nothing.
      let_go: does not refer to ``owner``, does not wait, and does not raise.
    """
    _INHERITED[owner] = let_go


def check_process(process: int, what: str) -> None:
    """Refuse use in a forked child.

    Args:
      process: the id of the process that made what is used.
      what: the name of the call.
    Raises:
      WrongThreadError: this is another process.
    """
    if os.getpid() != process:
        raise WrongThreadError(
            f"{what} was called in a forked process; sockets belong to the process that opened their context, and "
            "their connections are closed here: open a context of its own in the child, or start a new process"
        )


def _in_child() -> None:
    try:
        for owner, let_go in list(_INHERITED.items()):
            let_go(owner)
        _INHERITED.clear()
    finally:
        NO_FORK.release()


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(before=NO_FORK.acquire, after_in_parent=NO_FORK.release, after_in_child=_in_child)
