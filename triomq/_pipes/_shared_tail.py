"""Messages that wait in several outboxes at once.

Theory of operation

What a publisher sends to a hundred subscribers would be appended to a hundred outboxes. Instead those outboxes are
given one `SharedTail`, and each message is appended to that: it is the end of every one of them. As soon as
anything else happens to one of these outboxes, be it that it is written, that a message comes for it alone, or that
it is given another tail, this tail is *closed*: it does not change any more, and each of the pipes writes it, or takes
its messages over, when its own time comes. So the order for each peer is that in which messages were sent, whoever
shares what.
"""

from __future__ import annotations

MOST_TAILS = 16
"""Tails that one outbox may have; with more it is not being written, and had better take them over."""

_LARGEST_ROW = 256 * 1024  # octets joined for all: about what is written at once; more is left in its pieces


class SharedTail:
    """Encoded messages at the end of several outboxes.

    Attributes:
      messages: what `triomq.zmtp.encode_shared` made of each; append to them only while the tail is ``open``.
      open: every pipe that was given the tail still has it, with nothing behind it.
      holders: the pipes that have it still.
    """

    __slots__ = ("_joined", "_row", "holders", "messages", "open")

    def __init__(self) -> None:
        self.messages: list[bytes] = []
        self.open: bool = True
        self.holders: int = 0
        self._joined = False
        self._row: bytes | None = None

    def row(self) -> bytes | None:
        """All the messages in one piece, joined once for all pipes; None if that is too large. Closes the tail."""
        if not self._joined:
            self._joined = True
            self.open = False
            if sum(map(len, self.messages)) <= _LARGEST_ROW:
                self._row = b"".join(self.messages)
        return self._row

    def leave(self) -> list[bytes]:
        """One pipe has it no longer. Returns: the messages, not to be changed."""
        messages = self.messages
        self.open = False
        self.holders -= 1
        if not self.holders:  # who opened it may keep it: it is to take no memory
            self.messages = []
            self._row = None
        return messages


def take_joined(tails: list[SharedTail]) -> tuple[list[bytes], list[bytes]] | None:
    """Take the first tails of a pipe from it, as many as are small enough to be written together.

    Returns: their messages, and the octets of these; None if not even the first is small.
    """
    messages: list[bytes] = []
    rows: list[bytes] = []
    octets = count = 0
    for tail in tails:
        row = tail.row()
        if row is None or (octets := octets + len(row)) > _LARGEST_ROW:
            break
        count += 1
        rows.append(row)
        messages += tail.leave()
    del tails[:count]
    return (messages, rows) if count else None
