"""What the contract checks are written with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import trio


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
