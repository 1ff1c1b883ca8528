"""What to write instead: the answers to what newcomers write, many of them with pyzmq in their fingers."""

from __future__ import annotations

from ._messages import explain_frame, explain_message, is_no_iterable_of_frames

__all__ = ["explain_frame", "explain_message", "is_no_iterable_of_frames"]
