"""What the sockets of one context have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import attrs

from .._connections import Carriers
from .._runtime import Runtime
from ._forgotten import Forgotten
from ._monitors import Observer

if TYPE_CHECKING:
    from ._socket import Socket


@attrs.frozen(eq=False)
class Shared:
    """What the sockets of one context have in common.

    Attributes:
      runtime: tasks, turns, the flusher.
      carriers: by scheme.
      sockets: those that are not closed, in the order in which they were made.
      forgotten: those of them that the program has dropped; it keeps the others alive itself.
      observers: are told what happens to the sockets.
    """

    runtime: Runtime
    carriers: Carriers
    sockets: WeakKeyDictionary[Socket, None] = attrs.field(factory=WeakKeyDictionary)
    forgotten: Forgotten = attrs.field(default=attrs.Factory(lambda self: Forgotten(self.runtime), takes_self=True))
    observers: list[Observer] = attrs.field(factory=list)
