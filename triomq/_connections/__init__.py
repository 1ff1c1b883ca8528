"""How a pipe reaches its peer: carriers, and the life of a connection.

Every timer of a connection stands in ``_timers`` (constants and the back-off) or in ``_heartbeats`` (PING, its answer,
the peer's TTL); the handshake's is in ``_session``, that of an attempt to connect in ``_dialer``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._public import later
from ._carrier import Attachment, Binding, Carrier, Connecting, PeerHost
from ._carriers import Carriers
from ._gate import Gate

if TYPE_CHECKING:  # imported later: what carries by each scheme is for the endpoints of that scheme
    from ._between_runs import SharedNames
    from ._multicast import MulticastCarrier
    from ._new_pipe import meter_inbox
    from ._reports import report_end, report_success, report_waiting_peer
    from ._stream_carrier import NewProtocol, StreamCarrier
    from ._timers import IDLE
else:
    __getattr__ = later(
        __name__,
        {
            "._between_runs": ["SharedNames"],
            "._multicast": ["MulticastCarrier"],
            "._new_pipe": ["meter_inbox"],
            "._reports": ["report_end", "report_success", "report_waiting_peer"],
            "._stream_carrier": ["NewProtocol", "StreamCarrier"],
            "._timers": ["IDLE"],
        },
    )

__all__ = [
    "IDLE",
    "Attachment",
    "Binding",
    "Carrier",
    "Carriers",
    "Connecting",
    "Gate",
    "MulticastCarrier",
    "NewProtocol",
    "PeerHost",
    "SharedNames",
    "StreamCarrier",
    "meter_inbox",
    "report_end",
    "report_success",
    "report_waiting_peer",
]
