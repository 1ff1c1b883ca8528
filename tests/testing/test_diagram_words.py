"""Octets in the words of ZMTP: however they are cut, and whatever they are."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triomq.testing import Happening
from triomq.testing._diagram._items import Arrow
from triomq.testing._diagram._story import Narrator
from triomq.testing._diagram._words import Unit, Words, show_bytes
from triomq.zmtp import command_body, encode_properties, encode_shared
from triomq.zmtp._commands import encode_error
from triomq.zmtp._frames import COMMAND, encode_frame
from triomq.zmtp._greeting import encode_greeting


def command(name: bytes, data: bytes = b"") -> bytes:
    return encode_frame(COMMAND, command_body(name, data))


def ready(socket_type: bytes, **others: bytes) -> bytes:
    return command(b"READY", encode_properties({"Socket-Type": socket_type, **others}))


GREETING = encode_greeting("NULL", False)
SAID = [
    (GREETING, "greeting"),
    (ready(b"DEALER", Identity=b"me"), 'READY DEALER b"me"'),
    (encode_shared([b"Hello"]), '[b"Hello"]'),
    (encode_shared([b"", b"x" * 300]), '[b"", b"xxxxxxxxxxxxxxxxxxx…"]'),
    (encode_shared([b"1", b"2", b"3", b"4", b"5"]), '[b"1", b"2", b"3", … 5 frames]'),
    (command(b"SUBSCRIBE", b"a"), 'SUBSCRIBE b"a"'),
    (command(b"CANCEL", b'"'), r'CANCEL b"\""'),
    (command(b"PING", b"\0\x0acontext"), "PING"),
    (command(b"PONG"), "PONG"),
    (command(b"NEW", b"12"), "NEW 2 octets"),
    (encode_shared([bytes(100_000)]), r'[b"\x00\x00\x00\x00…"]'),
    (encode_frame(COMMAND, encode_error("no way")), 'ERROR "no way"'),
]
STREAM = b"".join(octets for octets, _ in SAID)


def read(pieces: list[bytes]) -> list[Unit]:
    words = Words()
    return [unit for piece in pieces for unit in words.feed(piece)]


def test_everything_that_is_said() -> None:
    units = read([STREAM])
    assert [unit.label for unit in units] == [label for _, label in SAID]
    assert [unit.stop - unit.start for unit in units] == [len(octets) for octets, _ in SAID]
    kinds = ["greeting", "handshake", *["message"] * 3, *["command"] * 5, "message", "handshake"]
    assert [unit.kind for unit in units] == kinds


@given(st.lists(st.integers(0, len(STREAM)), max_size=30))
def test_it_does_not_matter_how_octets_are_cut(places: list[int]) -> None:
    cuts = [0, *sorted(places), len(STREAM)]
    assert read([STREAM[one:other] for one, other in pairwise(cuts)]) == read([STREAM])


def test_octet_by_octet() -> None:
    stream = STREAM[:1200]
    assert read([bytes((octet,)) for octet in stream]) == read([stream])


@given(st.lists(st.binary(min_size=1, max_size=100), max_size=20), st.sampled_from([0, 5, 64, 110]))
def test_garbage_is_counted(pieces: list[bytes], whole: int) -> None:
    """After nothing, a part, or all of a handshake comes anything at all."""
    words = Words()
    units = [unit for piece in [STREAM[:whole], *pieces] for unit in words.feed(piece)]
    assert words.done <= words.read == whole + sum(map(len, pieces))
    assert [unit.start for unit in units] == [0, *(unit.stop for unit in units[:-1])][: len(units)]
    if units:
        assert units[-1].stop == words.done


@pytest.mark.parametrize(
    ("octets", "labels"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", [r'not ZMTP 3: b"GET / HTTP/1.1\r\n…"']),
        (b"\xff" + bytes(8) + b"\x7f\x01\x00", [r'not ZMTP 3: b"\xff\x00\x00\x00…"']),  # ZMTP 2
        (GREETING + b"\xf0abc", ["greeting", "not ZMTP: reserved bits in frame flags 0xf0 (at octet 64)"]),
        (GREETING + b"\x02\x7f" + b"\xff" * 6, ["greeting"]),  # half a header may become anything
        (GREETING + b"\x04\x00", ["greeting", "not ZMTP: a command of no octets (at octet 66)"]),
        (GREETING + command(b"READY", b"\x09x"), ["greeting", None]),
        (encode_greeting("CURVE", False) + command(b"HELLO", bytes(192)), ["greeting CURVE", "HELLO"]),
        (encode_greeting("CURVE", False) + encode_shared([b"ab", b"c"]), ["greeting CURVE", "[3 octets]"]),
        (encode_greeting("PLAIN", False) + command(b"HELLO", b"\5admin\6secret"), ["greeting PLAIN", "HELLO"]),
    ],
)
def test_what_is_not_understood(octets: bytes, labels: list[str | None]) -> None:
    found = [unit.label for unit in read([octets])]
    assert len(found) == len(labels)
    for label, expected in zip(found, labels, strict=True):
        assert label == expected or (expected is None and label.startswith("not ZMTP: "))
        assert "secret" not in label


def test_after_a_fault_octets_are_counted_as_they_come() -> None:
    assert [unit.label for unit in read([GREETING, b"\xf0", b"abc", b"d"])][2:] == ["3 octets", "1 octet"]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", 'b""'),
        (b"it's", 'b"it\'s"'),
        (b'say "yes"', r'b"say \"yes\""'),
        (b"a\\b\n", r'b"a\\b\n"'),
        (b"x" * 20, f'b"{"x" * 20}"'),
        (b"x" * 21, f'b"{"x" * 19}…"'),
        (b"\xff" * 6, r'b"\xff\xff\xff\xff…"'),
    ],
)
def test_octets_are_shown_as_a_literal(data: bytes, text: str) -> None:
    assert show_bytes(data) == text
    if "…" not in text:
        assert eval(text) == data


# --- a connection's record ------------------------------------------------------------------------


def arrows(*events: tuple[float, str, bytes] | tuple[float, str, bytes, str]) -> list[Arrow]:
    """What a record of one connection's one direction shows: label, fate, and when it left and arrived."""
    happenings = [Happening(0, "connecting", "a", "b", 1, text="tcp://b:1"), Happening(0, "established", "a", "b", 1)]
    for time, kind, data, *text in events:
        host, peer = ("b", "a") if kind == "reset delivered" else ("a", "b")
        happenings.append(Happening(time, kind, host, peer, 1, data, *text))  # type: ignore[arg-type]
    story = Narrator(happenings).story()
    return [item for item in story.items if isinstance(item, Arrow) and item.kind != "connect"]


def shown(
    *events: tuple[float, str, bytes] | tuple[float, str, bytes, str],
) -> list[tuple[str, str, float, float | None]]:
    return [
        (("again " if arrow.again else "") + arrow.label, arrow.fate, arrow.start.time, arrow.stop and arrow.stop.time)
        for arrow in arrows(*events)
    ]


HELLO = encode_shared([b"Hello"])
START = [(0.0, "sent", GREETING), (1.0, "delivered", GREETING)]
GREETED = ("greeting", "arrived", 0.0, 1.0)


def test_a_message_in_pieces_is_one_arrow_from_its_first_octet_to_its_last() -> None:
    assert shown(
        *START,
        (2.0, "sent", HELLO[:3]), (3.0, "sent", HELLO[3:] + HELLO), (4.0, "delivered", HELLO[:3]),
        (5.0, "delivered", HELLO[3:] + HELLO),
    ) == [GREETED, ('[b"Hello"]', "arrived", 2.0, 5.0), ('[b"Hello"]', "arrived", 3.0, 5.0)]  # fmt: skip


def test_many_messages_in_a_segment_are_one_arrow() -> None:
    many = b"".join(encode_shared([b"%d" % number]) for number in range(50))
    found = arrows(*START, (2.0, "sent", many), (3.0, "delivered", many))
    assert [(arrow.label, arrow.stands_for) for arrow in found[1:]] == [('[b"0"] … [b"49"] × 50', 50)]


def test_what_flies_behind_a_lost_one_is_lost_and_what_follows_is_held() -> None:
    one, two, three = (encode_shared([name]) for name in (b"1", b"2", b"3"))
    assert shown(
        *START,
        (2.0, "sent", one), (2.5, "sent", two), (3.0, "lost", one), (4.0, "sent", three),
        (5.0, "sent again", one), (5.0, "sent again", two), (5.0, "sent again", three),
        (6.0, "delivered", one), (6.0, "delivered", two),
    ) == [
        GREETED,
        ('[b"1"]', "lost", 2.0, 3.0),
        ('[b"2"]', "lost", 2.5, 3.0),
        ('[b"3"]', "held", 4.0, 4.0),
        ('again [b"1"]', "arrived", 5.0, 6.0),
        ('again [b"2"]', "arrived", 5.0, 6.0),
        ('again [b"3"]', "under way", 5.0, None),
    ]  # fmt: skip


@pytest.mark.parametrize("size", range(1, len(HELLO)))
def test_a_reset_in_the_middle_of_a_frame(size: int) -> None:
    found = shown(*START, (2.0, "sent", HELLO[:size]), (3.0, "delivered", HELLO[:size]), (4.0, "reset delivered", b""))
    assert found == [GREETED, (f"{size} octet{'s' * (size > 1)}, unfinished", "lost", 2.0, 2.0)]


def test_the_next_connection_begins_anew() -> None:
    cut = [
        Happening(0, "connecting", "a", "b", 1), Happening(0, "established", "a", "b", 1),
        Happening(1, "sent", "a", "b", 1, GREETING + HELLO[:4]), Happening(2, "reset delivered", "a", "b", 1),
        Happening(3, "connecting", "a", "b", 2), Happening(3, "established", "a", "b", 2),
        Happening(4, "sent", "a", "b", 2, GREETING + HELLO), Happening(5, "delivered", "a", "b", 2, GREETING + HELLO),
    ]  # fmt: skip
    found = [item for item in Narrator(cut).story().items if isinstance(item, Arrow) and item.kind != "connect"]
    assert [(arrow.connection, arrow.label, arrow.fate) for arrow in found] == [
        (1, "greeting", "lost"),
        (1, "4 octets, unfinished", "lost"),
        (2, 'greeting, [b"Hello"]', "arrived"),
    ]
