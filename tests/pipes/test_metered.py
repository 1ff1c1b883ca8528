"""Inboxes of a context that bounds the bytes that wait."""

from __future__ import annotations

import attrs
import pytest

from triomq import Message
from triomq._pipes import MeteredInbox

from .roles import RecordingSource


@attrs.define
class Meter:
    max_queued_bytes: float = 10
    bytes_waiting: int = 0


def message(*frames: bytes) -> Message:
    return Message(frames)


def test_bytes_are_counted_as_they_come_and_go() -> None:
    meter = Meter()
    one, other = MeteredInbox(100, meter), MeteredInbox(100, meter)
    counted = []
    one.queue.append(message(b"abc", b"", b"de"))
    counted.append(meter.bytes_waiting)
    other.queue.extend(iter([message(b"1"), message(b"22")]))
    counted.append(meter.bytes_waiting)
    assert other.queue.popleft() == (b"1",)
    counted.append(meter.bytes_waiting)
    one.queue.clear()
    counted.append(meter.bytes_waiting)
    assert counted == [5, 8, 7, 2]
    with pytest.raises(IndexError):
        one.queue.popleft()
    assert meter.bytes_waiting == 2


def test_what_nobody_will_receive_is_counted_no_longer() -> None:
    meter = Meter()
    inbox = MeteredInbox(100, meter)
    inbox.put([message(b"abc"), message(b"de")])
    inbox.queue.popleft()
    assert meter.bytes_waiting == 2
    del inbox
    assert meter.bytes_waiting == 0


@pytest.mark.parametrize(
    ("elsewhere", "here", "limit", "full"),
    [(0, 0, 3, False), (9, 0, 3, False), (99, 0, 3, False), (8, 1, 3, False), (9, 1, 3, True), (0, 3, 3, True)],
)
def test_it_is_full_when_the_context_is_unless_it_is_empty(elsewhere: int, here: int, limit: int, full: bool) -> None:
    meter = Meter(bytes_waiting=elsewhere)
    inbox = MeteredInbox(limit, meter)
    inbox.put([message(b"x")] * here)
    assert inbox.is_full is full


def waiting(meter: Meter, count: int, resume_below: float) -> tuple[MeteredInbox, RecordingSource]:
    inbox, source = MeteredInbox(100, meter), RecordingSource()
    inbox.source = source
    inbox.put([message(b"xx")] * count)
    inbox.source_waits, inbox.resume_below = True, resume_below
    return inbox, source


def told_after_each(inbox: MeteredInbox, source: RecordingSource) -> list[int]:
    told = []
    while inbox.queue:
        inbox.queue.popleft()
        inbox.taken()
        told.append(source.resumed)
    return told


@pytest.mark.parametrize("resume_below", [50, float("nan")], ids=["bounded", "no HWM"])
def test_a_source_that_waits_is_told_once_when_half_of_the_octets_are_gone(resume_below: float) -> None:
    assert told_after_each(*waiting(Meter(), 5, resume_below)) == [0, 0, 1, 1, 1]


def test_or_when_the_inbox_is_empty() -> None:
    assert told_after_each(*waiting(Meter(bytes_waiting=100), 3, 50)) == [0, 0, 1]


def test_the_hwm_holds_as_well() -> None:
    assert told_after_each(*waiting(Meter(max_queued_bytes=1000), 4, 1)) == [0, 0, 1, 1]
