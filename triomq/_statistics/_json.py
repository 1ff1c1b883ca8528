"""Statistics of a context as JSON, for another process to read.

The text is an object with the fields of the snapshot, each by its name. Bytes (routing ids, metadata) are strings of
which each character is a byte (Latin-1); a limit of infinity is null. A reader leaves out what it does not know.
"""

from __future__ import annotations

import math
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import attrs

from ._snapshots import ContextStatistics


def to_plain(value: Any) -> Any:
    """A snapshot as what `json.dumps` takes."""
    if attrs.has(type(value)):
        return {field.name: to_plain(getattr(value, field.name)) for field in attrs.fields(type(value))}
    if isinstance(value, (tuple, list)):
        return [to_plain(one) for one in value]
    if isinstance(value, dict):
        return {name: to_plain(one) for name, one in value.items()}
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return None if value == math.inf else value


def from_plain(value: Any) -> ContextStatistics:
    """The snapshot that `to_plain` was given.

    Raises:
      ValueError: this is not what it returns.
    """
    try:
        snapshot = _read(ContextStatistics, value)
    except (KeyError, TypeError, AttributeError, UnicodeError, RecursionError) as exc:
        raise ValueError(f"these are no statistics of a context: {exc!r}") from exc
    assert isinstance(snapshot, ContextStatistics)
    return snapshot


def _read(kind: Any, value: Any) -> Any:
    """A value of a type, which is one of those that fields of snapshots have."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return None if value is None else _read(arguments[0], value)
    if origin is tuple:
        return tuple(_read(arguments[0], one) for one in value)
    if origin is dict:
        return {str(name): _read(arguments[1], one) for name, one in value.items()}
    if attrs.has(kind):
        hints = get_type_hints(kind)
        return kind(**{field.name: _read(hints[field.name], value[field.name]) for field in attrs.fields(kind)})
    if kind is bytes:
        return value.encode("latin-1")
    if kind is float:
        return math.inf if value is None else float(value)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise TypeError(f"{value!r:.40} where {kind.__name__} is due")
    return value
