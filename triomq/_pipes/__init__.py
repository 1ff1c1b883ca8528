"""One peer's two bounded queues. Nothing in this room waits."""

from __future__ import annotations

from ._pipe import NOBODY, Event, Lender, Pipe, nothing_to_do, remove_same
from ._shared_tail import SharedTail
from ._stream_pipe import StreamPipe

__all__ = ["NOBODY", "Event", "Lender", "Pipe", "SharedTail", "StreamPipe", "nothing_to_do", "remove_same"]
