"""Records compare, hash and show themselves as classes that attrs writes these methods for."""

from __future__ import annotations

import attrs
import pytest

import triomq
from triomq._record import Record


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Ours(Record):
    name: str
    size: int | None = None
    more: dict[str, int] = attrs.field(factory=dict, hash=False)
    secret: bytes = attrs.field(default=b"secret", repr=False)


@attrs.frozen(kw_only=True)
class Theirs:
    name: str
    size: int | None = None
    more: dict[str, int] = attrs.field(factory=dict, hash=False)
    secret: bytes = attrs.field(default=b"secret", repr=False)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Another(Record):
    name: str
    size: int | None = None
    more: dict[str, int] = attrs.field(factory=dict, hash=False)


def test_records_are_equal_field_by_field() -> None:
    one = Ours(name="a", more={"x": 1})
    assert one == Ours(name="a", more={"x": 1})
    assert one != Ours(name="a", more={"x": 2})
    assert one != Ours(name="b", more={"x": 1})
    assert one != Another(name="a", more={"x": 1})
    assert (one == "a") is False


def test_equal_records_have_one_hash() -> None:
    assert len({Ours(name="a", more={"x": 1}), Ours(name="a", more={"x": 1})}) == 1
    assert hash(Ours(name="a", more={"x": 1})) == hash(Ours(name="a", more={"x": 2})), "hash=False leaves a field out"
    assert hash(Ours(name="a")) != hash(Ours(name="b"))
    assert hash(Ours(name="a")) != hash(Another(name="a"))


@pytest.mark.parametrize("values", [{"name": "a"}, {"name": "b'", "size": 3, "more": {"x": 1}}])
def test_a_record_shows_itself_as_attrs_does(values) -> None:
    assert repr(Ours(**values)) == repr(Theirs(**values)).replace("Theirs", "Ours")
    assert "secret" not in repr(Ours(**values))


def test_a_record_is_still_a_class_of_attrs() -> None:
    event = triomq.Connected(endpoint="tcp://a:1", address="a:2")
    assert attrs.asdict(event) == {"endpoint": "tcp://a:1", "address": "a:2"}
    assert attrs.evolve(event, address="a:3") == triomq.Connected(endpoint="tcp://a:1", address="a:3")
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        event.address = "a:4"  # type: ignore[misc]
