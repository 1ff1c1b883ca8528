"""Whatever a peer sends, it is events or a RemoteProtocolError, and the same ones however it is cut."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from triomq._errors import RemoteProtocolError
from triomq.zmtp import Connection

GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x01NULL" + bytes(48)
READY = b"\x04\x19\x05READY\x0bSocket-Type\0\0\0\x03SUB"

headers = st.builds(
    lambda flags, size: bytes((flags,)) + (size.to_bytes(8, "big") if flags & 2 else bytes((size % 256,))),
    st.sampled_from([0, 1, 2, 3, 4, 6, 5, 8]),
    st.sampled_from([0, 1, 2, 5, 9, 40, 255, 256, 400, 65_546, 65_547, 2**63 - 1, 2**63]),
)
commands = st.builds(
    lambda name, data: bytes((4, 1 + len(name) + len(data), len(name))) + name + data,
    st.sampled_from([b"READY", b"ERROR", b"PING", b"PONG", b"SUBSCRIBE", b"CANCEL", b"JOIN", b""]),
    st.binary(max_size=30),
)
short_messages = st.builds(
    lambda more, body: bytes((more, len(body))) + body, st.sampled_from([0, 0, 1]), st.binary(max_size=12)
)
junk = st.lists(st.one_of(headers, commands, short_messages, st.binary(max_size=20)), max_size=40).map(b"".join)
streams = st.one_of(
    junk,
    junk.map(lambda rest: GREETING + rest),
    junk.map(lambda rest: GREETING + READY + rest),
    st.tuples(short_messages, st.integers(0, 300), junk).map(lambda t: GREETING + READY + t[0] * t[1] + t[2]),
)


def outcome(pieces: list[bytes], limit: int) -> tuple[list[Any], int | None]:
    connection = Connection("XPUB", as_server=True, max_message_size=300, max_frames=20)
    seen: list[Any] = []
    try:
        for piece in pieces:
            seen += connection.receive_data(piece, limit)
            while connection.has_buffered:
                assert not connection.between_messages
                seen += connection.receive_data(b"", limit)
            assert not connection.between_messages or connection.receive_hint() == 0
            connection.data_to_send()
    except RemoteProtocolError as fault:
        connection.data_to_send()
        return seen, fault.offset
    return seen, None


@given(streams, st.integers(1, 50), st.integers(1, 1000))
def test_any_octets(octets: bytes, size: int, limit: int) -> None:
    whole = outcome([octets], 1 << 30)
    assert whole == outcome([octets[i : i + 1] for i in range(len(octets))], 1)
    assert whole == outcome([octets[i : i + size] for i in range(0, len(octets), size)], limit)
