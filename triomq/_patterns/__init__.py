"""What each socket type does with messages: which pipe, which message is the user's.

A pattern is made of strategies (load balancer, fair queue, distributor, directory). It knows pipes, not sockets, and
never waits. Nothing in this room imports trio.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._public import later
from ._pattern import NOBODY_WAITS, Budget, Pattern, Receiver, Sender, Waiting

if TYPE_CHECKING:  # imported later: few programs have sockets of every type
    from ._dealer import Dealer
    from ._fair import FairReceiver
    from ._pair import Pair
    from ._pipeline import Pull, Push
    from ._probe import PROBE
    from ._publisher import Publisher, XPublisher
    from ._rep import Rep
    from ._req import Req
    from ._round_robin import RoundRobin
    from ._router import Router
    from ._subscriber import Subscriber, XSubscriber
    from ._topics import as_topic
else:
    __getattr__ = later(
        __name__,
        {
            "._dealer": ["Dealer"],
            "._fair": ["FairReceiver"],
            "._pair": ["Pair"],
            "._pipeline": ["Pull", "Push"],
            "._probe": ["PROBE"],
            "._publisher": ["Publisher", "XPublisher"],
            "._rep": ["Rep"],
            "._req": ["Req"],
            "._round_robin": ["RoundRobin"],
            "._router": ["Router"],
            "._subscriber": ["Subscriber", "XSubscriber"],
            "._topics": ["as_topic"],
        },
    )

__all__ = [
    "NOBODY_WAITS",
    "PROBE",
    "Budget",
    "Dealer",
    "FairReceiver",
    "Pair",
    "Pattern",
    "Publisher",
    "Pull",
    "Push",
    "Receiver",
    "Rep",
    "Req",
    "RoundRobin",
    "Router",
    "Sender",
    "Subscriber",
    "Waiting",
    "XPublisher",
    "XSubscriber",
    "as_topic",
]
