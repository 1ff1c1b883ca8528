"""What records can do besides holding their fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any


class Record:
    """The base of attrs classes with ``eq=False, repr=False``: equality, hash and repr by their fields, as of attrs.

    attrs writes these methods for each class and compiles them when the class is made. For our many small classes that
    was a fifth of the time of ``import triomq``, and nothing compares or shows records where speed matters.
    """

    __slots__ = ()
    if TYPE_CHECKING:
        __attrs_attrs__: Any

    def __eq__(self, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return all(getattr(self, one.name) == getattr(other, one.name) for one in self.__attrs_attrs__ if one.eq)

    def __hash__(self) -> int:
        hashed = [getattr(self, one.name) for one in self.__attrs_attrs__ if one.eq and one.hash is not False]
        return hash((self.__class__, *hashed))

    def __repr__(self) -> str:
        fields = ", ".join(f"{one.name}={getattr(self, one.name)!r}" for one in self.__attrs_attrs__ if one.repr)
        return f"{self.__class__.__qualname__}({fields})"
