"""Core to core: under loss, doubling, delay and overtaking, what is sent arrives in order, or a counted gap."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from triomq import Message
from triomq.pgm import Data, Spm, decode

from .air import SENDER, Weather, World


def message(rng: random.Random, number: int) -> tuple[bytes, ...]:
    """Says in each frame who it is, so that two that are glued together cannot pass for one."""
    name = b"%d." % number
    sizes = [
        rng.choice((0, 1, 20, 252, 253, 254, 255, 1000, 1426, 5000, 20000)) for _ in range(rng.choice((1, 1, 2, 3)))
    ]
    return tuple(name * (size // len(name)) + name for size in sizes)


def is_whole(received: Message) -> bool:
    names = {frame.split(b".")[0] for frame in received}
    return len(names) == 1 and all(set(frame.split(b".")[:-1]) == names and frame.endswith(b".") for frame in received)


def send(world: World, sender, messages: list[tuple[bytes, ...]], rng: random.Random) -> None:
    for one in messages:
        sender.send(one)
        if rng.random() < 0.3:
            world.run(rng.uniform(0, 0.05))


def one_seed(seed: int) -> None:
    rng = random.Random(seed)
    weather = Weather(
        loss=rng.choice((0, 0.01, 0.1, 0.3)), double=rng.choice((0, 0.1)), delay=rng.choice((0, 0.001, 0.1))
    )
    world = World(seed, weather)
    world.takes = rng.choice((1, 7, 10**9))
    sender = world.add_sender(rate=rng.choice((200_000, 1_250_000)), max_tpdu=rng.choice((200, 1500)))
    world.add_receiver(2)
    world.add_receiver(3)
    weather.loss, loss = 0, weather.loss
    world.run(0.2)  # both know of the sender: nothing before that is claimed
    weather.loss = loss
    messages = [message(rng, number) for number in range(rng.choice((5, 30)))]
    send(world, sender, messages, rng)
    world.run(60)
    for number in (2, 3):
        assert world.messages(number) == messages, f"seed {seed}"
        assert world.source(number).gaps == 0


@pytest.mark.parametrize("seeds", range(6))
def test_what_is_sent_arrives_in_order_whatever_the_weather(seeds: int) -> None:
    for seed in range(seeds * 10, seeds * 10 + 10):
        one_seed(seed)


@pytest.mark.soak
@pytest.mark.parametrize("seeds", range(40))
def test_what_is_sent_arrives_in_order_for_very_many_seeds(seeds: int) -> None:
    for seed in range(1000 + seeds * 100, 1000 + seeds * 100 + 100):
        one_seed(seed)


def one_seed_of_losses(seed: int) -> tuple[int, int]:
    """A sender that keeps next to nothing: then much is lost for good, and it is counted, and nothing is glued."""
    rng = random.Random(seed)
    world = World(seed, Weather(loss=rng.choice((0.1, 0.4)), double=rng.choice((0, 0.1)), delay=0.05))
    world.takes = rng.choice((1, 10**9))
    sender = world.add_sender(rate=400_000, recovery_interval=rng.choice((0.01, 0.1, 0.3)), max_tpdu=300)
    world.add_receiver()
    messages = [message(rng, number) for number in range(40)]
    send(world, sender, messages, rng)
    world.run(60)
    got = world.messages()
    assert all(map(is_whole, got)), f"seed {seed}"
    numbers = [int(one[0].split(b".")[0]) for one in got]
    assert numbers == sorted(set(numbers)), f"seed {seed}"
    assert all(one == messages[number] for one, number in zip(got, numbers, strict=True)), f"seed {seed}"
    source = world.source()
    holes = sum(later != earlier + 1 for earlier, later in pairwise(numbers))
    assert holes <= source.gaps, f"seed {seed}"
    assert (source.lost > 0) == (source.gaps > 0)
    return len(messages) - len(got), source.gaps


def test_what_cannot_be_repaired_is_counted_and_no_message_is_ever_glued() -> None:
    missing, gaps = map(sum, zip(*map(one_seed_of_losses, range(30)), strict=True))
    assert missing > 50
    assert gaps > 50


@pytest.mark.soak
@pytest.mark.parametrize("seeds", range(20))
def test_no_message_is_ever_glued_for_very_many_seeds(seeds: int) -> None:
    for seed in range(1000 + seeds * 100, 1000 + seeds * 100 + 100):
        one_seed_of_losses(seed)


def test_numbers_begin_anew_at_the_end_of_their_32_bits() -> None:
    world = World(1, Weather(loss=0.2, delay=0.01))
    sender = world.add_sender()
    for window in (sender._window,):
        window.trail = window.next = 2**32 - 20
    sender._ready.clear()
    sender._spm_at = 0.0
    world.add_receiver()
    world.weather.loss = 0
    world.run(0.2)
    world.weather.loss = 0.2
    messages = [(b"%d" % number,) for number in range(60)]
    for one in messages:
        sender.send(one)
        world.run(0.01)
    world.run(20)
    assert world.messages() == messages
    serials = [packet.serial for data in world.sent if isinstance(packet := decode(data), Data) and not packet.repair]
    assert serials == [*range(2**32 - 20, 2**32), *range(40)]


def test_two_senders_are_two_streams() -> None:
    world = World(2, Weather(loss=0.2, delay=0.01))
    senders = [world.add_sender(number) for number in (1, 7)]
    receiver = world.add_receiver()
    world.weather.loss = 0
    world.run(0.1)
    world.weather.loss = 0.2
    for number in range(50):
        for sender in senders:
            sender.send((b"%d" % sender.tsi.port, b"%d" % number))
        world.run(0.005)
    world.run(20)
    for sender in senders:
        name = b"%d" % sender.tsi.port
        assert [one for one in world.messages() if one[0] == name] == [(name, b"%d" % n) for n in range(50)]
    assert len(receiver.sources) == 2


def test_one_nak_serves_all_who_miss_the_same() -> None:
    lost: list[bytes] = []

    def lose_once(data: bytes) -> bool:
        packet = decode(data)
        if isinstance(packet, Data) and packet.serial == 3 and not packet.repair:
            lost.append(data)
            return True
        return False

    world = World(3, Weather(loses=lose_once))
    sender = world.add_sender()
    for number in range(2, 42):
        world.add_receiver(number)
    world.run(0.1)
    for number in range(6):
        sender.send((b"%d" % number,))
        world.run(0.001)
    world.run(5)
    assert len(lost) == 40
    assert all(len(world.messages(number)) == 6 for number in range(2, 42))
    assert sender.repairs == 1
    assert sender.naks < 5  # not 40


def test_the_loss_of_the_last_datagram_is_noticed() -> None:
    world = World(4, Weather(loses=lambda data: data[4] == 4))  # all original data
    sender = world.add_sender()
    world.add_receiver()
    world.run(0.1)
    sender.send((b"one",))
    world.run(0.5)
    assert world.messages() == [(b"one",)]
    assert world.source().repairs == 1


def test_a_late_joiner_hears_nothing_of_the_past() -> None:
    world = World(5)
    sender = world.add_sender()
    sender.send((b"early",))
    world.run(1)
    world.add_receiver()
    world.run(1)
    sender.send((b"x" * 10_000, b"late"))
    sender.send((b"later",))
    world.run(1)
    assert world.messages() == [(b"x" * 10_000, b"late"), (b"later",)]
    assert world.source().gaps == 0


def test_who_joins_in_the_middle_of_a_message_waits_for_the_next() -> None:
    world = World(6)
    sender = world.add_sender(rate=100_000)
    sender.send((b"x" * 50_000, b"end"))
    sender.send((b"whole",))
    world.run(0.2)
    world.add_receiver()
    world.run(5)
    assert world.messages() == [(b"whole",)]


def test_a_receiver_that_takes_nothing_holds_no_more_than_its_window_and_misses_nothing() -> None:
    world = World(7)
    world.takes = 0
    sender = world.add_sender(recovery_interval=60)
    world.add_receiver(recovery_interval=0.1)
    world.run(0.1)
    messages = [(b"%d" % number + b"x" * 1000,) for number in range(1000)]
    for one in messages:
        sender.send(one)
    world.run(10)
    window = world.source()._window
    assert window is not None
    assert 125_000 <= window.held < 125_000 + 1700
    world.takes = 5
    world.run(30)
    assert world.messages() == messages
    assert world.source().gaps == 0


def test_an_spm_is_asked_for_and_comes() -> None:
    world = World(8, Weather(loses=lambda data: data[4] == 0 and world.now == 0))
    sender = world.add_sender()
    world.add_receiver()
    sender.send((b"one",))
    world.run(0.08)
    assert world.source()._path is not None
    asked = [data for data in world.sent if data[4] == 0x0C]
    assert len(asked) == 2  # the group, and the sender alone


def test_an_idle_sender_tells_of_itself_every_half_minute_and_is_not_forgotten() -> None:
    world = World(9)
    world.add_sender()
    world.add_receiver()
    world.run(3600)
    assert world.forgotten == []
    spms = [packet for data in world.sent if isinstance(packet := decode(data), Spm)]
    assert len(spms) == 3 + 120
    assert [spm.serial for spm in spms] == list(range(123))


def test_after_its_end_a_sender_is_forgotten_in_seconds() -> None:
    world = World(10)
    sender = world.add_sender()
    receiver = world.add_receiver()
    sender.send((b"last",))
    world.run(0.1)
    for outgoing in sender.finish():
        world.send(SENDER, outgoing)
    world.run(1)
    world.senders.clear()
    assert world.source().fin
    assert world.forgotten == []
    world.run(10)
    assert world.forgotten == [sender.tsi]
    assert receiver.sources == {}
    assert world.messages() == [(b"last",)]


def test_a_sender_that_has_ended_is_remembered_until_all_of_it_was_taken_or_given_up() -> None:
    def loses(data: bytes) -> bool:
        packet = decode(data)
        return isinstance(packet, Data) and packet.serial == 1

    world = World(11, Weather(loses=loses))
    world.takes = 0
    sender = world.add_sender()
    world.add_receiver()
    world.run(0.1)
    for word in (b"first", b"lost", b"last"):
        sender.send((word,))
        world.run(0.01)
    for outgoing in sender.finish():
        world.send(SENDER, outgoing)
    world.run(0.001)
    world.senders.clear()  # nobody makes repairs
    world.run(1000)
    assert world.forgotten == []
    world.takes = 10
    world.run(1)
    assert world.forgotten == [sender.tsi]
    assert world.messages() == [(b"first",), (b"last",)]
