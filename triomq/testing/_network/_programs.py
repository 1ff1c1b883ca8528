"""Programs as they are, on virtual hosts: `triomq.open_context` opens a context of the host that they run on.

Which host that is, a context variable says, which trio hands on to each task that a program starts. The function
itself is replaced wherever a module has it by name: in `triomq`, and in modules that have imported it from there. It is
put back when no program runs any more; outside of programs the replacement does what the original does.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, Final, TypeAlias

from ..._context import Context, open_context

Opener: TypeAlias = Callable[..., AbstractAsyncContextManager[Context]]

_opener: Final[ContextVar[Opener | None]] = ContextVar("triomq.testing opener", default=None)
_NAME: Final = "open_context"
_running: dict[
    object, None
] = {}  # what runs now: the first to begin replaces the function, the last to end puts it back


@wraps(open_context)
def _open_where_the_program_runs(**options: Any) -> AbstractAsyncContextManager[Context]:
    return (_opener.get() or open_context)(**options)


def _replace(old: object, new: object) -> None:
    for name, module in list(sys.modules.items()):
        ours = name.startswith("triomq.")  # these mean the original
        if not ours and getattr(module, "__dict__", {}).get(_NAME) is old:
            setattr(module, _NAME, new)


@contextmanager
def opening_with(opener: Opener) -> Iterator[None]:
    """In this block, and in the tasks started in it, `triomq.open_context` is ``opener``."""
    me = object()
    if not _running:
        _replace(open_context, _open_where_the_program_runs)
    _running[me] = None
    token = _opener.set(opener)
    try:
        yield
    finally:
        _opener.reset(token)
        del _running[me]
        if not _running:
            _replace(_open_where_the_program_runs, open_context)
