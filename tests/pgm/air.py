"""Air between the cores: datagrams are lost, doubled, delayed and overtake each other, as a seed says."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count

import attrs

from triomq import Message
from triomq.pgm import Outgoing, Receiver, Sender, Settings, Source, Tsi, decode

SENDER = bytes((10, 0, 0, 1))
GROUP = bytes((239, 192, 1, 1))
PORT = 5555


def settings(path: bytes = SENDER, **changes) -> Settings:
    return Settings(path=path, group=GROUP, port=PORT, **changes)


@attrs.define
class Weather:
    """What becomes of a datagram on its way to one host."""

    loss: float = 0.0
    double: float = 0.0
    delay: float = 0.0
    """seconds; the longest, and each is drawn"""
    loses: Callable[[bytes], bool] = lambda _: False


class World:
    """Senders and receivers on one network, and its clock."""

    def __init__(self, seed: int = 0, weather: Weather | None = None) -> None:
        self.random = random.Random(seed)
        self.weather = weather or Weather()
        self.now = 0.0
        self.senders: dict[bytes, Sender] = {}
        self.receivers: dict[bytes, Receiver] = {}
        self.got: dict[bytes, list[Message]] = {}
        self.takes: float = math.inf  # messages that a receiver takes at once
        self.sent: list[bytes] = []
        self.forgotten: list[Tsi] = []
        self._flying: list[tuple[float, int, bytes, bytes, bytes]] = []
        self._serial = count()

    def add_sender(self, number: int = 1, **changes) -> Sender:
        path = bytes((10, 0, 0, number))
        tsi = Tsi(bytes((1, 2, 3, 4, 5, number)), 1000 + number)
        sender = Sender(tsi, settings(path, **changes), self.now)
        self.senders[path] = sender
        return sender

    def add_receiver(self, number: int = 2, **changes) -> Receiver:
        path = bytes((10, 0, 1, number))
        limits = {name: changes.pop(name) for name in list(changes) if name.startswith("max_") and name != "max_tpdu"}
        receiver = Receiver(settings(path, **changes), random.Random(self.random.random()), **limits)
        self.receivers[path] = receiver
        self.got[path] = []
        return receiver

    def messages(self, number: int = 2) -> list[Message]:
        return self.got[bytes((10, 0, 1, number))]

    def source(self, number: int = 2) -> Source:
        (source,) = self.receivers[bytes((10, 0, 1, number))].sources.values()
        return source

    def run(self, seconds: float) -> None:
        """Let time pass, from event to event."""
        end = self.now + seconds
        while True:
            self._poll()
            at = min(
                self._flying[0][0] if self._flying else math.inf,
                *(sender.deadline() for sender in self.senders.values()),
                *(receiver.deadline() for receiver in self.receivers.values()),
                math.inf,
            )
            if at > end:
                break
            self.now = max(self.now, at)
            while self._flying and self._flying[0][0] <= self.now:
                self._arrive(*heappop(self._flying)[2:])
        self.now = end

    def _poll(self) -> None:
        for path, sender in self.senders.items():
            for outgoing in sender.poll(self.now):
                self.send(path, outgoing)
        for path, receiver in self.receivers.items():
            for outgoing in receiver.poll(self.now):
                self.send(path, outgoing)
            for source in receiver.silent(self.now):
                receiver.forget(source.tsi)
                self.forgotten.append(source.tsi)
            for source in list(receiver.sources.values()):
                while source.has_messages:
                    taken = source.take(self.takes, self.now)
                    if not taken:
                        break
                    self.got[path] += taken

    def send(self, path: bytes, outgoing: Outgoing) -> None:
        self.sent.append(outgoing.data)
        hosts = [*self.senders, *self.receivers] if outgoing.to is None else [outgoing.to]
        for host in hosts:
            if host == path:
                continue
            weather = self.weather
            if weather.loses(outgoing.data) or self.random.random() < weather.loss:
                continue
            for _ in range(2 if self.random.random() < weather.double else 1):
                at = self.now + self.random.uniform(0, weather.delay)
                heappush(self._flying, (at, next(self._serial), host, path, outgoing.data))

    def _arrive(self, host: bytes, path: bytes, data: bytes) -> None:
        if host in self.senders:
            packet = decode(data)
            if packet is not None:
                self.senders[host].hear(packet, self.now)
        if host in self.receivers:
            self.receivers[host].hear(data, path, self.now)
