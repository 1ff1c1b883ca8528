"""Topics as the user gives them."""

from __future__ import annotations

from typing import Final

from .._message import BytesLike, Frames

SUBSCRIBE: Final = b"\1"
"""what a frame begins with that subscribes to the topic in the rest of it"""
CANCEL: Final = b"\0"
"""what a frame begins with that takes a subscription back"""
LONGEST_TOPIC: Final = 64 * 1024
"""bytes in one topic: as many as a SUBSCRIBE command holds; the messages that subscribe in ZMTP 3.0 have no bound"""


def as_topic(topic: BytesLike | str) -> bytes:
    """The bytes that the first frame of a wanted message begins with; text is taken as UTF-8.

    Raises:
      TypeError: it is neither bytes-like nor text.
      ValueError: it is longer than a peer would accept.
    """
    if isinstance(topic, str):
        topic = topic.encode()
    if not isinstance(topic, (bytes, bytearray, memoryview)):
        raise TypeError(f"a topic is bytes or str, not {type(topic).__name__}: {topic!r}")
    encoded = bytes(topic)
    if len(encoded) > LONGEST_TOPIC:
        raise ValueError(f"a topic has {LONGEST_TOPIC} bytes at the most, and this one has {len(encoded)}")
    return encoded


def split_subscriptions(message: Frames) -> tuple[Frames, Frames]:
    """Of a message that begins with a subscription or a cancellation: all of these that it begins with, and the rest.

    Each is a frame of its own: ``01`` or ``00`` and the topic. From the first other frame on it is a message like any.
    """
    count = 0
    for frame in message:
        if frame[:1] not in (SUBSCRIBE, CANCEL):
            break
        count += 1
    frames = tuple(message)
    return frames[:count], frames[count:]
