"""Socket options as text: ``-o send_hwm=5``, and the list of them."""

from __future__ import annotations

import difflib
import math
import textwrap
from collections.abc import Iterable
from typing import Any, get_args, get_origin, get_type_hints

import attrs

from .. import Options
from ._exits import UsageError
from ._quoting import unquote

_FIELDS = attrs.fields_dict(Options)
_NAMES = [name for name in _FIELDS if name != "mechanism"]
"""A mechanism holds secrets, which have no place in a command line."""
_HINTS = get_type_hints(Options)
_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")
_LIBZMQ = {
    field.metadata["zmq"].removeprefix("ZMQ_").lower(): name for name, field in _FIELDS.items() if field.metadata["zmq"]
}
# What else people type, and what stands for each.
_OTHERS = {
    "identity": "routing_id",
    "maxmsgsize": "max_message_size",
    "rcvtimeo": "--timeout",
    "sndtimeo": "--timeout",
    "timeout": "--timeout",
    "subscribe": "--subscribe",
    "topics": "--subscribe",
    "topic": "--subscribe",
}


def names_for(socket_type: str) -> list[str]:
    """The options that mean something for a socket type."""
    return ["hwm", *(name for name in _NAMES if _applies(name, socket_type))]


def _applies(name: str, socket_type: str) -> bool:
    types = _FIELDS[name].metadata["types"]
    return "all" in types or socket_type in types


def read_options(texts: Iterable[str], socket_type: str) -> dict[str, Any]:
    """The keyword arguments for `Context.socket` that a user wrote as ``name=value``.

    Raises:
      UsageError: there is no such option for this type, or the value is none of its type.
    """
    found: dict[str, Any] = {}
    for text in texts:
        name, separator, value = text.partition("=")
        name = name.strip().replace("-", "_")
        if name not in names_for(socket_type):
            raise UsageError(f"-o {text}: {_explain_unknown(name, socket_type)}")
        if not separator:
            raise UsageError(f"-o {text}: it takes a value, as in -o {name}={_example(name)}")
        found[name] = _read_value(name, value, text)
    return found


def _explain_unknown(name: str, socket_type: str) -> str:
    kind = socket_type.lower()
    if name == "mechanism" or name.lower().removeprefix("zmq_").startswith(("curve_", "plain_")):
        return "keys and passwords come from files: see --keys, --server-key, --login and --users"
    if name in _FIELDS:
        types = ", ".join(sorted(_FIELDS[name].metadata["types"]))
        return f"{name} means nothing for {socket_type}; it is for {types}"
    known = name.lower().removeprefix("zmq_")
    if stands := _LIBZMQ.get(known, _OTHERS.get(known, _LIBZMQ.get(known.replace("_", "")))):
        return f"there is no such option; what you mean is {stands} here"
    near = difflib.get_close_matches(known, names_for(socket_type), n=1, cutoff=0.6)
    meant = f"do you mean {near[0]}?" if near else f"'triomq options {kind}' lists all"
    return f"there is no such option; {meant}"


def _types(name: str) -> tuple[type, ...]:
    hint = int if name == "hwm" else _HINTS[name]
    return get_args(hint) or (hint,)


def _example(name: str) -> str:
    kinds = _types(name)
    if tuple in map(get_origin, kinds):
        return "192.0.2.0/24,uid:1000"
    return "true" if bool in kinds else "NAME" if bytes in kinds else "0.5" if float in kinds else "100"


def _read_value(name: str, value: str, text: str) -> Any:
    kinds = _types(name)
    word = value.strip().lower()
    if type(None) in kinds and word in ("none", "default"):
        return None
    try:
        if tuple in map(get_origin, kinds):
            return tuple(one.strip() for one in value.split(","))
        if bool in kinds:
            return _read_flag(word)
        if bytes in kinds:
            return unquote(value.encode("utf-8", "surrogateescape"))
        return _read_number(word, whole=float not in kinds)
    except ValueError as exc:
        raise UsageError(f"-o {text}: {exc}") from None


def _read_flag(word: str) -> bool:
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueError(f"it is {_TRUE[0]} or {_FALSE[0]}")


def _read_number(word: str, *, whole: bool) -> float:
    if not whole and word in ("inf", "infinity"):
        return math.inf
    try:
        return int(word, 0)
    except ValueError:
        if whole:
            raise ValueError(f"{word!r} is no whole number") from None
    try:
        return float(word)
    except ValueError:
        raise ValueError(f"{word!r} is no number; inf is for ever, or no bound") from None


def describe_options(socket_type: str | None, width: int) -> str:
    """The list of options: of one socket type, or of all."""
    names = list(_NAMES) if socket_type is None else [name for name in _NAMES if _applies(name, socket_type)]
    of = "any socket" if socket_type is None else socket_type
    lines = [f"Options of {of}, for -o NAME=VALUE. hwm sets send_hwm and receive_hwm.", ""]
    for name in names:
        lines.append(_headline(name))
        meaning = _FIELDS[name].metadata["doc"].replace("``", "").replace("`", "")
        lines += textwrap.wrap(
            meaning, max(width - 1, 30), initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False
        )
    return "\n".join(lines) + "\n"


def _headline(name: str) -> str:
    field = _FIELDS[name]
    default = field.default
    shown = "empty" if default == b"" else str(default).lower()
    unit = field.metadata["unit"]
    kind = "true or false" if bool in _types(name) else unit
    notes = [f"default {shown}", *([kind] if kind else [])]
    types = field.metadata["types"]
    if "all" not in types:
        notes.append(f"{', '.join(sorted(types))} only")
    return f"{name}  ({'; '.join(notes)})"
