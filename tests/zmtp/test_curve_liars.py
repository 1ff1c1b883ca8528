"""What CURVE refuses of a peer that lies, in the handshake and after it."""

from __future__ import annotations

from typing import Any

import pytest

from triomq import DeniedError, LocalProtocolError, Message, RefusedByPeerError, RemoteProtocolError
from triomq.zmtp import AuthenticationRequested, State

from .curve_peer import Client, Server, command, message, number
from .curve_sides import CLIENT, SERVER, STRANGER, client_side, encoded, greet, met, met_server, server_side, welcomed

# --- what a server refuses --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"version": b"\2\0"}, "CurveZMQ 2.0"),
        ({"version": b"\1\1"}, r"CurveZMQ 1\.1"),
        ({"padding": bytes(71) + b"\1"}, "padding is not zero"),
        ({"padding": b"\1" + bytes(71)}, "padding is not zero"),
        ({"zeros": bytes(63) + b"\1"}, "does not hold zeros"),
        ({"box": bytes(80)}, "for another key"),
        ({"client": bytes(32)}, "hides nothing"),
        ({"client": STRANGER.public_key}, "for another key"),
        ({"more": b"x"}, "201 octets; 200 are allowed"),
        ({"padding": bytes(71)}, "193 octets; 194 are due"),
    ],
    ids=str,
)
def test_a_wrong_hello(changed: dict[str, Any], why: str) -> None:
    connection = server_side()
    greet(connection)
    with pytest.raises(RemoteProtocolError, match=why):
        connection.receive_data(Client(SERVER.public_key).hello(**changed))
    assert connection.data_to_send() == b"", "who knows no key of the server is told nothing"
    assert connection.state is State.CLOSED


def test_a_hello_for_another_server() -> None:
    connection = server_side()
    greet(connection)
    with pytest.raises(RemoteProtocolError, match="the client was given a wrong server_key"):
        connection.receive_data(Client(STRANGER.public_key).hello())


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"nonce": number(1)}, "used before"),
        ({"nonce": number(0)}, "used before"),
        ({"cookie": bytes(96)}, "cookie that is not from this connection"),
        ({"box": bytes(200)}, "box does not open"),
        ({"box": bytes(143)}, "247 octets; 248 or more are due"),
        ({"vouch": bytes(96)}, "vouch does not open"),
        ({"key": STRANGER.public_key}, "vouch does not open"),
        ({"voucher": STRANGER.secret_key}, "vouch does not open"),
        ({"vouched": bytes(32) + SERVER.public_key}, "vouch is for another"),
        ({"metadata": b"\x0bSocket-Type\0\0\0\x07DEALER"}, "runs over the end"),
        ({"metadata": b"\x0bSocket-Type\0\0\0\x03PUB"}, "does not talk to PUB"),
        ({"metadata": b""}, "no Socket-Type"),
    ],
    ids=str,
)
def test_a_wrong_initiate(changed: dict[str, Any], why: str) -> None:
    connection = server_side()
    client = welcomed(connection)
    with pytest.raises(RemoteProtocolError, match=why):
        connection.receive_data(client.initiate(**changed) + client.message(3, b"x"))
    assert b"READY" not in connection.data_to_send()
    assert connection.peer is None


def test_a_vouch_for_another_server() -> None:
    """Who is the server of one connection cannot pass the client's vouch on to another server."""
    connection = server_side()
    client = welcomed(connection)
    with pytest.raises(RemoteProtocolError, match="vouch is for another"):
        connection.receive_data(client.initiate(vouched=client.short.public_key + STRANGER.public_key))


def test_a_cookie_is_good_for_one_connection_only() -> None:
    """Neither a stolen one nor one of the client's own earlier connection is taken."""
    first, second = server_side(seed=1), server_side(seed=2)
    client, thief = welcomed(first), welcomed(second)
    thief.cookie = client.cookie
    with pytest.raises(RemoteProtocolError, match="cookie that is not from this connection"):
        second.receive_data(thief.initiate())
    again = server_side(seed=3)
    old = welcomed(again)
    old.cookie, old.server_short = client.cookie, client.server_short
    with pytest.raises(RemoteProtocolError, match="cookie that is not from this connection"):
        again.receive_data(old.initiate())


def test_a_whole_recorded_client_gets_nothing_out_of_another_connection() -> None:
    recorded = server_side(seed=1)
    client = welcomed(recorded)
    initiate = client.initiate()
    octets = [client.hello(), initiate, client.message(3, b"pay")]
    assert len(recorded.receive_data(initiate + octets[2])) == 2
    connection = server_side(seed=2)
    greet(connection)
    connection.receive_data(octets[0])
    connection.data_to_send()
    with pytest.raises(RemoteProtocolError, match="cookie"):
        connection.receive_data(octets[1] + octets[2])


@pytest.mark.parametrize("what", ["HELLO", "INITIATE", "READY", "MESSAGE", "PING", "nothing"])
@pytest.mark.parametrize("when", ["first", "welcomed"])
def test_a_command_that_is_not_due(what: str, when: str) -> None:
    connection = server_side()
    client = Client(SERVER.public_key, CLIENT)
    if when == "welcomed":
        client = welcomed(connection)
    else:
        greet(connection)
    if (what, when) == ("INITIATE", "welcomed") or (what, when) == ("HELLO", "first"):
        return
    octets = {"HELLO": client.hello(), "PING": b"\4\7\4PING\0\0", "MESSAGE": message(b"\7MESSAGE" + bytes(40))}
    with pytest.raises(RemoteProtocolError):
        connection.receive_data(octets.get(what) or command(what.encode(), bytes(100)))
    assert connection.peer is None
    assert b"READY" not in connection.data_to_send()


def test_an_early_message_waits_for_acceptance() -> None:
    connection = server_side(asks=True)
    client = welcomed(connection)
    (question,) = connection.receive_data(client.initiate() + client.message(3, b"early"))
    assert question.credentials == (CLIENT.public_key,)
    assert question.metadata["identity"] == b"me"
    assert connection.receive_data(client.message(4, b"later")) == []
    assert connection.data_to_send() == b""
    connection.accept("user", {"role": b"admin"})
    complete, *messages = connection.receive_data(b"")
    assert (complete.peer.user_id, complete.peer.user_metadata) == ("user", {"role": b"admin"})
    assert messages == [(b"early",), (b"later",)]


@pytest.mark.parametrize("status", [300, 400, 500])
def test_a_denied_client(status: int) -> None:
    connection, other = server_side(asks=True), client_side()
    other.receive_data(connection.data_to_send())
    events: list[Any] = []
    for _ in range(3):
        events += connection.receive_data(other.data_to_send())
        other.receive_data(connection.data_to_send())
    assert [type(event) for event in events] == [AuthenticationRequested]
    connection.deny(status, "because")
    with pytest.raises(DeniedError, match="because") as denied:
        connection.receive_data(b"")
    assert denied.value.status == status
    octets = connection.data_to_send()
    if status == 300:
        assert octets == b"", "it comes back soon, as nothing tells it not to"
        return
    assert octets == b"\4\x0a\5ERROR\3%d" % status
    with pytest.raises(RefusedByPeerError, match=f"{status}, it") as refused:
        other.receive_data(octets)
    assert refused.value.status == status


def test_only_the_named_clients() -> None:
    connection = server_side({CLIENT.public_text, STRANGER.public_key})
    met(connection)
    connection = server_side({STRANGER.public_text})
    client = welcomed(connection)
    with pytest.raises(DeniedError, match="is not one of the clients"):
        connection.receive_data(client.initiate())
    assert connection.data_to_send() == b"\4\x0a\5ERROR\x03400"


# --- what a client refuses --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"secret": STRANGER.secret_key}, "not made by the server of key"),
        ({"cookie": bytes(95)}, "159 octets; 160 are due"),
        ({"more": b"x"}, "161 octets; 160 are due"),
        ({"short": bytes(32)}, "hides nothing"),
    ],
    ids=str,
)
def test_a_wrong_welcome(changed: dict[str, Any], why: str) -> None:
    connection = client_side()
    server = Server(SERVER)
    server.take_hello(greet(connection))
    with pytest.raises(RemoteProtocolError, match=why):
        connection.receive_data(server.welcome(**changed))
    assert connection.data_to_send() == b"", "nothing tells who the client is"


@pytest.mark.parametrize("octets", [command(b"READY", bytes(40)), b"\4\7\4PING\0\0", message(b"\7MESSAGE" + bytes(40))])
def test_a_server_that_leaves_out_welcome(octets: bytes) -> None:
    connection = client_side()
    greet(connection)
    with pytest.raises(RemoteProtocolError):
        connection.receive_data(octets)
    assert connection.data_to_send() == b""


def test_a_wrong_ready() -> None:
    for octets in (command(b"READY", bytes(40)), command(b"READY", bytes(23)), command(b"WELCOME", bytes(160))):
        connection = client_side()
        server = Server(SERVER)
        server.take_hello(greet(connection))
        connection.receive_data(server.welcome())
        connection.data_to_send()
        with pytest.raises(RemoteProtocolError):
            connection.receive_data(octets)
        assert connection.peer is None


# --- after the handshake ----------------------------------------------------------------------------


def test_a_nonce_is_used_once_and_in_order() -> None:
    for nonces in ([3, 3], [4, 3], [2], [1], [0]):
        connection = server_side()
        client = met(connection)
        octets = [client.message(nonce, b"%d" % nonce) for nonce in nonces]
        for data in octets[:-1]:
            assert len(connection.receive_data(data)) == 1
        with pytest.raises(RemoteProtocolError, match="replayed, or reordered"):
            connection.receive_data(octets[-1])
        assert connection.data_to_send() == b"", "RFC 26: no ERROR for a wrong MESSAGE"


def test_a_nonce_may_be_left_out() -> None:
    connection = server_side()
    client = met(connection)
    assert connection.receive_data(client.message(9, b"x") + client.message(2**64 - 1, b"y")) == [(b"x",), (b"y",)]


def test_the_clients_side_counts_too() -> None:
    connection = client_side()
    server = met_server(connection)
    with pytest.raises(RemoteProtocolError, match="replayed, or reordered"):
        connection.receive_data(server.message(1, b"READY had this nonce"))


def test_what_was_said_by_one_side_cannot_be_said_to_it() -> None:
    connection = server_side()
    client = met(connection)
    with pytest.raises(RemoteProtocolError, match="does not open"):
        connection.receive_data(client.message(3, b"x", prefix=b"S"))


@pytest.mark.parametrize("flags", [3, 4, 5, 8, 0x80, 0xFF])
def test_flags_that_mean_nothing(flags: int) -> None:
    connection = server_side()
    client = met(connection)
    with pytest.raises(RemoteProtocolError, match="some mean nothing"):
        connection.receive_data(client.message(3, b"\4PING\0\0", flags))


@pytest.mark.parametrize(
    "octets",
    [message(b""), message(b"\7MESSAGE"), message(b"\7MESSAGE" + number(3) + bytes(16)), message(b"hello" * 20),
     b"\4\7\4PING\0\0", command(b"ERROR", b"\0"), command(b"HELLO", bytes(194)), message(b"\1a")],
)  # fmt: skip
def test_nothing_goes_outside_of_the_boxes(octets: bytes) -> None:
    connection = server_side()
    met(connection)
    with pytest.raises(RemoteProtocolError):
        connection.receive_data(octets)


def test_more_outside_of_a_box_is_refused() -> None:
    connection = server_side()
    client = met(connection)
    with pytest.raises(RemoteProtocolError, match="MORE outside"):
        connection.receive_data(client.message(3, b"x", outside=1))


def test_a_fault_inside_is_told_inside(carry: Any) -> None:
    one, other = client_side(), server_side(max_message_size=10)
    carry(one, other)
    with pytest.raises(RemoteProtocolError, match="max_message_size"):
        other.receive_data(encoded(one, (bytes(5), bytes(6))))
    octets = other.data_to_send()
    assert b"ERROR" not in octets
    one.receive_data(octets)
    assert "max_message_size" in one.last_error


def test_limits_are_those_of_what_is_inside(carry: Any) -> None:
    one, other = client_side(), server_side(max_message_size=70_000)
    carry(one, other)
    exact = Message([bytes(30_000), bytes(40_000)])
    assert other.receive_data(encoded(one, exact)) == [exact]
    with pytest.raises(RemoteProtocolError, match="70001 octets or more"):
        other.receive_data(b"\x02" + (70_034).to_bytes(8, "big"))


def test_a_connection_of_2_to_the_64_commands_ends(carry: Any) -> None:
    one, other = client_side(), server_side()
    carry(one, other)
    one._mechanism._said = 2**64 - 2
    assert other.receive_data(encoded(one, (b"the last",))) == [(b"the last",)]
    with pytest.raises(LocalProtocolError, match="used up"):
        encoded(one, (b"x",))
