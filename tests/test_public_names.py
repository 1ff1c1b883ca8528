"""What a user sees of a name says where the name is public."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Iterator

import pytest

import triomq
import triomq.abc
import triomq.testing

MODULES = {"triomq": triomq, "triomq.abc": triomq.abc, "triomq.zmtp": triomq.zmtp, "triomq.testing": triomq.testing}


def public_things() -> Iterator[tuple[str, object]]:
    for module in MODULES.values():
        for name in module.__all__:
            yield f"{module.__name__}.{name}", getattr(module, name)


def private_places(thing: object) -> list[str]:
    """The private modules that a class or a function, or a member of it, says it is from."""
    found = []
    members = dict(vars(thing)) if isinstance(thing, type) else {}
    # From Python 3.13 on, attrs gives all its classes this one method; it says that it is of the class made last.
    members.pop("__replace__", None)
    for one in (thing, *members.values()):
        if isinstance(one, (classmethod, staticmethod)):
            one = one.__func__
        module = getattr(one, "__module__", None)
        if isinstance(one, type) or inspect.isfunction(one):
            if isinstance(module, str) and module.startswith("triomq") and "._" in module:
                found.append(f"{one.__qualname__} of {module}")
    return found


@pytest.mark.parametrize(("name", "thing"), [pytest.param(*pair, id=pair[0]) for pair in public_things()])
def test_no_public_name_says_that_it_is_from_a_private_module(name: str, thing: object) -> None:
    assert private_places(thing) == []


def test_a_traceback_shows_the_public_name() -> None:
    with pytest.raises(triomq.WrongStateError) as caught:
        raise triomq.WrongStateError("out of turn")
    assert traceback.format_exception_only(caught.value) == ["triomq.WrongStateError: out of turn\n"]
    assert repr(triomq.PUSH) == "<class 'triomq.PUSH'>"
    assert repr(triomq.open_context).startswith("<function open_context")
    assert triomq.open_context.__module__ == "triomq"


def test_a_socket_is_made_by_a_context_and_says_so() -> None:
    for kind in (triomq.PUSH, triomq.SUB, triomq.Socket, triomq.SendSocket):
        with pytest.raises(TypeError, match=rf"made by a context: ctx.socket\(triomq.{kind.__name__}\)"):
            kind()  # type: ignore[call-arg, abstract]


async def test_a_base_class_is_no_socket_type() -> None:
    async with triomq.open_context() as ctx:
        for kind in (triomq.Socket, triomq.SendSocket, triomq.ReceiveSocket):
            with pytest.raises(TypeError, match=r"a socket type is a class such as triomq\.REQ"):
                ctx.socket(kind)
