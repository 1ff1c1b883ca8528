"""The greeting: the first 64 octets of each direction (RFC 37 §2.2).

    octet   0  FF
            1  8 octets of padding, of no meaning
            9  7F; only its lowest bit counts, it tells ZMTP 2.0 and later from 1.0
           10  major version, minor version
           12  mechanism name, 20 octets, filled up with zeros
           32  as-server, 0 or 1
           33  31 octets of filler

libzmq sends its greeting in three pieces, and waits for ours in between. So a greeting is judged as it
comes, and refused at the first octet that is wrong.

Ours may go out in two pieces, the second when the peer has told its version. A libzmq that gets another mechanism than
its own hangs up at once, before it has sent the rest of its greeting. If it gets ours only after it has sent its own,
both sides can tell which mechanism the other wanted.
"""

from __future__ import annotations

from typing import NamedTuple

from .._errors import MechanismMismatchError, RemoteProtocolError

GREETING_SIZE = 64
"""Octets."""
GREETING_START = 12
"""Octets of ours that go out at once: up to the version."""
VERSION_TOLD = 11
"""Octets of a peer's greeting that hold its major version. A libzmq has the rest on its way when it has ours."""
_AS_SERVER = 32  # the octet that says so
_SIGNATURE = 10  # octets, that libzmq sends before it has heard anything
VERSION = (3, 1)
"""The version of ZMTP spoken here."""


class Greeting(NamedTuple):
    """The meaning of a peer's greeting; ``version`` is the one to speak."""

    version: tuple[int, int]
    mechanism: str
    as_server: bool


def explain_end(heard: int, mechanism: str) -> str:
    """Why the peer may have hung up when it had been told a ``mechanism``, and had sent so many octets; or nothing."""
    if heard != _SIGNATURE:  # of a libzmq that was slow it may be nothing, as of who looks whether a port is open
        return ""
    return f"it is probably a libzmq that wants another mechanism than {mechanism}; give both sides the same mechanism="


def encode_greeting(mechanism: str, as_server: bool) -> bytes:
    """The greeting that opens a connection."""
    name = mechanism.encode("ascii")
    return b"\xff" + bytes(8) + b"\x7f" + bytes(VERSION) + name.ljust(20, b"\0") + bytes((as_server,)) + bytes(31)


def parse_greeting(data: bytes, mechanism: str, *, serves: bool = False) -> Greeting | None:
    """Judge what has come of a greeting; None if it is right so far but not complete.

    Args:
      data: everything received so far, from the first octet on. What lies behind the greeting is ignored.
      mechanism: the name of ours. There is no negotiation: both sides must name the same.
      serves: this side is its server. A peer that says so, too, will not be its client. One that does not say so may
        be a server all the same: libzmq never says so.
    Raises:
      RemoteProtocolError: the peer speaks another protocol or version.
      MechanismMismatchError: it wants another mechanism, or to be the server of this one, too.
    """
    if data and data[0] != 0xFF:
        raise RemoteProtocolError(f"not a ZMTP 3 greeting, or ZMTP 1.0: it begins with {data[:8]!r}", 0)
    if len(data) > 9 and not data[9] & 1:
        raise RemoteProtocolError("the peer speaks ZMTP 1.0 (libzmq 2.x); 3.0 is the oldest spoken here", 9)
    if len(data) > 10 and data[10] < 3:
        raise RemoteProtocolError("the peer speaks ZMTP 2.0 (libzmq 3.x); 3.0 is the oldest spoken here", 10)
    if len(data) >= 32:
        name = data[12:32].rstrip(b"\0")
        if name != mechanism.encode("ascii"):
            text = f"the peer wants mechanism {repr(name)[1:]}, this side {mechanism}; give both the same"
            raise MechanismMismatchError(text, name, mechanism, 12)
    if len(data) < GREETING_SIZE:
        return None
    if serves and data[_AS_SERVER]:
        text = f"both sides are the server of {mechanism}; one of them has to be its client"
        raise MechanismMismatchError(text, mechanism.encode("ascii"), mechanism, _AS_SERVER)
    # A peer of a later version falls back to ours (RFC 37 §2.2.1): the lower version of the two is spoken.
    version = min((data[10], data[11]), VERSION)
    return Greeting(version, mechanism, bool(data[_AS_SERVER]))
