"""What the sockets of one context have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from .._connections import Carriers
from .._runtime import Runtime
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
      observers: are told what happens to the sockets.
    """

    runtime: Runtime
    carriers: Carriers
    sockets: dict[Socket, None] = attrs.field(factory=dict)
    observers: list[Observer] = attrs.field(factory=list)
