"""Messages that wait in several outboxes at once.

Theory of operation

What a publisher sends to a hundred subscribers would be appended to a hundred outboxes. Instead those outboxes are
given one `SharedTail`, and each message is appended to that: it is the end of every one of them. As soon as
anything else is to be done with an outbox, be it that it is written, or that another message is for this one alone,
its pipe takes the messages over and the tail is *closed*: it does not change any more, and the other pipes take it
over when their own time comes. So the order for each peer is that in which messages were sent, whoever shares what.
"""

from __future__ import annotations

_LARGEST_ROW = 256 * 1024  # octets joined for all; of more each connection is given the pieces, which copies nothing


class SharedTail:
    """Encoded messages at the end of several outboxes.

    Attributes:
      messages: what `triomq.zmtp.encode_shared` made of each; append to them only while the tail is ``open``.
      open: every pipe that was given the tail still has it, with nothing behind it.
      holders: the pipes that have it still.
    """

    __slots__ = ("_row", "holders", "messages", "open")

    def __init__(self) -> None:
        self.messages: list[bytes] = []
        self.open: bool = True
        self.holders: int = 0
        self._row: list[bytes] | None = None

    def row(self) -> list[bytes]:
        """The messages of a tail that is closed as they are best written: joined, once for all, if they are small."""
        row = self._row
        if row is None:
            messages = self.messages
            row = self._row = [b"".join(messages)] if sum(map(len, messages)) <= _LARGEST_ROW else messages
        return row

    def leave(self) -> list[bytes]:
        """One pipe has it no longer. Returns: the messages, not to be changed."""
        messages = self.messages
        self.open = False
        self.holders -= 1
        if not self.holders:  # who opened it may keep it: it is to take no memory
            self.messages = []
            self._row = None
        return messages
