"""What each socket type does with messages: which pipe, which message is the user's.

A pattern is made of strategies (load balancer, fair queue, distributor, directory). It knows pipes, not sockets, and
never waits. Nothing in this room imports trio.
"""

from __future__ import annotations

from ._dealer import Dealer
from ._fair import FairReceiver
from ._pair import Pair
from ._pattern import NOBODY_WAITS, Budget, Pattern, Receiver, Sender, Waiting
from ._pipeline import Pull, Push
from ._publisher import Publisher, XPublisher
from ._rep import Rep
from ._req import Req
from ._round_robin import RoundRobin
from ._router import Router
from ._subscriber import Subscriber, XSubscriber
from ._topics import as_topic

__all__ = [
    "NOBODY_WAITS",
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
