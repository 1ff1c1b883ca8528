"""One call of `receive_data` with a limit does a bounded amount of work, whatever a peer sends."""

from __future__ import annotations

import pytest

from triomq import Message, RemoteProtocolError, zmtp
from triomq.zmtp._connection import MOST_WORK

from .conftest import GREETING, ready_of
from .curve_sides import client_side, encoded, server_side


def established(ours: str, theirs: str, **options: int) -> zmtp.Connection:
    """A connection that has shaken hands with a peer of the given type."""
    connection = zmtp.Connection(ours, as_server=True, **options)
    connection.receive_data(GREETING + ready_of(theirs))
    connection.data_to_send()
    assert connection.established
    return connection


def command(name: bytes) -> bytes:
    return bytes((4, 1 + len(name), len(name))) + name


def calls_for(connection: zmtp.Connection, data: bytes, limit: int = 512) -> list[list[object]]:
    """What each call returned, until nothing is buffered."""
    returned: list[list[object]] = [connection.receive_data(data, limit)]
    while connection.has_buffered:
        returned.append(connection.receive_data(b"", limit))
    return returned


def test_commands_that_mean_nothing_are_taken_a_few_at_a_time() -> None:
    connection = established("PULL", "PUSH")
    returned = calls_for(connection, command(b"X") * 999 + b"\0\1m")
    assert returned[-1] == [(b"m",)]
    assert all(events == [] for events in returned[:-1])
    assert len(returned) >= 999 // MOST_WORK
    assert connection.commands_ignored == 999


def test_the_frames_of_one_long_message_are_taken_a_few_at_a_time() -> None:
    connection = established("PULL", "PUSH")
    frames = 5000
    returned = calls_for(connection, b"\1\0" * (frames - 1) + b"\0\0" + b"\0\1m")
    assert [event for events in returned for event in events] == [Message([b""] * frames), (b"m",)]
    assert len(returned) >= frames // 8 // MOST_WORK


def test_many_messages_of_many_frames_are_taken_a_few_at_a_time() -> None:
    connection = established("PULL", "PUSH")
    message = b"\1\1a" * 99 + b"\0\1b"
    returned = calls_for(connection, message * 100)
    assert [event for events in returned for event in events] == [(*([b"a"] * 99), b"b")] * 100
    assert max(sum(map(len, events)) for events in returned) <= 8 * MOST_WORK + 100


@pytest.mark.parametrize("frames", [1, 3])
@pytest.mark.parametrize(("size", "number"), [(10, 400), (10_000, 100), (100_000, 20), (1_000_000, 3)])
def test_what_is_decrypted_counts_by_its_size(size: int, number: int, frames: int) -> None:
    client, server = client_side(), server_side()
    for _ in range(4):  # greetings, HELLO and WELCOME, INITIATE and READY
        server.receive_data(client.data_to_send())
        client.receive_data(server.data_to_send())
    messages = [(bytes(size),) * frames] * number
    returned = calls_for(server, encoded(client, *messages))
    assert [event for events in returned for event in events] == messages
    most = 1 + MOST_WORK // ((1 + size // 8192) * frames)
    assert max(map(len, returned)) <= most
    assert len(returned) >= number // most


@pytest.mark.parametrize("frames", [1, 2, 5, 8, 9, 16, 17, 255, 256, 257, 300])
def test_messages_of_any_number_of_frames_arrive_whole_and_in_order(frames: int) -> None:
    connection = established("PULL", "PUSH")
    messages = [Message([b"%d.%d" % (number, frame) for frame in range(frames)]) for number in range(40)]
    octets: list[bytes] = []
    established("PUSH", "PULL").encode(messages, octets)
    returned = calls_for(connection, b"".join(octets), 7)
    assert [event for events in returned for event in events] == messages
    assert max(map(len, returned)) <= 7


def test_without_a_limit_one_call_takes_everything() -> None:
    connection = established("PULL", "PUSH")
    events = connection.receive_data(command(b"X") * 500 + b"\1\0" * 500 + b"\0\0")
    assert events == [Message([b""] * 501)]
    assert not connection.has_buffered


@pytest.mark.parametrize("limit", [0, 1024])
def test_frames_that_hold_nothing_count_for_what_they_take(limit: int) -> None:
    """A message never takes more than its limit and 256 KiB."""
    connection = established("PULL", "PUSH", max_message_size=limit)
    allowed = (limit + 256 * 1024) // 8
    with pytest.raises(RemoteProtocolError, match="frames or more, which hold next to nothing"):
        for _ in range(allowed // 1000 + 2):
            calls_for(connection, b"\1\0" * min(1000, 65_000))
    assert connection.state is zmtp.State.CLOSED


def test_as_many_empty_frames_as_a_message_may_have_are_fine_without_a_limit_of_its_size() -> None:
    connection = established("PULL", "PUSH")
    connection.receive_data(b"\1\0" * 65_535)
    assert connection.receive_data(b"\0\0") == [Message([b""] * 65_536)]
