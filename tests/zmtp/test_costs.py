"""What hostile or merely unlucky input may cost: memory as received, time linear."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable

import pytest

from triomq._errors import RemoteProtocolError
from triomq.zmtp import Connection


def peak_of(action: Callable[[], object]) -> int:
    """Octets allocated at most at one time while ``action`` ran, above what there was before."""
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def seconds(action: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        action()
        best = min(best, time.perf_counter() - start)
    return best


@pytest.mark.parametrize("claim", [2**63 - 1, 2**63, 2**64 - 1, 2**64 - 8192, 2**30])
@pytest.mark.parametrize("flags", [b"\x02", b"\x03"])
def test_a_claim_takes_no_memory(claim: int, flags: bytes, met) -> None:
    connection = met()

    def claim_it() -> None:
        try:
            connection.receive_data(flags + claim.to_bytes(8, "big") + bytes(16))
        except RemoteProtocolError:
            assert claim >= 2**63
        else:
            assert connection.receive_hint() == claim - 16

    assert peak_of(claim_it) < 10_000


@pytest.mark.parametrize("size", [1, 2, 100, 4096])
def test_an_incomplete_message_takes_about_its_size(size: int, met) -> None:
    connection = met()
    piece = bytes(size)
    total = 400_000 if size >= 100 else 40_000

    def receive() -> None:
        connection.receive_data(b"\x02" + (1 << 30).to_bytes(8, "big"))
        for _ in range(total // size):
            connection.receive_data(bytes(bytearray(piece)))

    # The pieces, what a bytearray has in reserve, and while it grows the old one beside the new.
    assert peak_of(receive) < 2.5 * total + 5_000


def test_nothing_is_kept_of_what_was_parsed(met) -> None:
    connection = met()
    kept = []

    def receive() -> None:
        connection.receive_data(bytes(200_000) + b"\0")
        kept.append(tracemalloc.get_traced_memory()[0])

    peak_of(receive)
    assert kept[0] < 5_000


def assert_linear(work: Callable[[int], object], size: int) -> None:
    """Eight times as much takes nowhere near 64 times as long, whatever else the machine does."""
    assert seconds(lambda: work(8 * size)) < 28 * seconds(lambda: work(size))


def test_small_frames_in_small_pieces_are_linear(met) -> None:
    data = b"\0\x0a0123456789" * 80_000

    def receive(size: int) -> None:
        connection = met()
        count = sum(len(connection.receive_data(data[i : i + 100])) for i in range(0, size, 100))
        assert count == size // 12

    assert_linear(receive, 120_000)


def receive_one(connection: Connection, size: int, chunk: bytes) -> None:
    assert connection.receive_data(b"\x02" + size.to_bytes(8, "big")) == []
    seen = [message for _ in range(size // len(chunk)) for message in connection.receive_data(chunk)]
    assert [len(body) for (body,) in seen] == [size]


def test_one_large_frame_in_small_pieces_is_linear(met) -> None:
    assert_linear(lambda size: receive_one(met(), size, bytes(64)), 1 << 17)


@pytest.mark.parametrize("piece", [4096, 256 * 1024])
def test_a_large_body_is_copied_once(piece: int, met) -> None:
    connection, size, chunk = met(), 16 << 20, bytes(piece)
    # The pieces are all the same object, so that only the copy is counted.
    assert peak_of(lambda: receive_one(connection, size, chunk)) < 1.1 * size


def test_small_steps_through_a_full_buffer_are_linear(met) -> None:
    def receive(count: int) -> None:
        connection = met()
        seen = len(connection.receive_data(b"\0\0" * count, 5))
        while connection.has_buffered:
            seen += len(connection.receive_data(b"", 5))
        assert seen == count

    assert_linear(receive, 10_000)


def test_a_message_of_many_frames_in_pieces_is_linear(met) -> None:
    def receive(count: int) -> None:
        connection = met()
        for _ in range(count // 50):
            connection.receive_data(b"\x01\x01a" * 50)
        ((*_, last),) = connection.receive_data(b"\0\x01b")
        assert last == b"b"

    assert_linear(receive, 8_000)
