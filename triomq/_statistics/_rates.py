"""What happened in each second between two snapshots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import attrs

from .._record import Record
from ._table import duration, size, table


class Counted(Protocol):
    """What every snapshot counts."""

    @property
    def messages_sent(self) -> int:
        """Messages sent."""

    @property
    def messages_received(self) -> int:
        """Messages received."""

    @property
    def messages_dropped(self) -> int:
        """Messages dropped."""

    @property
    def bytes_sent(self) -> int:
        """Bytes sent."""

    @property
    def bytes_received(self) -> int:
        """Bytes received."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Rates(Record):
    """What happened in each second between two snapshots; as a `str` a small table.

    Attributes:
      title: of what: of a peer the number, type, address and routing id; of anything else one text.
      seconds: between the two snapshots.
      messages_sent, messages_received, messages_dropped: messages for each second.
      bytes_sent, bytes_received: bytes for each second.
      parts: the same for each peer of the socket, or for each socket of the context.
    """

    title: tuple[str, ...]
    seconds: float
    messages_sent: float
    messages_received: float
    messages_dropped: float
    bytes_sent: float
    bytes_received: float
    parts: tuple[Rates, ...] = ()

    def __str__(self) -> str:
        of_peers = any(len(part.title) > 1 for part in self.parts)
        names = ("#", "<peer", "<address", "<id") if of_peers else ("<socket",)
        head = (*names, "sent/s", "received/s", "dropped/s", "out/s", "in/s")
        rows = [
            (
                *part.title,
                _rate(part.messages_sent),
                _rate(part.messages_received),
                _rate(part.messages_dropped),
                size(part.bytes_sent),
                size(part.bytes_received),
            )
            for part in self.parts
        ]
        total = (
            f"{' '.join(self.title)}, in {duration(self.seconds)}: {_rate(self.messages_sent)}/s sent, "
            f"{_rate(self.messages_received)}/s received, {_rate(self.messages_dropped)}/s dropped"
        )
        return table(total, head, rows, always=(*names[:3], "sent/s", "received/s", "dropped/s"))


def rates(
    title: tuple[str, ...], seconds: float, later: Counted, earlier: Counted | None, parts: Sequence[Rates] = ()
) -> Rates:
    """Rates between two snapshots; an ``earlier`` of None counted nothing.

    Raises:
      ValueError: there is no time between them.
    """
    if seconds <= 0:
        raise ValueError(f"since() takes an earlier snapshot; this one was made {-seconds:g} s later, or with it")

    def rate(name: str) -> float:
        before: int = 0 if earlier is None else getattr(earlier, name)
        change: int = getattr(later, name) - before
        return change / seconds

    return Rates(
        title=title,
        seconds=seconds,
        messages_sent=rate("messages_sent"),
        messages_received=rate("messages_received"),
        messages_dropped=rate("messages_dropped"),
        bytes_sent=rate("bytes_sent"),
        bytes_received=rate("bytes_received"),
        parts=tuple(parts),
    )


def _rate(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 or not value else f"{value:.1f}"
