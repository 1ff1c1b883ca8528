"""How many bytes to ask for in one read."""

from __future__ import annotations

from functools import cache
from typing import Final

READ_SIZE: Final = 64 * 1024
"""bytes asked for in one read; doubled while reads come back full, up to `_LARGEST_READ`"""
HEADER_SIZE: Final = 9
"""bytes before the body of a frame that is read alone"""
_LARGEST_READ: Final = 1024 * 1024
_READ_ALONE: Final = 256 * 1024  # bytes; a body of this size or more is read alone, straight into the object it becomes
_KEPT: Final = 4 * _LARGEST_READ  # bytes; blocks up to this are kept by the allocator when they are freed


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
            _keep_large_blocks()
            return min(missing, _LARGEST_READ)
        if self.large:
            self.large = False
            return HEADER_SIZE
        return self.usual

    def note(self, received: int) -> None:
        """A read of the usual size brought ``received`` bytes."""
        if received == self.usual:
            self.usual = min(2 * self.usual, _LARGEST_READ)
            _keep_large_blocks()
        else:
            self.usual = READ_SIZE

    def reset(self) -> None:
        """Commands came: they are few, or a flood that is to cost little."""
        self.usual = READ_SIZE


@cache
def _keep_large_blocks() -> None:
    """Have the C library keep the memory of large reads, instead of giving it back to the system after each.

    That is for glibc, whose limits follow the largest block that was freed: it then keeps up to twice as much. Without
    this, every second read of 1 MB was into fresh pages, for which the system took as long as for the copy. The limits
    are those of the process, so once is enough. The block is never touched, and so takes no memory.
    """
    bytes(_KEPT)
