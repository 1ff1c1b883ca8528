"""What the value of an option may be: each function refuses, with a ValueError, all other values."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import attrs

from .. import _security
from .._security import Security

Validator = Callable[[Any, "attrs.Attribute[Any]", Any], None]

_LONGEST = 1_000_000_000
"""seconds, 31 years: the longest finite time; larger ones would overflow when they are added up or doubled"""
_MOMENT = 1e-3
"""seconds: the longest time for which a task may keep the loop to itself"""
_MOST = 2**63
"""the largest finite bound: more than any machine can count up to"""


def _fail(field: attrs.Attribute[Any], value: object, wanted: str) -> None:
    raise ValueError(f"option {field.name}={_cut(value)}: it is {wanted}")


def _cut(value: object) -> str:
    """A value as text; Python refuses to write a whole number of thousands of digits."""
    if isinstance(value, int) and value.bit_length() > 256:
        return f"{'-' if value < 0 else ''}2**{value.bit_length() - 1} or more"
    return repr(value)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value == value  # nan equals nothing


def seconds(_: object, field: attrs.Attribute[Any], value: Any) -> None:
    """A time in seconds, or for ever."""
    if not _is_number(value) or value < 0:
        _fail(field, value, "a time in seconds, 0 or more (math.inf for no bound)")
    _refuse_more(field, value, _LONGEST, f"a time in seconds, {_LONGEST} or less, or math.inf for no bound")


def positive_seconds(_: object, field: attrs.Attribute[Any], value: Any) -> None:
    """A time above 0, or for ever."""
    if not _is_number(value) or value <= 0:
        _fail(field, value, "a time in seconds above 0 (math.inf for no bound)")
    seconds(_, field, value)


def finite_seconds(_: object, field: attrs.Attribute[Any], value: Any) -> None:
    """A time in seconds, not for ever."""
    if value == math.inf:
        _fail(field, value, "a finite time in seconds: all that is sent meanwhile is kept")
    seconds(_, field, value)


def moment(_: object, field: attrs.Attribute[Any], value: Any) -> None:
    """A time for which the loop may stand still."""
    if not _is_number(value) or not 0 <= value <= _MOMENT:
        _fail(field, value, f"a time in seconds from 0 (off) to {_MOMENT}, for no other task runs meanwhile")


def _refuse_more(field: attrs.Attribute[Any], value: Any, most: int, wanted: str) -> None:
    if most < value != math.inf:
        _fail(field, value, wanted)


def ttl(_: object, field: attrs.Attribute[Any], value: Any) -> None:
    """A time that a PING can say, as 16 bits of tenths of a second (37/ZMTP §2.6.1)."""
    if not _is_number(value) or not 0 <= value <= 6553.5:
        _fail(field, value, "a time in seconds from 0 (none) to 6553.5, the most that a PING can say")


def bound(what: str) -> Validator:
    """A whole number, or no bound."""

    def check(_: object, field: attrs.Attribute[Any], value: Any) -> None:
        if value != math.inf and not _is_whole(value, 0):
            _fail(field, value, f"a whole number of {what}, 0 or more, or math.inf for no bound")
        _refuse_more(field, value, _MOST, f"a whole number of {what}, 2**63 or less, or math.inf for no bound")

    return check


def _is_whole(value: Any, minimum: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= minimum


def at_least(minimum: int, what: str) -> Validator:
    """A whole number that is not too small."""

    def check(_: object, field: attrs.Attribute[Any], value: Any) -> None:
        if not _is_whole(value, minimum):
            _fail(field, value, f"{what}, {minimum} or more")
        _refuse_more(field, value, _MOST, f"{what}, 2**63 or less")

    return check


def between(minimum: int, maximum: int, what: str) -> Validator:
    """A whole number in a range."""

    def check(_: object, field: attrs.Attribute[Any], value: Any) -> None:
        if not _is_whole(value, minimum) or value > maximum:
            _fail(field, value, f"{what} from {minimum} to {maximum}")

    return check


def flag(_: object, field: attrs.Attribute[Any], value: Any) -> None:
    """True or False."""
    if not isinstance(value, bool):
        _fail(field, value, "True or False")


def conflate(_: object, field: attrs.Attribute[Any], value: Any) -> None:
    """How a queue conflates."""
    if value != "topics" and not isinstance(value, bool):
        _fail(field, value, 'True, False or "topics"')


def routing_id(_: object, field: attrs.Attribute[Any], value: Any) -> None:
    """A name that a peer may have."""
    if not isinstance(value, bytes) or len(value) > 255:
        _fail(field, value, "bytes, 255 of them at the most")
    if value[:1] == b"\0":
        _fail(field, value, "not allowed to begin with a zero byte: those are the ROUTER's own")


hwm = at_least(0, "a number of messages (0 for no limit)")


def mechanism(_: object, field: attrs.Attribute[Any], value: Any) -> None:
    """What secures connections. The error does not show the value, which may be a secret."""
    if value is not None and not isinstance(value, Security):
        kind = f"class {value.__name__}" if isinstance(value, type) else type(value).__name__
        raise ValueError(
            f"option {field.name}=<{kind}>: it is None, an object of triomq.Plain or triomq.Curve, "
            "or of a triomq.abc.Security of your own"
        )


def accept_from(_: object, field: attrs.Attribute[Any], value: Any) -> None:
    """Where peers may come from."""
    if value is None:
        return
    if not isinstance(value, tuple):
        _fail(field, value, "None for everywhere, or several texts, such as ('192.0.2.0/24', 'uid:1000')")
    try:
        _security.AllowList(value)
    except ValueError as exc:
        raise ValueError(f"option {field.name}={value!r}: {exc}") from None


def as_tuple(value: Any) -> Any:
    """Several things as a tuple; what is no collection stays as it is."""
    return tuple(value) if isinstance(value, (list, set, frozenset)) else value


def system(what: str, maximum: int) -> Validator:
    """A number for the system, or None for its default."""
    return attrs.validators.optional(between(1, maximum, f"None for the system's default, or a whole number of {what}"))


def ipc_mode(_: object, field: attrs.Attribute[Any], value: Any) -> None:
    """Permission bits."""
    if value is None or (_is_whole(value, 0) and value <= 0o777):
        return
    wanted = "None for what the umask leaves, or permission bits from 0 to 0o777"
    if isinstance(value, int) and set(str(value)) <= set("01234567") and len(str(value)) == 3:
        wanted += f"; write 0o{value} for the bits that chmod calls {value}"
    _fail(field, value, wanted)
