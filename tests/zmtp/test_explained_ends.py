"""What a peer's hanging up means, where such peers refuse without a word."""

from __future__ import annotations

import pytest

from triomq import Curve, Plain
from triomq.zmtp import Connection, Null

from .curve_peer import GREETING as CURVE
from .curve_peer import Server, key_pair

NULL = CURVE.replace(b"CURVE", b"NULL\0")
SIGNATURE = 10
SERVER = key_pair(1)


def after(heard: int, *, in_pieces: bool = False) -> str:
    """What the end means to a side without a mechanism, when so many octets of a greeting have come."""
    connection = Connection("PULL", as_server=True)
    if in_pieces:
        connection.greet_in_pieces()
    connection.data_to_send()
    connection.receive_data(NULL[:heard])
    return connection.explain_end()


def test_a_libzmq_that_wants_another_mechanism_hangs_up_behind_its_signature() -> None:
    assert after(SIGNATURE) == (
        "it is probably a libzmq that wants another mechanism than NULL; give both sides the same mechanism="
    )


@pytest.mark.parametrize("heard", [0, 1, SIGNATURE - 1, SIGNATURE + 1, SIGNATURE + 2, 40, 64])
def test_elsewhere_in_the_greeting_the_end_means_nothing(heard: int) -> None:
    assert after(heard) == ""


def test_whom_no_mechanism_was_named_does_not_refuse_it() -> None:
    assert after(SIGNATURE, in_pieces=True) == ""


def client() -> Connection:
    security = Curve(SERVER.public_key, key_pair(2))
    mechanism = security.new_mechanism(as_server=False, asks=False, random_bytes=lambda size: bytes(range(size)))
    return Connection("DEALER", as_server=False, mechanism=mechanism)


def test_a_server_of_another_key_hangs_up_at_the_hello() -> None:
    connection = client()
    connection.receive_data(CURVE)
    why = connection.explain_end()
    assert why == (
        f"it is probably not the server of the given server_key, {SERVER.public_text}; compare that with its public key"
    )
    greeting_and_hello = connection.data_to_send()
    server = Server(SERVER)
    server.take_hello(greeting_and_hello[64:])
    connection.receive_data(server.welcome())
    assert connection.explain_end() == "", "it has opened the HELLO"


def test_a_server_of_plain_that_hangs_up_at_the_hello_may_be_tried_again_at_once() -> None:
    """So it does where it cannot tell yet whether to let the client in (RFC 27, status 300)."""
    mechanism = Plain("joe", "secret").new_mechanism(as_server=False, asks=False, random_bytes=bytes)
    connection = Connection("DEALER", as_server=False, mechanism=mechanism)
    connection.receive_data(CURVE.replace(b"CURVE", b"PLAIN"))
    assert connection.explain_end() == ""


def test_without_a_mechanism_no_such_peer_is_known() -> None:
    connection = Connection("DEALER", as_server=False, mechanism=Null())
    connection.receive_data(NULL)
    assert connection.explain_end() == ""
