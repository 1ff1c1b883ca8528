"""The receiving end of a group: every sender that is heard of (RFC 3208 §6)."""

from __future__ import annotations

import math
import random
from typing import Final

from ._packets import Data, Nak, Spm, Tsi, decode
from ._receive_window import Store
from ._settings import Outgoing, Settings
from ._source import Source

_EXPIRY: Final = 300.0  # seconds of silence after which a sender is forgotten, as with libzmq
_EXPIRY_AFTER_FIN: Final = 10.0
"""seconds, likewise, after a sender has said that it ends: its datagrams may still be on a longer way"""
_MOST_SOURCES: Final = 1000
_MOST_WINDOWS: Final = 4
"""what all senders together may take, in full windows of one: few of them need much of their own at one time"""


class Receiver:
    """Listens to a group.

    Args:
      rng: draws how long to wait before asking, so that not everybody asks at once.
      max_message_size: octets in all frames of a message; larger ones are skipped.
      max_frames: of a message; likewise.
      max_sources: senders to listen to at one time; 1000 at the most.

    Attributes:
      sources: those that were heard of, by name.
      refused: packets of senders that there was no place for.
    """

    def __init__(
        self,
        settings: Settings,
        rng: random.Random,
        *,
        max_message_size: float = math.inf,
        max_frames: float = math.inf,
        max_sources: float = math.inf,
    ) -> None:
        self.sources: dict[Tsi, Source] = {}
        self.refused: int = 0
        self._settings = settings
        self._random = rng
        self._store = Store(_MOST_WINDOWS * settings.window)
        self._limits = (max_message_size, max_frames)
        self._most = min(max_sources, _MOST_SOURCES)

    @property
    def held(self) -> int:
        """Octets of memory for data that waits for what is missing before it, or to be taken; about."""
        return self._store.held

    # On the path of every datagram.
    def hear(self, datagram: bytes, address: bytes, now: float) -> Source | None:
        """Take in a datagram.

        Args:
          address: of the host that it came from.
        Returns: the sender that it came from, or that it is about; `Source.take` may have messages, and `deadline` may
          have changed. None if the datagram means nothing here.
        Raises:
          RemoteProtocolError: it is no packet of PGM.
        """
        packet = decode(datagram)
        if packet is None or packet.port != self._settings.port:
            return None
        source = self.sources.get(packet.tsi)
        if source is None:
            if not isinstance(packet, (Spm, Data)) or (isinstance(packet, Data) and packet.repair):
                return None
            if isinstance(packet, Spm) and packet.fin:
                return None
            if len(self.sources) >= self._most:
                self.refused += 1
                return None
            source = Source(packet.tsi, address, self._settings, self._random, now, self._limits, self._store)
            self.sources[packet.tsi] = source
        elif isinstance(packet, Nak) and packet.kind != "NCF":
            return None
        source.hear(packet, now)
        return source

    def forget(self, tsi: Tsi) -> None:
        """Listen to a sender no more, until its next packet."""
        source = self.sources.pop(tsi, None)
        if source is not None:
            source.clear()

    def poll(self, now: float) -> list[Outgoing]:
        """What is to be sent now."""
        return [outgoing for source in self.sources.values() for outgoing in source.poll(now)]

    def silent(self, now: float) -> list[Source]:
        """The senders that were silent for so long that they are to be forgotten; nothing of theirs is waiting."""
        return [source for source in self.sources.values() if self.is_silent(source, now)]

    def is_silent(self, source: Source, now: float) -> bool:
        """The same for one sender."""
        return now >= _expiry(source)

    def deadline(self) -> float:
        """When `poll` or `silent` has something to return."""
        return min(map(self.deadline_of, self.sources.values()), default=math.inf)

    def deadline_of(self, source: Source) -> float:
        """The same for one sender."""
        return min(source.deadline(), _expiry(source))


def _expiry(source: Source) -> float:
    if source.is_pending:
        return math.inf
    return source.heard + (_EXPIRY_AFTER_FIN if source.fin else _EXPIRY)
