"""Topics as the user gives them."""

from __future__ import annotations

from .._message import BytesLike

_LONGEST = 64 * 1024


def as_topic(topic: BytesLike | str) -> bytes:
    """The octets that the first frame of a wanted message begins with; text is taken as UTF-8.

    Raises:
      TypeError: it is neither bytes-like nor text.
      ValueError: it is longer than a peer would accept.
    """
    if isinstance(topic, str):
        topic = topic.encode()
    if not isinstance(topic, (bytes, bytearray, memoryview)):
        raise TypeError(f"a topic is bytes or str, not {type(topic).__name__}: {topic!r}")
    octets = bytes(topic)
    if len(octets) > _LONGEST:
        raise ValueError(f"a topic has {_LONGEST} octets at the most, and this one has {len(octets)}")
    return octets
