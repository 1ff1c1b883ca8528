"""The two ends by themselves: rates, windows, and peers that lie."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triomq import RemoteProtocolError
from triomq.pgm import Data, Nak, Receiver, Sender, Spm, SpmRequest, Tsi, decode, encode
from triomq.pgm._bucket import TokenBucket
from triomq.pgm._serial import unwrap

from .air import GROUP, PORT, SENDER, settings

TSI = Tsi(b"abcdef", 7)
HERE = bytes((10, 0, 1, 2))


def new_sender(**changes) -> Sender:
    sender = Sender(TSI, settings(**changes), 0.0)
    sender.poll(0.0)
    return sender


def new_receiver(**changes) -> Receiver:
    limits = {name: changes.pop(name) for name in list(changes) if name in ("max_sources", "max_message_size")}
    return Receiver(settings(HERE, **changes), random.Random(1), **limits)


def decoded(outgoing) -> list:
    return [decode(one.data) for one in outgoing]


@given(st.integers(0, 2**40), st.integers(-(2**31) + 1, 2**31 - 1))
def test_a_number_is_unwrapped_to_the_nearest(near: int, distance: int) -> None:
    assert unwrap((near + distance) & 0xFFFFFFFF, near) == near + distance


def test_a_bucket_gives_no_more_than_the_rate() -> None:
    bucket = TokenBucket(1000, 500, 0.0)
    assert bucket.take(500, 0.0)
    assert not bucket.take(100, 0.0)
    assert bucket.when(100) == pytest.approx(0.1)
    assert bucket.take(100, bucket.when(100))
    now, taken = 1e6, 0
    assert TokenBucket(1e9, 1500, 1e6).take(1500, 1e6)
    bucket.take(0, now)
    while now < 1e6 + 10:
        taken += bucket.take(100, now)
        now = max(bucket.when(100), now + 1e-7)
    assert taken == pytest.approx(100 + 5, abs=1)


@pytest.mark.parametrize("rate", [50_000, 1_250_000])
def test_a_sender_keeps_to_its_rate(rate: int) -> None:
    sender = new_sender(rate=rate)
    for _ in range(2000):
        sender.send((b"x" * 1000,))
    now, octets = 0.0, 0
    while now < 1.0:
        octets += sum(len(one.data) + 28 for one in sender.poll(now) if one.data[4] == 4)
        now = max(now + 1e-6, sender.deadline())
    assert rate <= octets <= rate + 65536


def test_before_anything_was_sent_the_window_is_empty_and_the_three_first_spms_say_so() -> None:
    sender = Sender(TSI, settings(), 0.0)
    assert decoded(sender.poll(0.0)) == [Spm(TSI, PORT, n, 0, 0xFFFFFFFF, SENDER) for n in range(3)]
    assert decoded(sender.finish()) == [Spm(TSI, PORT, n, 0, 0xFFFFFFFF, SENDER, fin=True) for n in range(3, 6)]


def test_heartbeats_come_at_growing_intervals_after_data() -> None:
    sender = new_sender()
    sender.send((b"x",))
    sender.poll(0.0)
    times = []
    while len(times) < 12:
        now = sender.deadline()
        assert [type(packet) for packet in decoded(sender.poll(now))] == [Spm]
        times.append(round(now, 3))
    assert times == [0.1, 0.2, 0.3, 0.4, 0.5, 1.8, 8.8, 24.8, 49.8, 79.8, 109.8, 139.8]


def nak(*serials: int, **changes) -> Nak:
    fields = {"kind": "NAK", "tsi": TSI, "port": PORT, "source": SENDER, "group": GROUP} | changes
    return Nak(serials=serials, **fields)


def test_a_nak_is_confirmed_and_repaired_once_however_often_it_is_asked() -> None:
    sender = new_sender(max_tpdu=120)
    sender.send((b"x" * 200,))
    count = len([packet for packet in decoded(sender.poll(0.0)) if isinstance(packet, Data)])
    assert count > 3
    assert sender.hear(nak(1, 2), 1.0)
    assert sender.hear(nak(1), 1.0)
    first, second, *repairs = decoded(sender.poll(1.0))
    assert (first.kind, first.serials, second.serials) == ("NCF", (1, 2), (1,))
    assert [(packet.serial, packet.repair) for packet in repairs] == [(1, True), (2, True)]
    sender.hear(nak(1), 1.01)
    assert [type(packet) for packet in decoded(sender.poll(1.01))] == [Nak]  # the repair is on its way
    sender.hear(nak(1), 1.2)
    assert [type(packet) for packet in decoded(sender.poll(1.2))] == [Nak, Data]
    assert (sender.naks, sender.repairs, sender.expired) == (5, 3, 0)


@pytest.mark.parametrize(
    "packet",
    [
        nak(0, tsi=Tsi(b"abcdef", 8)),
        nak(0, port=1),
        nak(0, source=HERE),
        nak(0, group=SENDER),
        nak(0, kind="NNAK"),
        nak(0, kind="NCF"),
        nak(5),
        nak(2**31),
        Data(TSI, PORT, 0, 0, b"\0\0"),
        Spm(TSI, PORT, 9, 0, 4, HERE),
    ],
)
def test_a_nak_for_somebody_else_or_for_what_was_never_sent_is_not_answered(packet) -> None:
    sender = new_sender()
    sender.send((b"x",))
    sender.poll(0.0)
    assert not sender.hear(packet, 0.05)
    assert sender.poll(0.05) == []


def test_what_is_kept_no_more_is_answered_by_an_spm_and_not_too_often() -> None:
    sender = new_sender(recovery_interval=0.002, max_tpdu=200)
    sender.send((b"x" * 20_000,))
    now = 0.0
    while (serial := sender._window.next) < 100:
        now = sender.deadline()
        sender.poll(now)
    trail = sender._window.trail
    assert trail > 50
    sender.hear(nak(0), now)
    (spm,) = [packet for packet in decoded(sender.poll(now)) if isinstance(packet, Spm)]
    assert (spm.trail, spm.lead) == (trail, serial - 1)
    for _ in range(100):
        sender.hear(nak(0), now + 0.01)
        sender.hear(SpmRequest(TSI, PORT), now + 0.01)
    assert not any(isinstance(packet, Spm) and packet.serial > spm.serial for packet in decoded(sender._ready))
    assert sender.expired == 101


def test_repairs_have_a_rate_too_and_a_storm_of_naks_stops_no_data() -> None:
    sender = new_sender(rate=100_000, max_tpdu=1500)
    sender.send((b"x" * 50_000,))
    now = 0.0
    repaired = original = 0
    sender.poll(now)
    while now < 1.0:
        for serial in range(sender._window.trail, sender._window.next, 10):
            sender.hear(nak(*range(serial, min(serial + 10, sender._window.next))), now)
        for packet in decoded(sender.poll(now)):
            if isinstance(packet, Data):
                repaired += packet.repair
                original += not packet.repair
        now = max(now + 0.01, sender.deadline())
    assert original > 25  # all of it
    assert repaired * 1480 <= 100_000 + 15_000


def test_a_number_that_is_far_away_takes_little_memory_and_ends() -> None:
    receiver = new_receiver()
    receiver.hear(encode(Spm(TSI, PORT, 0, 0, 0xFFFFFFFF, SENDER)), SENDER, 0.0)
    source = receiver.hear(encode(Data(TSI, PORT, 2**31 - 5, 0, b"\0\0")), SENDER, 0.0)
    assert source is not None
    assert len(source._window._missing) <= 1024
    now = 0.0
    while now < 14:
        receiver.poll(now)
        source.take(10, now)
        now = max(now + 0.01, receiver.deadline())
    assert len(source._window._missing) <= 1024
    assert source.lost > 0
    receiver.hear(encode(Spm(TSI, PORT, 1, 2**31 - 5, 2**31 - 5, SENDER)), SENDER, now)
    assert source.take(10, now) == []
    assert source.lost == 2**31 - 5


def test_there_are_no_more_senders_than_allowed() -> None:
    receiver = new_receiver(max_sources=2)
    for number in range(5):
        receiver.hear(encode(Spm(Tsi(b"abcdef", number), PORT, 0, 0, 0, SENDER)), SENDER, 0.0)
    assert len(receiver.sources) == 2
    assert receiver.refused == 3


def test_a_packet_of_another_port_or_upstream_means_nothing() -> None:
    receiver = new_receiver()
    for packet in (Spm(TSI, 1, 0, 0, 0, SENDER), nak(1), SpmRequest(TSI, PORT), Data(TSI, PORT, 0, 0, b"\0\0", True)):
        assert receiver.hear(encode(packet), SENDER, 0.0) is None
    assert receiver.sources == {}


def test_an_older_spm_changes_nothing() -> None:
    receiver = new_receiver()
    receiver.hear(encode(Spm(TSI, PORT, 5, 0, 9, SENDER)), SENDER, 0.0)
    source = receiver.hear(encode(Spm(TSI, PORT, 4, 0, 50, HERE)), SENDER, 0.0)
    assert source is not None
    assert source._path == SENDER
    assert source._window.lead == 9


def test_a_window_that_contradicts_itself_is_not_believed() -> None:
    receiver = new_receiver()
    receiver.hear(encode(Spm(TSI, PORT, 0, 0, 9, SENDER)), SENDER, 0.0)
    source = receiver.hear(encode(Spm(TSI, PORT, 1, 12, 10, SENDER)), SENDER, 0.0)
    assert source is not None
    receiver.hear(encode(Data(TSI, PORT, 10, 11, b"\0\0")), SENDER, 0.0)
    assert (source._window.lead, source._window.next) == (9, 10)


def test_any_packets_in_any_order_do_no_harm_and_take_no_memory() -> None:
    rng = random.Random(3)
    for _ in range(15):
        receiver, sender = new_receiver(rate=10_000, recovery_interval=1), new_sender(recovery_interval=0.1)
        sender.send((b"x" * 3000,))
        now = 0.0
        for _ in range(100):
            far = rng.choice((20, 2**32 - 1))
            word, other = rng.randint(0, far), rng.randint(0, far)
            payload = rng.choice((b"\0\0", b"\xff\xff")) + rng.randbytes(rng.randrange(20))
            datagram = encode(
                rng.choice(
                    (
                        Spm(TSI, PORT, word, other, rng.randint(0, far), SENDER, rng.random() < 0.1),
                        Data(TSI, PORT, word, rng.choice((other, word)), payload, rng.random() < 0.3),
                        nak(word, other, kind=rng.choice(("NAK", "NNAK", "NCF"))),
                        SpmRequest(TSI, PORT),
                    )
                )
            )
            try:
                packet = decode(datagram)
                source = receiver.hear(datagram, SENDER, now)
            except RemoteProtocolError:
                continue
            assert packet is not None
            sender.hear(packet, now)
            sender.poll(now)
            if source is not None:
                source.take(100, now)
                window = source._window
                assert window is None or (len(window._missing) <= 1024 and window.held < 11_000 + 1024 * 222)
            receiver.poll(now)
            now += rng.choice((0, 0.01, 1))


def test_a_broken_stream_is_told_and_the_next_message_is_found() -> None:
    receiver = new_receiver()
    for serial, payload in enumerate((b"\0\0\2\0a", b"\0\0\0\0", b"\xff\xffjunk", b"\0\1x\2\0b")):
        source = receiver.hear(encode(Data(TSI, PORT, serial, 0, payload)), SENDER, 0.0)
        assert source is not None
    assert source.take(100, 0.0) == [(b"a",), (b"b",)]
    assert source.gaps == 1
    assert "length 0" in str(source.error)


def test_nothing_is_asked_for_before_it_is_known_where() -> None:
    receiver = new_receiver()
    for serial in (0, 5):
        source = receiver.hear(encode(Data(TSI, PORT, serial, 0, b"\0\0")), SENDER, 0.0)
    assert source is not None
    assert {type(packet) for packet in decoded(receiver.poll(0.06))} == {SpmRequest}
    receiver.hear(encode(Spm(TSI, PORT, 0, 0, 5, SENDER)), SENDER, 0.07)
    asked = [packet for packet in decoded(receiver.poll(0.4)) if isinstance(packet, Nak)]
    assert [packet.serials for packet in asked] == [(1, 2, 3, 4)]


def test_very_much_that_is_missing_is_asked_for_in_lists_of_63() -> None:
    receiver = new_receiver()
    for serial in (0, 200):
        receiver.hear(encode(Spm(TSI, PORT, serial, 0, serial, SENDER)), SENDER, 0.0)
    naks = decoded(receiver.poll(0.06))
    assert [len(packet.serials) for packet in naks] == [63, 63, 63, 11]
    assert [serial for packet in naks for serial in packet.serials] == list(range(1, 201))


def test_who_is_never_answered_gives_up_and_goes_on() -> None:
    receiver = new_receiver()
    receiver.hear(encode(Spm(TSI, PORT, 0, 0, 0, SENDER)), SENDER, 0.0)
    receiver.hear(encode(Data(TSI, PORT, 2, 0, b"\0\0\2\0x")), SENDER, 0.0)
    source = receiver.sources[TSI]
    now, naks, got = 0.0, 0, []
    while not source.lost:
        naks += len(receiver.poll(now))
        got += source.take(1, now)
        assert now < 20
        now = max(receiver.deadline(), now)
    assert got == [(b"x",)]
    assert naks == source.naks == 50
    assert source.gaps == 1
