"""What trio asks of every stream, in the words of those that triomq writes itself."""

from __future__ import annotations

from types import TracebackType
from typing import final

import trio

_RECEIVE_SIZE = 65536  # bytes that `receive_some` takes at the most where the caller gives no number


def receive_size(max_bytes: int | None) -> int:
    """The argument of `trio.abc.ReceiveStream.receive_some`, checked.

    Returns: ``max_bytes``, or 65,536 if it is None.
    Raises:
      TypeError: ``max_bytes`` is not an int.
      ValueError: ``max_bytes`` is less than 1.
    """
    if max_bytes is None:
        return _RECEIVE_SIZE
    if not isinstance(max_bytes, int):
        raise TypeError(f"max_bytes={max_bytes!r}: it is a whole number of bytes, or None")
    if max_bytes < 1:
        raise ValueError(f"max_bytes={max_bytes}: it is 1 or more")
    return max_bytes


@final
class SendGuard:
    """Lets one task at a time send on a stream, or wait to send: ``with guard:``.

    Args:
      peer: the other side's address, for the text of the error.
    Raises:
      trio.BusyResourceError: another task is in the block.
    """

    __slots__ = ("_peer", "_taken")

    def __init__(self, peer: str) -> None:
        self._peer = peer
        self._taken = False

    def __enter__(self) -> None:
        if self._taken:
            raise trio.BusyResourceError(f"another task is already sending to {self._peer}")
        self._taken = True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._taken = False
