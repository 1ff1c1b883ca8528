"""Whether the running task is cancelled, asked without a coroutine.

Theory of operation

Every call of a socket is a cancellation point, also one that does not wait. trio's public way to keep that promise is
``await checkpoint_if_cancelled()``: a coroutine is made, started and finished, and in the end looks at one attribute of
the task. That costs more than queueing the message does. So the calls on the path of every message look at the
attribute first, and await only if there is something to raise.

Neither that attribute is public, nor the place where trio keeps the running task. This is the only module that reads
them, and it looks whether this trio has them; where it has not, `is_cancelled` says True each time, and every call
awaits ``checkpoint_if_cancelled()`` as if this module did not exist. An interrupt by Ctrl-C of the main task is not
seen here: the last call of each turn awaits the real function.
"""

from __future__ import annotations

from typing import Any

from trio.lowlevel import Task, current_task

_place: Any = getattr(current_task, "__globals__", {}).get("GLOBAL_RUN_CONTEXT")  # where this thread's task is


def _trio_tells() -> bool:
    status = getattr(current_task, "__globals__", {}).get("CancelStatus")
    return _place is not None and hasattr(Task, "_cancel_status") and hasattr(status, "effectively_cancelled")


def _look() -> bool:
    try:
        return _place.task._cancel_status.effectively_cancelled  # type: ignore[no-any-return]
    except AttributeError:  # no task runs, as trio's own function will say
        return True


def _cannot_tell() -> bool:
    return True


is_cancelled = _look if _trio_tells() else _cannot_tell
"""Whether the next checkpoint of the running task would raise `trio.Cancelled`; True where that is not known."""
