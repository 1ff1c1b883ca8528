"""What to write instead: the answers to what newcomers write, many of them with pyzmq in their fingers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._public import later
from ._arguments import TIME_LIMIT, check_count, check_messages, hide_arguments, refuse_copy, refuse_extra, takes
from ._libzmq import ABSENT, ALIASES, ELSEWHERE
from ._messages import explain_frame, explain_message, is_no_iterable_of_frames
from ._options import explain_option, instead_of_option, option_meant, refuse_option_change
from ._sockets import SOCKET_NAMES, instead_on_socket

if TYPE_CHECKING:  # imported later: no right program asks
    from ._module import explain_name, explain_on_context
else:
    __getattr__ = later(__name__, {"._module": ["explain_name", "explain_on_context"]})

__all__ = [
    "ABSENT",
    "ALIASES",
    "ELSEWHERE",
    "SOCKET_NAMES",
    "TIME_LIMIT",
    "check_count",
    "check_messages",
    "explain_frame",
    "explain_message",
    "explain_name",
    "explain_on_context",
    "explain_option",
    "hide_arguments",
    "instead_of_option",
    "instead_on_socket",
    "is_no_iterable_of_frames",
    "option_meant",
    "refuse_copy",
    "refuse_extra",
    "refuse_option_change",
    "takes",
]
