"""When to dial again, and what not to send again: what a connecting socket learns from connections that ended.

Theory of operation

*Ordinary waits* grow with each failure (`Backoff`), and begin again after a connection that carried something whole, or
lasted for as long as the longest wait. READY alone proves nothing: a server may hang up right after it, and would be
dialled ten times a second for ever. Nor does a message prove anything if the peer hung up because of it.

*A peer that refuses this socket*, by an ERROR command or because the types do not match, will do so again. It is
dialled again all the same, for a wrong deployment is mended one day, but after long waits (RFC 37 §2.5 wants no
automatic reconnection that changes nothing).

*A peer that hangs up in the greeting* may be a libzmq that wants another mechanism. The next greeting goes out in two
pieces, and then the peer tells which.

*A peer that hangs up without a word where such peers refuse* (`HungUpError`), such as a server of CURVE at a HELLO for
another key, may have been stopped at just that moment, or may have closed what it had no room for. So this counts as a
connection lost, and as a refusal only after `HANG_UPS` times in a row. Chance does that no more often than once or
twice, while the ordinary waits between three attempts are 0.3 s at the most, unless ``reconnect_interval`` is longer.
An attempt that fails, or a connection that ends in another way, begins the count anew: the next one may meet another
server.

*A message that makes the peer hang up* stands half written when the connection ends, and would be the first of the next
connection, for ever, before all others. A network may break at any message, too. So the message is sent again
`MOST_CUT_OFFS` times; when the peer has cut it off each time, it is dropped, whatever else those connections carried.
"""

from __future__ import annotations

import errno
import random
from typing import Final

import trio

from .._errors import MechanismMismatchError, RefusedByPeerError, RemoteProtocolError
from .._options import Options
from ._handshake import HungUpError
from ._session import Cut, Session
from ._timers import FARTHEST, NEAREST, REFUSED_FIRST, REFUSED_MOST, Backoff

HANG_UPS: Final = 3
"""times in a row that a peer hangs up without a word where such peers refuse; then it has refused"""
MOST_CUT_OFFS: Final = 5
"""times in a row that a peer may hang up at the same message; then the message is dropped"""
_NETWORK_BROKE: Final = frozenset(
    {errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN, errno.ENETRESET, errno.EHOSTDOWN}
)


class Redial:
    """What one connecting endpoint learns from its connections.

    Args:
      options: of the socket.
      endpoint: that is dialled.
      rng: draws the waits.

    Attributes:
      doubts_mechanism: the next greeting is to go out in two pieces.
    """

    __slots__ = ("_cut_offs", "_hang_ups", "_most", "_refused", "_suspect", "_usual", "doubts_mechanism")

    def __init__(self, options: Options, endpoint: str, rng: random.Random) -> None:
        most = longest = options.reconnect_interval_max
        if most is None or longest is None:
            most, longest = (NEAREST if is_near(endpoint) else FARTHEST), FARTHEST
        self._most = max(most, options.reconnect_interval)
        self._usual = Backoff(options.reconnect_interval, most, rng, longest=longest)
        self._refused = Backoff(max(REFUSED_FIRST, options.reconnect_interval), max(REFUSED_MOST, most), rng, least=0.5)
        self.doubts_mechanism: bool = False
        self._suspect: Cut | None = None  # the message at which the last connection was cut off
        self._cut_offs = 0  # how often in a row
        self._hang_ups = 0  # likewise, without a word

    def after_failure(self, took: float) -> float:
        """Seconds to wait after an attempt to connect that failed.

        Args:
          took: seconds that the attempt took.
        """
        self._refused.reset()
        self._hang_ups = 0
        return self._usual.next_wait(took)

    def note_hang_up(self, session: Session) -> None:
        """Take the end of a connection for a refusal, if the peer has hung up without a word often enough."""
        error = session.error
        if not (session.greeted and isinstance(error, HungUpError) and error.why):
            self._hang_ups = 0
            return
        self._hang_ups += 1
        if self._hang_ups >= HANG_UPS:
            session.error = error.as_refusal()

    def after_session(self, session: Session, lasted: float) -> float:
        """Seconds to wait after a connection that has ended.

        Args:
          lasted: seconds that the connection stood.
        """
        in_vain = not session.greeted and not self.doubts_mechanism  # once only: a peer may hang up for other reasons
        self.doubts_mechanism = in_vain or isinstance(session.error, MechanismMismatchError)
        broke_rules = isinstance(session.error, RemoteProtocolError)
        lasted_long = session.established and lasted >= self._most
        if session.refused and not session.carried and session.cut_off is None:
            return self._refused.next_wait()
        self._refused.reset()
        again = session.cut_off is not None and session.cut_off is self._suspect
        if lasted_long or (session.carried and not broke_rules and not again):
            self._usual.reset()
        # How long an established connection lasted is not the time of a failed attempt.
        return self._usual.next_wait(0.0 if session.established else lasted)

    def message_to_drop(self, session: Session) -> Cut | None:
        """The message that is not to be sent again, after a connection that has ended; None if there is none."""
        message = session.cut_off
        if message is None or not _peer_hung_up(session.error):
            self._suspect, self._cut_offs = None, 0
            return None
        if message is not self._suspect:  # what else was carried says nothing about this one
            self._suspect, self._cut_offs = message, 0
        self._cut_offs += 1
        if self._cut_offs < MOST_CUT_OFFS:
            return None
        self._suspect, self._cut_offs = None, 0
        return message


def _peer_hung_up(error: Exception | None) -> bool:
    """Whether a connection ended by the peer's doing, as far as ``error`` tells: neither by ours, nor the network's."""
    if isinstance(error, trio.BrokenResourceError):
        cause = error.__cause__
        return not (isinstance(cause, OSError) and cause.errno in _NETWORK_BROKE)
    return error is None or isinstance(error, RefusedByPeerError)


def is_near(endpoint: str) -> bool:
    """Whether an endpoint is on this machine, where an attempt to connect costs next to nothing."""
    scheme, _, address = endpoint.partition("://")
    if scheme != "tcp":
        return scheme == "ipc"
    host = address.rpartition(";")[2].rpartition(":")[0].strip("[]").lower()
    return host in ("localhost", "::1", "::", "0.0.0.0") or (
        host.startswith("127.") and host[4:].replace(".", "").isdigit()
    )
