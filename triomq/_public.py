"""Public names: where they say that they are public, and when they are imported.

Tracebacks, ``repr`` and ``help`` show a class's module, and a user cannot import from a private one. So a public name
says ``triomq.WrongStateError``, never ``triomq._errors.WrongStateError``.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterable, Mapping
from types import FunctionType

import trio


def publish(module_name: str, namespace: Mapping[str, object], names: list[str]) -> None:
    """Let public classes and functions, and their members, name the module that they are public in.

    Args:
      module_name: such as ``"triomq"``.
      namespace: the module's globals.
      names: its ``__all__``; what is imported `later` is passed over, and named when it comes.
    """
    for name in names:
        if name in namespace:
            _publish_one(namespace[name], module_name, module_name.partition(".")[0])


def later(module_name: str, places: Mapping[str, Iterable[str]], *, together: bool = False) -> Callable[[str], object]:
    """Make a module's ``__getattr__`` that imports some of its names when they are asked for (PEP 562).

    It is for what many programs never use: every program pays for what is imported with triomq. The module also imports
    the names for type checkers, as if they were there from the beginning. A name that is public says so from when it
    comes, also by the door of a private room.

    Args:
      module_name: the module's ``__name__``.
      places: the names, by the module that they are imported from, which is relative to this one.
      together: with one name come all of its place. The annotations of a public class are looked up in the module
        that the class says it is from, so classes that name each other have to come together.
    """
    found_in = {name: place for place, names in places.items() for name in names}

    @trio.lowlevel.enable_ki_protection  # Ctrl-C in the midst of an import would leave half a module
    def bring(name: str) -> object:
        place = found_in.get(name)
        if place is None:
            raise AttributeError(f"module {module_name!r} has no attribute {name!r}", name=name)
        here = sys.modules[module_name]
        package = module_name if hasattr(here, "__path__") else module_name.rpartition(".")[0]
        there = importlib.import_module(place, package)
        brought = list(places[place]) if together else [name]
        vars(here).update((other, getattr(there, other)) for other in brought)
        home = module_name.partition("._")[0]
        publish(home, vars(here), [other for other in brought if other in vars(sys.modules[home]).get("__all__", ())])
        return vars(here)[name]

    return bring


def _publish_one(thing: object, module_name: str, package: str) -> None:
    module = getattr(thing, "__module__", None)
    if not isinstance(thing, (type, FunctionType)) or not isinstance(module, str):
        return
    if module.partition(".")[0] != package or "._" not in module:
        return  # somebody else's, or public where it is already
    thing.__module__ = module_name
    if isinstance(thing, type):
        for member in list(vars(thing).values()):
            if isinstance(member, (classmethod, staticmethod)):
                member = member.__func__
            if isinstance(member, property):
                member = member.fget
            _publish_one(member, module_name, package)
