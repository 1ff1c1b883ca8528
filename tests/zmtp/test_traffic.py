"""After the handshake: however the octets are cut, the same events come out; and each fault has its place."""

from __future__ import annotations

import gc
import weakref
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from triomq import Message
from triomq._errors import LocalProtocolError, RemoteProtocolError
from triomq.zmtp import LARGE_BODY, Cancel, Connection, Ping, Pong, State, Subscribe, encode_shared

SIZES = [0, 1, 10, 254, 255, 256, 257, 4095, 4096, LARGE_BODY - 1, LARGE_BODY, 70_000]

frames = st.one_of(st.binary(max_size=20), st.sampled_from(SIZES).map(lambda size: b"x" * size))
messages = st.lists(frames, min_size=1, max_size=5).map(Message)
events = st.one_of(
    st.binary(max_size=300).map(Subscribe),
    st.binary(max_size=300).map(Cancel),
    st.builds(Ping, st.integers(0, 65_535).map(lambda tenths: tenths / 10), st.binary(max_size=16)),
)


def repr_of(value: object) -> str:
    return repr(value)[:30]


def connect(left: str = "XSUB", right: str = "XPUB", **options: Any) -> tuple[Connection, Connection]:
    one, other = Connection(left, as_server=False), Connection(right, as_server=True, **options)
    for _ in range(2):
        other.receive_data(one.data_to_send())
        one.receive_data(other.data_to_send())
    assert one.established
    assert other.established
    return one, other


def encoded(connection: Connection, *items: Any) -> bytes:
    out: list[bytes] = []
    total = connection.encode(items, out)
    assert total == sum(map(len, out))
    return b"".join(out)


def cut(octets: bytes, places: list[int]) -> list[bytes]:
    marks = sorted({0, len(octets), *(place % (len(octets) + 1) for place in places)})
    return [octets[a:b] for a, b in pairwise(marks)]


@given(st.lists(st.one_of(messages, events), max_size=12), st.lists(st.integers(0, 1 << 20), max_size=12))
def test_any_cut_gives_the_same_events(items: list[Any], places: list[int]) -> None:
    sender, receiver = connect()
    octets = encoded(sender, *items)
    seen: list[Any] = []
    for piece in cut(octets, places):
        got = receiver.receive_data(piece)
        assert receiver.messages_only == all(type(event) is Message for event in got)
        assert not receiver.has_buffered
        seen += got
    assert seen == items
    assert receiver.receive_hint() == 0


@given(st.lists(st.one_of(st.lists(st.binary(max_size=6), min_size=1, max_size=3).map(Message), events), max_size=6))
def test_octet_by_octet(items: list[Any]) -> None:
    sender, receiver = connect()
    octets = encoded(sender, *items)
    seen = [event for octet in octets for event in receiver.receive_data(bytes((octet,)))]
    assert seen == items


@given(
    st.lists(st.one_of(messages, events), max_size=20),
    st.integers(1, 5),
    st.lists(st.integers(0, 1 << 20), max_size=3),
)
@example([Message([b"a"])] * 20, 5, [])
def test_limit(items: list[Any], limit: int, places: list[int]) -> None:
    sender, receiver = connect()
    seen: list[Any] = []
    for piece in cut(encoded(sender, *items), places):
        got = receiver.receive_data(piece, limit)
        seen += got
        while receiver.has_buffered:
            assert len(got) == limit
            got = receiver.receive_data(b"", limit)
            seen += got
        assert len(got) <= limit
    assert seen == items


def test_more_input_may_come_while_some_is_buffered() -> None:
    sender, receiver = connect()
    octets = encoded(sender, *[Message([b"%d" % i]) for i in range(10)])
    assert receiver.receive_data(octets[:15], 0) == []
    assert receiver.has_buffered
    assert receiver.receive_data(octets[15:], 3) == [(b"0",), (b"1",), (b"2",)]
    assert receiver.has_buffered
    assert len(receiver.receive_data(b"")) == 7
    assert not receiver.has_buffered


def test_a_collected_frame_waits_for_room() -> None:
    _, receiver = connect()
    assert receiver.receive_data(b"\0\x03ab") == []
    assert receiver.receive_hint() == 1
    assert receiver.receive_data(b"c\0\x01d", 0) == []
    assert receiver.has_buffered
    assert receiver.receive_data(b"\0\x01e", 2) == [(b"abc",), (b"d",)]
    assert receiver.receive_data(b"", 1) == [(b"e",)]
    assert not receiver.has_buffered


@pytest.mark.parametrize("size", SIZES)
def test_what_is_encoded_alone_or_shared_is_the_same(size: int) -> None:
    sender, receiver = connect()
    for message in (Message([b"x" * size]), Message([b"id", b"x" * size]), Message([b"x" * size, b"", b"y"])):
        alone = encoded(sender, message)
        assert alone == encode_shared(message) == encoded(sender, tuple(message)) == encoded(sender, alone)
        assert receiver.receive_data(encoded(sender, message, alone, (b"",))) == [message, message, (b"",)]


def test_large_bodies_are_not_copied_to_be_sent() -> None:
    sender, receiver = connect()
    large, shared = bytes(LARGE_BODY), encode_shared([bytes(LARGE_BODY)])
    out: list[bytes] = []
    sender.encode([Message([b"a"]), Message([large, b"b"]), Message([b"c", large]), shared, (b"d",)], out)
    assert [buffer is large for buffer in out] == [False, True, False, True, False, False]
    assert out[4] is shared
    assert len(receiver.receive_data(b"".join(out))) == 5


EQUAL = [Message([b"%010d" % number]) for number in range(20)]
ODD = [Message([b"odd"]), Message([bytes(300)]), Message([b"id", b"0123456789"]), Subscribe(b"topic"), bytes(2),
       Message([bytes(LARGE_BODY)]), (b"",), (b"0123456789",)]  # fmt: skip


@pytest.mark.parametrize("odd", ODD, ids=repr_of)
@pytest.mark.parametrize("place", [0, 1, 9, 10, 11, 18, 19])
def test_many_are_encoded_as_each_would_be_alone(odd: Any, place: int) -> None:
    sender, _ = connect()
    for many in (EQUAL, [encode_shared(message) for message in EQUAL]):
        items = [*many[:place], odd, *many[place + 1 :]]
        assert encoded(sender, *items) == b"".join([encoded(sender, item) for item in items])


@pytest.mark.parametrize("place", [0, 1, 10, 19])
def test_a_large_body_among_many_is_not_copied_to_be_sent(place: int) -> None:
    sender, _ = connect()
    large, shared = bytes(LARGE_BODY), encode_shared([bytes(LARGE_BODY)])
    for many, odd, body in (
        (EQUAL, Message([large]), large),
        ([encode_shared(message) for message in EQUAL], shared, shared),
    ):
        out: list[bytes] = []
        sender.encode([*many[:place], odd, *many[place + 1 :]], out)
        assert [buffer for buffer in out if buffer is body]


def test_a_body_that_comes_in_one_piece_is_not_copied() -> None:
    _, receiver = connect()
    body = bytes(100_000)
    assert receiver.receive_data(b"\x02" + len(body).to_bytes(8, "big")) == []
    assert receiver.receive_hint() == len(body)
    ((received,),) = receiver.receive_data(body)
    assert received is body


def test_long_form_of_a_short_frame_is_accepted() -> None:
    _, receiver = connect()
    assert receiver.receive_data(b"\x03" + bytes(7) + b"\x01a" + b"\x02" + bytes(7) + b"\x01b") == [(b"a", b"b")]


@pytest.mark.parametrize(
    ("ttl", "octets"),
    [(0, b"\0\0"), (5e-324, b"\0\1"), (1e-9, b"\0\1"), (0.01, b"\0\1"), (0.1, b"\0\1"),
     (0.3, b"\0\3"), (65.6, b"\x02\x90"), (6553.5, b"\xff\xff"), (1e9, b"\xff\xff"), (float("inf"), b"\xff\xff")],
)  # fmt: skip
def test_ttl_travels_in_tenths_rounded_up(ttl: float, octets: bytes) -> None:
    sender, _ = connect()
    assert encoded(sender, Ping(ttl)) == b"\x04\x07\x04PING" + octets


def test_a_ping_flood_leaves_one_pong() -> None:
    sender, receiver = connect()
    pings = [Ping(0, b"%d" % i) for i in range(1000)]
    assert receiver.receive_data(encoded(sender, *pings)) == pings
    pong = receiver.data_to_send()
    assert sender.receive_data(pong) == [Pong(b"999")]
    assert receiver.data_to_send() == b""


SUBSCRIBE_TOO_LONG = b"\x06" + (65_547).to_bytes(8, "big")
CANCEL_TOO_LONG = b"\x06" + (65_544).to_bytes(8, "big") + b"\x06CANCEL" + bytes(65_537)
FAULTS = [
    (b"\x10", 0, "reserved bits in frame flags 0x10"),
    (b"\x05", 0, "a command with the MORE flag"),
    (b"\x04\0", 2, "a command of no octets"),
    (b"\x04\x04\x04PIN", 2, "a command name of 4 octets in a command of 4"),
    (b"\x02\x80" + bytes(7), 1, "highest bit"),
    (b"\x03" + b"\xff" * 8, 1, "highest bit"),
    (b"\x02" + (1001).to_bytes(8, "big"), 0, "a message of 1001 octets or more; 1000 are allowed"),
    (b"\x01\xfa" + bytes(250) + b"\x03" + bytes(6) + b"\x02\xef", 252, "a message of 1001 octets or more"),
    (b"\x01\0" * 10 + b"\0\0", 20, "a message of more than 10 frames"),
    (b"\x04\x05\x04PING", 7, "a PING without a TTL"),
    (b"\x04\x06\x04PING\0", 7, "a PING without a TTL"),
    (b"\x04\x18\x04PING\0\0" + bytes(17), 9, "a PING context of 17 octets; 16 are allowed"),
    (b"\x04\x16\x04PONG" + bytes(17), 7, "a PONG context of 17 octets"),
    (SUBSCRIBE_TOO_LONG, 0, "a command of 65547 octets; 65546 are allowed"),
    (CANCEL_TOO_LONG, 16, "a topic of 65537 octets; 65536 are allowed"),
    (
        b"\x04\x04\x03FOO" * 1001,
        1000 * 6 + 6,
        "more than 1000 commands in a row that mean nothing here, the last b'FOO'",
    ),
]


@pytest.mark.parametrize(("octets", "offset", "text"), FAULTS, ids=[fault[2] for fault in FAULTS])
@pytest.mark.parametrize("size", [1, 1 << 20])
def test_fault(octets: bytes, offset: int, text: str, size: int, met, ready) -> None:
    connection = met("XPUB", "SUB", max_message_size=1000, max_frames=10)
    start = 64 + len(ready("SUB"))
    for i in range(0, len(octets) - 1, size) if size == 1 else ():
        assert connection.receive_data(octets[i : i + 1]) == []
    with pytest.raises(RemoteProtocolError) as caught:
        connection.receive_data(octets[-1:] if size == 1 else octets)
    assert text in str(caught.value)
    assert caught.value.offset == start + offset
    assert connection.state is State.CLOSED
    assert not connection.established
    assert not connection.has_buffered
    with pytest.raises(LocalProtocolError):
        connection.receive_data(b"")
    with pytest.raises(LocalProtocolError):
        connection.encode([(b"",)], [])


def test_events_before_a_fault_are_given_out_first(met, ready) -> None:
    connection = met("XPUB", "SUB")
    octets = b"\0\x01a" + b"\x01\x01b" + b"\0\x01c" + b"\x04\x05\x04PONG" + b"\x01\x01d" + b"\x40"
    assert connection.receive_data(octets) == [(b"a",), (b"b", b"c"), Pong(b"")]
    assert not connection.messages_only
    assert connection.has_buffered
    with pytest.raises(RemoteProtocolError) as caught:
        connection.receive_data(b"", 1)
    assert caught.value.offset == 64 + len(ready("SUB")) + len(octets) - 1
    assert not connection.has_buffered


@pytest.mark.parametrize("maximum", [0, 1, 3, 254, 255, 256, 1000, 100_000])
def test_max_message_size_is_exact(maximum: int, met) -> None:
    connection = met(max_message_size=maximum)
    sender, _ = connect()
    half = maximum // 2
    exact = [Message([bytes(maximum)]), Message([bytes(half), bytes(maximum - half)]), Message([b"", bytes(maximum)])]
    assert connection.receive_data(encoded(sender, *exact)) == exact
    for above in ([bytes(maximum + 1)], [bytes(half), bytes(maximum - half + 1)]):
        connection = met(max_message_size=maximum)
        with pytest.raises(RemoteProtocolError, match=f"a message of {maximum + 1} octets or more"):
            connection.receive_data(encoded(sender, Message(above)))


def test_max_frames_is_exact(met) -> None:
    connection = met(max_frames=3)
    assert len(connection.receive_data(b"\x01\0\x01\0\0\0" * 2)) == 2
    with pytest.raises(RemoteProtocolError, match="more than 3 frames"):
        connection.receive_data(b"\x01\0\x01\0\x01\0\0\0")


def test_messages_between_them_make_meaningless_commands_harmless(met, ready) -> None:
    connection = met()
    junk = b"\x04\x04\x03FOO" + ready("PUSH") + b"\x04\x0a\x05ERROR\x03bad" + b"\x04\x0a\tSUBSCRIBE"
    for _ in range(10):
        assert len(connection.receive_data(junk * 200 + b"\0\0")) == 1
        assert connection.receive_data(b"\x01\0" + junk * 50) == []
        assert connection.receive_data(b"\0\0") == [(b"", b"")]
    assert connection.commands_ignored == 10 * 1000


def test_subscriptions_mean_something_to_publishers_only(met) -> None:
    connection = met("ROUTER", "DEALER")
    assert connection.receive_data(b"\x04\x0b\tSUBSCRIBEa\x04\x08\x06CANCELa") == []
    assert connection.commands_ignored == 2


@pytest.mark.parametrize(
    ("item", "text"),
    [
        (Subscribe(bytes(65_537)), "a topic of 65537 octets"),
        (Cancel(bytes(65_537)), "a topic of 65537 octets"),
        (Ping(0, bytes(17)), "a context of 17 octets"),
        (Ping(-1), "a TTL of -1 s"),
        (Ping(float("nan")), "a TTL of nan s"),
        ("text", "str cannot be sent"),
    ],
)
def test_what_cannot_be_sent(item: Any, text: str) -> None:
    sender, _ = connect()
    with pytest.raises(LocalProtocolError, match=text):
        sender.encode([item], [])


def test_the_longest_topic() -> None:
    sender, receiver = connect()
    topics = [Subscribe(bytes(65_536)), Cancel(bytes(65_536))]
    assert receiver.receive_data(encoded(sender, *topics)) == topics


def test_no_reference_cycles() -> None:
    gc.collect()
    gc.disable()
    try:
        sender, receiver = connect()
        receiver.receive_data(b"\0\x01a\x40")
        with pytest.raises(RemoteProtocolError):
            receiver.receive_data(b"")
        watched = [weakref.ref(sender), weakref.ref(receiver)]
        del sender, receiver
        assert [one() for one in watched] == [None, None]
    finally:
        gc.enable()
