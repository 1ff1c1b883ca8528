"""What a sender keeps of what it sent, to repair with it (RFC 3208 §5.1.1)."""

from __future__ import annotations

from collections import deque


class TransmitWindow:
    """The newest data, by sequence number.

    Args:
      most: octets to keep; the newest packet is kept in any case.
      cost: octets that a packet counts beside its data.

    Attributes:
      trail: the oldest sequence number that is kept.
      next: the sequence number of the next data.
    """

    def __init__(self, most: int, cost: int) -> None:
        self.trail: int = 0
        self.next: int = 0
        self._most = most
        self._cost = cost
        self._octets = 0
        self._kept: deque[bytes] = deque()
        self._repaired: dict[int, float] = {}

    @property
    def lead(self) -> int:
        """The newest sequence number; one less than `trail` if there is none."""
        return self.next - 1

    def add(self, payload: bytes) -> int:
        """Keep what is sent now. Returns: its sequence number."""
        self._kept.append(payload)
        self._octets += len(payload) + self._cost
        while self._octets > self._most and len(self._kept) > 1:
            self._octets -= len(self._kept.popleft()) + self._cost
            self._repaired.pop(self.trail, None)
            self.trail += 1
        self.next += 1
        return self.next - 1

    def get(self, serial: int) -> bytes | None:
        """The data of a sequence number, if it is kept."""
        return self._kept[serial - self.trail] if self.trail <= serial < self.next else None

    def was_repaired_since(self, serial: int, time: float) -> bool:
        """Whether a repair was sent at ``time`` or later."""
        return self._repaired.get(serial, time - 1) >= time

    def repaired(self, serial: int, now: float) -> None:
        """A repair has been sent."""
        self._repaired[serial] = now
