"""What a socket tells a peer that has to wait for its place: that it waits, and that it has its place now.

Theory of operation

ZMTP has no word for this. An ERROR command ends a connection (RFC 37 §2.5), and a READY that is held back looks like a
peer that is dead: libzmq would hang up after 30 s. So the peer is told by PONGs that nobody asked for, whose contexts
say it. Every peer that speaks ZMTP 3.1 takes them, and one that does not know these contexts takes them as a sign of
life: libzmq 4.3.5 was asked. A socket of libzmq says nothing of the kind to those who wait.
"""

from __future__ import annotations

from typing import Final

from .. import zmtp

WAITING: Final = zmtp.Pong(b"triomq: waiting")
"""The peer is kept waiting: there is no place for it yet."""
ADMITTED: Final = zmtp.Pong(b"triomq: admitted")
"""The peer that was kept waiting has its place."""
