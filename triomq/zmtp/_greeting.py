"""The greeting: the first 64 octets of each direction (RFC 37 §2.2).

    octet   0  FF
            1  8 octets of padding, of no meaning
            9  7F; only its lowest bit counts, it tells ZMTP 2.0 and later from 1.0
           10  major version, minor version
           12  mechanism name, 20 octets, filled up with zeros
           32  as-server, 0 or 1
           33  31 octets of filler

libzmq sends it in three pieces and waits for ours in between, so it is judged piece by piece:
what can be known to be wrong is refused at the octet that shows it.
"""

from __future__ import annotations

import attrs

from .._errors import RemoteProtocolError

GREETING_SIZE = 64
VERSION = (3, 1)
"""The version spoken here."""


@attrs.frozen
class Greeting:
    """What a peer's greeting says."""

    version: tuple[int, int]
    mechanism: str
    as_server: bool


def encode_greeting(mechanism: str, as_server: bool) -> bytes:
    """The 64 octets to open a connection with."""
    name = mechanism.encode("ascii")
    return b"\xff" + bytes(8) + b"\x7f" + bytes(VERSION) + name.ljust(20, b"\0") + bytes((as_server,)) + bytes(31)


def parse_greeting(octets: bytes, mechanism: str) -> Greeting | None:
    """Judge what has come of a greeting; None while that is well but not whole.

    Args:
      octets: everything received so far, from the first octet on; more than 64 do no harm.
      mechanism: the only one acceptable. There is no negotiation: both sides must name the same.
    Raises:
      RemoteProtocolError: the peer speaks another protocol, version or mechanism.
    """
    if octets and octets[0] != 0xFF:
        raise RemoteProtocolError(f"not a ZMTP 3 greeting, or ZMTP 1.0: it begins with {octets[:8]!r}", 0)
    if len(octets) > 9 and not octets[9] & 1:
        raise RemoteProtocolError("the peer speaks ZMTP 1.0 (libzmq 2.x); 3.0 is the oldest spoken here", 9)
    if len(octets) > 10 and octets[10] < 3:
        raise RemoteProtocolError("the peer speaks ZMTP 2.0 (libzmq 3.x); 3.0 is the oldest spoken here", 10)
    if len(octets) >= 32:
        name = octets[12:32].rstrip(b"\0")
        if name != mechanism.encode("ascii"):
            raise RemoteProtocolError(f"the peer wants mechanism {name!r}, this side {mechanism}", 12)
    if len(octets) < GREETING_SIZE:
        return None
    # A later version shall fall back to ours (RFC 37 §2.2.1): the lower of the two is spoken.
    version = min((octets[10], octets[11]), VERSION)
    return Greeting(version, mechanism, bool(octets[32]))
