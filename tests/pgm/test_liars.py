"""Senders and receivers that lie in every field: nothing fails, memory and work have a bound."""

from __future__ import annotations

import random

import pytest

from triomq.pgm import Data, Nak, Receiver, Sender, Source, Spm, SpmRequest, Tsi, decode, encode
from triomq.pgm._receive_window import ReceiveWindow

from .air import GROUP, PORT, SENDER, settings

TSI = Tsi(b"abcdef", 7)
HERE = bytes((10, 0, 1, 2))


def new_receiver(**changes) -> Receiver:
    return Receiver(settings(HERE, **changes), random.Random(1))


def hear(receiver: Receiver, packet, now: float = 0.0) -> Source:
    source = receiver.hear(encode(packet), SENDER, now)
    assert source is not None
    return source


def window_of(source: Source) -> ReceiveWindow:
    assert source._window is not None
    return source._window


@pytest.mark.parametrize(
    "path",
    [
        bytes(15) + b"\1",  # of the other version of IP: it could not be sent to
        bytes((0xFF, 0x15)) + bytes(14),
        bytes(4),
        GROUP,  # the whole group would get what is for one sender
        bytes((255, 255, 255, 255)),
    ],
)
def test_no_nak_goes_to_an_address_that_is_no_hosts(path: bytes) -> None:
    receiver = new_receiver()
    hear(receiver, Data(TSI, PORT, 0, 0, b"\0\0"))
    source = hear(receiver, Spm(TSI, PORT, 0, 0, 9, path))
    now = 0.0
    for _ in range(200):
        now += 0.05
        assert not [one for one in receiver.poll(now) if isinstance(decode(one.data), Nak)]
    assert source.naks == 0
    hear(receiver, Spm(TSI, PORT, 1, 0, 20, SENDER), now)
    naks = [one for one in receiver.poll(now + 0.06) if isinstance(decode(one.data), Nak)]
    assert {one.to for one in naks} == {SENDER}


def test_naks_that_were_in_vain_are_sent_together_again() -> None:
    receiver = new_receiver()
    hear(receiver, Spm(TSI, PORT, 0, 0, 0, SENDER))
    hear(receiver, Spm(TSI, PORT, 1, 0, 500, SENDER))
    now, datagrams = 0.0, 0
    while now < 1.0:
        datagrams += len(receiver.poll(now))
        now = max(receiver.deadline(), now + 1e-4)
    assert datagrams <= 5 * 8  # rounds of at least 0.2 s, and lists of 63


class Walked(dict[int, bytes]):
    """Nobody goes through all that is held: that would cost the square of it."""

    def __iter__(self):
        raise AssertionError("all that is held was gone through")


@pytest.mark.parametrize("leap", [2, 1 << 16])
def test_what_is_lost_here_and_there_costs_no_more_than_what_is_held(leap: int) -> None:
    receiver = new_receiver(recovery_interval=60)
    window = window_of(hear(receiver, Spm(TSI, PORT, 0, 0, 0, SENDER)))
    window._items = Walked()
    for index in range(1, 3001):
        number = index * leap
        hear(receiver, Spm(TSI, PORT, index, number, number - 1, SENDER))
        source = hear(receiver, Data(TSI, PORT, number, number, b"\0\0\2\0x"))
    assert source.take(10**9, 0.0) == [(b"x",)] * 3000
    assert source.gaps == 3000
    assert source.lost == 3000 * (leap - 1)
    assert window._leaps == {}


def test_the_smallest_data_takes_its_room_too() -> None:
    receiver = new_receiver(rate=10_000, recovery_interval=1)
    hear(receiver, Spm(TSI, PORT, 0, 0, 0, SENDER))
    for number in range(2, 2000):
        source = hear(receiver, Data(TSI, PORT, number, 0, b"\xff\xff"))
    assert len(window_of(source)._items) < 100


def test_leaps_alone_take_no_room() -> None:
    receiver = new_receiver()
    hear(receiver, Spm(TSI, PORT, 0, 0, 0, SENDER))
    for number in range(1, 1000):
        source = hear(receiver, Spm(TSI, PORT, number, number << 20, number << 20, SENDER))
    assert len(window_of(source)._leaps) == 1
    assert source.take(1, 0.0) == []
    assert source.lost > 998 << 20


def test_confirmations_do_not_pile_up_while_nothing_can_be_sent() -> None:
    sender = Sender(TSI, settings(), 0.0)
    sender.send((b"x",))
    sender.poll(0.0)
    for _ in range(10_000):
        sender.hear(Nak("NAK", TSI, PORT, SENDER, GROUP, (0,)), 1.0)
        sender.hear(SpmRequest(TSI, PORT), 1.0)
    assert len(sender.poll(1.0)) < 300
    sender.hear(Nak("NAK", TSI, PORT, SENDER, GROUP, (0,)), 2.0)
    assert [type(decode(one.data)) for one in sender.poll(2.0)] == [Nak, Data]


@pytest.mark.parametrize(("max_tpdu", "encapsulation", "size"), [(128, 28, 4), (148, 48, 16), (320, 28, 4)])
def test_a_list_of_naks_fits_into_a_datagram(max_tpdu: int, encapsulation: int, size: int) -> None:
    path, group = (HERE, GROUP) if size == 4 else (b"\xfd" + HERE * 3 + bytes(3), b"\xff\x15" + bytes(14))
    changes = {"max_tpdu": max_tpdu, "encapsulation": encapsulation}
    receiver = Receiver(settings(path, **changes), random.Random(1))
    object.__setattr__(receiver._settings, "group", group)
    hear(receiver, Spm(TSI, PORT, 0, 0, 0, path))
    hear(receiver, Spm(TSI, PORT, 1, 0, 200, path))
    naks = [one.data for one in receiver.poll(0.06)]
    assert all(len(data) + encapsulation <= max_tpdu for data in naks)
    asked = [serial for data in naks if isinstance(packet := decode(data), Nak) for serial in packet.serials]
    assert asked == list(range(1, 201))
    assert (len(naks) == 4) == (max_tpdu == 320)


def test_all_senders_together_take_no_more_than_a_few_windows_and_each_has_some_room() -> None:
    receiver = new_receiver(rate=100_000, recovery_interval=10)
    payload = b"\xff\xff" + bytes(1000)
    for port in range(100):
        tsi = Tsi(b"abcdef", port)
        hear(receiver, Spm(tsi, PORT, 0, 0, 0, SENDER))
        for number in range(2, 1000):
            hear(receiver, Data(tsi, PORT, number, 0, payload))
    held = [window_of(source).held for source in receiver.sources.values()]
    assert receiver.held == sum(held) < 4 * 1_000_000 + 100 * 65536 + 100 * 1202
    assert min(held) >= 65536
    assert max(held) >= 998 * 1000
    for tsi, source in list(receiver.sources.items()):
        hear(receiver, Spm(tsi, PORT, 1, 1000, 1000, SENDER))
        source.take(10, 0.0)
        if tsi.port % 2:
            assert window_of(source).held == 0
        receiver.forget(tsi)
    assert receiver.held == 0
