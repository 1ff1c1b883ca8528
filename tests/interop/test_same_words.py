"""A peer that says any frames at all: both libraries make the same messages of the same octets."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

import triomq

from ..hostile.raw import command, frame, raw_at
from .libzmq import Peer

pytestmark = pytest.mark.interop

END = b"\2that was all"
"""the last frame that the peer says; to an XPUB, what begins so is no subscription"""


def any_frames(dice: random.Random) -> bytes:
    """Messages of any number of frames, most of them empty or short: delimiters and envelopes, right and wrong."""
    said = b""
    for _ in range(dice.randint(3, 9)):
        count = dice.randint(1, 5)
        bodies = [dice.choice((b"", b"", b"a", b"\0", b"b" * 300)) for _ in range(count)]
        said += b"".join(frame(body, number < count - 1) for number, body in enumerate(bodies))
    return said


def any_subscriptions(dice: random.Random) -> bytes:
    """Subscriptions and cancellations as commands, as messages, and several in a message; messages between them.

    A cancellation that cancels nothing is not among these, nor a subscription behind another frame: there the libraries
    differ, and the documentation says so.
    """
    said, topics = b"", set[bytes]()
    for _ in range(dice.randint(3, 12)):
        topic = dice.choice((b"", b"A", b"AB", b"B", b"A\0", b"long " * 60))
        match dice.randrange(6):
            case 0 | 1:
                topics.add(topic)
                said += dice.choice((frame(b"\1" + topic), command(b"SUBSCRIBE", topic)))
            case 2 | 3 if topics:
                topics.discard(topic := dice.choice(sorted(topics)))
                said += dice.choice((frame(b"\0" + topic), command(b"CANCEL", topic)))
            case 4:
                topics |= {topic, b"x" + topic}
                said += frame(b"\1" + topic, 1) + frame(b"\1x" + topic)
            case _:
                said += frame(b"\2" + topic, 1) + frame(b"")
    return said


async def heard(socket: Any, replies: bool) -> list[tuple[bytes, ...]]:
    """What the socket receives, up to the end."""
    messages: list[tuple[bytes, ...]] = []
    while not messages or messages[-1][-1] != END:
        messages.append(tuple(await socket.receive()))
        if replies:
            await socket.send(b"a reply")
    return messages


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(
    ("socket_type", "peer_type", "words", "options"),
    [
        (triomq.REP, "REQ", any_frames, {}),
        (triomq.REP, "DEALER", any_frames, {}),
        (triomq.ROUTER, "REQ", any_frames, {}),
        (triomq.ROUTER, "ROUTER", any_frames, {}),
        (triomq.DEALER, "REP", any_frames, {}),
        (triomq.PULL, "PUSH", any_frames, {}),
        (triomq.PAIR, "PAIR", any_frames, {}),
        (triomq.XPUB, "SUB", any_subscriptions, {}),
        (triomq.XPUB, "XSUB", any_subscriptions, {"xpub_verbose": True}),
        (triomq.XPUB, "SUB", any_subscriptions, {"xpub_verboser": True}),
    ],
)
async def test_the_same_words_are_the_same_messages(
    ctx: triomq.Context,
    peer: Peer,
    seed: int,
    socket_type: type[Any],
    peer_type: str,
    words: Callable[[random.Random], bytes],
    options: dict[str, Any],
) -> None:
    dice = random.Random(seed)
    said, minor = words(dice) + (frame(b"", 1) if socket_type is triomq.REP else b"") + frame(END), dice.randrange(2)
    sockets = [
        ctx.socket(socket_type, linger=0, **options),
        await peer.socket(socket_type.__name__, **{name: int(value) for name, value in options.items()}),
    ]
    ours, theirs = [], []
    for socket, messages in zip(sockets, (ours, theirs), strict=True):
        async with raw_at(await socket.bind("tcp://127.0.0.1:*")) as raw:
            await raw.greet(peer_type, b"it", minor=minor)
            assert await raw.say(said)
            messages += await heard(socket, replies=socket_type is triomq.REP)
    assert ours == theirs
