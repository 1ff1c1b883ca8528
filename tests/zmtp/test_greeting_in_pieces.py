"""A greeting in two pieces: the mechanism is told only to a peer that has told its version."""

from __future__ import annotations

import pytest

from triomq import MechanismMismatchError
from triomq.zmtp import Connection, HandshakeComplete

from .curve_peer import GREETING as CURVE

NULL = CURVE.replace(b"CURVE", b"NULL\0")


def careful() -> Connection:
    connection = Connection("PULL", as_server=True)
    connection.greet_in_pieces()
    return connection


@pytest.mark.parametrize("heard", [0, 1, 10])
def test_the_rest_waits_for_the_version(heard: int) -> None:
    connection = careful()
    assert connection.data_to_send() == NULL[:12]
    connection.receive_data(NULL[:heard])
    assert connection.data_to_send() == b""
    connection.receive_data(NULL[heard:11])
    assert NULL[:12] + connection.data_to_send() == NULL
    connection.receive_data(NULL[11:])
    assert b"READY" in connection.data_to_send()


def test_the_whole_is_told_whole() -> None:
    connection = Connection("PULL", as_server=True)
    assert connection.data_to_send() == NULL
    assert connection.data_to_send() == b""


def test_a_peer_that_wants_another_mechanism_is_told_ours() -> None:
    connection = careful()
    with pytest.raises(MechanismMismatchError) as caught:
        connection.receive_data(CURVE)
    assert (caught.value.theirs, caught.value.ours) == (b"CURVE", "NULL")
    assert connection.data_to_send() == NULL


@pytest.mark.parametrize("step", [1, 5, 64])
def test_two_that_are_both_careful(step: int) -> None:
    one, other = careful(), Connection("PUSH", as_server=False)
    other.greet_in_pieces()
    sides = {one: other, other: one}
    buffers = {one: b"", other: b""}
    events = []
    while not (one.established and other.established):
        for side, peer in sides.items():
            buffers[peer] += side.data_to_send()
            said, buffers[side] = buffers[side][:step], buffers[side][step:]
            events += side.receive_data(said)
    assert [type(event) for event in events] == [HandshakeComplete] * 2
