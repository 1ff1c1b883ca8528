"""Public names say where they are public: ``triomq.WrongStateError``, never ``triomq._errors.WrongStateError``.

Tracebacks, ``repr`` and ``help`` show a class's module, and a user cannot import from a private one.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import FunctionType


def publish(module_name: str, namespace: Mapping[str, object], names: list[str]) -> None:
    """Let public classes and functions, and their members, name the module that they are public in.

    Args:
      module_name: such as ``"triomq"``.
      namespace: the module's globals.
      names: its ``__all__``.
    """
    package = module_name.partition(".")[0]
    for name in names:
        _publish_one(namespace[name], module_name, package)


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
