"""Two sides of one mechanism that are both its server, or both its client: each is told so."""

from __future__ import annotations

import random

import pytest

from triomq import Curve, MechanismMismatchError, Plain
from triomq.abc import Security
from triomq.zmtp import Connection

from .curve_peer import key_pair

KEYS = key_pair(1)
SERVERS = [Curve.server(KEYS), Plain.server({"joe": "secret"})]
CLIENTS = [Curve(KEYS.public_key), Plain("joe", "secret")]
NAMES = ["CURVE", "PLAIN"]


def side_of(security: Security) -> Connection:
    as_server = bool(security.as_server)
    mechanism = security.new_mechanism(as_server=as_server, asks=False, random_bytes=random.Random(1).randbytes)
    return Connection("DEALER", as_server=as_server, mechanism=mechanism)


@pytest.mark.parametrize("security", SERVERS, ids=NAMES)
def test_two_servers(security: Security) -> None:
    """Each would wait for the other's HELLO until the time is up."""
    one, other = side_of(security), side_of(security)
    with pytest.raises(MechanismMismatchError) as caught:
        one.receive_data(other.data_to_send())
    name = security.name
    assert caught.value.reason == f"both sides are the server of {name}; one of them has to be its client"
    assert (caught.value.theirs, caught.value.ours, caught.value.offset) == (name.encode(), name, 32)


@pytest.mark.parametrize("security", SERVERS, ids=NAMES)
def test_a_server_that_does_not_say_so_is_no_client_yet(security: Security) -> None:
    """libzmq never says so."""
    one, other = side_of(security), side_of(security)
    greeting = bytearray(other.data_to_send())
    greeting[32] = 0
    assert one.receive_data(bytes(greeting)) == []
    assert one.greeted


@pytest.mark.parametrize("security", SERVERS, ids=NAMES)
def test_what_the_silence_of_one_that_does_not_say_so_means(security: Security) -> None:
    """A client says HELLO as soon as it is greeted. So the other side is asked about, or hangs up, in silence."""
    one, other = side_of(security), side_of(security)
    assert one.explain_silence() == one.explain_end() == ""
    greeting = bytearray(other.data_to_send())
    greeting[32] = 0
    one.receive_data(bytes(greeting))
    why = f"it is probably a server of {security.name}, too, as a libzmq does not say"
    assert one.explain_silence() == one.explain_end() == f"{why}; one of them has to be its client"


@pytest.mark.parametrize("number", [0, 1], ids=NAMES)
def test_the_silence_of_one_that_has_begun_means_nothing(number: int) -> None:
    one, client = side_of(SERVERS[number]), side_of(CLIENTS[number])
    client.receive_data(one.data_to_send())
    one.receive_data(client.data_to_send())
    assert client.explain_silence() == one.explain_silence() == one.explain_end() == ""


@pytest.mark.parametrize("security", CLIENTS, ids=NAMES)
def test_two_clients(security: Security) -> None:
    one, other = side_of(security), side_of(security)
    assert other.receive_data(one.data_to_send()) == []
    hello = other.data_to_send()[64:]
    one.receive_data(side_of(security).data_to_send())
    with pytest.raises(MechanismMismatchError) as caught:
        one.receive_data(hello)
    assert caught.value.reason == (f"both sides are clients of {security.name}; one of them has to be its server")
