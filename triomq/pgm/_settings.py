"""What both ends are set to, and what they give to be sent."""

from __future__ import annotations

from typing import Final, NamedTuple

import attrs

from ._packets import MOST_NAKS

_ROOM_FOR_FRAGMENT: Final = 20
"""octets of a packet that libzmq keeps free for an option that it never sends; its datagrams are so much shorter"""
_NAK_WITHOUT_LIST: Final = 36
"""octets of a NAK but for its two addresses: its header and body, and what comes before the numbers of its list"""


@attrs.frozen(kw_only=True)
class Settings:
    """One end's place in a group.

    Attributes:
      path: our own address, 4 or 16 octets; receivers send their NAKs to a sender's.
      group: the group's address, likewise.
      port: the group's.
      rate: octets in a second of original data that a sender may send, all headers counted; as much again of repairs.
      recovery_interval: seconds for which a sender keeps at ``rate`` what it sent; a receiver holds as many octets.
      max_tpdu: octets of the largest datagram, all headers counted.
      encapsulation: octets of headers before the header of PGM: 20 for IPv4, 40 for IPv6, 8 more with UDP.
    """

    path: bytes
    group: bytes
    port: int
    rate: int = 1_250_000
    recovery_interval: float = 10.0
    max_tpdu: int = 1500
    encapsulation: int = 28

    @property
    def payload(self) -> int:
        """Octets of data in the largest datagram."""
        return self.max_tpdu - self.encapsulation - 24 - _ROOM_FOR_FRAGMENT

    @property
    def naks(self) -> int:
        """Sequence numbers in the largest NAK: one in its body, and up to 62 in its list (RFC 3208 §9.3)."""
        others = self.max_tpdu - self.encapsulation - _NAK_WITHOUT_LIST - 2 * len(self.path)
        return 1 + min(max(others // 4, 0), MOST_NAKS - 1)

    @property
    def window(self) -> int:
        """Octets that are kept, to repair with them or until what is missing before them has been repaired."""
        return max(self.max_tpdu, int(self.rate * self.recovery_interval))


class Outgoing(NamedTuple):
    """A datagram to be sent."""

    data: bytes
    to: bytes | None = None
    """The address of one host; None is the group."""
    near: bool = False
    """It goes no farther than to this network (a TTL of 1)."""
