"""What a context's sockets share: tasks, turns, the flusher. It knows nothing of messages."""

from __future__ import annotations

from ._bounds import Bounds, Door
from ._cancellation import is_cancelled
from ._chores import Chores
from ._flusher import Flushable, Flusher
from ._gathering import Gathering
from ._limits import given_back, within
from ._mailbox import Mailbox
from ._runtime import Runtime
from ._services import Services
from ._task_group import TaskGroup
from ._turn import LONGEST_TURN, MESSAGES_PER_TURN, Turn
from ._turn_end import TurnEnd, turn_end

__all__ = [
    "LONGEST_TURN",
    "MESSAGES_PER_TURN",
    "Bounds",
    "Chores",
    "Door",
    "Flushable",
    "Flusher",
    "Gathering",
    "Mailbox",
    "Runtime",
    "Services",
    "TaskGroup",
    "Turn",
    "TurnEnd",
    "given_back",
    "is_cancelled",
    "turn_end",
    "within",
]
