"""Messages that wait in several outboxes at once.

Theory of operation

What a publisher sends to a hundred subscribers would be appended to a hundred outboxes. Instead those outboxes are
given one `SharedTail`, and each message is appended to that: the tail is the end of every one of them. The tail is
*closed* as soon as anything else happens to one of these outboxes: it is written, a message comes for it alone, or it
is given another tail. A closed tail does not change any more. Each pipe then writes it, or takes its messages over, in
its own time. So the order for each peer is the order in which messages were sent, whoever shares what.
"""

from __future__ import annotations

MOST_TAILS = 16
"""tails that one outbox may have; an outbox with more is not being written, and takes the messages over"""

_LARGEST_JOINED = 256 * 1024  # bytes of a tail that are joined for all pipes; a larger tail stays in pieces


class SharedTail:
    """Encoded messages at the end of several outboxes.

    Attributes:
      messages: what `triomq.zmtp.encode_shared` made of each; append to them only while the tail is ``open``.
      open: every pipe that was given the tail still has it, with nothing behind it.
      holders: the pipes that still have it.
    """

    __slots__ = ("_joined", "_tried", "holders", "messages", "open")

    def __init__(self) -> None:
        self.messages: list[bytes] = []
        self.open: bool = True
        self.holders: int = 0
        self._tried = False
        self._joined: bytes | None = None

    def joined(self) -> bytes | None:
        """All the messages in one piece, joined once for all pipes; None if that is too large. Closes the tail."""
        if not self._tried:
            self._tried = True
            self.open = False
            if sum(map(len, self.messages)) <= _LARGEST_JOINED:
                self._joined = b"".join(self.messages)
        return self._joined

    def leave(self) -> list[bytes]:
        """One pipe has the tail no longer. Returns: the messages, not to be changed."""
        messages = self.messages
        self.open = False
        self.holders -= 1
        if not self.holders:  # the distributor may still refer to this tail; free the messages
            self.messages = []
            self._joined = None
        return messages


def take_joined(tails: list[SharedTail]) -> tuple[list[bytes], list[bytes]] | None:
    """Take the first tails of a pipe from it, as many as are small enough to be written together.

    Returns: their messages, and the same bytes with each tail in one piece; None if not even the first is small.
    """
    messages: list[bytes] = []
    pieces: list[bytes] = []
    size = count = 0
    for tail in tails:
        joined = tail.joined()
        if joined is None or (size := size + len(joined)) > _LARGEST_JOINED:
            break
        count += 1
        pieces.append(joined)
        messages += tail.leave()
    del tails[:count]
    return (messages, pieces) if count else None
