"""Who has bound which name, in all of the trio runs that share the names; and who is linked with whom.

This is the one object that belongs to several runs. All that it does is done under its lock, and takes a moment: it
waits for nothing, and calls nothing of a run. Runs are told by their mailboxes, when the lock is free again. No message
passes here.
"""

from __future__ import annotations

import errno
import threading
from functools import partial
from typing import TYPE_CHECKING, NoReturn, final

import trio

from ..._errors import AddressInUseError
from ..._forks import let_go_when_forked

if TYPE_CHECKING:
    from ._carrier import Caller, SharedBinding, SharedCarrier
    from ._end import End


class Registry:
    """What `SharedNames` stand for."""

    def __init__(self) -> None:
        self._start()
        let_go_when_forked(self, Registry._start)  # the threads of the parent are not in its child

    def _start(self) -> None:
        self._lock = threading.Lock()
        self._bindings: dict[str, SharedBinding] = {}
        self._waiting: dict[str, dict[Caller, None]] = {}
        self._ends: dict[SharedCarrier, dict[End, None]] = {}

    def count(self) -> tuple[int, int]:
        """How many names are bound, and how many contexts use them."""
        with self._lock:
            return len(self._bindings), len(self._ends)

    # --- contexts -----------------------------------------------------------------------------

    def enter(self, carrier: SharedCarrier) -> None:
        """A context begins to use the names."""
        with self._lock:
            self._ends[carrier] = {}

    def leave(self, carrier: SharedCarrier) -> None:
        """A context has ended, or its run has died: tell those that were linked with it. From any thread."""
        with self._lock:
            ends = self._ends.pop(carrier, {})
            for name in [name for name, binding in self._bindings.items() if binding.carrier is carrier]:
                del self._bindings[name]
            for caller in [one for callers in self._waiting.values() for one in callers if one.carrier is carrier]:
                self._stop_waiting(caller)
            others = [(end.carrier_there, end.there) for end in ends]
            for there, other in others:
                self._ends.get(there, {}).pop(other, None)
        gone = trio.BrokenResourceError("the trio run of the peer has ended without closing its sockets")
        for there, other in others:
            there.mailbox.put(partial(other.lost, gone))

    # --- names --------------------------------------------------------------------------------

    def bind(self, binding: SharedBinding) -> None:
        """Give a name to a socket, and tell those that wait for it.

        Raises:
          AddressInUseError: another socket has it.
        """
        with self._lock:
            if binding.name in self._bindings:
                text = f"{binding.endpoint} is bound already by another socket that shares these names"
                raise AddressInUseError(errno.EADDRINUSE, text)
            self._bindings[binding.name] = binding
            waiting = self._waiting.pop(binding.name, {})
        for caller in waiting:
            caller.carrier.mailbox.put(caller.look)

    def release(self, binding: SharedBinding) -> None:
        """Free the name, if the binding has it still; those wait for another one that it has refused."""
        with self._lock:
            if self._bindings.get(binding.name) is not binding:
                return
            del self._bindings[binding.name]
            waiting = list(self._waiting.get(binding.name, ()))
        for caller in waiting:
            caller.carrier.mailbox.put(partial(caller.hope_again, binding))

    def find(self, caller: Caller, other_than: SharedBinding | None) -> SharedBinding | None:
        """Who has bound the caller's name; if nobody has, the caller is told by `Caller.look` when somebody does.

        Args:
          other_than: counts as nobody: it has refused the caller, and would again.
        """
        with self._lock:
            if caller.carrier not in self._ends:
                return None  # its context has ended
            binding = self._bindings.get(caller.name)
            if binding is None or binding is other_than:
                self._waiting.setdefault(caller.name, {})[caller] = None
                return None
            return binding

    def forget(self, caller: Caller) -> None:
        """The caller waits for its name no longer."""
        with self._lock:
            self._stop_waiting(caller)

    def _stop_waiting(self, caller: Caller) -> None:
        waiting = self._waiting.get(caller.name, {})
        waiting.pop(caller, None)
        if not waiting:
            self._waiting.pop(caller.name, None)

    # --- links --------------------------------------------------------------------------------

    def link(self, near: End, far: End) -> bool:
        """Note two ends of a link: each is told when the other's context ends. Returns: False if one has ended."""
        with self._lock:
            if near.carrier not in self._ends or far.carrier not in self._ends:
                return False
            self._ends[near.carrier][near] = None
            self._ends[far.carrier][far] = None
            return True

    def unlink(self, end: End) -> None:
        """The end is an end no more; the other one may not know yet."""
        with self._lock:
            self._ends.get(end.carrier, {}).pop(end, None)


@final
class SharedNames:
    """The names of ``inproc://`` endpoints that several trio runs have in common, each in a thread of its own.

    Given to ``open_context(inproc=names)`` in each of the runs. Made and passed on in any thread. There is nothing to
    close: when the last context is left, nothing refers to anything.
    """

    def __init__(self) -> None:
        self._registry = Registry()

    def __repr__(self) -> str:
        bound, contexts = self._registry.count()
        return f"<triomq.SharedNames {bound} bound, {contexts} contexts>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("SharedNames are for the threads of one process; between processes use ipc:// or tcp://")


def registry_of(names: SharedNames) -> Registry:
    """What the names stand for; a user has no use for it."""
    return names._registry
