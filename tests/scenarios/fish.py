"""Bugs to put in on purpose, by name, for ``--plant`` and for the test that the net catches fish.

Each is planted at a joint that the code keeps: a public method, a method of `StreamPipe`, or one that a socket type
gives its own meaning. Should a joint be renamed, planting fails, loudly.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any
from weakref import WeakKeyDictionary

import pytest
import trio

import triomq
from triomq._connections._reader import Reader
from triomq._pipes._stream_pipe import StreamPipe
from triomq._sockets import ReceiveSocket, SendSocket

Plant = Callable[[pytest.MonkeyPatch], None]


def duplicate(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a reconnect, the last message that was written whole is sent once more."""
    last: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()
    count_sent, restore = StreamPipe.count_sent, StreamPipe.restore

    def noting(self: StreamPipe, items: list[Any]) -> None:
        count_sent(self, items)
        messages = [item for item in items if isinstance(item, tuple)]
        if messages:
            last[self.owner] = messages[-1]

    def again(self: StreamPipe, items: list[Any]) -> None:
        restore(self, items)
        if self.owner in last:
            self.outbox.appendleft(last.pop(self.owner))

    monkeypatch.setattr(StreamPipe, "count_sent", noting)
    monkeypatch.setattr(StreamPipe, "restore", again)


def half_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a reconnect, the message that was half written is forgotten."""
    restore = StreamPipe.restore
    monkeypatch.setattr(StreamPipe, "restore", lambda self, items: restore(self, items[1:]))


def out_of_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a reconnect, what had left the queue goes behind what was still in it."""
    restore = StreamPipe.restore

    def behind(self: StreamPipe, items: list[Any]) -> None:
        restore(self, [])
        self.outbox.extend(items)

    monkeypatch.setattr(StreamPipe, "restore", behind)


def sender_asleep(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of ten times that a full queue has room again, one time nobody is told."""
    room_made, times = StreamPipe.room_made, count(1)

    def forgetful(self: StreamPipe) -> None:
        if self.blocked and next(times) % 10 == 0:
            self.blocked = False
        else:
            room_made(self)

    monkeypatch.setattr(StreamPipe, "room_made", forgetful)


def receiver_asleep(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of fifty times that a message finds somebody waiting for it, one time nobody is told."""
    serve, times = ReceiveSocket._serve_receivers, count(1)

    def forgetful(self: ReceiveSocket) -> None:
        if next(times) % 50:
            serve(self)

    monkeypatch.setattr(ReceiveSocket, "_serve_receivers", forgetful)


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
    restore = StreamPipe.restore

    def generous(self: StreamPipe, items: list[Any]) -> None:
        restore(self, items)
        self.send_limit += 1

    monkeypatch.setattr(StreamPipe, "restore", generous)


def never_resubscribed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A publisher is told the subscriptions when it is first met, and not when it comes back."""
    met = set()
    peer_ready = triomq.SUB._peer_ready

    def once(self: triomq.SUB, pipe: StreamPipe) -> None:
        if pipe not in met:
            met.add(pipe)
            peer_ready(self, pipe)

    monkeypatch.setattr(triomq.SUB, "_peer_ready", once)


def deaf_to_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Heartbeats are sent, and that none comes back is never noticed."""
    monkeypatch.setattr(Reader, "limit_silence", lambda self, seconds: None)


FISH: dict[str, Plant] = {
    plant.__name__.replace("_", "-"): plant
    for plant in (
        duplicate, half_written, out_of_order, sender_asleep, receiver_asleep, lost_on_cancel, sent_though_cancelled,
        hwm_grows, never_resubscribed, deaf_to_silence,
    )
}  # fmt: skip
