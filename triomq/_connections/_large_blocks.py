"""Memory for large messages."""

from __future__ import annotations

from functools import cache
from typing import Final

_KEPT: Final = 4 * 1024 * 1024  # bytes; what a large read, or encryption, takes is less


@cache
def keep_large_blocks() -> None:
    """Have the C library keep the memory of large messages, instead of giving it back to the system after each.

    That is for glibc, whose limits follow the largest block that was freed: it then keeps up to twice as much, 8 MiB.
    Without this, every second read of 1 MB was into fresh pages, for which the system took as long as for the copy, and
    so were all the copies that encryption makes. The limits are those of the process, so once is enough. The block is
    never touched, and so takes no memory.
    """
    bytes(_KEPT)
