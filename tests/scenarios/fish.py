"""Bugs to put in on purpose, by name, for ``--plant`` and for the test that the net catches fish.

Each is planted at a joint that the code keeps: a public method, a method of `QueuedPipe`, or one that a socket type
gives its own meaning. Should a joint be renamed, planting fails, loudly.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import count
from typing import Any
from weakref import WeakKeyDictionary

import pytest
import trio

import triomq
from triomq._connections._acceptor import Acceptor
from triomq._connections._heartbeats import Heartbeats
from triomq._connections._redial import Redial
from triomq._connections._writer import Writer
from triomq._patterns import Subscriber
from triomq._pipes import Pipe, QueuedPipe
from triomq._sockets import ReceiveSocket, SendSocket
from triomq._sockets._receivers import Receivers
from triomq.testing import VirtualStream

Plant = Callable[[pytest.MonkeyPatch], None]


def duplicate(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a reconnect, the last message that was written whole is sent once more."""
    last: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()
    count_sent, restore = QueuedPipe.count_sent, QueuedPipe.restore

    def noting(self: QueuedPipe, items: list[Any]) -> None:
        count_sent(self, items)
        messages = [item for item in items if isinstance(item, tuple)]
        if messages:
            last[self.owner] = messages[-1]

    def again(self: QueuedPipe, items: list[Any]) -> None:
        restore(self, items)
        if self.owner in last:
            self.outbox.queue.appendleft(last.pop(self.owner))

    monkeypatch.setattr(QueuedPipe, "count_sent", noting)
    monkeypatch.setattr(QueuedPipe, "restore", again)


def half_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a reconnect, the message that was half written is forgotten."""
    restore = QueuedPipe.restore
    monkeypatch.setattr(QueuedPipe, "restore", lambda self, items: restore(self, items[1:]))


def out_of_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a reconnect, what had left the queue goes behind what was still in it."""
    restore = QueuedPipe.restore

    def behind(self: QueuedPipe, items: list[Any]) -> None:
        restore(self, [])
        self.outbox.queue.extend(items)

    monkeypatch.setattr(QueuedPipe, "restore", behind)


def sender_asleep(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of ten times that a full queue has room again, one time nobody is told."""
    flushed, times = QueuedPipe.flushed, count(1)

    def forgetful(self: QueuedPipe) -> None:
        if self.owner_waits and next(times) % 10 == 0:
            self.owner_waits = False
        flushed(self)

    monkeypatch.setattr(QueuedPipe, "flushed", forgetful)


def receiver_asleep(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of fifty times that a message finds somebody waiting for it, one time nobody is told."""
    serve, times = Receivers._serve, count(1)

    def forgetful(self: Receivers) -> None:
        if next(times) % 50:
            serve(self)

    monkeypatch.setattr(Receivers, "_serve", forgetful)


def lost_on_cancel(monkeypatch: pytest.MonkeyPatch) -> None:
    """A receive that is cancelled takes a message with it."""
    receive = ReceiveSocket.receive

    async def careless(self: ReceiveSocket) -> triomq.Message:
        try:
            return await receive(self)
        except trio.Cancelled:
            try:
                self.receive_nowait()
            except trio.WouldBlock:
                pass  # there is none to lose
            raise

    monkeypatch.setattr(ReceiveSocket, "receive", careless)


def sent_though_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    """A send that is cancelled sends all the same, if there is room."""
    send = SendSocket.send

    async def stubborn(self: SendSocket, message: Any) -> None:
        try:
            await send(self, message)
        except trio.Cancelled:
            try:
                self.send_nowait(message)
            except trio.WouldBlock:
                pass  # there is no room for it
            raise

    monkeypatch.setattr(SendSocket, "send", stubborn)


def hwm_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    """With each connection that ends, the queue takes one message more."""
    restore = QueuedPipe.restore

    def generous(self: QueuedPipe, items: list[Any]) -> None:
        restore(self, items)
        self.outbox.limit += 1

    monkeypatch.setattr(QueuedPipe, "restore", generous)


def never_resubscribed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A publisher is told the subscriptions when it is first met, and not when it comes back."""
    met = set()
    ready = Subscriber.ready

    def once(self: Subscriber, pipe: Pipe) -> None:
        if pipe not in met:
            met.add(pipe)
            ready(self, pipe)

    monkeypatch.setattr(Subscriber, "ready", once)


def deaf_to_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Heartbeats are sent, and that none comes back is never noticed."""
    monkeypatch.setattr(Heartbeats, "ping_sent", lambda self: None)


def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The peer's time runs from when a PING was queued, however long the connection takes for what stands before it."""
    monkeypatch.setattr(Writer, "taken_at", lambda self: -math.inf)


def ttl_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a PING said holds whatever follows."""
    heard = Heartbeats.heard

    def stubborn(self: Heartbeats) -> None:
        due = self._more_due
        heard(self)
        self._more_due = due

    monkeypatch.setattr(Heartbeats, "heard", stubborn)


def first_come_first_served(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is there stays, and a newcomer is turned away; those that wait for a place count as well."""
    admit = Acceptor._admit

    def strict(self: Acceptor, session: Any) -> None:
        if self._crowd.greeting + self._crowd.waiting >= self._host.options.max_handshakes:
            self._refuse(session, "max_handshakes")
        else:
            admit(self, session)

    monkeypatch.setattr(Acceptor, "_admit", strict)


def blind_to_leaving(monkeypatch: pytest.MonkeyPatch) -> None:
    """A peer that waits for its place, and is not read any more, is never seen to leave."""
    monkeypatch.setattr(VirtualStream, "peer_ended", lambda self: False)
    monkeypatch.setattr(Acceptor, "_dismiss", lambda self, session, limit: None)


def sent_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message at which the peer hangs up is sent again, each time."""
    monkeypatch.setattr(Redial, "message_to_drop", lambda self, session: None)


def hammering(monkeypatch: pytest.MonkeyPatch) -> None:
    """The waits begin anew with each READY."""
    after_session = Redial.after_session

    def eager(self: Redial, session: Any, lasted: float) -> float:
        session.carried = session.carried or session.established
        return after_session(self, session, lasted)

    monkeypatch.setattr(Redial, "after_session", eager)


FISH: dict[str, Plant] = {
    plant.__name__.replace("_", "-"): plant
    for plant in (
        duplicate, half_written, out_of_order, sender_asleep, receiver_asleep, lost_on_cancel, sent_though_cancelled,
        hwm_grows, never_resubscribed, deaf_to_silence, first_come_first_served, blind_to_leaving, sent_for_ever,
        hammering, impatient, ttl_for_ever,
    )
}  # fmt: skip
