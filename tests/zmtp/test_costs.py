"""What hostile or merely unlucky input may cost: memory as received, work linear.

Work is counted, not timed, so that it is the same on a busy machine: see `Meter`.
"""

from __future__ import annotations

import gc
import sys
import tracemalloc
from collections.abc import Callable
from types import FrameType
from typing import Any

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


class Counted(bytes):
    """Input that knows how many bytes of it, and of what was made of it, were copied by slices and by ``+``."""

    copied = 0

    def __getitem__(self, key: Any) -> Any:
        return self._count(super().__getitem__(key)) if isinstance(key, slice) else super().__getitem__(key)

    def __add__(self, other: Any) -> Counted:
        return self._count(super().__add__(other))

    def __radd__(self, other: bytes) -> Counted:
        return self._count(other + bytes(self))

    @staticmethod
    def _count(copy: bytes) -> Counted:
        Counted.copied += len(copy)
        return Counted(copy)


class Meter:
    """Counts the work of a connection that receives.

    Attributes:
      steps: lines of Python that ran.
      copied: bytes copied by slices and by ``+``; one call may do that again and again.
      allocated: of each call the bytes that it held at most above those before it; all calls together. So copies that
        are made in C are noticed, too, if each call makes a longer one.
    """

    def __init__(self) -> None:
        self.steps = self.copied = self.allocated = 0

    def call(self, receive: Callable[..., list[Any]], data: bytes, *limit: int) -> list[Any]:
        """Call ``receive`` with the data and count what it does."""
        data = Counted(data)
        Counted.copied = 0
        tracemalloc.reset_peak()
        before, traced = tracemalloc.get_traced_memory()[0], sys.gettrace()
        sys.settrace(self._trace)
        try:
            return receive(data, *limit)
        finally:
            sys.settrace(traced)
            self.copied += Counted.copied
            self.allocated += tracemalloc.get_traced_memory()[1] - before

    def _trace(self, frame: FrameType, event: str, arg: object) -> Any:
        self.steps += event == "line"
        return self._trace


Work = Callable[[Meter, int], object]


def measured(work: Work, size: int) -> Meter:
    meter = Meter()
    tracemalloc.start()
    try:
        work(meter, size)
    finally:
        tracemalloc.stop()
    return meter


def growth(work: Work, size: int) -> list[float]:
    """By which factors steps, copies and allocations grow when there is eight times as much to receive."""
    work(Meter(), size)  # whatever is made once is made now
    small, large = measured(work, size), measured(work, 8 * size)
    return [
        (new + 1) / (old + 1)
        for old, new in ((small.steps, large.steps), (small.copied, large.copied), (small.allocated, large.allocated))
    ]


MOST_GROWTH = 10
"""Eight times as much to receive is about eight times the work; if the work were quadratic, it would be 64 times."""


def assert_linear(work: Work, size: int) -> None:
    assert max(growth(work, size)) < MOST_GROWTH


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
        gc.collect()  # CPython keeps freed tuples for a while
        kept.append(tracemalloc.get_traced_memory()[0])

    peak_of(receive)
    assert kept[0] < 5_000


def test_small_frames_in_small_pieces_are_linear(met) -> None:
    data = b"\0\x0a0123456789" * 8_000

    def receive(meter: Meter, size: int) -> None:
        connection = met()
        count = sum(len(meter.call(connection.receive_data, data[i : i + 100])) for i in range(0, size, 100))
        assert count == size // 12

    assert_linear(receive, 12_000)


def test_small_frames_in_one_piece_are_linear(met) -> None:
    mixed = b"".join([b"\0" + bytes((size,)) + bytes(size) for size in range(64)])

    def receive(meter: Meter, count: int) -> None:
        assert len(meter.call(met().receive_data, mixed * count)) == 64 * count

    assert_linear(receive, 4)


def test_commands_in_one_piece_are_linear(met) -> None:
    def receive(meter: Meter, count: int) -> None:
        assert len(meter.call(met("XPUB", "SUB").receive_data, b"\x04\x0b\x09SUBSCRIBEa" * count)) == count

    assert_linear(receive, 200)


def receive_one(meter: Meter, connection: Connection, size: int, chunk: bytes) -> None:
    assert meter.call(connection.receive_data, b"\x02" + size.to_bytes(8, "big")) == []
    calls = range(size // len(chunk))
    seen = [message for _ in calls for message in meter.call(connection.receive_data, chunk)]
    assert [len(body) for (body,) in seen] == [size]


@pytest.mark.parametrize("size", [64, 8192])
def test_one_large_frame_in_pieces_is_linear(size: int, met) -> None:
    assert_linear(lambda meter, total: receive_one(meter, met(), total, bytes(size)), 512 * size)


@pytest.mark.parametrize("piece", [4096, 256 * 1024])
def test_a_large_body_is_copied_once(piece: int, met) -> None:
    connection, size, chunk = met(), 16 << 20, bytes(piece)

    # The pieces are all the same object, so that only the copy is counted.
    def receive() -> None:
        connection.receive_data(b"\x02" + size.to_bytes(8, "big"))
        seen = [message for _ in range(size // piece) for message in connection.receive_data(chunk)]
        assert [len(body) for (body,) in seen] == [size]

    assert peak_of(receive) < 1.1 * size


def test_small_steps_through_a_full_buffer_are_linear(met) -> None:
    def receive(meter: Meter, count: int) -> None:
        connection = met()
        seen = len(meter.call(connection.receive_data, b"\0\0" * count, 5))
        while connection.has_buffered:
            seen += len(meter.call(connection.receive_data, b"", 5))
        assert seen == count

    assert_linear(receive, 1_000)


def test_a_message_of_many_frames_in_pieces_is_linear(met) -> None:
    def receive(meter: Meter, count: int) -> None:
        connection = met()
        for _ in range(count // 50):
            meter.call(connection.receive_data, b"\x01\x01a" * 50)
        ((*_, last),) = meter.call(connection.receive_data, b"\0\x01b")
        assert last == b"b"

    assert_linear(receive, 1_000)


class Wasteful:
    """Receives records of ten bytes in ways whose work is quadratic."""

    def __init__(self) -> None:
        self.kept: list[bytes] = []

    def copies_the_rest_for_each(self, data: bytes) -> list[bytes]:
        while data:
            self.kept.append(data[:10])
            data = data[10:]
        return self.kept

    def joins_all_each_time(self, data: bytes) -> list[bytes]:
        self.kept = [b"".join([*self.kept, data])]
        return self.kept

    def looks_at_all_each_time(self, data: bytes) -> list[bytes]:
        self.kept.append(data)
        for one in self.kept:
            assert one
        return self.kept


@pytest.mark.parametrize(
    ("waste", "piece", "what"),
    [
        (Wasteful.copies_the_rest_for_each, 1 << 20, 1),
        (Wasteful.joins_all_each_time, 10, 2),
        (Wasteful.looks_at_all_each_time, 10, 0),
    ],
)
def test_the_meter_notices_quadratic_work(waste: Callable[..., list[bytes]], piece: int, what: int) -> None:
    data = b"0123456789" * 400

    def receive(meter: Meter, size: int) -> None:
        wasteful = Wasteful()
        for start in range(0, size, piece):
            meter.call(lambda data: waste(wasteful, data), data[start : min(start + piece, size)])

    assert growth(receive, 500)[what] > MOST_GROWTH
