"""How many bytes to ask for in one read."""

from __future__ import annotations

from typing import Final

from ._large_blocks import keep_large_blocks

READ_SIZE: Final = 64 * 1024
"""bytes asked for in one read; doubled while reads come back full, up to `_LARGEST_READ`"""
HEADER_SIZE: Final = 9
"""bytes before the body of a frame that is read alone"""
_LARGEST_READ: Final = 1024 * 1024
_READ_ALONE: Final = 256 * 1024  # bytes; a body of this size or more is read alone, straight into the object it becomes


class ReadSize:
    """The size of the next read of one connection.

    Reads are as large as what comes is plenty. A large frame's body is asked for by itself, and then, as another large
    frame may follow, a header by itself. So a body comes in one piece, if it is there, and only the system copies it.
    That pays from about 1 MB on, where it halves the price.

    Attributes:
      usual: bytes to ask for between messages.
      large: the last frame was large, so the next may be: ask `choose`.
    """

    __slots__ = ("large", "usual")

    def __init__(self) -> None:
        self.usual: int = READ_SIZE
        self.large: bool = False

    def choose(self, missing: int) -> int:
        """Bytes to ask for.

        Args:
          missing: bytes that the unfinished frame lacks; 0 when that is not known.
        """
        if missing >= _READ_ALONE or (missing and self.large):
            self.large = True
            keep_large_blocks()
            return min(missing, _LARGEST_READ)
        if self.large:
            self.large = False
            return HEADER_SIZE
        return self.usual

    def note(self, received: int) -> None:
        """A read of the usual size brought ``received`` bytes."""
        if received == self.usual:
            self.usual = min(2 * self.usual, _LARGEST_READ)
            keep_large_blocks()
        else:
            self.usual = READ_SIZE

    def reset(self) -> None:
        """Commands came: they are few, or a flood that is to cost little."""
        self.usual = READ_SIZE
