"""A base class for sockets: wrong names are answered with the right ones.

Theory of operation

Python has ``__getattr__`` for names that do not exist. But in CPython 3.11, a class that has it pays 80 ns for each
call of a method that does exist. So each wrong name that is known here is an attribute of the class: it raises the
AttributeError of a name that does not exist, with a word on what to write, and right names cost what they cost.
``hasattr`` and ``dir`` know nothing of wrong names, and neither does a type checker.

Setting an attribute is no part of a message's path, and so it can be looked at.
"""

from __future__ import annotations

from abc import ABCMeta
from types import FunctionType
from typing import TYPE_CHECKING, Any, NoReturn

from .._advice import (
    ABSENT,
    ALIASES,
    ELSEWHERE,
    SOCKET_NAMES,
    instead_of_option,
    instead_on_socket,
    option_meant,
    refuse_copy,
)
from .._options import ZMQ_NAMES


class MadeByContext(ABCMeta):
    """The metaclass of sockets: to call the class is refused, with a word on what to do."""

    def __call__(cls, *_: object, **__: object) -> NoReturn:
        raise TypeError(f"sockets are made by a context: ctx.socket(triomq.{cls.__name__}), not {cls.__name__}()")

    def __dir__(cls) -> list[str]:
        return [name for name in type.__dir__(cls) if _exists(cls, name)]


class _WrongName:
    """A name that somebody may write on a socket, and that does not exist."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, instance: object, owner: type) -> NoReturn:
        raise AttributeError(_explain(owner, self._name), name=self._name)


class AdvisedSocket:
    """What a socket says to wrong names, wrong statements, and attributes that are set."""

    __slots__ = ()  # with a second base that has a dict, CPython would look up each attribute of a socket the slow way

    if not TYPE_CHECKING:  # a type checker shall refuse all of these

        def __setattr__(self, name: str, value: Any) -> None:
            if name[0] != "_" and not isinstance(getattr(type(self), name, None), FunctionType):
                raise AttributeError(_explain_setting(type(self), name, value), name=name)
            object.__setattr__(self, name, value)

        def __enter__(self) -> NoReturn:
            raise TypeError(f"write 'async with', not 'with': leaving the block of a {_type(self)} may have to wait")

        def __exit__(self, *_: object) -> None: ...

        def __iter__(self) -> NoReturn:
            raise TypeError(
                f"a {_type(self)} only sends: there is nothing to iterate over"
                if not _has(type(self), "receive")
                else f"write 'async for message in …', not 'for': a {_type(self)} may have to wait for a message"
            )

        def __reduce_ex__(self, protocol: object) -> NoReturn:
            refuse_copy(self)

        def __dir__(self) -> list[str]:
            return [name for name in object.__dir__(self) if _exists(type(self), name)]


_theirs = [name.removeprefix("ZMQ_") for name in (*ZMQ_NAMES.values(), *ALIASES, *ELSEWHERE, *ABSENT) if name]
for _name in (*ZMQ_NAMES, *_theirs, *map(str.lower, _theirs), *SOCKET_NAMES):
    setattr(AdvisedSocket, _name, _WrongName(_name))


def _type(socket: object) -> str:
    return type(socket).__name__


def _exists(owner: type, name: str) -> bool:
    return not isinstance(vars(AdvisedSocket).get(name), _WrongName) or _has(owner, name)


def _has(owner: type, name: str) -> bool:
    return any(name in vars(one) for one in owner.__mro__ if one is not AdvisedSocket)


def _explain(owner: type, name: str) -> str:
    said = f"{owner.__name__} has no attribute {name!r}: "
    if instead := instead_on_socket(owner.__name__, _has(owner, "send"), _has(owner, "receive"), name):
        return said + instead
    if meant := option_meant(name, ZMQ_NAMES):
        read = "send_hwm and socket.options.receive_hwm" if meant == "hwm" else meant
        return f"{said}write socket.options.{read}; ctx.socket(triomq.{owner.__name__}, {meant}=…) sets the option"
    return said + str(instead_of_option(name))


def _explain_setting(owner: type, name: str, value: object) -> str:
    kind = owner.__name__
    said = f"{kind}.{name} cannot be set: "
    if meant := option_meant(name, ZMQ_NAMES):
        shown = repr(value) if meant == name and isinstance(value, (int, float, bytes)) else "…"
        return f"{said}options are given when the socket is made: ctx.socket(triomq.{kind}, {meant}={shown})"
    if name == "options":
        return f"{said}options are given when the socket is made: ctx.socket(triomq.{kind}, linger=0)"
    if instead := instead_of_option(name):
        return said + instead
    return f"{said}a socket has no attributes but its own; keep yours beside it"
