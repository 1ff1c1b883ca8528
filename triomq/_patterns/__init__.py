"""What each socket type does with messages: which pipe, which message is the user's.

A pattern is made of strategies (load balancer, fair queue, distributor, directory). It knows pipes, not sockets, and
never waits. Nothing in this room imports trio.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._public import later
from ._fair import FairReceiver
from ._pattern import NOBODY_WAITS, Budget, Pattern, Receiver, Sender, Waiting
from ._probe import PROBE
from ._round_robin import RoundRobin
from ._topics import as_topic

if TYPE_CHECKING:  # imported later: few programs have sockets of every type
    from ._dealer import Dealer
    from ._pair import Pair
    from ._pipeline import Pull, Push
    from ._publisher import Publisher, XPublisher
    from ._rep import Rep
    from ._req import Req
    from ._router import Router
    from ._subscriber import Subscriber, XSubscriber
else:
    __getattr__ = later(
        __name__,
        {
            "._dealer": ["Dealer"],
            "._pair": ["Pair"],
            "._pipeline": ["Pull", "Push"],
            "._publisher": ["Publisher", "XPublisher"],
            "._rep": ["Rep"],
            "._req": ["Req"],
            "._router": ["Router"],
            "._subscriber": ["Subscriber", "XSubscriber"],
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
