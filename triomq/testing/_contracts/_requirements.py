"""What the contract checks are written with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import trio

PATIENCE = 60.0  # seconds, preferably of virtual time; what takes longer counts as hung


def require(condition: object, text: str) -> None:
    """Raise AssertionError unless a condition holds, also under ``python -O``."""
    if not condition:
        raise AssertionError(text)


@contextmanager
def must_raise(wanted: type[BaseException] | tuple[type[BaseException], ...], text: str) -> Iterator[None]:
    """Require that the block raises an exception of a class."""
    try:
        yield
    except wanted:
        return
    except trio.Cancelled:
        raise
    except BaseException as exc:
        raise AssertionError(f"{text}: it raised {exc!r}") from exc
    raise AssertionError(f"{text}: it raised nothing")


@contextmanager
def must_not_raise(text: str) -> Iterator[None]:
    """Require that the block raises nothing. A fault that a check inside has found passes through."""
    try:
        yield
    except (AssertionError, trio.Cancelled):
        raise
    except Exception as exc:
        raise AssertionError(f"{text}: it raised {exc!r}") from exc


@contextmanager
def must_end(text: str, seconds: float = PATIENCE) -> Iterator[None]:
    """Require that the block is over in time."""
    with trio.move_on_after(seconds) as scope:
        yield
    require(not scope.cancelled_caught, f"{text}: it was not over after {seconds:g} s")


@contextmanager
def first_fault() -> Iterator[None]:
    """Let the first AssertionError of a group leave by itself: a reader wants the fault, not which task found it."""
    try:
        yield
    except BaseExceptionGroup as group:
        fault: BaseException | None = group.subgroup(AssertionError)
        while isinstance(fault, BaseExceptionGroup):
            fault = fault.exceptions[0]
        if fault is None:
            raise
        raise fault from fault.__cause__  # noqa: ASYNC123  # its own traceback tells where; the group's adds nothing
