"""What to write instead of wrong arguments."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterable, Callable, Iterable, Mapping
from typing import Final, NoReturn, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def takes(usage: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a function say how it is called when it is called with arguments that it has not.

    For what is not called for each message: it costs another call.

    Args:
      usage: how to call it, and what to do instead of what others would write.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return function(*args, **kwargs)
            except TypeError as exc:
                if exc.__traceback__ is None or exc.__traceback__.tb_next is not None:
                    raise  # out of the function: it was called
                wrong = _wrong(exc, function.__name__)
            raise TypeError(f"{wrong}: {usage}")

        if hasattr(inspect, "markcoroutinefunction") and inspect.iscoroutinefunction(function):
            inspect.markcoroutinefunction(call)
        return call

    return decorate


def _wrong(exc: TypeError, name: str) -> str:
    """What Python says, without the class in which the function happens to be."""
    _, _, said = str(exc).partition("() ")
    return f"{name}() {said}" if said else str(exc)


def refuse_extra(name: str, usage: str, *extra: object) -> NoReturn:
    """Refuse an argument that exists only to be refused: a time limit, flags.

    Args:
      name: of the function.
      usage: how it is called.
      extra: the arguments; None for one that was not given.
    Raises:
      TypeError: always.
    """
    shown = " and ".join(repr(one)[:60] for one in extra if one is not None)
    raise TypeError(
        f"{name}() was given {shown} too: {usage}; {TIME_LIMIT}; there are no flags, but send_nowait and receive_nowait"
    )


def hide_arguments(function: Callable[..., object], *names: str) -> None:
    """Show a function's signature, as in ``help``, without the arguments that exist only to be refused."""
    signature = inspect.signature(function)
    shown = [parameter for name, parameter in signature.parameters.items() if name not in names]
    function.__signature__ = signature.replace(parameters=shown)  # type: ignore[attr-defined]  # inspect looks there


TIME_LIMIT: Final = "for a time limit, write 'with trio.move_on_after(seconds):' around the call"


def check_count(what: str, value: object, least: int) -> None:
    """Refuse what is no whole number, or too small.

    Raises:
      TypeError: it is no int.
      ValueError: it is less than ``least``.
    """
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{what} is a whole number, an int, not {type(value).__name__}: {value!r}")
    if value < least:
        raise ValueError(f"{what} is {least} or more, not {value}")


def refuse_copy(thing: object) -> NoReturn:
    """Refuse to be copied or pickled.

    Raises:
      TypeError: always.
    """
    raise TypeError(
        f"{thing!r} can be neither copied nor pickled: it belongs to its context and its process; give another process "
        "the endpoint, and let it open a context and a socket of its own"
    )


def check_messages(messages: object) -> None:
    """Refuse what is no iterable of messages, or is a single one.

    Raises:
      TypeError: it is that.
    """
    no_messages = (str, bytes, bytearray, memoryview, Mapping, AsyncIterable)
    if isinstance(messages, no_messages) or not isinstance(messages, Iterable):
        how = "'async for' takes what it yields" if isinstance(messages, AsyncIterable) else "send() takes a single one"
        raise TypeError(
            f"send_many() takes an iterable of messages, such as [b'1', b'2'], not {type(messages).__name__}; {how}"
        )
